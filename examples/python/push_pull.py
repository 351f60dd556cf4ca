"""Push a package and pull it back by version range, with a bar where there is a terminal: `push_pull.py [CHART] [LOCATION]`.

LOCATION is `oci-layout:DIRECTORY`, or `oci://HOST/PATH` above the chart's repository; the logins of helm, docker and podman count.
"""

import sys
from os import environ

from oci_chart import Chart, Client, Event, EventKind


def told(event: Event) -> None:
    if event.kind in (EventKind.WARNING, EventKind.WAITING):
        print(f"{event.kind}: {event.text}", file=sys.stderr)
    elif event.kind is EventKind.PROGRESS and sys.stderr.isatty():
        print(f"\r{event.bytes} bytes", end="\r", file=sys.stderr)


def main(chart: str = "examples/charts/greeter", to: str = "oci-layout:target/python-push-pull") -> None:
    plain = environ.get("PLAIN_HTTP", "").split()
    with Client(stored_logins=True, plain_http=plain) as client:
        # The same chart again is fine; another one under the same version is refused, naming both digests.
        package = Chart.load(chart).package()
        pushed = client.push(package, to, mode="ensure", progress=told, timeout=60)
        print(f"{pushed.action}: {pushed.reference}")

        newest = client.pull(pushed.location, version=">0.0.0-0", dest="target/pulled", verify=False, progress=told)
        print(f"pulled: {newest.package.file_name}  {newest.package.digest}")
        print(f"versions: {', '.join(client.tags(pushed.location))}")


if __name__ == "__main__":
    main(*sys.argv[1:])
