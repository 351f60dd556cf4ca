"""Package a chart directory, and show what is in the package: `package.py [CHART] [DESTINATION]`. Needs no network."""

import sys

from oci_chart import Chart


def main(chart: str = "examples/charts/platform", destination: str = "target/packages") -> None:
    loaded = Chart.load(chart)
    print(f"{loaded.name} {loaded.version}, needs {', '.join(loaded.dependencies) or 'nothing'}")
    for path in loaded.files:
        print(f"  {path}")
    package = loaded.package(destination)
    print(f"{package.path}  {package.size} bytes  {package.digest}")
    # The same tree gives the same bytes, at any time and on every machine.
    assert loaded.package() == package


if __name__ == "__main__":
    main(*sys.argv[1:])
