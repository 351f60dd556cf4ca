"""Who says so: policies, keys, and what was found of signatures. Signing and verifying are verbs of :class:`oci_chart.Client`.

>>> key = SigningKey.generate()
>>> policy = Policy.keys(key.public_key, tlog="ignore-explicitly")
>>> Policy.from_dict(policy.to_dict()) == policy
True
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ._evidence import (
    Attached,
    BundleProof,
    Candidate,
    Evidence,
    KeyInfo,
    PgpEvidence,
    Published,
    Requirement,
    RootAge,
    SignatureTag,
    Signed,
    Tree,
    Verified,
    VerifiedAttestation,
    VerifiedAttestations,
)
from ._native import Attachment, Attestation, Keyring, PublicKey, Signer, SigningKey
from ._native import verify_bundle as _verify_bundle
from ._policy import Identity, Policy, TrustedKey
from ._policy import root_of as _root_of
from .enums import AttachedKind, Format, KeyAlgorithm, KeyExpiry, PolicyKind, TrustOutcome, Verdict

if TYPE_CHECKING:
    from typing_extensions import Buffer


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
    found = _verify_bundle(bundle, artifact, json.dumps(signer), json.dumps(_root_of(trust_root)))
    return BundleProof.from_json(found)


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
