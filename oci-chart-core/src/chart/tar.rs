//! Writing tar archives, byte for byte as Go's `archive/tar` writes the entries of a Helm chart.

use std::io::{self, Write};

const BLOCK: usize = 512;
const NAME: usize = 100;
const PREFIX: usize = 155;

/// The largest value that eleven octal digits hold.
const OCTAL_11: i64 = 0o77_777_777_777;

/// Writes regular files, mode 0644, nobody's. The headers are USTAR (POSIX.1-1988) where that can say it, else they follow
/// a PAX record (POSIX.1-2001) of type `x`. No directories, no padding to 10 KiB at the end.
#[derive(Debug)]
pub(crate) struct TarWriter<W> {
    out: W,
    /// Bytes that the current entry still lacks.
    missing: u64,
    /// Zeros that follow the current entry.
    padding: usize,
}

impl<W: Write> TarWriter<W> {
    pub(crate) fn new(out: W) -> Self {
        Self { out, missing: 0, padding: 0 }
    }

    /// Begins the entry `path` of exactly `size` bytes, which must follow as writes. `modified` counts seconds since 1970.
    pub(crate) fn entry(&mut self, path: &str, size: u64, modified: i64) -> io::Result<()> {
        self.end_entry()?;
        let length = i64::try_from(size).map_err(|_| io::Error::other("no file is that large"))?;
        let in_range = length <= OCTAL_11 && (0..=OCTAL_11).contains(&modified);
        let mut header = Header::new(b'0');
        match split(path).filter(|_| in_range) {
            Some((prefix, name)) => {
                header.put(345, prefix.as_bytes());
                header.put(0, name.as_bytes());
            }
            None => {
                self.pax(path, length, modified)?;
                header.cut_path(path);
            }
        }
        header.octal(100, 7, 0o644);
        header.octal(124, 11, length);
        header.octal(136, 11, modified);
        header.octal(329, 7, 0);
        header.octal(337, 7, 0);
        self.out.write_all(header.sealed())?;
        self.missing = size;
        self.padding = padding(size);
        Ok(())
    }

    /// Ends the archive.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.end_entry()?;
        self.out.write_all(&[0; 2 * BLOCK])?;
        Ok(self.out)
    }

    fn end_entry(&mut self) -> io::Result<()> {
        if self.missing > 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "a file is shorter than announced"));
        }
        let padding = std::mem::take(&mut self.padding);
        self.out.write_all(&[0; BLOCK][..padding])
    }

    /// The extended header: what USTAR cannot hold, keys in order.
    fn pax(&mut self, path: &str, size: i64, modified: i64) -> io::Result<()> {
        let mut records = String::new();
        if !(0..=OCTAL_11).contains(&modified) {
            pax_record(&mut records, "mtime", &modified.to_string());
        }
        if !plain(path) || path.len() > NAME {
            pax_record(&mut records, "path", path);
        }
        if size > OCTAL_11 {
            pax_record(&mut records, "size", &size.to_string());
        }
        let (directory, file) = path.rsplit_once('/').unwrap_or(("", path));
        let slash = if directory.is_empty() { "" } else { "/" };
        let mut name = format!("{directory}{slash}PaxHeaders.0/{file}").into_bytes();
        name.retain(|byte| byte.is_ascii() && *byte != 0);
        name.truncate(NAME);
        while name.last() == Some(&b'/') {
            name.pop();
        }
        let mut header = Header::new(b'x');
        header.put(0, &name);
        header.octal(100, 7, 0);
        header.octal(124, 11, i64::try_from(records.len()).unwrap_or(i64::MAX));
        header.octal(136, 11, 0);
        self.out.write_all(header.sealed())?;
        self.out.write_all(records.as_bytes())?;
        self.out.write_all(&[0; BLOCK][..padding(records.len() as u64)])
    }
}

/// The bytes of the current entry.
impl<W: Write> Write for TarWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let allowed = bytes.len().min(usize::try_from(self.missing).unwrap_or(usize::MAX));
        if allowed < bytes.len() {
            return Err(io::Error::other("a file is longer than announced"));
        }
        let count = self.out.write(bytes)?;
        self.missing -= count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// How USTAR holds `path`: a prefix, which may be empty, and a name. The prefix is as long as it can be.
fn split(path: &str) -> Option<(&str, &str)> {
    if !plain(path) {
        return None;
    }
    if path.len() <= NAME {
        return Some(("", path));
    }
    // The slash between the two is written by neither.
    let slash = path.get(..path.len().min(PREFIX + 1))?.rfind('/')?;
    let (prefix, name) = (path.get(..slash)?, path.get(slash + 1..)?);
    (!prefix.is_empty() && (1..=NAME).contains(&name.len())).then_some((prefix, name))
}

fn plain(path: &str) -> bool {
    path.bytes().all(|byte| byte.is_ascii() && byte != 0)
}

/// Appends `LENGTH KEY=VALUE` and a line end, the length counting itself.
fn pax_record(records: &mut String, key: &str, value: &str) {
    let rest = key.len() + value.len() + 3;
    let mut digits = 1;
    while (rest + digits).to_string().len() > digits {
        digits += 1;
    }
    records.push_str(&format!("{} {key}={value}\n", rest + digits));
}

fn padding(size: u64) -> usize {
    (size.wrapping_neg() % BLOCK as u64) as usize
}

struct Header([u8; BLOCK]);

