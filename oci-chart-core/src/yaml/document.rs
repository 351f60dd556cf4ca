use super::{
    compose,
    error::{Fault, ParseError, Position},
    split,
    value::Node,
};

/// The bounds of one YAML document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Bounds {
    /// The text, in bytes; at most 2 GiB whatever is set here.
    pub bytes: usize,
    /// What one call may write out of the document with its aliases expanded, in bytes.
    pub expanded: usize,
}

impl Default for Bounds {
    /// 16 MiB of text, 256 MiB expanded.
    fn default() -> Self {
        Self { bytes: 16 << 20, expanded: 256 << 20 }
    }
}

impl From<&crate::Limits> for Bounds {
    fn from(limits: &crate::Limits) -> Self {
        let bytes = usize::try_from(limits.yaml_bytes).unwrap_or(usize::MAX);
        Self { bytes, expanded: bytes.saturating_mul(16) }
    }
}

/// A parsed YAML document: a few flat lists, so that building, sharing and dropping it are cheap whatever its shape.
#[derive(Debug)]
pub struct Document {
    /// The text that scalars point into. Most of them stand there as they are.
    source: String,
    /// The scalars that had to be built: escapes, folded lines, converted keys.
    built: String,
    slots: Vec<Slot>,
    /// Items of sequences.
    links: Vec<u32>,
    entries: Vec<Entry>,
    /// By slot, the JSON text of each [`Data::Broken`].
    broken: Vec<(u32, String)>,
    /// Whether anything is reached through an alias.
    aliased: bool,
    repeated: bool,
    root: u32,
    bounds: Bounds,
}

/// What a document is made of.
pub(super) struct Parts {
    pub(super) source: String,
    pub(super) built: String,
    pub(super) slots: Vec<Slot>,
    pub(super) links: Vec<u32>,
    pub(super) entries: Vec<Entry>,
    pub(super) broken: Vec<(u32, String)>,
    pub(super) aliased: bool,
    pub(super) repeated: bool,
    pub(super) root: u32,
}

impl Document {
    /// Reads the first document of a text; whatever follows it is not looked at, and an empty text is null.
    ///
    /// # Errors
    ///
    /// What Helm refuses (see [`Fault`]), and a text above `bounds`.
    pub fn parse(bytes: &[u8], bounds: &Bounds) -> Result<Self, ParseError> {
        let limit = bounds.bytes.min(Span::MAX_TEXT);
        if bytes.len() > limit {
            return Err(ParseError::new(Fault::TooLarge { limit }, Position::START));
        }
        compose::compose(bytes, bounds)
    }

    /// Reads every document of a values file, cut as Helm 4 cuts it: at each line that starts with `---`.
    ///
    /// # Errors
    ///
    /// Those of [`parse`](Self::parse), and anything but a comment after the `---` of a separator.
    pub fn parse_all(bytes: &[u8], bounds: &Bounds) -> Result<Vec<Self>, ParseError> {
        let limit = bounds.bytes.min(Span::MAX_TEXT);
        if bytes.len() > limit {
            return Err(ParseError::new(Fault::TooLarge { limit }, Position::START));
        }
        let documents = split::split(bytes)?.into_iter().map(|part| {
            let mut document =
                compose::compose(&part.text, bounds).map_err(|e| e.moved_down(part.first_line))?;
            document.move_down(part.first_line);
            Ok(document)
        });
        documents.collect()
    }

    pub(super) fn new(parts: Parts, bounds: Bounds) -> Self {
        let Parts { source, built, slots, links, entries, broken, aliased, repeated, root } = parts;
        Self { source, built, slots, links, entries, broken, aliased, repeated, root, bounds }
    }

    /// Counts lines from further up: the document was a part of a larger text.
    fn move_down(&mut self, lines: u32) {
        if lines > 0 {
            for slot in &mut self.slots {
                slot.position.line = slot.position.line.saturating_add(lines);
            }
        }
    }

