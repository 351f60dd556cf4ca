use std::{collections::HashSet, sync::Arc};

use bytes::Bytes;
use futures_util::{TryStreamExt as _, stream};
use reqwest::{
    Method, StatusCode, Url,
    header::{ACCEPT, CONTENT_TYPE, HeaderValue, LINK},
};
use serde::de::DeserializeOwned;

use super::{capabilities::Feature, names::Names, registry::Registry};
use crate::{
    auth::Scope,
    digest::Digest,
    error::{Error, ErrorKind, Reason, Result},
    http::{Request, Response, wire},
    json,
    redact::RedactedUrl,
    store::BoxStream,
};

/// Pages without anything new before the registry is taken for broken: some filter what they list page by page.
const EMPTY_PAGES: u32 = 100;

/// Entries that a page is asked for. More is an error to ECR and others.
const PAGE: usize = 1000;

/// A list that a registry gives in pages.
pub(super) trait Listing: DeserializeOwned + Send + 'static {
    type Item: Send + Sync + 'static;

    /// The media type of a page, where answers of another type are no pages.
    const MEDIA_TYPE: Option<&'static str>;

    /// Reads a page, which is an object unless it says otherwise.
    fn read(text: &[u8]) -> serde_json::Result<Self> {
        json::object(text)
    }

    /// The names on the page as the registry wrote them, where the next page can be asked for by the last of them.
    fn names(&self) -> Option<&Names> {
        None
    }

    /// What is on the page, of which nobody looks at more than `most`.
    fn items(self, most: usize) -> Vec<Self::Item>;
}

/// One page, and where the next one is.
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    pub(super) next: Option<Url>,
    /// Whether only entries of the wanted type are there.
    pub(super) is_filtered: bool,
    first: Option<String>,
    last: Option<String>,
    names: usize,
}

impl<T> Page<T> {
    /// A list of one page.
    pub(super) fn only(items: Vec<T>) -> Self {
        Self { items, next: None, is_filtered: false, first: None, last: None, names: 0 }
    }
}

/// A page before it is read.
struct Fetched {
    bytes: Bytes,
    next: Option<Url>,
    is_filtered: bool,
    /// The error of a page that cannot be read.
    broken: Error,
}

/// Reads lists of one registry.
#[derive(Clone)]
pub(super) struct Lister {
    registry: Arc<Registry>,
    /// What the list asks for; none where it is not one of the distribution API.
    scope: Option<Scope>,
}

impl Lister {
    pub(super) fn new(registry: Arc<Registry>, scope: Scope) -> Self {
        Self { registry, scope: Some(scope) }
    }

    /// For lists that want a password instead of a token.
    pub(super) fn with_password(registry: Arc<Registry>) -> Self {
        Self { registry, scope: None }
    }

