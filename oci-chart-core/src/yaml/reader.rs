//! From bytes to text, as far as go-yaml would have looked.
//!
//! go-yaml checks encoding and character set in pieces of 512 bytes, only when its scanner asks for more. A document
//! that ends early hides what is wrong behind it, so a reader that agrees with it must be as lazy. Text without any fault
//! needs none of that: one pass finds out, and the scanner then runs with the door open.

use std::borrow::Cow;

const PIECE: usize = 512;
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// The text of a document, or as much of it as can be read.
pub(super) struct Source<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) ascii: bool,
    pub(super) pieces: Option<Pieces>,
}

/// The pieces in which go-yaml reads a text that has a fault or a byte order mark inside.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    /// Where each piece ends in the text.
    ends: Vec<usize>,
    /// How many of them have been read.
    read: usize,
    /// What stops the reading after the last piece.
    fault: Option<&'static str>,
    /// Where go-yaml's buffer starts.
    buffer_start: usize,
    /// Zero characters that stand behind the text, one more at each look beyond the end.
    zeros: usize,
}

impl<'a> Source<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        match bytes {
            [0xff, 0xfe, rest @ ..] => Self::slow(rest, 2, Encoding::Utf16Little),
            [0xfe, 0xff, rest @ ..] => Self::slow(rest, 2, Encoding::Utf16Big),
            [0xef, 0xbb, 0xbf, rest @ ..] => Self::utf8(rest, 3),
            _ => Self::utf8(bytes, 0),
        }
    }

    fn utf8(bytes: &'a [u8], skipped: usize) -> Self {
        let ascii = bytes.is_ascii();
        match str::from_utf8(bytes) {
            Ok(text) if is_plain(text, ascii) => Self { text: Cow::Borrowed(text), ascii, pieces: None },
            _ => Self::slow(bytes, skipped, Encoding::Utf8),
        }
    }

    fn slow(bytes: &[u8], skipped: usize, encoding: Encoding) -> Self {
        let mut text = String::with_capacity(bytes.len());
        let mut pieces = Pieces::default();
        let mut at = 0;
        let mut end = PIECE - skipped;
        loop {
            let window = bytes.get(at..end.min(bytes.len())).unwrap_or_default();
            if window.is_empty() {
                pieces.ends.push(text.len());
                if at >= bytes.len() {
                    break;
                }
                end = at + PIECE;
                continue;
            }
            match decode(window, encoding) {
                Ok((c, width)) => {
                    text.push(c);
                    at += width;
                }
                Err(Stop::Incomplete(what)) => {
                    pieces.ends.push(text.len());
                    if end >= bytes.len() {
                        pieces.fault = Some(what);
                        break;
                    }
                    end = at + PIECE;
                }
                Err(Stop::Fault(what)) => {
                    pieces.fault = Some(what);
                    text.truncate(pieces.ends.last().copied().unwrap_or(0));
                    break;
                }
            }
        }
        let ascii = text.is_ascii();
        let needed = pieces.fault.is_some() || text.contains(BYTE_ORDER_MARK);
        Self { text: Cow::Owned(text), ascii, pieces: needed.then_some(pieces) }
    }
}

impl Pieces {
    /// How far the text is readable now.
    pub(super) fn frontier(&self) -> usize {
        self.read.checked_sub(1).and_then(|last| self.ends.get(last)).copied().unwrap_or(0)
    }

    /// Reads on until `count` characters lie behind `at`, or says what is in the way. Behind the end there are zeros.
    pub(super) fn look_ahead(&mut self, text: &str, at: usize, count: usize) -> Result<(), &'static str> {
        let unread = |this: &Self| {
            text.get(at..this.frontier()).map_or(0, |s| s.chars().take(count).count()) + this.zeros
        };
        if unread(self) >= count {
            return Ok(());
        }
        self.buffer_start = at;
        while unread(self) < count {
            if self.read < self.ends.len() {
                self.read += 1;
            } else if let Some(fault) = self.fault {
                return Err(fault);
            } else {
                self.zeros += 1;
                break;
            }
        }
        Ok(())
    }

    /// Whether go-yaml sees a byte order mark now. It looks at the start of its buffer, wherever the scanner is.
    pub(super) fn sees_mark(&self, text: &str) -> bool {
        text.get(self.buffer_start..).is_some_and(|rest| rest.starts_with(BYTE_ORDER_MARK))
    }
}

#[derive(Clone, Copy)]
enum Encoding {
    Utf8,
    Utf16Little,
    Utf16Big,
}

