"""Exceptions: a class for each kind of the core, whole after any journey."""

import errno
import os
import pickle
import subprocess
import sys

import pytest
from conftest import ROOT

from oci_chart import (
    Attachment,
    Chart,
    Client,
    ErrorKind,
    Keyring,
    OciChartError,
    Package,
    PublicKey,
    Reference,
    Retry,
    SigningKey,
    enums,
    errors,
)
from oci_chart._native import error_kinds, words


def test_every_kind_of_the_core_has_its_class() -> None:
    assert [str(kind) for kind in ErrorKind] == [name for name, _ in error_kinds()]
    classes = [getattr(errors, name) for name in errors.__all__ if name.endswith("Error")]
    kinds = [cls.kind for cls in classes if OciChartError in cls.__bases__]
    assert sorted(kinds) == sorted(ErrorKind)
    assert all(issubclass(cls, OciChartError) for cls in classes)


def test_scripts_catch_what_they_are_used_to() -> None:
    known = {
        "InvalidInputError": {ValueError},
        "LocalIOError": {OSError},
        "LocalNotFoundError": {OSError, FileNotFoundError, LookupError},
        "LocalPermissionError": {OSError, PermissionError},
        "UnsupportedError": {NotImplementedError, RuntimeError},
        "InvalidReferenceError": {ValueError},
        "InvalidVersionError": {ValueError},
        "InvalidChartError": {ValueError},
        "InvalidArchiveError": {ValueError},
        "InvalidManifestError": {ValueError},
        "NotFoundError": {LookupError},
        "NetworkError": {OSError, ConnectionError},
        "RequestTimeoutError": {OSError, TimeoutError},
        "TlsError": {OSError, ConnectionError},
    }
    for name in errors.__all__:
        if name.endswith("Error"):
            above = {cls for cls in getattr(errors, name).__mro__ if cls.__module__ == "builtins"}
            assert above - {Exception, BaseException, object} == known.get(name, set()), name


@pytest.mark.parametrize("text", ["oci://Registry.example/A", "a@b", ""])
def test_a_bad_reference_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError) as caught:
        Reference(text)
    error = caught.value
    assert isinstance(error, errors.InvalidReferenceError)
    assert error.kind is ErrorKind.INVALID_REFERENCE and str(error)


def test_an_error_says_what_where_and_what_to_do(tmp_path) -> None:
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: web\n")
    with pytest.raises(errors.InvalidChartError) as caught:
        Chart.load(tmp_path)
    error = caught.value
    assert error.operation == "load"
    assert "version" in error.message and error.context and not error.retryable
    assert str(error).startswith("load: ") and error.hint is not None and str(error).endswith(f"({error.hint})")
    assert error.message in str(error)


def test_files_are_told_as_the_system_does(tmp_path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "Chart.yaml").write_text("apiVersion: v2\nname: web\nversion: 1.0.0\n")
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(OSError) as caught:
        Chart.load(tmp_path / "web").package(blocked / "below")
    assert isinstance(caught.value, errors.LocalIOError)
    assert caught.value.errno == errno.ENOTDIR and caught.value.strerror in str(caught.value)
    assert str(caught.value.filename).startswith(str(blocked))


@pytest.mark.parametrize(
    "look",
    [
        Chart.load,
        Package.load,
        PublicKey.load,
        SigningKey.load,
        Keyring.load,
        lambda path: Client(ca_file=path),
        lambda path: Client(registries_yaml=path),
        lambda path: Client(client_certificates={"registry.example": (path, path)}),
        lambda path: Attachment("application/x", path),
        lambda path: SigningKey.generate().to_pem(path),
    ],
)
def test_a_file_that_is_not_there_is_told_as_python_does(look, tmp_path) -> None:
    absent = tmp_path / "it's `not` there"
    with pytest.raises(FileNotFoundError) as caught:
        look(absent)
    error = caught.value
    assert isinstance(error, errors.NotFoundError) and error.kind is ErrorKind.NOT_FOUND
    assert (error.errno, error.filename) == (errno.ENOENT, str(absent))
    assert pickle.loads(pickle.dumps(error)).filename == str(absent)


