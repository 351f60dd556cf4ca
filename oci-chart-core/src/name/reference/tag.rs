//! Tags.

use std::{fmt, str::FromStr};

use crate::{
    error::{Error, ErrorKind},
    name::ChartVersion,
};

/// A tag of the OCI distribution spec: a letter, digit or `_`, then up to 127 of these, `.` and `-`.
///
/// # Examples
///
/// ```
/// use oci_chart_core::name::Tag;
///
/// # fn main() -> Result<(), oci_chart_core::Error> {
/// let tag = Tag::parse("1.2.3_build.5")?;
/// assert_eq!(tag.to_version().map(|version| version.to_string()), Some("1.2.3+build.5".to_owned()));
/// assert_eq!(Tag::parse("latest")?.to_version(), None);
/// assert!(Tag::parse("1.2.3+build.5").is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(Box<str>);

impl Tag {
    /// The longest tag, in bytes.
    pub const MAX_LEN: usize = 128;

    /// Reads a tag.
    ///
    /// # Errors
    ///
    /// [`ParseTagError`], which becomes [`ErrorKind::InvalidReference`].
    pub fn parse(text: &str) -> Result<Self, ParseTagError> {
        let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if text.is_empty() {
            return Err(ParseTagError::Empty);
        }
        let wrong = text
            .bytes()
            .enumerate()
            .position(|(n, byte)| !(word(byte) || n > 0 && matches!(byte, b'.' | b'-')));
        if let Some(at) = wrong {
            return Err(ParseTagError::Character { tag: text.to_owned(), at });
        }
        if text.len() > Self::MAX_LEN {
            return Err(ParseTagError::TooLong { tag: text.to_owned() });
        }
        Ok(Self(text.into()))
    }

    /// The tag as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The version that Helm reads from this tag in a tag list: every `_` is a `+`, and the result is a strict version. Helm does not
    /// see other tags (`latest`, `v1.2.3`, `1.2`).
    pub fn to_version(&self) -> Option<ChartVersion> {
        ChartVersion::parse_strict(&self.0.replace('_', "+")).ok()
    }
}

impl FromStr for Tag {
    type Err = ParseTagError;

    fn from_str(text: &str) -> Result<Self, ParseTagError> {
        Self::parse(text)
    }
}

impl serde::Serialize for Tag {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tag({self})")
    }
}

/// Why a text is no tag.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseTagError {
    /// There is no text.
    Empty,
    /// More than [`Tag::MAX_LEN`] bytes.
    TooLong {
        /// The text.
        tag: String,
    },
    /// A character that cannot stand where it stands.
    Character {
        /// The text.
        tag: String,
        /// The character's place, in bytes from 0.
        at: usize,
    },
}

impl ParseTagError {
    pub(super) fn hint(&self) -> &'static str {
        match self {
            Self::Empty => "leave out the ':' or write a tag behind it; an empty variable may be the cause",
            Self::TooLong { .. } => {
                "a tag has at most 128 characters, and a chart version becomes one: shorten it"
            }
            Self::Character { .. } => {
                "a tag has letters, digits, '_', '.' and '-', and begins with one of the first three; a version's '+' is stored as '_'"
            }
        }
    }
}

impl fmt::Display for ParseTagError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("invalid tag \"\": it is empty"),
            Self::TooLong { tag } => {
                write!(f, "invalid tag {tag:?}: it has more than {} bytes", Tag::MAX_LEN)
            }
            Self::Character { tag, at } => write!(f, "invalid tag {tag:?}: wrong character at byte {at}"),
        }
    }
}

impl std::error::Error for ParseTagError {}

impl From<ParseTagError> for Error {
    fn from(error: ParseTagError) -> Self {
        let hint = error.hint();
        Self::new(ErrorKind::InvalidReference, error.to_string()).with_source(error).with_hint(hint)
    }
}
