//! Block scalars: literal and folded.

use super::{Scan, Scanner, chars::Stop};
use crate::yaml::{document::Span, token::TokenKind};

/// What to do with the line breaks at the end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Chomping {
    Strip,
    Clip,
    Keep,
}

impl Scanner<'_> {
    pub(super) fn fetch_block_scalar(&mut self, literal: bool) -> Scan<()> {
        self.remove_key()?;
        self.key_allowed = true;
        let mark = self.mark();
        self.at += 1;
        let (chomping, increment) = self.scan_block_header()?;
        let mut breaks = std::mem::take(&mut self.breaks);
        breaks.clear();
        let span = self.scan_block_lines(literal, chomping, increment, &mut breaks)?;
        self.breaks = breaks;
        self.push_text(TokenKind::Scalar, false, mark, span);
        Ok(())
    }

    fn scan_block_header(&mut self) -> Scan<(Chomping, i64)> {
        self.need(1)?;
        let mut chomping = self.scan_chomping()?;
        let mut increment = 0;
        if self.byte(0).is_ascii_digit() {
            increment = i64::from(self.byte(0) - b'0');
            if increment == 0 {
                return Err(self.fault("found an indentation indicator equal to 0"));
            }
            self.at += 1;
            self.need(1)?;
            if chomping.is_none() {
                chomping = self.scan_chomping()?;
            }
        }
        self.end_line()?;
        Ok((chomping.unwrap_or(Chomping::Clip), increment))
    }

    fn scan_chomping(&mut self) -> Scan<Option<Chomping>> {
        let chomping = match self.byte(0) {
            b'+' => Chomping::Keep,
            b'-' => Chomping::Strip,
            _ => return Ok(None),
        };
        self.at += 1;
        self.need(1)?;
        Ok(Some(chomping))
    }

    fn scan_block_lines(
        &mut self,
        literal: bool,
        chomping: Chomping,
        increment: i64,
        breaks: &mut String,
    ) -> Scan<Span> {
        let built_from = self.built.len();
        let mut indent = if increment > 0 { self.indent.max(0) + increment } else { 0 };
        let mut pending = "";
        let mut after_blank = false;
        self.scan_block_breaks(&mut indent, breaks)?;
        self.need(1)?;
        while i64::from(self.column()) == indent && self.byte(0) != 0 {
            let starts_blank = self.is_blank(0);
            // Lines that start with a blank keep the break before and behind them.
            if !literal && pending == "\n" && !after_blank && !starts_blank {
                if breaks.is_empty() {
                    self.built.push(' ');
                }
            } else {
                self.built.push_str(pending);
            }
            self.built.push_str(breaks);
            breaks.clear();
            after_blank = starts_blank;
            self.copy_line()?;
            self.need(2)?;
            pending = self.skip_line();
            self.scan_block_breaks(&mut indent, breaks)?;
        }
        if chomping != Chomping::Strip {
            self.built.push_str(pending);
        }
        if chomping == Chomping::Keep {
            self.built.push_str(breaks);
        }
        Ok(Span::built(built_from, self.built.len()))
    }

    fn copy_line(&mut self) -> Scan<()> {
        let start = self.at;
        loop {
            self.run_to(Stop::LINE, 1)?;
            if self.is_break_or_end(0) {
                break;
            }
            self.at += self.width();
            self.need(1)?;
        }
        let line = self.text_from(start, self.at);
        self.built.push_str(line);
        Ok(())
    }

    /// Passes indentation and empty lines; finds the indent at the first line with text if the header gave none.
    fn scan_block_breaks(&mut self, indent: &mut i64, breaks: &mut String) -> Scan<()> {
        let mut widest = 0;
        loop {
            self.need(1)?;
            let mut column = i64::from(self.column());
            while self.byte(0) == b' ' && (*indent == 0 || column < *indent) {
                self.at += 1;
                column += 1;
                self.need(1)?;
            }
            widest = widest.max(column);
            if self.byte(0) == b'\t' && (*indent == 0 || column < *indent) {
                return Err(self.fault("found a tab character where an indentation space is expected"));
            }
            if self.break_width(0) == 0 {
                break;
            }
            self.need(2)?;
            breaks.push_str(self.skip_line());
        }
        if *indent == 0 {
            *indent = widest.max(self.indent + 1).max(1);
        }
        Ok(())
    }
}
