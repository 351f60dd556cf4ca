//! Helm's version constraints: which versions a chart or a caller accepts.

mod comparator;
mod parse;

use std::{fmt, str::FromStr};

pub use parse::ParseVersionReqError;

use super::ChartVersion;
use comparator::Comparator;

/// A version constraint with the meaning that Helm 4.2 gives it (Masterminds semver 3.5.0).
///
/// - `||` separates alternatives; blanks or a comma join comparators that must all hold: `>=1.2 <2.0.0 || 3.x`.
/// - Operators: none or `=`, `!=`, `>`, `<`, `>=` (also `=>`), `<=` (also `=<`), `~` (also `~>`), `^`; `1.2 - 1.4` is `>=1.2 <=1.4`.
/// - A missing part or `x`, `X`, `*` stands for any number, and everything behind it is ignored: `1.2` and `1.2.x` accept 1.2.9,
///   `>1.2` does not, `<=1.2` does.
/// - A pre-release version is accepted only by an alternative in which some comparator has a pre-release part itself; `*-0` accepts
///   every version.
/// - Build metadata never counts.
///
/// Masterminds' oddities are part of the language: `~0.0.0` accepts everything, `^*` only 0.0.0, `<=*` only 0.0.x.
///
/// `Display` gives Masterminds' normal form, which parses to an equal value.
///
/// # Examples
///
/// ```
/// use oci_chart_core::name::{ChartVersion, VersionReq};
///
/// # fn main() -> Result<(), oci_chart_core::Error> {
/// let wanted: VersionReq = ">= 1.2, <2.0.0 || 3.x-0".parse()?;
/// assert!(wanted.matches(&ChartVersion::parse("1.9.3")?));
/// assert!(!wanted.matches(&ChartVersion::parse("1.9.3-rc.1")?));
/// assert!(wanted.matches(&ChartVersion::parse("3.0.0-rc.1")?));
/// assert_eq!(wanted.to_string(), ">=1.2 <2.0.0 || 3.x-0");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct VersionReq {
    groups: Vec<Group>,
}

/// Comparators that must all hold.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Group {
    comparators: Vec<Comparator>,
    accepts_prereleases: bool,
}

impl VersionReq {
    /// The longest constraint text, in bytes.
    pub const MAX_LEN: usize = 512;
    /// The most alternatives.
    pub const MAX_GROUPS: usize = 32;

    /// Reads a constraint. A version is one, too: it accepts what equals it.
    ///
    /// # Errors
    ///
    /// [`ParseVersionReqError`], which becomes [`ErrorKind::InvalidVersion`](crate::ErrorKind::InvalidVersion).
    pub fn parse(text: &str) -> Result<Self, ParseVersionReqError> {
        Ok(Self { groups: parse::groups(text)? })
    }

    /// Whether `version` is accepted.
    pub fn matches(&self, version: &ChartVersion) -> bool {
        self.groups.iter().any(|group| {
            (group.accepts_prereleases || !version.is_prerelease())
                && group.comparators.iter().all(|comparator| comparator.accepts(version))
        })
    }

    /// The first version written in it, to say what it is about.
    pub(super) fn first_operand(&self) -> Option<&ChartVersion> {
        self.groups.first()?.comparators.first().map(|comparator| &comparator.floor)
    }

    /// Whether some alternative accepts pre-release versions.
    pub fn accepts_prereleases(&self) -> bool {
        self.groups.iter().any(|group| group.accepts_prereleases)
    }
}

impl FromStr for VersionReq {
    type Err = ParseVersionReqError;

    fn from_str(text: &str) -> Result<Self, ParseVersionReqError> {
        Self::parse(text)
    }
}

impl fmt::Display for VersionReq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, group) in self.groups.iter().enumerate() {
            f.write_str(if n == 0 { "" } else { " || " })?;
            for (n, comparator) in group.comparators.iter().enumerate() {
                write!(f, "{}{comparator}", if n == 0 { "" } else { " " })?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for VersionReq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VersionReq({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prerelease_needs_one_comparator_of_its_group_to_ask_for_it() {
        let accepts = |constraint: &str, version: &str| {
            VersionReq::parse(constraint).unwrap().matches(&ChartVersion::parse(version).unwrap())
        };
        assert!(accepts(">=1.0.0-0 <2.0.0", "1.5.0-rc.1"));
        assert!(accepts(">=1.0.0-0 <2.0.0", "2.0.0-rc.1"));
        assert!(!accepts(">=1.0.0 <2.0.0 || >=3-0", "1.5.0-rc.1"));
        assert!(accepts("*-0", "0.0.0-a"));
    }

    #[test]
    fn alternatives_beyond_the_bound_are_refused() {
        let text = |groups: usize| vec!["1"; groups].join("||");
        assert!(VersionReq::parse(&text(32)).is_ok());
        assert_eq!(VersionReq::parse(&text(33)), Err(ParseVersionReqError::TooManyGroups));
        assert!(VersionReq::parse(&format!("1{}", " ".repeat(511))).is_ok());
        assert_eq!(VersionReq::parse(&format!("1{}", " ".repeat(512))), Err(ParseVersionReqError::TooLong));
    }
}
