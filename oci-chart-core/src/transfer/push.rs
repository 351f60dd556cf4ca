use std::{cmp::Reverse, sync::Arc};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::{Action, PushOutcome};
use crate::{
    context::{Context, Direction, Event, Transfer},
    digest::Digest,
    error::{Error, ErrorKind, Reason, Result},
    name::{Selector, Tag},
    oci::{ChartArtifact, ChartParts, Descriptor, Manifest},
    store::{Blob, Pushed, Side, Store, TagMode, Traced, Verdict, judge, tag_exists},
};

/// How an artifact is pushed.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PushOptions {
    /// What may happen if the version exists.
    ///
    /// - [`Create`](TagMode::Create), the default: refused, naming both digests.
    /// - [`Ensure`](TagMode::Ensure): fine if it is this manifest or one with the same chart layer; else refused.
    /// - [`Replace`](TagMode::Replace): replaced, without looking first.
    /// - [`Expect`](TagMode::Expect): replaced if it is the digest that the caller knows.
    pub mode: TagMode,
    /// More tags for the same manifest, written last. They are moved wherever they point.
    pub channels: Vec<Tag>,
    /// How many blobs are sent at a time; at least 1. Default: 2, for a connection more costs more than a chart's blobs take.
    pub parallel: usize,
}

impl Default for PushOptions {
    fn default() -> Self {
        Self { mode: TagMode::Create, channels: Vec::new(), parallel: 2 }
    }
}

impl PushOptions {
    /// Options with another mode.
    #[must_use]
    pub fn with_mode(mut self, mode: TagMode) -> Self {
        self.mode = mode;
        self
    }

    /// Options with one more tag.
    #[must_use]
    pub fn with_channel(mut self, tag: Tag) -> Self {
        self.channels.push(tag);
        self
    }
}

/// Puts a chart into a store under its version's tag: blobs first and in parallel, the manifest last, so that nobody sees half of it.
///
/// A registry has no conditional write: another push of the same version between our look and our write is noticed only where
/// [`TagMode::Expect`] looks again. Memory and layouts decide and write in one step.
///
/// # Errors
///
/// [`ErrorKind::AlreadyExists`] and [`ErrorKind::Conflict`] from the mode, and whatever the store says, with `side: destination`. After an error
/// no tag points at anything new; blobs that were already sent stay and are found by the next attempt.
pub async fn push(
    cx: &Context,
    artifact: &ChartArtifact,
    to: &Arc<dyn Store>,
    options: &PushOptions,
) -> Result<PushOutcome> {
    let to = Traced::on(Arc::clone(to), Side::Destination);
    let work = push_to(cx, artifact, &to, options);
    cx.run(work).await.map_err(|error| error.with_operation("push"))
}

async fn push_to(
    cx: &Context,
    artifact: &ChartArtifact,
    to: &Traced,
    options: &PushOptions,
) -> Result<PushOutcome> {
    let tag = artifact.tag().clone();
    let descriptor = artifact.manifest().descriptor();
    to.expect_push();
    if options.mode != TagMode::Replace
        && let Some(found) = look(artifact, to, &tag, &options.mode).await?
    {
        // The digest says it all. Lengths that registries announce in answers to HEAD do not (Harbor's differ from those of GET).
        let same = found.digest == descriptor.digest;
        let (action, found) =
            if same { (Action::Unchanged, descriptor.clone()) } else { (Action::SameChart, found) };
        cx.emit(Event::Skipped(transfer(&found)));
        point(to, &found, &options.channels).await?;
        return Ok(PushOutcome { descriptor: found, tag, action });
    }
    send_content(cx, artifact, to, options.parallel).await?;
    // Looked at a moment ago; only a store that decides and writes in one step needs to look again.
    let atomic = to.traits().atomic_tags;
    let mode = if atomic { options.mode } else { TagMode::Replace };
    let mut tags = vec![(tag.clone(), mode)];
    tags.extend(options.channels.iter().map(|channel| (channel.clone(), TagMode::Replace)));
    let manifest = Blob::from_content(descriptor.clone(), artifact.manifest().bytes().clone().into());
    match send(cx, to, manifest.clone(), &tags).await {
        // A registry that said it had the blobs, and finds now that it has not: storage that lost some, or a cache that lied.
        Err(error) if error.reason() == Some(Reason::BlobMissing) => {
            cx.emit(Event::Warning(
                "the registry lacks blobs that it said it had; they are sent again".into(),
            ));
            send_blobs(cx, blobs(artifact).map(Blob::even_if_present), to, options.parallel).await?;
            send(cx, to, manifest, &tags).await?;
        }
        result => result?,
    }
    if let (TagMode::Expect(_), false) = (&options.mode, atomic) {
        look_again(to, &tag, &descriptor.digest).await?;
    }
    Ok(PushOutcome { descriptor: descriptor.clone(), tag, action: Action::Pushed })
}

