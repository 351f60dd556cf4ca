"""What has to be true of a chart's signatures."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ._native import PolicyCore, PublicKey
from .enums import Format, KeyExpiry

if TYPE_CHECKING:
    from typing_extensions import Buffer


@dataclass(frozen=True)
class TrustedKey:
    """A public key, and when it counts."""

    key: PublicKey
    name: str | None = None
    """What people call it."""
    not_before: datetime | None = None
    """Signatures before this time do not count."""
    not_after: datetime | None = None
    """Nor do those after it."""

    def to_dict(self) -> dict[str, Any]:
        """As it stands in a policy."""
        found: dict[str, Any] = {"key": self.key.pem}
        if self.name is not None:
            found["name"] = self.name
        if self.not_before is not None:
            found["notBefore"] = _time(self.not_before)
        if self.not_after is not None:
            found["notAfter"] = _time(self.not_after)
        return found


@dataclass(frozen=True)
class Identity:
    """Who may have signed without a key of their own: a subject, and the issuer who vouches for it.

    In texts, ``*`` stands for anything within a part of a path and ``**`` for anything at the end, unless ``exact``. ``claims`` are what the
    certificate must say of the build, by their names: ``source-repository-owner``, ``runner-environment``.
    """

    issuer: str
    """The issuer's URL, compared whole."""
    subject: str
    """An e-mail address, or the URL of a workload."""
    exact: bool = False
    """Whether stars in the subject are stars."""
    claims: dict[str, str] = field(default_factory=dict, hash=False)

    def to_dict(self) -> dict[str, Any]:
        """As it stands in a policy."""
        found: dict[str, Any] = {
            "issuer": self.issuer,
            "subject": {"exact": self.subject} if self.exact else {"pattern": self.subject},
        }
        if self.claims:
            found["claims"] = {name: {"pattern": text} for name, text in self.claims.items()}
        return found


