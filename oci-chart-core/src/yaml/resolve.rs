//! What a plain scalar means: YAML 1.1's types as go-yaml v2 recognises them.

use super::{tags::Tag, timestamp};

/// The meaning of a scalar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Meaning {
    Null,
    Bool(bool),
    Int(i64),
    /// Only above `i64::MAX`.
    Uint(u64),
    Float(f64),
    Text,
}

/// The meaning of a text without quotes and tag.
pub(super) fn plain(text: &str) -> Meaning {
    match text.as_bytes().first() {
        None => Meaning::Null,
        Some(b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~') => word(text),
        Some(b'+' | b'-' | b'0'..=b'9') => number(text),
        Some(b'.') => dotted(text),
        _ => Meaning::Text,
    }
}

/// The meaning of a text with a tag, or what is wrong with it.
pub(super) fn tagged(text: &str, tag: Tag) -> Result<Meaning, &'static str> {
    match (tag, plain(text)) {
        (Tag::None, meaning) => Ok(meaning),
        (Tag::String | Tag::NonSpecific | Tag::Merge | Tag::Binary | Tag::Other, _) => Ok(Meaning::Text),
        (Tag::Null, Meaning::Null) => Ok(Meaning::Null),
        (Tag::Bool, meaning @ Meaning::Bool(_)) => Ok(meaning),
        (Tag::Int, meaning @ (Meaning::Int(_) | Meaning::Uint(_))) => Ok(meaning),
        (Tag::Float, meaning @ Meaning::Float(_)) => Ok(meaning),
        #[allow(clippy::cast_precision_loss, reason = "!!float asks for it")]
        (Tag::Float, Meaning::Int(value)) => Ok(Meaning::Float(value as f64)),
        (Tag::Timestamp, _) if timestamp::is_timestamp(text) => Ok(Meaning::Text),
        (Tag::Null, _) => Err("cannot decode the value as a !!null"),
        (Tag::Bool, _) => Err("cannot decode the value as a !!bool"),
        (Tag::Int, _) => Err("cannot decode the value as a !!int"),
        (Tag::Float, _) => Err("cannot decode the value as a !!float"),
        (Tag::Timestamp, _) => Err("cannot decode the value as a !!timestamp"),
    }
}

/// Whether go-yaml, reading this text without quotes, would take it for anything but text.
pub(super) fn is_retyped(text: &str) -> bool {
    plain(text) != Meaning::Text || timestamp::is_timestamp(text)
}

fn word(text: &str) -> Meaning {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Meaning::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Meaning::Bool(false)
        }
        "~" | "null" | "Null" | "NULL" => Meaning::Null,
        _ => Meaning::Text,
    }
}

/// A text that starts with a sign or a digit.
fn number(text: &str) -> Meaning {
    match text {
        "+.inf" | "+.Inf" | "+.INF" => return Meaning::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Meaning::Float(f64::NEG_INFINITY),
        _ => {}
    }
    let stripped;
    let digits = if text.contains('_') {
        stripped = text.replace('_', "");
        &stripped
    } else {
        text
    };
    integer(digits).or_else(|| float(digits)).or_else(|| signed_binary(digits)).unwrap_or(Meaning::Text)
}

/// A text that starts with a point. Here underscores have to stand between digits, as in Go.
fn dotted(text: &str) -> Meaning {
    match text {
        ".inf" | ".Inf" | ".INF" => return Meaning::Float(f64::INFINITY),
        ".nan" | ".NaN" | ".NAN" => return Meaning::Float(f64::NAN),
        _ => {}
    }
    let bytes = text.as_bytes();
    let digit_at = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    let misplaced =
        |(at, byte): (usize, &u8)| *byte == b'_' && !(digit_at(at.checked_sub(1)) && digit_at(Some(at + 1)));
    // Runs of underscores fail this as well: Go wants a digit on both sides of each.
    if bytes.iter().enumerate().any(misplaced) {
        return Meaning::Text;
    }
    float(&text.replace('_', "")).unwrap_or(Meaning::Text)
}

/// Go's `ParseInt` and `ParseUint` with base 0: prefixes `0b`, `0o`, `0x`, and `0` for octal.
fn integer(text: &str) -> Option<Meaning> {
    let (sign, unsigned) = split_sign(text);
    if unsigned.is_empty() {
        return None;
    }
    let (radix, digits) = match unsigned.as_bytes() {
        [b'0', b'b' | b'B', _, ..] => (2, unsigned.get(2..)),
        [b'0', b'o' | b'O', _, ..] => (8, unsigned.get(2..)),
        [b'0', b'x' | b'X', _, ..] => (16, unsigned.get(2..)),
        [b'0', ..] => (8, unsigned.get(1..)),
        _ => (10, Some(unsigned)),
    };
    signed(sign, magnitude(digits?, radix)?)
}

