//! The text that grows, and where its end is.

/// Behind this column a blank becomes a line break.
const WIDTH: usize = 80;
const INDENT: usize = 2;

pub(super) struct Writer {
    out: String,
    column: usize,
    /// `None` outside of everything.
    pub(super) indent: Option<usize>,
    /// Whether the last character separates, so that no blank is needed.
    after_blank: bool,
    /// Whether only indentation and indicators stand on the line.
    indentation: bool,
}

impl Writer {
    pub(super) fn new() -> Self {
        Self { out: String::new(), column: 0, indent: None, after_blank: true, indentation: true }
    }

    /// The whole text, its last line ended.
    pub(super) fn finish(mut self) -> String {
        self.indent = None;
        self.go_to_indent();
        self.out
    }

    pub(super) fn length(&self) -> usize {
        self.out.len()
    }

    pub(super) fn at_indentation(&self) -> bool {
        self.indentation
    }

    pub(super) fn is_beyond_width(&self) -> bool {
        self.column > WIDTH
    }

    /// Goes one level deeper; `flat` keeps the column.
    pub(super) fn deepen(&mut self, flat: bool) {
        self.indent = Some(match self.indent {
            None => 0,
            Some(indent) if flat => indent,
            Some(indent) => indent + INDENT,
        });
    }

    /// The indent of a scalar's further lines.
    pub(super) fn deepen_for_scalar(&mut self) {
        self.indent = Some(self.indent.unwrap_or(0) + INDENT);
    }

    /// Goes to the indent, on a new line unless there is nothing on this one.
    pub(super) fn go_to_indent(&mut self) {
        let indent = self.indent.unwrap_or(0);
        if !self.indentation || self.column > indent || (self.column == indent && !self.after_blank) {
            self.end_line();
        }
        while self.column < indent {
            self.put(' ');
        }
        self.after_blank = true;
        self.indentation = true;
    }

    pub(super) fn end_line(&mut self) {
        self.out.push('\n');
        self.column = 0;
    }

    pub(super) fn put(&mut self, c: char) {
        self.out.push(c);
        self.column += 1;
    }

    /// A line break of the text itself: the next character starts a line.
    pub(super) fn put_break(&mut self, c: char) {
        self.out.push(c);
        self.column = 0;
        self.indentation = true;
    }

    pub(super) fn put_text(&mut self, text: &str) {
        text.chars().for_each(|c| self.put(c));
    }

    /// Writes a sign of YAML's, after a blank if `spaced` and there is none.
    pub(super) fn indicator(&mut self, sign: &str, spaced: bool, keeps_indentation: bool) {
        self.space(spaced);
        self.put_text(sign);
        self.after_blank = false;
        self.indentation &= keeps_indentation;
    }

    pub(super) fn space(&mut self, spaced: bool) {
        if spaced && !self.after_blank {
            self.put(' ');
        }
    }

    /// An opening bracket needs no blank behind it.
    pub(super) fn after_bracket(&mut self) {
        self.after_blank = true;
    }

    pub(super) fn after_character(&mut self) {
        self.indentation = false;
    }

    pub(super) fn after_scalar(&mut self) {
        self.after_blank = false;
        self.indentation = false;
    }

    /// The state behind the header of a block scalar.
    pub(super) fn after_block_header(&mut self) {
        self.end_line();
        self.indentation = true;
        self.after_blank = true;
    }
}
