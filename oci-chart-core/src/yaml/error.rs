use std::fmt;

use super::token::Mark;
use crate::error::{Error, ErrorKind, Reason};

/// A place in a YAML text. Lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Position {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

impl Position {
    pub(super) const START: Self = Self { line: 1, column: 1 };

    pub(super) const fn new(line: u32, column: u32) -> Self {
        Self { line, column }
    }
}

impl From<Mark> for Position {
    fn from(mark: Mark) -> Self {
        Self::new(mark.line.saturating_add(1), mark.column.saturating_add(1))
    }
}

/// What is wrong with a YAML text. The words are go-yaml's where it has some.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The bytes are no text, or hold characters that YAML forbids.
    Encoding(&'static str),
    /// The text is not YAML.
    Syntax(&'static str),
    /// The text is YAML, but one of its values cannot be built.
    Value(&'static str),
    /// The value has no form in JSON, and Helm sees YAML through JSON.
    NotJson(&'static str),
    /// The text is larger than [`Bounds::bytes`](super::Bounds).
    TooLarge {
        /// The bound, in bytes.
        limit: usize,
    },
    /// Written out, with every alias expanded, it is larger than [`Bounds::expanded`](super::Bounds).
    ExpandsTooFar {
        /// The bound, in bytes.
        limit: usize,
    },
}

/// Why a YAML text was refused, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParseError {
    fault: Fault,
    position: Position,
}

impl ParseError {
    pub(super) const fn new(fault: Fault, position: Position) -> Self {
        Self { fault, position }
    }

    /// The same, in a text that has `lines` lines more before it.
    pub(super) fn moved_down(self, lines: u32) -> Self {
        let Position { line, column } = self.position;
        Self { position: Position::new(line.saturating_add(lines), column), ..self }
    }

    /// What is wrong.
    pub const fn fault(&self) -> Fault {
        self.fault
    }

    /// Where it was noticed.
    pub const fn position(&self) -> Position {
        self.position
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { line, column } = self.position;
        match self.fault {
            Fault::TooLarge { limit } => write!(f, "the YAML text is larger than {limit} bytes"),
            Fault::ExpandsTooFar { limit } => {
                write!(f, "the YAML text grows to more than {limit} bytes when its aliases are expanded")
            }
            Fault::Encoding(what) | Fault::Syntax(what) | Fault::Value(what) | Fault::NotJson(what) => {
                write!(f, "line {line}, column {column}: {what}")
            }
        }
    }
}

impl std::error::Error for ParseError {}

impl From<ParseError> for Error {
    fn from(error: ParseError) -> Self {
        let (kind, reason, hint) = match error.fault {
            Fault::TooLarge { .. } | Fault::ExpandsTooFar { .. } => (
                ErrorKind::LimitExceeded,
                Reason::DocumentTooLarge,
                "raise Limits::yaml_bytes if the document is meant to be this large",
            ),
            Fault::Encoding(_) | Fault::Syntax(_) => {
                (ErrorKind::InvalidInput, Reason::YamlSyntax, "Helm reads YAML 1.1; correct the text there")
            }
            Fault::Value(_) | Fault::NotJson(_) => (
                ErrorKind::InvalidInput,
                Reason::YamlSyntax,
                "quote the value if it is meant as text: Helm reads YAML 1.1 and passes it on as JSON",
            ),
        };
        Self::new(kind, "not a usable YAML document").with_reason(reason).with_hint(hint).with_source(error)
    }
}
