//! What can be wrong with a package.

use std::{borrow::Cow, fmt};

use super::super::{ChartPath, ParsePathError};
use crate::error::{Error, ErrorKind, Reason};

/// Why an archive is not read. Messages keep Helm's wording, so that what is known about its errors is found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ArchiveError {
    /// It does not begin with a gzip header.
    NotGzip,
    /// It ends too early.
    Truncated,
    /// The compressed data cannot be inflated.
    BadDeflate,
    /// The gzip trailer does not fit the data before it.
    BadChecksum,
    /// There is something behind the end, and the options do not allow that.
    TrailingData,
    /// A tar header, or an extended one, is malformed.
    BadHeader,
    /// A sparse file, whose size has nothing to do with what is in the archive.
    SparseFile,
    /// An extended header or a long name of more than 1 MiB.
    FieldTooLong,
    /// An entry's name is absolute once its first component is gone.
    AbsolutePath(String),
    /// An entry lies beside the chart's directory, not in it.
    OutsideBase(String),
    /// An entry's name leads upwards, or begins with `..`.
    ParentDirectory(String),
    /// An entry's name begins with a drive letter.
    DriveLetter(String),
    /// The chart's directory is called `Chart.yaml`.
    ChartYamlNotInBase,
    /// An entry's name is no path for another reason.
    BadPath(String, ParsePathError),
    /// Two entries have the same path.
    DuplicatePath(ChartPath),
    /// A file lies where another one has its directory.
    FileIsDirectory(ChartPath),
    /// An entry is a symbolic or a hard link.
    Link(ChartPath),
    /// An entry of a kind that has no content claims a size.
    ContentWithoutFile(ChartPath),
    /// There is no file in it.
    NoFiles,
}

impl fmt::Display for ArchiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotGzip => f.write_str("does not appear to be a gzipped archive (gzip: invalid header)"),
            Self::Truncated => f.write_str("the archive ends too early (unexpected EOF)"),
            Self::BadDeflate => f.write_str("the compressed data is damaged (flate: corrupt input)"),
            Self::BadChecksum => {
                f.write_str("the gzip trailer does not fit the content (gzip: invalid checksum)")
            }
            Self::TrailingData => f.write_str("there is data behind the end of the archive"),
            Self::BadHeader => f.write_str("archive/tar: invalid tar header"),
            Self::SparseFile => f.write_str("the archive has a sparse file (archive/tar: invalid tar header)"),
            Self::FieldTooLong => f.write_str("archive/tar: header field too long"),
            Self::AbsolutePath(_) => f.write_str("chart illegally contains absolute paths"),
            Self::OutsideBase(name) => {
                write!(f, "chart illegally contains content outside the base directory: {name:?}")
            }
            Self::ParentDirectory(_) => f.write_str("chart illegally references parent directory"),
            Self::DriveLetter(_) => f.write_str("chart contains illegally named files"),
            Self::ChartYamlNotInBase => f.write_str("chart yaml not in base directory"),
            Self::BadPath(_, error) => write!(f, "chart contains illegally named files: {error}"),
            Self::DuplicatePath(_) => f.write_str("two entries of the archive have the same path"),
            Self::FileIsDirectory(_) => f.write_str("a file of the archive lies where it has a directory as well"),
            Self::Link(_) => f.write_str("the archive has a link, which Helm would read as an empty file"),
            Self::ContentWithoutFile(_) => f.write_str(
                "an entry that can have no content claims a size (Helm: decompressed chart is larger than the maximum size)",
            ),
            Self::NoFiles => f.write_str("no files in chart archive"),
        }
    }
}

impl std::error::Error for ArchiveError {}

impl ArchiveError {
    fn reason(&self) -> Option<Reason> {
        Some(match self {
            Self::NotGzip => Reason::NotGzip,
            Self::Truncated => Reason::Truncated,
            Self::BadChecksum | Self::TrailingData => Reason::BadTrailer,
            Self::AbsolutePath(_)
            | Self::OutsideBase(_)
            | Self::ParentDirectory(_)
            | Self::DriveLetter(_)
            | Self::ChartYamlNotInBase
            | Self::BadPath(..) => Reason::UnsafePath,
            Self::DuplicatePath(_) | Self::FileIsDirectory(_) => Reason::DuplicatePath,
            Self::Link(_) => Reason::LinkEntry,
            Self::SparseFile => Reason::IrregularFile,
            Self::BadDeflate
            | Self::BadHeader
            | Self::FieldTooLong
            | Self::ContentWithoutFile(_)
            | Self::NoFiles => return None,
        })
    }

    fn entry(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::AbsolutePath(name)
            | Self::OutsideBase(name)
            | Self::ParentDirectory(name)
            | Self::DriveLetter(name)
            | Self::BadPath(name, _) => Some(name.escape_debug().to_string().into()),
            Self::DuplicatePath(path)
            | Self::FileIsDirectory(path)
            | Self::Link(path)
            | Self::ContentWithoutFile(path) => Some(path.as_str().into()),
            _ => None,
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::NotGzip => "a packaged chart is a tar archive inside gzip; load a directory as a directory",
            Self::Truncated | Self::BadDeflate | Self::BadChecksum => "fetch or build the package again",
            Self::TrailingData => "load it without `strict`, as Helm does, or build the package again",
            Self::Link(_) => "package the chart with the files that its links lead to",
            Self::NoFiles => "a chart has at least a Chart.yaml, inside a directory of the archive",
            _ => "build the package again with `helm package` or this library",
        }
    }
}

impl From<ArchiveError> for Error {
    fn from(error: ArchiveError) -> Self {
        let mut made = Self::new(ErrorKind::InvalidArchive, error.to_string()).with_hint(error.hint());
        if let Some(reason) = error.reason() {
            made = made.with_reason(reason);
        }
        if let Some(entry) = error.entry() {
            made = made.with_context("entry", entry);
        }
        made.with_source(error)
    }
}
