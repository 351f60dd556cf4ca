use std::{fmt, panic::AssertUnwindSafe, sync::Arc};

use serde::Serialize;

use super::{Format, RootAge, pgp::PgpEvidence, text};
use crate::{
    digest::Digest,
    error::{Error, ErrorKind, Reason},
    name::ChartVersion,
};

/// What a check came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Outcome {
    /// The policy is satisfied.
    Verified,
    /// Everything was looked at, and the policy is not satisfied.
    NotVerified,
    /// Something that counts could not be looked at.
    CouldNotCheck,
}

/// What was asked, what was found, and what came of it. Serialises to JSON.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Evidence {
    /// What it came to.
    pub outcome: Outcome,
    /// The digest that was checked.
    pub subject: Digest,
    /// What the caller asked for: a tag, a digest, both, or a range.
    pub asked: String,
    /// The tag or digest that this came to. It was looked at once, and named the subject.
    pub resolved: String,
    /// The version that was asked for, where that is one: the chart must be this version.
    #[serde(with = "text::option", skip_serializing_if = "Option::is_none")]
    pub version: Option<ChartVersion>,
    /// The store of the chart.
    pub store: String,
    /// The time of the check, RFC 3339.
    pub time: String,
    /// The policy's demand, as a tree of the policy's shape.
    pub requirement: Requirement,
}

impl Evidence {
    /// The evidence inside an error of [`verify`](super::verify()) or of a pull under a policy.
    pub fn of(error: &Error) -> Option<&Self> {
        let mut cause = std::error::Error::source(error);
        while let Some(error) = cause {
            if let Some(unverified) = error.downcast_ref::<Unverified>() {
                return Some(&unverified.evidence);
            }
            cause = error.source();
        }
        None
    }

    /// As JSON.
    pub fn to_json(&self) -> String {
        text::json(self)
    }

    /// What provenance files say that satisfied some requirement.
    pub fn provenances(&self) -> Vec<&PgpEvidence> {
        let (mut open, mut all) = (vec![&self.requirement], Vec::new());
        while let Some(requirement) = open.pop() {
            all.extend(&requirement.provenance);
            open.extend(requirement.parts.iter().rev());
        }
        all
    }

    /// Every candidate that some requirement looked at.
    pub fn candidates(&self) -> Vec<&Candidate> {
        let (mut open, mut all) = (vec![&self.requirement], Vec::new());
        while let Some(requirement) = open.pop() {
            all.extend(&requirement.candidates);
            open.extend(requirement.parts.iter().rev());
        }
        all
    }
}

/// What a requirement asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PolicyKind {
    /// Signatures of given keys.
    Keys,
    /// Signatures of identities.
    Keyless,
    /// A provenance file.
    Pgp,
    /// Every part.
    All,
    /// One of the parts.
    Any,
}

/// One node of the policy, answered.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Requirement {
    /// What it asks for.
    pub policy: PolicyKind,
    /// What it came to.
    pub outcome: Outcome,
    /// The cause, where it is not verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The cause in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Who satisfied it: fingerprints of keys, identities.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub signers: Vec<String>,
    /// The trust root that was used, and how old it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trust_root: Option<RootAge>,
    /// Who signed the provenance file, for [`PolicyKind::Pgp`], and what it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provenance: Option<PgpEvidence>,
    /// What was looked at, in the order in which it was found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<Candidate>,
    /// The answers of the parts, for [`PolicyKind::All`] and [`PolicyKind::Any`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Self>,
    /// Why something could not be looked at.
    #[serde(skip)]
    pub(super) trouble: Option<Trouble>,
}

/// Which error kept something from being looked at; shared by the requirements that met it.
#[derive(Debug, Clone)]
pub(crate) struct Trouble(Arc<AssertUnwindSafe<Error>>);

impl PartialEq for Trouble {
    fn eq(&self, other: &Self) -> bool {
        self.0.kind() == other.0.kind() && self.0.reason() == other.0.reason()
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        // Nothing changes an error any more that is shared.
        Self(Arc::new(AssertUnwindSafe(error)))
    }
}

impl Trouble {
    /// The error.
    pub(crate) fn error(&self) -> &Error {
        &self.0
    }
}

impl Requirement {
    pub(super) fn new(policy: PolicyKind, outcome: Outcome) -> Self {
        Self {
            policy,
            outcome,
            reason: None,
            message: None,
            signers: Vec::new(),
            trust_root: None,
            provenance: None,
            candidates: Vec::new(),
            parts: Vec::new(),
            trouble: None,
        }
    }

    /// A requirement that nothing can be said about.
    pub(super) fn unchecked(policy: PolicyKind, trouble: impl Into<Trouble>) -> Self {
        let trouble = trouble.into();
        Self {
            reason: trouble.error().reason(),
            message: Some(trouble.error().to_string()),
            trouble: Some(trouble),
            ..Self::new(policy, Outcome::CouldNotCheck)
        }
    }

