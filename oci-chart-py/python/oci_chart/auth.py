"""Logins: who a client is for a registry, and what other programs keep on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from os import PathLike

from . import _native
from ._data import Data
from ._native import Credentials, PullSecret


@dataclass(frozen=True)
class Login(Data):
    """What became of a login."""

    stored_in: str
    """Where it is kept now: a file and key, or a helper."""
    verified: bool
    """Whether the registry looked at the credentials and took them."""
    expiry: datetime | None = None
    """When they end, where that is known."""


@dataclass(frozen=True)
class Logout(Data):
    """What became of a logout."""

    removed: tuple[str, ...] = ()
    """Where a login was taken away."""
    remaining: str | None = None
    """Where a login for the registry would still be found."""


@dataclass(frozen=True)
class LoginStatus(Data):
    """Who a client is for a registry, and for how long."""

    username: str | None = None
    origin: str | None = None
    """Where the credentials come from."""
    expiry: datetime | None = None
    token_expiry: datetime | None = None
    """When the last of the registry's tokens that are held ends."""


@dataclass(frozen=True)
class KnownLogin(Data):
    """One login that is kept somewhere, without its secret."""

    key: str
    """The key or server that it is kept under: mostly a host."""
    username: str
    """Empty beside a token."""
    origin: str
    """The file and key, or the helper."""


def stored_logins(
    file: str | PathLike[str] | None = None, /, *, timeout: float | None = None
) -> tuple[KnownLogin, ...]:
    """Every login that helm, docker and podman keep on this machine, in the order in which they are searched; or those of one file."""
    import json

    found = json.loads(_native.stored_logins(file, (None, None, timeout)))
    return tuple(KnownLogin.from_dict(login) for login in found)


__all__ = ["Credentials", "KnownLogin", "Login", "LoginStatus", "Logout", "PullSecret", "stored_logins"]
