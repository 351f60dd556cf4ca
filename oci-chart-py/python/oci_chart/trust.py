"""Who says so: policies, keys, and what was found of signatures. Signing and verifying are verbs of :class:`oci_chart.Client`.

>>> key = SigningKey.generate()
>>> policy = Policy.keys(key.public_key, tlog="ignore-explicitly")
>>> Policy.from_dict(policy.to_dict()) == policy
True
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ._data import Data
from ._native import (
    Attachment,
    Attestation,
    Descriptor,
    Keyring,
    PolicyCore,
    PublicKey,
    PushResult,
    Signer,
    SigningKey,
)
from ._native import verify_bundle as _verify_bundle
from .enums import AttachedKind, Format, KeyAlgorithm, KeyExpiry, PolicyKind, TrustOutcome, Verdict

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
            "tlog": tlog if tlog == "ignore-explicitly" else {"require": _root(tlog)},
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
            "trustRoot": _root(trust_root),
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


@dataclass(frozen=True)
class Candidate(Data):
    """Something that claims to be a signature, or a place where such would lie."""

    format: Format
    layer: int
    """Which layer of the manifest."""
    verdict: Verdict
    manifest: str | None = None
    """The digest of the manifest that holds it; None where the place itself gave no answer."""
    reason: str | None = None
    message: str | None = None
    signer: str | None = None
    """Who made it, where that is proven: the fingerprint of a key, or an identity."""


@dataclass(frozen=True)
class RootAge(Data):
    """How old a trust root is."""

    embedded: bool
    """Whether it is the one that came with the library."""
    dated: str
    days: int


@dataclass(frozen=True)
class PgpEvidence(Data):
    """Who signed a provenance file, as far as it and the key ring prove it."""

    primary: str
    """The fingerprint of the primary key."""
    signer: str
    """That of the key that signed: the same, or a subkey."""
    user_ids: tuple[str, ...]
    """Whom the primary key says it belongs to."""
    algorithm: str
    hash: str
    signed_at: str
    """By the signer's own clock, RFC 3339."""
    digest: str
    """The package's digest, which the signed text has."""
    expires_at: str | None = None
    file: str | None = None
    signed_file: str | None = None
    """The file name that was signed, where it is another one."""
    chart: str | None = None
    version: str | None = None
    metadata_differs: bool | None = None


@dataclass(frozen=True)
class Requirement(Data):
    """One node of a policy, answered."""

    policy: PolicyKind
    outcome: TrustOutcome
    reason: str | None = None
    message: str | None = None
    signers: tuple[str, ...] = ()
    """Who satisfied it: fingerprints of keys, identities."""
    trust_root: RootAge | None = None
    provenance: PgpEvidence | None = None
    candidates: tuple[Candidate, ...] = ()
    """What was looked at, in the order in which it was found."""
    parts: tuple[Requirement, ...] = ()
    """The answers of the parts of a policy that has such."""


@dataclass(frozen=True)
class Evidence(Data):
    """What was asked of a chart's signatures, what was found, and what came of it."""

    outcome: TrustOutcome
    subject: str
    """The digest that was checked."""
    asked: str
    """What the caller asked for."""
    resolved: str
    """The tag or digest that this came to."""
    store: str
    time: str
    """The time of the check, RFC 3339."""
    requirement: Requirement
    """The policy, answered part by part."""
    version: str | None = None
    """The version that was asked for, where that is one."""

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """Every candidate that some part of the policy looked at."""
        return tuple(candidate for part in _walk(self.requirement) for candidate in part.candidates)

    @property
    def signers(self) -> tuple[str, ...]:
        """Who satisfied the policy: fingerprints of keys, identities."""
        return self.requirement.signers


@dataclass(frozen=True)
class Verified(Data):
    """What was verified, and why it counts."""

    value: Descriptor
    evidence: Evidence

    @property
    def descriptor(self) -> Descriptor:
        """The manifest that was verified; pull it by its digest."""
        return self.value

    @property
    def digest(self) -> str:
        """Its digest."""
        return self.value.digest


@dataclass(frozen=True)
class VerifiedAttestation(Data):
    """A statement about a chart that satisfied a policy."""

    subject: Descriptor
    """The chart's manifest."""
    manifest: str
    """The digest of the manifest that holds the statement."""
    predicate_type: str
    predicate: str
    """What it says, JSON, as it was signed."""
    signer: str


@dataclass(frozen=True)
class VerifiedAttestations(Data):
    """The statements that satisfied a policy, and why they count."""

    value: tuple[VerifiedAttestation, ...]
    evidence: Evidence


@dataclass(frozen=True)
class SignatureTag(Data):
    """A signature tag, and what it points at."""

    tag: str
    manifest: Descriptor


@dataclass(frozen=True)
class Signed(Data):
    """What signing left behind."""

    subject: Descriptor
    """The manifest that was signed, which is untouched."""
    bundle: Descriptor | None = None
    signature_tag: SignatureTag | None = None
    kept: tuple[Format, ...] = ()
    """The forms in which a good signature of the same key was there already."""


