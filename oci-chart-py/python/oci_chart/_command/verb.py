"""What a verb is made of: data, from which the parser, the help and the completions are made alike."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias

Options: TypeAlias = argparse.Namespace


class Completes(Enum):
    """What a shell offers for a value."""

    NOTHING = "nothing"
    FILE = "file"
    DIRECTORY = "directory"


@dataclass(frozen=True, kw_only=True)
class Argument:
    """A value that is known by its place."""

    name: str
    help: str
    completes: Completes = Completes.NOTHING
    choices: tuple[str, ...] = ()
    optional: bool = False


@dataclass(frozen=True, kw_only=True)
class Option:
    """A switch, or with `takes` something that has a value."""

    flags: tuple[str, ...]
    help: str
    takes: str | None = None
    completes: Completes = Completes.NOTHING
    choices: tuple[str, ...] = ()
    default: str | None = None
    many: bool = False
    needed: bool = False
    parse: Callable[[str], Any] = str


@dataclass(frozen=True)
class Outcome:
    """What a verb has to say: data for ``--json``, and text for people where the data alone would not do."""

    data: Any
    text: str | None = None
    code: int = 0


@dataclass(frozen=True, kw_only=True)
class Verb:
    """One command: its name, what it takes and what it does."""

    name: str
    help: str
    run: Callable[[Options], Outcome]
    arguments: tuple[Argument, ...] = ()
    options: tuple[Option, ...] = ()


class UsageError(Exception):
    """The command line makes no sense: exit code 2."""
