//! Writing scalars, each style its own way.

use std::fmt::Write as _;

use super::{
    style::{Context, Style, is_break, is_printable},
    writer::Writer,
};

impl Writer {
    pub(super) fn scalar(&mut self, text: &str, style: Style, context: Context) {
        let outer = self.indent;
        self.deepen_for_scalar();
        let may_fold = !context.simple_key;
        match style {
            Style::Plain => {
                self.space(true);
                self.lines(text, may_fold, false);
                self.after_scalar();
            }
            Style::SingleQuoted => {
                self.indicator("'", true, false);
                self.lines(text, may_fold, true);
                self.indicator("'", false, false);
            }
            Style::DoubleQuoted => {
                self.indicator("\"", true, false);
                self.escaped(text, may_fold);
                self.indicator("\"", false, false);
            }
            Style::Literal => self.literal(text),
        }
        self.indent = outer;
    }

    /// Text that stands for itself, folded at single blanks. A line feed is doubled, because one alone reads as a blank.
    fn lines(&mut self, text: &str, may_fold: bool, quoted: bool) {
        let (mut after_space, mut after_break) = (false, false);
        for (at, c) in text.char_indices() {
            let next = text.as_bytes().get(at + 1);
            if c == ' ' {
                let inside = !quoted || (at > 0 && at + 1 < text.len());
                if may_fold && !after_space && self.is_beyond_width() && inside && next != Some(&b' ') {
                    self.go_to_indent();
                } else {
                    self.put(c);
                }
                after_space = true;
            } else if is_break(c) {
                if !after_break && c == '\n' {
                    self.end_line();
                }
                self.put_break(c);
                after_break = true;
            } else {
                if after_break {
                    self.go_to_indent();
                }
                if quoted && c == '\'' {
                    self.put(c);
                }
                self.put(c);
                self.after_character();
                (after_space, after_break) = (false, false);
            }
        }
    }

    fn escaped(&mut self, text: &str, may_fold: bool) {
        // go-yaml asks for a byte order mark at each character and looks at the first.
        let all = text.starts_with('\u{feff}');
        let mut after_space = false;
        for (at, c) in text.char_indices() {
            if c == ' ' && !all {
                let inside = at > 0 && at + 1 < text.len();
                if may_fold && !after_space && self.is_beyond_width() && inside {
                    self.go_to_indent();
                    if text.as_bytes().get(at + 1) == Some(&b' ') {
                        self.put('\\');
                    }
                } else {
                    self.put(c);
                }
                after_space = true;
                continue;
            }
            if is_printable(c) && !is_break(c) && c != '"' && c != '\\' && !all {
                self.put(c);
            } else {
                self.put_text(&escape(c));
            }
            after_space = false;
        }
    }

    fn literal(&mut self, text: &str) {
        self.indicator("|", true, false);
        if text.starts_with(|c| c == ' ' || is_break(c)) {
            self.indicator("2", false, false);
        }
        let mut from_end = text.chars().rev();
        match (from_end.next().is_some_and(is_break), from_end.next().is_none_or(is_break)) {
            (false, _) => self.indicator("-", false, false),
            (true, true) => self.indicator("+", false, false),
            (true, false) => {}
        }
        self.after_block_header();
        let mut after_break = true;
        for c in text.chars() {
            if is_break(c) {
                self.put_break(c);
                after_break = true;
            } else {
                if after_break {
                    self.go_to_indent();
                }
                self.put(c);
                self.after_character();
                after_break = false;
            }
        }
    }
}

fn escape(c: char) -> String {
    let short = match c {
        '\0' => '0',
        '\x07' => 'a',
        '\x08' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\x0b' => 'v',
        '\x0c' => 'f',
        '\r' => 'r',
        '\x1b' => 'e',
        '"' | '\\' => c,
        '\u{85}' => 'N',
        '\u{a0}' => '_',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        _ => {
            let mut out = String::new();
            let code = u32::from(c);
            // Writing to a String cannot fail.
            let _ = match code {
                0..=0xff => write!(out, "\\x{code:02X}"),
                0x100..=0xffff => write!(out, "\\u{code:04X}"),
                _ => write!(out, "\\U{code:08X}"),
            };
            return out;
        }
    };
    format!("\\{short}")
}
