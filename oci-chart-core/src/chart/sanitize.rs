//! What Helm does to texts of Chart.yaml before it judges them, and how it quotes them in messages.

mod printable;

use std::{borrow::Cow, fmt::Write};

/// `text` with every Unicode blank as a plain one and without characters that cannot be printed (zero-width blanks, soft hyphens,
/// private use, controls), so that a name on a screen is the name in the file. Helm 4.2.4, `Metadata.Validate`.
pub(crate) fn sanitize(text: &str) -> Cow<'_, str> {
    match text.find(|c: char| c != ' ' && !is_kept(c)) {
        None => Cow::Borrowed(text),
        Some(clean) => {
            let (kept, rest) = text.split_at(clean);
            let mut out = String::with_capacity(text.len());
            out.push_str(kept);
            for c in rest.chars() {
                if is_blank(c) {
                    out.push(' ');
                } else if is_printable(c) {
                    out.push(c);
                }
            }
            Cow::Owned(out)
        }
    }
}

/// [`sanitize`] in place.
pub(crate) fn sanitize_in_place(text: &mut String) {
    if let Cow::Owned(clean) = sanitize(text) {
        *text = clean;
    }
}

/// Text in double quotes as Helm's messages show it: escapes for what cannot be printed.
pub(crate) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            _ if is_printable(c) => out.push(c),
            _ => {
                let code = u32::from(c);
                // Writing to a String cannot fail.
                let _ = match code {
                    0..=0x7f => write!(out, "\\x{code:02x}"),
                    0x80..=0xffff => write!(out, "\\u{code:04x}"),
                    _ => write!(out, "\\U{code:08x}"),
                };
            }
        }
    }
    out.push('"');
    out
}

fn is_kept(c: char) -> bool {
    is_printable(c) && !is_blank(c)
}

/// Go's `unicode.IsSpace`, which is the White_Space property.
fn is_blank(c: char) -> bool {
    c.is_whitespace()
}

/// Go's `unicode.IsPrint`.
fn is_printable(c: char) -> bool {
    let code = u32::from(c);
    match u16::try_from(code) {
        Ok(_) if (0x20..0x7f).contains(&code) => true,
        Ok(code) => holds(&printable::BMP, code),
        Err(_) => holds(&printable::ASTRAL, code),
    }
}

fn holds<T: Ord + Copy>(ranges: &[(T, T)], code: T) -> bool {
    let after = ranges.partition_point(|(first, _)| *first <= code);
    after.checked_sub(1).and_then(|n| ranges.get(n)).is_some_and(|(_, last)| code <= *last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_become_plain_and_invisible_characters_vanish() {
        for (text, clean) in [
            ("plain, Grüße, 日本語 ✓", "plain, Grüße, 日本語 ✓"),
            ("a\u{a0}b\u{3000}c\u{2003}d\u{85}e\tf\r\ng", "a b c d e f  g"),
            ("a\u{2028}b\u{2029}c", "a b c"),
            ("fo\u{200b}o \u{ad}\u{e000}\u{feff}\u{1}\u{7f}x", "foo x"),
            ("👨\u{200d}👩 🇩🇪 \u{e0041}\u{fe0f}", "👨👩 🇩🇪 \u{fe0f}"),
            ("\u{378}\u{10ffff}\u{fffd}", "\u{fffd}"),
            ("", ""),
        ] {
            assert_eq!(sanitize(text), clean, "{text:?}");
            assert_eq!(sanitize(clean), clean);
        }
        assert!(matches!(sanitize("a b"), Cow::Borrowed(_)));
    }

    #[test]
    fn quoting_is_gos() {
        assert_eq!(
            quote("a\"\\\n\u{7}\u{1}ä\u{a0}\u{200b}\u{e0001}"),
            r#""a\"\\\n\a\x01ä\u00a0\u200b\U000e0001""#
        );
    }

    #[test]
    fn the_tables_are_in_order() {
        let code = |(first, last): &(u16, u16)| (u32::from(*first), u32::from(*last));
        let all: Vec<_> = printable::BMP.iter().map(code).chain(printable::ASTRAL).collect();
        assert!(all.iter().all(|(first, last)| first <= last));
        assert!(all.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0));
    }
}