/// Sends all but the manifest, so many blobs at a time.
pub(crate) async fn send_content(
    cx: &Context,
    artifact: &ChartArtifact,
    to: &Traced,
    parallel: usize,
) -> Result<()> {
    send_blobs(cx, blobs(artifact), to, parallel).await
}

fn blobs(artifact: &ChartArtifact) -> impl Iterator<Item = Blob> {
    artifact.blobs().map(|(descriptor, content)| Blob::from_content(descriptor.clone(), content))
}

async fn send_blobs(
    cx: &Context,
    blobs: impl Iterator<Item = Blob>,
    to: &Traced,
    parallel: usize,
) -> Result<()> {
    let mut blobs: Vec<_> = blobs.collect();
    // The first goes on the connection that is there, while others wait for one: what takes longest begins first.
    blobs.sort_by_key(|blob| Reverse(blob.descriptor().size));
    let sends: Vec<_> = blobs.into_iter().map(|blob| send(cx, to, blob, &[])).collect();
    stream::iter(sends).buffer_unordered(parallel.max(1)).try_collect::<()>().await
}

/// What the tag points at, if that makes the push needless; an error if the mode forbids the push.
pub(crate) async fn look(
    artifact: &ChartArtifact,
    to: &Traced,
    tag: &Tag,
    mode: &TagMode,
) -> Result<Option<Descriptor>> {
    let wanted = artifact.manifest().descriptor();
    let found = match to.resolve(&Selector::Tag(tag.clone())).await {
        Ok(found) => Some(found),
        // Without the project there is no use in going on.
        Err(error)
            if error.kind() == ErrorKind::NotFound && error.reason() != Some(Reason::ProjectMissing) =>
        {
            None
        }
        Err(error) => return Err(error),
    };
    let now = found.as_ref().map(|found| &found.digest);
    match (judge(mode, tag, now, &wanted.digest), found) {
        (Ok(Verdict::Write), _) => Ok(None),
        (Ok(Verdict::Keep), found) => Ok(found),
        (Err(_), Some(found)) if *mode == TagMode::Ensure => {
            let (found, bytes) = to.fetch_manifest(&Selector::Digest(found.digest)).await?;
            let there =
                Manifest::parse(&found, bytes).and_then(|manifest| ChartParts::from_manifest(&manifest));
            match there {
                Ok(parts) if parts.chart().digest == artifact.chart().digest => Ok(Some(found)),
                Ok(parts) => Err(tag_exists(tag, &found.digest, &wanted.digest)
                    .with_context("existing chart layer", parts.chart().digest)
                    .with_context("new chart layer", artifact.chart().digest)),
                Err(error) => Err(tag_exists(tag, &found.digest, &wanted.digest).with_source(error)),
            }
        }
        (Err(error), _) => Err(error),
    }
}

pub(crate) async fn look_again(to: &Traced, tag: &Tag, wanted: &Digest) -> Result<()> {
    let now = to.resolve(&Selector::Tag(tag.clone())).await?;
    if now.digest == *wanted {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Conflict, "somebody else moved the tag at the same time")
        .with_reason(Reason::TagMoved)
        .with_context("tag", tag)
        .with_context("expected", wanted)
        .with_context("actual", now.digest))
}

pub(crate) async fn point(to: &Traced, found: &Descriptor, channels: &[Tag]) -> Result<()> {
    for channel in channels {
        to.tag(found, channel, &TagMode::Replace).await?;
    }
    Ok(())
}

async fn send(cx: &Context, to: &Traced, blob: Blob, tags: &[(Tag, TagMode)]) -> Result<()> {
    if !cx.has_listener() {
        return to.push(&blob, tags).await.map(drop);
    }
    let transfer = transfer(blob.descriptor());
    let id = transfer.id;
    cx.emit(Event::Started(transfer.clone()));
    match to.push(&blob.watched(cx, id), tags).await? {
        Pushed::Written => cx.emit(Event::Finished { id }),
        Pushed::Existing | Pushed::Mounted => cx.emit(Event::Skipped(transfer)),
    }
    Ok(())
}

fn transfer(descriptor: &Descriptor) -> Transfer {
    Transfer::new(Direction::Push, descriptor.digest, descriptor.media_type.as_str(), descriptor.size)
}
