"""The examples, as they stand."""

import os
import subprocess
import sys

import pytest
from command import CLEAN
from conftest import ROOT

from oci_chart import Chart, Client, SigningKey
from oci_chart.trust import Policy

EXAMPLES = ROOT / "examples/python"
CHART = ROOT / "examples/charts/greeter"


def run(name: str, *arguments: str, cwd=ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(EXAMPLES / name), *arguments]
    return subprocess.run(command, env=CLEAN | environment, capture_output=True, text=True, cwd=cwd)


def test_every_example_is_run_here() -> None:
    ours = {"in_asyncio.py", "package.py", "push_pull.py", "release.py", "verify.py"}
    assert {path.name for path in EXAMPLES.glob("*.py")} == ours


def test_many_are_resolved_in_asyncio(tmp_path) -> None:
    place = f"oci-layout:{tmp_path / 'mirror'}"
    digest = Client().push(Chart.load(CHART).package(), place).digest
    done = run("in_asyncio.py", place, f"{place}:1.2.0")
    assert (done.returncode, done.stdout) == (0, f"{digest}\n" * 2), done.stderr


def test_a_release_is_made_once_and_signed(serve, tmp_path) -> None:
    registry = serve("--basic", "robot:pass word")
    key = SigningKey.generate()
    (tmp_path / "key").write_text(key.to_pem("hunter2"))
    to = f"oci://{registry.host}/charts"
    login = {"REGISTRY_USERNAME": "robot", "REGISTRY_PASSWORD": "pass word", "COSIGN_PASSWORD": "hunter2"}
    login["PLAIN_HTTP"] = registry.host

    first = run("release.py", str(CHART), to, str(tmp_path / "key"), **login)
    assert first.returncode == 0, first.stderr
    digest = first.stdout.strip()
    client = Client(plain_http=[registry.host], auth={registry.host: ("robot", "pass word")})
    policy = Policy.keys(key.public_key, tlog="ignore-explicitly")
    assert client.verify(f"{to}/greeter", policy, version="1.2.0").digest == digest

    (tmp_path / "changed").mkdir()
    (tmp_path / "changed/Chart.yaml").write_text("apiVersion: v2\nname: greeter\nversion: 1.2.0\n")
    again = run("release.py", str(tmp_path / "changed"), to, str(tmp_path / "key"), **login)
    assert again.returncode == 1 and "released already" in again.stderr
    refused = run("release.py", str(CHART), to, str(tmp_path / "key"), **login | {"REGISTRY_PASSWORD": "wrong"})
    assert refused.returncode == 1 and "UnauthenticatedError" in refused.stderr


def test_the_release_script_is_short() -> None:
    assert len((EXAMPLES / "release.py").read_text().splitlines()) < 30


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("package.py", ["templates/", "sha256:"]),
        ("push_pull.py", ["greeter-1.2.0.tgz", "versions: 1.2.0"]),
        ("verify.py", ["signed: sha256:", "pulled: greeter-1.2.0.tgz", "verified", "refused: "]),
    ],
)
def test_an_example_runs(name, words, tmp_path) -> None:
    os.symlink(ROOT / "examples", tmp_path / "examples")
    for _ in range(2):
        done = run(name, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert all(word in done.stdout for word in words), done.stdout


def test_push_and_pull_at_a_registry(serve, tmp_path) -> None:
    registry = serve()
    to = f"oci://{registry.host}/charts"
    done = run("push_pull.py", str(CHART), to, cwd=tmp_path, PLAIN_HTTP=registry.host, HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"pushed: {to}/greeter@sha256:")
