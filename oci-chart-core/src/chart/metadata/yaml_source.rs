//! Metadata out of YAML.

use std::borrow::Cow;

use super::{super::place::unreadable, Kind, Source};
use crate::{
    error::Result,
    limits::Limits,
    yaml::{self, Bounds, Document, Node, Position},
};

/// Reads the first document of `text`, the content of `file`.
pub(in crate::chart) fn parse(file: &str, text: &[u8], limits: &Limits) -> Result<Document> {
    Document::parse(text, &Bounds::from(limits)).map_err(|error| unreadable(file, error))
}

/// Where a field stands that is written as in `dependencies[2].alias`; where a part of it is missing, the part above it.
pub(super) fn locate(root: Node<'_>, field: &str) -> Option<Position> {
    let mut node = root;
    let mut found = None;
    for step in field.split('.') {
        let (name, index) = match step.split_once('[') {
            None => (step, None),
            Some((name, index)) => (name, index.trim_end_matches(']').parse::<usize>().ok()),
        };
        let Some(value) = node.field(name) else { break };
        node = value;
        found = Some(node.position());
        if let Some(index) = index {
            let Some(item) = node.items().nth(index) else { break };
            node = item;
            found = Some(node.position());
        }
    }
    found
}

impl<'a> Source<'a> for Node<'a> {
    fn kind(self) -> Kind {
        match Node::kind(self) {
            yaml::Kind::Null => Kind::Null,
            yaml::Kind::Bool => Kind::Bool,
            yaml::Kind::Int | yaml::Kind::Float => Kind::Number,
            yaml::Kind::String => Kind::String,
            yaml::Kind::Sequence => Kind::List,
            yaml::Kind::Mapping => Kind::Map,
        }
    }

    fn position(self) -> Option<Position> {
        Some(Node::position(self))
    }

    fn entries(self) -> Vec<(Cow<'a, str>, Self)> {
        Node::entries(self).map(|(key, value)| (Cow::Borrowed(key), value)).collect()
    }

    fn items(self) -> Vec<Self> {
        Node::items(self).collect()
    }

    fn as_bool(self) -> Option<bool> {
        Node::as_bool(self)
    }

    fn text(self) -> Option<Cow<'a, str>> {
        self.helm_string()
    }

    fn json(self) -> Option<String> {
        self.to_json().ok().map(|json| through_float64(&json))
    }
}

/// The JSON text with every number as Go writes it after it was a `float64`.
fn through_float64(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '"' => string_length(rest),
            '-' | '0'..='9' => {
                let length = rest.find([',', ']', '}']).unwrap_or(rest.len());
                let number = rest.get(..length).unwrap_or_default();
                if !number.parse().is_ok_and(|value| crate::json::float64(&mut out, value)) {
                    out.push_str(number);
                }
                rest = rest.get(length..).unwrap_or_default();
                continue;
            }
            _ => c.len_utf8(),
        };
        let (token, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        out.push_str(token);
        rest = after;
    }
    out
}

/// The length of the JSON string that `text` begins with, quotes included.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_pass_through_float64() {
        for (json, float) in [
            ("12345678901234567890", "12345678901234567000"),
            (
                r#"[1e21,1e20,{"a":0.000001,"1":"1e20\"1"},true,null,-0]"#,
                r#"[1e+21,100000000000000000000,{"a":0.000001,"1":"1e20\"1"},true,null,-0]"#,
            ),
            (r#""é\\""#, r#""é\\""#),
        ] {
            assert_eq!(through_float64(json), float);
        }
    }

    #[test]
    fn fields_are_found_in_any_spelling() {
        let text = b"name: x\nDependencies:\n- name: a\n- name: b\n  alias: c d\n";
        let document = parse("Chart.yaml", text, &Limits::default()).unwrap();
        let place = |field| locate(document.root(), field).map(|place| (place.line, place.column));
        assert_eq!(place("name"), Some((1, 7)));
        assert_eq!(place("dependencies[1].alias"), Some((5, 10)));
        assert_eq!(place("dependencies[1].version"), Some((4, 3)));
        assert_eq!(place("version"), None);
    }
}
