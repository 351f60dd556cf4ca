//! The versions in a tag list.

use std::{borrow::Cow, fmt};

use crate::{
    error::{Error, ErrorKind, Reason},
    name::{ChartVersion, ParseVersionReqError, Tag, VersionReq},
};

/// The most versions that a "not found" error suggests.
const SUGGESTIONS: usize = 5;

/// A tag list as Helm reads it: the tags that are strict versions (`_` standing for `+`), newest first. Versions of equal precedence keep
/// the order of the list.
///
/// # Examples
///
/// ```
/// use oci_chart_core::name::{AvailableVersions, Tag};
///
/// # fn main() -> Result<(), oci_chart_core::Error> {
/// let tags = ["1.2.9", "latest", "1.10.0", "2.0.0-rc.1"].map(Tag::parse);
/// let available: AvailableVersions = tags.into_iter().collect::<Result<_, _>>()?;
/// assert_eq!(available.select("^1")?.as_str(), "1.10.0");
/// assert_eq!(available.select("")?.as_str(), "1.10.0");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct AvailableVersions {
    versions: Vec<ChartVersion>,
    others: Vec<Tag>,
}

impl AvailableVersions {
    /// The versions, newest first.
    pub fn newest_first(&self) -> &[ChartVersion] {
        &self.versions
    }

    /// The tags that are no strict versions, in the order of the list.
    pub fn others(&self) -> &[Tag] {
        &self.others
    }

    /// The newest version that `range` accepts.
    pub fn highest(&self, range: &VersionReq) -> Option<&ChartVersion> {
        self.versions.iter().find(|version| range.matches(version))
    }

    /// The version that Helm chooses for the text `requested`: the one that is written so, else the newest that is accepted; empty
    /// means any release. [`ChartVersion::to_tag`] gives its tag.
    ///
    /// # Errors
    ///
    /// [`SelectError`], which becomes [`ErrorKind::NotFound`] or [`ErrorKind::InvalidVersion`].
    pub fn select(&self, requested: &str) -> Result<&ChartVersion, SelectError> {
        if self.versions.is_empty() {
            return Err(SelectError::NoVersions { others: self.nearest(requested, SUGGESTIONS) });
        }
        if let Some(version) = self.versions.iter().find(|version| version.as_str() == requested) {
            return Ok(version);
        }
        let range = VersionReq::parse(if requested.is_empty() { "*" } else { requested })?;
        self.highest(&range).ok_or_else(|| SelectError::NoMatch {
            requested: requested.to_owned(),
            nearest: self.nearest(requested, SUGGESTIONS),
        })
    }

    /// At most `count` tags around what was `requested`, newest first, for an error's hint. Tags that Helm does not see because they are
    /// no strict versions, such as `v1.2.3`, take part.
    pub fn nearest(&self, requested: &str, count: usize) -> Vec<Tag> {
        let mut all: Vec<_> = self
            .versions
            .iter()
            .map(|version| (Cow::Borrowed(version), None))
            .chain(self.others.iter().filter_map(|tag| {
                let version = ChartVersion::parse(&tag.as_str().replace('_', "+")).ok()?;
                Some((Cow::Owned(version), Some(tag)))
            }))
            .collect();
        all.sort_by(|(left, _), (right, _)| right.cmp_precedence(left));
        let wanted = ChartVersion::parse(requested)
            .ok()
            .or_else(|| VersionReq::parse(requested).ok()?.first_operand().cloned());
        let at = wanted
            .map_or(0, |wanted| all.partition_point(|(version, _)| version.cmp_precedence(&wanted).is_gt()));
        let window = all.len().min(count);
        let start = at.saturating_sub(count / 2).min(all.len() - window);
        let tag = |(version, tag): (Cow<'_, ChartVersion>, Option<&Tag>)| match tag {
            Some(tag) => Some(tag.clone()),
            None => version.to_tag().ok(),
        };
        all.into_iter().skip(start).take(window).filter_map(tag).collect()
    }
}

impl FromIterator<Tag> for AvailableVersions {
    fn from_iter<I: IntoIterator<Item = Tag>>(tags: I) -> Self {
        let mut available = Self::default();
        available.extend(tags);
        available
    }
}

