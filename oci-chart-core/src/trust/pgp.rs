//! Provenance files, signed with PGP.

use serde::{Deserialize, Serialize};

use super::{PolicyKind, Requirement, examination::Examination, policy::invalid};
use crate::error::{Error, ErrorKind, Reason, Result};

/// A provenance file with a signature of a key in the keyring.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct PgpPolicy {
    /// The keyring, in any form; base64 in JSON.
    pub keyring: String,
    /// Which keys of it count, by fingerprint; all where none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fingerprints: Vec<String>,
}

impl PgpPolicy {
    pub(super) fn validate(&self) -> Result<()> {
        if self.keyring.is_empty() {
            Err(invalid("a policy of provenance files has no keyring"))
        } else {
            Ok(())
        }
    }
}

/// Judges the provenance file.
pub(super) fn check(_examination: &Examination<'_>, _policy: &PgpPolicy) -> Requirement {
    let error = Error::new(ErrorKind::Unsupported, "this build cannot check provenance files")
        .with_reason(Reason::FeatureMissing)
        .with_hint("build with the feature `pgp`");
    Requirement::unchecked(PolicyKind::Pgp, error)
}
