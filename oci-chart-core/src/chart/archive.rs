//! Packages (`.tgz`): a hardened reader of tar in gzip that accepts what Helm accepts.
//!
//! Two things are refused that Helm reads, because nobody can mean them: links, which Helm turns into empty files, and two
//! entries of one path, both of which Helm keeps. Besides, sparse files, names that are not Unicode or longer than 4096 bytes,
//! and more bytes to pass over than a chart may have.

mod block;
mod entries;
mod error;
mod inflate;
mod name;
mod pax;
mod read;
mod summary;
mod tap;

use std::{
    collections::HashSet,
    io::Read,
    time::{Duration, SystemTime},
};

pub use self::error::ArchiveError;
use self::{
    block::{Header, kind},
    entries::Entries,
    inflate::Inflate,
};
pub(crate) use self::{read::read, tap::Tap};
pub use self::{
    read::{ArchiveFiles, read_archive},
    summary::{ArchiveSummary, summarize_archive},
};
use super::{ChartPath, LoadOptions};
use crate::error::{Error, Reason, Result};

/// The files of a package, one after the other; what Helm passes over does not show.
pub(crate) struct Archive<R> {
    entries: Entries<R>,
    paths: HashSet<ChartPath>,
    file_bytes: u64,
    total_bytes: u64,
    /// What all further files together may have, in bytes; all of it may not be used up.
    budget: u64,
    strict: bool,
}

/// A file of a package whose content comes next.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) path: ChartPath,
    /// In bytes. What is in the archive; a byte order mark is part of it.
    pub(crate) size: u64,
    pub(crate) modified: Option<SystemTime>,
}

/// What was found behind the last entry of a package, where Helm never looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ArchiveFlaw {
    /// The gzip trailer is not that of the content.
    Checksum,
    /// The package ends before its gzip trailer does.
    Cut,
    /// The compressed data cannot be inflated to its end.
    Damaged,
    /// There is data behind the end of the tar archive or of the gzip stream.
    TrailingData,
}

impl<R: Read> Archive<R> {
    /// Begins to read. The files of the archive may have less than `budget` bytes together, and less than the options allow.
    pub(crate) fn new(reader: R, options: &LoadOptions, budget: u64) -> Result<Self> {
        let total_bytes = options.limits.total_bytes.min(budget);
        Ok(Self {
            entries: Entries::new(Inflate::new(reader, options)?, &options.limits),
            paths: HashSet::with_capacity(64),
            file_bytes: options.limits.file_bytes,
            total_bytes,
            budget: total_bytes,
            strict: options.strict,
        })
    }

    /// The next file; none after the last. What was not read of the one before is passed over.
    pub(crate) fn next_file(&mut self) -> Result<Option<Entry>> {
        while let Some(header) = self.entries.next()? {
            if header.is_directory() || header.kind == kind::GLOBAL {
                continue;
            }
            let path = name::chart_path(&header.name)?;
            let size = self.check(&header, &path)?;
            if !self.paths.insert(path.clone()) {
                return Err(ArchiveError::DuplicatePath(path).into());
            }
            self.budget -= size;
            return Ok(Some(Entry { path, size, modified: time(header.modified) }));
        }
        if self.paths.is_empty() { Err(ArchiveError::NoFiles.into()) } else { Ok(None) }
    }

    /// What is left of the present file, in bytes.
    pub(crate) fn left(&self) -> u64 {
        self.entries.left()
    }

    /// Fills `out` with the content of the present file.
    pub(crate) fn read_exact(&mut self, out: &mut [u8]) -> Result<()> {
        Ok(self.entries.read_exact(out)?)
    }

    /// Passes over the content of the present file.
    pub(crate) fn pass(&mut self) -> Result<()> {
        Ok(self.entries.pass()?)
    }

    /// After the last file: looks at what Helm never reads. With [`LoadOptions::strict`] a flaw is an error.
    pub(crate) fn finish(&mut self) -> Result<Option<ArchiveFlaw>> {
        let found = match self.entries.rest().only_zeros_follow(self.total_bytes) {
            Ok(true) => return Ok(None),
            Ok(false) => ArchiveError::TrailingData,
            Err(Fault::Archive(error)) => error,
            Err(Fault::Other(error)) => return Err(error),
        };
        let (flaw, error) = match found {
            ArchiveError::BadChecksum => (ArchiveFlaw::Checksum, found),
            ArchiveError::Truncated => (ArchiveFlaw::Cut, found),
            ArchiveError::BadDeflate => (ArchiveFlaw::Damaged, found),
            // No gzip header where a further member could begin.
            _ => (ArchiveFlaw::TrailingData, ArchiveError::TrailingData),
        };
        if self.strict { Err(Error::from(error).with_reason(Reason::BadTrailer)) } else { Ok(Some(flaw)) }
    }

    /// Reads the package's own bytes to their end: whoever counts or hashes them below wants them all.
    pub(crate) fn drain(&mut self) -> Result<()> {
        Ok(self.entries.rest().drain()?)
    }

    fn check(&self, header: &Header, path: &ChartPath) -> Result<u64> {
        if matches!(header.kind, kind::SYMLINK | kind::HARD_LINK) {
            return Err(ArchiveError::Link(path.clone()).into());
        }
        // Below zero only for what has no content: for Helm it is empty, whatever it says.
        let size = u64::try_from(header.size).unwrap_or(0);
        // Reaching the bound is passing it, as in Helm: such a chart has no room for anything else.
        if size >= self.budget {
            let bound = self.total_bytes;
            let message = format!("decompressed chart is larger than the maximum size {bound}");
            return Err(Error::limit("total_bytes", bound, message)
                .with_reason(Reason::ArchiveTooLarge)
                .with_context("entry", path));
        }
        if size > self.file_bytes {
            let bound = self.file_bytes;
            let message = format!(
                "decompressed chart file {:?} is larger than the maximum file size {bound}",
                String::from_utf8_lossy(&header.name)
            );
            return Err(Error::limit("file_bytes", bound, message)
                .with_reason(Reason::FileTooLarge)
                .with_context("entry", path));
        }
        if size > 0 && header.has_no_content() {
            return Err(ArchiveError::ContentWithoutFile(path.clone()).into());
        }
        Ok(size)
    }
}

/// Inside the reader: what is wrong with the archive is kept apart from everything else that can happen.
enum Fault {
    Archive(ArchiveError),
    Other(Error),
}

impl From<ArchiveError> for Fault {
    fn from(error: ArchiveError) -> Self {
        Self::Archive(error)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Archive(error) => error.into(),
            Fault::Other(error) => error,
        }
    }
}

/// None for times that the operating system cannot hold.
fn time((seconds, nanos): (i64, i32)) -> Option<SystemTime> {
    let moved = |from: SystemTime, by: Duration, back: bool| {
        if back { from.checked_sub(by) } else { from.checked_add(by) }
    };
    let whole = moved(SystemTime::UNIX_EPOCH, Duration::from_secs(seconds.unsigned_abs()), seconds < 0)?;
    moved(whole, Duration::from_nanos(u64::from(nanos.unsigned_abs())), nanos < 0)
}
