use std::fmt;

use super::super::sanitize::quote;
use crate::error::{Error, ErrorKind, Reason};

/// Why bytes are no provenance file, or not one of a package. Texts from the file are shown with escapes and cut short.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProvenanceError {
    /// More bytes than are read.
    TooLarge {
        /// How many there are.
        bytes: usize,
    },
    /// Not UTF-8.
    NotUnicode,
    /// There is no signed block at all.
    NoBlock,
    /// Text before, between or behind, which nobody signed.
    TextOutside {
        /// The line, from 1.
        line: usize,
    },
    /// A second signed block.
    SecondBlock {
        /// The line, from 1.
        line: usize,
    },
    /// A header that is no `Hash` header, or names an algorithm that nobody knows.
    Header {
        /// The line, from 1.
        line: usize,
        /// What stands there.
        text: String,
    },
    /// A control character.
    Control {
        /// The line, from 1.
        line: usize,
        /// The character.
        code: u32,
    },
    /// A line of the text begins with a dash that is not escaped.
    Dash {
        /// The line, from 1.
        line: usize,
    },
    /// The file ends too early.
    Truncated,
    /// The signature's armor is damaged.
    Armor {
        /// The line, from 1.
        line: usize,
    },
    /// The signed text does not have two parts with a line of three dots between.
    Parts(usize),
    /// One of the two parts is not the YAML that it should be.
    Document {
        /// Which: `metadata` or `files`.
        part: &'static str,
        /// What is wrong.
        what: String,
    },
    /// No file of this name and no file with this digest is listed.
    NotListed {
        /// The file that was looked for.
        file: String,
    },
    /// The file is listed with another digest.
    OtherDigest {
        /// The file that was looked for.
        file: String,
        /// What the signed text says of it.
        signed: String,
    },
    /// The signed text is about another chart than the one in the package.
    OtherChart {
        /// Which field differs: `name` or `version`.
        field: &'static str,
        /// What the signed text has; nothing where it does not say.
        signed: Option<String>,
        /// What the package's Chart.yaml has.
        packaged: String,
    },
}

impl ProvenanceError {
    fn reason(&self) -> Reason {
        match self {
            Self::NotListed { .. } | Self::OtherDigest { .. } => Reason::ProvenanceMismatch,
            Self::OtherChart { .. } => Reason::MetadataMismatch,
            _ => Reason::ProvenanceMalformed,
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::NotListed { .. } | Self::OtherDigest { .. } => {
                "the package was changed or exchanged after it was signed, or this is another package's provenance file"
            }
            Self::OtherChart { .. } => {
                "sign the package again; Helm does not compare the two and would accept this file"
            }
            Self::Header { .. } | Self::TextOutside { .. } | Self::SecondBlock { .. } => {
                "a provenance file is one signed block with Hash headers and nothing else; some of the rest Helm would overlook"
            }
            _ => "sign the package again, with `helm package --sign` or gpg --clearsign",
        }
    }
}

impl fmt::Display for ProvenanceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { bytes } => write!(f, "the provenance file is too large ({bytes} bytes)"),
            Self::NotUnicode => f.write_str("the provenance file is not UTF-8"),
            Self::NoBlock => f.write_str("the provenance file has no signed block"),
            Self::TextOutside { line } => write!(f, "line {line} stands outside the signed block"),
            Self::SecondBlock { line } => write!(f, "a second signed block begins in line {line}"),
            Self::Header { line, text } => {
                write!(f, "line {line} is no Hash header of a known algorithm: {}", excerpt(text))
            }
            Self::Control { line, code } => {
                write!(f, "line {line} has the control character U+{code:04X}")
            }
            Self::Dash { line } => write!(f, "line {line} begins with a dash that is not escaped"),
            Self::Truncated => f.write_str("the provenance file ends too early"),
            Self::Armor { line } => write!(f, "line {line} of the signature is damaged"),
            Self::Parts(1) => f.write_str("the signed text has no line of three dots between two parts"),
            Self::Parts(count) => write!(f, "the signed text has {count} parts, not two"),
            Self::Document { part, what } => {
                write!(f, "the {part} part of the signed text: {}", excerpt(what))
            }
            Self::NotListed { file } => {
                write!(f, "the signed text names neither {} nor its digest", excerpt(file))
            }
            Self::OtherDigest { file, signed } => {
                write!(f, "the signed text has another digest for {}: {}", excerpt(file), excerpt(signed))
            }
            Self::OtherChart { field, signed: Some(signed), packaged } => write!(
                f,
                "the signed text is about {field} {}, the package about {}",
                excerpt(signed),
                excerpt(packaged)
            ),
            Self::OtherChart { field, signed: None, packaged } => {
                write!(f, "the signed text has no {field}, the package has {}", excerpt(packaged))
            }
        }
    }
}

impl std::error::Error for ProvenanceError {}

impl From<ProvenanceError> for Error {
    fn from(error: ProvenanceError) -> Self {
        if let ProvenanceError::TooLarge { bytes } = error {
            return Self::limit(
                "prov_bytes",
                super::Provenance::MAX_BYTES,
                "the provenance file is too large",
            )
            .with_hint("a provenance file is Chart.yaml and a signature; this is something else")
            .with_context("bytes", bytes);
        }
        Self::new(ErrorKind::SignatureInvalid, error.to_string())
            .with_reason(error.reason())
            .with_hint(error.hint())
            .with_source(error)
    }
}

/// Text of a stranger's: quoted, escaped, and not longer than a line.
pub(crate) fn excerpt(text: &str) -> String {
    const MOST: usize = 100;
    match text.char_indices().nth(MOST) {
        None => quote(text),
        Some((end, _)) => format!("{}...", quote(text.get(..end).unwrap_or_default())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_stranger_s_reaches_the_terminal() {
        let text = format!("\u{1b}[2Jname\u{202e}\n{}", "x".repeat(500));
        for error in [
            ProvenanceError::Header { line: 1, text: text.clone() },
            ProvenanceError::NotListed { file: text.clone() },
            ProvenanceError::OtherDigest { file: text.clone(), signed: text.clone() },
            ProvenanceError::OtherChart { field: "name", signed: Some(text.clone()), packaged: text },
        ] {
            let shown = Error::from(error).to_string();
            assert!(shown.len() < 400 && !shown.contains(['\u{1b}', '\u{202e}', '\n']), "{shown}");
        }
    }
}
