//! Extended headers (POSIX pax) as Go's archive/tar reads them.

use super::{ArchiveError, block::Header};

/// What an extended header changes about the entry that follows it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Records {
    path: Vec<u8>,
    size: Vec<u8>,
    modified: Vec<u8>,
    /// Numbers and times that must be well formed, although nobody uses them.
    unused: [Vec<u8>; 4],
    sparse: Sparse,
}

/// What the `GNU.sparse` records say; together they tell whether the file is sparse.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sparse {
    major: Vec<u8>,
    minor: Vec<u8>,
    map: Vec<u8>,
    /// Offsets and lengths of format 0.0, which must take turns.
    pairs: usize,
}

impl Records {
    /// Reads `LENGTH KEY=VALUE\n` until the end. A later record replaces an earlier one.
    pub(super) fn parse(mut text: &[u8]) -> Result<Self, ArchiveError> {
        let mut records = Self::default();
        while !text.is_empty() {
            let (key, value, rest) = record(text).ok_or(ArchiveError::BadHeader)?;
            records.set(key, value)?;
            text = rest;
        }
        Ok(records)
    }

    /// Writes what is set into `header`. An empty value leaves the header's own.
    pub(super) fn apply(&self, header: &mut Header) -> Result<(), ArchiveError> {
        if !self.path.is_empty() {
            header.name.clone_from(&self.path);
        }
        if !self.size.is_empty() {
            header.size = integer(&self.size)?;
        }
        if !self.modified.is_empty() {
            header.modified = time(&self.modified)?;
        }
        let [uid, gid, accessed, changed] = &self.unused;
        for number in [uid, gid] {
            if !number.is_empty() {
                integer(number)?;
            }
        }
        for moment in [accessed, changed] {
            if !moment.is_empty() {
                time(moment)?;
            }
        }
        if self.sparse.is_sparse() { Err(ArchiveError::SparseFile) } else { Ok(()) }
    }

    fn set(&mut self, key: &[u8], value: &[u8]) -> Result<(), ArchiveError> {
        let [uid, gid, accessed, changed] = &mut self.unused;
        let place = match key {
            b"path" => &mut self.path,
            b"size" => &mut self.size,
            b"mtime" => &mut self.modified,
            b"uid" => uid,
            b"gid" => gid,
            b"atime" => accessed,
            b"ctime" => changed,
            b"GNU.sparse.major" => &mut self.sparse.major,
            b"GNU.sparse.minor" => &mut self.sparse.minor,
            b"GNU.sparse.map" => &mut self.sparse.map,
            b"GNU.sparse.offset" | b"GNU.sparse.numbytes" => {
                let is_offset = key == b"GNU.sparse.offset";
                if is_offset != self.sparse.pairs.is_multiple_of(2) || value.contains(&b',') {
                    return Err(ArchiveError::BadHeader);
                }
                self.sparse.pairs += 1;
                return Ok(());
            }
            _ => return Ok(()),
        };
        place.clear();
        place.extend_from_slice(value);
        Ok(())
    }
}

impl Sparse {
    fn is_sparse(&self) -> bool {
        match (self.major.as_slice(), self.minor.as_slice()) {
            (b"", b"") => self.pairs > 0 || !self.map.is_empty(),
            (b"0", b"0" | b"1") | (b"1", b"0") => true,
            // A version that Go does not know: an ordinary file.
            _ => false,
        }
    }
}

/// The first record: its key, its value and what follows.
fn record(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = text.iter().position(|byte| *byte == b' ')?;
    let length = usize::try_from(integer(&text[..space]).ok()?).ok()?;
    if length < 5 || length > text.len() || length <= space + 1 {
        return None;
    }
    let (whole, rest) = text.split_at(length);
    let body = whole[space + 1..].strip_suffix(b"\n")?;
    let equals = body.iter().position(|byte| *byte == b'=')?;
    let (key, value) = (&body[..equals], &body[equals + 1..]);
    // Where the value stands for a field that ends in NUL, it cannot have one; else the key cannot.
    let guarded = if matches!(key, b"path" | b"linkpath" | b"uname" | b"gname") { value } else { key };
    (!key.is_empty() && !guarded.contains(&0)).then_some((key, value, rest))
}

/// Decimal digits with an optional sign.
fn integer(text: &[u8]) -> Result<i64, ArchiveError> {
    let text = std::str::from_utf8(text).map_err(|_| ArchiveError::BadHeader)?;
    text.parse().map_err(|_| ArchiveError::BadHeader)
}

/// Seconds and a fraction, of which nine digits count.
fn time(text: &[u8]) -> Result<(i64, i32), ArchiveError> {
    let point = text.iter().position(|byte| *byte == b'.');
    let (seconds, fraction) = match point {
        Some(point) => (&text[..point], &text[point + 1..]),
        None => (text, &b""[..]),
    };
    let whole = integer(seconds)?;
    if !fraction.iter().all(u8::is_ascii_digit) {
        return Err(ArchiveError::BadHeader);
    }
    let digits = fraction.iter().copied().chain(std::iter::repeat(b'0')).take(9);
    let nanos = digits.fold(0, |value, digit| value * 10 + i32::from(digit - b'0'));
    Ok((whole, if seconds.starts_with(b"-") { -nanos } else { nanos }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_must_fit_their_length() {
        for (text, good) in [
            (&b""[..], true),
            (b"11 path=a/b\n", false),
            (b"12 path=a/b\n", true),
            (b"13 path=a/b\n", false),
            (b"12 path=a/b\n12 path=c/d\n", true),
            (b"12 path=a/b\n1", false),
            (b"6 k=\n", false),
            (b"5 k=\n", true),
            (b"4 =\n", false),
            (b"5 =v\n", false),
            (b"12 path=a\0b\n", false),
            (b"9 k\0y=vv\n", false),
            (b"9 key=\0v\n", true),
            (b"+12 path=ab\n", true),
            (b"-12 path=ab\n", false),
            (b" 7 k=v\n", false),
            (b"99999999999999999999 k=v\n", false),
        ] {
            assert_eq!(Records::parse(text).is_ok(), good, "{:?}", text.escape_ascii().to_string());
        }
    }

    #[test]
    fn times() {
        for (text, expected) in [
            ("0", Ok((0, 0))),
            ("12.5", Ok((12, 500_000_000))),
            ("12.0000000019", Ok((12, 1))),
            ("12.", Ok((12, 0))),
            ("-1.25", Ok((-1, -250_000_000))),
            (".5", Err(ArchiveError::BadHeader)),
            ("1.x", Err(ArchiveError::BadHeader)),
            ("1e3", Err(ArchiveError::BadHeader)),
        ] {
            assert_eq!(time(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn sparse_files_are_seen() {
        for (text, sparse) in [
            (&b"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n"[..], true),
            (b"22 GNU.sparse.major=9\n22 GNU.sparse.minor=0\n", false),
            (b"22 GNU.sparse.map=0,1\n", true),
            (b"23 GNU.sparse.offset=0\n25 GNU.sparse.numbytes=1\n", true),
            (b"22 GNU.sparse.name=xx\n", false),
        ] {
            let records = Records::parse(text).unwrap();
            let result = records.apply(&mut Header::default());
            assert_eq!(result.is_err(), sparse, "{:?}", text.escape_ascii().to_string());
        }
        assert!(Records::parse(b"25 GNU.sparse.numbytes=1\n").is_err());
    }
}
