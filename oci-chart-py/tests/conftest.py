"""What the tests share: the test registry as a program, and a chart."""

import json
import os
import pathlib
import signal
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SERVE = os.environ.get("OCI_CHART_SERVE", str(ROOT / "target/debug/serve"))


# A shell's job in the background starts with Ctrl-C ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)


class Registry:
    """The `serve` program: its first line is its URL, each line it is told is answered with one."""

    def __init__(self, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [SERVE, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.host = self._process.stdout.readline().strip().split("://")[1]

    def tell(self, command: str) -> str:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline()

    def log(self) -> list[dict[str, object]]:
        found: list[dict[str, object]] = json.loads(self.tell("log"))
        return found

    def close(self) -> None:
        self._process.communicate()


@pytest.fixture
def serve():
    started = []

    def start(*arguments: str) -> Registry:
        started.append(Registry(*arguments))
        return started[-1]

    start.chart = ROOT / "examples/charts/greeter"

    yield start
    for registry in started:
        registry.close()


@pytest.fixture
def chart_dir(tmp_path: pathlib.Path) -> pathlib.Path:
    chart = tmp_path / "web"
    chart.mkdir()
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: web\nversion: 1.0.0\n")
    (chart / "values.yaml").write_text("replicas: 1\n")
    return chart
