"""Package a chart, refuse to overwrite a version, push, read back, print the digest: `release.py CHART DESTINATION`."""

import os
import sys

from oci_chart import Chart, Client, errors


def release(chart: str, destination: str) -> str:
    plain = [os.environ["PLAIN_HTTP"]] if "PLAIN_HTTP" in os.environ else []
    client = Client(plain_http=plain, user_agent="release.py")
    package = Chart.load(chart).package()
    pushed = client.push(package, destination)
    pulled = client.pull(f"{pushed.location}@{pushed.digest}", verify=False)
    assert pulled.package == package, "the registry gave something else back"
    return pushed.reference


if __name__ == "__main__":
    try:
        print(release(*sys.argv[1:]))
    except errors.AlreadyExistsError as error:
        sys.exit(f"this version is released already: {error}")
