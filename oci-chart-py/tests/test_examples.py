"""The examples, as they stand."""

import os
import subprocess
import sys

from conftest import ROOT

RELEASE = ROOT / "examples/python/release.py"
CHART = ROOT / "examples/charts/greeter"


def test_a_release_is_made_once(serve) -> None:
    registry = serve()
    command = [sys.executable, str(RELEASE), str(CHART), f"oci://{registry.host}/charts"]
    environment = os.environ | {"PLAIN_HTTP": registry.host}
    first = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert first.returncode == 0, first.stderr
    assert first.stdout.startswith(f"oci://{registry.host}/charts/greeter@sha256:")
    again = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert again.returncode == 1 and "released already" in again.stderr
