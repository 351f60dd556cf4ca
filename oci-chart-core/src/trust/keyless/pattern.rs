use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::error::{Error, ErrorKind, Reason};

/// A text to be matched as a whole: exact, or with wildcards.
///
/// `*` stands for any run of characters but `/` and `@`, so for one segment of a path or one half of an e-mail address; `**` stands for
/// any run at all; neither for control characters. Everything else, dots included, stands for itself. The pattern has to fit from the first character to the last: what
/// a careless regular expression would let through (`https://github.com/org.*` fits `https://github.com/organised-crime/...`)
/// cannot be written. Of a URL the scheme and the host must be literal, and `**` must follow a `/` or `@`.
///
/// # Examples
///
/// ```
/// use oci_chart_core::trust::Pattern;
///
/// let releases: Pattern = "https://github.com/org/*/.github/workflows/release.yml@refs/tags/**".parse()?;
/// assert!(releases.matches("https://github.com/org/web/.github/workflows/release.yml@refs/tags/v1/rc"));
/// assert!(!releases.matches("https://github.com/org/web/fork/.github/workflows/release.yml@refs/tags/v1"));
/// assert!("https://github.com/org**".parse::<Pattern>().is_err());
/// # Ok::<(), oci_chart_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pattern(Form);

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Form {
    Exact(String),
    Glob(Vec<Piece>),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Piece {
    Text(String),
    /// `*`: within a segment.
    Some,
    /// `**`: anything.
    Any,
}

/// Why a text is no [`Pattern`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PatternError {
    /// The text is empty.
    Empty,
    /// Control characters, or more than 1024 bytes.
    Text,
    /// Three or more `*` in a row, or two wildcards with nothing between them.
    Adjacent,
    /// A wildcard in the scheme or the host of a URL.
    OpenHost,
    /// A `**` at the beginning, or one that follows something else than `/` or `@`.
    OpenEnd,
}

const LONGEST: usize = 1024;

impl Pattern {
    /// The text itself and nothing else, stars included.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] where no certificate could hold the text: it is empty, has control characters or is longer than 1024 bytes.
    pub fn exact(text: impl Into<String>) -> Result<Self, PatternError> {
        let text = text.into();
        usable(&text)?;
        Ok(Self(Form::Exact(text)))
    }

    /// Whether the pattern fits `text` as a whole, letter by letter and case by case.
    pub fn matches(&self, text: &str) -> bool {
        match &self.0 {
            Form::Exact(exact) => exact == text,
            // No wildcard stands for what no pattern can say.
            Form::Glob(pieces) => !text.chars().any(char::is_control) && fits(pieces, text),
        }
    }

    /// The text, where it is exact.
    pub fn as_exact(&self) -> Option<&str> {
        match &self.0 {
            Form::Exact(text) => Some(text),
            Form::Glob(_) => None,
        }
    }

    /// Reads wildcards; a text without any is exact.
    fn glob(text: &str) -> Result<Self, PatternError> {
        usable(text)?;
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find('*') {
            let (literal, stars) = rest.split_at(at);
            let count = stars.bytes().take_while(|byte| *byte == b'*').count();
            if count > 2 {
                return Err(PatternError::Adjacent);
            }
            let bounded = literal.ends_with(['/', '@']);
            if count == 2 && !bounded {
                return Err(PatternError::OpenEnd);
            }
            if !literal.is_empty() {
                pieces.push(Piece::Text(literal.to_owned()));
            }
            pieces.push(if count == 2 { Piece::Any } else { Piece::Some });
            rest = stars.get(count..).unwrap_or_default();
        }
        if pieces.is_empty() {
            return Self::exact(text);
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        if let Some((scheme, after)) = text.split_once("://") {
            let host = after.split('/').next().unwrap_or_default();
            if scheme.contains('*') || host.contains('*') || !after.contains('/') {
                return Err(PatternError::OpenHost);
            }
        } else if !matches!(text.rsplit_once('@'), Some((_, domain)) if !domain.contains('*')) {
            // Neither a URL nor an address of a given domain: nothing would be pinned.
            return Err(PatternError::OpenHost);
        }
        Ok(Self(Form::Glob(pieces)))
    }
}

fn usable(text: &str) -> Result<(), PatternError> {
    if text.is_empty() {
        return Err(PatternError::Empty);
    }
    if text.len() > LONGEST || text.chars().any(char::is_control) {
        return Err(PatternError::Text);
    }
    Ok(())
}

/// Whether the pieces fit as a whole. Positions of `text` that the pieces so far can end at are kept side by side, so that no pattern
/// takes more than pieces times length.
fn fits(pieces: &[Piece], text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut reached = vec![false; bytes.len() + 1];
    if let Some(start) = reached.first_mut() {
        *start = true;
    }
    for piece in pieces {
        let mut next = vec![false; reached.len()];
        match piece {
            Piece::Text(literal) => {
                for (at, mark) in next.iter_mut().enumerate() {
                    let start = at.checked_sub(literal.len());
                    *mark = start.is_some_and(|start| {
                        reached.get(start) == Some(&true) && bytes.get(start..at) == Some(literal.as_bytes())
                    });
                }
            }
            Piece::Some | Piece::Any => {
                let mut open = false;
                for (at, mark) in next.iter_mut().enumerate() {
                    let crossed = at.checked_sub(1).and_then(|before| bytes.get(before));
                    if *piece == Piece::Some && matches!(crossed, Some(b'/' | b'@')) {
                        open = false;
                    }
                    open |= reached.get(at) == Some(&true);
                    *mark = open;
                }
            }
        }
        reached = next;
    }
    reached.last() == Some(&true)
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        Self::glob(text)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Exact(text) => f.write_str(text),
            Form::Glob(pieces) => pieces.iter().try_for_each(|piece| match piece {
                Piece::Text(text) => f.write_str(text),
                Piece::Some => f.write_str("*"),
                Piece::Any => f.write_str("**"),
            }),
        }
    }
}