    /// The document's value.
    pub fn root(&self) -> Node<'_> {
        Node::new(self, self.root)
    }

    /// The document as JSON text: [`Node::to_json`] of its root.
    ///
    /// # Errors
    ///
    /// Those of [`Node::to_json`].
    pub fn to_json(&self) -> Result<String, ParseError> {
        self.root().to_json()
    }

    /// The bounds it was read under.
    pub fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// Whether an infinity or NaN stands anywhere, be it under a key that a later one replaced.
    pub(crate) fn has_special_floats(&self) -> bool {
        self.slots.iter().any(|slot| matches!(slot.data, Data::Float(value) if !value.is_finite()))
    }

    /// Whether some mapping has a key twice, merged ones included. Helm takes the last; where that is not good enough, ask here.
    pub(crate) fn has_repeated_keys(&self) -> bool {
        self.repeated
    }

    /// Whether written out, with its aliases expanded, the document may be larger than its text.
    pub(super) fn has_aliases(&self) -> bool {
        self.aliased
    }

    /// The JSON text of a slot that holds bytes which are not UTF-8.
    pub(super) fn broken_json(&self, slot: u32) -> &str {
        let at = self.broken.binary_search_by_key(&slot, |(slot, _)| *slot);
        at.ok().and_then(|at| self.broken.get(at)).map_or("\"\"", |(_, json)| json)
    }

    pub(super) fn root_index(&self) -> u32 {
        self.root
    }

    pub(super) fn link(&self, at: usize) -> u32 {
        self.links.get(at).copied().unwrap_or(0)
    }

    pub(super) fn slot(&self, index: u32) -> Slot {
        self.slots
            .get(index as usize)
            .copied()
            .unwrap_or(Slot { data: Data::Null, position: Position::START })
    }

    pub(super) fn text(&self, span: Span) -> &str {
        span.of(&self.source, &self.built)
    }

    pub(super) fn links(&self, range: Range) -> &[u32] {
        range.of(&self.links)
    }

    pub(super) fn entries(&self, range: Range) -> &[Entry] {
        range.of(&self.entries)
    }
}

/// One value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    pub(super) data: Data,
    pub(super) position: Position,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Data {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    String(Span),
    /// Text from `!!binary` whose bytes are not UTF-8; the bad ones are U+FFFD here.
    Broken(Span),
    /// `<<` as it merges; anywhere but as a key it is text.
    MergeKey(Span),
    Sequence(Range),
    Mapping(Range),
}

/// One entry of a mapping, which keeps them sorted by key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) key: Span,
    pub(super) key_node: u32,
    pub(super) value: u32,
}

/// A piece of a document's text, in its source or among the built scalars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    start: u32,
    length: u32,
}

impl Span {
    const BUILT: u32 = 1 << 31;
    /// The longest text. Built scalars may be up to three times as long, and all offsets stay below the mark.
    pub(super) const MAX_TEXT: usize = 1 << 29;
    pub(super) const EMPTY: Self = Self { start: 0, length: 0 };

    pub(super) fn is_empty(self) -> bool {
        self.length == 0
    }

    pub(super) fn source(start: usize, end: usize) -> Self {
        Self { start: offset(start), length: offset(end.saturating_sub(start)) }
    }

    pub(super) fn built(start: usize, end: usize) -> Self {
        Self { start: offset(start) | Self::BUILT, length: offset(end.saturating_sub(start)) }
    }

    pub(super) fn of<'a>(self, source: &'a str, built: &'a str) -> &'a str {
        let (text, start) = if self.start & Self::BUILT == 0 {
            (source, self.start)
        } else {
            (built, self.start & !Self::BUILT)
        };
        let start = start as usize;
        text.get(start..start + self.length as usize).unwrap_or_default()
    }
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX >> 1)
}

/// A run of links or entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) start: u32,
    pub(super) length: u32,
}

impl Range {
    /// Of a collection that is still being read.
    pub(super) const OPEN: Self = Self { start: u32::MAX, length: 0 };

    pub(super) fn of<T>(self, list: &[T]) -> &[T] {
        let start = self.start as usize;
        list.get(start..start + self.length as usize).unwrap_or_default()
    }
}