    /// All of the list at `url`, in pages as large as they may be; the answer where there is no such list.
    pub(super) async fn all<L: Listing>(
        &self,
        url: Url,
    ) -> Result<Result<BoxStream<'static, L::Item>, Response>> {
        let learnt = &self.registry.learnt;
        if learnt.lacks(Feature::PageSize) {
            return Ok(self.page::<L>(url).await?.map(|first| self.rest::<L>(first, None)));
        }
        let mut sized = url.clone();
        sized.query_pairs_mut().append_pair("n", &PAGE.to_string());
        match self.page::<L>(sized.clone()).await {
            Ok(found) => Ok(found.map(|first| self.rest::<L>(first, Some(sized)))),
            Err(error) if error.get("status") == Some("400") => {
                let found = self.page::<L>(url).await?;
                learnt.learn(Feature::PageSize, false);
                Ok(found.map(|first| self.rest::<L>(first, None)))
            }
            Err(error) => Err(error),
        }
    }

    /// The page at `url`; the answer where there is nothing.
    pub(super) async fn page<L: Listing>(&self, url: Url) -> Result<Result<Page<L::Item>, Response>> {
        let Fetched { bytes, next, is_filtered, broken } = match self.fetch(url, L::MEDIA_TYPE).await? {
            Ok(fetched) => fetched,
            Err(response) => return Ok(Err(response)),
        };
        let page = L::read(&bytes).map_err(|error| broken.with_source(error))?;
        let names = page.names();
        let first = names.and_then(|names| names.iter().next().map(str::to_owned));
        let last = names.and_then(|names| names.iter().next_back().map(str::to_owned));
        let names = names.map_or(0, Names::len);
        // One more than the list may have is as much too long as a million more.
        let most = self.registry.limits().tags.saturating_add(1) as usize;
        Ok(Ok(Page { items: page.items(most), next, is_filtered, first, last, names }))
    }

    /// What every list has in common.
    async fn fetch(&self, url: Url, media_type: Option<&'static str>) -> Result<Result<Fetched, Response>> {
        let accept = HeaderValue::from_static(media_type.unwrap_or("application/json"));
        let limit = self.registry.limits().answer_bytes;
        let make = || {
            Ok(Request::new(Method::GET, url.clone())
                .with_header(ACCEPT, accept.clone())
                .with_whole_answer("answer_bytes", limit))
        };
        let response = match &self.scope {
            Some(scope) => self.registry.send(scope, &make).await?,
            None => self.registry.auth().send_with_password(make()?).await?,
        };
        let foreign = media_type.is_some_and(|wanted| {
            response.header(CONTENT_TYPE).is_none_or(|found| wire::essence(found) != wanted)
        });
        match response.status() {
            StatusCode::OK if !foreign => {}
            StatusCode::OK | StatusCode::NOT_FOUND => return Ok(Err(response)),
            _ => return Err(response.refused().await),
        }
        let links = response.headers().get_all(LINK).iter();
        let next = links.filter_map(|link| link.to_str().ok()).find_map(wire::next_page);
        // Held against where the list was asked for: one that a redirect brought from elsewhere must not lead a login there.
        let next = match next.map(|next| wire::same_origin_location(&url, next)).transpose() {
            Ok(next) => next,
            Err(error) => return Err(response.explain(error.into())),
        };
        let is_filtered = response
            .header("oci-filters-applied")
            .is_some_and(|applied| applied.split(',').any(|one| one.trim() == "artifactType"));
        let broken = response.broken("the registry's list cannot be read", Reason::MalformedAnswer);
        let bytes = response.bytes("answer_bytes", limit).await?;
        Ok(Ok(Fetched { bytes, next, is_filtered, broken }))
    }

    /// Everything from `first` on. `sized` is where it was found, if pages of our size were asked for there.
    pub(super) fn rest<L: Listing>(
        &self,
        first: Page<L::Item>,
        sized: Option<Url>,
    ) -> BoxStream<'static, L::Item> {
        let limit = self.registry.limits().tags;
        let read = sized.iter().map(|url| Digest::of(url.as_str())).collect();
        let walk =
            Walk { lister: self.clone(), page: first, given: false, sized, read, seen: 0, empty: 0, limit };
        let pages = stream::try_unfold(walk, |mut walk| async move {
            if walk.given {
                // Whoever takes what is ready has a page now, and the next one is not asked for before he comes back.
                tokio::task::yield_now().await;
                let Some(next) = walk.following::<L>().await? else { return Ok::<_, Error>(None) };
                walk.page = next;
            }
            walk.given = true;
            walk.count(walk.page.items.len())?;
            let items = std::mem::take(&mut walk.page.items);
            Ok(Some((stream::iter(items.into_iter().map(Ok::<_, Error>)), walk)))
        });
        Box::pin(pages.try_flatten())
    }
}

struct Walk<T> {
    lister: Lister,
    page: Page<T>,
    /// Whether the items of this page were given out.
    given: bool,
    sized: Option<Url>,
    /// Where pages were: of addresses as long as a registry likes, and as many.
    read: HashSet<Digest>,
    seen: u32,
    empty: u32,
    limit: u32,
}

impl<T> Walk<T> {
    /// The next page, where there is one.
    async fn following<L: Listing<Item = T>>(&mut self) -> Result<Option<Page<T>>> {
        let Some(next) = self.page.next.take() else { return self.beyond::<L>(&self.page).await };
        if !self.read.insert(Digest::of(next.as_str())) {
            let error = endless("a page of the registry's list leads back to an earlier one");
            return Err(error.with_context("url", RedactedUrl::new(next.as_str())));
        }
        match self.lister.page::<L>(next).await? {
            Ok(page) => Ok(Some(page)),
            Err(response) => Err(response.refused().await),
        }
    }

    /// What follows a full page without a link: more, if the registry pages and does not say so (distribution spec, "Listing Tags").
    async fn beyond<L: Listing<Item = T>>(&self, page: &Page<T>) -> Result<Option<Page<T>>> {
        let (Some(url), Some(last), PAGE) = (&self.sized, &page.last, page.names) else { return Ok(None) };
        let mut url = url.clone();
        url.query_pairs_mut().append_pair("last", last);
        match self.lister.page::<L>(url).await {
            // One that takes no note of `last` gives the same page again.
            Ok(Ok(next)) if next.first == page.first || next.last == page.last => Ok(None),
            Ok(Ok(next)) => Ok(Some(next)),
            Ok(Err(response)) => {
                response.drain().await;
                Ok(None)
            }
            Err(error) if matches!(error.get("status"), Some("400" | "405" | "416")) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn count(&mut self, items: usize) -> Result<()> {
        self.seen = self.seen.saturating_add(u32::try_from(items).unwrap_or(u32::MAX));
        self.empty = if items == 0 { self.empty + 1 } else { 0 };
        if self.empty > EMPTY_PAGES {
            return Err(endless("the registry's list goes on and on with nothing on its pages"));
        }
        if self.seen > self.limit {
            return Err(Error::limit("tags", self.limit, "the registry's list is too long"));
        }
        Ok(())
    }
}

fn endless(message: &'static str) -> Error {
    Error::new(ErrorKind::Protocol, message).with_reason(Reason::MalformedAnswer)
}

/// Whether `error` says that the registry has no such interface, rather than that this caller may not use it.
pub(super) fn is_no_interface(error: &Error) -> bool {
    error.kind() == ErrorKind::Unsupported
}