@dataclass(frozen=True)
class Published:
    """What publishing did."""

    chart: PushResult
    signatures: tuple[Signed, ...] = ()
    """In the order of the signers."""
    attachments: tuple[Descriptor, ...] = ()
    attestations: tuple[Descriptor, ...] = ()

    @property
    def digest(self) -> str:
        """The digest of the chart's manifest."""
        return self.chart.digest

    @property
    def reference(self) -> str:
        """The chart by digest, which nobody can move."""
        return self.chart.reference


@dataclass(frozen=True)
class Attached(Data):
    """One thing that is attached to a chart, or to something else that is."""

    digest: str
    """Its manifest; :meth:`oci_chart.Client.fetch_attachment` takes it out."""
    subject: str
    """What it is attached to."""
    depth: int
    """How many steps from the chart."""
    kind: AttachedKind
    """What it claims to be. Nobody has checked that."""
    layers: tuple[str, ...]
    """The media types of its layers."""
    bytes: int
    """The size of its layers."""
    tag: str | None = None
    """The tag under which it was found, if not among the referrers."""
    artifact_type: str | None = None
    predicate_type: str | None = None
    """What an unsigned annotation claims."""

    @classmethod
    def from_dict(cls, data: dict[str, Any], /) -> Attached:
        """Reads what :meth:`to_dict` gives."""
        place = data["place"]
        return super().from_dict(data if isinstance(place, str) else data | place)

    def to_dict(self) -> dict[str, Any]:
        """As the library writes it in every language."""
        found = super().to_dict()
        tag = found.pop("tag", None)
        return found | {"place": "referrers" if tag is None else {"tag": tag}}


@dataclass(frozen=True)
class Tree(Data):
    """All that is attached to a chart, each entry right before what is attached to it. As text it is a drawing."""

    subject: str
    attached: tuple[Attached, ...] = ()
    text: str = field(default="", repr=False, compare=False)

    def __str__(self) -> str:
        return self.text or super().__repr__()


@dataclass(frozen=True)
class KeyInfo(Data):
    """A key of a ring. Nothing of it is verified."""

    fingerprint: str
    user_ids: tuple[str, ...] = ()
    subkeys: tuple[str, ...] = ()
    secret: bool = False
    """Whether a secret part is there."""


@dataclass(frozen=True)
class BundleProof(Data):
    """What a bundle proved."""

    signer: str
    """The fingerprint of a key, or subject and issuer."""
    time: datetime | None = None
    """When it was signed, by the earliest witness; a key needs none."""


def verify_bundle(
    bundle: Buffer,
    artifact: Buffer | PathLike[str] | str,
    /,
    *signers: PublicKey | Identity,
    trust_root: Literal["embedded"] | Path | Mapping[str, Any] = "embedded",
) -> BundleProof:
    """Checks a Sigstore bundle that lies beside anything, offline, as ``cosign verify-blob`` does.

    ``artifact`` is the content, its :class:`~pathlib.Path`, or its digest as ``str``. One of the identities has to have signed, or the one key; a log
    entry is demanded of both. For charts there is :meth:`oci_chart.Client.verify`.

    :raises SignatureInvalidError: where the bundle proves nothing.
    :raises PolicyDeniedError: where somebody else has signed.
    """
    signer: dict[str, Any]
    match signers:
        case (PublicKey(pem),):
            signer = {"key": pem}
        case _ if all(isinstance(each, Identity) for each in signers):
            signer = {"identities": [each.to_dict() for each in signers if isinstance(each, Identity)]}
        case _:
            raise TypeError("a bundle is held against one key, or against identities")
    found = _verify_bundle(bundle, artifact, json.dumps(signer), json.dumps(_root(trust_root)))
    return BundleProof.from_json(found)


def _walk(requirement: Requirement) -> Iterable[Requirement]:
    open = [requirement]
    while open:
        yield (here := open.pop())
        open.extend(reversed(here.parts))


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


def _root(root: object) -> object:
    if isinstance(root, PathLike):
        return json.loads(Path(root).read_text(encoding="utf-8"))
    return root


def _ring(keyring: Buffer | PathLike[str]) -> str:
    import base64

    data = Path(keyring).read_bytes() if isinstance(keyring, PathLike) else bytes(keyring)
    armored = data.startswith(b"-----BEGIN ")
    return data.decode("ascii", "replace") if armored else base64.b64encode(data).decode()


def _time(time: datetime) -> str:
    if time.tzinfo is None:
        raise ValueError("a time in a policy knows its time zone")
    return time.isoformat(timespec="seconds")


__all__ = [
    "Attached",
    "AttachedKind",
    "Attachment",
    "Attestation",
    "BundleProof",
    "Candidate",
    "Evidence",
    "Format",
    "Identity",
    "KeyAlgorithm",
    "KeyExpiry",
    "KeyInfo",
    "Keyring",
    "PgpEvidence",
    "Policy",
    "PolicyKind",
    "PublicKey",
    "Published",
    "Requirement",
    "RootAge",
    "SignatureTag",
    "Signed",
    "Signer",
    "SigningKey",
    "Tree",
    "TrustOutcome",
    "TrustedKey",
    "Verdict",
    "Verified",
    "VerifiedAttestation",
    "VerifiedAttestations",
    "verify_bundle",
]
