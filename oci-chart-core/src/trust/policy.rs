//! What a caller asks for, as data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Format, KeylessPolicy, PgpPolicy, PublicKey, TrustRoot, text};
use crate::{
    chart::Timestamp,
    error::{Error, ErrorKind, Result},
};

/// How deep [`Policy::All`] and [`Policy::Any`] may be nested.
const DEEPEST: usize = 8;

/// What has to be true of a chart's signatures. Data: serialises to JSON and back.
///
/// # Examples
///
/// ```
/// use oci_chart_core::trust::{KeyPolicy, Policy, Tlog, TrustedKey};
///
/// let pem = "-----BEGIN PUBLIC KEY-----
/// MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE0/hF6a35DhXHk0I26zyD6QMGs8wy
/// yr+KpKuYurXJ5MMzO179Bm6ISbTxGRNtPzB4o+dRemgD6Y+HqAhxzJP9ZQ==
/// -----END PUBLIC KEY-----
/// ";
/// let key = TrustedKey::new(pem.parse()?);
/// let policy = Policy::Keys(KeyPolicy::new([key], Tlog::IgnoreExplicitly));
/// assert_eq!(Policy::from_json(&policy.to_json())?, policy);
/// # Ok::<(), oci_chart_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Policy {
    /// Signatures of keys that are known.
    Keys(KeyPolicy),
    /// Signatures of identities, certified by a Fulcio authority.
    Keyless(KeylessPolicy),
    /// A provenance file, signed with PGP.
    Pgp(PgpPolicy),
    /// Every one of these.
    All(Vec<Self>),
    /// At least one of these.
    Any(Vec<Self>),
}

impl Policy {
    /// Reads a policy from JSON.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for JSON that is no policy, an unknown field, a key that is none, and a policy that anything or nothing
    /// would satisfy: no keys, a threshold of 0 or above the number of different keys, an empty list of parts.
    pub fn from_json(text: &str) -> Result<Self> {
        let policy: Self = serde_json::from_str(text)
            .map_err(|error| invalid(format!("not a policy: {error}")).with_source(error))?;
        policy.validate()?;
        Ok(policy)
    }

    /// As JSON.
    pub fn to_json(&self) -> String {
        text::json(self)
    }

    /// Whether the policy can be satisfied and missed at all; every verb asks this first.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`], as in [`from_json`](Self::from_json).
    pub fn validate(&self) -> Result<()> {
        self.leaves()?.into_iter().try_for_each(|leaf| match leaf {
            Self::Keys(policy) => policy.validate(),
            Self::Keyless(policy) => policy.validate(),
            Self::Pgp(policy) => policy.validate(),
            Self::All(_) | Self::Any(_) => Err(invalid("a policy of parts has no parts")),
        })
    }

    /// Which forms of signatures some part of the policy takes.
    pub(super) fn formats(&self) -> Vec<Format> {
        let mut formats: Vec<Format> = self
            .leaves()
            .unwrap_or_default()
            .into_iter()
            .flat_map(|leaf| match leaf {
                Self::Keys(policy) => policy.formats.clone(),
                Self::Keyless(policy) => policy.formats.clone(),
                Self::Pgp(_) => vec![Format::Provenance],
                Self::All(_) | Self::Any(_) => Vec::new(),
            })
            .collect();
        formats.sort_unstable();
        formats.dedup();
        formats
    }

    /// The parts that have no parts, empty lists included.
    fn leaves(&self) -> Result<Vec<&Self>> {
        let (mut open, mut leaves) = (vec![(self, 0)], Vec::new());
        while let Some((policy, depth)) = open.pop() {
            match policy {
                Self::All(parts) | Self::Any(parts) if !parts.is_empty() => {
                    if depth == DEEPEST {
                        return Err(
                            invalid("the policy is nested too deeply").with_context("levels", DEEPEST)
                        );
                    }
                    open.extend(parts.iter().map(|part| (part, depth + 1)));
                }
                leaf => leaves.push(leaf),
            }
        }
        Ok(leaves)
    }
}

