//! Bytes that can be opened again: in memory, in a file of the caller's, or spilled to a nameless temporary file.

use std::{
    fmt, io,
    io::{Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use bytes::{Bytes, BytesMut};
use fs_err::File;

use crate::{
    error::{Error, ErrorKind, Reason, Result},
    platform,
};

/// Bytes of known length that can be read as often as needed. Cloning shares them.
///
/// An upload that meets a 401 or a cut connection has to start again, so everything that is sent is a `Content`.
#[derive(Clone)]
pub struct Content(Source);

#[derive(Clone)]
enum Source {
    Memory(Bytes),
    /// A file of the caller's, as it was when it was first looked at.
    Path {
        path: PathBuf,
        len: u64,
        modified: Option<SystemTime>,
    },
    /// A file that is open: mostly one that only this process can reach, and that is gone with the last clone.
    Temporary {
        file: Arc<File>,
        len: u64,
    },
}

impl Content {
    /// The file at `path`, which is opened when it is read. If its size or its modification time has changed by then,
    /// reading fails with [`ErrorKind::Conflict`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] and [`ErrorKind::Io`]; [`ErrorKind::InvalidInput`] for what is no regular file.
    pub fn from_path(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let metadata = fs_err::metadata(path)?;
        if !metadata.is_file() {
            return Err(Error::new(ErrorKind::InvalidInput, "not a regular file")
                .with_reason(Reason::IrregularFile)
                .with_context("file", path.display()));
        }
        Ok(Self::from_known_path(path.to_owned(), metadata.len(), metadata.modified().ok()))
    }

    /// The file at `path` that the caller has just looked at.
    pub(crate) fn from_known_path(path: PathBuf, len: u64, modified: Option<SystemTime>) -> Self {
        Self(Source::Path { path, len, modified })
    }

    /// What an open file holds, which is `len` bytes and stays readable whatever happens to the file's name.
    pub(crate) fn from_open_file(file: File, len: u64) -> Self {
        Self(Source::Temporary { file: Arc::new(file), len })
    }

    /// Length in bytes.
    pub fn len(&self) -> u64 {
        match &self.0 {
            Source::Memory(bytes) => bytes.len() as u64,
            Source::Path { len, .. } | Source::Temporary { len, .. } => *len,
        }
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes, where they are in memory.
    pub fn as_bytes(&self) -> Option<&Bytes> {
        match &self.0 {
            Source::Memory(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// A reader from the first byte on. It ends with an error, not with fewer bytes, where the source got shorter.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`] with reason `source-changed` for a file that changed, [`ErrorKind::NotFound`] and [`ErrorKind::Io`].
    pub fn open(&self) -> Result<ContentReader> {
        Ok(ContentReader(match &self.0 {
            Source::Memory(bytes) => Reader::Memory(bytes.clone()),
            Source::Path { path, len, modified } => {
                let file = File::open(path)?;
                let now = file.metadata()?;
                if now.len() != *len || (modified.is_some() && now.modified().ok() != *modified) {
                    return Err(changed(path));
                }
                Reader::Path { file, left: *len }
            }
            Source::Temporary { file, len } => Reader::Temporary { file: Arc::clone(file), at: 0, len: *len },
        }))
    }

    /// Everything, in memory.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::LimitExceeded`] for a file above `limit` bytes, and those of [`open`](Self::open).
    pub fn read(&self, limit: u64) -> Result<Bytes> {
        if let Source::Memory(bytes) = &self.0 {
            return Ok(bytes.clone());
        }
        if self.len() > limit {
            return Err(Error::limit(
                "bytes held in memory",
                limit,
                "the content is too large to be held in memory",
            ));
        }
        let mut bytes = BytesMut::zeroed(usize::try_from(self.len()).unwrap_or(usize::MAX));
        self.open()?.read_exact(&mut bytes)?;
        Ok(bytes.freeze())
    }
}

impl<T: Into<Bytes>> From<T> for Content {
    fn from(bytes: T) -> Self {
        Self(Source::Memory(bytes.into()))
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::Memory(bytes) => write!(f, "Content({} bytes in memory)", bytes.len()),
            Source::Path { path, len, .. } => write!(f, "Content({len} bytes in {})", path.display()),
            Source::Temporary { len, .. } => write!(f, "Content({len} bytes in a temporary file)"),
        }
    }
}

/// Reads a [`Content`] once.
#[derive(Debug)]
pub struct ContentReader(Reader);

#[derive(Debug)]
enum Reader {
    Memory(Bytes),
    Path { file: File, left: u64 },
    Temporary { file: Arc<File>, at: u64, len: u64 },
}

impl Read for ContentReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Reader::Memory(bytes) => {
                let taken = bytes.split_to(buffer.len().min(bytes.len()));
                buffer[..taken.len()].copy_from_slice(&taken);
                Ok(taken.len())
            }
            Reader::Path { file, left } => {
                let wanted = buffer.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                let count = file.read(&mut buffer[..wanted])?;
                if count == 0 && wanted > 0 {
                    return Err(changed(file.path()).into());
                }
                *left -= count as u64;
                Ok(count)
            }
            Reader::Temporary { file, at, len } => {
                let wanted = buffer.len().min(usize::try_from(*len - *at).unwrap_or(usize::MAX));
                let count = platform::read_at(file, &mut buffer[..wanted], *at)?;
                *at += count as u64;
                Ok(count)
            }
        }
    }
}

/// Takes bytes of unknown number: in memory up to a threshold, in a temporary file above it.
#[derive(Debug)]
pub struct ContentWriter {
    memory: BytesMut,
    threshold: usize,
    file: Option<File>,
    len: u64,
}

impl ContentWriter {
    /// Where a package stops being held in memory, in bytes.
    pub const SPILL: usize = 8 << 20;

    /// Spills above `threshold` bytes.
    pub fn new(threshold: usize) -> Self {
        Self { memory: BytesMut::new(), threshold, file: None, len: 0 }
    }

    /// Makes room in memory for about so many bytes, so that what is there need not move as it grows.
    pub(crate) fn expecting(mut self, bytes: usize) -> Self {
        self.memory.reserve(bytes.min(self.threshold));
        self
    }

    /// The content written.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] where the temporary file cannot be written.
    pub fn finish(mut self) -> Result<Content> {
        match self.file.take() {
            None => Ok(self.memory.freeze().into()),
            Some(mut file) => {
                file.flush()?;
                Ok(Content(Source::Temporary { file: Arc::new(file), len: self.len }))
            }
        }
    }

    fn spill(&mut self) -> io::Result<()> {
        let file = tempfile::tempfile()
            .map_err(|error| platform::named("create a file in", &std::env::temp_dir(), error))?;
        let mut file = File::from_parts(file, "(temporary file)");
        file.write_all(&self.memory)?;
        self.memory = BytesMut::new();
        self.file = Some(file);
        Ok(())
    }
}

impl Default for ContentWriter {
    fn default() -> Self {
        Self::new(Self::SPILL)
    }
}

impl Write for ContentWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.file.is_none() && self.memory.len() + bytes.len() > self.threshold {
            self.spill()?;
        }
        match &mut self.file {
            Some(file) => file.write_all(bytes)?,
            None => self.memory.extend_from_slice(bytes),
        }
        self.len += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }
}

