use futures_util::{TryStreamExt as _, stream};
use serde::Deserialize;

use super::{Repository, page::Listing};
use crate::{
    error::{Error, ErrorKind, Reason},
    name::Tag,
    store::BoxStream,
};

/// A page of `tags/list`. Registries write an empty list as `null`, too.
#[derive(Deserialize)]
struct TagPage {
    #[serde(default)]
    tags: Option<Vec<String>>,
}

impl Listing for TagPage {
    type Item = Tag;

    const MEDIA_TYPE: Option<&'static str> = None;

    fn items(self) -> Vec<Tag> {
        // What is no tag by the spec cannot be asked for either.
        self.tags.unwrap_or_default().iter().filter_map(|tag| Tag::parse(tag).ok()).collect()
    }
}

impl Repository {
    pub(super) fn list_tags(&self) -> BoxStream<'_, Tag> {
        let all = async move {
            match self.page::<TagPage>(self.url("tags/list", None)).await? {
                Ok(first) => Ok::<_, Error>(self.rest::<TagPage>(first)),
                Err(response) => Err(response.refused_as(self.unknown()).await),
            }
        };
        Box::pin(stream::once(all).try_flatten())
    }

    fn unknown(&self) -> Error {
        Error::new(ErrorKind::NotFound, "no such repository")
            .with_reason(Reason::RepositoryMissing)
            .with_context("repository", self.address())
            .with_hint("check the repository's name; with charts, the chart's name is its last part")
    }
}
