"""The wheel alone, in an environment with nothing else: `fresh.py HOST`, where a test registry is.

Run by every interpreter that can be had; needs no pytest. Prints one line.
"""

import contextlib
import importlib.metadata
import io
import os
import pathlib
import sys
import sysconfig
import tempfile


def main(host: str) -> None:
    before = set(sys.modules)
    assert threads() == 1
    import oci_chart

    assert threads() == 1, "importing started a thread"
    new = set(sys.modules) - before
    assert not strangers(new), f"importing brought {strangers(new)}"
    installed = {found.metadata["Name"] for found in importlib.metadata.distributions()}
    assert installed - {"pip", "setuptools"} == {"oci-chart"}, installed
    assert importlib.metadata.requires("oci-chart") is None
    assert importlib.metadata.version("oci-chart") == oci_chart.__version__

    if sys.version_info >= (3, 12):
        assert "subinterpreter" in imported_in_another_interpreter()
    # The module must not switch the lock on where there is none.
    has_lock = getattr(sys, "_is_gil_enabled", lambda: True)()
    assert has_lock == (not sysconfig.get_config_var("Py_GIL_DISABLED"))

    with tempfile.TemporaryDirectory() as scratch:
        digest = release(oci_chart, pathlib.Path(scratch), host)
        assert command("versions", f"oci://{host}/charts/web", "--plain-http") == (0, "1.0.0\n")
        assert command("exists", f"oci://{host}/charts/web:2.0.0", "--plain-http")[0] == 6
    lock = "" if has_lock else ", without its lock"
    print(f"CPython {sys.version.split()[0]}{lock}: {digest}")


def release(oci_chart, scratch: pathlib.Path, host: str) -> str:
    chart = scratch / "web"
    chart.mkdir()
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: web\nversion: 1.0.0\n")
    package = oci_chart.Chart.load(chart).package(scratch)
    client = oci_chart.Client(plain_http=[host])
    pushed = client.push(package, f"oci://{host}/charts", mode="ensure")
    pulled = client.pull(f"oci://{host}/charts/web:1.0.0", verify=False)
    assert pulled.package == package and pulled.digest == pushed.digest
    try:
        client.pull(f"oci://{host}/charts/web:9.9.9", verify=False)
    except oci_chart.errors.NotFoundError as error:
        assert isinstance(error, LookupError) and error.reason == "tag-missing"
    else:
        raise AssertionError("a version that is not there")
    return str(pushed.digest)


def command(*arguments: str) -> tuple[int, str]:
    """As the script that the installation brought calls it."""
    (script,) = importlib.metadata.entry_points(group="console_scripts", name="oci-chart")
    with contextlib.redirect_stdout(io.StringIO()) as out:
        out.fileno = sys.__stdout__.fileno
        code = script.load()(arguments)
    return code, out.getvalue()


def imported_in_another_interpreter() -> str:
    """What importing fails with there."""
    import importlib

    name = "_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters"
    interpreters = importlib.import_module(name)
    other = interpreters.create()
    try:
        failed = interpreters.run_string(other, "import oci_chart")
    except getattr(interpreters, "RunFailedError", ()) as error:
        return str(error)
    finally:
        interpreters.destroy(other)
    return str(getattr(failed, "formatted", "it was imported"))


def threads() -> int:
    return len(os.listdir("/proc/self/task"))


def strangers(names: set[str]) -> list[str]:
    known = {"oci_chart", *sys.stdlib_module_names}
    return sorted(name for name in names if name.split(".")[0] not in known)


if __name__ == "__main__":
    main(sys.argv[1])