impl Header {
    /// User and group 0 without names.
    fn new(kind: u8) -> Self {
        let mut header = Self([0; BLOCK]);
        header.octal(108, 7, 0);
        header.octal(116, 7, 0);
        header.put(156, &[kind]);
        header.put(257, b"ustar\x0000");
        header
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        if let Some(field) = self.0.get_mut(at..at + bytes.len()) {
            field.copy_from_slice(bytes);
        }
    }

    /// The stand-in for a path that stands in a PAX record: its ASCII part, cut. A cut that ends in a slash would read as a
    /// directory, so the slashes there go.
    fn cut_path(&mut self, path: &str) {
        for (length, byte) in path.bytes().filter(|byte| byte.is_ascii() && *byte != 0).enumerate() {
            if length == NAME {
                let slashes = self.0[..NAME].iter().rev().take_while(|byte| **byte == b'/').count();
                if slashes > 0 {
                    self.0[NAME - slashes] = 0;
                }
                return;
            }
            self.0[length] = byte;
        }
    }

    /// Octal digits with leading zeros; the NUL behind them is there already. What does not fit is written as zero.
    fn octal(&mut self, at: usize, digits: usize, value: i64) {
        let fits = value >= 0 && value < 1 << (3 * digits);
        let mut rest = if fits { value } else { 0 };
        for place in self.0[at..at + digits].iter_mut().rev() {
            *place = b'0' + (rest & 7) as u8;
            rest >>= 3;
        }
    }

    /// The header with its checksum, for which the checksum itself counts as blanks.
    fn sealed(&mut self) -> &[u8; BLOCK] {
        self.put(148, b"        ");
        let sum: u32 = self.0.iter().map(|byte| u32::from(*byte)).sum();
        self.octal(148, 6, i64::from(sum));
        self.put(154, b"\0 ");
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use crate::digest::Digest;

    fn archive(entries: &[(&str, &str, i64)]) -> Vec<u8> {
        let mut tar = TarWriter::new(Vec::new());
        for (path, text, modified) in entries {
            tar.entry(path, text.len() as u64, *modified).unwrap();
            tar.write_all(text.as_bytes()).unwrap();
        }
        tar.finish().unwrap()
    }

    #[test]
    fn another_reader_gets_back_what_went_in() {
        let long = format!("web/{}/{}", "d".repeat(120), "f".repeat(90));
        let longer = format!("web/{}", "f".repeat(300));
        let slash = format!("web/{}/{}", "d".repeat(95), "é".repeat(40));
        let entries = [
            ("web/Chart.yaml", "name: web\n", 0),
            (long.as_str(), "split", 1),
            (longer.as_str(), "cannot be split", OCTAL_11),
            ("web/templates/ü.yaml", "not ASCII", 1_700_000_000),
            (slash.as_str(), "cut at a slash", -5),
            ("web/empty", "", OCTAL_11 + 1),
        ];
        let bytes = archive(&entries);
        let mut seen = 0;
        for (entry, (path, text, modified)) in tar::Archive::new(&bytes[..]).entries().unwrap().zip(entries) {
            let mut entry = entry.unwrap();
            assert_eq!(entry.path_bytes(), path.as_bytes());
            let mtime = entry.pax_extensions().unwrap().and_then(|list| {
                list.flatten()
                    .find(|record| record.key() == Ok("mtime"))
                    .map(|r| r.value().unwrap().to_owned())
            });
            let mtime =
                mtime.map_or_else(|| entry.header().mtime().unwrap() as i64, |text| text.parse().unwrap());
            assert_eq!(mtime, modified);
            let mut content = String::new();
            entry.read_to_string(&mut content).unwrap();
            assert_eq!(content, text);
            seen += 1;
        }
        assert_eq!(seen, entries.len());
    }

    #[test]
    fn paths_split_where_the_prefix_is_longest() {
        let directory = "d".repeat(60);
        let path = format!("{directory}/{directory}/{}", "f".repeat(50));
        assert_eq!(split(&path).unwrap().0.len(), 121);
        assert_eq!(split(&"f".repeat(100)), Some(("", "f".repeat(100).as_str())));
        assert_eq!(split(&"f".repeat(101)), None);
        assert_eq!(split(&format!("{}/{}", "d".repeat(155), "f".repeat(100))).unwrap().0.len(), 155);
        assert_eq!(split(&format!("{}/f", "d".repeat(156))), None);
        assert_eq!(split(&format!("d/{}", "f".repeat(101))), None);
        assert_eq!(split(&format!("/{}", "f".repeat(100))), None);
        assert_eq!(split("a\0b"), None);
    }

    #[test]
    fn a_record_s_length_counts_its_own_digits() {
        for length in 80..100 {
            let mut record = String::new();
            pax_record(&mut record, "path", &"p".repeat(length));
            assert_eq!(record.split_once(' ').unwrap().0, record.len().to_string());
        }
    }

    #[test]
    fn the_size_announced_is_the_size_written() {
        let mut tar = TarWriter::new(Vec::new());
        tar.entry("a", 3, 0).unwrap();
        assert!(tar.write_all(b"abcd").is_err());
        tar.write_all(b"ab").unwrap();
        assert!(tar.entry("b", 0, 0).is_err());
    }

    #[test]
    fn bytes_do_not_change() {
        let bytes = archive(&[("web/Chart.yaml", "name: web\n", 59), ("web/ü", "x", 0)]);
        assert_eq!(bytes.len(), 8 * BLOCK);
        assert_eq!(
            Digest::of(&bytes).hex(),
            "afec8553111a6b60ff5a4e4860693d74e7f2fdf52ef669a70dc61eefd945d5e0"
        );
    }
}
