"""What the shells offer, asked of the shells."""

import os
import shutil
import subprocess
import sys

import pytest
from command import CLEAN, Terminal, run

from oci_chart._command.table import VERBS

PLAIN = {"HOME": "/nonexistent", "ZDOTDIR": "/nonexistent"}


@pytest.fixture
def script(tmp_path):
    def write(shell: str):
        path = tmp_path / f"completion.{shell}"
        done = run("completion", shell)
        assert done.code == 0
        path.write_text(done.out)
        return path

    return write


def needed(shell: str) -> str:
    found = shutil.which(shell)
    if found is None:
        if "CI" in os.environ:
            pytest.fail(f"{shell} is not installed")
        print(f"SKIPPED: {shell} is not installed", file=sys.stderr)
        pytest.skip(f"{shell} is not installed")
    return found


def bash(script, directory, *words: str) -> list[str]:
    ask = """
        source "$1"; shift
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _oci_chart
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    command = [needed("bash"), "--norc", "-c", ask, "bash", str(script), "oci-chart", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=directory, env=CLEAN)
    assert done.stderr == ""
    return done.stdout.split("\n")[:-1]


def fish(script, directory, *words: str) -> list[str]:
    ask = f"source {script}; complete -C 'oci-chart {' '.join(words)}'"
    command = [needed("fish"), "--no-config", "-c", ask]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=directory, env=CLEAN | {"HOME": str(directory)}
    )
    return [line.split("\t")[0] for line in done.stdout.splitlines()]


@pytest.fixture
def files(tmp_path):
    directory = tmp_path / "files"
    (directory / "a chart").mkdir(parents=True)
    (directory / "a package.tgz").touch()
    return directory


@pytest.mark.parametrize("shell", [bash, fish])
def test_words_are_offered(shell, script, files) -> None:
    source = script(shell.__name__)
    assert set(shell(source, files, "pu")) == {"push", "pull"}
    everything = set(shell(source, files, ""))
    assert everything >= {verb.name for verb in VERBS}
    for verb in VERBS:
        for option in verb.options:
            flag = option.flags[-1]
            assert flag in shell(source, files, verb.name, flag), f"{verb.name} {flag}"
            if option.choices:
                assert set(shell(source, files, verb.name, flag, "")) == set(option.choices)
    assert shell(source, files, "versions", "") in ([], [""])


@pytest.mark.parametrize("shell", [bash, fish])
def test_files_are_offered_where_files_go(shell, script, files) -> None:
    source = script(shell.__name__)
    offered = [name.replace("\\", "") for name in shell(source, files, "push", "a")]
    assert "a package.tgz" in offered
    directories = [name.replace("\\", "").rstrip("/") for name in shell(source, files, "package", "-d", "a")]
    assert directories == ["a chart"]


def test_bash_takes_options_with_an_equals_sign(script, files) -> None:
    assert bash(script("bash"), files, "push", "--mode", "=", "ens") == ["ensure"]
    assert len(bash(script("bash"), files, "push", "--mode", "=")) == 3


def test_zsh_completes(script, files) -> None:
    source = script("zsh")
    zsh = Terminal(needed("zsh"), "-f", "-i", env=PLAIN)
    zsh.write(f"PS1='> ' ; cd {files} ; autoload -Uz compinit && compinit -D -u && source {source} ; echo re''ady\n")
    zsh.expect("ready\r\n")
    for typed, becomes in [
        ("oci-chart pus\t", "oci-chart push"),
        ("oci-chart push --plain\t", "oci-chart push --plain-http"),
        ("oci-chart push --mode ens\t", "oci-chart push --mode ensure"),
        ("oci-chart push a\\ p\t", "oci-chart push a package.tgz"),
        ("oci-chart package -d a\t", "oci-chart package -d a chart"),
        ("oci-chart completion f\t", "oci-chart completion fish"),
    ]:
        # The line is not run but shown, word by word.
        zsh.write(f"{typed}\x01print -r -- is: \x05\n")
        zsh.expect(f"\nis: {becomes} ?\r")
    zsh.write("exit\n")
    assert zsh.end() == 0
