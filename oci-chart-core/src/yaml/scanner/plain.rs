//! Plain scalars: text without quotes.

use super::{Scan, Scanner, chars::Stop, gap::Gap};
use crate::yaml::{document::Span, token::TokenKind};

impl Scanner<'_> {
    pub(super) fn fetch_plain(&mut self) -> Scan<()> {
        self.save_key()?;
        self.key_allowed = false;
        let mark = self.mark();
        let (span, broke_line) = self.scan_plain()?;
        if broke_line {
            self.key_allowed = true;
        }
        self.push_text(TokenKind::Scalar, true, mark, span);
        Ok(())
    }

    /// Gives the text, and whether the scalar ended at a line break.
    fn scan_plain(&mut self) -> Scan<(Span, bool)> {
        let least_column = self.indent + 1;
        let built_from = self.built.len();
        // The piece of the current line that belongs to the scalar.
        let (mut start, mut end) = (self.at, self.at);
        let mut gap = Gap::new(std::mem::take(&mut self.breaks));
        loop {
            self.need(4)?;
            if self.column_is_zero() && self.at_document_mark() || self.byte(0) == b'#' {
                break;
            }
            while !self.is_blank_or_end(0) {
                if self.ends_plain() {
                    break;
                }
                if gap.broken {
                    let line = self.text_from(start, end);
                    self.built.push_str(line);
                    gap.fold_into(&mut self.built);
                    gap.clear();
                    start = self.at;
                }
                self.scan_word()?;
                end = self.at;
            }
            if !self.is_blank(0) && self.break_width(0) == 0 {
                break;
            }
            self.need(1)?;
            self.scan_gap(&mut gap, least_column)?;
            if self.flow_level == 0 && i64::from(self.column()) < least_column {
                break;
            }
        }
        let broke_line = gap.broken;
        self.breaks = gap.into_buffer();
        if self.built.len() == built_from {
            return Ok((Span::source(start, end), broke_line));
        }
        let line = self.text_from(start, end);
        self.built.push_str(line);
        Ok((Span::built(built_from, self.built.len()), broke_line))
    }

    /// Passes at least one character, and on to the next that may end the scalar or a word of it.
    fn scan_word(&mut self) -> Scan<()> {
        self.at += self.width();
        self.need(2)?;
        let stop = if self.flow_level > 0 { Stop::PLAIN_IN_FLOW } else { Stop::PLAIN };
        self.run_to(stop, 2)
    }

    fn ends_plain(&self) -> bool {
        match self.byte(0) {
            b':' => self.is_blank_or_end(1),
            b',' | b'?' | b'[' | b']' | b'{' | b'}' => self.flow_level > 0,
            _ => false,
        }
    }

    pub(super) fn column_is_zero(&self) -> bool {
        self.counted == (self.at, 0)
    }
}
