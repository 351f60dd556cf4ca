"""The Python in the README files, as it stands, but for the registry's name."""

import os
import re
import subprocess
import sysconfig

import pytest
from command import CLEAN
from conftest import ROOT
from judges import judge

COMMANDS = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILES = [ROOT / "README.md", ROOT / "oci-chart-py/README.md"]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def scene(chart_dir, tmp_path, monkeypatch) -> None:
    """A directory with the charts and keys that the files speak of."""
    openssl = judge("openssl")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "charts").mkdir()
    os.rename(chart_dir, tmp_path / "charts/web")
    os.symlink(ROOT / "examples", tmp_path / "examples")
    key = ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "cosign.key"]
    subprocess.run([openssl, *key], check=True, capture_output=True)
    subprocess.run([openssl, "pkey", "-in", "cosign.key", "-pubout", "-out", "cosign.pub"], check=True)


@pytest.mark.parametrize("file", FILES, ids=["README.md", "oci-chart-py/README.md"])
def test_what_is_told_works(file, serve, scene, tmp_path) -> None:
    blocks, host = BLOCK.findall(file.read_text()), serve().host
    assert blocks
    for block in blocks:
        here = block.replace("registry.example", host).replace("Client(", f"Client(plain_http=['{host}'], ")
        exec(compile(here, str(file), "exec"), {})
    assert list((tmp_path / "dist").glob("*.tgz"))


@pytest.mark.parametrize("file", FILES, ids=["README.md", "oci-chart-py/README.md"])
def test_what_is_told_of_the_command_works(file, serve, scene, tmp_path) -> None:
    blocks = [block for block in COMMANDS.findall(file.read_text()) if block.startswith("oci-chart ")]
    assert blocks
    (tmp_path / "password").write_text("pass word\n")
    host = serve("--basic", "robot:pass word").host
    # As if the registry had TLS, and its login were kept from before.
    login = f"oci-chart login {host} -u robot --password-file password --plain-http\n"
    for block in blocks:
        here = re.sub(r"^(oci-chart (?!package|completion).*?)( <|$)", r"\1 --plain-http\2", block, flags=re.MULTILINE)
        here = here.replace("registry.example", host).replace("/etc/bash_completion.d/", f"{tmp_path}/")
        environment = CLEAN | {"HOME": str(tmp_path), "PATH": f"{sysconfig.get_path('scripts')}:{os.environ['PATH']}", "COSIGN_PASSWORD": ""}
        script = ["bash", "-euo", "pipefail", "-c", login + here]
        done = subprocess.run(script, capture_output=True, text=True, env=environment, cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
