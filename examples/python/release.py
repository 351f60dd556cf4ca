"""Package a chart, log in, refuse to overwrite a version, push, sign, and print the digest: `release.py CHART oci://HOST/PATH KEY`.

REGISTRY_USERNAME and REGISTRY_PASSWORD log in, COSIGN_PASSWORD opens the key. The tag comes last: nobody ever sees the version unsigned.
"""

import sys
from os import environ

from oci_chart import Chart, Client, SigningKey, errors


def release(chart: str, to: str, key: str) -> str:
    host = to.removeprefix("oci://").split("/")[0]
    login = {host: (environ["REGISTRY_USERNAME"], environ["REGISTRY_PASSWORD"])}
    signer = SigningKey.load(key, passphrase=lambda: environ["COSIGN_PASSWORD"])
    with Client(auth=login, plain_http=environ.get("PLAIN_HTTP", "").split()) as client:
        return client.publish(Chart.load(chart).package(), to, signers=[signer]).digest


if __name__ == "__main__":
    try:
        print(release(*sys.argv[1:]))
    except errors.AlreadyExistsError as error:
        sys.exit(f"this version is released already: {error}")