/// go-yaml's second try at `0b`, which lets a sign stand behind it: `0b-1` is -1.
fn signed_binary(text: &str) -> Option<Meaning> {
    if let Some(rest) = text.strip_prefix("0b") {
        let (sign, digits) = split_sign(rest);
        return if digits.is_empty() { None } else { signed(sign, magnitude(digits, 2)?) };
    }
    let digits = text.strip_prefix("-0b").filter(|digits| !digits.is_empty())?;
    signed(Some('-'), magnitude(digits, 2)?)
}

fn split_sign(text: &str) -> (Option<char>, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (Some('-'), rest),
        None => text.strip_prefix('+').map_or((None, text), |rest| (Some('+'), rest)),
    }
}

/// Only a number without a sign may be above `i64::MAX`.
fn signed(sign: Option<char>, magnitude: u64) -> Option<Meaning> {
    match (sign, i64::try_from(magnitude)) {
        (Some('-'), _) => 0_i64.checked_sub_unsigned(magnitude).map(Meaning::Int),
        (_, Ok(value)) => Some(Meaning::Int(value)),
        (None, Err(_)) => Some(Meaning::Uint(magnitude)),
        (Some(_), Err(_)) => None,
    }
}

/// The value of the digits; no digits at all are 0, which is how Go reads the rest of a lone `0`.
fn magnitude(digits: &str, radix: u32) -> Option<u64> {
    digits.chars().try_fold(0_u64, |value, c| {
        let digit = c.to_digit(radix)?;
        value.checked_mul(u64::from(radix))?.checked_add(u64::from(digit))
    })
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?` with a value that a double can hold.
fn float(text: &str) -> Option<Meaning> {
    let (_, unsigned) = split_sign(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let mantissa_fits = all_digits(whole)
        && fraction.is_none_or(all_digits)
        && !(whole.is_empty() && fraction.is_none_or(str::is_empty));
    let exponent_fits = exponent.is_none_or(|exponent| {
        let (_, digits) = split_sign(exponent);
        !digits.is_empty() && all_digits(digits)
    });
    if !mantissa_fits || !exponent_fits {
        return None;
    }
    text.parse().ok().filter(|value: &f64| value.is_finite()).map(Meaning::Float)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers() {
        let cases = [
            ("yes", Meaning::Bool(true)),
            ("Off", Meaning::Bool(false)),
            ("yEs", Meaning::Text),
            ("", Meaning::Null),
            ("~", Meaning::Null),
            ("0", Meaning::Int(0)),
            ("010", Meaning::Int(8)),
            ("08", Meaning::Float(8.0)),
            ("0o17", Meaning::Int(15)),
            ("0X1f", Meaning::Int(31)),
            ("0x", Meaning::Text),
            ("-0b11", Meaning::Int(-3)),
            ("0b-1", Meaning::Int(-1)),
            ("0b", Meaning::Text),
            ("1__0", Meaning::Int(10)),
            ("_1", Meaning::Text),
            ("18446744073709551615", Meaning::Uint(u64::MAX)),
            ("18446744073709551616", Meaning::Float(18_446_744_073_709_551_616.0)),
            ("-9223372036854775808", Meaning::Int(i64::MIN)),
            ("+18446744073709551615", Meaning::Float(18_446_744_073_709_551_615.0)),
            (".5_0", Meaning::Float(0.5)),
            (".5__0", Meaning::Text),
            ("._5", Meaning::Text),
            (".", Meaning::Text),
            ("5.", Meaning::Float(5.0)),
            ("1e400", Meaning::Text),
            ("0x1p4", Meaning::Text),
            ("+.inf", Meaning::Float(f64::INFINITY)),
            ("1:20", Meaning::Text),
        ];
        for (text, meaning) in cases {
            assert_eq!(plain(text), meaning, "{text}");
        }
    }

    #[test]
    fn tags_convert_or_refuse() {
        assert_eq!(tagged("1", Tag::Float), Ok(Meaning::Float(1.0)));
        assert_eq!(tagged("1.10", Tag::String), Ok(Meaning::Text));
        assert_eq!(tagged("2001-1-1", Tag::Timestamp), Ok(Meaning::Text));
        for (text, tag) in [
            ("a", Tag::Int),
            ("1.0", Tag::Int),
            ("18446744073709551615", Tag::Float),
            ("1", Tag::Timestamp),
            ("x", Tag::Null),
        ] {
            assert!(tagged(text, tag).is_err(), "{text} as {tag:?}");
        }
    }
}
