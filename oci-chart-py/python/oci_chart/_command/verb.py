"""What a verb is made of: data, from which the parser, the help and the completions are made alike."""

from __future__ import annotations

from enum import Enum

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from typing import Any, TypeAlias

    Options: TypeAlias = argparse.Namespace

# Plain classes, and few imports in the whole command: a program that runs once for each chart starts often.


class Completes(Enum):
    """What a shell offers for a value."""

    NOTHING = "nothing"
    FILE = "file"
    DIRECTORY = "directory"


class Argument:
    """A value that is known by its place."""

    def __init__(
        self,
        name: str,
        *,
        help: str,
        completes: Completes = Completes.NOTHING,
        choices: tuple[str, ...] = (),
        optional: bool = False,
    ) -> None:
        self.name = name
        self.help = help
        self.completes = completes
        self.choices = choices
        self.optional = optional


class Option:
    """A switch, or with `takes` something that has a value."""

    def __init__(
        self,
        *flags: str,
        help: str,
        takes: str | None = None,
        completes: Completes = Completes.NOTHING,
        choices: tuple[str, ...] = (),
        default: str | None = None,
        many: bool = False,
        needed: bool = False,
        parse: Callable[[str], Any] | None = None,
    ) -> None:
        self.flags = flags
        self.help = help
        self.takes = takes
        self.completes = completes
        self.choices = choices
        self.default = default
        self.many = many
        self.needed = needed
        self.parse = parse or (text if completes == Completes.NOTHING else str)


class Outcome:
    """What a verb has to say: data for ``--json``, and text for people where the data alone would not do."""

    def __init__(self, data: Any, text: str | None = None, code: int = 0) -> None:
        self.data = data
        self.text = text
        self.code = code


class Verb:
    """One command: its name, what it takes and what it does."""

    def __init__(
        self,
        name: str,
        *,
        help: str,
        run: Callable[[Options], Outcome],
        arguments: tuple[Argument, ...] = (),
        options: tuple[Option, ...] = (),
    ) -> None:
        self.name = name
        self.help = help
        self.run = run
        self.arguments = arguments
        self.options = options


class UsageError(Exception):
    """The command line makes no sense: exit code 2. The parser says beside it how it could."""

    def __init__(self, message: str, usage: str = "") -> None:
        super().__init__(message)
        self.usage = usage


def text(word: str) -> str:
    """What goes to a registry or into a document is text; only names of files may be any bytes."""
    try:
        word.encode()
    except UnicodeEncodeError:
        raise UsageError(f"not Unicode: {word!a}") from None
    return word
