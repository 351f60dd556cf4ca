#![deny(clippy::missing_trait_methods)] // A wrapper that forgets a method would lose its context.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::TryStreamExt as _;

use crate::{
    error::{Error, Result},
    name::{Selector, Tag},
    oci::{Descriptor, MediaType},
    store::{Blob, BoxStream, ByteStream, Pushed, Store, TagMode, Traits},
};

/// Which side of a transfer a store stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Side {
    /// Content comes from here.
    Source,
    /// Content goes here.
    Destination,
}

/// A store whose errors say which operation failed, in which store, and on which side of a transfer: added here once, so
/// that no call site can forget it.
#[derive(Debug, Clone)]
pub struct Traced {
    inner: Arc<dyn Store>,
    side: Option<Side>,
}

impl Traced {
    /// Adds operation and store.
    pub fn new(inner: Arc<dyn Store>) -> Self {
        Self { inner, side: None }
    }

    /// Adds the side as well.
    pub fn on(inner: Arc<dyn Store>, side: Side) -> Self {
        Self { inner, side: Some(side) }
    }

    fn explain(&self, operation: &'static str) -> impl Fn(Error) -> Error + use<> {
        let (store, side) = (Arc::clone(&self.inner), self.side);
        move |error| {
            let error = error.with_operation(operation).with_context("store", &store);
            match side {
                None => error,
                Some(Side::Source) => error.with_context("side", "source"),
                Some(Side::Destination) => error.with_context("side", "destination"),
            }
        }
    }
}

impl fmt::Display for Traced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[async_trait]
impl Store for Traced {
    async fn resolve(&self, selector: &Selector) -> Result<Descriptor> {
        self.inner.resolve(selector).await.map_err(self.explain("resolve"))
    }

    async fn exists(&self, descriptor: &Descriptor) -> Result<bool> {
        self.inner.exists(descriptor).await.map_err(self.explain("exists"))
    }

    async fn fetch(&self, descriptor: &Descriptor) -> Result<ByteStream> {
        let stream = self.inner.fetch(descriptor).await.map_err(self.explain("fetch"))?;
        Ok(Box::pin(stream.map_err(self.explain("fetch"))))
    }

    async fn fetch_manifest(&self, selector: &Selector) -> Result<(Descriptor, Bytes)> {
        self.inner.fetch_manifest(selector).await.map_err(self.explain("fetch manifest"))
    }

    async fn push(&self, blob: &Blob, tags: &[(Tag, TagMode)]) -> Result<Pushed> {
        self.inner.push(blob, tags).await.map_err(self.explain("push"))
    }

    async fn tag(&self, descriptor: &Descriptor, tag: &Tag, mode: &TagMode) -> Result<()> {
        self.inner.tag(descriptor, tag, mode).await.map_err(self.explain("tag"))
    }

    async fn delete(&self, selector: &Selector) -> Result<()> {
        self.inner.delete(selector).await.map_err(self.explain("delete"))
    }

    fn tags(&self) -> BoxStream<'_, Tag> {
        Box::pin(self.inner.tags().map_err(self.explain("list tags")))
    }

    fn referrers<'a>(&'a self, subject: &'a Descriptor) -> BoxStream<'a, Descriptor> {
        Box::pin(self.inner.referrers(subject).map_err(self.explain("list referrers")))
    }

    fn referrers_of_type<'a>(
        &'a self,
        subject: &'a Descriptor,
        artifact_type: &'a MediaType,
    ) -> BoxStream<'a, Descriptor> {
        let found = self.inner.referrers_of_type(subject, artifact_type);
        Box::pin(found.map_err(self.explain("list referrers")))
    }

    fn traits(&self) -> Traits<'_> {
        self.inner.traits()
    }

    fn expect_push(&self) {
        self.inner.expect_push();
    }
}
