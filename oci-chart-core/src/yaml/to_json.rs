//! A value as JSON text.

use std::fmt::Write as _;

use super::{
    document::{Data, Document, Range},
    error::{Fault, ParseError},
    value::Node,
};
use crate::json;

/// Writes `root` and all below it. Aliases are written out each time, so the text is bounded.
pub(super) fn write(root: Node<'_>) -> Result<String, ParseError> {
    let document = root.document();
    let mut writer = Writer { document, out: String::new(), open: Vec::new() };
    writer.node(root.index())?;
    while let Some(collection) = writer.open.last_mut() {
        let first = collection.next == collection.range.start;
        if collection.next == collection.range.start + collection.range.length {
            writer.out.push(if collection.mapping { '}' } else { ']' });
            writer.open.pop();
            continue;
        }
        let at = collection.next;
        collection.next += 1;
        let mapping = collection.mapping;
        if !first {
            writer.out.push(',');
        }
        writer.child(mapping, Range { start: at, length: 1 })?;
    }
    Ok(writer.out)
}

struct Writer<'a> {
    document: &'a Document,
    out: String,
    open: Vec<Collection>,
}

/// A collection whose end is not written yet.
struct Collection {
    range: Range,
    next: u32,
    mapping: bool,
}

impl Writer<'_> {
    fn child(&mut self, mapping: bool, at: Range) -> Result<(), ParseError> {
        let document = self.document;
        if !mapping {
            return document.links(at).first().map_or(Ok(()), |link| self.node(*link));
        }
        let Some(entry) = document.entries(at).first() else { return Ok(()) };
        let key = document.text(entry.key);
        if let Data::Broken(_) = document.slot(entry.key_node).data {
            self.out.push_str(document.broken_json(entry.key_node));
        } else {
            json::string(&mut self.out, key);
        }
        self.out.push(':');
        self.node(entry.value)
    }

    fn node(&mut self, index: u32) -> Result<(), ParseError> {
        let slot = self.document.slot(index);
        let limit = self.document.bounds().expanded;
        if self.out.len() > limit {
            return Err(ParseError::new(Fault::ExpandsTooFar { limit }, slot.position));
        }
        match slot.data {
            Data::Null => self.out.push_str("null"),
            Data::Bool(value) => self.out.push_str(if value { "true" } else { "false" }),
            // Writing to a String cannot fail.
            Data::Int(value) => drop(write!(self.out, "{value}")),
            Data::Uint(value) => drop(write!(self.out, "{value}")),
            Data::Float(value) => {
                if !json::float64(&mut self.out, value) {
                    let what = if value.is_nan() {
                        "unsupported value: NaN"
                    } else if value > 0.0 {
                        "unsupported value: +Inf"
                    } else {
                        "unsupported value: -Inf"
                    };
                    return Err(ParseError::new(Fault::NotJson(what), slot.position));
                }
            }
            Data::String(span) | Data::MergeKey(span) => {
                json::string(&mut self.out, self.document.text(span));
            }
            Data::Broken(_) => self.out.push_str(self.document.broken_json(index)),
            Data::Sequence(range) => {
                self.out.push('[');
                self.open.push(Collection { range, next: range.start, mapping: false });
            }
            Data::Mapping(range) => {
                self.out.push('{');
                self.open.push(Collection { range, next: range.start, mapping: true });
            }
        }
        Ok(())
    }
}
