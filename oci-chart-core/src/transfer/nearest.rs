use super::select::list;
use crate::{
    context::Context,
    error::{Error, ErrorKind, Reason},
    limits::Limits,
    name::{AvailableVersions, Selector, Tag},
    store::Store,
};

/// How many tags an error suggests.
const SUGGESTIONS: usize = 5;

/// `error`, and where it says that a tag is missing, what there is instead: the tags around it, or that not even the repository is there. Costs a
/// list of tags, which only a failed call pays.
pub(super) async fn with_nearest(
    cx: &Context,
    store: &dyn Store,
    selector: &Selector,
    limits: &Limits,
    error: Error,
) -> Error {
    let Selector::Tag(tag) = selector else { return error };
    if error.kind() != ErrorKind::NotFound || error.reason() != Some(Reason::TagMissing) {
        return error;
    }
    match cx.run(list(store, limits)).await {
        Ok(tags) => suggest(error, tag, tags),
        Err(told) if told.kind() == ErrorKind::NotFound => told.with_context("tag", tag).with_source(error),
        Err(_) => error,
    }
}

fn suggest(error: Error, tag: &Tag, tags: Vec<Tag>) -> Error {
    let count = tags.len();
    let available: AvailableVersions = tags.into_iter().collect();
    let wanted = tag.as_str().replace('_', "+");
    let mut nearest = available.nearest(&wanted, SUGGESTIONS);
    if nearest.is_empty() {
        nearest = available.others().iter().take(SUGGESTIONS).cloned().collect();
    }
    if nearest.is_empty() {
        return error.with_hint("the repository has no tags at all");
    }
    let names: Vec<_> = nearest.iter().map(Tag::as_str).collect();
    let names = names.join(", ");
    let hint = format!("of {count} tags, the nearest are {names}; in a tag, the + of a version is written _");
    error.with_context("nearest", names).with_hint(hint)
}
