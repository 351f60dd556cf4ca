//! Ways through text that was checked: nothing here meets anything unexpected.

use std::borrow::Cow;

use super::Json;

/// The values of an array.
#[derive(Debug, Clone)]
pub(crate) struct Items<'a>(&'a str);

impl<'a> Items<'a> {
    pub(super) fn of(array: &'a str) -> Option<Self> {
        Some(Self(array.strip_prefix('[')?.strip_suffix(']')?.trim_start()))
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Json<'a>;

    fn next(&mut self) -> Option<Json<'a>> {
        if self.0.is_empty() {
            return None;
        }
        let value = first_value(&mut self.0);
        pass(&mut self.0, ',');
        Some(value)
    }
}

/// Keys and values of an object, in their order.
#[derive(Debug, Clone)]
pub(crate) struct Entries<'a>(&'a str);

impl<'a> Entries<'a> {
    pub(super) fn of(object: &'a str) -> Option<Self> {
        Some(Self(object.strip_prefix('{')?.strip_suffix('}')?.trim_start()))
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = (Cow<'a, str>, Json<'a>);

    fn next(&mut self) -> Option<(Cow<'a, str>, Json<'a>)> {
        if self.0.is_empty() {
            return None;
        }
        let key = first_value(&mut self.0).text().unwrap_or_default();
        pass(&mut self.0, ':');
        let value = first_value(&mut self.0);
        pass(&mut self.0, ',');
        Some((key, value))
    }
}

/// About how many bytes a tree of the document takes beside its texts, by what `serde_json` needs for a value and for an object with one key.
#[cfg(feature = "keyless")]
pub(crate) fn tree_bytes(document: &[u8]) -> usize {
    const VALUE: usize = 48;
    const OBJECT: usize = 700;
    let (mut bytes, mut in_string, mut escaped) = (0, false, false);
    for byte in document {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_string = !in_string,
            b'{' if !in_string => bytes += OBJECT,
            b',' | b'[' if !in_string => bytes += VALUE,
            _ => {}
        }
    }
    bytes
}

/// Takes the value with which `rest` begins, and the white space behind it.
fn first_value<'a>(rest: &mut &'a str) -> Json<'a> {
    let (value, behind) = rest.split_at(length(rest));
    *rest = behind.trim_start();
    Json(value)
}

fn pass(rest: &mut &str, mark: char) {
    *rest = rest.strip_prefix(mark).unwrap_or(rest).trim_start();
}

/// How many bytes the value takes with which `text` begins.
fn length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'"' => {
                at += string(text.get(at..).unwrap_or_default());
                if depth == 0 {
                    return at;
                }
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 1 => return at,
            b'}' | b']' if depth > 1 => depth -= 1,
            // The end of a number or word.
            b'}' | b']' | b',' | b':' | b' ' | b'\t' | b'\n' | b'\r' if depth == 0 => return at - 1,
            _ => {}
        }
    }
    at
}

/// How many bytes there are up to and with the quotation mark that ends a string.
fn string(text: &str) -> usize {
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find(['"', '\\'])) {
        at += found + 1;
        if text.as_bytes().get(at - 1) == Some(&b'"') {
            return at;
        }
        at += 1;
    }
    text.len()
}

/// What a string says, escapes and all.
pub(super) fn unescaped(inner: &str) -> String {
    let mut said = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        let (plain, escape) = rest.split_at(at);
        said.push_str(plain);
        let (letter, behind) = one(escape);
        said.push(letter);
        rest = behind;
    }
    said.push_str(rest);
    said
}

/// What one escape says, and what is behind it.
fn one(escape: &str) -> (char, &str) {
    let from = |at: usize| escape.get(at..).unwrap_or_default();
    let letter = match escape.as_bytes().get(1) {
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => {
            let first = unit(escape);
            if let Some(letter) = char::from_u32(first) {
                return (letter, from(6));
            }
            let second = unit(from(6));
            let both = 0x10000 + ((first & 0x3ff) << 10) + (second & 0x3ff);
            return (char::from_u32(both).unwrap_or(char::REPLACEMENT_CHARACTER), from(12));
        }
        Some(other) => char::from(*other),
        None => char::REPLACEMENT_CHARACTER,
    };
    (letter, from(2))
}

/// The UTF-16 unit of an escape that begins with `\u`.
pub(super) fn unit(escape: &str) -> u32 {
    escape.get(2..6).and_then(|digits| u32::from_str_radix(digits, 16).ok()).unwrap_or_default()
}
