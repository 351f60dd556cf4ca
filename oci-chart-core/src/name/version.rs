//! Chart versions in both dialects that Helm uses, and their order.

mod order;
mod parse;
pub(super) mod scan;

use std::{cmp::Ordering, fmt, hash, str::FromStr};

pub use parse::ParseVersionError;

use super::{ParseTagError, Tag};
use scan::Span;

/// A version as Helm reads it (Masterminds semver 3.5.0), with the text it was read from.
///
/// Two dialects exist. [`parse`](Self::parse) is the loose one, for `Chart.yaml` and `--version`: a leading `v`, missing parts
/// and leading zeros are fine (`v1`, `1.2`, `01.2.3`). [`parse_strict`](Self::parse_strict) is plain SemVer 2.0, the only one that counts in
/// a tag list. At most 256 bytes; numbers fit 64 bits; a digits-only pre-release identifier beyond that counts as a
/// word in the order, which is Masterminds' only departure from SemVer there.
///
/// `Display` gives the text as it was written, which is what a tag is made of; [`canonical`](Self::canonical) gives the normal form.
/// The order is SemVer precedence; versions of equal precedence (`1.0`, `1.0.0+a`) are ordered and told apart by their text, so use
/// [`cmp_precedence`](Self::cmp_precedence) to ask whether they are equal to Helm.
///
/// # Examples
///
/// ```
/// use oci_chart_core::name::ChartVersion;
///
/// # fn main() -> Result<(), oci_chart_core::Error> {
/// let version: ChartVersion = "v1.2-rc.1+build".parse()?;
/// assert_eq!(version.as_str(), "v1.2-rc.1+build");
/// assert_eq!(version.canonical(), "1.2.0-rc.1+build");
/// assert_eq!(version.to_tag()?.as_str(), "v1.2-rc.1_build");
/// assert!(version < "1.2.0".parse()?);
/// assert!(ChartVersion::parse_strict("v1.2").is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ChartVersion {
    text: Box<str>,
    core: [u64; 3],
    pre: Span,
    metadata: Span,
}

impl ChartVersion {
    /// The longest version text, in bytes.
    pub const MAX_LEN: usize = 256;

    /// Reads the loose dialect.
    ///
    /// # Errors
    ///
    /// [`ParseVersionError`], which becomes [`ErrorKind::InvalidVersion`](crate::ErrorKind::InvalidVersion).
    pub fn parse(text: &str) -> Result<Self, ParseVersionError> {
        parse::loose(text)
    }

    /// Reads the strict dialect: three numbers without leading zeros, no `v`.
    ///
    /// # Errors
    ///
    /// [`ParseVersionError`], which becomes [`ErrorKind::InvalidVersion`](crate::ErrorKind::InvalidVersion).
    pub fn parse_strict(text: &str) -> Result<Self, ParseVersionError> {
        parse::strict(text)
    }

    /// The text as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The first number.
    pub const fn major(&self) -> u64 {
        self.core[0]
    }

    /// The second number; 0 where none was written.
    pub const fn minor(&self) -> u64 {
        self.core[1]
    }

    /// The third number; 0 where none was written.
    pub const fn patch(&self) -> u64 {
        self.core[2]
    }

    /// The pre-release part without its `-`; empty for a release.
    pub fn prerelease(&self) -> &str {
        self.pre.of(&self.text)
    }

    /// The build metadata without its `+`; empty where there is none.
    pub fn metadata(&self) -> &str {
        self.metadata.of(&self.text)
    }

    /// Whether it has a pre-release part.
    pub fn is_prerelease(&self) -> bool {
        !self.prerelease().is_empty()
    }

    /// The normal form: three numbers, no `v`, no leading zeros.
    pub fn canonical(&self) -> String {
        let [major, minor, patch] = self.core;
        let mut text = format!("{major}.{minor}.{patch}");
        for (sign, part) in [('-', self.prerelease()), ('+', self.metadata())] {
            if !part.is_empty() {
                text.push(sign);
                text.push_str(part);
            }
        }
        text
    }

    /// Compares by SemVer precedence: build metadata and spelling do not count.
    pub fn cmp_precedence(&self, other: &Self) -> Ordering {
        self.core.cmp(&other.core).then_with(|| order::prerelease(self.prerelease(), other.prerelease()))
    }

    /// The tag under which Helm stores this version: its text, with `_` in place of `+`. [`Tag::to_version`] is the way back.
    ///
    /// # Errors
    ///
    /// [`ParseTagError::TooLong`] for a version of more than 128 bytes.
    pub fn to_tag(&self) -> Result<Tag, ParseTagError> {
        Tag::parse(&self.text.replace('+', "_"))
    }
}

impl FromStr for ChartVersion {
    type Err = ParseVersionError;

    /// Reads the loose dialect, as [`ChartVersion::parse`] does.
    fn from_str(text: &str) -> Result<Self, ParseVersionError> {
        Self::parse(text)
    }
}

impl fmt::Display for ChartVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for ChartVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChartVersion({})", self.text)
    }
}

impl PartialEq for ChartVersion {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for ChartVersion {}

impl hash::Hash for ChartVersion {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl Ord for ChartVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        self.cmp_precedence(other).then_with(|| self.text.cmp(&other.text))
    }
}

impl PartialOrd for ChartVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