/// `{"exact": TEXT}` or `{"pattern": TEXT}`, so that a star in an exact text is no wildcard after a trip through JSON.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Wire {
    Exact(String),
    Pattern(String),
}

impl Serialize for Pattern {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let text = self.to_string();
        match self.0 {
            Form::Exact(_) => Wire::Exact(text),
            Form::Glob(_) => Wire::Pattern(text),
        }
        .serialize(to)
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match Wire::deserialize(from)? {
            Wire::Exact(text) => Self::exact(text),
            Wire::Pattern(text) => text.parse(),
        }
        .map_err(D::Error::custom)
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "an identity is empty",
            Self::Text => "an identity has control characters or is longer than 1024 bytes",
            Self::Adjacent => "wildcards of an identity follow each other without anything between them",
            Self::OpenHost => {
                "a wildcard in the scheme, host or mail domain of an identity would let strangers in"
            }
            Self::OpenEnd => "`**` in an identity must follow a `/` or `@`",
        })
    }
}

impl std::error::Error for PatternError {}

impl From<PatternError> for Error {
    fn from(error: PatternError) -> Self {
        Self::new(ErrorKind::InvalidInput, error.to_string())
            .with_reason(Reason::FieldInvalid)
            .with_hint(
                "write the identity as the certificate has it; `*` stands for one path segment, `/**` for any rest",
            )
            .with_source(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_fits_the_whole_text_or_not_at_all() {
        let workflow = "https://github.com/org/*/.github/workflows/release.yml@refs/tags/**";
        for (pattern, text, fits) in [
            (workflow, "https://github.com/org/web/.github/workflows/release.yml@refs/tags/v1.0.0", true),
            (workflow, "https://github.com/org/web/.github/workflows/release.yml@refs/tags/a/b@c", true),
            (workflow, "https://github.com/org/web/.github/workflows/release.yml@refs/heads/main", false),
            (workflow, "https://github.com/org/web/.github/workflows/releaseXyml@refs/tags/v1", false),
            (workflow, "https://github.com/org/a/b/.github/workflows/release.yml@refs/tags/v1", false),
            (workflow, "xhttps://github.com/org/web/.github/workflows/release.yml@refs/tags/v1", false),
            (workflow, "https://github.com/orga/web/.github/workflows/release.yml@refs/tags/v1", false),
            ("*@example.com", "release@example.com", true),
            ("*@example.com", "release@example.com.evil", false),
            ("*@example.com", "a@evil@example.com", false),
            ("*@example.com", "release@exampleXcom", false),
            ("https://h/a*c", "https://h/ac", true),
            ("https://h/a*c", "https://h/abcabc", true),
            ("https://h/a*c", "https://h/abca", false),
            ("https://h/*", "https://h/é", true),
            ("https://h/x", "https://h/X", false),
        ] {
            assert_eq!(pattern.parse::<Pattern>().unwrap().matches(text), fits, "{pattern} on {text}");
        }
    }

    #[test]
    fn what_would_pin_nothing_is_refused() {
        for (pattern, error) in [
            ("", PatternError::Empty),
            ("a\nb", PatternError::Text),
            ("*", PatternError::OpenHost),
            ("**", PatternError::OpenEnd),
            ("https://*", PatternError::OpenHost),
            ("https://*.example/x", PatternError::OpenHost),
            ("*://example.com/x", PatternError::OpenHost),
            ("https://example*", PatternError::OpenHost),
            ("https://github.com/org**", PatternError::OpenEnd),
            ("https://github.com/***", PatternError::Adjacent),
            ("release@*.com", PatternError::OpenHost),
            ("release*", PatternError::OpenHost),
        ] {
            assert_eq!(pattern.parse::<Pattern>(), Err(error), "{pattern}");
        }
        assert_eq!(Pattern::exact("a".repeat(1025)), Err(PatternError::Text));
    }

    #[test]
    fn an_exact_text_stays_exact_through_json() {
        let star = Pattern::exact("https://h/*").unwrap();
        assert!(star.matches("https://h/*") && !star.matches("https://h/a"));
        for pattern in [star, "https://h/*".parse().unwrap(), "https://h/a".parse().unwrap()] {
            let text = serde_json::to_string(&pattern).unwrap();
            assert_eq!(serde_json::from_str::<Pattern>(&text).unwrap(), pattern, "{text}");
        }
        assert!(serde_json::from_str::<Pattern>(r#"{"pattern":"**"}"#).is_err());
    }

    #[test]
    fn a_long_pattern_on_a_long_text_takes_no_time() {
        let pattern: Pattern = format!("https://h/{}", "a*".repeat(400)).parse().unwrap();
        assert!(!pattern.matches(&format!("https://h/{}b@", "a".repeat(20_000))));
    }
}
