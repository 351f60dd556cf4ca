"""Forks, other processes, and the end of the interpreter."""

import concurrent.futures
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading

import pytest

from oci_chart import Chart, Client, errors
from oci_chart.errors import ErrorKind, OciChartError

CLASSES = [getattr(errors, name) for name in errors.__all__ if name.endswith("Error")]


def every_error() -> list[OciChartError]:
    details = {"reason": "tag-missing", "context": {"a": "b"}, "hint": "do", "retryable": True, "causes": ("c",)}
    return [kind("message", **details) for kind in CLASSES]


def raising(number: int) -> None:
    raise every_error()[number]


def fail(place: str, host: str) -> None:
    Client(plain_http=[host]).resolve(place)


@pytest.mark.parametrize("method", ["spawn", "forkserver", "fork"])
def test_exceptions_cross_processes(serve, method) -> None:
    registry = serve()
    context = multiprocessing.get_context(method)
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
        for number, error in enumerate(every_error()):
            with pytest.raises(type(error)) as caught:
                pool.submit(raising, number).result()
            assert type(caught.value) is type(error)
            assert (str(caught.value), caught.value.context) == (str(error), error.context)
            assert (caught.value.reason, caught.value.causes) == ("tag-missing", ("c",))
        with pytest.raises(errors.NotFoundError) as caught:
            pool.submit(fail, f"oci://{registry.host}/charts/web:1.0.0", registry.host).result()
        assert caught.value.kind is ErrorKind.NOT_FOUND and caught.value.operation == "resolve"


@pytest.fixture
def released(serve, chart_dir):
    registry = serve()
    client = Client(plain_http=[registry.host])
    client.push(Chart.load(chart_dir).package(), f"oci://{registry.host}/charts")
    return client, f"oci://{registry.host}/charts/web", registry.host


def in_child(work, seconds: float = 60) -> int:
    """Its exit code; that of a killed one if it does not come to its end."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except BaseException as error:
            print(repr(error), file=sys.stderr)
            os._exit(1)
    watch = threading.Timer(seconds, os.kill, (child, signal.SIGKILL))
    watch.start()
    try:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    finally:
        watch.cancel()


def test_a_fork_can_use_the_client(released) -> None:
    client, place, host = released

    def old() -> None:
        assert list(client.tags(place)) == ["1.0.0"]
        assert client.pull(place, verify=False, timeout=20).package.name == "web"

    def new() -> None:
        assert list(Client(plain_http=[host]).tags(place)) == ["1.0.0"]

    def closed() -> None:
        client.close()

    for work in [old, new, closed, old]:
        assert in_child(work) == 0
        old()


@pytest.mark.parametrize("login", [False, True])
def test_forks_while_threads_are_busy(serve, chart_dir, login) -> None:
    """Whatever lock a thread of the parent held in that moment, the child does not wait for it."""
    registry = serve("--bearer", "alice:secret") if login else serve()
    auth = {registry.host: ("alice", "secret")} if login else {}
    client = Client(plain_http=[registry.host], auth=auth)
    client.push(Chart.load(chart_dir).package(), f"oci://{registry.host}/charts")
    place = f"oci://{registry.host}/charts/web:1.0.0"
    done = threading.Event()
    failed = []

    def busy() -> None:
        while not done.is_set():
            try:
                client.resolve(place)
            except Exception as error:
                failed.append(error)

    threads = [threading.Thread(target=busy) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(150):
            assert in_child(lambda: client.resolve(place), 30) == 0
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert not failed


def test_a_reader_of_the_parents_goes_on_in_the_child(released) -> None:
    client, place, _ = released
    tags = client.tags(place)
    assert in_child(lambda: list(tags)) == 0
    assert list(tags) == ["1.0.0"]


def pulled(arguments: tuple[str, str]) -> str:
    place, host = arguments
    return Client(plain_http=[host]).pull(place, verify=False).digest


@pytest.mark.parametrize("method", ["spawn", "forkserver", "fork"])
def test_a_pool_of_processes(released, method) -> None:
    client, place, host = released
    with multiprocessing.get_context(method).Pool(4) as pool:
        found = set(pool.map(pulled, [(place, host)] * 8))
    assert found == {client.resolve(place).digest}


def resident() -> int:
    """Bytes."""
    with open("/proc/self/statm") as found:
        return int(found.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_calls_leave_no_memory_behind(released) -> None:
    client, place, host = released

    def work(rounds: int) -> None:
        for _ in range(rounds):
            client.pull(place, verify=False, progress=lambda event: None)
            list(client.tags(place))
            with pytest.raises(errors.NotFoundError):
                client.resolve(f"{place}:9.9.9")
            # A client of its own has a thread and a pool of connections.
            Client(plain_http=[host]).exists(place)

    work(60)
    before = resident()
    work(240)
    assert resident() - before < 6 << 20


def test_the_interpreter_ends_while_daemon_threads_wait(serve) -> None:
    registry = serve("--latency-ms", "20000")
    program = f"""
        import threading, time, oci_chart
        client = oci_chart.Client(plain_http=["{registry.host}"])
        package = oci_chart.Chart.load("{serve.chart}").package()
        def wait():
            client.push(package, "oci://{registry.host}/charts", progress=print)
        for _ in range(8):
            threading.Thread(target=wait, daemon=True).start()
        time.sleep(0.3)
    """
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=20
        )
        assert (done.returncode, done.stderr) == (0, "")
