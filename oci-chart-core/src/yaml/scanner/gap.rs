//! What stands between two words of a plain or quoted scalar.

use super::{Scan, Scanner};

/// Blanks and line breaks, as far as they are read.
pub(super) struct Gap {
    /// How the first line break reads; nothing for one that a backslash took away.
    first: &'static str,
    others: String,
    /// Whether a line ended.
    pub(super) broken: bool,
}

impl Gap {
    /// An empty one, in the memory of `buffer`.
    pub(super) fn new(mut buffer: String) -> Self {
        buffer.clear();
        Self { first: "", others: buffer, broken: false }
    }

    pub(super) fn clear(&mut self) {
        self.others.clear();
        self.broken = false;
    }

    pub(super) fn into_buffer(self) -> String {
        self.others
    }

    /// Joins two lines: one break between them is a blank, more are one less. LS and PS are never folded.
    pub(super) fn fold_into(&self, out: &mut String) {
        if self.first != "\n" {
            out.push_str(self.first);
        } else if self.others.is_empty() {
            out.push(' ');
        }
        out.push_str(&self.others);
    }

    fn add(&mut self, reads: &'static str) {
        if self.broken {
            self.others.push_str(reads);
        } else {
            self.first = reads;
            self.broken = true;
        }
    }
}

impl Scanner<'_> {
    /// Passes blanks and line breaks. On a new line no tab may stand before `least_column`.
    pub(super) fn scan_gap(&mut self, gap: &mut Gap, least_column: i64) -> Scan<()> {
        loop {
            if self.is_blank(0) {
                if gap.broken && self.byte(0) == b'\t' && i64::from(self.column()) < least_column {
                    return Err(self.fault("found a tab character that violates indentation"));
                }
                self.at += 1;
            } else if self.break_width(0) > 0 {
                self.need(2)?;
                gap.add(self.skip_line());
            } else {
                return Ok(());
            }
            self.need(1)?;
        }
    }
}
