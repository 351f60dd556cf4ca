//! An OCI image layout directory (image-spec 1.1, "OCI Image Layout Specification") as a store.

mod disk;
mod index;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream;

use crate::{
    content::Content,
    error::{Error, ErrorKind, Result},
    limits::Limits,
    name::{Selector, Tag},
    oci::Descriptor,
    store::{
        Blob, BoxStream, ByteStream, Pushed, Store, TagMode, Target, Traits, collect, content_stream,
        missing_content, missing_manifest, missing_tag, next, reference, taggable, target, verified,
    },
    threads::off_thread,
};
use disk::Disk;
use index::Index;

/// A directory that holds blobs by digest and an `index.json` that names manifests, as `skopeo`, `crane`, `regctl` and `oras` write it
/// too. A tag is the annotation `org.opencontainers.image.ref.name` of an index entry.
///
/// Every write is atomic (a temporary file in the layout, synchronised, then renamed), and changes of `index.json` take a lock file,
/// so that processes may share a layout. What other tools wrote into `index.json` stays.
///
/// # Errors
///
/// Beside those of [`Store`]: [`ErrorKind::InvalidInput`] with reason `bad-layout` where the files are no layout.
#[derive(Debug, Clone)]
pub struct Layout {
    disk: Arc<Disk>,
    limits: Limits,
}

impl Layout {
    /// The layout at `root`, which need not exist: the first push makes it.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { disk: Arc::new(Disk::new(root.into())), limits: Limits::default() }
    }

    /// The same layout under other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        self.disk.root()
    }

    /// Runs `work` on a thread that may block.
    async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Disk) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let disk = Arc::clone(&self.disk);
        let lost = || Err(Error::new(ErrorKind::Internal, "a file operation ended without a result"));
        off_thread(move || work(&disk)).await.unwrap_or_else(lost)
    }

    async fn read_manifest(&self, descriptor: &Descriptor) -> Result<Bytes> {
        let limit = self.limits.manifest_bytes;
        if descriptor.size > limit {
            return Err(Error::limit("manifest_bytes", limit, "the manifest is too large")
                .with_context("digest", descriptor.digest)
                .with_context("bytes", descriptor.size));
        }
        collect(self.fetch(descriptor).await?, descriptor.size).await
    }

    async fn all_referrers(&self, subject: &Descriptor) -> Result<Vec<Result<Descriptor>>> {
        let index = self.on_disk(Index::read).await?;
        let mut found: Vec<Descriptor> = Vec::new();
        for descriptor in index.manifests() {
            if descriptor.size > self.limits.manifest_bytes
                || found.iter().any(|one| one.digest == descriptor.digest)
            {
                continue;
            }
            let bytes = self.read_manifest(&descriptor).await?;
            found.extend(
                reference(&descriptor, &bytes)
                    .filter(|one| one.subject == subject.digest)
                    .map(|one| one.referrer),
            );
        }
        Ok(found.into_iter().map(Ok).collect())
    }
}

#[async_trait]
impl Store for Layout {
    async fn resolve(&self, selector: &Selector) -> Result<Descriptor> {
        match target(selector)? {
            Target::Tag(tag) => {
                let tag = tag.clone();
                self.on_disk(move |disk| Index::read(disk)?.tagged(&tag).ok_or_else(|| missing_tag(&tag)))
                    .await
            }
            Target::Digest(digest) => {
                let (digest, limit) = (*digest, self.limits.manifest_bytes);
                self.on_disk(move |disk| match Index::read(disk)?.by_digest(&digest) {
                    Some(descriptor) => Ok(descriptor),
                    None => disk.sniff_manifest(&digest, limit)?.ok_or_else(|| missing_manifest(&digest)),
                })
                .await
            }
        }
    }

    async fn exists(&self, descriptor: &Descriptor) -> Result<bool> {
        let (digest, size) = (descriptor.digest, descriptor.size);
        self.on_disk(move |disk| Ok(disk.size_of(&digest)? == Some(size))).await
    }

