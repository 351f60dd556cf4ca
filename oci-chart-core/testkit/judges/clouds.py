"""Answers questions about the clouds' logins with the clouds' own libraries: JSON lines in, JSON lines out."""

import datetime
import json
import sys
from unittest import mock

import botocore.auth
import botocore.awsrequest
import botocore.config
import botocore.credentials
import botocore.session
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import _helpers
from google.oauth2 import service_account

SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]
SESSION = botocore.session.Session()


def sigv4(question):
    """The `Authorization` of a request that is signed at a given time."""
    now = datetime.datetime.strptime(question["time"], "%Y%m%dT%H%M%SZ")
    keys = botocore.credentials.Credentials(question["id"], question["secret"], question["token"])
    request = botocore.awsrequest.AWSRequest(
        method=question["method"], url=question["url"], headers=question["headers"], data=question["body"]
    )
    signer = botocore.auth.SigV4Auth(keys, question["service"], question["region"])
    with mock.patch.object(botocore.auth, "get_current_datetime", return_value=now):
        signer.add_auth(request)
    return {"authorization": request.headers["Authorization"]}


def assertion(question):
    """What a service account shows for a token at a given time."""
    credentials = service_account.Credentials.from_service_account_info(question["account"], scopes=SCOPES)
    now = datetime.datetime.fromtimestamp(question["time"], datetime.timezone.utc).replace(tzinfo=None)
    with mock.patch.object(_helpers, "utcnow", return_value=now):
        return {"assertion": credentials._make_authorization_grant_assertion().decode()}


def make_key(question):
    """A private key."""
    key = rsa.generate_private_key(65537, question["bits"])
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return {"pem": key.private_bytes(*form).decode()}


def regions(question):
    """All regions that a service has in the public, the Chinese and the American government's network."""
    names = [
        name
        for partition in ("aws", "aws-cn", "aws-us-gov")
        for name in SESSION.get_available_regions(question["service"], partition)
    ]
    return {"regions": names}


def endpoint(question):
    """The address of a service."""
    config = botocore.config.Config(
        use_fips_endpoint=question["fips"], use_dualstack_endpoint=question["dual"]
    )
    client = SESSION.create_client(
        question["service"],
        question["region"],
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=config,
    )
    return {"endpoint": client.meta.endpoint_url}


ANSWERS = {"sigv4": sigv4, "assertion": assertion, "rsa": make_key, "regions": regions, "endpoint": endpoint}

for line in sys.stdin:
    asked = json.loads(line)
    try:
        answer = ANSWERS[asked["ask"]](asked)
    except Exception as error:  # The test shows it and fails.
        answer = {"unanswerable": repr(error)}
    print(json.dumps(answer), flush=True)
