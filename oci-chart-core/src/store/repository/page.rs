use futures_util::{TryStreamExt as _, stream};
use reqwest::{
    Method, StatusCode, Url,
    header::{ACCEPT, CONTENT_TYPE, HeaderValue, LINK},
};
use serde::de::DeserializeOwned;

use super::Repository;
use crate::{
    error::{Error, Reason, Result},
    http::{Request, Response, wire},
    store::BoxStream,
};

/// Pages without anything new before the registry is taken for broken: some filter what they list page by page.
const EMPTY_PAGES: u32 = 100;

/// A list that a registry gives in pages.
pub(super) trait Listing: DeserializeOwned + Send + 'static {
    type Item: Send + 'static;

    /// The media type of a page, where answers of another type are no pages.
    const MEDIA_TYPE: Option<&'static str>;

    fn items(self) -> Vec<Self::Item>;
}

/// One page, and where the next one is.
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    pub(super) next: Option<Url>,
}

impl Repository {
    /// The page at `url`; `None` where there is nothing.
    pub(super) async fn page<L: Listing>(&self, url: Url) -> Result<Result<Page<L::Item>, Response>> {
        let accept = HeaderValue::from_static(L::MEDIA_TYPE.unwrap_or("application/json"));
        let limit = self.registry().limits().answer_bytes;
        let make = || {
            Ok(Request::new(Method::GET, url.clone())
                .with_header(ACCEPT, accept.clone())
                .with_whole_answer("answer_bytes", limit))
        };
        let response = self.send(self.reading(), make).await?;
        let foreign = L::MEDIA_TYPE.is_some_and(|wanted| {
            response.header(CONTENT_TYPE).is_none_or(|found| wire::essence(found) != wanted)
        });
        match response.status() {
            StatusCode::OK if !foreign => {}
            StatusCode::OK | StatusCode::NOT_FOUND => return Ok(Err(response)),
            _ => return Err(response.refused().await),
        }
        let links = response.headers().get_all(LINK).iter();
        let next = links.filter_map(|link| link.to_str().ok()).find_map(wire::next_page);
        let next = match next.map(|next| wire::same_origin_location(response.url(), next)).transpose() {
            Ok(next) => next,
            Err(error) => return Err(response.explain(error.into())),
        };
        let broken = response.broken("the registry's list cannot be read", Reason::MalformedAnswer);
        let bytes = response.bytes("answer_bytes", limit).await?;
        let page: L = serde_json::from_slice(&bytes).map_err(|error| broken.with_source(error))?;
        Ok(Ok(Page { items: page.items(), next }))
    }

    /// Everything from `first` on.
    pub(super) fn rest<L: Listing>(&self, first: Page<L::Item>) -> BoxStream<'static, L::Item> {
        let limit = self.registry().limits().tags;
        let walk = Walk { repository: self.clone(), page: Some(first), seen: 0, empty: 0, limit };
        let pages = stream::try_unfold(walk, |mut walk| async move {
            let Some(page) = walk.page.take() else { return Ok(None) };
            walk.count(page.items.len())?;
            if let Some(next) = page.next {
                walk.page = match walk.repository.page::<L>(next).await? {
                    Ok(page) => Some(page),
                    Err(response) => return Err(response.refused().await),
                };
            }
            Ok(Some((stream::iter(page.items.into_iter().map(Ok::<_, Error>)), walk)))
        });
        Box::pin(pages.try_flatten())
    }
}

struct Walk<T> {
    repository: Repository,
    page: Option<Page<T>>,
    seen: u32,
    empty: u32,
    limit: u32,
}

impl<T> Walk<T> {
    fn count(&mut self, items: usize) -> Result<()> {
        self.seen = self.seen.saturating_add(u32::try_from(items).unwrap_or(u32::MAX));
        self.empty = if items == 0 { self.empty + 1 } else { 0 };
        if self.seen > self.limit || self.empty > EMPTY_PAGES {
            return Err(Error::limit("tags", self.limit, "the registry's list does not end"));
        }
        Ok(())
    }
}
