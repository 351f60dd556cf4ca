//! Packages: a chart as one file, the same bytes for the same tree.

mod build;
mod entries;
mod options;
mod preview;
mod write;

use std::{
    fmt,
    io::{Read, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use bytes::Bytes;

pub use options::{EntryTimes, PackageOptions};
pub use preview::{PackagePreview, PreviewEntry};

use super::{Chart, LoadOptions, Metadata};
use crate::{
    content::{Content, ContentWriter},
    context::CancelToken,
    digest::{Digest, Hasher},
    error::{Error, Result},
};

/// A packaged chart (`.tgz`): its bytes, wherever they lie, and their digest. Cheap to clone.
///
/// # Examples
///
/// ```
/// use oci_chart_core::chart::{Chart, LoadOptions, PackageOptions};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # std::fs::write(directory.path().join("Chart.yaml"), "apiVersion: v2\nname: web\nversion: 1.2.3\n")?;
/// let chart = Chart::from_dir(directory.path(), &LoadOptions::default())?;
/// let package = chart.package(&PackageOptions::default())?;
/// assert_eq!(package.file_name()?, "web-1.2.3.tgz");
/// assert_eq!(package.digest(), chart.package(&PackageOptions::default())?.digest());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Package(Arc<Inner>);

struct Inner {
    content: Content,
    digest: Digest,
    metadata: OnceLock<Metadata>,
    provenance: Option<Bytes>,
    /// How the archive is read, if its metadata is asked for.
    options: LoadOptions,
}

impl Package {
    /// The package in the file at `path`, which must be a chart that Helm can load. A provenance file beside it (`.prov` behind the whole
    /// name) belongs to it, as in `helm push`; nobody checks here whether it fits.
    ///
    /// The file stays where it is and is read again when it is pushed; if it changes until then, that is a
    /// [`Conflict`](crate::ErrorKind::Conflict).
    ///
    /// # Errors
    ///
    /// As [`Chart::from_archive`].
    pub fn from_file(path: impl AsRef<Path>, options: &LoadOptions) -> Result<Self> {
        let path = path.as_ref();
        let load = || {
            let content = Content::from_path(path)?;
            let beside = PathBuf::from_iter([{
                let mut name = path.as_os_str().to_owned();
                name.push(".prov");
                name
            }]);
            let provenance = match fs_err::metadata(&beside) {
                Ok(found) if found.is_file() => {
                    Some(Content::from_path(&beside)?.read(options.limits.file_bytes)?)
                }
                _ => None,
            };
            Self::load(content, provenance, options)
        };
        load().map_err(|error: Error| error.with_operation("load").with_context("package", path.display()))
    }

    /// The package whose bytes `reader` gives. Above 8 MiB they lie in a nameless temporary file.
    ///
    /// # Errors
    ///
    /// As [`Chart::from_archive`], and the reader's own.
    pub fn from_reader(reader: impl Read, options: &LoadOptions) -> Result<Self> {
        let limit = options.limits.package_bytes;
        let (mut reader, mut content) = (reader, ContentWriter::default());
        let (mut buffer, mut bytes) = (vec![0; 256 << 10], 0_u64);
        loop {
            options.cancel.check()?;
            let count = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Error::from(error).with_operation("load")),
            };
            bytes += count as u64;
            if bytes > limit {
                return Err(
                    Error::limit("package_bytes", limit, "the package is too large").with_operation("load")
                );
            }
            content.write_all(buffer.get(..count).unwrap_or_default())?;
        }
        Self::load(content.finish()?, None, options)
    }

    /// The package whose bytes these are.
    ///
    /// # Errors
    ///
    /// As [`Chart::from_archive`].
    pub fn from_bytes(bytes: impl Into<Bytes>, options: &LoadOptions) -> Result<Self> {
        Self::load(Content::from(bytes.into()), None, options)
    }

    fn load(content: Content, provenance: Option<Bytes>, options: &LoadOptions) -> Result<Self> {
        let limit = options.limits.package_bytes;
        if content.len() > limit {
            return Err(Error::limit("package_bytes", limit, "the package is too large")
                .with_context("bytes", content.len()));
        }
        let digest = digest_of(&content, options)?;
        let chart = Chart::from_archive(content.open()?, options)?;
        // A token stops the call that it was given to, and none that comes later.
        let options = options.clone().with_cancel(CancelToken::default());
        Ok(Self::new(content, digest, Some(chart.metadata().clone()), provenance, options))
    }

    /// A package whose digest was checked while it came. What is in it is looked at when somebody asks.
    pub(crate) fn from_checked(
        content: Content,
        digest: Digest,
        provenance: Option<Bytes>,
        options: LoadOptions,
    ) -> Self {
        Self::new(content, digest, None, provenance, options)
    }

    fn new(
        content: Content,
        digest: Digest,
        metadata: Option<Metadata>,
        provenance: Option<Bytes>,
        options: LoadOptions,
    ) -> Self {
        let metadata = metadata.map_or_else(OnceLock::new, OnceLock::from);
        Self(Arc::new(Inner { content, digest, metadata, provenance, options }))
    }

    /// The same package with a provenance file.
    #[must_use]
    pub fn with_provenance(&self, provenance: impl Into<Bytes>) -> Self {
        let Inner { content, digest, metadata, options, .. } = &*self.0;
        Self::new(content.clone(), *digest, metadata.get().cloned(), Some(provenance.into()), options.clone())
    }

    /// The same package, whose work looks at `token`: [`chart`](Self::chart), [`write_to_dir`](Self::write_to_dir), [`unpack`](Self::unpack), and what else
    /// reads it. For one call that somebody may want to stop.
    #[must_use]
    pub fn with_cancel(&self, token: CancelToken) -> Self {
        let Inner { content, digest, metadata, provenance, options } = &*self.0;
        let options = options.clone().with_cancel(token);
        Self::new(content.clone(), *digest, metadata.get().cloned(), provenance.clone(), options)
    }

    /// The bytes.
    pub fn content(&self) -> &Content {
        &self.0.content
    }

    /// The digest of the bytes (SHA-256).
    pub fn digest(&self) -> Digest {
        self.0.digest
    }

    /// How many bytes.
    pub fn size(&self) -> u64 {
        self.0.content.len()
    }

    /// The provenance file that belongs to the package, where there is one.
    pub fn provenance(&self) -> Option<&Bytes> {
        self.0.provenance.as_ref()
    }

    /// What the Chart.yaml in the package says.
    ///
    /// # Errors
    ///
    /// As [`Chart::from_archive`], for a package that was pulled and not looked into yet.
    pub fn metadata(&self) -> Result<&Metadata> {
        if let Some(metadata) = self.0.metadata.get() {
            return Ok(metadata);
        }
        let chart = self.chart()?;
        Ok(self.0.metadata.get_or_init(|| chart.metadata().clone()))
    }

    /// The chart in the package.
    ///
    /// # Errors
    ///
    /// As [`Chart::from_archive`].
    pub fn chart(&self) -> Result<Chart> {
        Chart::from_archive(self.0.content.open()?, &self.0.options)
    }

    fn load_options(&self) -> &LoadOptions {
        &self.0.options
    }

    /// `NAME-VERSION.tgz`, as Helm calls it.
    ///
    /// # Errors
    ///
    /// As [`metadata`](Self::metadata).
    pub fn file_name(&self) -> Result<String> {
        let metadata = self.metadata()?;
        Ok(format!("{}-{}.tgz", metadata.name, metadata.version))
    }
}

impl fmt::Debug for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Package({}, {} bytes)", self.0.digest, self.size())
    }
}

fn digest_of(content: &Content, options: &LoadOptions) -> Result<Digest> {
    if let Some(bytes) = content.as_bytes() {
        return Ok(Digest::of(bytes));
    }
    let (mut reader, mut hasher) = (content.open()?, Hasher::default());
    let mut buffer = vec![0; 256 << 10];
    loop {
        options.cancel.check()?;
        match reader.read(&mut buffer)? {
            0 => return Ok(hasher.finish()),
            count => hasher.update(&buffer[..count]),
        }
    }
}