enum Stop {
    Incomplete(&'static str),
    Fault(&'static str),
}

/// Whether the text has only characters that YAML allows, and no byte order mark inside.
fn is_plain(text: &str, ascii: bool) -> bool {
    let suspicious = |b: u8| {
        (b < 0x20 && b != b'\t' && b != b'\n' && b != b'\r') | (b == 0x7f) | (b == 0xc2) | (b == 0xef)
    };
    // Blocks without early exit are compared many bytes at a time.
    let quiet = |block: &[u8]| !block.iter().fold(false, |found, b| found | suspicious(*b));
    if text.as_bytes().chunks(256).all(quiet) {
        return true;
    }
    !ascii && text.chars().all(|c| is_allowed(c) && c != '\u{feff}')
}

fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{fffd}' | '\u{10000}'..)
}

fn decode(window: &[u8], encoding: Encoding) -> Result<(char, usize), Stop> {
    let (c, width) = match encoding {
        Encoding::Utf8 => decode_utf8(window)?,
        Encoding::Utf16Little => decode_utf16(window, u16::from_le_bytes)?,
        Encoding::Utf16Big => decode_utf16(window, u16::from_be_bytes)?,
    };
    if is_allowed(c) { Ok((c, width)) } else { Err(Stop::Fault("control characters are not allowed")) }
}

fn decode_utf8(window: &[u8]) -> Result<(char, usize), Stop> {
    let lead = window.first().copied().unwrap_or(0);
    let (width, bits) = match lead {
        0x00..=0x7f => (1, lead),
        0xc0..=0xdf => (2, lead & 0x1f),
        0xe0..=0xef => (3, lead & 0x0f),
        0xf0..=0xf7 => (4, lead & 0x07),
        _ => return Err(Stop::Fault("invalid leading UTF-8 octet")),
    };
    let Some(sequence) = window.get(..width) else {
        return Err(Stop::Incomplete("incomplete UTF-8 octet sequence"));
    };
    let mut value = u32::from(bits);
    for octet in sequence.iter().skip(1) {
        if octet & 0xc0 != 0x80 {
            return Err(Stop::Fault("invalid trailing UTF-8 octet"));
        }
        value = (value << 6) | u32::from(octet & 0x3f);
    }
    let least = [0, 0, 0x80, 0x800, 0x1_0000].get(width).copied().unwrap_or(0);
    if value < least {
        return Err(Stop::Fault("invalid length of a UTF-8 sequence"));
    }
    char::from_u32(value).map(|c| (c, width)).ok_or(Stop::Fault("invalid Unicode character"))
}

fn decode_utf16(window: &[u8], unit: fn([u8; 2]) -> u16) -> Result<(char, usize), Stop> {
    let &[a, b, ..] = window else { return Err(Stop::Incomplete("incomplete UTF-16 character")) };
    let first = unit([a, b]);
    match first {
        0xdc00..=0xdfff => Err(Stop::Fault("unexpected low surrogate area")),
        0xd800..=0xdbff => {
            let &[_, _, c, d, ..] = window else {
                return Err(Stop::Incomplete("incomplete UTF-16 surrogate pair"));
            };
            char::decode_utf16([first, unit([c, d])])
                .next()
                .and_then(Result::ok)
                .map(|c| (c, 4))
                .ok_or(Stop::Fault("expected low surrogate area"))
        }
        _ => char::from_u32(u32::from(first)).map(|c| (c, 2)).ok_or(Stop::Fault("invalid Unicode character")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_text_is_borrowed_and_unwatched() {
        let source = Source::new("\u{feff}name: wéb · \u{85}\n".as_bytes());
        assert!(matches!(source.text, Cow::Borrowed("name: wéb · \u{85}\n")));
        assert!(!source.ascii && source.pieces.is_none());
    }

    #[test]
    fn a_fault_is_met_only_when_its_piece_is_asked_for() {
        let mut bytes = vec![b'a'; 600];
        bytes.push(0x01);
        let source = Source::new(&bytes);
        let mut pieces = source.pieces.expect("the text has a fault");
        assert_eq!(source.text.len(), 512);
        assert_eq!(pieces.look_ahead(&source.text, 0, 4), Ok(()));
        assert_eq!(pieces.look_ahead(&source.text, 508, 4), Ok(()));
        assert_eq!(pieces.look_ahead(&source.text, 509, 4), Err("control characters are not allowed"));
    }

    #[test]
    fn utf16_is_read_by_its_mark() {
        let bytes: Vec<u8> = "\u{feff}a: é\u{1f680}".encode_utf16().flat_map(u16::to_be_bytes).collect();
        let source = Source::new(&bytes);
        assert_eq!(source.text, "a: é\u{1f680}");
        assert!(source.pieces.is_none());
        let cut = bytes.get(..bytes.len() - 2).expect("longer than that");
        let mut pieces = Source::new(cut).pieces.expect("half a pair");
        assert_eq!(pieces.look_ahead("a: é", 0, 6), Err("incomplete UTF-16 surrogate pair"));
    }
}
