//! What works at a location and what does not, step by step: for people who ask why, and for programs that ask before they begin.
//!
//! [`Client::diagnose`](crate::Client::diagnose) looks and touches nothing: everything it sends to a registry is a GET or a HEAD, so
//! that nothing is there afterwards that was not there before. What cannot be known in this way is `unknown`, and says so.

mod layout;
#[cfg(feature = "registry")]
mod registry;

use std::{collections::BTreeMap, fmt};

use serde::Serialize;

use crate::error::{Error, Reason};

pub(crate) use layout::examine as layout;
#[cfg(feature = "registry")]
pub(crate) use registry::examine as registry;

/// What was found out about a location.
///
/// Prints itself for people, one finding a line; with `{:#}` the facts come along. As JSON it is
/// `{"location": "...", "findings": [{"check": "tls", "status": "failed", "summary": "...", "reason": "...", "hint": "...",
/// "facts": {...}}]}`, where checks, states and reasons are words that stay the same.
///
/// # Examples
///
/// ```
/// use oci_chart_core::{Client, Location, blocking, diagnose::{Check, Status}};
///
/// let client = blocking::Client::new(Client::builder().build()?);
/// let found = client.diagnose(&"oci-layout:/nowhere/charts".parse::<Location>()?, &mut ())?;
/// assert!(!found.is_ok());
/// assert_eq!(found.status(Check::Pull), Status::Failed);
/// println!("{found}");
/// # Ok::<(), oci_chart_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Diagnosis {
    /// The location, as it prints itself.
    pub location: String,
    /// What was found, in the order in which one thing needs the other.
    pub findings: Vec<Finding>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// What it was.
    pub check: Check,
    /// What came out.
    pub status: Status,
    /// The same in a few words.
    pub summary: String,
    /// The cause of a failure, where it has a word.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "word")]
    pub reason: Option<Reason>,
    /// What a person can do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// What was seen: addresses, names, times in seconds since 1970, numbers.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<&'static str, String>,
}

macro_rules! words {
    ($(#[doc = $about:literal])* $type:ident { $($(#[doc = $doc:literal])* $name:ident = $word:literal,)* }) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        #[non_exhaustive]
        pub enum $type { $($(#[doc = $doc])* #[serde(rename = $word)] $name,)* }

        impl $type {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word, the same in every language.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

words! {
    /// What is looked at.
    Check {
        /// The image layout: its directory and files.
        Layout = "layout",
        /// The proxy that requests go through.
        Proxy = "proxy",
        /// The host's name, and the addresses it stands for.
        Name = "name",
        /// A connection to one of them.
        Connection = "connection",
        /// The secure connection: who answers, until when its certificate holds, and whether it is trusted.
        Tls = "tls",
        /// The registry API at the other end.
        Api = "api",
        /// The registry's clock beside this machine's.
        Clock = "clock",
        /// How the registry wants to be shown who asks.
        Challenge = "challenge",
        /// The credentials for this host, and where they are from.
        Credentials = "credentials",
        /// Whether they are accepted.
        Login = "login",
        /// The right to read.
        Pull = "pull",
        /// The right to write.
        Push = "push",
        /// What the registry can do beyond what all can.
        Features = "features",
        /// How many requests it still takes.
        RateLimit = "rate-limit",
    }
}

words! {
    /// What came out.
    Status {
        /// It works.
        Ok = "ok",
        /// It does not.
        Failed = "failed",
        /// It cannot be known without doing it.
        Unknown = "unknown",
        /// It does not apply, or something it needs has failed.
        Skipped = "skipped",
    }
}

impl Diagnosis {
    /// Whether nothing has failed.
    pub fn is_ok(&self) -> bool {
        self.findings.iter().all(|finding| finding.status != Status::Failed)
    }

    /// The finding about `check`; none where it does not apply to this kind of location.
    pub fn get(&self, check: Check) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.check == check)
    }

    /// What came out of `check`.
    pub fn status(&self, check: Check) -> Status {
        self.get(check).map_or(Status::Skipped, |finding| finding.status)
    }
}

impl Finding {
    pub(super) fn new(check: Check, status: Status, summary: impl Into<String>) -> Self {
        Self { check, status, summary: summary.into(), reason: None, hint: None, facts: BTreeMap::new() }
    }

    /// A failure that an error tells.
    pub(super) fn failed(check: Check, error: &Error) -> Self {
        let mut finding = Self::new(check, Status::Failed, error.message());
        finding.reason = error.reason();
        finding.hint = error.hint().map(str::to_owned);
        for (key, value) in error.context() {
            finding.facts.insert(key, value.to_owned());
        }
        finding
    }

    #[must_use]
    pub(super) fn with_fact(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.facts.insert(name, value.to_string());
        self
    }

    #[must_use]
    pub(super) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.location)?;
        for finding in &self.findings {
            write!(f, "\n  {:7}  {:11}  {}", finding.status, finding.check, finding.summary)?;
            if let Some(hint) = &finding.hint {
                write!(f, "\n           {:11}  -> {hint}", "")?;
            }
            if f.alternate() {
                for (name, value) in &finding.facts {
                    write!(f, "\n           {:11}     {name}: {value}", "")?;
                }
            }
        }
        Ok(())
    }
}

#[expect(clippy::ref_option, reason = "serde hands it over in this form")]
fn word<S: serde::Serializer>(reason: &Option<Reason>, serializer: S) -> Result<S::Ok, S::Error> {
    match reason {
        Some(reason) => serializer.serialize_str(reason.as_str()),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn example() -> Diagnosis {
        let error = Error::new(ErrorKind::Tls, "the certificate is strange")
            .with_reason(Reason::CertificateInvalid)
            .with_hint("add the authority")
            .with_context("url", "https://h/v2/");
        let findings = vec![
            Finding::new(Check::Connection, Status::Ok, "10.0.0.1:443").with_fact("milliseconds", 3),
            Finding::failed(Check::Tls, &error),
            Finding::new(Check::Push, Status::Unknown, "only a push shows it"),
        ];
        Diagnosis { location: "oci://h/a".into(), findings }
    }

    #[test]
    fn as_json() {
        assert_eq!(
            serde_json::to_value(example()).unwrap(),
            serde_json::json!({"location": "oci://h/a", "findings": [
                {"check": "connection", "status": "ok", "summary": "10.0.0.1:443", "facts": {"milliseconds": "3"}},
                {"check": "tls", "status": "failed", "summary": "the certificate is strange",
                 "reason": "certificate-invalid", "hint": "add the authority", "facts": {"url": "https://h/v2/"}},
                {"check": "push", "status": "unknown", "summary": "only a push shows it"},
            ]})
        );
    }

    #[test]
    fn for_people() {
        let found = example();
        assert_eq!(
            found.to_string(),
            "oci://h/a\n  ok       connection   10.0.0.1:443\n  failed   tls          the certificate is strange\n                        \
             -> add the authority\n  unknown  push         only a push shows it"
        );
        assert!(format!("{found:#}").contains("milliseconds: 3"));
        assert!(!found.is_ok() && found.status(Check::Api) == Status::Skipped);
    }
}
