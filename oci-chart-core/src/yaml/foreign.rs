//! Documents that are not Helm's: repository lists, Kubernetes objects, Artifact Hub files.

use serde::de::DeserializeOwned;

use super::{
    document::{Bounds, Document},
    error::Position,
};
use crate::error::{Error, ErrorKind, Reason, Result};

/// How many times its own size a document may grow when its aliases are expanded.
const MAX_GROWTH: usize = 16;

/// Reads a document that is not Helm's into a type, by the rules of `serde_yaml`: `yes` is text, tags are kept.
///
/// Our own reader looks at the text first. It is linear and bounds depth and aliases, which `serde_yaml` does not: a long string
/// that many aliases repeat would fill the memory. So the text has to be one that Helm could read as well.
///
/// # Errors
///
/// [`ErrorKind::LimitExceeded`] above `max_bytes` and where aliases make the document grow out of proportion;
/// [`ErrorKind::InvalidInput`] for anything that is not YAML, not one document, or not of the type.
pub fn from_foreign<T: DeserializeOwned>(bytes: &[u8], max_bytes: usize) -> Result<T> {
    let expanded = bytes.len().saturating_mul(MAX_GROWTH);
    let document = Document::parse(bytes, &Bounds { bytes: max_bytes, expanded })?;
    if document.has_aliases() {
        document.to_json()?;
    }
    serde_yaml::from_slice(bytes).map_err(|error| {
        let position = error.location().map_or(Position::START, |location| {
            let number = |count| u32::try_from(count).unwrap_or(u32::MAX);
            Position::new(number(location.line()), number(location.column()))
        });
        Error::new(ErrorKind::InvalidInput, "not the YAML document that is expected here")
            .with_reason(Reason::FieldType)
            .with_context("line", position.line)
            .with_source(error)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    type Texts = BTreeMap<String, serde_yaml::Value>;

    #[test]
    fn words_stay_words() {
        let texts: Texts = from_foreign(b"a: yes\nb: &x 1.10\nc: *x\n", 100).unwrap();
        assert_eq!(texts["a"].as_str(), Some("yes"));
        assert_eq!(texts["c"].as_f64(), Some(1.1));
    }

    #[test]
    fn size_and_growth_are_bounded() {
        let kind = |text: &str, max| from_foreign::<Texts>(text.as_bytes(), max).unwrap_err().kind();
        assert_eq!(kind("a: 123456", 8), ErrorKind::LimitExceeded);
        let many = format!("a: &a {}\nb: [{}]\n", "x".repeat(20_000), "*a, ".repeat(5_000));
        assert_eq!(kind(&many, 1 << 20), ErrorKind::LimitExceeded);
        let bomb: String = (1..30).map(|n| format!("a{n}: &a{n} [*a{0}, *a{0}]\n", n - 1)).collect();
        assert_eq!(kind(&format!("a0: &a0 x\n{bomb}"), 1 << 20), ErrorKind::InvalidInput);
        assert_eq!(kind(&"{a: ".repeat(50_000), 1 << 20), ErrorKind::InvalidInput);
    }

    #[test]
    fn what_does_not_fit_the_type_is_refused_with_its_line() {
        let error = from_foreign::<BTreeMap<String, u8>>(b"a: 1\nb: x\n", 100).unwrap_err();
        assert_eq!((error.kind(), error.get("line")), (ErrorKind::InvalidInput, Some("2")));
    }
}
