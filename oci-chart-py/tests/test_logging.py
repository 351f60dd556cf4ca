"""The logger `oci_chart`: late set up, the right thread, the caller's line, and nothing by default."""

import logging
import subprocess
import sys
import textwrap
import threading

import pytest

from oci_chart import Chart, Client, errors


@pytest.fixture
def registry(serve):
    return serve("--throttle", "1:0")


def test_requests_and_waits_are_logged_where_they_are_called(registry, caplog) -> None:
    client = Client(plain_http=[registry.host])
    place = f"oci://{registry.host}/charts/web"
    with caplog.at_level(logging.DEBUG, "oci_chart"), pytest.raises(errors.NotFoundError):
        client.resolve(f"{place}:1.0.0")
    assert {record.name for record in caplog.records} == {"oci_chart"}
    assert {record.threadName for record in caplog.records} == {threading.current_thread().name}
    levels = [record.levelname for record in caplog.records]
    assert levels.count("DEBUG") >= 2 and "INFO" in levels
    assert {record.filename for record in caplog.records} == {"test_logging.py"}
    assert any("/v2/charts/web/manifests/1.0.0" in record.getMessage() for record in caplog.records)


def test_levels_are_read_for_each_call(registry, caplog) -> None:
    client = Client(plain_http=[registry.host])
    place = f"oci://{registry.host}/charts/web:1.0.0"
    for level, wanted in [(logging.WARNING, set()), (logging.DEBUG, {"DEBUG"}), (logging.WARNING, set())]:
        caplog.clear()
        with caplog.at_level(level, "oci_chart"):
            client.exists(place)
        # The one wait of the registry came with the first call.
        assert {record.levelname for record in caplog.records} - {"INFO"} == wanted


def test_secrets_are_not_logged(serve, caplog) -> None:
    registry = serve("--bearer", "robot:hunter2")
    client = Client(plain_http=[registry.host], auth={registry.host: ("robot", "hunter2")})
    with caplog.at_level(logging.DEBUG, "oci_chart"):
        client.exists(f"oci://{registry.host}/charts/web:1.0.0")
    assert caplog.text and "hunter2" not in caplog.text


def test_what_a_handler_raises_stops_the_call(registry) -> None:
    class Full(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise OSError("full")

    logger = logging.getLogger("oci_chart")
    handler = Full(level=logging.DEBUG)
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        with pytest.raises(OSError, match="full"):
            Client(plain_http=[registry.host]).exists(f"oci://{registry.host}/charts/web:1.0.0")
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)


def test_nobody_is_told_who_does_not_ask(registry) -> None:
    program = f"""
        import sys, oci_chart
        client = oci_chart.Client(plain_http=["{registry.host}"])
        client.exists("oci://{registry.host}/charts/web:1.0.0")
        assert "logging" not in sys.modules
        import logging
        client.exists("oci://{registry.host}/charts/web:1.0.0")
        assert [type(handler).__name__ for handler in logging.getLogger("oci_chart").handlers] == ["NullHandler"]
        logging.basicConfig(level=logging.DEBUG, format="%(name)s %(funcName)s", stream=sys.stdout)
        def called():
            client.exists("oci://{registry.host}/charts/web:1.0.0")
        called()
    """
    done = subprocess.run([sys.executable, "-I", "-c", textwrap.dedent(program)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert set(done.stdout.splitlines()) == {"oci_chart called"}


def test_a_warning_reaches_those_who_ask(chart_dir, caplog) -> None:
    with caplog.at_level(logging.DEBUG, "oci_chart"):
        Chart.load(chart_dir).package()
    assert caplog.records == []
