"""How long something took, less what the machine gave to others meanwhile: a promise of time is judged on a busy machine too."""

import pathlib
import time

# The promise: Ctrl-C, a token or a time that is up ends any call within it.
AT_ONCE = 0.3


class Clock:
    """Runs from when it is made."""

    def __init__(self) -> None:
        self._waited = waited()
        self._began = time.monotonic()

    def seconds(self) -> float:
        """Without those in which a thread of this process could have run and no processor was free."""
        took = time.monotonic() - self._began
        return took - sum(now - self._waited.get(thread, 0.0) for thread, now in waited().items())


def waited() -> dict[str, float]:
    """How long each thread of this process has waited for a processor, as the kernel counts it."""
    found = {}
    for thread in pathlib.Path("/proc/self/task").iterdir():
        try:
            found[thread.name] = int((thread / "schedstat").read_text().split()[1]) / 1e9
        except (OSError, IndexError):
            continue
    return found
