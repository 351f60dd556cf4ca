"""What works at a place and what does not."""

from __future__ import annotations

from dataclasses import dataclass, field

from ._data import Data
from .enums import Check, Status


@dataclass(frozen=True)
class Finding(Data):
    """One thing that was looked at."""

    check: Check
    status: Status
    summary: str
    """The same in a few words."""
    reason: str | None = None
    """The cause of a failure, where it has a word."""
    hint: str | None = None
    """What a person can do about it."""
    facts: dict[str, str] = field(default_factory=dict, hash=False)
    """What was seen."""


@dataclass(frozen=True)
class Diagnosis(Data):
    """What was found out about a place; as text, one finding a line."""

    location: str
    findings: tuple[Finding, ...]
    """In the order in which one thing needs the other."""
    text: str = field(default="", repr=False, compare=False)

    @property
    def ok(self) -> bool:
        """Whether nothing has failed."""
        return all(finding.status is not Status.FAILED for finding in self.findings)

    def __getitem__(self, check: Check | str, /) -> Finding:
        """The finding about a check.

        :raises KeyError: where it does not apply to this kind of place.
        """
        for finding in self.findings:
            if finding.check == check:
                return finding
        raise KeyError(check)

    def __str__(self) -> str:
        return self.text or super().__repr__()


__all__ = ["Check", "Diagnosis", "Finding", "Status"]
