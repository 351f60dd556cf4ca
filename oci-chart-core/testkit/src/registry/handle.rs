//! The handle a test holds: addresses, log, script, and a look at what is stored.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

use bytes::Bytes;
use tokio::sync::oneshot;

use super::State;
use super::digest::{Algorithm, Digest};
use super::facts::Facts;
use super::spool::{Spool, Stored};
use super::storage::Manifest;
use crate::log::{Log, locked};
use crate::options::Builder;
use crate::quirk::Bite;
use crate::script::Script;
use crate::token::Tokens;

/// A running registry on 127.0.0.1. It stops, and its connections end, when this handle is dropped.
#[derive(Debug)]
pub struct Registry {
    pub(super) state: Arc<State>,
    pub(super) stop: Option<oneshot::Sender<()>>,
    pub(super) thread: Option<JoinHandle<()>>,
}

/// A manifest as the registry holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredManifest {
    /// `algorithm:hex` of the bytes.
    pub digest: String,
    /// The media type it was pushed with.
    pub media_type: String,
    /// The bytes as pushed.
    pub bytes: Bytes,
}

impl Registry {
    /// A well-behaved registry without authentication, running.
    ///
    /// # Errors
    /// As [`Builder::start_blocking`].
    pub fn start() -> io::Result<Self> {
        Self::builder().start_blocking()
    }

    /// The switches, all at their defaults.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.state.origins.registry
    }

    /// `127.0.0.1:PORT`, as it stands in a reference.
    #[must_use]
    pub fn host(&self) -> &str {
        self.url().split_once("://").map_or("", |(_, host)| host)
    }

    /// The request log.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.state.log
    }

    /// The fault script.
    #[must_use]
    pub fn script(&self) -> &Script {
        &self.state.script
    }

    /// Tokens given out, and the audit of their requests.
    #[must_use]
    pub fn tokens(&self) -> &Tokens {
        &self.state.tokens
    }

    /// Requests to the second origin that carried an `Authorization` header: a client that is right has none.
    #[must_use]
    pub fn leaked_credentials(&self) -> u64 {
        self.state.leaked.load(Ordering::SeqCst)
    }

    /// Requests that met a quirk which harms them, oldest first.
    #[must_use]
    pub fn bites(&self) -> Vec<Bite> {
        locked(&self.state.bites).clone()
    }

    /// Creates a project, where [`Builder::projects`] limits them.
    pub fn create_project(&self, name: &str) {
        if let Some(projects) = &mut *locked(&self.state.projects) {
            projects.insert(name.to_owned());
        }
    }

    /// Uploads that were begun and neither finished nor cancelled.
    #[must_use]
    pub fn open_uploads(&self) -> usize {
        self.state.uploads.count()
    }

    /// Plants a blob and returns its sha256 digest.
    ///
    /// # Errors
    /// When a file for a large blob cannot be written.
    pub fn put_blob(&self, repository: &str, bytes: impl AsRef<[u8]>) -> io::Result<String> {
        self.put_blob_parts(repository, [bytes])
    }

    /// As [`Registry::put_blob`] for content that need not be in memory at once.
    ///
    /// # Errors
    /// As [`Registry::put_blob`].
    pub fn put_blob_parts(
        &self,
        repository: &str,
        parts: impl IntoIterator<Item = impl AsRef<[u8]>>,
    ) -> io::Result<String> {
        let mut spool = Spool::new(self.state.options.place.clone(), Algorithm::Sha256);
        for part in parts {
            spool.append(part.as_ref())?;
        }
        let (digest, stored) = spool.finish(Algorithm::Sha256)?;
        locked(&self.state.storage).open(repository).blobs.insert(digest.clone(), Arc::new(stored));
        Ok(digest.to_string())
    }

    /// Plants other bytes under a digest than it stands for: a registry that lies or whose disk rots.
    ///
    /// # Errors
    /// `InvalidInput` when `digest` is not one.
    pub fn put_blob_as(&self, repository: &str, digest: &str, bytes: impl Into<Bytes>) -> io::Result<()> {
        let digest = parsed(digest)?;
        let stored = Arc::new(Stored::Memory(bytes.into()));
        locked(&self.state.storage).open(repository).blobs.insert(digest, stored);
        Ok(())
    }

    /// Plants a manifest as it is, unchecked, under a tag or under a digest (which need not be that of the bytes),
    /// and returns the digest it is stored under.
    ///
    /// # Errors
    /// `InvalidInput` when `reference` contains a colon and is not a digest.
    pub fn put_manifest(
        &self,
        repository: &str,
        reference: &str,
        media_type: &str,
        bytes: impl Into<Bytes>,
    ) -> io::Result<String> {
        let bytes = bytes.into();
        let by_digest = reference.contains(':');
        let digest = if by_digest { parsed(reference)? } else { Digest::of(Algorithm::Sha256, &bytes) };
        let tags = (!by_digest).then(|| reference.to_owned()).into_iter().collect();
        let facts = Facts::read(&bytes).unwrap_or_default();
        let manifest = Manifest { digest: digest.clone(), media_type: media_type.to_owned(), bytes, facts };
        locked(&self.state.storage).open(repository).put_manifest(manifest, &tags);
        Ok(digest.to_string())
    }

    /// The bytes of a blob; `None` when the repository does not have it.
    ///
    /// # Errors
    /// When the file of a large blob cannot be read.
    pub fn blob(&self, repository: &str, digest: &str) -> io::Result<Option<Bytes>> {
        let digest = parsed(digest)?;
        let stored = locked(&self.state.storage).blob(repository, &digest);
        stored.map(|stored| stored.block(0, usize::MAX)).transpose()
    }

    /// A manifest by tag or digest.
    #[must_use]
    pub fn manifest(&self, repository: &str, reference: &str) -> Option<StoredManifest> {
        let manifest = locked(&self.state.storage).manifest(repository, reference)?;
        Some(StoredManifest {
            digest: manifest.digest.to_string(),
            media_type: manifest.media_type.clone(),
            bytes: manifest.bytes.clone(),
        })
    }

    /// Names of all repositories.
    #[must_use]
    pub fn repositories(&self) -> Vec<String> {
        locked(&self.state.storage).names().cloned().collect()
    }

    /// Tags of a repository with the digests they point to, in order.
    #[must_use]
    pub fn tags(&self, repository: &str) -> Vec<(String, String)> {
        let storage = locked(&self.state.storage);
        let tags = storage.repository(repository).map(|repository| &repository.tags);
        tags.into_iter().flatten().map(|(tag, digest)| (tag.clone(), digest.to_string())).collect()
    }

    /// Digests of all blobs of a repository with their lengths in bytes, in order.
    #[must_use]
    pub fn blobs(&self, repository: &str) -> Vec<(String, u64)> {
        let storage = locked(&self.state.storage);
        let blobs = storage.repository(repository).map(|repository| &repository.blobs);
        blobs.into_iter().flatten().map(|(digest, stored)| (digest.to_string(), stored.length())).collect()
    }

    /// Digests of all manifests of a repository, in order.
    #[must_use]
    pub fn manifests(&self, repository: &str) -> Vec<String> {
        let storage = locked(&self.state.storage);
        let manifests = storage.repository(repository).map(|repository| &repository.manifests);
        manifests.into_iter().flatten().map(|(digest, _)| digest.to_string()).collect()
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A registry thread that panicked has already told its story on stderr.
            let _ = thread.join();
        }
    }
}

fn parsed(digest: &str) -> io::Result<Digest> {
    Digest::parse(digest)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, format!("{digest:?} is not a digest")))
}
