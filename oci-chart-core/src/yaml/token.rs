//! What the scanner hands to the parser.

use super::document::Span;

/// A place in the text, counted from 0, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Mark {
    pub(super) line: u32,
    pub(super) column: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    StreamStart,
    StreamEnd,
    /// `%YAML`.
    VersionDirective,
    /// `%TAG`.
    TagDirective,
    DocumentStart,
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias,
    Anchor,
    /// A tag.
    Tag,
    Scalar,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    /// Whether a scalar is plain, that is, neither quoted nor a block.
    pub(super) plain: bool,
    pub(super) mark: Mark,
    pub(super) payload: Payload,
    /// One more than the flow level whose simple key this token may be; 0 for none.
    pub(super) key_level: u32,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Payload {
    None,
    Text(Span),
    /// An index into the scanner's tag texts.
    Tag(u32),
    Version(u8, u8),
}

/// The two parts of a tag, or of a `%TAG` directive: handle and suffix, or handle and prefix.
#[derive(Debug, Default)]
pub(super) struct TagText {
    pub(super) handle: Vec<u8>,
    pub(super) rest: Vec<u8>,
}

impl Token {
    pub(super) fn new(kind: TokenKind, mark: Mark) -> Self {
        Self { kind, plain: false, mark, payload: Payload::None, key_level: 0 }
    }
}
