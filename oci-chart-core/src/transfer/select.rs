use futures_util::TryStreamExt as _;

use crate::{
    context::Context,
    error::{Error, ErrorKind, Reason, Result},
    limits::Limits,
    name::{AvailableVersions, Selector, Tag},
    store::Store,
};

/// Turns what a caller asks for into what a store can look up, by Helm's rules (4.2, `Client.ValidateReference`).
///
/// A tag or digest stays as it is and costs nothing. A range lists the tags and takes the newest version that satisfies it. A digest beside
/// a tag is the digest, unless the tag exists and points elsewhere.
///
/// # Errors
///
/// [`ErrorKind::NotFound`] with reason `version-not-found` (the nearest versions are in the context), [`ErrorKind::Conflict`] where tag and
/// digest disagree.
pub async fn select(
    cx: &Context,
    store: &dyn Store,
    selector: &Selector,
    limits: &Limits,
) -> Result<Selector> {
    match selector {
        Selector::Range(range) => {
            let available: AvailableVersions = cx.run(list(store, limits)).await?.into_iter().collect();
            let version = available.select(&range.to_string())?;
            Ok(Selector::Tag(version.to_tag()?))
        }
        Selector::Pinned { tag, digest } => {
            match cx.run(store.resolve(&Selector::Tag(tag.clone()))).await {
                Ok(found) if found.digest != *digest => {
                    return Err(Error::new(
                        ErrorKind::Conflict,
                        "the tag does not point at the digest beside it",
                    )
                    .with_reason(Reason::TagMoved)
                    .with_context("tag", tag)
                    .with_context("expected", digest)
                    .with_context("actual", found.digest)
                    .with_hint("the tag was moved; ask for the digest alone to have the old content"));
                }
                Err(error) if error.kind() == ErrorKind::Cancelled => return Err(error),
                // As in Helm, the tag need not exist.
                Ok(_) | Err(_) => {}
            }
            Ok(Selector::Digest(*digest))
        }
        known => Ok(known.clone()),
    }
}

pub(super) async fn list(store: &dyn Store, limits: &Limits) -> Result<Vec<Tag>> {
    let limit = limits.tags as usize;
    let mut tags = Vec::new();
    let mut stream = store.tags();
    while let Some(tag) = stream.try_next().await? {
        if tags.len() == limit {
            return Err(Error::limit("tags", limit, "the repository has too many tags"));
        }
        tags.push(tag);
    }
    Ok(tags)
}
