//! A store in front of another that keeps what was read.

#![deny(clippy::missing_trait_methods)] // A wrapper that forgets a method would answer for another store.

mod cache;
mod entry;
mod keep;

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;

use crate::{
    digest::Digest,
    error::Result,
    name::{Selector, Tag},
    oci::{Descriptor, MediaType},
    store::{Blob, BoxStream, ByteStream, Pushed, Store, TagMode, Target, Traits, target},
};

pub use cache::{Cache, CacheUsage};

/// A store whose content is kept in a [`Cache`] as it is read: what is asked for by digest a second time costs the other store nothing, and a
/// tag whose manifest is there only a look where it points.
///
/// Everything that comes out of the cache is held against its digest first; what does not fit is dropped and fetched anew. Whether content
/// exists, tags, lists and all that is written go to the other store. A cache that cannot be read or written is like none.
#[derive(Debug, Clone)]
pub struct Cached {
    inner: Arc<dyn Store>,
    cache: Cache,
}

impl Cached {
    /// `inner` behind `cache`.
    pub fn new(inner: Arc<dyn Store>, cache: Cache) -> Self {
        Self { inner, cache }
    }

    async fn fetch_tagged(&self, selector: &Selector, tag: &Tag) -> Result<(Descriptor, Bytes)> {
        let store = self.inner.to_string();
        if let Some(before) = self.cache.last_seen(&store, tag).await
            && self.cache.manifest(&before).await.is_some()
        {
            let now = self.inner.resolve(selector).await?;
            if now.digest != before {
                self.cache.see(&store, tag, &now.digest).await;
            }
            return self.fetch_by_digest(&now.digest).await;
        }
        let found = self.inner.fetch_manifest(selector).await?;
        self.cache.keep_manifest(&found.0, &found.1).await;
        self.cache.see(&store, tag, &found.0.digest).await;
        Ok(found)
    }

    async fn fetch_by_digest(&self, digest: &Digest) -> Result<(Descriptor, Bytes)> {
        if let Some(found) = self.cache.manifest(digest).await {
            return Ok(found);
        }
        let found = self.inner.fetch_manifest(&Selector::Digest(*digest)).await?;
        self.cache.keep_manifest(&found.0, &found.1).await;
        Ok(found)
    }
}

#[async_trait]
impl Store for Cached {
    async fn resolve(&self, selector: &Selector) -> Result<Descriptor> {
        if let Target::Digest(digest) = target(selector)?
            && let Some((descriptor, _)) = self.cache.manifest(digest).await
        {
            return Ok(descriptor);
        }
        self.inner.resolve(selector).await
    }

    async fn exists(&self, descriptor: &Descriptor) -> Result<bool> {
        self.inner.exists(descriptor).await
    }

    async fn fetch(&self, descriptor: &Descriptor) -> Result<ByteStream> {
        match self.cache.content(descriptor).await {
            Some(bytes) => Ok(bytes),
            None => Ok(self.cache.keep(self.inner.fetch(descriptor).await?, descriptor)),
        }
    }

    async fn fetch_manifest(&self, selector: &Selector) -> Result<(Descriptor, Bytes)> {
        match target(selector)? {
            Target::Digest(digest) => self.fetch_by_digest(digest).await,
            Target::Tag(tag) => self.fetch_tagged(selector, tag).await,
        }
    }

    async fn push(&self, blob: &Blob, tags: &[(Tag, TagMode)]) -> Result<Pushed> {
        self.inner.push(blob, tags).await
    }

    async fn tag(&self, descriptor: &Descriptor, tag: &Tag, mode: &TagMode) -> Result<()> {
        self.inner.tag(descriptor, tag, mode).await
    }

    async fn delete(&self, selector: &Selector) -> Result<()> {
        self.inner.delete(selector).await?;
        if let Target::Digest(digest) = target(selector)? {
            self.cache.forget(digest).await;
        }
        Ok(())
    }

    fn tags(&self) -> BoxStream<'_, Tag> {
        self.inner.tags()
    }

    fn referrers<'a>(&'a self, subject: &'a Descriptor) -> BoxStream<'a, Descriptor> {
        self.inner.referrers(subject)
    }

    fn referrers_of_type<'a>(
        &'a self,
        subject: &'a Descriptor,
        artifact_type: &'a MediaType,
    ) -> BoxStream<'a, Descriptor> {
        self.inner.referrers_of_type(subject, artifact_type)
    }

    fn traits(&self) -> Traits<'_> {
        self.inner.traits()
    }

    fn expect_push(&self) {
        self.inner.expect_push();
    }
}

impl fmt::Display for Cached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
