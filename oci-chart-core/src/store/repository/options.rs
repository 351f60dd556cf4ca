use std::collections::HashMap;

use crate::name::Host;

/// How blobs go to a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum UploadMode {
    /// Each in one request into an upload opened for it, and in pieces where the registry refuses that (413, a proxy's limit). What a
    /// registry was found to want is remembered.
    #[default]
    Whole,
    /// In pieces of so many bytes from the start, unless they are smaller; more where the registry insists on more
    /// (`OCI-Chunk-Min-Length`). Not all registries can: where one cannot, they go whole.
    Chunked {
        /// The size of a piece in bytes.
        bytes: u64,
    },
    /// Together with the request that opens the upload: one request fewer for small blobs, and no upload that could be left open. Registries
    /// that cannot do so ask for the bytes once more.
    Single,
}

/// How repositories are spoken to, beside how their hosts are reached.
///
/// # Examples
///
/// ```
/// use oci_chart_core::{name::Host, store::{RepositoryOptions, UploadMode}};
///
/// let options = RepositoryOptions::default()
///     .with_uploads(Host::parse("registry.example")?, UploadMode::Chunked { bytes: 8 << 20 });
/// # Ok::<(), oci_chart_core::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct RepositoryOptions {
    /// How blobs go to single hosts; to all others as [`UploadMode::Whole`] says.
    pub uploads: HashMap<Host, UploadMode>,
}

impl RepositoryOptions {
    /// Uploads to `host` in this way.
    #[must_use]
    pub fn with_uploads(mut self, host: Host, mode: UploadMode) -> Self {
        self.uploads.insert(host, mode);
        self
    }
}
