//! Which style a text needs.

use crate::yaml::resolve;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Literal,
}

/// Where a scalar stands.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Context {
    /// As a key before its `:` on one line.
    pub(super) simple_key: bool,
}

/// The longest key, in bytes, that is written without `?`.
const LONGEST_KEY: usize = 128;

pub(super) fn is_simple_key(key: &str) -> bool {
    key.len() <= LONGEST_KEY && !key.chars().any(is_break)
}

/// The style that go-yaml takes for a text: as plain as it may be.
pub(super) fn choose(text: &str, context: Context) -> Style {
    let allowed = Allowed::of(text);
    let wanted = if text.contains('\n') {
        Style::Literal
    } else if resolve::is_retyped(text) || is_base60(text) {
        Style::DoubleQuoted
    } else {
        Style::Plain
    };
    match wanted {
        _ if context.simple_key && allowed.several_lines => Style::DoubleQuoted,
        Style::Literal if !allowed.block || context.simple_key => Style::DoubleQuoted,
        Style::Plain if allowed.plain => Style::Plain,
        Style::Plain if allowed.single => Style::SingleQuoted,
        Style::Plain => Style::DoubleQuoted,
        other => other,
    }
}

pub(super) fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// What is written as it is; all else becomes an escape. Nothing above the basic plane is.
pub(super) fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{fffd}') && c != '\u{feff}'
}

/// The styles that would carry a text.
struct Allowed {
    several_lines: bool,
    plain: bool,
    single: bool,
    block: bool,
}

impl Allowed {
    fn of(text: &str) -> Self {
        let mut several_lines = false;
        let mut special = false;
        let mut indicator = text.starts_with("---") || text.starts_with("...");
        let mut space_before_break = false;
        let mut space_after_break = false;
        let mut before = None;
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            let next = rest.as_str().chars().next();
            let blank_follows = next.is_none_or(|next| next == ' ' || next == '\t');
            indicator |= match c {
                ':' => blank_follows,
                '?' | '-' => before.is_none() && blank_follows,
                '#' => before.is_none_or(|b| b == ' ' || b == '\t' || b == '\0' || is_break(b)),
                ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => {
                    before.is_none()
                }
                _ => false,
            };
            special |= !is_printable(c);
            if is_break(c) {
                several_lines = true;
                space_before_break |= before == Some(' ');
            } else if c == ' ' {
                space_after_break |= before.is_some_and(is_break);
            }
            before = Some(c);
        }
        let edge = |c: Option<char>| c.is_some_and(|c| c == ' ' || is_break(c));
        let at_an_edge = edge(text.chars().next()) || edge(before);
        let unquotable = space_before_break || special;
        Self {
            several_lines,
            plain: !(at_an_edge || indicator || several_lines || unquotable),
            single: !(space_after_break || unquotable),
            block: !(text.ends_with(' ') || text.is_empty() || unquotable),
        }
    }
}

/// YAML 1.1's numbers to base 60 (`1:20`): `[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?`.
fn is_base60(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = match unsigned.split_once('.') {
        Some((whole, fraction)) => (whole, fraction),
        None => (unsigned, ""),
    };
    let mut parts = whole.split(':');
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let first_fits =
        parts.next().is_some_and(|first| first.starts_with(|c: char| c.is_ascii_digit()) && digits(first));
    let mut several = false;
    let others_fit = parts.all(|part| {
        several = true;
        match part.as_bytes() {
            [digit] => digit.is_ascii_digit(),
            [tens, digit] => matches!(tens, b'0'..=b'5') && digit.is_ascii_digit(),
            _ => false,
        }
    });
    first_fits && others_fit && several && digits(fraction)
}
