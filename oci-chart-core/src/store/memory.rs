use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream;

use crate::{
    digest::Digest,
    error::Result,
    name::{Selector, Tag},
    oci::{Descriptor, MediaType},
    store::{
        Blob, BoxStream, ByteStream, Pushed, Store, TagMode, Target, Traits, Verdict, collect,
        content_stream, judge, missing_content, missing_manifest, missing_tag, reference, taggable, target,
        verified,
    },
};

/// A store in this process's memory, for tests, examples and short-lived assembly. Clones share the content.
///
/// # Examples
///
/// ```
/// use oci_chart_core::{oci::MediaType, store::{Blob, Memory, Store}};
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # runtime.block_on(async {
/// let store = Memory::default();
/// let blob = Blob::from_bytes(MediaType::EMPTY_JSON, "{}");
/// store.push(&blob, &[]).await?;
/// assert!(store.exists(blob.descriptor()).await?);
/// # Ok::<(), oci_chart_core::Error>(()) }).unwrap();
/// ```
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    blobs: HashMap<Digest, Bytes>,
    manifests: BTreeMap<Digest, (MediaType, Bytes)>,
    tags: BTreeMap<Tag, Digest>,
}

impl Memory {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock, and if it did, the maps would still be whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn find(&self, selector: &Selector) -> Result<(Descriptor, Bytes)> {
        let digest = match target(selector)? {
            Target::Tag(tag) => self.tags.get(tag).ok_or_else(|| missing_tag(tag))?,
            Target::Digest(digest) => digest,
        };
        let (media_type, bytes) = self.manifests.get(digest).ok_or_else(|| missing_manifest(digest))?;
        Ok((Descriptor::new(media_type.clone(), *digest, bytes.len() as u64), bytes.clone()))
    }

    fn point(&mut self, digest: Digest, tags: &[(Tag, TagMode)]) -> Result<()> {
        let mut writes = Vec::with_capacity(tags.len());
        for (tag, mode) in tags {
            if judge(mode, tag, self.tags.get(tag), &digest)? == Verdict::Write {
                writes.push(tag);
            }
        }
        self.tags.extend(writes.into_iter().map(|tag| (tag.clone(), digest)));
        Ok(())
    }
}

#[async_trait]
impl Store for Memory {
    async fn resolve(&self, selector: &Selector) -> Result<Descriptor> {
        self.state().find(selector).map(|(descriptor, _)| descriptor)
    }

    async fn exists(&self, descriptor: &Descriptor) -> Result<bool> {
        let state = self.state();
        Ok(if descriptor.media_type.is_manifest() {
            state.manifests.contains_key(&descriptor.digest)
        } else {
            state.blobs.contains_key(&descriptor.digest)
        })
    }

    async fn fetch(&self, descriptor: &Descriptor) -> Result<ByteStream> {
        let bytes = {
            let state = self.state();
            if descriptor.media_type.is_manifest() {
                state.manifests.get(&descriptor.digest).map(|(_, bytes)| bytes).cloned()
            } else {
                state.blobs.get(&descriptor.digest).cloned()
            }
        };
        let bytes = bytes.ok_or_else(|| missing_content(descriptor))?;
        Ok(verified(content_stream(&bytes.into()), descriptor))
    }

    async fn fetch_manifest(&self, selector: &Selector) -> Result<(Descriptor, Bytes)> {
        self.state().find(selector)
    }

    async fn push(&self, blob: &Blob, tags: &[(Tag, TagMode)]) -> Result<Pushed> {
        let descriptor = blob.descriptor();
        let manifest = taggable(descriptor, tags)?;
        let existing = self.exists(descriptor).await?;
        let bytes =
            if existing { Bytes::new() } else { collect(blob.open().await?, descriptor.size).await? };
        let mut state = self.state();
        state.point(descriptor.digest, tags)?;
        if existing {
            return Ok(Pushed::Existing);
        }
        if manifest {
            state.manifests.insert(descriptor.digest, (descriptor.media_type.clone(), bytes));
        } else {
            state.blobs.insert(descriptor.digest, bytes);
        }
        Ok(Pushed::Written)
    }

    async fn tag(&self, descriptor: &Descriptor, tag: &Tag, mode: &TagMode) -> Result<()> {
        let mut state = self.state();
        state.find(&Selector::Digest(descriptor.digest))?;
        state.point(descriptor.digest, &[(tag.clone(), *mode)])
    }

    async fn delete(&self, selector: &Selector) -> Result<()> {
        let mut state = self.state();
        match target(selector)? {
            Target::Tag(tag) => state.tags.remove(tag).map(drop).ok_or_else(|| missing_tag(tag)),
            Target::Digest(digest) if state.manifests.remove(digest).is_some() => {
                state.tags.retain(|_, target| target != digest);
                Ok(())
            }
            Target::Digest(digest) => {
                state.blobs.remove(digest).map(drop).ok_or_else(|| missing_manifest(digest))
            }
        }
    }

    fn tags(&self) -> BoxStream<'_, Tag> {
        let tags: Vec<_> = self.state().tags.keys().cloned().map(Ok).collect();
        Box::pin(stream::iter(tags))
    }

    fn referrers<'a>(&'a self, subject: &'a Descriptor) -> BoxStream<'a, Descriptor> {
        let state = self.state();
        let all = state.manifests.iter().filter_map(|(digest, (media_type, bytes))| {
            reference(&Descriptor::new(media_type.clone(), *digest, bytes.len() as u64), bytes)
        });
        let referrers: Vec<_> =
            all.filter(|found| found.subject == subject.digest).map(|found| Ok(found.referrer)).collect();
        Box::pin(stream::iter(referrers))
    }

    fn traits(&self) -> Traits<'_> {
        Traits::atomic()
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("memory")
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        let (manifests, blobs, tags) = (state.manifests.len(), state.blobs.len(), state.tags.len());
        write!(f, "Memory({manifests} manifests, {blobs} blobs, {tags} tags)")
    }
}
