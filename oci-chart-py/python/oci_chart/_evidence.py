"""What was found of signatures, and what verbs of trust left behind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ._data import Data
from ._native import Descriptor, PushResult, VerifiedCore
from .enums import AttachedKind, Format, PolicyKind, TrustOutcome, Verdict


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
    """What was verified, and why it counts. Read, copied or unpickled it is a report; what :meth:`oci_chart.Client.verify` gave is a proof too."""

    value: Descriptor
    evidence: Evidence
    _core: VerifiedCore | None = field(default=None, repr=False, compare=False)

    @property
    def descriptor(self) -> Descriptor:
        """The manifest that was verified; pull it by its digest."""
        return self.value

    @property
    def digest(self) -> str:
        """Its digest."""
        return self.value.digest

    def __reduce__(self) -> tuple[type[Verified], tuple[Descriptor, Evidence]]:
        return Verified, (self.value, self.evidence)


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


def _walk(requirement: Requirement) -> Iterable[Requirement]:
    open = [requirement]
    while open:
        yield (here := open.pop())
        open.extend(reversed(here.parts))
