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


DOCUMENTED = [
    test
    for module in [oci_chart, *MODULES]
    for test in doctest.DocTestFinder(exclude_empty=True).find(module, globs=vars(oci_chart) | vars(module))
    if test.examples
]


@pytest.fixture(autouse=True)
def names(monkeypatch, tmp_path) -> dict[str, object]:
    """What the examples of the client's verbs speak of."""
    monkeypatch.chdir(tmp_path)
    os.symlink(ROOT / "examples", tmp_path / "examples")
    client, key = oci_chart.Client(), oci_chart.SigningKey.generate()
    package = oci_chart.Chart.load("examples/charts/greeter").package()
    client.push(package, "oci-layout:mirror")
    policy = oci_chart.Policy.keys(key.public_key, tlog="ignore-explicitly")
    return {"client": client, "package": package, "place": "oci-layout:mirror", "key": key, "policy": policy}


def run(test: doctest.DocTest) -> None:
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    runner.run(test)
    assert runner.failures == 0 and runner.tries > 0


@pytest.mark.parametrize("test", DOCUMENTED, ids=lambda test: test.name)
def test_of_a_module(test, names) -> None:
    test.globs = test.globs | names
    run(test)


@pytest.mark.parametrize("name", NATIVE)
def test_native(name) -> None:
    globs = vars(oci_chart) | vars(_native)
    run(doctest.DocTestParser().get_doctest(NATIVE[name], globs, name, None, None))


def test_every_verb_has_an_example() -> None:
    found = {test.name.rsplit(".")[-1] for test in DOCUMENTED}
    verbs = {name for name in dir(oci_chart.Client) if not name.startswith("_")}
    # These need a registry, or nothing that an example could show.
    assert verbs - found == {"repositories", "metadata_json", "close", "closed"}
    classes = {name for name in oci_chart.__all__ if name in vars(_native)}
    without = {"BlobReader", "Package", "PullResult", "PushResult", "Signer"}
    assert classes - {name.split(".")[0] for name in NATIVE} == without


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
