//! values.yaml, as far as loading a chart is concerned: it must be something that Helm can read.

use super::{
    metadata::{Kind, Source},
    place::{at, unreadable},
};
use crate::{
    error::{Error, ErrorKind, Reason, Result},
    limits::Limits,
    yaml::{Bounds, Document, Node},
};

/// The name of the file.
pub(super) const FILE: &str = "values.yaml";

/// Refuses what Helm 4 refuses: it reads every document between lines of `---`, each of which must be a mapping or nothing and
/// have a form in JSON. Nothing is merged.
pub(super) fn check(text: &[u8], limits: &Limits) -> Result<()> {
    let documents =
        Document::parse_all(text, &Bounds::from(limits)).map_err(|error| unreadable(FILE, error))?;
    for document in documents {
        let root = document.root();
        match Source::kind(root) {
            Kind::Null => {}
            Kind::Map if document.has_special_floats() => {
                root.to_json().map_err(|error| unreadable(FILE, error))?;
            }
            Kind::Map => {}
            _ => return Err(not_a_map(root)),
        }
    }
    Ok(())
}

fn not_a_map(root: Node<'_>) -> Error {
    let found = Source::kind(root).word();
    let message = format!(
        "cannot load {FILE}: cannot unmarshal {found} into Go value of type map[string]interface {{}}"
    );
    let error = Error::new(ErrorKind::InvalidChart, message)
        .with_reason(Reason::FieldType)
        .with_context("file", FILE)
        .with_hint("values are `key: value` lines");
    at(error, Some(root.position()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_helm_cannot_read_is_refused() {
        for (text, line) in [
            ("a: 1\n---\nb: [\n", Some("4")),
            ("- a\n", Some("1")),
            ("\n# x\nfoo\n", Some("3")),
            ("a: 1\n---- b\n", Some("2")),
            ("a: 1\n---\nb: .inf\n", Some("3")),
            ("a: {{ x }}\n", Some("1")),
        ] {
            let error = check(text.as_bytes(), &Limits::default()).unwrap_err();
            assert_eq!((error.kind(), error.get("file")), (ErrorKind::InvalidChart, Some(FILE)), "{error}");
            assert_eq!(error.get("line"), line, "{error}");
        }
        for text in ["", "~\n", "{}", "a: 1\na: 2\n", "a: .inf\na: 1\n", "---\n---\n", "a: b # c"] {
            check(text.as_bytes(), &Limits::default()).unwrap();
        }
    }
}
