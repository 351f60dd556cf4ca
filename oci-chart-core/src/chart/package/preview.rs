use super::entries::Entry;
use crate::chart::Skipped;

/// What would be packed, in the package's order, and what stays out and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackagePreview {
    entries: Vec<PreviewEntry>,
    skipped: Vec<Skipped>,
}

/// A file that would be packed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PreviewEntry {
    /// Its path in the archive, which begins with the chart's name.
    pub path: String,
    /// Its size in bytes; a file on disk that begins with a byte order mark is three bytes smaller in the package.
    pub bytes: u64,
}

impl PackagePreview {
    pub(super) fn new(entries: &[Entry<'_>], skipped: &[Skipped]) -> Self {
        let entry = |entry: &Entry<'_>| PreviewEntry { path: entry.path.clone(), bytes: entry.bytes() };
        Self { entries: entries.iter().map(entry).collect(), skipped: skipped.to_vec() }
    }

    /// What goes in.
    pub fn entries(&self) -> &[PreviewEntry] {
        &self.entries
    }

    /// What stays out.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }
}