/// Signatures of keys that are known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct KeyPolicy {
    /// The keys.
    pub keys: Vec<TrustedKey>,
    /// How many of them must have signed. Different keys count, not signatures.
    #[serde(default = "one")]
    pub threshold: usize,
    /// What is asked of the transparency log. There is no default.
    pub tlog: Tlog,
    /// Which forms count. Only these are looked for, and each of them must be readable.
    #[serde(default = "cosign")]
    pub formats: Vec<Format>,
    /// Annotations that must have been signed with these values (`cosign sign -a`); others may be there too.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// The repository that the signature must name, as `host/path`. Without it a signature counts in whatever repository it lies, as in
    /// cosign. Only the form [`Format::SignatureTag`] always names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect_identity: Option<String>,
}

impl KeyPolicy {
    /// One signature of any of `keys`, in any of cosign's forms.
    pub fn new(keys: impl IntoIterator<Item = TrustedKey>, tlog: Tlog) -> Self {
        Self {
            keys: keys.into_iter().collect(),
            threshold: 1,
            tlog,
            formats: Format::COSIGN.to_vec(),
            annotations: BTreeMap::new(),
            expect_identity: None,
        }
    }

    /// The same with signatures of so many different keys.
    #[must_use]
    pub fn with_threshold(mut self, threshold: usize) -> Self {
        self.threshold = threshold;
        self
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

    fn validate(&self) -> Result<()> {
        let mut different: Vec<_> = self.keys.iter().map(|key| key.key.fingerprint()).collect();
        different.sort_unstable();
        different.dedup();
        if different.is_empty() {
            return Err(invalid("a policy of keys has no keys"));
        }
        if self.threshold == 0 || self.threshold > different.len() {
            return Err(invalid("the threshold is 0 or above the number of different keys")
                .with_context("threshold", self.threshold)
                .with_context("different keys", different.len()));
        }
        cosign_formats(&self.formats)
    }
}

/// What is asked of the transparency log where a key has signed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Tlog {
    /// Nothing: who has the key is believed, whenever it signed. Written out, because a log entry is what shows that a stolen key was used.
    IgnoreExplicitly,
    /// An entry for this very signature, in a log of this root.
    Require(TrustRoot),
}

/// A key, and when it counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct TrustedKey {
    /// The key, as PEM.
    #[serde(with = "text")]
    pub key: PublicKey,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Signatures before this time do not count. Where the policy asks for a log entry, that is the time of every entry and timestamp beside the
    /// signature; else, and where none of them names a time, it is now.
    #[serde(default, with = "text::option", skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// Nor do those after this time.
    #[serde(default, with = "text::option", skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Timestamp>,
}

impl TrustedKey {
    /// A key that counts at any time.
    pub fn new(key: PublicKey) -> Self {
        Self { key, name: None, not_before: None, not_after: None }
    }

    /// The same under a name.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The same from this time on.
    #[must_use]
    pub fn with_not_before(mut self, time: Timestamp) -> Self {
        self.not_before = Some(time);
        self
    }

    /// The same up to this time.
    #[must_use]
    pub fn with_not_after(mut self, time: Timestamp) -> Self {
        self.not_after = Some(time);
        self
    }

    /// Whether it counts at `time`.
    pub(super) fn counts_at(&self, time: Timestamp) -> bool {
        self.not_before.is_none_or(|begin| begin <= time) && self.not_after.is_none_or(|end| time <= end)
    }
}

/// Refuses formats that cosign does not write, and none at all.
pub(super) fn cosign_formats(formats: &[Format]) -> Result<()> {
    if !formats.is_empty() && formats.iter().all(|format| Format::COSIGN.contains(format)) {
        return Ok(());
    }
    Err(invalid("the policy takes no form that signatures of this kind have")
        .with_hint("name `signature-tag`, `bundle` or both"))
}

pub(in crate::trust) fn invalid(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidInput, message)
}

fn one() -> usize {
    1
}

/// What a policy takes that says nothing of forms.
pub(super) fn cosign() -> Vec<Format> {
    Format::COSIGN.to_vec()
}
