//! Reading constraints.
//!
//! The grammar of one alternative, blanks being the five of ASCII (blank, tab, line feed, form feed, carriage return):
//!
//! ```text
//! group      = blank* comparator (separator comparator)* blank*
//! separator  = blank+ | blank* "," blank*
//! comparator = operator? blank* operand
//! operand    = "v"? part ("." part)? ("." part)? ("-" identifiers)? ("+" identifiers)?
//! part       = run of digits, "x", "X", "*" and "|"
//! ```
//!
//! The `|` in a part is Masterminds' own: it has no meaning there and ends as an error, but it decides how far an operand
//! reaches, so that `1||2 - 3` is `>=1 || 2 <=3`.

use std::fmt;

use super::{
    Group, VersionReq,
    comparator::{Comparator, Operator, Written},
};
use crate::{
    error::{Error, ErrorKind},
    name::{ChartVersion, version::scan::Shape},
};

pub(super) fn groups(text: &str) -> Result<Vec<Group>, ParseVersionReqError> {
    if text.len() > VersionReq::MAX_LEN {
        return Err(ParseVersionReqError::TooLong);
    }
    let text = expand_ranges(text);
    let alternatives: Vec<_> = text.split("||").collect();
    if alternatives.len() > VersionReq::MAX_GROUPS {
        return Err(ParseVersionReqError::TooManyGroups);
    }
    alternatives.into_iter().map(group).collect()
}

/// Writes every `A - B` as `>= A, <= B `, taking the blanks around it.
fn expand_ranges(text: &str) -> String {
    let mut expanded = String::with_capacity(text.len() + 16);
    let mut at = 0;
    while at < text.len() {
        if let Some((low, high, end)) = range(text, at) {
            expanded.push_str(&format!(">= {low}, <= {high} "));
            at = end;
        } else {
            let next = text.get(at..).and_then(|rest| rest.chars().next());
            expanded.extend(next);
            at += next.map_or(1, char::len_utf8);
        }
    }
    expanded
}

/// The range that begins exactly at `at`, leading blanks included: its two ends and where it is over.
fn range(text: &str, at: usize) -> Option<(&str, &str, usize)> {
    let low = operand(text, skip_blanks(text, at))?;
    let dash = skip_blanks(text, low.end);
    let after_dash = skip_blanks(text, dash + 1);
    if dash == low.end || text.as_bytes().get(dash) != Some(&b'-') || after_dash == dash + 1 {
        return None;
    }
    let high = operand(text, after_dash)?;
    Some((text.get(low.start..low.end)?, text.get(high.start..high.end)?, skip_blanks(text, high.end)))
}

fn group(text: &str) -> Result<Group, ParseVersionReqError> {
    let improper = || ParseVersionReqError::Improper { constraint: text.to_owned() };
    let mut found = Vec::new();
    let mut at = skip_blanks(text, 0);
    while at < text.len() || found.is_empty() {
        let operator_end = skip(text, at, |byte| b"=!<>~^".contains(&byte));
        let written = text.get(at..operator_end).unwrap_or_default();
        let operator = Operator::parse(written).ok_or_else(improper)?;
        let operand = operand(text, skip_blanks(text, operator_end)).ok_or_else(improper)?;
        found.push((written, operator, operand));
        at = match separator(text, operand.end) {
            Some(next) => next,
            None => return Err(improper()),
        };
    }
    // Only once the whole alternative has its form do the numbers count.
    let comparators: Vec<_> = found
        .into_iter()
        .map(|(written, operator, operand)| comparator(text, written, operator, &operand))
        .collect::<Result<_, _>>()?;
    let accepts_prereleases = comparators.iter().any(|comparator| comparator.floor.is_prerelease());
    Ok(Group { comparators, accepts_prereleases })
}

/// Where the next comparator begins, or the end of the text; `None` if neither may come.
fn separator(text: &str, at: usize) -> Option<usize> {
    let next = skip_blanks(text, at);
    if text.as_bytes().get(next) == Some(&b',') {
        return Some(skip_blanks(text, next + 1)).filter(|next| *next < text.len());
    }
    (next > at || next == text.len()).then_some(next)
}

fn comparator(
    text: &str,
    written_operator: &str,
    operator: Operator,
    operand: &Operand,
) -> Result<Comparator, ParseVersionReqError> {
    let Operand { shape, start, end } = *operand;
    let operand = text.get(start..end).unwrap_or_default();
    let numbers: Vec<_> = shape
        .parts
        .iter()
        .map_while(|part| part.map(|part| part.of(text)))
        .take_while(|part| !matches!(*part, "x" | "X" | "*"))
        .collect();
    let pre = shape.pre.map(|pre| format!("-{}", pre.of(text))).unwrap_or_default();
    let (written, floor) = match numbers.as_slice() {
        [] => (Written::Nothing, format!("0.0.0{pre}")),
        [major] => (Written::Major, format!("{major}.0.0{pre}")),
        [major, minor] => (Written::MajorMinor, format!("{major}.{minor}.0{pre}")),
        _ => (Written::All, operand.to_owned()),
    };
    let floor = ChartVersion::parse(&floor)
        .map_err(|_| ParseVersionReqError::Operand { operand: operand.to_owned() })?;
    Ok(Comparator { text: format!("{written_operator}{operand}").into(), operator, floor, written })
}

