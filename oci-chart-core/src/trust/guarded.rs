#![deny(clippy::missing_trait_methods)] // A wrapper that forgets a method would let something through.

use std::{
    collections::HashSet,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;

use super::{Policy, Subject, VerifyOptions, verify_subject};
use crate::{
    context::Context,
    digest::Digest,
    error::Result,
    name::{Selector, Tag},
    oci::{ChartParts, Descriptor, Index, Manifest, MediaType},
    process::PerProcess,
    store::{Blob, BoxStream, ByteStream, Pushed, Store, TagMode, Traits},
};

/// A store out of which only charts come that satisfy a policy, whoever asks and however: what
/// [`ClientBuilder::policy`](crate::ClientBuilder::policy) makes of every store that the client opens.
///
/// Charts and lists of manifests are checked when their manifest is fetched; what a checked list names needs no check of its own. Other
/// artifacts (signatures, SBOMs), blobs and writing are let through.
#[derive(Debug)]
pub struct Guarded {
    inner: Arc<dyn Store>,
    policy: Arc<Policy>,
    options: VerifyOptions,
    /// Manifests that were checked, or are named by one that was.
    known: PerProcess<Mutex<HashSet<Digest>>>,
}

/// How many digests are remembered; checking twice is right, too.
const MOST_KNOWN: usize = 10_000;

impl Guarded {
    /// Guards `store`.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a policy that makes no sense.
    pub fn new(store: Arc<dyn Store>, policy: Arc<Policy>, options: VerifyOptions) -> Result<Self> {
        policy.validate()?;
        Ok(Self { inner: store, policy, options, known: PerProcess::default() })
    }

    async fn check(&self, selector: &Selector, descriptor: &Descriptor, bytes: &Bytes) -> Result<()> {
        let mut named = Vec::new();
        if descriptor.media_type.is_index() {
            if let Ok(index) = Index::parse(descriptor, bytes.clone()) {
                named.extend(index.manifests().iter().map(|manifest| manifest.digest));
            }
        } else if Manifest::parse(descriptor, bytes.clone())
            .and_then(|manifest| ChartParts::from_manifest(&manifest))
            .is_err()
        {
            return Ok(());
        }
        let subject = Subject {
            descriptor: descriptor.clone(),
            manifest: bytes.clone(),
            asked: selector.clone(),
            resolved: selector.clone(),
        };
        if self.knows(&descriptor.digest) {
            // What it is was checked; what it is called may be new.
            return subject.check_version();
        }
        // Cancelling drops the whole call, this future with it.
        verify_subject(&Context::default(), &*self.inner, &subject, &self.policy, &self.options).await?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() > MOST_KNOWN {
            known.clear();
        }
        known.insert(descriptor.digest);
        known.extend(named);
        Ok(())
    }

    fn knows(&self, digest: &Digest) -> bool {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).contains(digest)
    }
}

impl fmt::Display for Guarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[async_trait]
impl Store for Guarded {
    async fn resolve(&self, selector: &Selector) -> Result<Descriptor> {
        self.inner.resolve(selector).await
    }

    async fn exists(&self, descriptor: &Descriptor) -> Result<bool> {
        self.inner.exists(descriptor).await
    }

    async fn fetch(&self, descriptor: &Descriptor) -> Result<ByteStream> {
        if descriptor.media_type.is_manifest() && !self.knows(&descriptor.digest) {
            let selector = Selector::Digest(descriptor.digest);
            let (found, bytes) = self.inner.fetch_manifest(&selector).await?;
            self.check(&selector, &found, &bytes).await?;
        }
        self.inner.fetch(descriptor).await
    }

    async fn fetch_manifest(&self, selector: &Selector) -> Result<(Descriptor, Bytes)> {
        let (descriptor, bytes) = self.inner.fetch_manifest(selector).await?;
        self.check(selector, &descriptor, &bytes).await?;
        Ok((descriptor, bytes))
    }

    async fn push(&self, blob: &Blob, tags: &[(Tag, TagMode)]) -> Result<Pushed> {
        self.inner.push(blob, tags).await
    }

    async fn tag(&self, descriptor: &Descriptor, tag: &Tag, mode: &TagMode) -> Result<()> {
        self.inner.tag(descriptor, tag, mode).await
    }

    async fn delete(&self, selector: &Selector) -> Result<()> {
        self.inner.delete(selector).await
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
