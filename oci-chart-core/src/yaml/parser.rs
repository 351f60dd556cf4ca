//! From tokens to events: a state machine, so that no depth of nesting is a depth of calls.

mod block;
mod directives;
mod flow;

use super::{
    document::Span,
    error::{Fault, ParseError, Position},
    scanner::{Scan, Scanner},
    tags::Tag,
    token::{Mark, Payload, Token, TokenKind},
};

use self::directives::Directives;

#[derive(Debug, Clone, Copy)]
pub(super) enum Event {
    DocumentStart,
    DocumentEnd,
    StreamEnd,
    Alias(Span),
    Scalar(Scalar),
    SequenceStart(Option<Span>),
    SequenceEnd,
    MappingStart(Option<Span>),
    MappingEnd,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Scalar {
    pub(super) text: Span,
    pub(super) anchor: Option<Span>,
    pub(super) tag: Tag,
    /// Whether the text itself may tell the type: it is plain and has no tag, or has the tag `!`.
    pub(super) implicit: bool,
}

pub(super) struct Parser<'a> {
    scanner: Scanner<'a>,
    state: State,
    states: Vec<State>,
    directives: Directives,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    StreamStart,
    ImplicitDocumentStart,
    DocumentStart,
    DocumentContent,
    DocumentEnd,
    BlockNode,
    BlockSequenceFirst,
    BlockSequence,
    IndentlessSequence,
    BlockMappingFirst,
    BlockMappingKey,
    BlockMappingValue,
    FlowSequenceFirst,
    FlowSequence,
    FlowPairKey,
    FlowPairValue,
    FlowPairEnd,
    FlowMappingFirst,
    FlowMappingKey,
    FlowMappingValue,
    FlowMappingEmptyValue,
    End,
}

impl<'a> Parser<'a> {
    pub(super) fn new(scanner: Scanner<'a>) -> Self {
        Self { scanner, state: State::StreamStart, states: Vec::new(), directives: Directives::default() }
    }