fn changed(path: &Path) -> Error {
    Error::new(ErrorKind::Conflict, "the file changed while it was being used")
        .with_reason(Reason::SourceChanged)
        .with_context("file", path.display())
        .with_hint("load it again once nothing writes to it any more")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(content: &Content) -> Vec<u8> {
        let mut bytes = Vec::new();
        content.open().unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn small_content_stays_in_memory_and_large_content_spills() {
        for (size, in_memory) in [(0, true), (100, true), (101, false), (5000, false)] {
            let mut writer = ContentWriter::new(100);
            let bytes: Vec<u8> = (0..size).map(|n| n as u8).collect();
            for part in bytes.chunks(7) {
                writer.write_all(part).unwrap();
            }
            let content = writer.finish().unwrap();
            assert_eq!(content.as_bytes().is_some(), in_memory, "{size}");
            assert_eq!((content.len(), all(&content), all(&content)), (size as u64, bytes.clone(), bytes));
        }
    }

    #[test]
    fn two_readers_of_a_temporary_file_do_not_disturb_each_other() {
        let mut writer = ContentWriter::new(0);
        writer.write_all(b"abcdef").unwrap();
        let content = writer.finish().unwrap();
        let (mut one, mut two) = (content.open().unwrap(), content.open().unwrap());
        let mut buffer = [0; 3];
        one.read_exact(&mut buffer).unwrap();
        two.read_exact(&mut buffer).unwrap();
        one.read_exact(&mut buffer).unwrap();
        assert_eq!(&buffer, b"def");
    }

    #[test]
    fn a_file_that_changed_is_a_conflict() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), "one").unwrap();
        let content = Content::from_path(file.path()).unwrap();
        assert_eq!(all(&content), b"one");
        fs_err::write(file.path(), "other").unwrap();
        let error = content.open().unwrap_err();
        assert_eq!((error.kind(), error.reason()), (ErrorKind::Conflict, Some(Reason::SourceChanged)));
    }

    #[test]
    fn a_file_that_was_written_again_is_a_conflict_though_its_size_is_the_same() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), b"1").unwrap();
        let content = Content::from_path(file.path()).unwrap();
        fs_err::write(file.path(), b"2").unwrap();
        file.as_file().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(content.open().unwrap_err().kind(), ErrorKind::Conflict);
    }

    #[test]
    fn a_file_cut_while_it_is_read_is_a_conflict() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), "abcdef").unwrap();
        let mut reader = Content::from_path(file.path()).unwrap().open().unwrap();
        file.as_file().set_len(2).unwrap();
        let error = Error::from(reader.read_exact(&mut [0; 6]).unwrap_err());
        assert_eq!(error.kind(), ErrorKind::Conflict);
    }

    #[test]
    fn reading_into_memory_is_bounded() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), "abcdef").unwrap();
        let content = Content::from_path(file.path()).unwrap();
        assert_eq!(content.read(6).unwrap(), "abcdef");
        assert_eq!(content.read(5).unwrap_err().kind(), ErrorKind::LimitExceeded);
    }
}
