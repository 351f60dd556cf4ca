use std::sync::Arc;

use futures_util::{TryStreamExt as _, stream};
use serde::Deserialize;

use super::{
    capabilities::Feature,
    detect::is_harbor,
    names::Names,
    page::{Lister, Listing},
    registry::Registry,
};
use crate::{
    auth::Scope,
    error::{Error, ErrorKind, Reason, Result},
    json::Object,
    name::RepositoryName,
    store::BoxStream,
};

/// A page of `_catalog`.
#[derive(Deserialize)]
pub(super) struct CatalogPage {
    #[serde(default)]
    repositories: Option<Names>,
}

impl Listing for CatalogPage {
    type Item = RepositoryName;

    const MEDIA_TYPE: Option<&'static str> = None;

    fn names(&self) -> Option<&Names> {
        self.repositories.as_ref()
    }

    fn items(self, most: usize) -> Vec<RepositoryName> {
        let names = self.repositories.unwrap_or_default();
        names.iter().filter_map(|name| RepositoryName::parse(name).ok()).take(most).collect()
    }
}

/// Repositories that Harbor is asked for at once; it gives no more than 100.
const HARBOR_PAGE: usize = 100;

/// A page of Harbor's list (`listAllRepositories` in Harbor's `swagger.yaml`).
#[derive(Deserialize)]
#[serde(transparent)]
struct HarborPage(Vec<Object<HarborRepository>>);

#[derive(Deserialize)]
struct HarborRepository {
    name: String,
}

impl Listing for HarborPage {
    type Item = RepositoryName;

    const MEDIA_TYPE: Option<&'static str> = None;

    fn read(text: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(text)
    }

    fn items(self, most: usize) -> Vec<RepositoryName> {
        let names =
            self.0.iter().filter_map(|Object(repository)| RepositoryName::parse(&repository.name).ok());
        names.take(most).collect()
    }
}

/// The names of all repositories.
pub(super) fn catalog(registry: Arc<Registry>) -> BoxStream<'static, RepositoryName> {
    Box::pin(stream::once(first(registry)).try_flatten())
}

async fn first(registry: Arc<Registry>) -> Result<BoxStream<'static, RepositoryName>> {
    let mut url = registry.base().clone();
    url.set_path(&format!("{}_catalog", registry.base().path()));
    let lister = Lister::new(Arc::clone(&registry), Scope::parse("registry:catalog:*"));
    let error = match lister.all::<CatalogPage>(url).await {
        Ok(Ok(names)) => {
            registry.learnt.learn(Feature::Catalog, true);
            return Ok(names);
        }
        Ok(Err(response)) => response.refused().await,
        Err(error) => error,
    };
    Err(match error.kind() {
        ErrorKind::NotFound
        | ErrorKind::Unsupported
        | ErrorKind::Unauthenticated
        | ErrorKind::PermissionDenied => {
            registry.learnt.learn(Feature::Catalog, false);
            match harbor(&registry).await {
                Ok(names) => return Ok(names),
                Err(Some(told)) => return Err(told),
                Err(None) => unavailable(error),
            }
        }
        _ => error,
    })
}

/// Harbor's list of all repositories that the caller may see. Its catalog is for administrators, and not for who comes with a token; none where
/// this is not Harbor, or shows no list either.
async fn harbor(registry: &Arc<Registry>) -> Result<BoxStream<'static, RepositoryName>, Option<Error>> {
    if !is_harbor(registry).await {
        return Err(None);
    }
    let mut url = registry.base().clone();
    url.set_path("/api/v2.0/repositories");
    url.set_query(Some(&format!("page=1&page_size={HARBOR_PAGE}")));
    let lister = Lister::with_password(Arc::clone(registry));
    match lister.page::<HarborPage>(url).await {
        Ok(Ok(first)) => Ok(lister.rest::<HarborPage>(first, None)),
        Ok(Err(response)) => {
            response.drain().await;
            Err(None)
        }
        Err(error) => Err(Some(error)),
    }
}

fn unavailable(told: Error) -> Error {
    let mut error = Error::new(ErrorKind::Unsupported, "the registry shows no list of its repositories")
        .with_reason(Reason::CatalogUnavailable)
        .with_hint(
            "name the repositories; most registries list them to their administrators only, if at all",
        );
    for (key, value) in told.context() {
        error = error.with_context(key, value);
    }
    error.with_source(told)
}
