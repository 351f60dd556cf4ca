use std::{
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use super::Package;
use crate::{
    chart::{Unpacked, unpack_verified},
    context::CancelToken,
    error::{Error, Result},
};

impl Package {
    /// Writes the package into `directory`, which is made if it is not there, under Helm's name for it, and its provenance file beside it. What was
    /// there under these names is replaced. A file appears whole or not at all.
    ///
    /// # Errors
    ///
    /// [`Io`](crate::ErrorKind::Io), with the path; no file is left behind then.
    pub fn write_to_dir(&self, directory: impl AsRef<Path>) -> Result<PathBuf> {
        let path = directory.as_ref().join(self.file_name()?);
        self.write_to(&path)?;
        Ok(path)
    }

    /// Like [`write_to_dir`](Self::write_to_dir), under another name.
    ///
    /// # Errors
    ///
    /// As [`write_to_dir`](Self::write_to_dir).
    pub fn write_to(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let write = || {
            let directory = directory_of(path);
            fs_err::create_dir_all(directory)?;
            let mut package = temporary(directory)?;
            copy(&mut self.content().open()?, &mut package, &self.load_options().cancel)?;
            let mut provenance = None;
            if let Some(bytes) = self.provenance() {
                let mut file = temporary(directory)?;
                file.write_all(bytes)?;
                provenance = Some(file);
            }
            // Both are complete, and both names free, before either is taken.
            check_replaceable(path)?;
            if provenance.is_some() {
                check_replaceable(&beside(path))?;
            }
            commit(package, provenance, path)?;
            Ok(())
        };
        write().map_err(|error: Error| {
            error.with_operation("write package").with_context("path", path.display())
        })
    }

    /// Unpacks the chart into a new directory of its own name below `destination`: whole and with the right digest, or not at all.
    ///
    /// # Errors
    ///
    /// As [`unpack_verified`].
    pub fn unpack(&self, destination: impl AsRef<Path>) -> Result<Unpacked> {
        unpack_verified(
            self.content().open()?,
            destination,
            (self.digest(), self.size()),
            self.load_options(),
        )
    }
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn temporary(directory: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".oci-chart-");
    crate::platform::readable_by_all(&mut builder);
    builder
        .tempfile_in(directory)
        .map_err(|error| crate::platform::named("create a file in", directory, error))
}

/// Gives both files their names, or neither: a provenance file that was there comes back when the package cannot be put beside the new one.
fn commit(package: NamedTempFile, provenance: Option<NamedTempFile>, path: &Path) -> io::Result<()> {
    let Some(provenance) = provenance else {
        return package.persist(path).map(drop).map_err(|error| error.error);
    };
    let name = beside(path);
    let before = match fs_err::File::open(&name) {
        Ok(mut file) => {
            let mut kept = temporary(directory_of(path))?;
            copy(&mut file, &mut kept, &CancelToken::default())?;
            Some(kept)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    provenance.persist(&name).map_err(|error| error.error)?;
    package.persist(path).map(drop).map_err(|error| {
        // The first failure is the one to tell.
        let _ = match before {
            Some(kept) => kept.persist(&name).map(drop).map_err(|error| error.error),
            None => fs_err::remove_file(&name),
        };
        error.error
    })
}

/// The name of the provenance file of the package at `path`.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".prov");
    name.into()
}

/// Renaming replaces files, but no directory.
fn check_replaceable(path: &Path) -> io::Result<()> {
    match fs_err::symlink_metadata(path) {
        Ok(found) if found.is_dir() => {
            let message = format!("`{}` is a directory", path.display());
            Err(io::Error::new(io::ErrorKind::IsADirectory, message))
        }
        _ => Ok(()),
    }
}

fn copy(from: &mut impl Read, to: &mut impl Write, cancel: &CancelToken) -> io::Result<()> {
    let mut buffer = vec![0; 256 << 10];
    loop {
        cancel.check()?;
        match from.read(&mut buffer)? {
            0 => return Ok(()),
            count => to.write_all(buffer.get(..count).unwrap_or_default())?,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory appears under the package's name after the check.
    fn lose_the_race(directory: &Path) -> io::Result<()> {
        let path = directory.join("a-1.0.0.tgz");
        fs_err::create_dir_all(path.join("inside"))?;
        let mut provenance = temporary(directory)?;
        provenance.write_all(b"new")?;
        commit(temporary(directory)?, Some(provenance), &path)
    }

    #[test]
    fn a_package_that_cannot_be_put_there_leaves_no_new_provenance() {
        let directory = tempfile::tempdir().unwrap();
        let prov = directory.path().join("a-1.0.0.tgz.prov");
        assert!(lose_the_race(directory.path()).is_err());
        assert!(!prov.exists());

        fs_err::write(&prov, "old").unwrap();
        assert!(lose_the_race(directory.path()).is_err());
        assert_eq!(fs_err::read(&prov).unwrap(), b"old");
        // Nothing else is left over either.
        assert_eq!(fs_err::read_dir(directory.path()).unwrap().count(), 2);
    }

    #[test]
    fn both_are_replaced_together() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a-1.0.0.tgz");
        for text in ["one", "two"] {
            let [mut package, mut provenance] = [(); 2].map(|()| temporary(directory.path()).unwrap());
            package.write_all(text.as_bytes()).unwrap();
            provenance.write_all(text.as_bytes()).unwrap();
            commit(package, Some(provenance), &path).unwrap();
            assert_eq!(fs_err::read_to_string(&path).unwrap(), text);
            assert_eq!(fs_err::read_to_string(beside(&path)).unwrap(), text);
        }
        assert_eq!(fs_err::read_dir(directory.path()).unwrap().count(), 2);
    }
}
