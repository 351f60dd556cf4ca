use futures_util::{TryStreamExt as _, stream};
use serde::Deserialize;

use super::{
    Repository,
    names::Names,
    page::{Lister, Listing},
};
use crate::{
    error::{Error, ErrorKind, Reason, Result},
    name::Tag,
    store::BoxStream,
};

/// A page of `tags/list`. Registries write an empty list as `null`, too.
#[derive(Deserialize)]
pub(super) struct TagPage {
    #[serde(default)]
    tags: Option<Names>,
}

impl Listing for TagPage {
    type Item = Tag;

    const MEDIA_TYPE: Option<&'static str> = None;

    fn names(&self) -> Option<&Names> {
        self.tags.as_ref()
    }

    fn items(self, most: usize) -> Vec<Tag> {
        // What is no tag by the spec cannot be asked for either.
        let tags = self.tags.unwrap_or_default();
        tags.iter().filter_map(|tag| Tag::parse(tag).ok()).take(most).collect()
    }
}

impl Repository {
    pub(super) fn list_tags(&self) -> BoxStream<'_, Tag> {
        let all = async move {
            match self.lister().all::<TagPage>(self.url("tags/list", None)).await? {
                Ok(tags) => Ok::<_, Error>(tags),
                Err(response) => Err(self.absent(response, self.unknown()).await),
            }
        };
        Box::pin(stream::once(all).try_flatten())
    }

    /// Whether the tag list shows that there is no such tag: what a refused look at a tag leaves open.
    pub(super) async fn is_unlisted(&self, tag: &Tag) -> Result<bool> {
        let mut tags = self.list_tags();
        loop {
            match tags.try_next().await {
                Ok(Some(found)) if found == *tag => return Ok(false),
                Ok(Some(_)) => {}
                Ok(None) => return Ok(true),
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(true),
                Err(error) => return Err(error),
            }
        }
    }

    pub(super) fn lister(&self) -> Lister {
        Lister::new(self.registry_handle(), self.reading().clone())
    }

    fn unknown(&self) -> Error {
        Error::new(ErrorKind::NotFound, "no such repository")
            .with_reason(Reason::RepositoryMissing)
            .with_context("repository", self.address())
            .with_hint("check the repository's name; with charts, the chart's name is its last part")
    }
}
