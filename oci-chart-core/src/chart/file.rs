//! One file of a chart.

use std::time::SystemTime;

use bytes::Bytes;

use super::ChartPath;
use crate::{content::Content, error::Result};

/// A file of a chart: its path below the chart's root and its content, which is opened when it is needed.
///
/// Helm takes a byte order mark (U+FEFF in UTF-8) off the front of every file of a chart. So does this library where it reads
/// or packages a file; [`content`](Self::content) of a file that lies in a directory is what lies there.
#[derive(Debug, Clone)]
pub struct ChartFile {
    pub(crate) path: ChartPath,
    pub(crate) content: Content,
    pub(crate) modified: Option<SystemTime>,
}

impl ChartFile {
    /// A file that was just found.
    pub(crate) fn new(path: ChartPath, content: Content, modified: Option<SystemTime>) -> Self {
        Self { path, content, modified }
    }

    /// Where it is, seen from the root of the chart it belongs to.
    pub fn path(&self) -> &ChartPath {
        &self.path
    }

    /// What it holds.
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// When it was last modified, where that is known: in a directory its time there, in an archive the time of its entry.
    pub fn modified(&self) -> Option<SystemTime> {
        self.modified
    }

    /// Everything in it but a byte order mark.
    ///
    /// # Errors
    ///
    /// Those of [`Content::read`], with the `file`.
    pub fn read(&self, limit: u64) -> Result<Bytes> {
        let mut bytes = self.content.read(limit).map_err(|error| error.with_context("file", &self.path))?;
        // What is in memory came out of an archive, whose reader has done this already.
        if self.content.as_bytes().is_none() && bytes.starts_with(BYTE_ORDER_MARK) {
            let _ = bytes.split_to(BYTE_ORDER_MARK.len());
        }
        Ok(bytes)
    }
}

/// U+FEFF in UTF-8.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_in_a_file_on_disk_is_no_content() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for (bytes, kept) in
            [("\u{feff}a", "a"), ("\u{feff}\u{feff}a", "\u{feff}a"), ("a\u{feff}", "a\u{feff}")]
        {
            fs_err::write(file.path(), bytes).unwrap();
            let path = ChartPath::new("values.yaml").unwrap();
            let on_disk = ChartFile::new(path.clone(), Content::from_path(file.path()).unwrap(), None);
            assert_eq!(on_disk.read(100).unwrap(), kept);
            let in_memory = ChartFile::new(path, bytes.as_bytes().to_vec().into(), None);
            assert_eq!(in_memory.read(100).unwrap(), bytes);
        }
    }
}
