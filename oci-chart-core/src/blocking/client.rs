use std::{path::Path, sync::Arc};

use bytes::Bytes;

use super::{Host, Runtime};
use crate::{
    chart::Metadata,
    diagnose::Diagnosis,
    error::Result,
    name::{Location, Selector, Tag},
    oci::{ChartArtifact, Descriptor},
    store::{Blob, Pushed, Store, StoreExt as _, TagMode, Traced},
    transfer::{self, PullOptions, Pulled, PushOptions, PushOutcome},
};

/// The verbs for callers that wait. Every method blocks until it is done, and runs the callbacks of its [`Host`] on the calling thread;
/// `&mut ()` is a host that wants nothing.
///
/// # Errors
///
/// Every method fails as the verb or store method of its name does, and as [`Runtime::wait`] and
/// [`Client::open`](crate::Client::open) do.
///
/// # Examples
///
/// ```
/// use oci_chart_core::{Client, Location, blocking};
///
/// let client = blocking::Client::new(Client::builder().build()?);
/// let location: Location = "oci-layout:/nowhere/charts".parse()?;
/// assert_eq!(client.tags(&location, &mut ())?, []);
/// # Ok::<(), oci_chart_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Client {
    pub(super) client: crate::client::Client,
    pub(super) runtime: Arc<Runtime>,
}

impl Client {
    /// The verbs of `client`, on a runtime of their own.
    pub fn new(client: crate::client::Client) -> Self {
        Self { client, runtime: Arc::default() }
    }

    /// The client that opens the stores.
    pub fn client(&self) -> &crate::client::Client {
        &self.client
    }

    /// See [`transfer::push`].
    pub fn push(
        &self,
        artifact: &ChartArtifact,
        to: &Location,
        options: &PushOptions,
        host: &mut dyn Host,
    ) -> Result<PushOutcome> {
        let (to, artifact, options) = (self.client.open(to)?, artifact.clone(), options.clone());
        self.runtime.wait(host, |cx| async move { transfer::push(&cx, &artifact, &to, &options).await })
    }

    /// See [`transfer::pull`].
    pub fn pull(
        &self,
        from: &Location,
        selector: &Selector,
        options: &PullOptions,
        host: &mut dyn Host,
    ) -> Result<Pulled> {
        let (from, selector, options) = (self.client.open(from)?, selector.clone(), options.clone());
        self.runtime.wait(host, |cx| async move { transfer::pull(&cx, &from, &selector, &options).await })
    }

    /// See [`transfer::fetch_metadata`].
    pub fn fetch_metadata(
        &self,
        from: &Location,
        selector: &Selector,
        host: &mut dyn Host,
    ) -> Result<Metadata> {
        let (from, selector, limits) =
            (self.client.open(from)?, selector.clone(), self.client.limits().clone());
        self.runtime
            .wait(host, |cx| async move { transfer::fetch_metadata(&cx, &from, &selector, &limits).await })
    }

    /// See [`Client::diagnose`](crate::Client::diagnose).
    pub fn diagnose(&self, at: &Location, host: &mut dyn Host) -> Result<Diagnosis> {
        let (client, at) = (self.client.clone(), at.clone());
        self.runtime.wait(host, |cx| async move { client.diagnose(&cx, &at).await })
    }

    /// The descriptor that `selector` names, a range included.
    pub fn resolve(&self, at: &Location, selector: &Selector, host: &mut dyn Host) -> Result<Descriptor> {
        let (selector, limits) = (selector.clone(), self.client.limits().clone());
        self.store(at, host, |cx, store| async move {
            let selector = transfer::select(&cx, &*store, &selector, &limits).await?;
            cx.run(store.resolve(&selector)).await
        })
    }

    /// All tags, in the store's order.
    pub fn tags(&self, at: &Location, host: &mut dyn Host) -> Result<Vec<Tag>> {
        use futures_util::TryStreamExt as _;
        self.store(at, host, |cx, store| async move { cx.run(store.tags().try_collect()).await })
    }

    /// Whether the store has this content.
    pub fn exists(&self, at: &Location, descriptor: &Descriptor, host: &mut dyn Host) -> Result<bool> {
        let descriptor = descriptor.clone();
        self.store(at, host, |cx, store| async move { cx.run(store.exists(&descriptor)).await })
    }

    /// Lets `tag` point at what `descriptor` names.
    pub fn tag(
        &self,
        at: &Location,
        descriptor: &Descriptor,
        tag: &Tag,
        mode: &TagMode,
        host: &mut dyn Host,
    ) -> Result<()> {
        let (descriptor, tag, mode) = (descriptor.clone(), tag.clone(), *mode);
        self.store(at, host, |cx, store| async move { cx.run(store.tag(&descriptor, &tag, &mode)).await })
    }

    /// Removes a tag, or by digest a manifest or blob.
    pub fn delete(&self, at: &Location, selector: &Selector, host: &mut dyn Host) -> Result<()> {
        let selector = selector.clone();
        self.store(at, host, |cx, store| async move { cx.run(store.delete(&selector)).await })
    }

    /// The manifest that `selector` names, whole and checked.
    pub fn fetch_manifest(
        &self,
        at: &Location,
        selector: &Selector,
        host: &mut dyn Host,
    ) -> Result<(Descriptor, Bytes)> {
        let (selector, limits) = (selector.clone(), self.client.limits().clone());
        self.store(at, host, |cx, store| async move {
            let selector = transfer::select(&cx, &*store, &selector, &limits).await?;
            cx.run(store.fetch_manifest(&selector)).await
        })
    }

    /// Stores one piece of content, and where it is a manifest lets tags point at it.
    pub fn store_blob(
        &self,
        at: &Location,
        blob: &Blob,
        tags: &[(Tag, TagMode)],
        host: &mut dyn Host,
    ) -> Result<Pushed> {
        let (blob, tags) = (blob.clone(), tags.to_vec());
        self.store(at, host, |cx, store| async move {
            store.expect_push();
            cx.run(store.push(&blob, &tags)).await
        })
    }

    /// One piece of content in a file, which appears whole and checked or not at all.
    pub fn fetch_to(
        &self,
        from: &Location,
        descriptor: &Descriptor,
        path: impl AsRef<Path>,
        host: &mut dyn Host,
    ) -> Result<()> {
        let (descriptor, path) = (descriptor.clone(), path.as_ref().to_owned());
        self.store(from, host, |cx, store| async move { cx.run(store.fetch_to(&descriptor, &path)).await })
    }

    pub(super) fn store<T, F>(
        &self,
        at: &Location,
        host: &mut dyn Host,
        work: impl FnOnce(crate::context::Context, Arc<dyn Store>) -> F,
    ) -> Result<T>
    where
        F: Future<Output = Result<T>> + Send + 'static,
        T: Send + 'static,
    {
        let store = self.traced(at)?;
        self.runtime.wait(host, |cx| work(cx, store))
    }

    pub(super) fn traced(&self, at: &Location) -> Result<Arc<dyn Store>> {
        Ok(Arc::new(Traced::new(self.client.open(at)?)))
    }
}
