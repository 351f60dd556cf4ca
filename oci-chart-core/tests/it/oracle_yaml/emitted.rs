//! Values to write.

use serde_json::{Map, Value};

use crate::support::rng::Rng;

#[rustfmt::skip] // One piece a line would be very long.
const PIECES: &[&str] = &[
    "a", "b", "word", "two words", " ", "  ", "\n", "\n\n", "\t", "\r", ":", ": ", " #", "#", "-", "- ",
    "?", "? ", ",", "[", "]", "{", "}", "&", "*", "!", "|", ">", "'", "\"", "%", "@", "`", "\\", "é", "ß",
    "日本", "\u{1f680}", "\u{a0}", "\u{85}", "\u{2028}", "\u{2029}", "\u{feff}", "\u{1}", "\u{1b}", "\0",
    "\u{7f}", "\u{fffe}", "\u{fffd}", "<", "&amp;", "0", "1", "1.0", "01", "yes", "no", "null", "~", "true",
    "2001-01-01", "1:20", "0x1F", "1e3", ".inf", "=", "<<", "---", "...",
    "a long run of ordinary words that goes on and on until it has to be folded somewhere ",
    "unbroken-text-that-cannot-be-folded-because-it-has-no-blank-in-it",
    "https://example.com/charts/web-1.2.3.tgz",
];

#[rustfmt::skip] // One piece a line would be very long.
const KEYS: &[&str] = &[
    "a", "A", "b", "B", "a1", "a2", "a10", "a01", "a1b", "1", "2", "10", "01", "9", "99999999999999999999",
    "-", "_", ".", "~", "~x", "a-b", "a_b", "a.b", "ä", "é", "日", "Ⅷ", "²", "٣", "x100", "x1000", "x20",
    "x1000000000000000000000", "y", "n", "null", "true", "", " ", "key with blanks", "a: b", "a #b", "?",
    "🚀", "x\ny", "x\u{2028}y", "app.kubernetes.io/name", "a0", "a00", "a100", "v1.9", "v1.10",
];

/// A value as JSON text, the way Go's `encoding/json` writes it.
pub(super) fn json_text(rng: &mut Rng) -> String {
    let value = value(rng, 0);
    let text = serde_json::to_string(&value).unwrap();
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            other => out.push(other),
        }
    }
    out
}

fn value(rng: &mut Rng, depth: usize) -> Value {
    match rng.below(if depth < 4 { 14 } else { 9 }) {
        0 => Value::Null,
        1 => Value::Bool(rng.chance(50)),
        2 => number(rng),
        9..=10 => (0..rng.below(4)).map(|_| value(rng, depth + 1)).collect(),
        11..=13 => mapping(rng, depth),
        _ => Value::String(string(rng)),
    }
}

fn mapping(rng: &mut Rng, depth: usize) -> Value {
    let mut map = Map::new();
    let most = if rng.chance(10) { 30 } else { 5 };
    for _ in 0..rng.below(most) {
        let key = match rng.below(10) {
            0 => string(rng),
            1 => rng.text(KEYS, 3),
            2 => "k".repeat(120 + rng.below(12)),
            _ => rng.pick(KEYS).to_owned(),
        };
        map.insert(key, value(rng, depth + 1));
    }
    Value::Object(map)
}

fn string(rng: &mut Rng) -> String {
    // Bad characters are rare, so that most values can be written.
    let most = if rng.chance(70) { 3 } else { 9 };
    let text = rng.text(PIECES, most);
    if rng.chance(95) { text.replace(['\u{7f}', '\u{fffe}', '\u{85}'], "") } else { text }
}

fn number(rng: &mut Rng) -> Value {
    let texts = [
        "0",
        "-1",
        "1.5",
        "1e300",
        "1e-7",
        "0.000001",
        "123456.5",
        "1234567.5",
        "9223372036854775807",
        "-9223372036854775808",
        "18446744073709551615",
        "1e21",
        "100000000000000000000",
        "0.1",
        "-0.0",
        "3.0",
        "5e-324",
    ];
    serde_json::from_str(rng.pick(&texts)).unwrap()
}
