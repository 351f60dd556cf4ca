"""Bars of tqdm and rich."""

import io

import pytest

from oci_chart import Chart, Client
from oci_chart.progress import rich_callback, tqdm_callback


@pytest.fixture
def push(serve, chart_dir):
    registry = serve()
    package = Chart.load(chart_dir).package()

    def push(progress) -> int:
        client = Client(plain_http=[registry.host])
        client.push(package, f"oci://{registry.host}/charts", mode="replace", progress=progress)
        return package.size

    return push


def test_tqdm(push) -> None:
    pytest.importorskip("tqdm")
    out = io.StringIO()
    with tqdm_callback("push", file=out, mininterval=0) as progress:
        size = push(progress)
    assert "push: 100%" in out.getvalue() and size > 0


def test_rich(push) -> None:
    console = pytest.importorskip("rich.console").Console(file=io.StringIO(), force_terminal=True)
    with rich_callback("push", console=console) as progress:
        push(progress)
    assert "push" in console.file.getvalue() and "100%" in console.file.getvalue()


def test_what_is_there_already_is_done_too(push) -> None:
    seen = []
    from oci_chart.progress import _Totals

    totals = _Totals()
    for _ in range(2):
        push(lambda event: seen.append(totals.take(event)))
    last = [found for found in seen if found is not None][-1]
    assert last[0] == last[1] > 0
