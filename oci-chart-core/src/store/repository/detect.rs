use reqwest::{Method, StatusCode};

use super::{
    Repository,
    capabilities::{Capabilities, Feature, Support},
    catalog::CatalogPage,
    page::Lister,
    registry::Registry,
};
use crate::{
    auth::Scope,
    digest::Digest,
    error::{ErrorKind, Result},
    http::{Redirects, Request},
};

impl Repository {
    /// What was learnt about the registry so far. Nothing is sent.
    pub fn capabilities(&self) -> Capabilities {
        self.registry().learnt.capabilities()
    }

    /// Asks the registry what it can do, as far as that can be asked without changing anything: the referrers API, the catalog, page sizes, and
    /// whether it is Harbor. Four requests; the rest shows when it is used.
    ///
    /// # Errors
    ///
    /// What keeps the registry from being reached. That it refuses one of the questions is an answer.
    pub async fn detect(&self) -> Result<Capabilities> {
        // Of nothing, which has no referrers.
        match self.first_referrers(&Digest::of(""), None).await {
            Err(error) if is_no_answer(error.kind()) => return Err(error),
            _ => {}
        }
        self.detect_pages().await;
        self.detect_catalog().await;
        is_harbor(self.registry()).await;
        Ok(self.capabilities())
    }

    async fn detect_pages(&self) {
        let page = self.lister().page::<super::tags::TagPage>(self.url("tags/list", Some("n=1"))).await;
        if let Ok(Ok(page)) = page {
            let more = page.next.is_some();
            match page.items.len() {
                2.. => self.registry().learnt.learn(Feature::PageSize, false),
                1 if more => self.registry().learnt.learn(Feature::PageSize, true),
                _ => {}
            }
        }
    }

    async fn detect_catalog(&self) {
        let mut url = self.registry().base().clone();
        url.set_path(&format!("{}_catalog", self.registry().base().path()));
        url.set_query(Some("n=1"));
        let lister = Lister::new(self.registry_handle(), Scope::parse("registry:catalog:*"));
        match lister.page::<CatalogPage>(url).await {
            Ok(found) => self.registry().learnt.learn(Feature::Catalog, found.is_ok()),
            Err(error) if !is_no_answer(error.kind()) => {
                self.registry().learnt.learn(Feature::Catalog, false);
            }
            Err(_) => {}
        }
    }
}

/// Whether this is Harbor, which says so to everybody, below a path of its own. Asked until there is an answer; none is no.
pub(super) async fn is_harbor(registry: &Registry) -> bool {
    let learnt = &registry.learnt;
    if learnt.get(Feature::Harbor) == Support::Unknown {
        let mut url = registry.base().clone();
        url.set_path("/api/v2.0/ping");
        let request = Request::new(Method::GET, url).with_redirects(Redirects::Report);
        if let Ok(response) = registry.http().send(request).await {
            let found = response.status() == StatusCode::OK
                && response.bytes("answer_bytes", 64).await.is_ok_and(|body| body.trim_ascii() == b"Pong");
            learnt.learn(Feature::Harbor, found);
        }
    }
    learnt.has(Feature::Harbor)
}

fn is_no_answer(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Network
            | ErrorKind::Timeout
            | ErrorKind::Tls
            | ErrorKind::Unavailable
            | ErrorKind::RateLimited
            | ErrorKind::Cancelled
    )
}