    /// The kind of error that this answer is.
    pub(super) fn kind(&self) -> ErrorKind {
        match self.outcome {
            Outcome::Verified => return ErrorKind::Internal,
            Outcome::CouldNotCheck => return ErrorKind::CouldNotCheck,
            Outcome::NotVerified => {}
        }
        let mut failed = self.parts.iter().filter(|part| part.outcome == Outcome::NotVerified);
        match self.policy {
            // The first part that is missing is what the caller has to see to.
            PolicyKind::All => return failed.next().map_or(ErrorKind::PolicyDenied, Self::kind),
            // The most that was found: a signature that is denied says more than none.
            PolicyKind::Any => {
                let order = [ErrorKind::NotSigned, ErrorKind::SignatureInvalid, ErrorKind::PolicyDenied];
                let rank = |kind| order.iter().position(|known| *known == kind);
                return failed
                    .map(Self::kind)
                    .max_by_key(|kind| rank(*kind))
                    .unwrap_or(ErrorKind::PolicyDenied);
            }
            PolicyKind::Keys | PolicyKind::Keyless | PolicyKind::Pgp => {}
        }
        let verdict = |wanted: Verdict| self.candidates.iter().any(|candidate| candidate.verdict == wanted);
        if verdict(Verdict::Denied) || verdict(Verdict::Verified) {
            return ErrorKind::PolicyDenied;
        }
        let mut signatures = self.candidates.iter().filter(|candidate| {
            !matches!(candidate.reason, Some(Reason::NotASignature | Reason::OtherPredicate))
        });
        if signatures.next().is_none() { ErrorKind::NotSigned } else { ErrorKind::SignatureInvalid }
    }

    /// The leaf whose answer explains this one.
    fn cause(&self) -> &Self {
        let mut cause = self;
        // The same choice as in `kind`, step by step.
        while let Some(part) = cause.parts.iter().find(|part| {
            part.outcome == cause.outcome
                && (cause.outcome == Outcome::CouldNotCheck || part.kind() == cause.kind())
        }) {
            cause = part;
        }
        cause
    }
}

/// What one candidate is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Verdict {
    /// It counts.
    Verified,
    /// No good signature of this chart by anybody who is trusted.
    Refused,
    /// A good signature that the policy does not take: the key has expired, an annotation is missing.
    Denied,
    /// It could not be fetched, or is above a bound.
    Unread,
}

/// Something that claims to be a signature, or a place where such would lie.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Candidate {
    /// Its form.
    pub format: Format,
    /// The manifest that holds it; nothing where the place itself gave no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manifest: Option<Digest>,
    /// Which layer of the manifest.
    pub layer: usize,
    /// What it is worth.
    pub verdict: Verdict,
    /// Why it does not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The same in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Who made it, where that is proven.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signer: Option<String>,
}

/// A policy that is not satisfied: what [`Evidence::of`] finds behind an error.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Unverified {
    /// All that is known.
    pub evidence: Evidence,
    cause: Option<Trouble>,
}

impl Unverified {
    /// The error that this evidence is.
    pub(super) fn into_error(evidence: Evidence) -> Error {
        let requirement = evidence.requirement.clone();
        let (kind, cause) = (requirement.kind(), requirement.cause());
        let message = match kind {
            ErrorKind::NotSigned => "the chart is not signed",
            ErrorKind::SignatureInvalid => "no signature of the chart is good",
            ErrorKind::CouldNotCheck => "the chart's signatures could not be checked",
            _ => "the chart's signatures do not satisfy the policy",
        };
        let mut error = Error::new(kind, message).with_context("subject", evidence.subject);
        let first = cause.candidates.iter().find(|candidate| match kind {
            ErrorKind::CouldNotCheck => candidate.verdict == Verdict::Unread,
            ErrorKind::PolicyDenied => candidate.verdict == Verdict::Denied,
            _ => candidate.verdict == Verdict::Refused,
        });
        let reason = cause.reason.or(first.and_then(|candidate| candidate.reason));
        let words = cause.message.as_ref().or(first.and_then(|candidate| candidate.message.as_ref()));
        if let Some(reason) = reason {
            error = error.with_reason(reason);
        }
        if let Some(words) = words {
            error = error.with_context("because", words);
        }
        if let Some(trouble) = &cause.trouble {
            error = error.with_retryable(trouble.error().is_retryable());
            for key in ["limit", "bound"] {
                if let Some(value) = trouble.error().get(key) {
                    error = error.with_context(key, value);
                }
            }
        }
        let error = error.with_hint(match kind {
            ErrorKind::NotSigned => "sign the chart, or pull it without verification on purpose",
            ErrorKind::SignatureInvalid => {
                "compare the keys or identities of the policy with those of the publisher; if they are right, do not use this chart"
            }
            ErrorKind::CouldNotCheck => {
                "see to what kept the signatures from being read (login, rate limit, network), and try again"
            }
            _ => "look at what the evidence says of each candidate, and at the policy",
        });
        let cause = cause.trouble.clone();
        error.with_source(Self { evidence, cause })
    }
}

impl fmt::Display for Unverified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let candidates = self.evidence.candidates();
        write!(f, "{} candidates were looked at", candidates.len())?;
        for candidate in candidates {
            write!(f, "; {}", candidate.format)?;
            if let Some(manifest) = candidate.manifest {
                write!(f, " {manifest}")?;
            }
            write!(f, ": {}", candidate.message.as_deref().unwrap_or("good"))?;
        }
        Ok(())
    }
}

impl std::error::Error for Unverified {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_ref().map(|trouble| trouble.error() as _)
    }
}
