//! Looking at characters and moving over them.

use super::{Scan, Scanner};
use crate::yaml::{
    error::{Fault, ParseError, Position},
    token::Mark,
};

/// What a byte may stop, as a set of flags.
#[derive(Clone, Copy)]
pub(super) struct Stop(u8);

impl Stop {
    const BLANK: u8 = 1;
    /// Starts a line break, or is the zero behind the text. The two bytes that start NEL, LS and PS start other characters as well.
    const BREAK: u8 = 2;
    const COLON: u8 = 4;
    const FLOW: u8 = 8;
    const SINGLE: u8 = 16;
    const DOUBLE: u8 = 32;

    pub(super) const LINE: Self = Self(Self::BREAK);
    pub(super) const PLAIN: Self = Self(Self::BREAK | Self::BLANK | Self::COLON);
    pub(super) const PLAIN_IN_FLOW: Self = Self(Self::PLAIN.0 | Self::FLOW);
    pub(super) const SINGLE_QUOTED: Self = Self(Self::BREAK | Self::BLANK | Self::SINGLE);
    pub(super) const DOUBLE_QUOTED: Self = Self(Self::BREAK | Self::BLANK | Self::DOUBLE);
}

const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    classes[b' ' as usize] = Stop::BLANK;
    classes[b'\t' as usize] = Stop::BLANK;
    classes[0] = Stop::BREAK;
    classes[b'\n' as usize] = Stop::BREAK;
    classes[b'\r' as usize] = Stop::BREAK;
    classes[0xc2] = Stop::BREAK;
    classes[0xe2] = Stop::BREAK;
    classes[b':' as usize] = Stop::COLON;
    classes[b',' as usize] = Stop::FLOW;
    classes[b'?' as usize] = Stop::FLOW;
    classes[b'[' as usize] = Stop::FLOW;
    classes[b']' as usize] = Stop::FLOW;
    classes[b'{' as usize] = Stop::FLOW;
    classes[b'}' as usize] = Stop::FLOW;
    classes[b'\'' as usize] = Stop::SINGLE;
    classes[b'"' as usize] = Stop::DOUBLE;
    classes[b'\\' as usize] = Stop::DOUBLE;
    classes
};

impl<'a> Scanner<'a> {
    /// Makes sure that `count` characters can be looked at.
    #[inline]
    pub(super) fn need(&mut self, count: usize) -> Scan<()> {
        if self.pieces.is_none() { Ok(()) } else { self.need_piece(count) }
    }

    #[cold]
    fn need_piece(&mut self, count: usize) -> Scan<()> {
        let Some(pieces) = &mut self.pieces else { return Ok(()) };
        let outcome = pieces.look_ahead(self.text, self.at, count);
        outcome.map_err(|what| ParseError::new(Fault::Encoding(what), Position::from(self.mark())))
    }

    /// The byte `ahead` of here; 0 behind the text.
    #[inline]
    pub(super) fn byte(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    /// The bytes of the character here.
    #[inline]
    pub(super) fn width(&self) -> usize {
        match self.byte(0) {
            // Not past the end.
            0 => usize::from(self.at < self.bytes.len()),
            0x01..=0x7f => 1,
            0x80..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0.. => 4,
        }
    }

    /// Moves to the next byte of the given classes, keeping `count` characters in sight.
    #[inline]
    pub(super) fn run_to(&mut self, stop: Stop, count: usize) -> Scan<()> {
        if self.pieces.is_some() {
            return self.step_to(stop, count);
        }
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let class = |b: &u8| CLASSES[usize::from(*b)] & stop.0 != 0;
        self.at += rest.iter().position(class).unwrap_or(rest.len());
        Ok(())
    }

    #[cold]
    fn step_to(&mut self, stop: Stop, count: usize) -> Scan<()> {
        while CLASSES[usize::from(self.byte(0))] & stop.0 == 0 {
            self.at += self.width();
            self.need(count)?;
        }
        Ok(())
    }

    pub(super) fn text_from(&self, start: usize, end: usize) -> &'a str {
        self.text.get(start..end).unwrap_or_default()
    }

    pub(super) fn is_blank(&self, ahead: usize) -> bool {
        matches!(self.byte(ahead), b' ' | b'\t')
    }

    /// The width of the line break there: CR, LF, NEL, LS or PS; 0 if there is none. CR LF counts as its CR.
    #[inline]
    pub(super) fn break_width(&self, ahead: usize) -> usize {
        match self.byte(ahead) {
            b'\n' | b'\r' => 1,
            0xc2 if self.byte(ahead + 1) == 0x85 => 2,
            0xe2 if self.byte(ahead + 1) == 0x80 && matches!(self.byte(ahead + 2), 0xa8 | 0xa9) => 3,
            _ => 0,
        }
    }

    pub(super) fn is_break_or_end(&self, ahead: usize) -> bool {
        self.byte(ahead) == 0 || self.break_width(ahead) > 0
    }

    pub(super) fn is_blank_or_end(&self, ahead: usize) -> bool {
        self.is_blank(ahead) || self.is_break_or_end(ahead)
    }

    /// ASCII letters, digits, `_` and `-`.
    pub(super) fn is_word(&self) -> bool {
        let byte = self.byte(0);
        byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
    }

    /// Whether `---` or `...` stands here with nothing glued to it. The caller knows that the line starts here.
    pub(super) fn at_document_mark(&self) -> bool {
        let marks = [self.byte(0), self.byte(1), self.byte(2)];
        (marks == *b"---" || marks == *b"...") && self.is_blank_or_end(3)
    }

    pub(super) fn skip_blanks(&mut self) -> Scan<()> {
        while self.is_blank(0) {
            self.at += 1;
            self.need(1)?;
        }
        Ok(())
    }

    /// Passes the line break here and tells how it reads: CR, LF, CR LF and NEL as one LF, the others as they are.
    pub(super) fn skip_line(&mut self) -> &'static str {
        let (width, reads) = match (self.byte(0), self.byte(1), self.byte(2)) {
            (b'\r', b'\n', _) => (2, "\n"),
            (b'\r' | b'\n', ..) => (1, "\n"),
            (0xc2, 0x85, _) => (2, "\n"),
            (0xe2, 0x80, 0xa8) => (3, "\u{2028}"),
            (0xe2, 0x80, 0xa9) => (3, "\u{2029}"),
            _ => return "",
        };
        self.at += width;
        self.line = self.line.saturating_add(1);
        self.counted = (self.at, 0);
        reads
    }

    /// The column here. Characters are counted once each, however often this is asked.
    #[inline]
    pub(super) fn column(&mut self) -> u32 {
        let (from, column) = self.counted;
        if self.ascii {
            return u32::try_from(self.at - from).unwrap_or(u32::MAX);
        }
        let passed = self.bytes.get(from..self.at).unwrap_or_default();
        let characters = passed.iter().filter(|b| (**b & 0xc0) != 0x80).count();
        let column = column.saturating_add(u32::try_from(characters).unwrap_or(u32::MAX));
        self.counted = (self.at, column);
        column
    }

    pub(super) fn mark(&mut self) -> Mark {
        Mark { line: self.line, column: self.column() }
    }
}
