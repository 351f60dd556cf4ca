//! Content that is hashed while it arrives, small in memory, large in a file.

use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;

use bytes::Bytes;
use tempfile::{NamedTempFile, TempPath};

use super::digest::{Algorithm, Digest, Hasher};

/// Where content goes once it outgrows memory.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// Bytes kept in memory before a file is opened.
    pub(crate) spill: u64,
    /// Directory of the files; the system's temporary directory when `None`.
    pub(crate) directory: Option<PathBuf>,
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
    File(NamedTempFile),
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
            let mut file = match &self.place.directory {
                Some(directory) => NamedTempFile::new_in(directory)?,
                None => NamedTempFile::new()?,
            };
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
            Held::File(file) => Stored::File { path: file.into_temp_path(), length: self.length },
        };
        let digest = if same { self.hasher.finish() } else { stored.digest(algorithm)? };
        Ok((digest, stored))
    }
}

/// Content at rest. Files go away with their last owner.
#[derive(Debug)]
pub(crate) enum Stored {
    Memory(Bytes),
    File { path: TempPath, length: u64 },
}

impl Stored {
    pub(crate) const fn length(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File { length, .. } => *length,
        }
    }

    /// The whole content in memory.
    pub(crate) fn bytes(&self) -> io::Result<Bytes> {
        match self {
            Self::Memory(bytes) => Ok(bytes.clone()),
            Self::File { path, .. } => fs_err::read(path).map(Bytes::from),
        }
    }

    fn digest(&self, algorithm: Algorithm) -> io::Result<Digest> {
        let mut hasher = Hasher::new(algorithm);
        match self {
            Self::Memory(bytes) => hasher.update(bytes),
            Self::File { path, .. } => {
                let mut file = fs_err::File::open(path)?;
                let mut block = vec![0; 64 << 10];
                loop {
                    match file.read(&mut block)? {
                        0 => break,
                        n => hasher.update(block.get(..n).unwrap_or_default()),
                    }
                }
            }
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
                assert_eq!(stored.bytes().unwrap(), content);
                assert_eq!(matches!(stored, Stored::File { .. }), spill < 1000, "spill at {spill}");
            }
        }
    }
}
