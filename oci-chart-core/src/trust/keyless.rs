//! Signatures of identities: who a certificate of Fulcio says has signed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Format, PolicyKind, Requirement,
    examination::Examination,
    policy::{cosign, cosign_formats, invalid},
};
use crate::error::{Error, ErrorKind, Reason, Result};

/// Signatures of identities that a Fulcio authority has certified.
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
    /// Annotations that must have been signed with these values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl KeylessPolicy {
    pub(super) fn validate(&self) -> Result<()> {
        if self.identities.is_empty() {
            return Err(invalid("a policy of identities has no identities"));
        }
        cosign_formats(&self.formats)
    }
}

/// An identity, and who vouches for it. Both are compared whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Identity {
    /// The issuer of the token, an URL.
    pub issuer: String,
    /// The certificate's subject: a mail address, or the URL of a workflow.
    pub subject: String,
}

/// The authorities and logs that are believed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TrustRoot {
    /// The text of a `trusted_root.json`.
    Json(String),
    /// The public good instance's, as it was when this library was released.
    Embedded,
}

/// Judges certificates.
pub(super) fn check(_examination: &Examination<'_>, _policy: &KeylessPolicy) -> Requirement {
    Requirement::unchecked(PolicyKind::Keyless, missing())
}

/// What this build says where certificates or log entries are asked for.
pub(super) fn missing() -> Error {
    Error::new(ErrorKind::Unsupported, "this build cannot check certificates and log entries")
        .with_reason(Reason::FeatureMissing)
        .with_hint("build with the feature `keyless`")
}
