use std::{
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use super::Package;
use crate::{
    chart::{Unpacked, unpack_verified},
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
            let directory = match path.parent() {
                Some(parent) if !parent.as_os_str().is_empty() => parent,
                _ => Path::new("."),
            };
            fs_err::create_dir_all(directory)?;
            let mut package = temporary(directory)?;
            copy(&mut self.content().open()?, &mut package)?;
            // Both are complete, and both names free, before either is taken.
            check_replaceable(path)?;
            if let Some(provenance) = self.provenance() {
                let mut file = temporary(directory)?;
                file.write_all(provenance)?;
                let mut name = path.as_os_str().to_owned();
                name.push(".prov");
                check_replaceable(name.as_ref())?;
                file.persist(name).map_err(|error| error.error)?;
            }
            package.persist(path).map_err(|error| error.error)?;
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

fn temporary(directory: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".oci-chart-");
    crate::platform::readable_by_all(&mut builder);
    builder.tempfile_in(directory)
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

fn copy(from: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
    let mut buffer = vec![0; 256 << 10];
    loop {
        match from.read(&mut buffer)? {
            0 => return Ok(()),
            count => to.write_all(buffer.get(..count).unwrap_or_default())?,
        }
    }
}
