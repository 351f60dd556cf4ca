"""From a command line to an exit code."""

from __future__ import annotations

import os
import sys

from ..errors import OciChartError
from . import code, parser
from .verb import Outcome, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code, one of ``code.MEANING``."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    options = parser.build(words).parse_args(words)
    try:
        outcome = _guarded(options)
        _print(outcome, options.json)
        sys.stdout.flush()
        return outcome.code
    except BrokenPipeError:
        # Whoever read the output has seen enough; what is still in the buffer must not be tried again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return code.OTHER
    except KeyboardInterrupt:
        return code.INTERRUPTED


def _guarded(options: Any) -> Outcome:
    try:
        done: Outcome = options.run(options)
        return done
    except OciChartError as error:
        return _failure(code.OF_KIND[error.kind], str(error), error)
    except UsageError as error:
        return _failure(code.USAGE, str(error))
    except BrokenPipeError:
        raise
    except OSError as error:
        found = code.NOT_FOUND if isinstance(error, FileNotFoundError) else code.OTHER
        return _failure(found, str(error))
    except ValueError as error:
        return _failure(code.USAGE, str(error))


def _failure(exit_code: int, message: str, error: OciChartError | None = None) -> Outcome:
    details: dict[str, Any] = {"message": message}
    if error is not None:
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
        if (evidence := getattr(error, "evidence", None)) is not None:
            details["evidence"] = evidence.to_dict()
    return Outcome({"error": details}, message, exit_code)


def _print(outcome: Outcome, as_json: bool) -> None:
    if as_json:
        print(_json(outcome.data, 2))
    elif isinstance(outcome.data, dict) and "error" in outcome.data:
        print(f"oci-chart: {outcome.text}", file=sys.stderr)
    elif outcome.text is not None:
        print(outcome.text)
    elif isinstance(outcome.data, dict):
        for key, value in outcome.data.items():
            if value is not None:
                print(f"{key}: {value if isinstance(value, str) else _json(value)}")
    else:
        for entry in outcome.data:
            print(entry)


def _json(value: Any, indent: int | None = None) -> str:
    import json

    return json.dumps(value, indent=indent)
