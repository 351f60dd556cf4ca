use std::sync::Arc;

use futures_util::{TryStreamExt as _, stream};
use serde::Deserialize;

use super::{
    capabilities::Feature,
    page::{Lister, Listing},
    registry::Registry,
};
use crate::{
    auth::Scope,
    error::{Error, ErrorKind, Reason, Result},
    name::RepositoryName,
    store::BoxStream,
};

/// A page of `_catalog`.
#[derive(Deserialize)]
pub(super) struct CatalogPage {
    #[serde(default)]
    repositories: Option<Vec<String>>,
}

impl Listing for CatalogPage {
    type Item = RepositoryName;

    const MEDIA_TYPE: Option<&'static str> = None;

    fn names(&self) -> &[String] {
        self.repositories.as_deref().unwrap_or_default()
    }

    fn items(self) -> Vec<RepositoryName> {
        let names = self.repositories.unwrap_or_default();
        names.iter().filter_map(|name| RepositoryName::parse(name).ok()).collect()
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
            unavailable(error)
        }
        _ => error,
    })
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