@pytest.mark.parametrize(
    "write",
    [
        lambda package, into, _: package.write_to(into),
        lambda package, into, _: package.unpack(into),
        lambda _, into, layout: Client().pull(layout, verify=False, dest=into),
        lambda package, into, _: Client().push(package, f"oci-layout:{into}"),
        lambda _, into, __: Client().login("registry.example", "a", "b", place=into / "config.json", verify=False),
    ],
)
@pytest.mark.parametrize("made", [True, False])
def test_a_directory_that_takes_nothing_is_told_as_python_does(made, write, chart_dir, tmp_path) -> None:
    package = Chart.load(chart_dir).package()
    layout = f"oci-layout:{tmp_path / 'store'}"
    Client().push(package, layout)
    # Root may write everywhere but here.
    (tmp_path / "proc").symlink_to("/proc")
    into = tmp_path / "proc" if made else tmp_path / "proc/new"
    with pytest.raises(FileNotFoundError) as caught:
        write(package, into, layout)
    error = caught.value
    assert isinstance(error, errors.LocalNotFoundError) and error.errno == errno.ENOENT
    assert str(error.filename).startswith((str(into), "/proc")), error


NOBODY = """
import errno, os, pathlib, sys
from oci_chart import Chart, errors
os.setuid(65534) if os.getuid() == 0 else None
chart = pathlib.Path(sys.argv[1])
try:
    Chart.load(chart)
except PermissionError as error:
    assert isinstance(error, errors.LocalIOError) and error.kind == "io"
    assert (error.errno, error.filename) == (errno.EACCES, str(chart / "Chart.yaml")), error.filename
else:
    raise AssertionError("it was read")
"""


def test_a_file_that_may_not_be_read_is_told_as_python_does(chart_dir) -> None:
    (chart_dir / "Chart.yaml").chmod(0)
    chart_dir.chmod(0o755)
    for above in list(chart_dir.parents)[:3]:
        above.chmod(above.stat().st_mode | 0o055)
    done = subprocess.run([sys.executable, "-c", NOBODY, str(chart_dir)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


PANICS = """
import importlib.machinery, importlib.util, sys
loader = importlib.machinery.ExtensionFileLoader("oci_chart._native", sys.argv[1])
native = importlib.util.module_from_spec(importlib.util.spec_from_loader("oci_chart._native", loader))
sys.modules["oci_chart._native"] = native
loader.exec_module(native)
from oci_chart import errors
for place in ["thread", "computation", "task"]:
    try:
        native._panics(place)
    except errors.InternalError as error:
        assert "panic" in str(error) and "boom" in f"{error} {error.context}", error
        assert error.hint
    else:
        raise AssertionError(place)
"""


def test_a_panic_is_an_internal_error() -> None:
    # Only a debug build can be made to panic; `.ci/stubs` leaves one behind, where maturin takes nothing away.
    module = ROOT / "target/debug/deps/lib_native.so"
    if not module.exists():
        assert "CI" not in os.environ, "no debug build"
        print(f"SKIPPED: no {module}", file=sys.stderr)
        return
    done = subprocess.run([sys.executable, "-c", PANICS, str(module)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_words_are_those_of_the_core() -> None:
    for name, enumeration in [("Check", enums.Check), ("Status", enums.Status)]:
        assert [str(word) for word in enumeration] == words(name)
    assert repr(enums.TagMode.CREATE) == "TagMode.CREATE" and enums.TagMode.CREATE == "create"


def test_who_may_try_again_is_told_when(serve) -> None:
    registry = serve("--throttle", "1:7")
    with pytest.raises(errors.RateLimitedError) as caught:
        Client(plain_http=[registry.host], retry=Retry(attempts=1)).resolve(f"oci://{registry.host}/charts/web:1.0.0")
    assert caught.value.retryable and caught.value.retry_after == 7.0
    with pytest.raises(errors.NetworkError) as caught:
        Client(plain_http=["127.0.0.1:1"], retry=Retry(attempts=1)).resolve("oci://127.0.0.1:1/charts/web:1.0.0")
    assert caught.value.causes and any("refused" in cause for cause in caught.value.causes)


def test_exceptions_survive_pickling(tmp_path) -> None:
    with pytest.raises(errors.NotFoundError) as caught:
        Client().resolve(f"oci-layout:{tmp_path}", version="1.0.0")
    copy = pickle.loads(pickle.dumps(caught.value))
    assert type(copy) is type(caught.value)
    assert str(copy) == str(caught.value)
    assert (copy.kind, copy.context, copy.hint) == (
        caught.value.kind,
        caught.value.context,
        caught.value.hint,
    )
