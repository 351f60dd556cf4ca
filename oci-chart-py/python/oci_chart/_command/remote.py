"""What every verb takes that talks to a registry."""

from __future__ import annotations

import os

from .. import Client, __version__
from .secret import needed
from .verb import Completes, Option, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .verb import Options

USERNAME = "OCI_CHART_USERNAME"
PASSWORD = "OCI_CHART_PASSWORD"

CONNECTION = (
    Option("--plain-http", help="speak plain HTTP to the registry"),
    Option(
        "--ca-file",
        takes="FILE",
        completes=Completes.FILE,
        help="trust the authorities in this PEM file too",
    ),
    Option(
        "--cert-file",
        takes="FILE",
        completes=Completes.FILE,
        help="the certificate to show to the registry, as PEM",
    ),
    Option("--key-file", takes="FILE", completes=Completes.FILE, help="the key of that certificate, as PEM"),
    # Helm calls it --insecure where it logs in.
    Option("--insecure-skip-tls-verify", "--insecure", help="do not check the registry's certificate"),
    Option("--timeout", takes="SECONDS", parse=float, help="give up after so many seconds"),
)
LOGIN = (
    Option(
        "-u",
        "--username",
        takes="NAME",
        help=f"who you are at the registry (or {USERNAME}); else the logins of helm, docker and podman count, and those of the cloud that this runs in",
    ),
    Option("--password-stdin", help="read the password from standard input"),
    Option(
        "--password-file",
        takes="FILE",
        completes=Completes.FILE,
        help=f"read the password from this file; without either it is taken from {PASSWORD}, or asked for",
    ),
)
REMOTE = CONNECTION + LOGIN
VERSION = Option("--version", takes="VERSION", help="a version, or a constraint such as ^1.2")


def host_of(location: str) -> str | None:
    """The registry's host, unless it is a directory's layout that is meant."""
    if location.startswith("oci-layout:"):
        return None
    return location.removeprefix("oci://").split("/", 1)[0]


def client(options: Options, location: str) -> Client:
    """A client for this location, with this command line's login for its host, or with those that are kept on this machine."""
    host = host_of(location)
    user = username(options)
    if user is None and (options.password_stdin or options.password_file is not None):
        raise UsageError(f"a password needs a name: --username, or {USERNAME}")
    auth = None
    if host is not None and user is not None:
        auth = {host: (user, password(options))}
    return connection(options, host, auth)


def connection(options: Options, host: str | None, auth: dict[str, tuple[str, str]] | None = None) -> Client:
    """A client that reaches this host as the command line says."""
    if (options.cert_file is None) != (options.key_file is None):
        raise UsageError("--cert-file and --key-file go together")
    certificates = {host: (options.cert_file, options.key_file)} if host is not None and options.cert_file else None
    return Client(
        auth=auth,
        stored_logins=True,
        cloud_logins=True,
        plain_http=[host] if options.plain_http and host is not None else [],
        insecure=[host] if options.insecure_skip_tls_verify and host is not None else [],
        ca_file=options.ca_file,
        client_certificates=certificates,
        timeout=options.timeout,
        user_agent=f"cli/{__version__}",
    )


def username(options: Options) -> str | None:
    """The name for the login, of the command line or the environment. Nobody means an empty one: a script's variable was not set."""
    if options.username == "":
        raise UsageError("the name after --username is empty")
    return options.username or os.environ.get(USERNAME) or None


def password(options: Options) -> str:
    """The password for the login."""
    return needed(
        "password", from_stdin=options.password_stdin, file=options.password_file, variable=PASSWORD
    )
