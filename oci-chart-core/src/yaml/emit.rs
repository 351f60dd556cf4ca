//! From JSON back to YAML, byte for byte as Helm writes it.
//!
//! Helm marshals to JSON and hands the text to go-yaml, which reads it *as YAML* and writes what it read. So a string that YAML
//! cannot carry fails here although JSON can, and a line break character inside a string follows YAML's rules.

mod letters;
mod order;
mod scalar;
mod style;
mod writer;

use std::fmt;

use super::{
    document::{Bounds, Data, Document, Entry, Range},
    error::{Fault, ParseError},
    number,
};

use self::{style::Context, writer::Writer};

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

/// Writes JSON text as the YAML that Helm writes for it: keys in natural order, lists at the column of their key,
/// text folded behind column 80 and quoted wherever YAML 1.1 would take it for something else.
///
/// # Examples
///
/// ```
/// use oci_chart_core::yaml::emit_json;
///
/// let yaml = emit_json(r#"{"version":"1.10","keywords":["web","n"],"name":"nginx"}"#)?;
/// assert_eq!(yaml, "keywords:\n- web\n- \"n\"\nname: nginx\nversion: \"1.10\"\n");
/// # Ok::<(), oci_chart_core::yaml::EmitError>(())
/// ```
///
/// # Errors
///
/// Text that go-yaml cannot read back from the JSON: DEL, C1 controls, non-characters, keys above 1,024 characters.
pub fn emit_json(json: &str) -> Result<String, EmitError> {
    let bounds = Bounds { bytes: usize::MAX, ..Bounds::default() };
    Document::parse(json.as_bytes(), &bounds).and_then(|document| write(&document)).map_err(EmitError)
}

fn write(document: &Document) -> Result<String, ParseError> {
    let mut emitter = Emitter { document, writer: Writer::new(), open: Vec::new(), order: Vec::new() };
    emitter.node(document.root_index(), Context::default())?;
    while let Some(collection) = emitter.open.last_mut() {
        let at = collection.next;
        if at == collection.end {
            emitter.writer.indent = collection.outer_indent;
            emitter.order.truncate(collection.order_start);
            emitter.open.pop();
            continue;
        }
        collection.next += 1;
        if collection.mapping {
            emitter.entry(at)?;
        } else {
            emitter.item(at)?;
        }
    }
    Ok(emitter.writer.finish())
}

struct Emitter<'a> {
    document: &'a Document,
    writer: Writer,
    open: Vec<Collection>,
    /// The entries of the open mappings, each mapping's in the order they are written.
    order: Vec<Entry>,
}

/// A collection whose end is not written yet.
struct Collection {
    mapping: bool,
    /// Into the document's links, or into `order`.
    next: usize,
    end: usize,
    order_start: usize,
    outer_indent: Option<usize>,
}

impl Emitter<'_> {
    fn item(&mut self, at: usize) -> Result<(), ParseError> {
        self.writer.go_to_indent();
        self.writer.indicator("-", true, true);
        let link = self.document.link(at);
        self.node(link, Context::default())
    }

    fn entry(&mut self, at: usize) -> Result<(), ParseError> {
        let Some(Entry { key, value, .. }) = self.order.get(at).copied() else { return Ok(()) };
        let key = self.document.text(key);
        self.writer.go_to_indent();
        if style::is_simple_key(key) {
            self.text(key, Context { simple_key: true });
            self.writer.indicator(":", false, false);
        } else {
            self.writer.indicator("?", true, true);
            self.text(key, Context::default());
            self.writer.go_to_indent();
            self.writer.indicator(":", true, true);
        }
        self.node_of_mapping(value)
    }

    fn node(&mut self, index: u32, context: Context) -> Result<(), ParseError> {
        self.any_node(index, context, false)
    }

    fn node_of_mapping(&mut self, index: u32) -> Result<(), ParseError> {
        self.any_node(index, Context::default(), true)
    }

    fn any_node(&mut self, index: u32, context: Context, in_mapping: bool) -> Result<(), ParseError> {
        let slot = self.document.slot(index);
        let limit = self.document.bounds().expanded;
        if self.writer.length() > limit {
            return Err(ParseError::new(Fault::ExpandsTooFar { limit }, slot.position));
        }
        match slot.data {
            Data::Null => self.plain("null"),
            Data::Bool(true) => self.plain("true"),
            Data::Bool(false) => self.plain("false"),
            Data::Int(value) => self.plain(&value.to_string()),
            Data::Uint(value) => self.plain(&value.to_string()),
            Data::Float(value) => self.plain(&float_text(value)),
            Data::String(span) | Data::Broken(span) | Data::MergeKey(span) => {
                self.text(self.document.text(span), context);
            }
            Data::Sequence(range) => self.open_sequence(range, in_mapping),
            Data::Mapping(range) => self.open_mapping(range),
        }
        Ok(())
    }

    fn open_sequence(&mut self, range: Range, in_mapping: bool) {
        if range.length == 0 {
            self.writer.indicator("[", true, false);
            self.writer.after_bracket();
            self.writer.indicator("]", false, false);
            return;
        }
        let outer_indent = self.writer.indent;
        // A list in a mapping stays at its key's column.
        let flat = in_mapping && !self.writer.at_indentation();
        self.writer.deepen(flat);
        let next = range.start as usize;
        let order_start = self.order.len();
        let end = next + range.length as usize;
        self.open.push(Collection { mapping: false, next, end, order_start, outer_indent });
    }

    fn open_mapping(&mut self, range: Range) {
        if range.length == 0 {
            self.writer.indicator("{", true, false);
            self.writer.after_bracket();
            self.writer.indicator("}", false, false);
            return;
        }
        let outer_indent = self.writer.indent;
        self.writer.deepen(false);
        let order_start = self.order.len();
        let document = self.document;
        let sorted = order::sorted(document.entries(range), |entry| document.text(entry.key));
        self.order.extend(sorted);
        let end = self.order.len();
        self.open.push(Collection { mapping: true, next: order_start, end, order_start, outer_indent });
    }

    fn plain(&mut self, text: &str) {
        self.writer.scalar(text, style::Style::Plain, Context::default());
    }

    fn text(&mut self, text: &str, context: Context) {
        let style = style::choose(text, context);
        self.writer.scalar(text, style, context);
    }
}

fn float_text(value: f64) -> String {
    let text = number::float64_g(value);
    match text.as_str() {
        "+Inf" => ".inf".to_owned(),
        "-Inf" => "-.inf".to_owned(),
        "NaN" => ".nan".to_owned(),
        _ => text,
    }
}