    async fn fetch(&self, descriptor: &Descriptor) -> Result<ByteStream> {
        let digest = descriptor.digest;
        let content = self
            .on_disk(move |disk| {
                let path = disk.path_of(&digest);
                if disk.size_of(&digest)?.is_some() { Content::from_path(path).map(Some) } else { Ok(None) }
            })
            .await?;
        let content = content.ok_or_else(|| missing_content(descriptor))?;
        Ok(verified(content_stream(&content), descriptor))
    }

    async fn fetch_manifest(&self, selector: &Selector) -> Result<(Descriptor, Bytes)> {
        let descriptor = self.resolve(selector).await?;
        let bytes = self.read_manifest(&descriptor).await?;
        Ok((descriptor, bytes))
    }

    async fn push(&self, blob: &Blob, tags: &[(Tag, TagMode)]) -> Result<Pushed> {
        let descriptor = blob.descriptor().clone();
        let manifest = taggable(&descriptor, tags)?;
        let existing = self.exists(&descriptor).await?;
        if manifest {
            // Refused before anything is written, and decided again under the lock.
            let (descriptor, tags) = (descriptor.clone(), tags.to_vec());
            self.on_disk(move |disk| Index::read(disk)?.point(&descriptor, &tags).map(drop)).await?;
        }
        if !existing {
            let mut stream = blob.open().await?;
            let mut file = self.on_disk(Disk::new_blob).await?;
            while let Some(piece) = next(&mut stream).await? {
                file = self.on_disk(move |_| file.write(&piece).map(|()| file)).await?;
            }
            let digest = descriptor.digest;
            self.on_disk(move |disk| disk.keep(file, &digest)).await?;
        }
        if manifest {
            let tags = tags.to_vec();
            self.on_disk(move |disk| Index::change(disk, |index| index.point(&descriptor, &tags))).await?;
        }
        Ok(if existing { Pushed::Existing } else { Pushed::Written })
    }

    async fn tag(&self, descriptor: &Descriptor, tag: &Tag, mode: &TagMode) -> Result<()> {
        let (known, tags) = (descriptor.clone(), [(tag.clone(), *mode)]);
        if !self.exists(descriptor).await? {
            return Err(missing_manifest(&descriptor.digest));
        }
        self.on_disk(move |disk| Index::change(disk, |index| index.point(&known, &tags))).await
    }

    async fn delete(&self, selector: &Selector) -> Result<()> {
        match target(selector)? {
            Target::Tag(tag) => {
                let tag = tag.clone();
                self.on_disk(move |disk| {
                    Index::change(
                        disk,
                        |index| if index.untag(&tag) { Ok(true) } else { Err(missing_tag(&tag)) },
                    )
                })
                .await
            }
            Target::Digest(digest) => {
                let digest = *digest;
                self.on_disk(move |disk| {
                    Index::change(disk, |index| Ok(index.remove(&digest)))?;
                    if disk.remove(&digest)? { Ok(()) } else { Err(missing_manifest(&digest)) }
                })
                .await
            }
        }
    }

    fn tags(&self) -> BoxStream<'_, Tag> {
        Box::pin(flatten(async { Ok(self.on_disk(Index::read).await?.tags().into_iter().map(Ok).collect()) }))
    }

    fn referrers<'a>(&'a self, subject: &'a Descriptor) -> BoxStream<'a, Descriptor> {
        Box::pin(flatten(self.all_referrers(subject)))
    }

    fn traits(&self) -> Traits<'_> {
        Traits::atomic()
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "oci-layout:{}", self.root().display())
    }
}

/// A stream of what `work` finds, once it is asked for.
fn flatten<T: Send>(
    work: impl Future<Output = Result<Vec<Result<T>>>> + Send,
) -> impl futures_core::Stream<Item = Result<T>> + Send {
    use futures_util::{FutureExt as _, StreamExt as _};
    work.into_stream().flat_map(|found| match found {
        Ok(items) => stream::iter(items),
        Err(error) => stream::iter(vec![Err(error)]),
    })
}
