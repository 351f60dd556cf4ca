"""Passwords: from standard input, a file, the environment or a prompt, never from the command line, where others can read them."""

import os
import sys

from .verb import UsageError


def secret(what: str, *, from_stdin: bool = False, file: str | None = None, variable: str) -> str | None:
    """The first of these that is there: standard input (also as the file ``-``), the file, the environment, an answer of whoever sits at the
    terminal. One line end is taken off; an empty variable is an empty password, as for keys that have none."""
    if from_stdin and file is not None:
        raise UsageError(f"the {what} cannot come from standard input and from a file")
    if from_stdin or file == "-":
        return _text(what, sys.stdin.buffer.read())
    if file is not None:
        with open(file, "rb") as opened:
            return _text(what, opened.read())
    if variable in os.environ:
        return _text(what, os.fsencode(os.environ[variable]))
    if sys.stdin.isatty():
        import getpass

        try:
            return getpass.getpass(f"{what}: ".capitalize(), sys.stderr)
        except EOFError:
            raise UsageError(f"no {what} was given") from None
    return None


def needed(what: str, *, from_stdin: bool = False, file: str | None = None, variable: str) -> str:
    """The same where nothing goes without it."""
    found = secret(what, from_stdin=from_stdin, file=file, variable=variable)
    if found is None:
        raise UsageError(f"no {what}: there is no terminal to ask on, and {variable} is not set")
    return found


def _text(what: str, found: bytes) -> str:
    try:
        return found.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        # The error would show a part of it.
        raise UsageError(f"the {what} is not UTF-8") from None
