use std::fmt;

use super::fingerprint::Fingerprint;
use crate::{
    chart::Timestamp,
    error::{Error, ErrorKind, Reason},
};

/// Why a signature on a provenance file does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PgpFault {
    /// There is no signature in the signature block.
    NoSignature,
    /// The signature block has something else than signatures, or too many of them, or is damaged.
    Packets,
    /// A signature of a version that is not read; 4 and 6 are.
    Version(u8),
    /// Not a signature over a text. The number is OpenPGP's signature type; a text has 1.
    Type(u8),
    /// The hash algorithm is too weak.
    WeakHash(String),
    /// The headers of the file announce other hash algorithms than the signatures use.
    HashHeader {
        /// What the signature uses.
        used: String,
        /// What the headers say.
        announced: String,
    },
    /// The signature does not say when it was made, or is bound to a condition that nobody here knows.
    Unusable(&'static str),
    /// The ring has no such key.
    UnknownKey {
        /// Fingerprints or key ids, as the signature has them.
        issuer: String,
    },
    /// The policy does not name this key.
    NotAllowed(Fingerprint),
    /// The text was changed, or signed with another key.
    Bad(Fingerprint),
    /// The signature is dated after the time of verification.
    FromFuture(Timestamp),
    /// The signature is dated before its key.
    OlderThanKey(Timestamp),
    /// The signature was only good until then.
    Expired(Timestamp),
    /// The key was only good until then.
    KeyExpired {
        /// Which key.
        key: Fingerprint,
        /// The end.
        at: Timestamp,
    },
    /// The key was revoked.
    KeyRevoked {
        /// Which key.
        key: Fingerprint,
        /// Why, as far as its owner said.
        why: &'static str,
    },
    /// The key is too short or of a kind that is not trusted any more.
    WeakKey {
        /// Which key.
        key: Fingerprint,
        /// What it is, such as `RSA-1024`.
        algorithm: String,
    },
    /// The key is of a kind whose signatures are not checked here.
    UnsupportedKey {
        /// Which key.
        key: Fingerprint,
        /// What it is, such as `brainpoolP256r1`.
        algorithm: String,
    },
    /// What the key says of itself does not count.
    KeyUnusable {
        /// Which key.
        key: Fingerprint,
        /// Why.
        why: &'static str,
    },
}

impl PgpFault {
    /// Whether Helm 4.2 accepts such a file; it checks less.
    pub fn helm_accepts(&self) -> bool {
        match self {
            Self::WeakHash(hash) => matches!(hash.as_str(), "SHA1" | "SHA224"),
            Self::HashHeader { .. }
            | Self::NotAllowed(_)
            | Self::OlderThanKey(_)
            | Self::WeakKey { .. }
            | Self::UnsupportedKey { .. } => true,
            Self::KeyUnusable { why, .. } => *why == SHA1_SELF_SIGNATURE,
            _ => false,
        }
    }

    pub(super) fn reason(&self) -> Reason {
        match self {
            Self::UnknownKey { .. } | Self::NotAllowed(_) => Reason::NoTrustedKey,
            Self::KeyExpired { .. } => Reason::KeyExpired,
            Self::KeyRevoked { .. } => Reason::KeyRevoked,
            Self::WeakHash(_) | Self::WeakKey { .. } => Reason::WeakAlgorithm,
            Self::UnsupportedKey { .. } => Reason::UnsupportedKey,
            Self::KeyUnusable { why, .. } if *why == SHA1_SELF_SIGNATURE => Reason::WeakAlgorithm,
            Self::KeyUnusable { .. } => Reason::KeyUnusable,
            Self::FromFuture(_) | Self::OlderThanKey(_) | Self::Expired(_) => Reason::SignatureTime,
            Self::Bad(_) => Reason::SignatureMismatch,
            _ => Reason::ProvenanceMalformed,
        }
    }

