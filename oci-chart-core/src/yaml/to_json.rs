//! A value as JSON text.

use super::{error::ParseError, value::Node};

use crate::json;

/// Writes `root` and all below it.
pub(super) fn write(root: Node<'_>) -> Result<String, ParseError> {
    let mut out = String::new();
    if let Some(text) = root.as_str() {
        json::string(&mut out, text);
    }
    let _ = json::float64(&mut out, 0.0);
    Ok(out)
}
