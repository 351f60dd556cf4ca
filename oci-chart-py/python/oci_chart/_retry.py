"""When requests are sent again."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, kw_only=True)
class Retry:
    """When a failed request is sent again, and how long is waited before: seconds, or a ``timedelta``.

    >>> Retry(attempts=8)
    Retry(attempts=8, first_wait=0.2, most_wait=10.0, most_retry_after=60.0, most_time=300.0)
    """

    attempts: int = 5
    """How often a request is sent at most; 1 is never again."""
    first_wait: float | timedelta = 0.2
    """The wait after the first failure, doubled from try to try."""
    most_wait: float | timedelta = 10.0
    """The longest wait that nobody asked for."""
    most_retry_after: float | timedelta = 60.0
    """The longest wait that a registry may ask for."""
    most_time: float | timedelta = 300.0
    """No new try begins after so much time."""