#[derive(Clone, Copy)]
struct Operand {
    shape: Shape,
    start: usize,
    end: usize,
}

fn operand(text: &str, start: usize) -> Option<Operand> {
    let in_part = |byte: u8| byte.is_ascii_digit() || b"xX*|".contains(&byte);
    let shape = Shape::scan(text, start, in_part).ok()?;
    Some(Operand { shape, start, end: shape.end })
}

fn skip_blanks(text: &str, at: usize) -> usize {
    skip(text, at, |byte| byte.is_ascii_whitespace())
}

fn skip(text: &str, at: usize, accept: impl Fn(u8) -> bool) -> usize {
    at + text.bytes().skip(at).take_while(|byte| accept(*byte)).count()
}

/// Why a text is no version constraint. The words are Helm's.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseVersionReqError {
    /// The text has more than [`VersionReq::MAX_LEN`] bytes.
    TooLong,
    /// There are more than [`VersionReq::MAX_GROUPS`] alternatives.
    TooManyGroups,
    /// An alternative does not have the form of a constraint.
    Improper {
        /// The alternative, hyphen ranges written out.
        constraint: String,
    },
    /// An operand has the form but is no version: a number beyond 64 bits or with a leading zero in the pre-release part, `1x`,
    /// more than 256 bytes.
    Operand {
        /// The operand.
        operand: String,
    },
}

impl fmt::Display for ParseVersionReqError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "constraint string is too long (max {} bytes)", VersionReq::MAX_LEN),
            Self::TooManyGroups => write!(f, "too many constraint groups (max {})", VersionReq::MAX_GROUPS),
            Self::Improper { constraint } => {
                f.write_str("improper constraint: ")?;
                quote(f, constraint)
            }
            Self::Operand { operand } => write!(f, "constraint parser error: {operand} is no version"),
        }
    }
}

/// Quotes as Go's `%q` does.
fn quote(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("\"")?;
    for character in text.chars() {
        match character {
            '\u{7}' => f.write_str("\\a")?,
            '\u{8}' => f.write_str("\\b")?,
            '\u{b}' => f.write_str("\\v")?,
            '\u{c}' => f.write_str("\\f")?,
            '\'' => f.write_str("'")?,
            '\0' | '\u{7f}' => write!(f, "\\x{:02x}", u32::from(character))?,
            _ => match (character.escape_debug().next(), u32::from(character)) {
                (Some('\\'), code @ 0..=0x1f) if !"\t\n\r".contains(character) => write!(f, "\\x{code:02x}")?,
                (Some('\\'), code @ 0x80..=0xffff) => write!(f, "\\u{code:04x}")?,
                (Some('\\'), code @ 0x1_0000..) => write!(f, "\\U{code:08x}")?,
                _ => write!(f, "{}", character.escape_debug())?,
            },
        }
    }
    f.write_str("\"")
}

impl std::error::Error for ParseVersionReqError {}

impl From<ParseVersionReqError> for Error {
    fn from(error: ParseVersionReqError) -> Self {
        let hint = match &error {
            ParseVersionReqError::TooLong | ParseVersionReqError::TooManyGroups => {
                "write a shorter constraint; often a range such as \">=1.2 <2\" says it"
            }
            _ => {
                "write a version or a range, such as 1.2.3, ~1.2, ^1, 1.x, \">=1.2 <2\" or \"1.2 - 1.4\"; a tag such as latest is neither"
            }
        };
        Self::new(ErrorKind::InvalidVersion, error.to_string()).with_source(error).with_hint(hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(text: &str) -> Result<String, ParseVersionReqError> {
        VersionReq::parse(text).map(|req| req.to_string())
    }

    #[test]
    fn ranges_are_written_out_wherever_they_stand() {
        for (text, expected) in [
            ("1.2 - 1.4", ">=1.2 <=1.4"),
            ("1 - 2<3", ">=1 <=2 <3"),
            ("1 - 2 3 - 4", ">=1 <=2 >=3 <=4"),
            (">=0,1 - 2", ">=0 >=1 <=2"),
            ("1||2 - 3", ">=1 || 2 <=3"),
            ("1 - 2||3", ">=1 <=2 || 3"),
            ("1-0 - 2-0-", ">=1-0 <=2-0-"),
        ] {
            assert_eq!(normal(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn errors_have_helm_s_words() {
        for (text, words) in [
            ("", r#"improper constraint: """#),
            (">=0 1 - 2", r#"improper constraint: ">=0>= 1, <= 2 ""#),
            ("1 ||2 - 3", r#"improper constraint: "1>= ""#),
            ("1\u{b}2", r#"improper constraint: "1\v2""#),
            ("\u{a0}>=1", r#"improper constraint: "\u00a0>=1""#),
            ("1\u{7f}\u{1}é\"'\n", r#"improper constraint: "1\x7f\x01é\"'\n""#),
            ("1 , ", r#"improper constraint: "1 , ""#),
            ("1 | 2", "constraint parser error: | is no version"),
            ("1x", "constraint parser error: 1x is no version"),
        ] {
            assert_eq!(normal(text).unwrap_err().to_string(), words, "{text}");
        }
    }
}
