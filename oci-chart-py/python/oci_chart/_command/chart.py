"""Verbs of charts and packages."""

from __future__ import annotations

import os

from .. import Chart, Keyring, Package
from ..errors import InvalidInputError
from .remote import REMOTE, VERSION, client
from .secret import needed
from .verb import Argument, Completes, Option, Outcome, UsageError, Verb

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .verb import Options

PASSPHRASE = "OCI_CHART_PASSPHRASE"

DESTINATION = Option(
    "-d",
    "--destination",
    takes="DIRECTORY",
    default=".",
    completes=Completes.DIRECTORY,
    help="where the package goes",
)


def _package(options: Options) -> Outcome:
    package = Chart.load(options.chart).package(version=options.version, app_version=options.app_version)
    if options.sign:
        package = _signed(package, options)
    path = package.write_to(options.destination)
    return Outcome({"path": str(path), "digest": package.digest, "size": package.size})


def _signed(package: Package, options: Options) -> Package:
    if options.keyring is None:
        raise UsageError("--sign needs --keyring: a file with the secret key, as gpg --export-secret-keys writes it")

    def passphrase(key: str) -> str:
        return needed(f"passphrase of {key}", file=options.passphrase_file, variable=PASSPHRASE)

    ring = Keyring.load(options.keyring)
    try:
        # Nobody is asked for the passphrase of a key that has none.
        return package.sign_provenance(ring, key=options.key)
    except InvalidInputError as error:
        if error.reason != "wrong-passphrase":
            raise
    return package.sign_provenance(ring, key=options.key, passphrase=passphrase)


def _show(options: Options) -> Outcome:
    if is_remote(options.chart):
        at = client(options, options.chart)
        if options.part == "chart":
            return _metadata(at.metadata_json(options.chart, version=options.version))
        chart = at.show(options.chart, version=options.version)
    else:
        chart = Chart.load(options.chart)
    if options.part == "chart":
        return _metadata(chart.metadata_json())
    text = {"values": chart.values, "readme": chart.readme, "crds": chart.crds}[options.part]()
    return Outcome({options.part: text}, (text or "").removesuffix("\n"))


def _metadata(text: str) -> Outcome:
    import json

    return Outcome(json.loads(text))


def is_remote(text: str) -> bool:
    """Whether this is a store's location and no path."""
    return text.startswith(("oci://", "oci-layout:"))


def package_at(path: str) -> Package:
    """The package at this path, or made of the chart there."""
    return Chart.load(path).package() if os.path.isdir(path) else Package.load(path)


VERBS = (
    Verb(
        name="package",
        help="Package a chart directory.",
        run=_package,
        arguments=(Argument(name="CHART", completes=Completes.DIRECTORY, help="the directory of the chart"),),
        options=(
            DESTINATION,
            Option("--version", takes="VERSION", help="the version in the package"),
            Option(
                "--app-version", takes="VERSION", help="the version of the application in the package"
            ),
            Option("--sign", help="write a provenance file beside the package, signed with an OpenPGP key"),
            Option("--key", takes="NAME", help="which key: a fingerprint, a user id, or a part of one"),
            Option(
                "--keyring",
                takes="FILE",
                completes=Completes.FILE,
                help="the secret keys, as gpg --export-secret-keys writes them",
            ),
            Option(
                "--passphrase-file",
                takes="FILE",
                completes=Completes.FILE,
                help=f"read the passphrase from this file, or - for standard input; else it is taken from {PASSPHRASE}, or asked for",
            ),
        ),
    ),
    Verb(
        name="show",
        help="Show a chart's metadata, values, README or custom resource definitions.",
        run=_show,
        arguments=(
            Argument(name="CHART", completes=Completes.FILE, help="a directory, a package or a reference"),
        ),
        options=(
            Option(
                "--part",
                takes="PART",
                choices=("chart", "values", "readme", "crds"),
                default="chart",
                help="what to show",
            ),
            VERSION,
            *REMOTE,
        ),
    ),
)
