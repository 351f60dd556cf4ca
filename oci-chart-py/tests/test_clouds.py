"""Logins at the clouds' registries, of fakes of the clouds' services."""

import base64
import http.server
import json
import os
import threading
import urllib.parse

import pytest
from command import run

from oci_chart import Client, Retry

ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
GOOGLE = "europe-west1-docker.pkg.dev"
AZURE = "charts.azurecr.io"
VARIABLES = ("AWS_", "AZURE_", "GOOGLE_", "GCE_", "CLOUDSDK_", "IDENTITY_")


def answer(method: str, target: str, body: str, authorization: str | None) -> tuple[int, object]:
    """What the services of all clouds say, and behind them a registry that takes what they gave."""
    wanted = {
        ECR: "AWS:canary-aws",
        GOOGLE: "oauth2accesstoken:canary-google",
        AZURE: "00000000-0000-0000-0000-000000000000:canary-azure",
    }
    where = urllib.parse.urlsplit(target)
    if where.path.endswith("/tags/list"):
        given = (authorization or "").removeprefix("Basic ")
        if base64.b64decode(given).decode() != wanted[str(where.hostname)]:
            return 401, {}
        return 200, {"name": "charts/web", "tags": ["1.0.0"]}
    if where.path == "/":
        token = base64.b64encode(b"AWS:canary-aws").decode()
        return 200, {"authorizationData": [{"authorizationToken": token, "expiresAt": 4000000000}]}
    if where.path.endswith("/token") and "computeMetadata" in where.path:
        return 200, {"access_token": "canary-google", "expires_in": 3599, "token_type": "Bearer"}
    if where.path == "/tenant/oauth2/v2.0/token" and "canary-secret" in body:
        return 200, {"access_token": "entra", "expires_in": 3599}
    if where.path == "/oauth2/exchange" and "access_token=entra" in body:
        return 200, {"refresh_token": "canary-azure"}
    return 404, {}


@pytest.fixture
def clouds(monkeypatch):
    """All the clouds at one address, which is a proxy for plain HTTP too."""
    for name in list(os.environ):
        if name.startswith(VARIABLES):
            monkeypatch.delenv(name)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(f"{self.command} {self.path}")
            body = self.rfile.read(int(self.headers["content-length"] or 0)).decode()
            code, said = answer(self.command, self.path, body, self.headers["authorization"])
            text = json.dumps(said).encode()
            self.send_response(code)
            if code == 401:
                self.send_header("www-authenticate", 'Basic realm="cloud"')
            self.send_header("content-type", "application/json")
            self.send_header("metadata-flavor", "Google")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_POST = do_PUT = do_GET

        def log_message(self, *_: object) -> None:
            pass

    seen: list[str] = []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        server.seen = seen
        yield server
        server.shutdown()


@pytest.mark.parametrize(
    ("host", "user", "variables"),
    [
        (ECR, "AWS", {"AWS_ENDPOINT_URL_ECR": "URL", "AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "canary"}),
        (GOOGLE, "oauth2accesstoken", {"GCE_METADATA_HOST": "HOST"}),
        (
            AZURE,
            "00000000-0000-0000-0000-000000000000",
            {
                "AZURE_AUTHORITY_HOST": "URL",
                "AZURE_TENANT_ID": "tenant",
                "AZURE_CLIENT_ID": "app",
                "AZURE_CLIENT_SECRET": "canary-secret",
            },
        ),
    ],
    ids=["ecr", "google", "azure"],
)
def test_a_cloud_logs_in_where_its_registry_is(clouds, monkeypatch, tmp_path, host, user, variables) -> None:
    at = f"127.0.0.1:{clouds.server_port}"
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, value in variables.items():
        monkeypatch.setenv(name, value.replace("URL", f"http://{at}").replace("HOST", at))
    # The cloud's own services are reached through the same proxy as the registry.
    options = {"plain_http": [host], "proxy": f"http://{at}", "no_proxy": at, "retry": Retry(attempts=1)}
    client = Client(cloud_logins=True, **options)
    assert list(client.tags(f"oci://{host}/charts/web")) == ["1.0.0"], clouds.seen
    status = client.login_status(host)
    assert status is not None and status.username == user
    assert "canary" not in f"{status!r}"
    assert Client(**options).login_status(host) is None
    # The command asks them too.
    here = {name: os.environ[name] for name in [*variables, "HOME"]} | {"http_proxy": f"http://{at}", "no_proxy": at}
    done = run("versions", f"oci://{host}/charts/web", "--plain-http", env=here)
    assert (done.code, done.out) == (0, "1.0.0\n"), done.err
