"""Ready callbacks for ``progress=``, for those who have ``tqdm`` or ``rich``. Neither is needed otherwise."""

from __future__ import annotations

from collections.abc import Callable

from ._native import Event
from .enums import EventKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Self


class _Totals:
    """All transfers of a call as one: how many bytes are known of, and how many of them are there."""

    __slots__ = ("_done", "_sizes")

    def __init__(self) -> None:
        self._sizes: dict[int, int] = {}
        self._done: dict[int, int] = {}

    def take(self, event: Event) -> tuple[int, int] | None:
        """Total and done after an event; None where it tells nothing of a transfer."""
        if event.id is None:
            return None
        if event.kind in (EventKind.STARTED, EventKind.SKIPPED):
            self._sizes[event.id] = event.bytes or 0
        if event.kind is EventKind.PROGRESS:
            self._done[event.id] = event.bytes or 0
        if event.kind in (EventKind.FINISHED, EventKind.SKIPPED):
            self._done[event.id] = self._sizes.get(event.id, 0)
        return sum(self._sizes.values()), sum(self._done.values())


class _Bar:
    """A callback that is a context manager: leaving it takes the bar down."""

    def __init__(self, show: Callable[[int, int], object], close: Callable[[], object]) -> None:
        self._totals = _Totals()
        self._show = show
        self._close = close

    def __call__(self, event: Event) -> None:
        if (found := self._totals.take(event)) is not None:
            self._show(*found)

    def close(self) -> None:
        """Takes the bar down."""
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def tqdm_callback(description: str = "", **options: Any) -> _Bar:
    """A bar of ``tqdm`` for one call, which is imported here; ``options`` are those of ``tqdm.tqdm``.

    ::

        with tqdm_callback("push") as progress:
            client.push(package, "oci://registry.example/charts", progress=progress)
    """
    import tqdm

    defaults: dict[str, Any] = {"desc": description, "unit": "B", "unit_scale": True, "total": 0}
    bar: tqdm.tqdm[Any] = tqdm.tqdm(**(defaults | options))

    def show(total: int, done: int) -> None:
        bar.total = total
        bar.update(done - bar.n)

    return _Bar(show, bar.close)


def rich_callback(description: str = "", **options: Any) -> _Bar:
    """A bar of ``rich`` for one call, which is imported here; ``options`` are those of ``rich.progress.Progress``.

    ::

        with rich_callback("pull") as progress:
            client.pull("oci://registry.example/charts/web", verify=False, progress=progress)
    """
    import rich.progress

    bar = rich.progress.Progress(**options)
    task = bar.add_task(description, total=None)
    bar.start()

    def show(total: int, done: int) -> None:
        bar.update(task, total=total, completed=done)

    return _Bar(show, bar.stop)


__all__ = ["rich_callback", "tqdm_callback"]
