//! Repositories of registries, over the OCI distribution API (distribution spec 1.1).

mod blobs;
mod capabilities;
mod catalog;
mod delete;
mod detect;
mod download;
mod fallback;
mod login;
mod manifests;
mod mirrors;
mod names;
mod options;
mod page;
mod probe;
mod referrers;
mod registry;
mod tags;
mod upload;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use bytes::Bytes;
use reqwest::Url;

use crate::{
    auth::{Access, MakeRequest, Scope},
    error::{Error, Reason, Result},
    http::Response,
    name::{RepositoryAddress, RepositoryName, Selector, Tag},
    oci::{Descriptor, MediaType},
    store::{
        Blob, BoxStream, ByteStream, Pushed, Store, TagMode, Target, Traits, missing_manifest, missing_tag,
        taggable, target,
    },
};

pub use capabilities::{Capabilities, Feature, Support};
pub use options::{RepositoryOptions, UploadMode};
pub(crate) use probe::Probe;
pub use registry::Registries;
use registry::Registry;

/// One repository of a registry. Clones are cheap and share everything; see [`Registries`] for how to get one.
///
/// # How it asks
///
/// The first useful request draws the registry's challenge; there is no ping. A blob costs two requests, or one
/// where the registry has it: the upload is opened as a mount of the blob from this repository itself, which
/// answers at once whether it is there. A tagged manifest is written once, under its first tag.
///
/// # Errors
///
/// All of them name method, URL (without secrets), status, and the registry's codes and message.
/// [`Unauthenticated`](crate::ErrorKind::Unauthenticated) and [`PermissionDenied`](crate::ErrorKind::PermissionDenied) where it
/// does not let the caller in, [`Network`](crate::ErrorKind::Network), [`Timeout`](crate::ErrorKind::Timeout) and
/// [`Tls`](crate::ErrorKind::Tls) where it cannot be reached, [`Protocol`](crate::ErrorKind::Protocol) and
/// [`DigestMismatch`](crate::ErrorKind::DigestMismatch) where its answers cannot be true.
///
#[doc = include_str!("repository/registries.md")]
#[derive(Clone)]
pub struct Repository(Arc<Inner>);

struct Inner {
    registry: Arc<Registry>,
    address: RepositoryAddress,
    /// As the registry knows it.
    name: RepositoryName,
    /// `/v2/name/`
    path: String,
    pull: Scope,
    push: Scope,
    writes: AtomicBool,
    replicas: Vec<mirrors::Replica>,
}

impl Repository {
    fn new(registry: Arc<Registry>, address: RepositoryAddress, replicas: Vec<mirrors::Replica>) -> Self {
        let name = address.api_repository();
        let path = format!("{}{name}/", registry.base().path());
        let pull = Scope::repository(&name, Access::Pull);
        let push = Scope::repository(&name, Access::Push);
        let writes = AtomicBool::new(false);
        Self(Arc::new(Inner { registry, address, name, path, pull, push, writes, replicas }))
    }

    /// Where it is.
    pub fn address(&self) -> &RepositoryAddress {
        &self.0.address
    }

    pub(crate) fn name(&self) -> &RepositoryName {
        &self.0.name
    }

    fn registry(&self) -> &Registry {
        &self.0.registry
    }

    fn registry_handle(&self) -> Arc<Registry> {
        Arc::clone(&self.0.registry)
    }

    /// The address of something in this repository, made out of parts: parsing the host again each time would cost more than
    /// the rest of a request.
    fn url(&self, path: impl fmt::Display, query: Option<&str>) -> Url {
        let mut url = self.registry().base().clone();
        url.set_path(&format!("{}{path}", self.0.path));
        url.set_query(query);
        url
    }

    /// What reading needs; once this repository is written to, one token does for both.
    fn reading(&self) -> &Scope {
        if self.is_written() { &self.0.push } else { &self.0.pull }
    }

    fn is_written(&self) -> bool {
        self.0.writes.load(Ordering::Relaxed)
    }

    fn writing(&self) -> &Scope {
        self.0.writes.store(true, Ordering::Relaxed);
        &self.0.push
    }

    async fn send(&self, scope: &Scope, make: &MakeRequest<'_>) -> Result<Response> {
        self.registry().send(scope, make).await
    }

    /// The error of a 404: `error`, unless the registry says that there is not even the repository.
    async fn absent(&self, response: Response, mut error: Error) -> Error {
        let told = response.refused().await;
        if matches!(
            told.reason(),
            Some(Reason::RepositoryMissing | Reason::RepositoryNotCreated | Reason::ProjectMissing)
        ) {
            return told.with_context("repository", self.address());
        }
        for (key, value) in told.context() {
            error = error.with_context(key, value);
        }
        error.with_source(told)
    }
}

#[async_trait]
impl Store for Repository {
    async fn resolve(&self, selector: &Selector) -> Result<Descriptor> {
        let target = target(selector)?;
        self.look(&target).await?.ok_or_else(|| missing(&target))
    }

    async fn exists(&self, descriptor: &Descriptor) -> Result<bool> {
        if descriptor.media_type.is_manifest() {
            self.has_manifest(&descriptor.digest).await
        } else {
            self.has_blob(&descriptor.digest).await
        }
    }

    async fn fetch(&self, descriptor: &Descriptor) -> Result<ByteStream> {
        self.content(descriptor).await
    }

    async fn fetch_manifest(&self, selector: &Selector) -> Result<(Descriptor, Bytes)> {
        self.manifest(&target(selector)?).await
    }

    async fn push(&self, blob: &Blob, tags: &[(Tag, TagMode)]) -> Result<Pushed> {
        if taggable(blob.descriptor(), tags)? {
            self.push_manifest(blob, tags).await
        } else {
            self.push_blob(blob).await
        }
    }

    async fn tag(&self, descriptor: &Descriptor, tag: &Tag, mode: &TagMode) -> Result<()> {
        self.point(descriptor, tag, mode).await
    }

    async fn delete(&self, selector: &Selector) -> Result<()> {
        self.remove(&target(selector)?).await
    }

    fn tags(&self) -> BoxStream<'_, Tag> {
        self.list_tags()
    }

    fn referrers<'a>(&'a self, subject: &'a Descriptor) -> BoxStream<'a, Descriptor> {
        self.list_referrers(subject, None)
    }

    fn referrers_of_type<'a>(
        &'a self,
        subject: &'a Descriptor,
        artifact_type: &'a MediaType,
    ) -> BoxStream<'a, Descriptor> {
        self.list_referrers(subject, Some(artifact_type))
    }

    fn traits(&self) -> Traits<'_> {
        Traits::remote(&self.0.address)
    }

    fn expect_push(&self) {
        self.writing();
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.address.fmt(f)
    }
}

impl fmt::Debug for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Repository({self})")
    }
}

/// What a 404 means for what was asked for.
fn missing(target: &Target<'_>) -> Error {
    match target {
        Target::Tag(tag) => missing_tag(tag),
        Target::Digest(digest) => missing_manifest(digest),
    }
}
