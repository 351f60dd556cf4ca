//! Which tag a caller means: Helm's resolution of a wanted version, as pure functions.

mod available;

use std::fmt;

pub use available::{AvailableVersions, SelectError};

use super::{ChartVersion, ParseTagError, ParseVersionReqError, Reference, Tag, VersionReq};
use crate::{
    digest::Digest,
    error::{Error, ErrorKind},
};

/// What to take out of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Selector {
    /// What the tag points to.
    Tag(Tag),
    /// Exactly this content.
    Digest(Digest),
    /// Exactly this content; if the tag exists and points elsewhere, that is an error.
    Pinned {
        /// The tag that ought to point to the digest.
        tag: Tag,
        /// The content.
        digest: Digest,
    },
    /// The newest version in the tag list that is accepted.
    Range(VersionReq),
}

impl Selector {
    /// What Helm's `--version` means: a version (loose dialect) is its tag, taken as it stands and without looking at the tag list; anything
    /// else is a constraint. So `1.2` is the tag `1.2` and not the newest 1.2.x, which is `1.2.x`. Empty means any release.
    ///
    /// # Errors
    ///
    /// [`SelectorError`], which becomes [`ErrorKind::InvalidVersion`] or [`ErrorKind::InvalidReference`].
    pub fn for_version(version: &str) -> Result<Self, SelectorError> {
        if version.is_empty() {
            return Ok(Self::Range(VersionReq::parse("*")?));
        }
        match ChartVersion::parse(version) {
            Ok(version) => Ok(Self::Tag(version.to_tag()?)),
            Err(_) => Ok(Self::Range(VersionReq::parse(version)?)),
        }
    }

    /// A digest if the text begins like one, else what Helm's `--version` means: see [`Selector::for_version`].
    ///
    /// # Errors
    ///
    /// [`SelectorError`], which becomes [`ErrorKind::InvalidVersion`] or [`ErrorKind::InvalidReference`].
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        match text.parse::<Digest>() {
            Ok(digest) => Ok(Self::Digest(digest)),
            Err(_) => Self::for_version(text),
        }
    }

    /// What a reference means, together with a wanted version if there is one: see [`Selector::from_parts`].
    ///
    /// # Errors
    ///
    /// [`SelectorError`], which becomes [`ErrorKind::InvalidVersion`] or [`ErrorKind::InvalidReference`].
    pub fn from_reference(reference: &Reference, version: Option<&str>) -> Result<Self, SelectorError> {
        Self::from_parts(reference.tag(), reference.digest().copied(), version)
    }

    /// What the parts of a reference mean, together with a wanted version if there is one (empty is none).
    ///
    /// As in Helm, a digest wins, the version has to agree with the tag, and a tag such as `1.x` is a constraint. Where Helm only has an
    /// error, a tag is simply a tag: `latest`, `1.0.0_x`, and `1.0.0+x` written for the latter.
    ///
    /// # Errors
    ///
    /// [`SelectorError`], which becomes [`ErrorKind::InvalidVersion`] or [`ErrorKind::InvalidReference`].
    pub fn from_parts(
        tag: Option<&Tag>,
        digest: Option<Digest>,
        version: Option<&str>,
    ) -> Result<Self, SelectorError> {
        let version = version.filter(|version| !version.is_empty());
        if let (Some(tag), Some(version)) = (tag, version)
            && tag.as_str() != version.replace('+', "_")
        {
            return Err(SelectorError::Mismatch { version: version.to_owned(), tag: tag.clone() });
        }
        let as_tag = || version.and_then(|version| Tag::parse(&version.replace('+', "_")).ok());
        match (digest, tag) {
            (Some(digest), tag) => Ok(match tag.cloned().or_else(as_tag) {
                Some(tag) => Self::Pinned { tag, digest },
                None => Self::Digest(digest),
            }),
            (None, Some(tag)) => {
                Ok(Self::for_version(tag.as_str()).unwrap_or_else(|_| Self::Tag(tag.clone())))
            }
            (None, None) => Self::parse(version.unwrap_or_default()),
        }
    }
}

impl From<Tag> for Selector {
    fn from(tag: Tag) -> Self {
        Self::Tag(tag)
    }
}

impl From<Digest> for Selector {
    fn from(digest: Digest) -> Self {
        Self::Digest(digest)
    }
}

impl From<VersionReq> for Selector {
    fn from(range: VersionReq) -> Self {
        Self::Range(range)
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => tag.fmt(f),
            Self::Digest(digest) => digest.fmt(f),
            Self::Pinned { tag, digest } => write!(f, "{tag}@{digest}"),
            Self::Range(range) => range.fmt(f),
        }
    }
}

/// Why it is not clear what is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SelectorError {
    /// The reference has a tag, and the version is another one.
    Mismatch {
        /// The wanted version.
        version: String,
        /// The reference's tag.
        tag: Tag,
    },
    /// Neither a version nor a constraint.
    Constraint(ParseVersionReqError),
    /// A version that is too long for a tag.
    Tag(ParseTagError),
}

impl From<ParseVersionReqError> for SelectorError {
    fn from(error: ParseVersionReqError) -> Self {
        Self::Constraint(error)
    }
}

impl From<ParseTagError> for SelectorError {
    fn from(error: ParseTagError) -> Self {
        Self::Tag(error)
    }
}

impl fmt::Display for SelectorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mismatch { version, tag } => {
                write!(f, "chart reference and version mismatch: {version} is not {tag}")
            }
            Self::Constraint(error) => error.fmt(f),
            Self::Tag(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SelectorError {}

impl From<SelectorError> for Error {
    fn from(error: SelectorError) -> Self {
        match error {
            SelectorError::Mismatch { .. } => Self::new(ErrorKind::InvalidReference, error.to_string())
                .with_source(error)
                .with_hint("give the version once, either as the tag or beside the reference"),
            SelectorError::Constraint(error) => error.into(),
            SelectorError::Tag(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selected(reference: &str, version: &str) -> Result<String, SelectorError> {
        Selector::from_reference(&Reference::parse(reference).unwrap(), Some(version))
            .map(|selector| format!("{selector:?}"))
    }

    #[test]
    fn a_tag_is_a_constraint_only_where_helm_reads_one() {
        for (reference, version, expected) in [
            ("h/a", "", "Range(VersionReq(*))"),
            ("h/a", "1.2", "Tag(Tag(1.2))"),
            ("h/a", "1.0.0+x", "Tag(Tag(1.0.0_x))"),
            ("h/a:1.x", "", "Range(VersionReq(1.x))"),
            ("h/a:latest", "", "Tag(Tag(latest))"),
            ("h/a:1.0.0+x", "1.0.0+x", "Tag(Tag(1.0.0_x))"),
        ] {
            assert_eq!(selected(reference, version).as_deref(), Ok(expected), "{reference} {version}");
        }
        assert!(matches!(selected("h/a", "latest"), Err(SelectorError::Constraint(_))));
        assert!(matches!(selected("h/a:1.0.0", "^1"), Err(SelectorError::Mismatch { .. })));
    }
}
