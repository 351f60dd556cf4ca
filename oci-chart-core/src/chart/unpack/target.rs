//! The directory that a package is written to.

use std::{
    collections::HashSet,
    io::{ErrorKind, Read, Write},
    path::PathBuf,
};

use crate::{
    chart::{ArchiveError, ChartPath, archive::Archive, file::BYTE_ORDER_MARK},
    error::{Error, Result},
    platform,
};

/// Three system calls for each file, one for each directory.
pub(super) struct Target {
    root: PathBuf,
    directories: HashSet<String>,
    buffer: Vec<u8>,
}

impl Target {
    /// What one write has at most: files below are written at once.
    const STEP: u64 = 1 << 20;

    pub(super) fn new(root: PathBuf) -> Self {
        Self { root, directories: HashSet::new(), buffer: Vec::new() }
    }

    /// Writes the present file of `archive`, without its byte order mark, and gives its content back where it is `wanted`.
    pub(super) fn write<R: Read>(
        &mut self,
        archive: &mut Archive<R>,
        path: &ChartPath,
        wanted: bool,
    ) -> Result<Option<Vec<u8>>> {
        if let Some(parent) = path.parent() {
            self.make(parent, path)?;
        }
        let mut file = platform::create_file(&self.place(path)?).map_err(|error| clash(error, path))?;
        let mut kept = wanted.then(Vec::new);
        let mut is_first = true;
        while archive.left() > 0 {
            let step = archive.left().min(Self::STEP) as usize;
            if self.buffer.len() < step {
                self.buffer.resize(step, 0);
            }
            let piece = &mut self.buffer[..step];
            archive.read_exact(piece)?;
            let mut piece = &*piece;
            if std::mem::take(&mut is_first) {
                piece = piece.strip_prefix(BYTE_ORDER_MARK).unwrap_or(piece);
            }
            file.write_all(piece)?;
            if let Some(kept) = &mut kept {
                kept.extend_from_slice(piece);
            }
        }
        Ok(kept)
    }

    /// Makes the directory `parent` and those above it, once each.
    fn make(&mut self, parent: &str, file: &ChartPath) -> Result<()> {
        if self.directories.contains(parent) {
            return Ok(());
        }
        let ends = parent.match_indices('/').map(|(at, _)| at).chain([parent.len()]);
        for directory in ends.map(|end| &parent[..end]) {
            if self.directories.contains(directory) {
                continue;
            }
            let path = ChartPath::new(directory)?;
            platform::create_dir(&self.place(&path)?).map_err(|error| clash(error, file))?;
            self.directories.insert(directory.to_owned());
        }
        Ok(())
    }

    fn place(&self, path: &ChartPath) -> Result<PathBuf> {
        path.below(&self.root).map_err(|error| Error::from(error).with_context("entry", path))
    }
}

/// The directory is new, so what is in the way came out of the same archive: a file and a directory of one name, or two names
/// that this file system takes for one.
fn clash(error: std::io::Error, path: &ChartPath) -> Error {
    match error.kind() {
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory => {
            ArchiveError::FileIsDirectory(path.clone()).into()
        }
        _ => error.into(),
    }
}
