"""Verbs of charts and packages."""

import json
from pathlib import Path
from typing import Any

from .. import Chart, Package
from .remote import REMOTE, VERSION, client, host_of
from .verb import Argument, Completes, Option, Options, Outcome, Verb

DESTINATION = Option(
    flags=("-d", "--destination"),
    takes="DIRECTORY",
    default=".",
    completes=Completes.DIRECTORY,
    help="where the package goes",
)


def _package(options: Options) -> Outcome:
    Path(options.destination).mkdir(parents=True, exist_ok=True)
    package = Chart.load(options.chart).package(
        options.destination, version=options.version, app_version=options.app_version
    )
    return Outcome({"path": str(package.path), "digest": package.digest, "size": package.size})


def _show(options: Options) -> Outcome:
    if is_remote(options.chart):
        at = client(options, options.chart)
        if options.part == "chart":
            return _metadata(at.metadata_json(options.chart, version=options.version))
        chart = at.pull(options.chart, version=options.version, verify=False).package.chart()
    else:
        chart = Chart.load(options.chart)
    if options.part == "chart":
        return _metadata(chart.metadata_json())
    text = chart.values() if options.part == "values" else chart.readme()
    return Outcome({options.part: text}, (text or "").removesuffix("\n"))


def _metadata(text: str) -> Outcome:
    data: dict[str, Any] = json.loads(text)
    return Outcome(data)


def is_remote(text: str) -> bool:
    """Whether this is a store's location and no path."""
    return host_of(text) is not None or text.startswith("oci-layout:")


def package_at(path: str) -> Package:
    """The package at this path, or made of the chart there."""
    return Chart.load(path).package() if Path(path).is_dir() else Package.load(path)


VERBS = (
    Verb(
        name="package",
        help="Package a chart directory.",
        run=_package,
        arguments=(Argument(name="CHART", completes=Completes.DIRECTORY, help="the directory of the chart"),),
        options=(
            DESTINATION,
            Option(flags=("--version",), takes="VERSION", help="the version in the package"),
            Option(
                flags=("--app-version",), takes="VERSION", help="the version of the application in the package"
            ),
        ),
    ),
    Verb(
        name="show",
        help="Show a chart's metadata, values or README.",
        run=_show,
        arguments=(
            Argument(name="CHART", completes=Completes.FILE, help="a directory, a package or a reference"),
        ),
        options=(
            Option(
                flags=("--part",),
                takes="PART",
                choices=("chart", "values", "readme"),
                default="chart",
                help="what to show",
            ),
            VERSION,
            *REMOTE,
        ),
    ),
)
