"""The command ``oci-chart``: the verbs of the package for a shell."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from typing import Any

from . import Chart, Client, Event, OciChartError, Package, __version__
from .errors import ErrorKind

_EXIT = {
    ErrorKind.ALREADY_EXISTS: 3,
    ErrorKind.CONFLICT: 3,
    ErrorKind.IMMUTABLE_TAG: 3,
    ErrorKind.LINT_FAILED: 4,
    ErrorKind.UNAUTHENTICATED: 5,
    ErrorKind.PERMISSION_DENIED: 5,
    ErrorKind.NOT_FOUND: 6,
    ErrorKind.NETWORK: 7,
    ErrorKind.TIMEOUT: 7,
    ErrorKind.UNAVAILABLE: 7,
    ErrorKind.RATE_LIMITED: 7,
    ErrorKind.NOT_SIGNED: 8,
    ErrorKind.SIGNATURE_INVALID: 8,
    ErrorKind.POLICY_DENIED: 8,
    ErrorKind.COULD_NOT_CHECK: 9,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; the exit code is 0 for done, 1 other, 2 usage, 3 conflict, 4 lint, 5 login, 6 not found, 7 unavailable,
    8 not verified, 9 could not check, 130 interrupted."""
    options = _parser().parse_args(arguments)
    try:
        result = options.run(options)
    except KeyboardInterrupt:
        return 130
    except OciChartError as error:
        _report(error, options.json)
        return _EXIT.get(error.kind, 1)
    if options.json:
        print(json.dumps(result, indent=2))
    else:
        _print(result)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="oci-chart", description="Helm charts as OCI artifacts.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Any, help: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=help, description=help)
        added.add_argument("--json", action="store_true", help="print the result as JSON")
        added.set_defaults(run=run)
        return added

    def remote(name: str, run: Any, help: str) -> argparse.ArgumentParser:
        added = command(name, run, help)
        added.add_argument("--plain-http", action="store_true", help="speak plain HTTP to the registry")
        added.add_argument("--ca-file", metavar="FILE", help="trust the authorities in this PEM file too")
        added.add_argument("--username", metavar="NAME")
        added.add_argument(
            "--password-stdin", action="store_true", help="read the password from standard input"
        )
        return added

    package = command("package", _package, "Package a chart directory.")
    package.add_argument("chart")
    package.add_argument("-d", "--destination", default=".", metavar="DIRECTORY")
    package.add_argument("--version", metavar="VERSION", help="the version in the package")
    package.add_argument("--app-version", metavar="VERSION", help="the application's version in the package")

    push = remote("push", _push, "Push a package.")
    push.add_argument("package")
    push.add_argument("destination", help="oci://HOST/PATH, to which the chart's name is added, or oci-layout:DIRECTORY")
    push.add_argument("--mode", choices=["create", "ensure", "replace"], default="create")

    pull = remote("pull", _pull, "Pull a chart without verifying signatures.")
    pull.add_argument("reference")
    pull.add_argument("--version", metavar="VERSION", help="a version or a constraint")
    pull.add_argument("-d", "--destination", default=".", metavar="DIRECTORY")

    show = remote("show", _show, "Show the metadata of a chart: a directory, a package or a reference.")
    show.add_argument("chart")
    show.add_argument("--version", metavar="VERSION")

    for name, run, help in [
        ("versions", _versions, "List the tags of a repository."),
        ("exists", _exists, "Whether a version is there: exit code 0 or 6."),
        ("delete", _delete, "Delete a tag, or by digest a version."),
    ]:
        added = remote(name, run, help)
        added.add_argument("reference")
        added.add_argument("--version", metavar="VERSION")
    return parser


def _package(options: argparse.Namespace) -> dict[str, Any]:
    chart = Chart.load(options.chart)
    package = chart.package(options.destination, version=options.version, app_version=options.app_version)
    return {"path": str(package.path), "digest": package.digest, "size": package.size}


def _push(options: argparse.Namespace) -> dict[str, Any]:
    package = Package.load(options.package)
    client = _client(options, options.destination)
    pushed = client.push(package, options.destination, mode=options.mode, progress=_progress())
    return {"reference": pushed.reference, "tag": pushed.tag, "digest": pushed.digest, "action": pushed.action}


def _pull(options: argparse.Namespace) -> dict[str, Any]:
    client = _client(options, options.reference)
    pulled = client.pull(
        options.reference,
        version=options.version,
        dest=options.destination,
        verify=False,
        progress=_progress(),
    )
    path = os.path.join(options.destination, pulled.package.file_name)
    return {"path": path, "digest": pulled.digest, "package": pulled.package.digest}


def _show(options: argparse.Namespace) -> Any:
    if options.chart.startswith(("oci://", "oci-layout:")):
        client = _client(options, options.chart)
        return json.loads(client.metadata_json(options.chart, version=options.version))
    return json.loads(Chart.load(options.chart).metadata_json())


def _versions(options: argparse.Namespace) -> list[str]:
    return _client(options, options.reference).tags(options.reference)


def _exists(options: argparse.Namespace) -> dict[str, Any]:
    found = _client(options, options.reference).resolve(options.reference, version=options.version)
    return {"exists": True, "digest": found.digest}


def _delete(options: argparse.Namespace) -> dict[str, Any]:
    _client(options, options.reference).delete(options.reference, version=options.version)
    return {"deleted": options.reference}


def _client(options: argparse.Namespace, reference: str) -> Client:
    if not reference.startswith("oci://"):
        return Client()
    host = reference.removeprefix("oci://").split("/", 1)[0]
    auth = None
    if options.username is not None:
        auth = {host: (options.username, _password(options))}
    return Client(
        auth=auth,
        plain_http=[host] if options.plain_http else [],
        ca_file=options.ca_file,
        user_agent=f"cli/{__version__}",
    )


def _password(options: argparse.Namespace) -> str:
    """From standard input, the environment or a prompt; never from the command line, where others can read it."""
    if options.password_stdin:
        return sys.stdin.readline().rstrip("\n")
    if "OCI_CHART_PASSWORD" in os.environ:
        return os.environ["OCI_CHART_PASSWORD"]
    import getpass

    return getpass.getpass()


def _progress() -> Any:
    if not sys.stderr.isatty():
        return None
    sizes: dict[int, int] = {}

    def show(event: Event) -> None:
        if event.id is None or event.bytes is None:
            return
        if event.kind == "started":
            sizes[event.id] = event.bytes
        elif event.kind == "progress":
            share = 100 * event.bytes // max(sizes.get(event.id, 1), 1)
            print(f"\r{share:3} %", end="\r", file=sys.stderr)

    return show


def _report(error: OciChartError, as_json: bool) -> None:
    if as_json:
        details = {
            "kind": str(error.kind),
            "reason": error.reason,
            "operation": error.operation,
            "message": error.message,
            "hint": error.hint,
            "context": error.context,
            "retryable": error.retryable,
        }
        print(json.dumps({"error": details}, indent=2))
        return
    print(f"oci-chart: {error}", file=sys.stderr)


def _print(result: Any) -> None:
    if isinstance(result, dict):
        for key, value in result.items():
            print(f"{key}: {value if isinstance(value, str) else json.dumps(value)}")
    else:
        for entry in result:
            print(entry)


if __name__ == "__main__":
    sys.exit(main())
