"""Judges the wheels and the source distribution in a directory: names, contents, size, symbols, and what must not be in them."""

import argparse
import email
import json
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile

BUDGET = 5 << 20
NAME = re.compile(
    r"oci_chart-(?P<version>[^-]+)-(?P<python>cp311-abi3|cp314-cp314t|cp315-abi3\.abi3t)"
    r"-(?:manylinux2014_\w+\.)?(?P<platform>(?:manylinux_2_17|musllinux_1_2)_(?:x86_64|aarch64))\.whl"
)
# Where the interpreter looks for it: a stable one by its name, the other by version.
LIBRARY = re.compile(r"oci_chart/_native\.(abi3|abi3t-[\w-]+|cpython-314t-[\w-]+)\.so")
OTHERS = re.compile(
    r"oci_chart/(\w+/)*\w+\.pyi?|oci_chart/py\.typed|oci_chart-[^/]+\.dist-info/"
    r"(METADATA|WHEEL|RECORD|entry_points\.txt|licenses/LICENSE|sboms/[\w.-]+\.json)"
)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("directory", type=pathlib.Path)
    arguments.add_argument("--forbid", action="append", default=[], help="a path that must not stand in a file")
    options = arguments.parse_args()
    wheels = sorted(options.directory.glob("*.whl"))
    faults = [f"{wheel.name}: {fault}" for wheel in wheels for fault in wheel_faults(wheel, options.forbid)]
    for source in options.directory.glob("*.tar.gz"):
        faults += [f"{source.name}: {fault}" for fault in source_faults(source)]
    if not wheels:
        faults.append("no wheels")
    for fault in faults:
        print(f"FAULT {fault}")
    return 1 if faults else 0


def wheel_faults(path: pathlib.Path, forbidden: list[str]) -> list[str]:
    faults = []
    name = NAME.fullmatch(path.name)
    if name is None:
        return ["a name that no release has"]
    size = path.stat().st_size
    if size > BUDGET:
        faults.append(f"{size} bytes are above {BUDGET}")
    with zipfile.ZipFile(path) as wheel, tempfile.TemporaryDirectory() as scratch:
        names = wheel.namelist()
        libraries = [name for name in names if LIBRARY.fullmatch(name)]
        if len(libraries) != 1:
            faults.append(f"not one library but {libraries}")
        faults += [f"unexpected: {name}" for name in names if name not in libraries and not OTHERS.fullmatch(name)]
        for member in names:
            faults += [f"{member} has the path {path}" for path in forbidden if path.encode() in wheel.read(member)]
        if not any("/sboms/" in name for name in names):
            faults.append("no bill of materials")
        metadata = email.message_from_bytes(wheel.read(next(name for name in names if name.endswith("/METADATA"))))
        if metadata["Version"] != name["version"] or metadata["Requires-Python"] != ">=3.11":
            faults.append(f"version {metadata['Version']} for Python {metadata['Requires-Python']}")
        if metadata.get_all("Requires-Dist"):
            faults.append(f"needs {metadata.get_all('Requires-Dist')}")
        for library in libraries:
            wheel.extract(library, scratch)
            faults += library_faults(pathlib.Path(scratch, library))
        print(f"{path.name}: {size / 1e6:.2f} MB, {len(names)} files, library {wheel.getinfo(libraries[0]).file_size / 1e6:.2f} MB")
    faults += audit(path, name)
    return faults


def library_faults(library: pathlib.Path) -> list[str]:
    sections = subprocess.run(["readelf", "-SW", library], capture_output=True, text=True, check=True).stdout
    exports = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, text=True, check=True).stdout
    names = {line.split()[-1] for line in exports.splitlines()}
    faults = [] if ".symtab" not in sections else ["not stripped"]
    # One entry for the interpreter, and nothing else that could clash with another library in the process.
    stray = sorted(name for name in names if not name.startswith(("PyInit__native", "PyModExport__native")))
    return faults + ([f"exports {stray[:5]}"] if stray else [])


def audit(path: pathlib.Path, name: re.Match[str]) -> list[str]:
    faults = []
    shown = subprocess.run(["auditwheel", "show", path], capture_output=True, text=True)
    wanted = name["platform"]
    text = " ".join(shown.stdout.split())
    found = re.search(r'following platform tag: "([^"]+)"', text)
    tag = found[1] if found else f"none: {text} {shown.stderr}"
    if not fits(tag, wanted):
        faults.append(f"auditwheel says {tag}, not {wanted}")
    print(f"  auditwheel: {tag}")
    if "abi3" in name["python"]:
        judged = stable_faults(path)
        print(f"  abi3audit: {'FAILED' if judged else 'clean'}")
        faults += judged
    return faults


def stable_faults(path: pathlib.Path) -> list[str]:
    judged = subprocess.run(["abi3audit", "--report", path], capture_output=True, text=True)
    if not judged.stdout:
        return [f"abi3audit: {judged.stderr}"]
    faults = []
    (report,) = json.loads(judged.stdout)["specs"].values()
    for library in report["wheel"]:
        result = library["result"]
        # The entry of 3.15 and later, which this release of the judge takes for something that the interpreter should have.
        foreign = set(result["non_abi3_symbols"]) - {"PyModExport__native"}
        if foreign or result["future_abi3_objects"] or not result["is_abi3_baseline_compatible"]:
            faults.append(f"abi3audit: {library}")
    return faults if report["wheel"] else ["abi3audit saw no library"]


def fits(tag: str, wanted: str) -> bool:
    """An older C library than promised is as good."""
    pattern = r"(manylinux|musllinux)_(\d+)_(\d+)_(\w+)"
    one, other = re.fullmatch(pattern, tag), re.fullmatch(pattern, wanted)
    if one is None or other is None or one[1] != other[1] or one[4] != other[4]:
        return False
    return (int(one[2]), int(one[3])) <= (int(other[2]), int(other[3]))


def source_faults(path: pathlib.Path) -> list[str]:
    with tarfile.open(path) as source:
        names = ["/".join(name.split("/")[1:]) for name in source.getnames()]
    faults = [f"lacks {wanted}" for wanted in ("PKG-INFO", "pyproject.toml", "Cargo.toml", "Cargo.lock") if wanted not in names]
    if not any(name.endswith("LICENSE") for name in names):
        faults.append("lacks a licence")
    # Cargo wants to see the sources of a development dependency; what they read is for tests alone.
    strangers = [name for name in names if re.search(r"(^|/)(tests|fuzz|fixtures|judges|scenarios|target|keys)/", name)]
    if strangers:
        faults.append(f"has {len(strangers)} files for tests: {strangers[:4]}")
    print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB, {len(names)} files")
    return faults


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUTF8", "1")
    sys.exit(main())
