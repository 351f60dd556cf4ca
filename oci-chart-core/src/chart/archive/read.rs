//! A package into memory.

use std::io::Read;

use bytes::{Bytes, BytesMut};

use super::{Archive, ArchiveFlaw, Entry};
use crate::{
    chart::{ChartFile, LoadOptions, file::BYTE_ORDER_MARK},
    error::Result,
};

/// The files of a package, without any look at what they say.
#[derive(Debug)]
#[non_exhaustive]
pub struct ArchiveFiles {
    /// In the order of the archive, without byte order marks.
    pub files: Vec<ChartFile>,
    /// What is wrong behind the last one.
    pub flaw: Option<ArchiveFlaw>,
}

/// Reads the files of a package into memory, as [`Chart::from_archive`](crate::chart::Chart::from_archive) does before it looks
/// at what they say. Memory grows with what is really there, not with what the archive claims, and stays within the limits.
///
/// Accepts what Helm 4.2 accepts, except links, which Helm turns into empty files; two entries of one path, both of which
/// Helm keeps; sparse files; names that are no Unicode or longer than [`ChartPath::MAX_BYTES`](crate::chart::ChartPath).
///
/// # Errors
///
/// [`ErrorKind::InvalidArchive`](crate::ErrorKind::InvalidArchive) over an [`ArchiveError`](super::ArchiveError),
/// [`ErrorKind::LimitExceeded`](crate::ErrorKind::LimitExceeded), [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled), and
/// what the reader fails with.
pub fn read_archive(reader: impl Read, options: &LoadOptions) -> Result<ArchiveFiles> {
    read(reader, options, options.limits.total_bytes)
}

/// The same, where less than `budget` bytes are left for the files of this package.
pub(crate) fn read(reader: impl Read, options: &LoadOptions, budget: u64) -> Result<ArchiveFiles> {
    let mut archive = Archive::new(reader, options, budget)?;
    let mut memory = Memory::default();
    let mut files = Vec::new();
    while let Some(entry) = archive.next_file()? {
        let mut content = memory.content(&mut archive, &entry)?;
        if content.starts_with(BYTE_ORDER_MARK) {
            content = content.slice(BYTE_ORDER_MARK.len()..);
        }
        files.push(ChartFile::new(entry.path, content.into(), entry.modified));
    }
    Ok(ArchiveFiles { files, flaw: archive.finish()? })
}

/// Small files share their memory: charts have dozens of them.
#[derive(Default)]
struct Memory(BytesMut);

impl Memory {
    const SHARED: usize = 128 << 10;
    const SMALL: u64 = 16 << 10;
    /// What a large file gets before any of it was seen.
    const FIRST: usize = 1 << 20;

    fn content<R: Read>(&mut self, archive: &mut Archive<R>, entry: &Entry) -> Result<Bytes> {
        if entry.size > Self::SMALL {
            return large(archive);
        }
        let size = entry.size as usize;
        if self.0.len() < size {
            self.0 = BytesMut::zeroed(Self::SHARED);
        }
        let mut place = self.0.split_to(size);
        archive.read_exact(&mut place)?;
        Ok(place.freeze())
    }
}

fn large<R: Read>(archive: &mut Archive<R>) -> Result<Bytes> {
    let mut content = BytesMut::new();
    loop {
        let step = archive.left().min(content.len().max(Memory::FIRST) as u64) as usize;
        if step == 0 {
            return Ok(content.freeze());
        }
        let begin = content.len();
        if begin == 0 {
            content = BytesMut::zeroed(step);
        } else {
            content.resize(begin + step, 0);
        }
        archive.read_exact(&mut content[begin..])?;
    }
}
