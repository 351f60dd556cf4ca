"""From a command line to an exit code."""

from __future__ import annotations

import os
import sys

from ..errors import ErrorKind, InvalidInputError, OciChartError
from . import code, parser, screen
from .verb import Outcome, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code, one of ``code.MEANING``."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    try:
        screen.prepare()
        return _run(words)
    except KeyboardInterrupt:
        return code.INTERRUPTED


def _run(words: Sequence[str]) -> int:
    try:
        try:
            outcome = _guarded(words)
            _print(outcome, "--json" in words)
            return outcome.code
        finally:
            # Also of the help, after which the parser ends the program.
            sys.stdout.flush()
    except OSError as error:
        # What is still in the buffer must not be tried again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        # Whoever closed the pipe has seen enough.
        if not isinstance(error, BrokenPipeError):
            screen.complain(f"oci-chart: what there is to say cannot be written: {error.strerror}")
        return code.OTHER


def _guarded(words: Sequence[str]) -> Outcome:
    try:
        options = parser.build(words).parse_args(words)
        done: Outcome = options.run(options)
        return done
    except OciChartError as error:
        return _failure(code.OF_KIND[error.kind], error)
    except OSError as error:
        kind = ErrorKind.NOT_FOUND if isinstance(error, FileNotFoundError) else ErrorKind.IO
        return _failure(code.OF_KIND[kind], OciChartError(str(error), kind=kind))
    except UsageError as error:
        return _failure(code.USAGE, InvalidInputError(str(error)), error.usage)
    except ValueError as error:
        return _failure(code.USAGE, InvalidInputError(str(error)))


def _failure(exit_code: int, error: OciChartError, usage: str = "") -> Outcome:
    details = {
        "kind": str(error.kind),
        "reason": error.reason,
        "operation": error.operation,
        "message": error.message,
        "hint": error.hint,
        "context": error.context,
        "retryable": error.retryable,
        "retryAfter": error.retry_after,
        "causes": list(error.causes),
    }
    if error.evidence is not None:
        details["evidence"] = error.evidence.to_dict()
    return Outcome({"error": details}, f"{usage}oci-chart: {error}", exit_code)


def _print(outcome: Outcome, as_json: bool) -> None:
    if as_json:
        print(_json(outcome.data, 2))
    elif isinstance(outcome.data, dict) and "error" in outcome.data:
        screen.complain(outcome.text or "")
    else:
        for line in _lines(outcome):
            print(line)


def _lines(outcome: Outcome) -> Iterator[str]:
    if outcome.text is not None:
        yield outcome.text
    elif isinstance(outcome.data, dict):
        for key, value in outcome.data.items():
            if value is not None:
                yield f"{key}: {value if isinstance(value, str) else _json(value)}"
    else:
        yield from outcome.data


def _json(value: Any, indent: int | None = None) -> str:
    import json

    return json.dumps(value, indent=indent)
