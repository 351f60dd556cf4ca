//! Whether text is a document that can be read in one way only.

use std::borrow::Cow;

use super::{Json, walk};
use crate::{
    error::Reason,
    trust::flaw::{Flaw, shown},
};

/// How deep a document may nest.
const DEEPEST: usize = 128;

/// How many bytes the keys of all open objects may take together, each with [`KEY`] bytes more: 100,000 short ones. One key may have [`LONGEST_KEY`].
pub(super) const ROOM: usize = 8 << 20;
const KEY: usize = 64;
const LONGEST_KEY: usize = 64 << 10;

/// Reads one document, surrounded by nothing but white space.
pub(crate) fn parse(bytes: &[u8]) -> Result<Json<'_>, Flaw> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        Flaw::malformed(format!("not plain JSON: not UTF-8 behind byte {}", error.valid_up_to()))
    })?;
    let mut check = Check { text, at: 0, open: Vec::new(), keys: Vec::new(), room: ROOM };
    check.space();
    let start = check.at;
    check.document()?;
    let end = check.at;
    check.space();
    if check.at < text.len() {
        return Err(check.wrong());
    }
    Ok(Json(text.get(start..end).unwrap_or_default()))
}

/// Goes through a document once, without recursion.
struct Check<'a> {
    text: &'a str,
    at: usize,
    /// For each open container: none for an array, where the keys of an object begin.
    open: Vec<Option<usize>>,
    /// The keys of all open objects: how long each is in the text, and how a reader sees it that ignores case.
    keys: Vec<(usize, Cow<'a, str>)>,
    room: usize,
}

impl<'a> Check<'a> {
    fn document(&mut self) -> Result<(), Flaw> {
        loop {
            self.space();
            let opened = match self.peek() {
                Some(b'{') => self.begin(Some(self.keys.len()), b'}')?,
                Some(b'[') => self.begin(None, b']')?,
                Some(b'"') => self.string().map(|_| false)?,
                Some(b'-' | b'0'..=b'9') => self.number().map(|()| false)?,
                _ => self.word().map(|()| false)?,
            };
            if opened {
                continue;
            }
            // A value has ended, and perhaps what it is in.
            loop {
                let Some(container) = self.open.last() else { return Ok(()) };
                let (is_object, end) = (container.is_some(), if container.is_some() { b'}' } else { b']' });
                self.space();
                if self.pass(b',') {
                    if is_object {
                        self.key()?;
                    }
                    break;
                }
                if !self.pass(end) {
                    return Err(self.wrong());
                }
                self.close()?;
            }
        }
    }

    /// Opens a container; whether a value is next. An empty one is over at once.
    fn begin(&mut self, keys: Option<usize>, end: u8) -> Result<bool, Flaw> {
        self.at += 1;
        self.space();
        if self.pass(end) {
            return Ok(false);
        }
        if self.open.len() == DEEPEST {
            return Err(Flaw::malformed("not plain JSON: nested too deeply"));
        }
        self.open.push(keys);
        if keys.is_some() {
            self.key()?;
        }
        Ok(true)
    }

    fn close(&mut self) -> Result<(), Flaw> {
        let Some(Some(first)) = self.open.pop() else { return Ok(()) };
        let keys = self.keys.get_mut(first..).unwrap_or_default();
        keys.sort_unstable_by(|(_, one), (_, other)| one.cmp(other));
        if let Some([(_, key), _]) =
            keys.windows(2).find(|pair| matches!(pair, [one, other] if one.1 == other.1))
        {
            let message = format!("not plain JSON: one key twice: {}", shown(key));
            return Err(Flaw::new(Reason::DuplicateKey, message));
        }
        self.room += keys.iter().map(|(length, _)| length + KEY).sum::<usize>();
        self.keys.truncate(first);
        Ok(())
    }

    /// A key and its colon.
    fn key(&mut self) -> Result<(), Flaw> {
        self.space();
        if self.peek() != Some(b'"') {
            return Err(self.wrong());
        }
        let raw = self.string()?;
        let room = self.room.checked_sub(raw.len() + KEY).filter(|_| raw.len() <= LONGEST_KEY);
        self.room = room.ok_or_else(|| {
            Flaw::new(Reason::TooManyParts, "not plain JSON: the keys take more room than is given to them")
        })?;
        let key = match raw.contains('\\') {
            true => folded(Cow::Owned(walk::unescaped(raw))),
            false => folded(Cow::Borrowed(raw)),
        };
        self.keys.push((raw.len(), key));
        self.space();
        if self.pass(b':') { Ok(()) } else { Err(self.wrong()) }
    }

    /// A string; what is between its quotation marks.
    fn string(&mut self) -> Result<&'a str, Flaw> {
        let start = self.at + 1;
        self.at = start;
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let Some(found) = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)) else {
                self.at = self.text.len();
                return Err(self.wrong());
            };
            self.at += found;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(self.text.get(start..self.at - 1).unwrap_or_default());
                }
                Some(b'\\') => self.escape()?,
                _ => return Err(self.wrong()),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Flaw> {
        let letter = self.text.as_bytes().get(self.at + 1);
        match letter {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => match self.unit()? {
                0xdc00..=0xdfff => return Err(self.wrong()),
                0xd800..=0xdbff => {
                    let low = self.text.get(self.at..).is_some_and(|rest| rest.starts_with("\\u"));
                    if !low || !(0xdc00..=0xdfff).contains(&self.unit()?) {
                        return Err(self.wrong());
                    }
                }
                _ => {}
            },
            _ => return Err(self.wrong()),
        }
        Ok(())
    }

    /// Passes `\uXXXX`.
    fn unit(&mut self) -> Result<u32, Flaw> {
        let escape = self.text.get(self.at..self.at + 6);
        let digits = escape.and_then(|escape| escape.get(2..)).unwrap_or_default();
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(self.wrong());
        }
        self.at += 6;
        Ok(walk::unit(escape.unwrap_or_default()))
    }

    fn number(&mut self) -> Result<(), Flaw> {
        self.pass(b'-');
        if !self.pass(b'0') {
            self.digits()?;
        }
        if self.pass(b'.') {
            self.digits()?;
        }
        if self.pass(b'e') || self.pass(b'E') {
            let _ = self.pass(b'+') || self.pass(b'-');
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Flaw> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(self.wrong()) }
    }

    fn word(&mut self) -> Result<(), Flaw> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let word = ["true", "false", "null"].into_iter().find(|word| rest.starts_with(word));
        self.at += word.ok_or_else(|| self.wrong())?.len();
        Ok(())
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn pass(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn wrong(&self) -> Flaw {
        Flaw::malformed(format!("not plain JSON: wrong at byte {}", self.at))
    }
}

/// A key as a reader sees it that ignores case, Unicode's simple folding included (the Kelvin sign is a k).
fn folded(key: Cow<'_, str>) -> Cow<'_, str> {
    if key.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        return key;
    }
    Cow::Owned(key.to_lowercase().to_uppercase().to_lowercase())
}
