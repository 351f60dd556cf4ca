//! Tar archives byte by byte, so that every field can be wrong.

use std::{fmt, io::Write};

use flate2::{Compression, GzBuilder};

/// One entry; the default is an empty regular file without a name.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) name: Vec<u8>,
    pub(crate) prefix: Vec<u8>,
    pub(crate) link: Vec<u8>,
    pub(crate) kind: u8,
    pub(crate) mode: Vec<u8>,
    pub(crate) modified: Vec<u8>,
    /// The size field where it is not the content's.
    pub(crate) size: Option<Vec<u8>>,
    pub(crate) magic: [u8; 8],
    pub(crate) content: Vec<u8>,
    /// Added to the right checksum.
    pub(crate) checksum_error: u32,
}

pub(crate) const USTAR: [u8; 8] = *b"ustar\x0000";
pub(crate) const GNU: [u8; 8] = *b"ustar  \x00";
pub(crate) const V7: [u8; 8] = [0; 8];

impl Entry {
    pub(crate) fn file(name: impl Into<Vec<u8>>, content: impl Into<Vec<u8>>) -> Self {
        Self {
            name: name.into(),
            prefix: Vec::new(),
            link: Vec::new(),
            kind: b'0',
            mode: b"0000644\0".to_vec(),
            modified: b"14524770400\0".to_vec(),
            size: None,
            magic: USTAR,
            content: content.into(),
            checksum_error: 0,
        }
    }

    /// An extended header (`x` for the next entry, `g` for all).
    pub(crate) fn extended(kind: u8, records: &[(&str, &[u8])]) -> Self {
        let mut content = Vec::new();
        for (key, value) in records {
            content.extend(record(key, value));
        }
        Self { kind, ..Self::file("pax", content) }
    }

    fn write(&self, out: &mut Vec<u8>) {
        let begin = out.len();
        let size = self.size.clone().unwrap_or_else(|| format!("{:011o}\0", self.content.len()).into_bytes());
        field(out, &self.name, 100);
        field(out, &self.mode, 8);
        field(out, b"0000000\0", 8);
        field(out, b"0000000\0", 8);
        field(out, &size, 12);
        field(out, &self.modified, 12);
        field(out, b"        ", 8);
        out.push(self.kind);
        field(out, &self.link, 100);
        out.extend(self.magic);
        field(out, b"", 64);
        field(out, if self.magic == USTAR { b"0000000\0" } else { b"" }, 8);
        field(out, if self.magic == USTAR { b"0000000\0" } else { b"" }, 8);
        field(out, &self.prefix, 155);
        field(out, b"", 12);
        let sum: u32 = out[begin..].iter().map(|byte| u32::from(*byte)).sum::<u32>() + self.checksum_error;
        out[begin + 148..begin + 156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        out.extend(&self.content);
        out.resize(out.len().next_multiple_of(512), 0);
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |bytes: &[u8]| bytes.escape_ascii().to_string();
        f.debug_struct("Entry")
            .field("name", &text(&self.name))
            .field("prefix", &text(&self.prefix))
            .field("kind", &char::from(self.kind))
            .field("mode", &text(&self.mode))
            .field("modified", &text(&self.modified))
            .field("size", &self.size.as_deref().map(text))
            .field("magic", &text(&self.magic))
            .field("content", &text(&self.content[..self.content.len().min(80)]))
            .finish_non_exhaustive()
    }
}

/// A record of an extended header; its length counts itself.
fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let length = (rest + 1..).find(|length| length - rest == length.to_string().len()).unwrap();
    [format!("{length} {key}=").as_bytes(), value, b"\n"].concat()
}

fn field(out: &mut Vec<u8>, value: &[u8], width: usize) {
    out.extend(&value[..value.len().min(width)]);
    out.resize(out.len() + width.saturating_sub(value.len()), 0);
}

/// The entries and `end_blocks` blocks of zeros.
pub(crate) fn tar(entries: &[Entry], end_blocks: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for entry in entries {
        entry.write(&mut out);
    }
    out.resize(out.len() + end_blocks * 512, 0);
    out
}

/// The data in gzip.
pub(crate) fn gzip(data: &[u8]) -> Vec<u8> {
    let mut writer = GzBuilder::new().write(Vec::new(), Compression::fast());
    writer.write_all(data).unwrap();
    writer.finish().unwrap()
}
