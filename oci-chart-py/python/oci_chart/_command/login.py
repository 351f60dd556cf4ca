"""Verbs of logins, and of what keeps them from working."""

from __future__ import annotations

import os
import sys

from . import code
from .remote import CONNECTION, LOGIN, REMOTE, USERNAME, client, connection, password, username
from .repository import REFERENCE
from .verb import Argument, Completes, Option, Outcome, UsageError, Verb

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Literal

    from .verb import Options

REGISTRY = Argument(name="REGISTRY", help="the registry's host, with its port if it has one")
KEPT = (
    Option(
        "--place",
        takes="PLACE",
        choices=("helm", "docker", "podman"),
        default="helm",
        help="whose file of logins is meant",
    ),
    Option(
        "--registry-config",
        takes="FILE",
        completes=Completes.FILE,
        help="this file of logins, in docker's form, instead",
    ),
)

# What a failed check says about the exit code.
_FAILED = {
    "proxy": code.UNAVAILABLE,
    "name": code.UNAVAILABLE,
    "connection": code.UNAVAILABLE,
    "api": code.UNAVAILABLE,
    "rate-limit": code.UNAVAILABLE,
    "credentials": code.AUTHENTICATION,
    "login": code.AUTHENTICATION,
    "pull": code.AUTHENTICATION,
    "push": code.AUTHENTICATION,
}


def _login(options: Options) -> Outcome:
    host = _host(options.registry)
    user = username(options) or _asked()
    kept = connection(options, host).login(
        host, user, password(options), place=_place(options), identity_token=options.identity_token
    )
    return Outcome(kept.to_dict() | {"registry": host}, f"logged in to {host}; kept in {kept.stored_in}")


def _logout(options: Options) -> Outcome:
    host = _host(options.registry)
    gone = connection(options, host).logout(host, place=_place(options))
    what = [f"removed: {removed}" for removed in gone.removed] or [f"there was no login for {host}"]
    if gone.remaining is not None:
        what.append(f"still found: {gone.remaining}")
    return Outcome(gone.to_dict() | {"registry": host}, "\n".join(what))


def _diagnose(options: Options) -> Outcome:
    found = client(options, options.reference).diagnose(options.reference)
    failed = next((finding for finding in found.findings if finding.status == "failed"), None)
    if failed is None:
        return Outcome(found.to_dict(), str(found))
    missing = (failed.reason or "").endswith("-missing") or failed.check == "layout"
    return Outcome(
        found.to_dict(), str(found), code.NOT_FOUND if missing else _FAILED.get(failed.check, code.OTHER)
    )


def _host(text: str) -> str:
    return text.removeprefix("oci://").rstrip("/")


def _place(options: Options) -> Literal["helm", "docker", "podman"] | Path:
    from pathlib import Path

    place: Literal["helm", "docker", "podman"] = options.place
    return place if options.registry_config is None else Path(options.registry_config)


def _asked() -> str:
    if not sys.stdin.isatty():
        raise UsageError(f"no name: --username, or {USERNAME}")
    print("Username: ", end="", file=sys.stderr, flush=True)
    if not (found := sys.stdin.readline().strip()):
        raise UsageError("no name was given")
    return found


VERBS = (
    Verb(
        name="login",
        help="Show a login to a registry and, if it is taken, keep it as helm, docker or podman does.",
        run=_login,
        arguments=(REGISTRY,),
        options=(
            *LOGIN,
            *KEPT,
            Option(
                "--identity-token", help="keep a token instead of the password, where the registry gives one"
            ),
            *CONNECTION,
        ),
    ),
    Verb(
        name="logout",
        help="Forget a login.",
        run=_logout,
        arguments=(REGISTRY,),
        options=(*KEPT, *CONNECTION),
    ),
    Verb(
        name="diagnose",
        help="Tell step by step what works at a place; writes nothing.",
        run=_diagnose,
        arguments=(REFERENCE,),
        options=REMOTE,
    ),
)
