"""What is shown while a verb works: a bar on a terminal, and warnings and waits in any case. All on standard error."""

import io
import os
import sys

from .. import Event

_BAR = 24


def prepare() -> None:
    """A program can be started with streams that are closed, or that do not take all there is to say."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            # The lowest number that is free is this one; else the next file that is opened would have it.
            null = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, open(null, "w" if number else "r", encoding="utf-8", closefd=False))
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Names of files go out as they came in, whatever bytes they are.
        unicode = sys.stdout.encoding.lower() == "utf-8"
        sys.stdout.reconfigure(errors="surrogateescape" if unicode else "backslashreplace")


def complain(text: str, end: str = "\n") -> None:
    """Says it on standard error; where that cannot be written, there is nobody to tell."""
    try:
        print(text, end=end, file=sys.stderr, flush=True)
    except OSError:
        pass


class Screen:
    """A progress callback. The bar is taken off again by :meth:`clear`, or at the end of ``with``."""

    def __init__(self) -> None:
        self._sizes: dict[int, int] = {}
        self._done: dict[int, int] = {}
        self._bar = sys.stderr.isatty()
        self._shown = False

    def __call__(self, event: Event) -> None:
        if event.kind in ("warning", "waiting"):
            self.clear()
            complain(f"{event.kind}: {event.text}")
        elif event.id is not None:
            size = event.bytes or 0
            if event.kind == "started":
                self._sizes[event.id], self._done[event.id] = size, 0
            elif event.kind == "progress":
                self._done[event.id] = size
            else:
                self._done[event.id] = self._sizes.get(event.id, 0)
            self._draw()

    def __enter__(self) -> "Screen":
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def clear(self) -> None:
        """Takes the bar off the screen."""
        if self._shown:
            complain("\r\x1b[K", end="")
            self._shown = False

    def _draw(self) -> None:
        total, done = sum(self._sizes.values()), sum(self._done.values())
        if not self._bar or total == 0:
            return
        share = min(done / total, 1.0)
        filled = round(share * _BAR)
        line = f"[{'#' * filled}{'.' * (_BAR - filled)}] {share:4.0%} of {_readable(total)}"
        columns = os.get_terminal_size(sys.stderr.fileno()).columns or 80
        complain("\r" + line[: columns - 1], end="\x1b[K")
        self._shown = True


def _readable(size: int) -> str:
    amount, unit = float(size), "B"
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024 or unit == "GiB":
            break
        amount /= 1024
    return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
