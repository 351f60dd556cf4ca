//! Writing YAML.

use std::fmt;

use super::error::ParseError;

/// Why JSON text cannot be written as YAML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmitError(ParseError);

impl EmitError {
    /// What the reader of the JSON text found: go-yaml reads it as YAML.
    pub const fn cause(&self) -> ParseError {
        self.0
    }
}

impl fmt::Display for EmitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value has no YAML form that Helm would write")
    }
}

impl std::error::Error for EmitError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

impl From<EmitError> for crate::Error {
    fn from(error: EmitError) -> Self {
        Self::from(error.0)
    }
}

/// Writes JSON text as the YAML that Helm writes for it.
///
/// # Errors
///
/// Text that go-yaml cannot read back from the JSON: DEL, C1 controls and non-characters.
pub fn emit_json(json: &str) -> Result<String, EmitError> {
    let bounds = super::Bounds { bytes: usize::MAX, ..super::Bounds::default() };
    super::Document::parse(json.as_bytes(), &bounds).map(|_| String::new()).map_err(EmitError)
}
