use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use reqwest::Url;

use super::{Repository, registry::Registry};
use crate::{
    auth::{Access, Scope},
    context::{Context, Event},
    error::{Error, ErrorKind, Reason, Result},
    http::{Mirror, Repeat, Request, Response},
    name::{Host, RepositoryName},
    process::PerProcess,
};

/// How long a mirror that cannot be reached is not asked again: each try may take as long as a connection may.
const OUT_OF_REACH: Duration = Duration::from_secs(60);

/// Makes the request to a URL.
type RequestTo<'a> = dyn Fn(Url) -> Request + Sync + 'a;

/// What a mirror has of one repository.
pub(super) struct Replica {
    registry: Arc<Registry>,
    host: Host,
    /// `/v2/name/`, with what the mirror's own address and its rewrites make of it.
    path: String,
    /// Tells whose content is meant (distribution spec, "Registry Proxying").
    query: String,
    scope: Scope,
    asleep: PerProcess<Mutex<Option<Instant>>>,
}

impl Replica {
    /// What `mirror`, at `registry`, has of the repository `name` of `upstream`.
    pub(super) fn new(
        registry: Arc<Registry>,
        mirror: &Mirror,
        upstream: &Host,
        name: &RepositoryName,
    ) -> Self {
        let name = mirror.repository(name.as_str());
        let path = format!("{}{name}/", mirror.path());
        let whole = path.strip_prefix("/v2/").map_or(name.as_str(), |path| path.trim_end_matches('/'));
        let scope = RepositoryName::parse(whole)
            .map_or_else(|_| Scope::none(), |name| Scope::repository(&name, Access::Pull));
        let query = format!("ns={upstream}");
        Self { registry, host: mirror.host().clone(), path, query, scope, asleep: PerProcess::default() }
    }

    async fn read(&self, path: &str, make: &RequestTo<'_>) -> Result<Response> {
        let now = Instant::now();
        if self.asleep().is_some_and(|until| now < until) {
            return Err(Error::new(ErrorKind::Network, "it could not be reached a moment ago"));
        }
        let mut url = self.registry.base().clone();
        url.set_path(&format!("{}{path}", self.path));
        url.set_query(Some(&self.query));
        // There are others to ask: no time is spent on this one.
        let make = || Ok(make(url.clone()).with_repeat(Repeat::Never));
        match self.registry.auth().send(&self.scope, &make).await {
            Ok(response) if response.status().is_success() || response.status().is_redirection() => {
                Ok(response)
            }
            Ok(response) => Err(response.refused().await),
            Err(error) => {
                let cut = error.reason() == Some(Reason::ConnectionCut);
                if !cut && matches!(error.kind(), ErrorKind::Network | ErrorKind::Timeout | ErrorKind::Tls) {
                    *self.asleep() = now.checked_add(OUT_OF_REACH);
                }
                Err(error)
            }
        }
    }

    fn asleep(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.asleep.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Repository {
    /// Asks for content: the mirrors in their order, and then the registry itself. Once this repository is written to, only that one: what was
    /// just written is not elsewhere yet.
    pub(super) async fn read(&self, path: &str, make: &RequestTo<'_>) -> Result<Response> {
        let mut failures = String::new();
        let replicas = if self.is_written() { &[][..] } else { &self.0.replicas[..] };
        for replica in replicas {
            let error = match replica.read(path, make).await {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            let words = format!("{}: {}", replica.host, error.message());
            if error.kind() != ErrorKind::NotFound {
                Context::current().emit(Event::Warning(format!("a mirror does not help: {words}")));
            }
            failures += if failures.is_empty() { "" } else { "; " };
            failures += &words;
        }
        let url = self.url(path, None);
        let result = self.send(self.reading(), &|| Ok(make(url.clone()))).await;
        result.map_err(
            |error| if failures.is_empty() { error } else { error.with_context("mirrors", failures) },
        )
    }
}
