//! What belongs to one process, and what keeps others out.

#[cfg(any(feature = "registry", feature = "blocking", feature = "sign"))]
mod own;

use std::path::Path;

use fs_err as fs;
use fs4::FileExt;

use crate::error::Result;
#[cfg(any(feature = "registry", feature = "blocking", feature = "sign"))]
pub(crate) use own::PerProcess;

/// Keeps other processes and threads from whatever a file stands for, until it is dropped.
///
/// The file is released by name, not only closed: a child that was forked meanwhile has it open, too, for as long as it lives.
#[derive(Debug)]
pub(crate) struct FileLock(fs::File);

impl FileLock {
    /// Waits for whoever has the file at `path`, which is made if it is not there. Its directory must be.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`](crate::ErrorKind::Io).
    pub(crate) fn wait(path: &Path) -> Result<Self> {
        let file = open(path)?;
        FileExt::lock(&file)?;
        Ok(Self(file))
    }

    /// The same without waiting; none if somebody has it, or if the file system cannot lock.
    pub(crate) fn now(path: &Path) -> Result<Option<Self>> {
        let file = open(path)?;
        Ok(FileExt::try_lock(&file).is_ok().then_some(Self(file)))
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        // Where this fails, closing it is what is left.
        let _ = FileExt::unlock(&self.0);
    }
}

fn open(path: &Path) -> Result<fs::File> {
    Ok(fs::OpenOptions::new().create(true).truncate(false).write(true).open(path)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_free_when_its_lock_is_dropped_though_a_child_has_it_open() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let lock = FileLock::wait(&path).unwrap();
        assert!(FileLock::now(&path).unwrap().is_none());
        // What a fork leaves in the child.
        let inherited = lock.0.file().try_clone().unwrap();
        drop(lock);
        assert!(FileLock::now(&path).unwrap().is_some());
        drop(inherited);
    }
}
