"""The examples in the documentation, as they stand: of the package's modules, and of its native half."""

import doctest
import importlib
import os
import pkgutil

import pytest
from conftest import ROOT

import oci_chart
from oci_chart import _native

MODULES = [
    importlib.import_module(f"oci_chart.{found.name}")
    for found in pkgutil.iter_modules(oci_chart.__path__)
    if found.name not in ("__main__", "_command", "_native")
]
NATIVE = {
    f"{name}.{member}" if member else name: documented.__doc__
    for name, owner in vars(_native).items()
    for member, documented in [("", owner), *(vars(owner).items() if isinstance(owner, type) else ())]
    if ">>>" in (getattr(documented, "__doc__", None) or "")
}


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch):
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize("module", [oci_chart, *MODULES], ids=lambda module: module.__name__)
def test_modules(module) -> None:
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("name", NATIVE)
def test_native(name) -> None:
    examples = doctest.DocTestParser().get_doctest(NATIVE[name], vars(oci_chart) | vars(_native), name, None, None)
    runner = doctest.DocTestRunner()
    runner.run(examples)
    assert runner.failures == 0 and runner.tries > 0


def test_there_are_examples() -> None:
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = sum(bool(test.examples) for module in MODULES for test in finder.find(module))
    assert found + len(NATIVE) >= 14


def test_everything_public_is_documented() -> None:
    missing = []
    for name in oci_chart.__all__:
        owner = getattr(oci_chart, name)
        if not owner.__doc__:
            missing.append(name)
        for member, value in vars(owner).items() if isinstance(owner, type) else ():
            if callable(value) and not member.startswith("_") and not value.__doc__:
                missing.append(f"{name}.{member}")
    # What files have, as files have it.
    assert set(missing) <= {f"BlobReader.{name}" for name in ("readable", "writable", "seekable")}
    assert os.getcwd() == str(ROOT)