    pub(super) fn scanner(&self) -> &Scanner<'a> {
        &self.scanner
    }

    pub(super) fn scanner_mut(&mut self) -> &mut Scanner<'a> {
        &mut self.scanner
    }

    pub(super) fn into_scanner(self) -> Scanner<'a> {
        self.scanner
    }

    /// The next event and where it starts.
    pub(super) fn next(&mut self) -> Scan<(Event, Mark)> {
        match self.state {
            State::StreamStart => {
                self.scanner.peek()?;
                self.scanner.take();
                self.state = State::ImplicitDocumentStart;
                self.document_start(true)
            }
            State::ImplicitDocumentStart => self.document_start(true),
            State::DocumentStart => self.document_start(false),
            State::DocumentContent => self.document_content(),
            State::DocumentEnd => self.document_end(),
            State::BlockNode => self.node(true, false),
            State::BlockSequenceFirst => {
                self.skip()?;
                self.block_sequence()
            }
            State::BlockSequence => self.block_sequence(),
            State::IndentlessSequence => self.indentless_sequence(),
            State::BlockMappingFirst => {
                self.skip()?;
                self.block_mapping_key()
            }
            State::BlockMappingKey => self.block_mapping_key(),
            State::BlockMappingValue => self.block_mapping_value(),
            State::FlowSequenceFirst => {
                self.skip()?;
                self.flow_sequence(true)
            }
            State::FlowSequence => self.flow_sequence(false),
            State::FlowPairKey => self.flow_pair_key(),
            State::FlowPairValue => self.flow_pair_value(),
            State::FlowPairEnd => self.flow_pair_end(),
            State::FlowMappingFirst => {
                self.skip()?;
                self.flow_mapping_key(true)
            }
            State::FlowMappingKey => self.flow_mapping_key(false),
            State::FlowMappingValue => self.flow_mapping_value(),
            State::FlowMappingEmptyValue => self.flow_mapping_empty_value(),
            State::End => Ok((Event::StreamEnd, Mark::default())),
        }
    }

    fn skip(&mut self) -> Scan<()> {
        self.scanner.peek()?;
        self.scanner.take();
        Ok(())
    }

    /// Takes the token that was looked at, and looks at the next.
    fn advance(&mut self) -> Scan<Token> {
        self.scanner.take();
        self.scanner.peek()
    }

    fn document_start(&mut self, implicit: bool) -> Scan<(Event, Mark)> {
        let mut token = self.scanner.peek()?;
        while !implicit && token.kind == TokenKind::DocumentEnd {
            token = self.advance()?;
        }
        match token.kind {
            TokenKind::StreamEnd => {
                self.scanner.take();
                self.state = State::End;
                return Ok((Event::StreamEnd, token.mark));
            }
            TokenKind::VersionDirective | TokenKind::TagDirective | TokenKind::DocumentStart => {}
            _ if implicit => {
                self.states.push(State::DocumentEnd);
                self.state = State::BlockNode;
                return Ok((Event::DocumentStart, token.mark));
            }
            _ => {}
        }
        self.read_directives()?;
        let start = self.scanner.peek()?;
        if start.kind != TokenKind::DocumentStart {
            return Err(fault("did not find expected <document start>", start.mark));
        }
        self.scanner.take();
        self.states.push(State::DocumentEnd);
        self.state = State::DocumentContent;
        Ok((Event::DocumentStart, token.mark))
    }

    fn document_content(&mut self) -> Scan<(Event, Mark)> {
        let token = self.scanner.peek()?;
        match token.kind {
            TokenKind::VersionDirective
            | TokenKind::TagDirective
            | TokenKind::DocumentStart
            | TokenKind::DocumentEnd
            | TokenKind::StreamEnd => {
                self.pop_state();
                Ok(empty(token.mark))
            }
            _ => self.node(true, false),
        }
    }

    fn document_end(&mut self) -> Scan<(Event, Mark)> {
        let token = self.scanner.peek()?;
        if token.kind == TokenKind::DocumentEnd {
            self.scanner.take();
        }
        self.directives = Directives::default();
        self.state = State::DocumentStart;
        Ok((Event::DocumentEnd, token.mark))
    }

    /// A node: its properties, then an alias, a scalar or the start of a collection.
    fn node(&mut self, block: bool, indentless: bool) -> Scan<(Event, Mark)> {
        let mut token = self.scanner.peek()?;
        let mark = token.mark;
        if let (TokenKind::Alias, Payload::Text(name)) = (token.kind, token.payload) {
            self.pop_state();
            self.scanner.take();
            return Ok((Event::Alias(name), mark));
        }
        let (mut anchor, mut tag) = (None, Tag::None);
        if matches!(token.kind, TokenKind::Anchor | TokenKind::Tag) {
            token = self.properties(token, &mut anchor, &mut tag)?;
        }
        let event = match token.kind {
            TokenKind::BlockEntry if indentless => {
                self.state = State::IndentlessSequence;
                Event::SequenceStart(anchor)
            }
            TokenKind::Scalar => {
                let Payload::Text(text) = token.payload else { return Err(no_content(token.mark)) };
                self.pop_state();
                self.scanner.take();
                let implicit = (tag == Tag::None && token.plain) || tag == Tag::NonSpecific;
                Event::Scalar(Scalar { text, anchor, tag, implicit })
            }
            TokenKind::FlowSequenceStart => {
                self.state = State::FlowSequenceFirst;
                Event::SequenceStart(anchor)
            }
            TokenKind::FlowMappingStart => {
                self.state = State::FlowMappingFirst;
                Event::MappingStart(anchor)
            }
            TokenKind::BlockSequenceStart if block => {
                self.state = State::BlockSequenceFirst;
                Event::SequenceStart(anchor)
            }
            TokenKind::BlockMappingStart if block => {
                self.state = State::BlockMappingFirst;
                Event::MappingStart(anchor)
            }
            _ if anchor.is_some() || tag != Tag::None => {
                self.pop_state();
                let implicit = tag == Tag::None;
                Event::Scalar(Scalar { text: Span::EMPTY, anchor, tag, implicit })
            }
            _ => return Err(no_content(token.mark)),
        };
        Ok((event, mark))
    }

    /// An anchor, a tag, or both in either order.
    fn properties(&mut self, first: Token, anchor: &mut Option<Span>, tag: &mut Tag) -> Scan<Token> {
        let mut token = first;
        let mut tag_token = None;
        for _ in 0..2 {
            match token.payload {
                Payload::Text(name) if token.kind == TokenKind::Anchor && anchor.is_none() => {
                    *anchor = Some(name);
                }
                Payload::Tag(index) if token.kind == TokenKind::Tag && tag_token.is_none() => {
                    tag_token = Some((index, token.mark));
                }
                _ => break,
            }
            token = self.advance()?;
        }
        if let Some((index, mark)) = tag_token {
            *tag = self.resolve_tag(index).ok_or_else(|| fault("found undefined tag handle", mark))?;
        }
        Ok(token)
    }

    fn pop_state(&mut self) {
        self.state = self.states.pop().unwrap_or(State::End);
    }
}

/// The event of a value that is not there.
fn empty(mark: Mark) -> (Event, Mark) {
    (Event::Scalar(Scalar { text: Span::EMPTY, anchor: None, tag: Tag::None, implicit: true }), mark)
}

/// The place behind an indicator of one character.
fn behind(mark: Mark) -> Mark {
    Mark { column: mark.column.saturating_add(1), ..mark }
}

fn no_content(mark: Mark) -> ParseError {
    fault("did not find expected node content", mark)
}

fn fault(what: &'static str, mark: Mark) -> ParseError {
    ParseError::new(Fault::Syntax(what), Position::from(mark))
}