impl Extend<Tag> for AvailableVersions {
    fn extend<I: IntoIterator<Item = Tag>>(&mut self, tags: I) {
        for tag in tags {
            match tag.to_version() {
                Some(version) => self.versions.push(version),
                None => self.others.push(tag),
            }
        }
        // Stable: where precedence is equal, the registry's order decides, as it does for Helm.
        self.versions.sort_by(|left, right| right.cmp_precedence(left));
    }
}

/// Why no version was selected. The words are Helm's.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SelectError {
    /// No tag is a strict version.
    NoVersions {
        /// Tags that nearly are.
        others: Vec<Tag>,
    },
    /// No version is accepted.
    NoMatch {
        /// What was wanted.
        requested: String,
        /// The tags around it, newest first.
        nearest: Vec<Tag>,
    },
    /// What was wanted is neither a version nor a constraint.
    Constraint(ParseVersionReqError),
}

impl From<ParseVersionReqError> for SelectError {
    fn from(error: ParseVersionReqError) -> Self {
        Self::Constraint(error)
    }
}

impl fmt::Display for SelectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoVersions { .. } => f.write_str("unable to locate any tags in provided repository"),
            Self::NoMatch { requested, .. } => {
                write!(f, "could not locate a version matching provided version string {requested}")
            }
            Self::Constraint(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SelectError {}

impl From<SelectError> for Error {
    fn from(error: SelectError) -> Self {
        let (rule, tags) = match &error {
            SelectError::Constraint(error) => return error.clone().into(),
            SelectError::NoVersions { others } => ("only tags of the form 1.2.3 count as versions", others),
            SelectError::NoMatch { nearest, .. } => {
                ("pre-releases count only for a constraint with a pre-release part, such as *-0", nearest)
            }
        };
        let names: Vec<_> = tags.iter().map(Tag::as_str).collect();
        let hint = match names.as_slice() {
            [] => rule.to_owned(),
            names => format!("{rule}; nearest tags: {}", names.join(", ")),
        };
        Self::new(ErrorKind::NotFound, error.to_string())
            .with_reason(Reason::VersionNotFound)
            .with_source(error)
            .with_hint(hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn available(tags: &[&str]) -> AvailableVersions {
        tags.iter().map(|tag| Tag::parse(tag).unwrap()).collect()
    }

    #[test]
    fn what_is_written_so_goes_before_what_is_newer() {
        let available = available(&["1.2.3_b", "1.2.3", "1.2.3_a", "1.2.4"]);
        for requested in ["1.2.3", "1.2.3+a", "1.2.3+b"] {
            assert_eq!(available.select(requested).unwrap().as_str(), requested);
        }
        assert_eq!(available.select("1.2").unwrap().as_str(), "1.2.4");
        assert_eq!(available.select("").unwrap().as_str(), "1.2.4");
    }

    #[test]
    fn the_nearest_tags_surround_what_was_wanted() {
        let available = available(&["1.0.0", "1.1.0", "1.2.0", "v1.3.0", "1.4.0", "2.0.0", "latest"]);
        let nearest = |requested: &str, count| -> Vec<String> {
            available.nearest(requested, count).iter().map(ToString::to_string).collect()
        };
        assert_eq!(nearest("1.3.0", 3), ["1.4.0", "v1.3.0", "1.2.0"]);
        assert_eq!(nearest("9", 2), ["2.0.0", "1.4.0"]);
        assert_eq!(nearest("~0.1", 2), ["1.1.0", "1.0.0"]);
        assert_eq!(nearest("stable", 1), ["2.0.0"]);
        assert_eq!(nearest("1.3.0", 100).len(), 6);
        assert!(nearest("1.3.0", 0).is_empty());
    }

    #[test]
    fn the_error_of_the_crate_suggests_versions() {
        let error = Error::from(available(&["1.0.0-rc.1", "2.0.0-rc.1"]).select("^1").unwrap_err());
        assert_eq!((error.kind(), error.reason()), (ErrorKind::NotFound, Some(Reason::VersionNotFound)));
        assert!(error.hint().unwrap().ends_with("nearest tags: 2.0.0-rc.1, 1.0.0-rc.1"), "{error:?}");
    }
}
