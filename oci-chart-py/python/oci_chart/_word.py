"""What all enumerations of the package are."""

from enum import StrEnum


class Word(StrEnum):
    """A ``str`` that is a member of its enumeration, and shown as it is written."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}.{self.name}"
