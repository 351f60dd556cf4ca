"""Runs the command, as a shell does, and on a terminal, as a person does."""

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

COMMAND = (sys.executable, "-m", "oci_chart")

# What this machine knows about the person who runs the tests has no say in them.
CLEAN = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("OCI_CHART_PASSWORD", "OCI_CHART_USERNAME", "COSIGN_"))
}


class Done(NamedTuple):
    code: int
    out: str
    err: str


def run(*arguments: str, stdin: str = "", env: Mapping[str, str] | None = None, **options: Any) -> Done:
    done = subprocess.run(
        [*COMMAND, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        env=CLEAN | dict(env or {}),
        timeout=60,
        **options,
    )
    return Done(done.returncode, done.stdout, done.stderr)


class Terminal:
    """A program with a terminal for its three streams."""

    def __init__(self, *command: str, env: Mapping[str, str] | None = None) -> None:
        self.seen = ""
        self.pid, self._master = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], command, CLEAN | {"TERM": "xterm"} | dict(env or {}))

    def write(self, text: str) -> None:
        os.write(self._master, text.encode())

    def expect(self, pattern: str, seconds: float = 20) -> str:
        """Waits until what was not yet expected has the pattern; what it stood in is taken."""
        deadline = time.monotonic() + seconds
        while (found := re.search(pattern, self.seen)) is None:
            left = deadline - time.monotonic()
            if left <= 0 or not self._read(left):
                raise AssertionError(f"no {pattern!r} in {self.seen!r}")
        self.seen = self.seen[found.end() :]
        return found.group()

    def end(self) -> int:
        """Waits for the program, and closes its terminal."""
        while self._read(20):
            pass
        _, status = os.waitpid(self.pid, 0)
        os.close(self._master)
        return os.waitstatus_to_exitcode(status)

    def _read(self, seconds: float) -> bool:
        if not select.select([self._master], [], [], seconds)[0]:
            return False
        try:
            found = os.read(self._master, 1 << 16)
        except OSError:
            return False
        self.seen += found.decode(errors="replace")
        return bool(found)