    /// A good signature that is not good enough is denied; whatever else is no signature by anybody who is trusted.
    fn kind(&self) -> ErrorKind {
        match self {
            Self::FromFuture(_)
            | Self::OlderThanKey(_)
            | Self::Expired(_)
            | Self::KeyExpired { .. }
            | Self::KeyRevoked { .. }
            | Self::WeakKey { .. }
            | Self::KeyUnusable { .. } => ErrorKind::PolicyDenied,
            _ => ErrorKind::SignatureInvalid,
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::UnknownKey { .. } => {
                "get the signer's public key from a place you trust, and add it to the ring"
            }
            Self::NotAllowed(_) => "if this signer is to be trusted, add the fingerprint to the policy",
            Self::Bad(_) => {
                "the file was changed after it was signed; fetch it again, from another source if need be"
            }
            Self::KeyExpired { .. } => {
                "get the key anew, its owner may have extended it; the policy's `KeyExpiry::AtSigning` accepts what was signed before"
            }
            Self::KeyRevoked { .. } => "have the package signed again with another key",
            Self::KeyUnusable { why, .. } if *why == SHA1_SELF_SIGNATURE => {
                "ask the owner to renew the key with `gpg --edit-key`; `sha1_self_signatures` of the policy accepts it as it is"
            }
            Self::KeyUnusable { .. } => "sign with a key, or subkey, whose flags allow signing",
            Self::FromFuture(_) => "check the clock of this machine, and that of the signer",
            _ => {
                "have the package signed again, with a key of today (RSA from 2048 bits, Ed25519, P-256) and SHA-512"
            }
        }
    }
}

/// The most common statement that is too weak: keys made before about 2010, and by old programs since.
pub(super) const SHA1_SELF_SIGNATURE: &str = "its self-signature uses SHA-1";

impl fmt::Display for PgpFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSignature => f.write_str("the provenance file has no signature"),
            Self::Packets => f.write_str("the signature block is no list of signatures"),
            Self::Version(version) => write!(f, "a signature of version {version}"),
            Self::Type(kind) => write!(f, "a signature of type {kind:#04x}, which is not over a text"),
            Self::WeakHash(hash) => write!(f, "signed with the weak hash {hash}"),
            Self::HashHeader { used, announced } => {
                write!(f, "the file announces the hash {announced}, and is signed with {used}")
            }
            Self::Unusable(what) => write!(f, "the signature {what}"),
            Self::UnknownKey { issuer } => write!(f, "signed with a key that is not in the ring: {issuer}"),
            Self::NotAllowed(key) => write!(f, "signed with a key that the policy does not name: {key}"),
            Self::Bad(key) => write!(f, "the signature of key {key} does not fit the text"),
            Self::FromFuture(time) => write!(f, "the signature is of a time to come: {time}"),
            Self::OlderThanKey(time) => write!(f, "the signature is older than its key: {time}"),
            Self::Expired(time) => write!(f, "the signature expired at {time}"),
            Self::KeyExpired { key, at } => write!(f, "key {key} expired at {at}"),
            Self::KeyRevoked { key, why } => write!(f, "key {key} is revoked: {why}"),
            Self::WeakKey { key, algorithm } => write!(f, "key {key} is too weak: {algorithm}"),
            Self::UnsupportedKey { key, algorithm } => {
                write!(f, "signatures of key {key} are not checked here, for it is of the kind {algorithm}")
            }
            Self::KeyUnusable { key, why } => write!(f, "key {key} may not sign: {why}"),
        }
    }
}

impl std::error::Error for PgpFault {}

impl From<PgpFault> for Error {
    fn from(fault: PgpFault) -> Self {
        let mut hint = fault.hint().to_owned();
        if fault.helm_accepts() {
            hint.push_str("; Helm would accept this file");
        }
        Self::new(fault.kind(), fault.to_string())
            .with_reason(fault.reason())
            .with_hint(hint)
            .with_source(fault)
    }
}
