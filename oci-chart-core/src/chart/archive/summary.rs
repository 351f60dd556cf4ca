//! A package read through once, without keeping anything.

use std::io::Read;

use super::{Archive, ArchiveFlaw, Tap};
use crate::{
    chart::LoadOptions,
    digest::{Digest, Hasher},
    error::Result,
};

/// What reading a package through has shown.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ArchiveSummary {
    /// The SHA-256 of the package.
    pub digest: Digest,
    /// The size of the package, in bytes.
    pub package_bytes: u64,
    /// The number of its files.
    pub files: u64,
    /// What they have together, in bytes.
    pub file_bytes: u64,
    /// What is wrong behind the last one.
    pub flaw: Option<ArchiveFlaw>,
}

/// Reads a package through under all rules and limits of [`read_archive`](super::read_archive) and computes its digest on the
/// way. Needs the same little memory for every package.
///
/// # Errors
///
/// Those of [`read_archive`](super::read_archive).
///
/// # Examples
///
/// ```
/// use oci_chart_core::{ErrorKind, chart::{LoadOptions, summarize_archive}};
///
/// let error = summarize_archive(&b"no gzip"[..], &LoadOptions::default()).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::InvalidArchive);
/// ```
pub fn summarize_archive(reader: impl Read, options: &LoadOptions) -> Result<ArchiveSummary> {
    let mut hasher = Hasher::default();
    let mut package_bytes = 0;
    let tap = Tap::new(reader, |bytes: &[u8]| {
        hasher.update(bytes);
        package_bytes += bytes.len() as u64;
        Ok(())
    });
    let mut archive = Archive::new(tap, options, options.limits.total_bytes)?;
    let (mut files, mut file_bytes) = (0, 0);
    while let Some(entry) = archive.next_file()? {
        files += 1;
        file_bytes += entry.size;
        archive.pass()?;
    }
    let flaw = archive.finish()?;
    archive.drain()?;
    drop(archive);
    Ok(ArchiveSummary { digest: hasher.finish(), package_bytes, files, file_bytes, flaw })
}
