"""Options that say by whom a chart has to be signed."""

from __future__ import annotations

import os

from .. import PublicKey
from .verb import Completes, Option, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Literal

    from ..trust import Policy
    from .verb import Options

OPTIONS = (
    Option(
        "--key",
        takes="FILE",
        many=True,
        completes=Completes.FILE,
        help="a public key that may have signed, as cosign.pub, or env://VARIABLE; once for each",
    ),
    Option("--threshold", takes="N", parse=int, default="1", help="how many of the keys must have signed"),
    Option("--tlog", help="demand an entry in the transparency log for the signature of a key too"),
    Option(
        "--certificate-identity",
        takes="IDENTITY",
        help="who may have signed without a key: an address or URL, where * stands for a part of a path",
    ),
    Option("--certificate-oidc-issuer", takes="URL", help="who vouches for that identity"),
    Option(
        "--trusted-root",
        takes="FILE",
        completes=Completes.FILE,
        help="authorities and logs, as trusted_root.json; else those of the public instance",
    ),
    Option(
        "--keyring",
        takes="FILE",
        completes=Completes.FILE,
        help="OpenPGP keys that may have signed a provenance file, as gpg writes them",
    ),
    Option(
        "--fingerprint",
        takes="HEX",
        many=True,
        help="only this key of the ring may have signed; once for each",
    ),
    Option(
        "-a",
        "--annotation",
        takes="KEY=VALUE",
        many=True,
        help="what must have been signed along; once for each",
    ),
    Option(
        "--policy", takes="FILE", completes=Completes.FILE, help="a policy, as JSON, which must be satisfied too"
    ),
)


def asked(options: Options) -> Policy | None:
    """All that the options demand, as one policy; None where they demand nothing."""
    _stricter(options)
    if not _named(options):
        return None
    from pathlib import Path

    from ..trust import Identity, Policy

    root: Literal["embedded"] | Path = "embedded" if options.trusted_root is None else Path(options.trusted_root)
    annotations = pairs(options.annotation)
    found = []
    if options.key:
        keys = [public_key(key) for key in options.key]
        tlog: Literal["embedded", "ignore-explicitly"] | Path = root if options.tlog else "ignore-explicitly"
        found.append(Policy.keys(*keys, threshold=options.threshold, tlog=tlog, annotations=annotations))
    if (options.certificate_identity is None) != (options.certificate_oidc_issuer is None):
        raise UsageError("--certificate-identity and --certificate-oidc-issuer go together")
    if options.certificate_identity is not None:
        identity = Identity(options.certificate_oidc_issuer, options.certificate_identity)
        found.append(Policy.keyless(identity, trust_root=root, annotations=annotations))
    if options.keyring is not None:
        found.append(pgp(options.keyring, options.fingerprint))
    if options.policy is not None:
        found.append(Policy.load(options.policy))
    return found[0] if len(found) == 1 else Policy.all(*found)


def pgp(keyring: str, fingerprints: list[str]) -> Policy:
    """Any key of the ring, as in Helm, or some."""
    from pathlib import Path

    from ..trust import Policy

    return Policy.pgp(Path(keyring), *fingerprints, any_key=not fingerprints)


def demanded(options: Options) -> Policy:
    """The same where something has to be demanded; as in Helm that is a signature by a key of gpg's ring, if there is one."""
    ring = os.path.expanduser("~/.gnupg/pubring.gpg")
    if not _named(options) and os.path.exists(ring):
        options.keyring = ring
    found = asked(options)
    if found is None:
        raise UsageError("say who may have signed: --key, --certificate-identity, --keyring or --policy")
    return found


def _named(options: Options) -> bool:
    """Whether the options name anybody, or have a policy that does."""
    return any((options.key, options.certificate_identity, options.certificate_oidc_issuer, options.keyring, options.policy))


def _stricter(options: Options) -> None:
    """What only makes another option stricter is not dropped where that is missing: whoever wrote it wants something checked."""
    keyless = options.certificate_identity is not None
    for flag, given, has_partner, partner in (
        ("--threshold", options.threshold != 1, options.key, "--key"),
        ("--tlog", options.tlog, options.key, "--key"),
        ("--trusted-root", options.trusted_root, keyless or options.tlog, "--certificate-identity or --tlog"),
        ("--annotation", options.annotation, options.key or keyless, "--key or --certificate-identity"),
        ("--fingerprint", options.fingerprint, options.keyring, "--keyring"),
    ):
        if given and not has_partner:
            raise UsageError(f"{flag} goes with {partner}")


def public_key(text: str) -> PublicKey:
    """The key in a file, or in a variable of the environment."""
    name = text.removeprefix("env://")
    return PublicKey.load(text) if name == text else PublicKey(variable(name))


def variable(name: str) -> str:
    """A variable that has to be there."""
    if not name:
        raise UsageError("env:// goes before the name of a variable")
    if name not in os.environ:
        raise UsageError(f"{name} is not set")
    return os.environ[name]


def pairs(texts: list[str]) -> dict[str, str]:
    """KEY=VALUE, several times."""
    found = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise UsageError(f"not KEY=VALUE: {text}")
        found[key] = value
    return found
