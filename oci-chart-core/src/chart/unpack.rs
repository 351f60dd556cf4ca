//! A package onto disk, whole or not at all.

mod target;

use std::{
    io::{self, Read},
    path::{Path, PathBuf},
};

use fs_err as fs;
use tempfile::TempDir;

use self::target::Target;
use super::{
    ArchiveFlaw, ChartPath, LoadOptions, Metadata,
    archive::{Archive, Tap},
};
use crate::{
    digest::{Digest, Verifier},
    error::{Error, ErrorKind, Reason, Result},
    platform,
};

/// A chart that was unpacked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unpacked {
    /// The chart's own directory.
    pub path: PathBuf,
    /// How many files were written.
    pub files: u64,
    /// What is wrong behind the last file of the package.
    pub flaw: Option<ArchiveFlaw>,
}

/// Unpacks a package into the directory `destination`, which must exist, under the name that its Chart.yaml gives: what
/// `helm pull --untar` leaves behind. Directories get mode 0755 and files 0644 (less the umask).
///
/// Everything is written to a new directory beside the chart's first, which takes the chart's name in the end: on any failure
/// `destination` is as it was. Links are neither made nor followed. The rules of
/// [`read_archive`](super::read_archive) apply, and the limits; memory does not grow with the package.
///
/// # Errors
///
/// Those of [`read_archive`](super::read_archive) and [`Metadata::from_yaml`]; [`ErrorKind::AlreadyExists`] with
/// [`Reason::DestinationExists`] where something has the chart's name; [`ErrorKind::NotFound`] without `destination`;
/// [`ErrorKind::Io`] where it cannot be written.
///
/// # Examples
///
/// ```no_run
/// use oci_chart_core::chart::{LoadOptions, unpack};
///
/// let package = fs_err::File::open("web-1.2.3.tgz")?;
/// let chart = unpack(package, "charts", &LoadOptions::default())?;
/// assert!(chart.path.ends_with("charts/web"));
/// # Ok::<(), oci_chart_core::Error>(())
/// ```
pub fn unpack(reader: impl Read, destination: impl AsRef<Path>, options: &LoadOptions) -> Result<Unpacked> {
    Written::new(reader, destination.as_ref(), options)?.take_place()
}

/// The same for a package of which digest and size, in bytes, are known. Nothing is left behind of one that differs.
///
/// # Errors
///
/// Also [`ErrorKind::DigestMismatch`].
pub fn unpack_verified(
    reader: impl Read,
    destination: impl AsRef<Path>,
    expected: (Digest, u64),
    options: &LoadOptions,
) -> Result<Unpacked> {
    let mut verifier = Verifier::new(expected.0, expected.1);
    let mut tap = Tap::new(reader, |bytes: &[u8]| verifier.update(bytes));
    let written = match Written::new(&mut tap, destination.as_ref(), options) {
        Err(error) if !matches!(error.kind(), ErrorKind::InvalidArchive | ErrorKind::InvalidChart) => {
            return Err(error);
        }
        written => written,
    };
    // Bytes that nobody meant explain every other finding, so they are all read for the digest's sake.
    io::copy(&mut tap, &mut io::sink())?;
    verifier.finish()?;
    written?.take_place()
}

/// A package on disk, but not yet under its name. Dropping it removes it.
struct Written {
    directory: TempDir,
    /// Where it is to be.
    path: PathBuf,
    files: u64,
    flaw: Option<ArchiveFlaw>,
}

impl Written {
    fn new(reader: impl Read, destination: &Path, options: &LoadOptions) -> Result<Self> {
        let mut archive = Archive::new(reader, options, options.limits.total_bytes)?;
        let mut builder = tempfile::Builder::new();
        platform::writable_by_owner(&mut builder);
        let directory = builder
            .prefix(".oci-chart-")
            .tempdir_in(destination)
            .map_err(|error| platform::named("create a directory in", destination, error))
            .map_err(|error| Error::from(error).with_context("directory", destination.display()))?;
        let mut target = Target::new(directory.path().to_owned());
        let mut files = 0;
        let mut chart_yaml = None;
        while let Some(entry) = archive.next_file()? {
            let wanted = entry.path == "Chart.yaml";
            let text = target.write(&mut archive, &entry.path, wanted)?;
            chart_yaml = chart_yaml.or(text);
            files += 1;
        }
        let flaw = archive.finish()?;
        archive.drain()?;
        let path = destination.join(name(chart_yaml)?);
        Ok(Self { directory, path, files, flaw })
    }

    fn take_place(self) -> Result<Unpacked> {
        let exists = || {
            Error::new(ErrorKind::AlreadyExists, "a file or directory with the chart's name already exists")
                .with_reason(Reason::DestinationExists)
                .with_context("file", self.path.display())
                .with_hint("remove it, or unpack elsewhere")
        };
        // Between this look and the move, an empty directory of another's could come here and be replaced: no loss.
        if fs::symlink_metadata(&self.path).is_ok() {
            return Err(exists());
        }
        fs::rename(self.directory.path(), &self.path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists
            | io::ErrorKind::DirectoryNotEmpty
            | io::ErrorKind::NotADirectory => exists(),
            _ => error.into(),
        })?;
        // It is no temporary directory any more.
        let _ = self.directory.keep();
        Ok(Unpacked { path: self.path, files: self.files, flaw: self.flaw })
    }
}

/// The chart's name, from its Chart.yaml: one component of a path.
fn name(chart_yaml: Option<Vec<u8>>) -> Result<String> {
    let Some(text) = chart_yaml else {
        return Err(Error::new(ErrorKind::InvalidChart, "Chart.yaml file is missing")
            .with_reason(Reason::ChartYamlMissing)
            .with_hint("a package holds one directory, with a Chart.yaml in it"));
    };
    let name = Metadata::from_yaml(&text)?.name;
    let path = ChartPath::new(&name).map_err(|error| Error::from(error).with_context("field", "name"))?;
    if path.parent().is_some() {
        return Err(Error::new(ErrorKind::InvalidChart, "the chart's name is a path")
            .with_reason(Reason::UnsafePath)
            .with_context("field", "name"));
    }
    Ok(name)
}

#[cfg(test)]
mod tests;
