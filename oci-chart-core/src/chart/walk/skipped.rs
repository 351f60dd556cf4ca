//! What stays out of a chart, and why.

use std::fmt;

use super::super::IgnoreRule;

/// An entry of a chart's directory that does not become part of the chart.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Skipped {
    /// Its path from the chart's root, `/` between the names. Bytes that are no Unicode are shown as U+FFFD.
    pub path: String,
    /// Whether it is a directory, which was then not looked into.
    pub is_directory: bool,
    /// Why it stays out.
    pub why: SkipReason,
}

/// Why an entry stays out of a chart.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SkipReason {
    /// A rule of `.helmignore`, or the built-in one.
    Ignored(IgnoreRule),
    /// A directory without entries: a chart holds files only.
    EmptyDirectory,
}

impl Skipped {
    pub(super) fn by_rule(path: &[u8], is_directory: bool, rule: &IgnoreRule) -> Self {
        Self { path: readable(path), is_directory, why: SkipReason::Ignored(rule.clone()) }
    }

    pub(super) fn empty(prefix: &[u8]) -> Self {
        let path = readable(prefix.strip_suffix(b"/").unwrap_or(prefix));
        Self { path, is_directory: true, why: SkipReason::EmptyDirectory }
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ignored(rule) => write!(f, "ignored by {rule}"),
            Self::EmptyDirectory => f.write_str("an empty directory"),
        }
    }
}

fn readable(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}
