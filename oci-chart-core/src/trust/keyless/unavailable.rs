//! What a build without the feature answers.

use std::collections::BTreeMap;

use super::{
    super::{
        KeylessPolicy, PolicyKind, PublicKey, Requirement, Tlog,
        examination::{Examination, Objection},
    },
    TrustRoot, missing,
};
use crate::{chart::Timestamp, digest::Digest};

/// Judges certificates: this build cannot.
pub(in crate::trust) fn check(_: &Examination<'_>, _: &KeylessPolicy) -> Requirement {
    Requirement::unchecked(PolicyKind::Keyless, missing())
}

/// What a policy of keys asks of the transparency log.
pub(in crate::trust) enum Log {
    Ignored,
    Asked,
}

impl Log {
    pub(in crate::trust) fn new(tlog: &Tlog) -> Self {
        match tlog {
            Tlog::IgnoreExplicitly => Self::Ignored,
            Tlog::Require(_) => Self::Asked,
        }
    }

    pub(in crate::trust) fn root(&self) -> Option<&TrustRoot> {
        None
    }

    pub(in crate::trust) fn times_of_bundle(
        &self,
        _: &[u8],
        _: &PublicKey,
        _: &Digest,
    ) -> Result<Vec<Timestamp>, Objection> {
        self.ask()
    }

    pub(in crate::trust) fn times_of_layer(
        &self,
        _: &[u8],
        _: &BTreeMap<String, String>,
        _: &PublicKey,
    ) -> Result<Vec<Timestamp>, Objection> {
        self.ask()
    }

    pub(in crate::trust) fn times_of_envelope(
        &self,
        _: &[u8],
        _: &BTreeMap<String, String>,
        _: &PublicKey,
        _: &Digest,
    ) -> Result<Vec<Timestamp>, Objection> {
        self.ask()
    }

    fn ask(&self) -> Result<Vec<Timestamp>, Objection> {
        match self {
            Self::Ignored => Ok(Vec::new()),
            Self::Asked => Err(Objection::Unread(missing().into())),
        }
    }
}