class Policy:
    """What has to be true of a chart's signatures. Data: it is made of JSON, and turned back into it.

    Policies are joined with ``&`` and ``|``. They are compared, hashed, pickled and shown by their JSON.
    """

    __slots__ = ("_core", "_json")
    __match_args__ = ("json",)

    def __init__(self, json: str, /) -> None:
        self._core = PolicyCore(json)
        self._json = self._core.json()

    @classmethod
    def from_json(cls, text: str, /) -> Policy:
        """Reads a policy.

        :raises InvalidInputError: for JSON that is none, and for a policy that anybody or nobody could satisfy.
        """
        return cls(text)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], /) -> Policy:
        """Reads a policy that is ``dict`` and ``list`` already."""
        return cls(json.dumps(data))

    @classmethod
    def load(cls, path: str | PathLike[str], /) -> Policy:
        """Reads a file of JSON."""
        return cls(Path(path).read_text(encoding="utf-8"))

    @classmethod
    def from_flux(cls, object: str | Buffer, /, *secrets: str | Buffer) -> Policy:
        """What Flux is told to verify: ``spec.verify`` of an ``OCIRepository`` or ``HelmChart``, or ``spec.chart.spec.verify`` of a ``HelmRelease``, YAML or
        JSON, with the manifests of the Secrets that it names.

        The policy takes nothing that Flux would not take, but that a run of one letter or more (``+``) may be empty. Regular expressions have to be bound by
        ``^`` and ``$``.

        :raises InvalidInputError: for an object that demands nothing, or something unknown, and for what its Secrets lack.
        :raises UnsupportedError: for ``provider: notation``.

        >>> flux = {"spec": {"verify": {"provider": "cosign", "secretRef": {"name": "cosign"}}}}
        >>> secret = {"kind": "Secret", "metadata": {"name": "cosign"}, "stringData": {"cosign.pub": key.public_key.pem}}
        >>> Policy.from_flux(json.dumps(flux), json.dumps(secret)).to_dict()["keys"]["tlog"]
        'ignore-explicitly'
        """
        return cls(PolicyCore.from_flux(*_octets(object, secrets)).json())

    @classmethod
    def from_cluster_image_policy(cls, object: str | Buffer, /, *secrets: str | Buffer) -> Policy:
        """What a ``ClusterImagePolicy`` of Sigstore's policy-controller demands, YAML or JSON, with the manifests of the Secrets that it names.

        A ``trustRootRef`` names a Secret with the key ``trusted_root.json``. To which charts it applies (``images``, ``match``) and where signatures lie
        (``source``) is for the caller to say; without ``signatureFormat``, signature tags alone count. Regular expressions have to be bound by ``^`` and ``$``.

        :raises InvalidInputError: for another object, an unknown demand, what its Secrets lack, and where no or anybody's signature would do.
        :raises UnsupportedError: for attestations, CUE and Rego, keys in a KMS, certificates without a trusted root, and timestamps in place of a log.

        >>> authority = {"key": {"data": key.public_key.pem}, "signatureFormat": "bundle"}
        >>> images = {"kind": "ClusterImagePolicy", "spec": {"images": [{"glob": "**"}], "authorities": [authority]}}
        >>> Policy.from_cluster_image_policy(json.dumps(images)).to_dict()["keys"]["formats"]
        ['bundle']
        """
        return cls(PolicyCore.from_cluster_image_policy(*_octets(object, secrets)).json())

    @classmethod
    def keys(
        cls,
        *keys: PublicKey | TrustedKey,
        tlog: Literal["ignore-explicitly"] | Path | Mapping[str, Any] | Literal["embedded"],
        threshold: int = 1,
        formats: Iterable[Format | str] | None = None,
        annotations: Mapping[str, str] | None = None,
        expect_identity: str | None = None,
    ) -> Policy:
        """Signatures of keys that are known, as cosign makes them.

        ``tlog`` has no default: ``"ignore-explicitly"`` believes who has the key, whenever it signed; a trust root (``"embedded"``, the ``Path`` of a
        ``trusted_root.json``, or its content) asks for an entry in one of its logs. Different keys count towards the ``threshold``. ``annotations`` must
        have been signed with these values, and a signature must name ``expect_identity``, a ``host/path``.
        """
        trusted = [key if isinstance(key, TrustedKey) else TrustedKey(key) for key in keys]
        wanted: dict[str, Any] = {
            "keys": [key.to_dict() for key in trusted],
            "threshold": threshold,
            "tlog": tlog if tlog == "ignore-explicitly" else {"require": root_of(tlog)},
        }
        return cls.from_dict({"keys": wanted | _common(formats, annotations, expect_identity)})

    @classmethod
    def keyless(
        cls,
        *identities: Identity,
        trust_root: Literal["embedded"] | Path | Mapping[str, Any] = "embedded",
        formats: Iterable[Format | str] | None = None,
        annotations: Mapping[str, str] | None = None,
        expect_identity: str | None = None,
    ) -> Policy:
        """Signatures of identities that a Fulcio authority has certified; one of them is enough. Nothing is asked of the network.

        ``trust_root`` is the public-good instance's as it was when this version was made, the ``Path`` of a ``trusted_root.json``, or its content.
        """
        wanted = {
            "identities": [identity.to_dict() for identity in identities],
            "trustRoot": root_of(trust_root),
        }
        return cls.from_dict({"keyless": wanted | _common(formats, annotations, expect_identity)})

    @classmethod
    def pgp(
        cls,
        keyring: Buffer | PathLike[str],
        /,
        *fingerprints: str,
        any_key: bool = False,
        expiry: KeyExpiry | str = KeyExpiry.STRICT,
        sha1_self_signatures: bool = False,
    ) -> Policy:
        """A provenance file, signed by one of the keys with these fingerprints, or by ``any_key`` of the ring as in Helm."""
        wanted: dict[str, Any] = {"keyring": _ring(keyring), "expiry": str(expiry)}
        if fingerprints:
            wanted["fingerprints"] = list(fingerprints)
        if any_key:
            wanted["anyKey"] = True
        if sha1_self_signatures:
            wanted["sha1SelfSignatures"] = True
        return cls.from_dict({"pgp": wanted})

    @classmethod
    def all(cls, *policies: Policy) -> Policy:
        """Every one of these."""
        return cls.from_dict({"all": [policy.to_dict() for policy in policies]})

    @classmethod
    def any(cls, *policies: Policy) -> Policy:
        """At least one of these."""
        return cls.from_dict({"any": [policy.to_dict() for policy in policies]})

    @property
    def json(self) -> str:
        """The policy in the one form that every language of the library writes."""
        return self._json

    def to_json(self) -> str:
        """As :attr:`json`."""
        return self._json

    def to_dict(self) -> dict[str, Any]:
        """As ``dict``, ``list``, ``str`` and numbers."""
        found: dict[str, Any] = json.loads(self._json)
        return found

    def __and__(self, other: Policy) -> Policy:
        return Policy.all(self, other) if isinstance(other, Policy) else NotImplemented

    def __or__(self, other: Policy) -> Policy:
        return Policy.any(self, other) if isinstance(other, Policy) else NotImplemented

    def __eq__(self, other: object) -> bool:
        return self._json == other._json if isinstance(other, Policy) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._json)

    def __repr__(self) -> str:
        return f"Policy({self._json!r})"

    def __reduce__(self) -> tuple[type[Policy], tuple[str]]:
        return Policy, (self._json,)

    def __setattr__(self, name: str, value: object) -> None:
        if hasattr(self, "_json"):
            raise AttributeError(f"a policy cannot be changed: {name}")
        object.__setattr__(self, name, value)


def _common(
    formats: Iterable[Format | str] | None, annotations: Mapping[str, str] | None, identity: str | None
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if formats is not None:
        found["formats"] = [str(format) for format in formats]
    if annotations:
        found["annotations"] = dict(annotations)
    if identity is not None:
        found["expectIdentity"] = identity
    return found


def root_of(root: object) -> object:
    """A trust root as it stands in a policy."""
    if isinstance(root, PathLike):
        return json.loads(Path(root).read_text(encoding="utf-8"))
    return root


def _octets(object: str | Buffer, secrets: Sequence[str | Buffer]) -> tuple[Buffer, list[Buffer]]:
    found = [text.encode() if isinstance(text, str) else text for text in (object, *secrets)]
    return found[0], found[1:]


def _ring(keyring: Buffer | PathLike[str]) -> str:
    import base64

    data = Path(keyring).read_bytes() if isinstance(keyring, PathLike) else bytes(keyring)
    armored = data.startswith(b"-----BEGIN ")
    return data.decode("ascii", "replace") if armored else base64.b64encode(data).decode()


def _time(time: datetime) -> str:
    if time.tzinfo is None:
        raise ValueError("a time in a policy knows its time zone")
    return time.isoformat(timespec="seconds")
