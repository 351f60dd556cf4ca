//! Reading versions: one scanner, two strictnesses.

use std::fmt;

use super::{ChartVersion, scan::Shape};
use crate::error::{Error, ErrorKind};

pub(super) fn loose(text: &str) -> Result<ChartVersion, ParseVersionError> {
    let shape = shape(text)?;
    build(text, &shape)
}

pub(super) fn strict(text: &str) -> Result<ChartVersion, ParseVersionError> {
    let shape = shape(text)?;
    if shape.has_v {
        return Err(ParseVersionError::Prefix);
    }
    for part in shape.parts {
        let part = part.ok_or(ParseVersionError::MissingPart)?.of(text);
        if part.len() > 1 && part.starts_with('0') {
            return Err(ParseVersionError::LeadingZero { segment: part.to_owned() });
        }
    }
    build(text, &shape)
}

fn shape(text: &str) -> Result<Shape, ParseVersionError> {
    if text.is_empty() {
        return Err(ParseVersionError::Empty);
    }
    if text.len() > ChartVersion::MAX_LEN {
        return Err(ParseVersionError::TooLong);
    }
    let shape =
        Shape::scan(text, 0, |byte| byte.is_ascii_digit()).map_err(|at| ParseVersionError::Form { at })?;
    if shape.end < text.len() {
        return Err(ParseVersionError::Form { at: shape.end });
    }
    Ok(shape)
}

fn build(text: &str, shape: &Shape) -> Result<ChartVersion, ParseVersionError> {
    let mut core = [0; 3];
    for (number, part) in core.iter_mut().zip(shape.parts.iter().flatten()) {
        let digits = part.of(text);
        // Digits only: the one way to fail is to be too large.
        *number = digits.parse().map_err(|_| ParseVersionError::TooLarge { segment: digits.to_owned() })?;
    }
    let pre = shape.pre.unwrap_or_default();
    let zeros = pre.of(text).split('.').find(|identifier| {
        identifier.len() > 1
            && identifier.starts_with('0')
            && identifier.bytes().all(|byte| byte.is_ascii_digit())
    });
    if let Some(segment) = zeros {
        return Err(ParseVersionError::LeadingZero { segment: segment.to_owned() });
    }
    let metadata = shape.metadata.unwrap_or_default();
    Ok(ChartVersion { text: text.into(), core, pre, metadata })
}

/// Why a text is no version.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseVersionError {
    /// There is no text.
    Empty,
    /// The text has more than [`ChartVersion::MAX_LEN`] bytes.
    TooLong,
    /// A character that cannot stand where it stands, or an end that comes too early.
    Form {
        /// Its place, in bytes from 0.
        at: usize,
    },
    /// Strict only: the text begins with `v`.
    Prefix,
    /// Strict only: fewer than three numbers.
    MissingPart,
    /// A number with a leading zero: in the pre-release part always, elsewhere only when strict.
    LeadingZero {
        /// The number.
        segment: String,
    },
    /// A number beyond 64 bits.
    TooLarge {
        /// The number.
        segment: String,
    },
}

impl fmt::Display for ParseVersionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("version string empty"),
            Self::TooLong => write!(f, "version string is too long (max {} bytes)", ChartVersion::MAX_LEN),
            Self::Form { at } => write!(f, "invalid semantic version: stops making sense at byte {at}"),
            Self::Prefix => f.write_str("invalid semantic version: starts with v"),
            Self::MissingPart => f.write_str("invalid semantic version: fewer than three numbers"),
            Self::LeadingZero { segment } => write!(f, "version segment starts with 0: {segment}"),
            Self::TooLarge { segment } => write!(f, "version segment out of range: {segment}"),
        }
    }
}

impl std::error::Error for ParseVersionError {}

impl From<ParseVersionError> for Error {
    fn from(error: ParseVersionError) -> Self {
        let hint = match &error {
            ParseVersionError::Prefix => "leave out the v",
            ParseVersionError::LeadingZero { .. } => "write numbers without leading zeros",
            ParseVersionError::TooLong => "shorten the pre-release part or the build metadata",
            _ => {
                "a version has the form MAJOR.MINOR.PATCH, then -PRERELEASE and +METADATA if wanted, as in 1.2.3-rc.1+build"
            }
        };
        Self::new(ErrorKind::InvalidVersion, error.to_string()).with_source(error).with_hint(hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_where() {
        use ParseVersionError::{Empty, Form, LeadingZero, MissingPart, Prefix, TooLarge, TooLong};
        let zero = |segment: &str| LeadingZero { segment: segment.to_owned() };
        for (text, loose, strict) in [
            ("", Some(Empty), Empty),
            ("latest", Some(Form { at: 0 }), Form { at: 0 }),
            ("v", Some(Form { at: 1 }), Form { at: 1 }),
            ("1.2.3.4", Some(Form { at: 5 }), Form { at: 5 }),
            ("1.2.3-a..b", Some(Form { at: 7 }), Form { at: 7 }),
            ("1.2.3-é", Some(Form { at: 5 }), Form { at: 5 }),
            ("v1.2.3", None, Prefix),
            ("1.2", None, MissingPart),
            ("1.02.3", None, zero("02")),
            ("1.2.3-a.01", Some(zero("01")), zero("01")),
            (
                "1.2.18446744073709551616",
                Some(TooLarge { segment: "18446744073709551616".to_owned() }),
                TooLarge { segment: "18446744073709551616".to_owned() },
            ),
            (&"1".repeat(257), Some(TooLong), TooLong),
        ] {
            assert_eq!(ChartVersion::parse(text).err(), loose, "{text}");
            assert_eq!(ChartVersion::parse_strict(text).err(), Some(strict), "{text}");
        }
    }

    #[test]
    fn the_error_of_the_crate_has_kind_and_hint() {
        let error = Error::from(ChartVersion::parse("latest").unwrap_err());
        assert_eq!(error.kind(), ErrorKind::InvalidVersion);
        assert!(error.hint().is_some());
    }
}
