use std::collections::VecDeque;

use bytes::Bytes;

use super::{nearest::with_nearest, select};
use crate::{
    context::Context,
    digest::Digest,
    error::{Error, ErrorKind, Reason, Result},
    limits::Limits,
    name::Selector,
    oci::{ChartParts, Descriptor, Index, Manifest, MediaType},
    store::Store,
};

/// The most manifests that are looked at behind an index.
const MOST_MANIFESTS: usize = 64;

/// The chart that `selector` names. That may be an index, which lists images beside the chart, or further indexes.
pub(super) async fn find(
    cx: &Context,
    from: &dyn Store,
    selector: &Selector,
    limits: &Limits,
) -> Result<(Manifest, ChartParts)> {
    let Resolved { descriptor, bytes, .. } = resolve(cx, from, selector, limits).await?;
    chart_in(from, descriptor, bytes).await
}

/// What a selector came to.
pub(super) struct Resolved {
    /// The tag or digest.
    #[cfg_attr(not(feature = "sign"), expect(dead_code, reason = "only a check of signatures asks"))]
    pub(super) selector: Selector,
    pub(super) descriptor: Descriptor,
    pub(super) bytes: Bytes,
}

/// Asks the store what `selector` names: the one time that this is done.
pub(super) async fn resolve(
    cx: &Context,
    from: &dyn Store,
    selector: &Selector,
    limits: &Limits,
) -> Result<Resolved> {
    let selector = select(cx, from, selector, limits).await?;
    let (descriptor, bytes) = match from.fetch_manifest(&selector).await {
        Ok(found) => found,
        Err(error) => return Err(with_nearest(cx, from, &selector, limits, error).await),
    };
    Ok(Resolved { selector, descriptor, bytes })
}

/// The chart in a manifest or index.
pub(super) async fn chart_in(
    from: &dyn Store,
    descriptor: Descriptor,
    bytes: Bytes,
) -> Result<(Manifest, ChartParts)> {
    if !descriptor.media_type.is_index() {
        let manifest = Manifest::parse(&descriptor, bytes)?;
        let parts = ChartParts::from_manifest(&manifest)?;
        return Ok((manifest, parts));
    }
    let mut open = VecDeque::from(children(&descriptor, bytes, MOST_MANIFESTS + 1)?);
    let mut found: Option<(Manifest, ChartParts)> = None;
    let mut seen = 0;
    while let Some(child) = open.pop_front() {
        seen += 1;
        if seen > MOST_MANIFESTS {
            return Err(Error::limit(
                "manifests of an index",
                MOST_MANIFESTS,
                "the index lists too many manifests",
            )
            .with_context("index", descriptor.digest)
            .with_hint("ask for the chart's own manifest by its digest"));
        }
        let (child, bytes) = from.fetch_manifest(&Selector::Digest(child)).await?;
        if child.media_type.is_index() {
            open.extend(children(&child, bytes, MOST_MANIFESTS + 1 - seen)?);
            continue;
        }
        let manifest = Manifest::parse(&child, bytes)?;
        let Ok(parts) = ChartParts::from_manifest(&manifest) else { continue };
        if let Some((other, _)) = found.replace((manifest, parts))
            && other.descriptor().digest != child.digest
        {
            return Err(several(&descriptor, other.descriptor(), &child));
        }
    }
    found.ok_or_else(|| {
        Error::new(ErrorKind::InvalidManifest, "no manifest of the index is a chart")
            .with_reason(Reason::NotAChart)
            .with_context("index", descriptor.digest)
            .with_hint("this reference holds something else than a Helm chart, an image for example")
    })
}

/// The first so many manifests and indexes that an index lists. Helm skips everything else, Docker's manifests too.
fn children(index: &Descriptor, bytes: Bytes, most: usize) -> Result<Vec<Digest>> {
    let index = Index::parse(index, bytes)?;
    let wanted = index.manifests().iter().filter(|child| {
        child.media_type == MediaType::OCI_INDEX || child.media_type == MediaType::OCI_MANIFEST
    });
    Ok(wanted.take(most).map(|child| child.digest).collect())
}

/// Which of them is meant nobody can know. Helm takes the one whose bytes came last, so another from one pull to the next.
fn several(index: &Descriptor, one: &Descriptor, other: &Descriptor) -> Error {
    let message = format!("the index lists more than one chart: {} and {}", one.digest, other.digest);
    Error::new(ErrorKind::InvalidManifest, message)
        .with_reason(Reason::SeveralCharts)
        .with_context("index", index.digest)
        .with_hint("ask for one of them by its digest")
}
