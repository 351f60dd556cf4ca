"""The foreign programs that judge us (oci-chart-core/testkit/judges/install.sh), and a registry that nobody here wrote."""

import contextlib
import os
import pathlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from conftest import ROOT

BIN = pathlib.Path(os.environ.get("OCI_CHART_JUDGES_BIN", ROOT / "oci-chart-core/testkit/judges/bin"))


def judge(name: str) -> str:
    """The program; the test is skipped aloud without it, and fails in CI."""
    path = BIN / name
    if path.exists():
        return str(path)
    missing(f"the judge {name} (oci-chart-core/testkit/judges/install.sh)")
    raise AssertionError


def missing(what: str) -> None:
    if "CI" in os.environ:
        pytest.fail(f"not installed: {what}")
    print(f"SKIPPED: not installed: {what}", file=sys.stderr)
    pytest.skip(f"not installed: {what}")


def say(home: pathlib.Path, *command: str, **environment: str) -> str:
    """Runs a judge with a home of its own; what it said on standard output, or its failure."""
    clean = {"HOME": str(home), "PATH": os.environ["PATH"]}
    done = subprocess.run(command, capture_output=True, text=True, cwd=home, env=clean | environment, timeout=120)
    if done.returncode != 0:
        raise Refused(f"{command}: {done.stdout}{done.stderr}")
    return done.stdout


class Refused(AssertionError):
    """A judge said no."""


@contextlib.contextmanager
def docker_registry(place: pathlib.Path) -> Iterator[str]:
    """Distribution 2.8, as Debian has it; its host and port."""
    program = judge("docker-registry")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{free.getsockname()[1]}"
    config = place / "registry.yml"
    config.write_text(
        f"version: 0.1\nlog:\n  level: warn\nstorage:\n  filesystem:\n    rootdirectory: {place}/registry\n"
        f"  delete:\n    enabled: true\nhttp:\n  addr: {host}\n"
    )
    with (place / "registry.log").open("w") as log:
        process = subprocess.Popen([program, "serve", str(config)], stdout=log, stderr=log)
    try:
        for _ in range(600):
            with contextlib.suppress(OSError), socket.create_connection(tuple_of(host)):
                break
            time.sleep(0.05)
        yield host
    finally:
        process.terminate()
        process.wait()


def tuple_of(host: str) -> tuple[str, int]:
    name, port = host.split(":")
    return name, int(port)
