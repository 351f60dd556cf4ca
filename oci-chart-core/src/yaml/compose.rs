//! From events to a document.

use std::collections::HashMap;

use super::{
    binary,
    document::{Bounds, Data, Document, Parts, Range, Slot, Span},
    error::{Fault, ParseError, Position},
    expansion, mappings,
    parser::{Event, Parser, Scalar},
    reader::Source,
    resolve::{self, Meaning},
    scanner::{Scan, Scanner},
    tags::Tag,
    token::Mark,
};

/// Set in a link that goes through an alias, until the document is done.
pub(super) const ALIAS: u32 = 1 << 31;

/// Reads the first document.
pub(super) fn compose(bytes: &[u8], bounds: &Bounds) -> Result<Document, ParseError> {
    // go-yaml reads an empty text as an empty line.
    let bytes = if bytes.is_empty() { b"\n" } else { bytes };
    let mut source = Source::new(bytes);
    let mut composer = Composer::new(Parser::new(Scanner::new(&mut source)));
    let root = composer.document()?;
    let Composer { parser, mut slots, mut links, mappings, broken, aliased, .. } = composer;
    if aliased {
        expansion::check(&slots, &links, root)?;
    }
    let built = parser.into_scanner().into_built();
    let source = source.text.into_owned();
    let mappings::Built { entries, text: built, repeated } =
        mappings::build(&mut slots, &links, &mappings, root, &source, built)?;
    if aliased {
        for link in &mut links {
            *link &= !ALIAS;
        }
    }
    Ok(Document::new(
        Parts { source, built, slots, links, entries, broken, aliased, repeated, root },
        *bounds,
    ))
}

struct Composer<'a> {
    parser: Parser<'a>,
    slots: Vec<Slot>,
    links: Vec<u32>,
    /// The children of the collections that are not finished, innermost last.
    open: Vec<u32>,
    collections: Vec<Collection>,
    anchors: HashMap<String, u32>,
    /// Mappings in the order they ended: what a mapping refers to comes before it.
    mappings: Vec<u32>,
    /// By slot, as in the document.
    broken: Vec<(u32, String)>,
    aliased: bool,
}

/// A collection whose end has not come yet.
struct Collection {
    slot: u32,
    first_child: usize,
}

impl<'a> Composer<'a> {
    fn new(parser: Parser<'a>) -> Self {
        Self {
            parser,
            slots: Vec::new(),
            links: Vec::new(),
            open: Vec::new(),
            collections: Vec::new(),
            anchors: HashMap::new(),
            mappings: Vec::new(),
            broken: Vec::new(),
            aliased: false,
        }
    }

    fn document(&mut self) -> Scan<u32> {
        loop {
            let (event, mark) = self.parser.next()?;
            match event {
                Event::DocumentStart => {}
                Event::StreamEnd => return Ok(self.push_slot(Data::Null, mark)),
                Event::DocumentEnd => return Ok(self.open.first().copied().unwrap_or(0) & !ALIAS),
                Event::Alias(name) => self.alias(name, mark)?,
                Event::Scalar(scalar) => self.scalar(scalar, mark)?,
                Event::SequenceStart(anchor) => self.start(Data::Sequence(Range::OPEN), anchor, mark),
                Event::MappingStart(anchor) => self.start(Data::Mapping(Range::OPEN), anchor, mark),
                Event::SequenceEnd | Event::MappingEnd => self.end(),
            }
        }
    }

    fn alias(&mut self, name: Span, mark: Mark) -> Scan<()> {
        let target = self.anchors.get(self.parser.scanner().span_text(name)).copied();
        let target = target.ok_or_else(|| value_fault("unknown anchor referenced", mark))?;
        if let Some(Slot { data: Data::Sequence(Range::OPEN) | Data::Mapping(Range::OPEN), .. }) =
            self.slots.get(target as usize)
        {
            return Err(value_fault("anchor value contains itself", mark));
        }
        self.aliased = true;
        self.open.push(target | ALIAS);
        Ok(())
    }

    fn scalar(&mut self, scalar: Scalar, mark: Mark) -> Scan<()> {
        let data = self.resolve(scalar).map_err(|what| value_fault(what, mark))?;
        let slot = self.push_slot(data, mark);
        self.name(scalar.anchor, slot);
        self.open.push(slot);
        Ok(())
    }

    fn resolve(&mut self, Scalar { text: span, tag, implicit, .. }: Scalar) -> Result<Data, &'static str> {
        if tag == Tag::None && !implicit {
            return Ok(Data::String(span));
        }
        let text = self.parser.scanner().span_text(span);
        if text == "<<" && (implicit || tag == Tag::Merge) {
            return Ok(Data::MergeKey(span));
        }
        if tag == Tag::Binary {
            let binary = binary::decode(text).ok_or("!!binary value contains invalid base64 data")?;
            let span = self.parser.scanner_mut().build(&binary.text);
            return Ok(match binary.broken_json {
                Some(json) => {
                    self.broken.push((index(self.slots.len()), json));
                    Data::Broken(span)
                }
                None => Data::String(span),
            });
        }
        Ok(match resolve::tagged(text, tag)? {
            Meaning::Null => Data::Null,
            Meaning::Bool(value) => Data::Bool(value),
            Meaning::Int(value) => Data::Int(value),
            Meaning::Uint(value) => Data::Uint(value),
            Meaning::Float(value) => Data::Float(value),
            Meaning::Text => Data::String(span),
        })
    }

    fn start(&mut self, data: Data, anchor: Option<Span>, mark: Mark) {
        let slot = self.push_slot(data, mark);
        self.name(anchor, slot);
        self.open.push(slot);
        self.collections.push(Collection { slot, first_child: self.open.len() });
    }

    fn end(&mut self) {
        let Some(Collection { slot, first_child }) = self.collections.pop() else { return };
        let start = index(self.links.len());
        let length = index(self.open.len() - first_child);
        self.links.extend(self.open.drain(first_child..));
        let range = Range { start, length };
        if let Some(Slot { data, .. }) = self.slots.get_mut(slot as usize) {
            if let Data::Mapping(_) = data {
                *data = Data::Mapping(range);
                self.mappings.push(slot);
            } else {
                *data = Data::Sequence(range);
            }
        }
    }

    fn name(&mut self, anchor: Option<Span>, slot: u32) {
        if let Some(anchor) = anchor {
            self.anchors.insert(self.parser.scanner().span_text(anchor).to_owned(), slot);
        }
    }

    fn push_slot(&mut self, data: Data, mark: Mark) -> u32 {
        let slot = index(self.slots.len());
        self.slots.push(Slot { data, position: mark.into() });
        slot
    }
}

/// Texts are limited so that every count fits.
fn index(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX >> 1)
}

fn value_fault(what: &'static str, mark: Mark) -> ParseError {
    ParseError::new(Fault::Value(what), Position::from(mark))
}
