//! The pieces of JSON text as Go's `encoding/json` (Go 1.26) writes them.
//!
//! Digests of Helm's config blobs, lock files and annotations rest on these bytes. Objects are the
//! caller's business: Go sorts map keys bytewise and keeps struct fields in declaration order.

mod object;
mod valid;

use std::fmt::Write as _;

pub(crate) use object::{Object, object};
pub(crate) use valid::is_valid;

/// Appends `text` as a JSON string with Go's escapes: `<`, `>`, `&`, U+2028 and U+2029 are escaped,
/// `\b \f \n \r \t` have their short forms, other control characters are `\u00xx`, DEL stays raw.
pub(crate) fn string(out: &mut String, text: &str) {
    out.push('"');
    escape_into(out, text);
    out.push('"');
}

/// Appends a number as Go writes a `float64`: plain notation, or the exponent form below 1e-6 and from
/// 1e21 on. JSON has no infinities: returns `false` and appends nothing for those and for NaN.
#[must_use]
pub(crate) fn float64(out: &mut String, value: f64) -> bool {
    if !value.is_finite() {
        return false;
    }
    let scientific = shortest(value);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let size = value.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let sign = if exponent.starts_with('-') { "" } else { "+" };
        // Writing to a String cannot fail.
        let _ = write!(out, "{mantissa}e{sign}{exponent}");
    } else {
        let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
        let digits: String = mantissa.chars().filter(|c| *c != '.').collect();
        out.push_str(sign);
        out.push_str(&positional(&digits, exponent.parse().unwrap_or(0)));
    }
    true
}

/// The fewest digits that give the number back, as `-d.ddde-7`.
///
/// Where two such decimals are equally near, Go takes the even one and Rust the greater: 310020.125 as float32 is 310020.12.
pub(crate) fn shortest(value: f64) -> String {
    let text = format!("{value:e}");
    let even = format!("{value:.*e}", digits_behind_point(&text));
    if even.parse() == Ok(value) { even } else { text }
}

/// The same with the precision of float32.
pub(crate) fn shortest32(value: f32) -> String {
    let text = format!("{value:e}");
    let even = format!("{value:.*e}", digits_behind_point(&text));
    if even.parse() == Ok(value) { even } else { text }
}

/// Digits without a point, and the exponent of the first, in plain notation.
pub(crate) fn positional(digits: &str, exponent: i32) -> String {
    if exponent < 0 {
        let zeros = usize::try_from(-exponent - 1).unwrap_or(0);
        return format!("0.{}{digits}", "0".repeat(zeros));
    }
    let whole = usize::try_from(exponent).unwrap_or(0) + 1;
    match digits.split_at_checked(whole) {
        Some((whole, "")) => whole.to_owned(),
        Some((whole, fraction)) => format!("{whole}.{fraction}"),
        None => format!("{digits}{}", "0".repeat(whole - digits.len())),
    }
}

fn digits_behind_point(scientific: &str) -> usize {
    let mantissa = scientific.split('e').next().unwrap_or_default();
    mantissa.split_once('.').map_or(0, |(_, fraction)| fraction.len())
}

/// Appends the inside of a JSON string.
pub(crate) fn escape_into(out: &mut String, text: &str) {
    let bytes = text.as_bytes();
    let mut done = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        let (escape, width) = match byte {
            b'"' => ("\\\"", 1),
            b'\\' => ("\\\\", 1),
            b'\n' => ("\\n", 1),
            b'\r' => ("\\r", 1),
            b'\t' => ("\\t", 1),
            0x08 => ("\\b", 1),
            0x0c => ("\\f", 1),
            b'<' => ("\\u003c", 1),
            b'>' => ("\\u003e", 1),
            b'&' => ("\\u0026", 1),
            0xe2 if bytes[at..].starts_with("\u{2028}".as_bytes()) => ("\\u2028", 3),
            0xe2 if bytes[at..].starts_with("\u{2029}".as_bytes()) => ("\\u2029", 3),
            0x00..=0x1f => ("", 1),
            _ => continue,
        };
        out.push_str(text.get(done..at).unwrap_or_default());
        if escape.is_empty() {
            let _ = write!(out, "\\u{byte:04x}");
        } else {
            out.push_str(escape);
        }
        done = at + width;
    }
    out.push_str(text.get(done..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(text: &str) -> String {
        let mut out = String::new();
        string(&mut out, text);
        out
    }

    fn number(value: f64) -> Option<String> {
        let mut out = String::new();
        float64(&mut out, value).then_some(out)
    }

    #[test]
    fn strings_are_escaped_as_go_does() {
        assert_eq!(quoted("a<b>&c"), r#""a\u003cb\u003e\u0026c""#);
        assert_eq!(quoted("\u{8}\u{c}\n\r\t\u{1}\u{7f}"), "\"\\b\\f\\n\\r\\t\\u0001\u{7f}\"");
        assert_eq!(quoted("\u{2028}x\u{2029}"), r#""\u2028x\u2029""#);
        assert_eq!(quoted("\"\\/é\u{1f680}"), "\"\\\"\\\\/é\u{1f680}\"");
    }

    #[test]
    fn floats_switch_to_exponents_where_go_does() {
        let cases = [
            (1.0, "1"),
            (-0.0, "-0"),
            (1.1, "1.1"),
            (12_345_678_901_234_567_890.0, "12345678901234567000"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1.5e300, "1.5e+300"),
            (1e-6, "0.000001"),
            (1.25e-7, "1.25e-7"),
            (5e-324, "5e-324"),
            (200_000_000_000_000.0 + 0.125, "200000000000000.12"),
            (200_000_000_000_000.0 + 0.375, "200000000000000.38"),
        ];
        for (value, text) in cases {
            assert_eq!(number(value).as_deref(), Some(text));
        }
        assert_eq!(number(f64::INFINITY), None);
        assert_eq!(number(f64::NAN), None);
    }
}
