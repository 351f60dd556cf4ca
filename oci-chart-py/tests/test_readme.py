"""The Python in the README files, as it stands, but for the registry's name."""

import os
import re
import subprocess

import pytest
from conftest import ROOT
from judges import judge

FILES = [ROOT / "README.md", ROOT / "oci-chart-py/README.md"]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("file", FILES, ids=["README.md", "oci-chart-py/README.md"])
def test_what_is_told_works(file, serve, chart_dir, tmp_path, monkeypatch) -> None:
    openssl = judge("openssl")
    blocks = BLOCK.findall(file.read_text())
    assert blocks
    host = serve().host
    monkeypatch.chdir(tmp_path)
    (tmp_path / "charts").mkdir()
    os.rename(chart_dir, tmp_path / "charts/web")
    os.symlink(ROOT / "examples", tmp_path / "examples")
    key = ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "cosign.key"]
    subprocess.run([openssl, *key], check=True, capture_output=True)
    subprocess.run([openssl, "pkey", "-in", "cosign.key", "-pubout", "-out", "cosign.pub"], check=True)
    for block in blocks:
        here = block.replace("registry.example", host).replace("Client(", f"Client(plain_http=['{host}'], ")
        exec(compile(here, str(file), "exec"), {})
    assert list((tmp_path / "dist").glob("*.tgz"))
