"""The parser, made from the table of verbs."""

from __future__ import annotations

import argparse
import os

from .. import __version__
from . import code
from .table import VERBS
from .verb import Completes, Option, UsageError, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, NoReturn

    from .verb import Argument, Verb

JSON = Option("--json", help="print the result, or the error, as JSON")

# Helm takes these; whoever is used to them hears what to do, and the password is not repeated where others read it.
_PASSWORDS = ("--password", "-p", "--passphrase")


def build(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """The parser, with what those verbs take that the command line could mean."""
    meanings = "\n".join(f"  {number:3}  {meaning}" for number, meaning in code.MEANING.items())
    parser = _Parser(
        prog="oci-chart",
        description="Helm charts as OCI artifacts.",
        epilog=f"exit codes:\n{meanings}",
        formatter_class=_Help,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=__version__)
    # With its name given it need not be made up from a usage, which takes imports.
    commands = parser.add_subparsers(
        required=True, metavar="COMMAND", parser_class=_Parser, prog="oci-chart"
    )
    for verb in VERBS:
        _add(commands, verb, verb.name in arguments)
    return parser


class _Help(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        # A width that is given saves an import for each start.
        super().__init__(prog, width=_columns())


def _columns() -> int:
    try:
        return max(os.get_terminal_size().columns, 40) - 2
    except OSError:
        return 100


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(message, self.format_usage())


class _NotHere(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        parser.error(
            "passwords do not belong on a command line, where others can read them: "
            "use --password-stdin, --password-file, the environment or the prompt"
        )


def _add(commands: Any, verb: Verb, whole: bool) -> None:
    added = commands.add_parser(
        verb.name,
        help=verb.help,
        description=verb.help,
        allow_abbrev=False,
        formatter_class=_Help,
        add_help=whole,
    )
    if not whole:
        return
    for argument in verb.arguments:
        _add_argument(added, argument)
    for option in (*verb.options, JSON):
        _add_option(added, option)
    taken = {flag for option in verb.options for flag in option.flags}
    if "--password-stdin" in taken or "--passphrase-file" in taken:
        added.add_argument(
            *(flag for flag in _PASSWORDS if flag not in taken),
            action=_NotHere,
            nargs="?",
            dest=argparse.SUPPRESS,
            help=argparse.SUPPRESS,
        )
    added.set_defaults(run=verb.run)


def _add_argument(parser: argparse.ArgumentParser, argument: Argument) -> None:
    parser.add_argument(
        argument.name.lower(),
        metavar=argument.name,
        help=argument.help,
        choices=argument.choices or None,
        type=text if argument.completes == Completes.NOTHING else str,
        nargs="?" if argument.optional else None,
    )


def _add_option(parser: argparse.ArgumentParser, option: Option) -> None:
    if option.takes is None:
        parser.add_argument(*option.flags, action="store_true", help=option.help)
        return
    shown = f"{option.help} (default: {option.default})" if option.default else option.help
    parser.add_argument(
        *option.flags,
        action="append" if option.many else "store",
        metavar=None if option.choices else option.takes,
        choices=option.choices or None,
        default=[] if option.many else option.default,
        type=option.parse,
        required=option.needed,
        help=shown,
    )
