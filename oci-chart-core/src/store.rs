//! Where artifacts live: in memory, in an OCI image layout, in a repository of a registry. All the same thing to every verb.
//!
//! [`Store`] is what an implementor writes; [`StoreExt`] is what a user calls beside it. One contract, run over every store by the tests,
//! says what the methods mean.
//!
//! # Why a store is one repository
//!
//! A reference in every call would put host logic into layouts and memory. A store that *is* the repository leaves
//! tags and digests, which all of them have. A `Repository` is a cheap clone over a registry that owns connections and tokens.

mod blob;
mod cached;
mod ext;
mod faults;
mod layout;
mod memory;
#[cfg(feature = "registry")]
mod repository;
mod stream;
mod subject;
mod tags;
mod traced;

use std::fmt::{Debug, Display};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::TryStreamExt as _;

use crate::{
    error::Result,
    name::{RepositoryAddress, Selector, Tag},
    oci::{Descriptor, MediaType},
};

#[cfg(feature = "registry")]
pub use crate::http::{
    ClientCertificate, Clock, ConnectionOptions, HostOptions, LoggedRequest, Mirror, ProxyOptions, ProxyUrl,
    RegistriesYaml, RequestLog, RetryOptions,
};
pub use blob::Blob;
pub use cached::{Cache, CacheUsage, Cached};
pub use ext::StoreExt;
pub use layout::Layout;
pub use memory::Memory;
#[cfg(feature = "registry")]
pub(crate) use repository::Probe;
#[cfg(feature = "registry")]
pub use repository::{Capabilities, Feature, Registries, Repository, RepositoryOptions, Support, UploadMode};
pub use stream::{BoxStream, ByteStream};
pub use tags::TagMode;
pub use traced::{Side, Traced};

pub(crate) use ext::gather;
pub(crate) use faults::{Target, missing_content, missing_manifest, missing_tag, taggable, target};
pub(crate) use stream::{collect, content_chunks, content_stream, counted, next, verified};
#[cfg(feature = "registry")]
pub(crate) use subject::Reference;
pub(crate) use subject::reference;
pub(crate) use tags::{Verdict, exists as tag_exists, judge};

/// What can hold artifacts: manifests and blobs by digest, and tags that point at manifests.
///
/// Selectors given to a store are tags or digests; a version range is resolved over [`Store::tags`] first
/// (see [`transfer::select`](crate::transfer)), and is [`InvalidInput`](crate::ErrorKind::InvalidInput) here.
#[async_trait]
pub trait Store: Debug + Display + Send + Sync + 'static {
    /// The descriptor of the manifest that `selector` names.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) with reason `tag-missing` or `manifest-missing`.
    async fn resolve(&self, selector: &Selector) -> Result<Descriptor>;

    /// Whether the store has this content. The media type tells manifests from blobs.
    ///
    /// # Errors
    ///
    /// What keeps the store from looking: network, login, a file that cannot be read. Absence is no error.
    async fn exists(&self, descriptor: &Descriptor) -> Result<bool>;

    /// The content as a stream that ends with [`DigestMismatch`](crate::ErrorKind::DigestMismatch) if digest or size do not fit:
    /// whoever reads to the end has the right bytes.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) with reason `blob-missing` or `manifest-missing`.
    async fn fetch(&self, descriptor: &Descriptor) -> Result<ByteStream>;

    /// The manifest that `selector` names, whole and checked, in one step.
    ///
    /// # Errors
    ///
    /// As [`resolve`](Self::resolve); [`DigestMismatch`](crate::ErrorKind::DigestMismatch), and
    /// [`LimitExceeded`](crate::ErrorKind::LimitExceeded) above [`Limits::manifest_bytes`](crate::Limits).
    async fn fetch_manifest(&self, selector: &Selector) -> Result<(Descriptor, Bytes)>;

    /// Stores content, and where it is a manifest lets tags point at it. A tagged manifest is written under its first tag, never
    /// by digest before, so that it costs one request.
    ///
    /// # Errors
    ///
    /// [`DigestMismatch`](crate::ErrorKind::DigestMismatch) where the blob's bytes are not what its descriptor says,
    /// [`AlreadyExists`](crate::ErrorKind::AlreadyExists) and [`Conflict`](crate::ErrorKind::Conflict) from the tag modes. Nothing
    /// is visible after an error.
    async fn push(&self, blob: &Blob, tags: &[(Tag, TagMode)]) -> Result<Pushed>;

    /// Lets `tag` point at a manifest that is there already.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) with reason `manifest-missing`, and those of the tag modes as in [`push`](Self::push).
    async fn tag(&self, descriptor: &Descriptor, tag: &Tag, mode: &TagMode) -> Result<()>;

    /// Removes a tag, or by digest a manifest with all its tags, or where no manifest has the digest a blob.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) for what is not there, [`Unsupported`](crate::ErrorKind::Unsupported) where the store deletes nothing.
    async fn delete(&self, selector: &Selector) -> Result<()>;

    /// All tags, in the store's order.
    fn tags(&self) -> BoxStream<'_, Tag>;

    /// Descriptors of all manifests whose subject is `subject`.
    fn referrers<'a>(&'a self, subject: &'a Descriptor) -> BoxStream<'a, Descriptor>;

    /// Those [`referrers`](Self::referrers) whose artifact type is `artifact_type`. Stores that can leave the others out at the source do so.
    fn referrers_of_type<'a>(
        &'a self,
        subject: &'a Descriptor,
        artifact_type: &'a MediaType,
    ) -> BoxStream<'a, Descriptor> {
        Box::pin(
            self.referrers(subject).try_filter(move |found| {
                std::future::ready(found.artifact_type.as_ref() == Some(artifact_type))
            }),
        )
    }

    /// What this store is, as far as the verbs act on it.
    fn traits(&self) -> Traits<'_>;

    /// Tells that something will be pushed here, before anything else is asked: a registry then asks for permission to write
    /// with its first request, which saves asking twice. Nothing is sent.
    fn expect_push(&self) {}
}

/// What a store is, as far as the verbs act on it.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct Traits<'a> {
    /// Host and repository, where there are such: lets a push try a mount from another repository of the host.
    pub address: Option<&'a RepositoryAddress>,
    /// Whether tag modes are decided and written in one step. The OCI API has no conditional write, so a registry's are not.
    pub atomic_tags: bool,
}

impl<'a> Traits<'a> {
    /// A repository of a registry.
    pub fn remote(address: &'a RepositoryAddress) -> Self {
        Self { address: Some(address), atomic_tags: false }
    }

    /// A store that owns its tags.
    pub fn atomic() -> Self {
        Self { address: None, atomic_tags: true }
    }
}

/// What a push did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Pushed {
    /// The bytes were written.
    Written,
    /// The store had the content; no bytes were sent.
    Existing,
    /// The registry took it over from another of its repositories; no bytes were sent.
    Mounted,
}
