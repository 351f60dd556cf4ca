"""Calls that wait: interrupted, cancelled, watched, asked for a password."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from oci_chart import CancelToken, Chart, Client, errors


def push(client: Client, registry, chart_dir, **options):
    return client.push(Chart.load(chart_dir).package(), f"oci://{registry.host}/charts", **options)


def test_ctrl_c_ends_a_hanging_call(serve) -> None:
    registry = serve("--latency-ms", "20000")
    client = Client(plain_http=[registry.host])
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        list(client.tags(f"oci://{registry.host}/charts/web"))
    assert time.monotonic() - started < 5


def test_a_token_from_another_thread_ends_a_call(serve) -> None:
    registry = serve("--latency-ms", "20000")
    token = CancelToken()
    threading.Timer(0.2, token.cancel).start()
    with pytest.raises(errors.CancelledError):
        list(Client(plain_http=[registry.host]).tags(f"oci://{registry.host}/charts/web", cancel=token))
    assert token.cancelled


def test_other_threads_go_on_meanwhile(serve) -> None:
    registry = serve("--latency-ms", "400")
    ticks = 0
    done = threading.Event()

    def tick() -> None:
        nonlocal ticks
        while not done.is_set():
            ticks += 1
            time.sleep(0.002)

    thread = threading.Thread(target=tick)
    thread.start()
    with pytest.raises(errors.NotFoundError):
        list(Client(plain_http=[registry.host]).tags(f"oci://{registry.host}/charts/web"))
    done.set()
    thread.join()
    assert ticks > 20


def test_progress_is_told_on_the_calling_thread(serve, chart_dir) -> None:
    registry = serve()
    seen = []
    push(
        Client(plain_http=[registry.host]),
        registry,
        chart_dir,
        progress=lambda event: seen.append((event.kind, threading.get_ident())),
    )
    kinds = [kind for kind, _ in seen]
    assert kinds.count("started") == kinds.count("finished") == 3
    assert {thread for _, thread in seen} == {threading.get_ident()}


def test_what_a_callback_raises_comes_out(serve, chart_dir) -> None:
    registry = serve()

    def progress(_: object) -> None:
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        push(Client(plain_http=[registry.host]), registry, chart_dir, progress=progress)


def test_credentials_are_asked_for(serve, chart_dir) -> None:
    registry = serve("--bearer", "robot:secret")
    asked = []

    def credentials(host: str) -> tuple[str, str]:
        asked.append(host)
        return "robot", "secret"

    client = Client(plain_http=[registry.host], credentials=credentials)
    assert push(client, registry, chart_dir).action == "pushed"
    assert set(asked) == {registry.host}
    assert "secret" not in repr(client)


def test_a_fork_can_use_the_client(serve, chart_dir) -> None:
    registry = serve()
    client = Client(plain_http=[registry.host])
    push(client, registry, chart_dir)
    child = os.fork()
    if child == 0:
        tags = list(client.tags(f"oci://{registry.host}/charts/web"))
        os._exit(0 if tags == ["1.0.0"] else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert list(client.tags(f"oci://{registry.host}/charts/web")) == ["1.0.0"]


def test_importing_starts_no_thread_and_pulls_nothing_in() -> None:
    program = """
        import sys, os
        before = set(sys.modules)
        import oci_chart
        assert len(os.listdir("/proc/self/task")) == 1
        new = {name.split(".")[0] for name in set(sys.modules) - before} - {"oci_chart"}
        assert new <= set(sys.stdlib_module_names), new
    """
    subprocess.run([sys.executable, "-I", "-c", textwrap.dedent(program)], check=True)
