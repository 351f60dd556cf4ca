//! From text to tokens.
//!
//! YAML's mappings have no opening sign: that `name` is a key shows only at the `:` behind it. So tokens wait in a
//! queue while a *simple key* may still start at its head, and the tokens that open a mapping are put in before it. What
//! follows the indentation is kept on a stack of columns.

mod block;
mod chars;
mod gap;
mod keys;
mod plain;
mod quoted;
mod tag;

use std::collections::VecDeque;

use super::{
    document::Span,
    error::{Fault, ParseError, Position},
    reader::{Pieces, Source},
    token::{Mark, Payload, TagText, Token, TokenKind},
};

use self::{chars::Stop, keys::SimpleKey};

pub(super) type Scan<T> = Result<T, ParseError>;

/// How deep flow collections, and indents, may be nested.
const MAX_DEPTH: usize = 10_000;

pub(super) struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    pieces: Option<Pieces>,

    at: usize,
    line: u32,
    ascii: bool,
    /// A place on the current line and its column: counting goes on from there.
    counted: (usize, u32),

    queue: VecDeque<Token>,
    ready: bool,
    /// How many tokens have left the queue.
    taken: usize,
    started: bool,

    indent: i64,
    indents: Vec<i64>,
    flow_level: usize,
    keys: Vec<SimpleKey>,
    key_allowed: bool,
    /// The key level that the next token starts, as in [`Token::key_level`].
    next_key_level: u32,

    built: String,
    breaks: String,
    tags: Vec<TagText>,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(source: &'a mut Source<'_>) -> Self {
        let pieces = source.pieces.take();
        let text: &str = &source.text;
        Self {
            text,
            bytes: text.as_bytes(),
            pieces,
            at: 0,
            line: 0,
            ascii: source.ascii,
            counted: (0, 0),
            queue: VecDeque::new(),
            ready: false,
            taken: 0,
            started: false,
            indent: -1,
            indents: Vec::new(),
            flow_level: 0,
            keys: vec![SimpleKey::default()],
            key_allowed: true,
            next_key_level: 0,
            built: String::new(),
            breaks: String::new(),
            tags: Vec::new(),
        }
    }

    /// The next token, which stays.
    pub(super) fn peek(&mut self) -> Scan<Token> {
        if !self.ready {
            self.fill_queue()?;
            self.ready = true;
        }
        Ok(self.queue.front().copied().unwrap_or(Token::new(TokenKind::StreamEnd, Mark::default())))
    }

    /// Takes the token that [`peek`](Self::peek) showed.
    pub(super) fn take(&mut self) {
        self.ready = false;
        self.taken += 1;
        self.queue.pop_front();
    }

    /// The text of scalars, anchors and aliases.
    pub(super) fn span_text(&self, span: Span) -> &str {
        span.of(self.text, &self.built)
    }

    pub(super) fn tag_text(&self, index: u32) -> Option<&TagText> {
        self.tags.get(index as usize)
    }

    /// Keeps a text that stands nowhere in the source.
    pub(super) fn build(&mut self, text: &str) -> Span {
        let start = self.built.len();
        self.built.push_str(text);
        Span::built(start, self.built.len())
    }

    /// What was built for scalars that do not stand in the source as they are.
    pub(super) fn into_built(self) -> String {
        self.built
    }

    fn fill_queue(&mut self) -> Scan<()> {
        while self.queue.is_empty() || self.head_may_be_key()? {
            self.fetch()?;
        }
        Ok(())
    }

    fn fetch(&mut self) -> Scan<()> {
        self.need(1)?;
        if !self.started {
            self.started = true;
            self.push(Token::new(TokenKind::StreamStart, Mark::default()));
            return Ok(());
        }
        self.skip_to_token()?;
        let column = self.column();
        self.unroll(i64::from(column));
        self.need(4)?;
        let byte = self.byte(0);
        if byte == 0 {
            return self.fetch_stream_end();
        }
        if column == 0 {
            match byte {
                b'%' => return self.fetch_directive(),
                b'-' | b'.' if self.at_document_mark() => return self.fetch_document_mark(),
                _ => {}
            }
        }
        let in_flow = self.flow_level > 0;
        match byte {
            b'[' => self.fetch_flow_start(TokenKind::FlowSequenceStart),
            b'{' => self.fetch_flow_start(TokenKind::FlowMappingStart),
            b']' => self.fetch_flow_end(TokenKind::FlowSequenceEnd),
            b'}' => self.fetch_flow_end(TokenKind::FlowMappingEnd),
            b',' => self.fetch_flow_entry(),
            b'-' if self.is_blank_or_end(1) => self.fetch_block_entry(),
            b'?' if in_flow || self.is_blank_or_end(1) => self.fetch_key(),
            b':' if in_flow || self.is_blank_or_end(1) => self.fetch_value(),
            b'*' => self.fetch_anchor(TokenKind::Alias),
            b'&' => self.fetch_anchor(TokenKind::Anchor),
            b'!' => self.fetch_tag(),
            b'|' | b'>' if !in_flow => self.fetch_block_scalar(byte == b'|'),
            b'\'' | b'"' => self.fetch_quoted(byte == b'\''),
            // `?` and `:` get here only outside of flow and with a character behind them.
            b'#' | b'|' | b'>' | b'%' | b'@' | b'`' | b'\t' => {
                Err(self.fault("found character that cannot start any token"))
            }
            _ => self.fetch_plain(),
        }
    }

    fn fetch_stream_end(&mut self) -> Scan<()> {
        // The end is a line of its own, so that no key waits for a `:` any longer.
        if self.column() != 0 {
            self.line = self.line.saturating_add(1);
            self.counted = (self.at, 0);
        }
        self.unroll(-1);
        self.remove_key()?;
        self.key_allowed = false;
        self.push_here(TokenKind::StreamEnd);
        Ok(())
    }

    fn fetch_document_mark(&mut self) -> Scan<()> {
        self.unroll(-1);
        self.remove_key()?;
        self.key_allowed = false;
        let kind = if self.byte(0) == b'-' { TokenKind::DocumentStart } else { TokenKind::DocumentEnd };
        self.push_here(kind);
        self.at += 3;
        Ok(())
    }

    fn fetch_flow_start(&mut self, kind: TokenKind) -> Scan<()> {
        self.save_key()?;
        self.enter_flow()?;
        self.key_allowed = true;
        self.push_here(kind);
        self.at += 1;
        Ok(())
    }

    fn fetch_flow_end(&mut self, kind: TokenKind) -> Scan<()> {
        self.remove_key()?;
        self.leave_flow();
        self.key_allowed = false;
        self.push_here(kind);
        self.at += 1;
        Ok(())
    }

    fn fetch_flow_entry(&mut self) -> Scan<()> {
        self.remove_key()?;
        self.key_allowed = true;
        self.push_here(TokenKind::FlowEntry);
        self.at += 1;
        Ok(())
    }

    fn fetch_block_entry(&mut self) -> Scan<()> {
        // In a flow collection the parser, which knows the context, refuses the sign.
        if self.flow_level == 0 {
            if !self.key_allowed {
                return Err(self.fault("block sequence entries are not allowed in this context"));
            }
            let mark = self.mark();
            self.roll(mark, None, TokenKind::BlockSequenceStart)?;
        }
        self.remove_key()?;
        self.key_allowed = true;
        self.push_here(TokenKind::BlockEntry);
        self.at += 1;
        Ok(())
    }

    fn push_here(&mut self, kind: TokenKind) {
        let token = Token::new(kind, self.mark());
        self.push(token);
    }

    fn push_text(&mut self, kind: TokenKind, plain: bool, mark: Mark, span: Span) {
        self.push(Token { plain, payload: Payload::Text(span), ..Token::new(kind, mark) });
    }

    fn push(&mut self, token: Token) {
        let key_level = std::mem::take(&mut self.next_key_level);
        self.queue.push_back(Token { key_level, ..token });
    }

    /// Passes blanks, comments and line breaks.
    fn skip_to_token(&mut self) -> Scan<()> {
        loop {
            self.need(1)?;
            if let Some(pieces) = &self.pieces
                && pieces.sees_mark(self.text)
                && self.column() == 0
            {
                self.at += self.width();
                self.need(1)?;
            }
            // Tabs may separate, but not where they could be taken for indentation.
            let tabs = self.flow_level > 0 || !self.key_allowed;
            while self.byte(0) == b' ' || (tabs && self.byte(0) == b'\t') {
                self.at += 1;
                self.need(1)?;
            }
            if self.byte(0) == b'#' {
                self.skip_comment()?;
            }
            if self.break_width(0) == 0 {
                return Ok(());
            }
            self.need(2)?;
            self.skip_line();
            if self.flow_level == 0 {
                self.key_allowed = true;
            }
        }
    }

    /// Passes the rest of a line, on which nothing but a comment may stand.
    fn end_line(&mut self) -> Scan<()> {
        self.need(1)?;
        self.skip_blanks()?;
        if self.byte(0) == b'#' {
            self.skip_comment()?;
        }
        if !self.is_break_or_end(0) {
            return Err(self.fault("did not find expected comment or line break"));
        }
        if self.break_width(0) > 0 {
            self.need(2)?;
            self.skip_line();
        }
        Ok(())
    }

    fn skip_comment(&mut self) -> Scan<()> {
        loop {
            self.run_to(Stop::LINE, 1)?;
            if self.is_break_or_end(0) {
                return Ok(());
            }
            self.at += self.width();
            self.need(1)?;
        }
    }

    fn fault(&mut self, what: &'static str) -> ParseError {
        ParseError::new(Fault::Syntax(what), Position::from(self.mark()))
    }
}
