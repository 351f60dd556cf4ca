"""Calls that wait: interrupted, cancelled, watched, asked for a password, and from many threads."""

import asyncio
import concurrent.futures
import contextlib
import datetime
import functools
import gc
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
import weakref

import pytest
from clock import AT_ONCE, Clock

from oci_chart import CancelToken, Chart, Client, Descriptor, Event, Retry, errors

def push(client: Client, registry, chart_dir, **options):
    return client.push(Chart.load(chart_dir).package(), f"oci://{registry.host}/charts", **options)


def tags(client: Client, host: str, **options) -> list[str]:
    return list(client.tags(f"oci://{host}/charts/web", **options))


@contextlib.contextmanager
def interrupted(after: float = 0.4):
    """The block ends with KeyboardInterrupt soon after a Ctrl-C that comes after so many seconds."""
    sent = []

    def send() -> None:
        sent.append(Clock())
        os.kill(os.getpid(), signal.SIGINT)

    threading.Timer(after, send).start()
    with pytest.raises(KeyboardInterrupt):
        yield
    assert sent[0].seconds() < AT_ONCE


@contextlib.contextmanager
def silent_server(say: bytes = b""):
    """Takes a connection, says something, and is silent."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        open_ones = []

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    one, _ = server.accept()
                    open_ones.append(one)
                    one.recv(65536) if say else None
                    one.sendall(say)

        threading.Thread(target=serve, daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        for one in open_ones:
            one.close()


def test_ctrl_c_ends_a_call_that_gets_no_answer(serve) -> None:
    registry = serve("--latency-ms", "20000")
    with interrupted():
        tags(Client(plain_http=[registry.host]), registry.host)


def test_ctrl_c_ends_a_connection_that_does_not_come_about() -> None:
    with silent_server() as host, interrupted():
        tags(Client(), host)


def test_ctrl_c_ends_a_body_that_stops_on_its_way(tmp_path) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\ncontent-type: application/octet-stream\r\n\r\n0123456789"
    descriptor = Descriptor("application/octet-stream", "sha256:" + "ab" * 32, 1000)
    with silent_server(head) as host:
        store = Client(plain_http=[host]).open(f"oci://{host}/charts/web")
        with store.fetch(descriptor) as content:
            assert content.read(10) == b"0123456789"
            with interrupted():
                content.read()
        with interrupted():
            store.fetch_to(descriptor, tmp_path / "never")
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_ends_a_wait_between_tries(serve) -> None:
    registry = serve("--throttle", "5:30")
    seen = []
    with interrupted():
        Client(plain_http=[registry.host]).push(
            Chart.load(serve.chart).package(), f"oci://{registry.host}/charts", progress=seen.append
        )
    (waiting,) = [event for event in seen if event.kind == "waiting"]
    assert "429" in waiting.text


def test_ctrl_c_ends_a_computation(tmp_path) -> None:
    chart = tmp_path / "web"
    chart.mkdir()
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: web\nversion: 1.0.0\n")
    for number in range(18):
        (chart / f"{number}.bin").write_bytes(os.urandom(5 << 20))
    loaded, into = Chart.load(chart), tmp_path / "into"
    into.mkdir()
    with interrupted(0.1):
        while True:
            loaded.package(into)
    assert all(path.name == "web-1.0.0.tgz" for path in into.iterdir())


def test_what_a_signal_handler_raises_comes_out(serve) -> None:
    registry = serve("--latency-ms", "20000")

    class Terminated(Exception):
        pass

    def handle(*_: object) -> None:
        raise Terminated

    before = signal.signal(signal.SIGTERM, handle)
    try:
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGTERM)).start()
        with pytest.raises(Terminated):
            tags(Client(plain_http=[registry.host]), registry.host)
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_token_from_another_thread_ends_a_call(serve) -> None:
    registry = serve("--latency-ms", "20000")
    token = CancelToken()
    stopped = []

    def stop() -> None:
        stopped.append(Clock())
        token.cancel()

    threading.Timer(0.2, stop).start()
    with pytest.raises(errors.CancelledError):
        tags(Client(plain_http=[registry.host]), registry.host, cancel=token)
    assert token.cancelled and stopped[0].seconds() < AT_ONCE
    with pytest.raises(errors.CancelledError):
        Chart.load(serve.chart, cancel=token)


@pytest.mark.parametrize("limit", [0.2, datetime.timedelta(milliseconds=200)], ids=["seconds", "timedelta"])
def test_a_call_ends_when_its_time_is_up(serve, limit) -> None:
    registry = serve("--latency-ms", "20000")
    for client, options in [
        (Client(plain_http=[registry.host]), {"timeout": limit}),
        (Client(plain_http=[registry.host], timeout=limit), {}),
    ]:
        clock, began = Clock(), time.monotonic()
        with pytest.raises(TimeoutError) as caught:
            tags(client, registry.host, **options)
        assert time.monotonic() - began >= 0.2 and clock.seconds() < 0.2 + AT_ONCE
        assert isinstance(caught.value, errors.RequestTimeoutError)
        assert caught.value.reason == "deadline-exceeded"


def test_times_are_lengths(serve) -> None:
    for wrong, raised in [(-1, ValueError), ("long", TypeError)]:
        with pytest.raises(raised):
            Client(timeout=wrong)
    Client(timeout=float("inf"), retry=Retry(attempts=1, most_time=datetime.timedelta(minutes=1)))
    registry = serve("--throttle", "1:0")
    with pytest.raises(errors.RateLimitedError):
        tags(Client(plain_http=[registry.host], retry=Retry(attempts=1)), registry.host)


def test_a_closed_client_does_nothing(serve, chart_dir) -> None:
    registry = serve()
    with Client(plain_http=[registry.host]) as client:
        push(client, registry, chart_dir)
        store = client.open(f"oci://{registry.host}/charts/web")
    assert client.closed and repr(client) == "<Client closed>"
    client.close()
    for use in [
        functools.partial(tags, client, registry.host),
        functools.partial(store.resolve, "1.0.0"),
        functools.partial(push, client, registry, chart_dir),
    ]:
        with pytest.raises(ValueError, match="closed"):
            use()


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
        tags(Client(plain_http=[registry.host]), registry.host)
    done.set()
    thread.join()
    assert ticks > 20


def test_a_pool_of_threads_shares_a_client(serve, chart_dir) -> None:
    registry = serve("--basic", "robot:secret")
    chart = Chart.load(chart_dir)
    asked = threading.local()

    def credentials(_: str) -> tuple[str, str]:
        asked.here = threading.get_ident()
        return "robot", "secret"

    client = Client(plain_http=[registry.host], credentials=credentials)

    def release(number: int) -> str:
        package = chart.package(version=f"1.0.{number}")
        pushed = client.push(package, f"oci://{registry.host}/charts")
        assert asked.here == threading.get_ident()
        assert client.pull(pushed.reference, verify=False).package == package
        return pushed.tag

    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        pushed = set(pool.map(release, range(64)))
    assert pushed == set(tags(client, registry.host)) and len(pushed) == 64


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
    # It may all have been there before the callback's turn came.
    with pytest.raises(SystemExit):
        push(Client(plain_http=[registry.host]), registry, chart_dir, mode="ensure", progress=lambda _: sys.exit(3))


def test_a_callback_may_use_the_client(serve, chart_dir) -> None:
    registry = serve()
    client = Client(plain_http=[registry.host])
    found = []

    def progress(event: Event) -> None:
        if event.kind == "started":
            found.append(client.exists(f"oci://{registry.host}/charts/web:1.0.0"))

    push(client, registry, chart_dir, progress=progress)
    # Work goes on while the callback runs: what it sees is of its own time.
    assert len(found) == 3


def test_a_slow_callback_holds_nothing_up_and_is_told_the_latest(serve) -> None:
    registry = serve()
    client = Client(plain_http=[registry.host])
    store = client.open(f"oci://{registry.host}/charts/web")
    content = store.push(os.urandom(20 << 20), "application/octet-stream")
    manifest = {
        "schemaVersion": 2,
        "config": descriptor_of(store.push(b'{"name":"web","version":"1.0.0","apiVersion":"v2"}', "application/vnd.cncf.helm.config.v1+json")),
        "layers": [descriptor_of(content) | {"mediaType": "application/vnd.cncf.helm.chart.content.v1.tar+gzip"}],
    }
    import json

    store.push(json.dumps(manifest).encode(), "application/vnd.oci.image.manifest.v1+json", tags=["1.0.0"])
    seen = []

    def slow(event: Event) -> None:
        seen.append(event)
        time.sleep(0.02)

    client.pull(f"oci://{registry.host}/charts/web:1.0.0", verify=False, progress=slow)
    # Eighty blocks went by; a queue would have held them all.
    progress = [event.bytes for event in seen if event.kind == "progress"]
    assert progress == sorted(progress) and len(progress) < 60


def descriptor_of(found: Descriptor) -> dict[str, object]:
    return {"mediaType": found.media_type, "digest": found.digest, "size": found.size}


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
    with pytest.raises(KeyError):
        tags(Client(plain_http=[registry.host], credentials=lambda host: {}[host]), registry.host)
    with pytest.raises(TypeError):
        tags(Client(plain_http=[registry.host], credentials=lambda host: 7), registry.host)


def test_a_client_goes_with_what_it_asks(serve) -> None:
    registry = serve("--basic", "robot:secret")

    class Release:
        def __init__(self) -> None:
            self.client = Client(plain_http=[registry.host], credentials=self.ask)

        def ask(self, host: str) -> tuple[str, str]:
            return "robot", "secret"

    release = Release()
    assert release.client.exists(f"oci://{registry.host}/charts/web:1.0.0") is False
    gone = weakref.ref(release)
    del release
    gc.collect()
    assert gone() is None


def test_asyncio_stops_what_it_does_not_wait_for_any_more(serve) -> None:
    from conftest import ROOT

    sys.path.insert(0, str(ROOT / "examples/python"))
    try:
        from in_asyncio import call
    finally:
        sys.path.pop(0)
    registry = serve("--latency-ms", "300")
    client = Client(plain_http=[registry.host])
    place = f"oci://{registry.host}/charts/web:1.0.0"

    async def many() -> list[bool]:
        return await asyncio.gather(*(call(client.exists, place) for _ in range(20)))

    clock = Clock()
    assert asyncio.run(many()) == [False] * 20
    # Side by side, as many as asyncio has threads.
    assert clock.seconds() < 10 * 0.3

    async def hurried() -> None:
        async with asyncio.timeout(0.1):
            await call(client.exists, place)

    clock = Clock()
    with pytest.raises(TimeoutError):
        asyncio.run(hurried())
    assert clock.seconds() < 0.1 + AT_ONCE


def test_importing_starts_no_thread_and_pulls_nothing_in() -> None:
    program = """
        import sys, os
        before = set(sys.modules)
        import oci_chart
        assert len(os.listdir("/proc/self/task")) == 1
        new = {name.split(".")[0] for name in set(sys.modules) - before} - {"oci_chart"}
        assert new <= set(sys.stdlib_module_names), new
        assert not new & {"dataclasses", "enum", "functools", "inspect", "json", "logging", "re", "typing", "ssl", "socket"}, new
        from oci_chart import Policy, Retry
        assert oci_chart.Policy is Policy
    """
    subprocess.run([sys.executable, "-I", "-c", textwrap.dedent(program)], check=True)


def test_without_authorities_plain_http_works_and_tls_is_told(serve) -> None:
    plain, secure = serve(), serve("--tls")
    program = f"""
        import oci_chart
        client = oci_chart.Client(plain_http=["{plain.host}"], retry=oci_chart.Retry(attempts=1))
        assert client.exists("oci://{plain.host}/charts/web:1.0.0") is False
        try:
            client.exists("oci://{secure.host}/charts/web:1.0.0")
        except oci_chart.errors.TlsError as error:
            print(error.reason)
    """
    nowhere = {"SSL_CERT_FILE": "/nonexistent", "SSL_CERT_DIR": "/nonexistent"}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], env=os.environ | nowhere, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "unknown-authority\n"), done.stderr
