//! Content that is hashed while it arrives, small in memory, large in a file.

use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;
use std::sync::Mutex;

use bytes::Bytes;
use fs_err::File;

use super::digest::{Algorithm, Digest, Hasher};
use crate::log::locked;

/// Block in which a file is read.
pub(crate) const BLOCK: usize = 64 << 10;

/// Where content goes once it outgrows memory.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// Bytes kept in memory before a file is opened.
    pub(crate) spill: u64,
    /// Directory of the files; the system's temporary directory when `None`.
    pub(crate) directory: Option<PathBuf>,
}

impl Place {
    /// A file without a name: it goes away with its handle, even when the process is killed.
    fn file(&self) -> io::Result<File> {
        let directory = self.directory.clone().unwrap_or_else(std::env::temp_dir);
        let file = tempfile::tempfile_in(&directory)?;
        Ok(File::from_parts(file, directory.join("(a blob)")))
    }
}

/// Content being received.
pub(crate) struct Spool {
    place: Place,
    held: Held,
    hasher: Hasher,
    length: u64,
}

enum Held {
    Memory(Vec<u8>),
    File(File),
}

impl Spool {
    pub(crate) fn new(place: Place, algorithm: Algorithm) -> Self {
        Self { place, held: Held::Memory(Vec::new()), hasher: Hasher::new(algorithm), length: 0 }
    }

    pub(crate) const fn length(&self) -> u64 {
        self.length
    }

    pub(crate) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Held::Memory(memory) = &mut self.held
            && self.length + bytes.len() as u64 > self.place.spill
        {
            let mut file = self.place.file()?;
            file.write_all(memory)?;
            self.held = Held::File(file);
        }
        match &mut self.held {
            Held::Memory(memory) => memory.extend_from_slice(bytes),
            Held::File(file) => file.write_all(bytes)?,
        }
        self.hasher.update(bytes);
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// The content, with its digest in the wanted algorithm. Hashes again when the upload was opened for another one.
    pub(crate) fn finish(self, algorithm: Algorithm) -> io::Result<(Digest, Stored)> {
        let same = self.hasher.algorithm() == algorithm;
        let stored = match self.held {
            Held::Memory(memory) => Stored::Memory(memory.into()),
            Held::File(file) => Stored::File { file: Mutex::new(file), length: self.length },
        };
        let digest = if same { self.hasher.finish() } else { stored.digest(algorithm)? };
        Ok((digest, stored))
    }
}

/// Content at rest.
#[derive(Debug)]
pub(crate) enum Stored {
    Memory(Bytes),
    /// The position of the file belongs to whoever holds the lock.
    File {
        file: Mutex<File>,
        length: u64,
    },
}

impl Stored {
    pub(crate) const fn length(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File { length, .. } => *length,
        }
    }

    /// At most `limit` bytes from `start` on; none at the end.
    pub(crate) fn block(&self, start: u64, limit: usize) -> io::Result<Bytes> {
        let left = usize::try_from(self.length().saturating_sub(start)).unwrap_or(usize::MAX);
        let length = limit.min(left);
        match self {
            Self::Memory(bytes) => {
                let start = bytes.len() - left;
                Ok(bytes.slice(start..start + length))
            }
            Self::File { file, .. } => {
                let mut block = vec![0; length];
                let mut file = locked(file);
                file.seek(SeekFrom::Start(start))?;
                file.read_exact(&mut block)?;
                Ok(block.into())
            }
        }
    }

    fn digest(&self, algorithm: Algorithm) -> io::Result<Digest> {
        let mut hasher = Hasher::new(algorithm);
        let mut start = 0;
        while start < self.length() {
            let block = self.block(start, BLOCK)?;
            hasher.update(&block);
            start += block.len() as u64;
        }
        Ok(hasher.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spills_to_a_file_and_hashes_alike() {
        let content = vec![7_u8; 1000];
        for spill in [0, 10, 999, 1000, 5000] {
            for opened_for in [Algorithm::Sha256, Algorithm::Sha512] {
                let mut spool = Spool::new(Place { spill, directory: None }, opened_for);
                for part in content.chunks(300) {
                    spool.append(part).unwrap();
                }
                let (digest, stored) = spool.finish(Algorithm::Sha512).unwrap();
                assert_eq!(digest, Digest::of(Algorithm::Sha512, &content));
                assert_eq!(stored.block(0, usize::MAX).unwrap(), content);
                assert_eq!(stored.block(990, 100).unwrap(), &content[990..]);
                assert!(stored.block(1001, 1).unwrap().is_empty());
                assert_eq!(matches!(stored, Stored::File { .. }), spill < 1000, "spill at {spill}");
            }
        }
    }
}
