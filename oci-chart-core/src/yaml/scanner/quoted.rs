//! Quoted scalars.

use super::{Scan, Scanner, chars::Stop, gap::Gap};
use crate::yaml::{document::Span, token::TokenKind};

impl Scanner<'_> {
    pub(super) fn fetch_quoted(&mut self, single: bool) -> Scan<()> {
        self.save_key()?;
        self.key_allowed = false;
        let mark = self.mark();
        self.at += 1;
        let span = self.scan_quoted(single)?;
        self.push_text(TokenKind::Scalar, false, mark, span);
        Ok(())
    }

    fn scan_quoted(&mut self, single: bool) -> Scan<Span> {
        let (quote, stop) = if single { (b'\'', Stop::SINGLE_QUOTED) } else { (b'"', Stop::DOUBLE_QUOTED) };
        let built_from = self.built.len();
        let mut copied = false;
        // What is read and not yet copied; without escapes and line breaks it is the scalar.
        let mut start = self.at;
        loop {
            self.need(4)?;
            if self.column_is_zero() && self.at_document_mark() {
                return Err(self.fault("found unexpected document indicator"));
            }
            if self.byte(0) == 0 {
                return Err(self.fault("found unexpected end of stream"));
            }
            let mut escaped_break = false;
            loop {
                self.run_to(stop, 2)?;
                let byte = self.byte(0);
                if byte == quote && !(single && self.byte(1) == b'\'') || self.is_blank_or_end(0) {
                    break;
                }
                if byte == b'\'' && single {
                    self.copy_from(start);
                    copied = true;
                    self.at += 1;
                    start = self.at;
                    self.at += 1;
                } else if byte == b'\\' && !single {
                    self.copy_from(start);
                    copied = true;
                    if self.break_width(1) > 0 {
                        self.need(3)?;
                        self.at += 1;
                        self.skip_line();
                        start = self.at;
                        escaped_break = true;
                        break;
                    }
                    self.scan_escape()?;
                    start = self.at;
                } else {
                    self.at += self.width();
                }
                self.need(2)?;
            }
            self.need(1)?;
            if self.byte(0) == quote {
                break;
            }
            let word_end = self.at;
            let folded = self.scan_quoted_gap(start, word_end, escaped_break)?;
            if folded {
                copied = true;
                start = self.at;
            }
        }
        let end = self.at;
        let span = if copied {
            self.copy_from(start);
            Span::built(built_from, self.built.len())
        } else {
            Span::source(start, end)
        };
        self.at += 1;
        Ok(span)
    }

    /// Passes the blanks and line breaks between two words. If there is a line break, copies what was read before
    /// and what the gap reads as, and tells so.
    fn scan_quoted_gap(&mut self, start: usize, word_end: usize, escaped_break: bool) -> Scan<bool> {
        let mut gap = Gap::new(std::mem::take(&mut self.breaks));
        gap.broken = escaped_break;
        self.scan_gap(&mut gap, 0)?;
        let broken = gap.broken;
        if broken {
            let line = self.text_from(start, word_end);
            self.built.push_str(line);
            gap.fold_into(&mut self.built);
        }
        self.breaks = gap.into_buffer();
        Ok(broken)
    }

    fn scan_escape(&mut self) -> Scan<()> {
        let digits = match self.byte(1) {
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            other => {
                let Some(c) = short_escape(other) else {
                    return Err(self.fault("found unknown escape character"));
                };
                self.built.push(c);
                self.at += 2;
                return Ok(());
            }
        };
        self.at += 2;
        self.need(digits)?;
        let mut value = 0_u32;
        for ahead in 0..digits {
            let Some(digit) = char::from(self.byte(ahead)).to_digit(16) else {
                return Err(self.fault("did not find expected hexdecimal number"));
            };
            // Eight digits fit exactly.
            value = (value << 4) | digit;
        }
        let Some(c) = char::from_u32(value) else {
            return Err(self.fault("found invalid Unicode character escape code"));
        };
        self.built.push(c);
        self.at += digits;
        Ok(())
    }

    fn copy_from(&mut self, start: usize) {
        let piece = self.text_from(start, self.at);
        self.built.push_str(piece);
    }
}

/// The escapes of YAML 1.1 without digits. go-yaml knows `\'` besides, and no `\/`.
fn short_escape(byte: u8) -> Option<char> {
    Some(match byte {
        b'0' => '\0',
        b'a' => '\x07',
        b'b' => '\x08',
        b't' | b'\t' => '\t',
        b'n' => '\n',
        b'v' => '\x0b',
        b'f' => '\x0c',
        b'r' => '\r',
        b'e' => '\x1b',
        b' ' | b'"' | b'\'' | b'\\' => char::from(byte),
        b'N' => '\u{85}',
        b'_' => '\u{a0}',
        b'L' => '\u{2028}',
        b'P' => '\u{2029}',
        _ => return None,
    })
}
