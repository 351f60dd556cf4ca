//! Signatures of identities: a certificate that lives for ten minutes says who signed, and a log says when.
//!
//! Nobody keeps a key. Fulcio certifies a fresh one for whoever shows an OpenID token, the signature goes into a transparency log, the key is
//! thrown away. To check one offline takes a [`TrustRoot`]: the authorities and logs that are believed. What is checked, by the crate
//! `sigstore-verify` and after the client specification of Sigstore (architecture-docs, `client-spec.md`, section 4): that the certificate chains to the root and
//! was in the certificate log; that it was valid whenever the log or a timestamp authority saw the signature; that the log entry is
//! in the log and speaks of this signature, this certificate and this digest; and the signature. Whose certificate it is, is
//! compared here, with an [`Identity`].
//!
//! The cryptography is that of the rest of the library: ECDSA over P-256 and P-384, Ed25519, RSA of 2048 to 8192 bits. What is signed with ML-DSA, which
//! that crate knows too, could not be checked: neither good nor bad. Which cryptography that crate uses is one choice for the whole process, made at the
//! first check; a program that uses it too and has installed a `CryptoProvider` of its own before keeps that, here as well.
//!
//! Charts that cosign 1 and 2 signed this way are read too: what lies in the annotations of a signature tag becomes a bundle of version 0.1.

mod blob;
mod identity;
#[cfg(feature = "keyless")]
mod judge;
#[cfg(feature = "keyless")]
mod machine;
mod pattern;
#[cfg(feature = "keyless")]
mod provider;
#[cfg(feature = "keyless")]
mod transcode;
mod trust_root;
#[cfg(not(feature = "keyless"))]
mod unavailable;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Format,
    policy::{cosign, cosign_formats, invalid},
};
use crate::error::Result;
#[cfg(not(feature = "keyless"))]
use crate::error::{Error, ErrorKind, Reason};

pub use blob::{BundleArtifact, BundleProof, BundleSigner, verify_bundle};
pub use identity::{Claim, Identity};
pub use pattern::{Pattern, PatternError};
pub use trust_root::{RootAge, TrustRoot};

#[cfg(feature = "keyless")]
pub(super) use judge::{Log, check};
#[cfg(not(feature = "keyless"))]
pub(super) use unavailable::{Log, check};

/// Signatures of identities that a Fulcio authority has certified. Nothing that a key without a certificate has signed counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct KeylessPolicy {
    /// Who may have signed; one of them is enough.
    pub identities: Vec<Identity>,
    /// Whom to believe.
    pub trust_root: TrustRoot,
    /// Which forms count. Only these are looked for, and each of them must be readable.
    #[serde(default = "cosign")]
    pub formats: Vec<Format>,
    /// Annotations that must have been signed with these values (`cosign sign -a`); others may be there too.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// The repository that the signature must name, as `host/path`; see [`KeyPolicy::expect_identity`](super::KeyPolicy::expect_identity).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect_identity: Option<String>,
}

impl KeylessPolicy {
    /// A signature of any of `identities`, in any of cosign's forms.
    pub fn new(identities: impl IntoIterator<Item = Identity>, trust_root: TrustRoot) -> Self {
        Self {
            identities: identities.into_iter().collect(),
            trust_root,
            formats: Format::COSIGN.to_vec(),
            annotations: BTreeMap::new(),
            expect_identity: None,
        }
    }

    /// The same for these forms only.
    #[must_use]
    pub fn with_formats(mut self, formats: impl IntoIterator<Item = Format>) -> Self {
        self.formats = formats.into_iter().collect();
        self
    }

    /// The same with one more annotation that must have been signed.
    #[must_use]
    pub fn with_annotation(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.annotations.insert(key.into(), value.into());
        self
    }

    /// The same for signatures that name this repository.
    #[must_use]
    pub fn with_identity(mut self, repository: impl Into<String>) -> Self {
        self.expect_identity = Some(repository.into());
        self
    }

    pub(super) fn validate(&self) -> Result<()> {
        if self.identities.is_empty() {
            return Err(invalid("a policy of identities has no identities"));
        }
        self.identities.iter().try_for_each(Identity::validate)?;
        cosign_formats(&self.formats)
    }
}

/// What a build without the feature says where certificates or log entries are asked for.
#[cfg(not(feature = "keyless"))]
fn missing() -> Error {
    Error::new(ErrorKind::Unsupported, "this build cannot check certificates and log entries")
        .with_reason(Reason::FeatureMissing)
        .with_hint("build with the feature `keyless`")
}
