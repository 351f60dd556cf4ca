use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use reqwest::{Url, header::WARNING};

use super::{
    Repository,
    capabilities::{Capabilities, Feature, Learnt},
    catalog::catalog,
    mirrors::Replica,
    options::{RepositoryOptions, UploadMode},
};
use crate::{
    auth::{Authenticator, CredentialSource, MakeRequest, Scope},
    context::{Context, Event},
    digest::Digest,
    error::{Error, ErrorKind, Result},
    http::{ConnectionOptions, HttpClient, Response, wire},
    limits::Limits,
    name::{Host, RepositoryAddress, RepositoryName},
    oci::Descriptor,
    process::PerProcess,
    store::BoxStream,
};

/// Notes of one kind that are kept: a mirror of thousands of repositories must not collect them without end.
const MOST_NOTES: usize = 4096;

/// The registries of one caller: connections, credentials, and what was learnt about each host. Clones share it all, and all
/// repositories opened here do.
///
/// Their methods want a tokio runtime with I/O and time.
///
/// # Examples
///
/// ```
/// use oci_chart_core::{
///     auth::StaticCredentials,
///     name::RepositoryAddress,
///     store::{ConnectionOptions, Registries},
/// };
///
/// let registries = Registries::new(ConnectionOptions::default(), StaticCredentials::default())?;
/// let repository = registries.repository(&RepositoryAddress::parse("oci://registry.example/charts/web")?)?;
/// assert_eq!(repository.to_string(), "oci://registry.example/charts/web");
/// # Ok::<(), oci_chart_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Registries(pub(super) Arc<Shared>);

pub(super) struct Shared {
    http: Arc<HttpClient>,
    pub(super) source: Arc<dyn CredentialSource>,
    options: RepositoryOptions,
    pub(super) hosts: PerProcess<Mutex<HashMap<Host, Arc<Registry>>>>,
}

impl Registries {
    /// Registries that are reached as `options` say, with what `credentials` knows. Nothing is opened or read yet.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for a user agent that no header can carry.
    pub fn new(options: ConnectionOptions, credentials: impl CredentialSource + 'static) -> Result<Self> {
        Self::with_options(options, RepositoryOptions::default(), credentials)
    }

    /// As [`new`](Self::new), with repositories that are spoken to as `repositories` says.
    ///
    /// # Errors
    ///
    /// Those of [`new`](Self::new).
    pub fn with_options(
        options: ConnectionOptions,
        repositories: RepositoryOptions,
        credentials: impl CredentialSource + 'static,
    ) -> Result<Self> {
        let http = Arc::new(HttpClient::new(options)?);
        let (source, hosts) = (Arc::new(credentials), PerProcess::default());
        Ok(Self(Arc::new(Shared { http, source, options: repositories, hosts })))
    }

    pub(super) fn http(&self) -> &HttpClient {
        &self.0.http
    }

    /// The same over another client, with nothing learnt yet.
    pub(super) fn apart(&self, http: HttpClient) -> Self {
        let (source, options) = (Arc::clone(&self.0.source), self.0.options.clone());
        Self(Arc::new(Shared { http: Arc::new(http), source, options, hosts: PerProcess::default() }))
    }

    /// The repository at `address`. Nothing is sent.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidReference`] where the host makes no URL.
    pub fn repository(&self, address: &RepositoryAddress) -> Result<Repository> {
        let (host, name) = (address.host(), address.api_repository());
        let mut replicas = Vec::new();
        for mirror in self.0.http.options().mirrors_of(host) {
            replicas.push(Replica::new(self.registry(mirror.host())?, &mirror, host, &name));
        }
        Ok(Repository::new(self.registry(host)?, address.clone(), replicas))
    }

    /// The same connections for somebody else: what `credentials` knows, and nothing that was learnt or given out before.
    #[must_use]
    pub fn with_credentials(&self, credentials: impl CredentialSource + 'static) -> Self {
        let (http, source) = (Arc::clone(&self.0.http), Arc::new(credentials));
        let (options, hosts) = (self.0.options.clone(), PerProcess::default());
        Self(Arc::new(Shared { http, source, options, hosts }))
    }

    /// What was learnt about `host` so far. Nothing is sent; see [`Repository::detect`] for asking.
    ///
    /// # Errors
    ///
    /// Those of [`repository`](Self::repository).
    pub fn capabilities(&self, host: &Host) -> Result<Capabilities> {
        Ok(self.registry(host)?.learnt.capabilities())
    }

    /// Takes what is known about `host` from elsewhere, an earlier run for example: it need not be learnt again then.
    ///
    /// # Errors
    ///
    /// Those of [`repository`](Self::repository).
    pub fn assume(&self, host: &Host, capabilities: &Capabilities) -> Result<()> {
        self.registry(host)?.learnt.assume(capabilities);
        Ok(())
    }

    /// The names of all repositories of `host` that these credentials may see, in the registry's order. Few registries offer such a list, and
    /// most of those only to their administrators. Harbor's catalog is refused to who comes with a token; its own list is asked instead, with the
    /// user's password, which its token service takes as well.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] with reason `catalog-unavailable` where there is none for this caller.
    pub fn catalog(&self, host: &Host) -> Result<BoxStream<'static, RepositoryName>> {
        Ok(catalog(self.registry(host)?))
    }

    pub(super) fn registry(&self, host: &Host) -> Result<Arc<Registry>> {
        let mut hosts = self.0.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(registry) = hosts.get(host) {
            return Ok(Arc::clone(registry));
        }
        let registry = Arc::new(Registry::new(host, &self.0)?);
        hosts.insert(host.clone(), Arc::clone(&registry));
        Ok(registry)
    }
}

impl fmt::Debug for Registries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registries").field("http", &self.0.http).finish_non_exhaustive()
    }
}

/// One host.
pub(super) struct Registry {
    base: Url,
    http: Arc<HttpClient>,
    auth: Authenticator,
    mode: UploadMode,
    pub(super) learnt: Learnt,
    /// Indexes of referrers are read, changed and written: one after the other, within this process at least.
    pub(super) fallback_lock: PerProcess<tokio::sync::Mutex<()>>,
    notes: PerProcess<Mutex<Notes>>,
}

/// What is remembered of single things, as far as it goes.
#[derive(Default)]
struct Notes {
    /// Warnings that were passed on.
    warnings: HashSet<String>,
    /// Repositories that blobs cannot be mounted from.
    refused: HashSet<RepositoryName>,
    /// Blobs that were uploaded where nothing told whether they were there before.
    sent: HashSet<(RepositoryName, Digest)>,
    /// Manifests whose size is known from a HEAD alone.
    guesses: HashSet<Digest>,
}

impl Registry {
    fn new(host: &Host, shared: &Shared) -> Result<Self> {
        let plain = shared.http.options().is_plain_http(host);
        let scheme = if plain { "http" } else { "https" };
        let base = Url::parse(&format!("{scheme}://{}/v2/", host.api_host())).map_err(|error| {
            Error::new(ErrorKind::InvalidReference, "the registry's host makes no URL")
                .with_context("host", host)
                .with_source(error)
        })?;
        let http = Arc::clone(&shared.http);
        let auth =
            Authenticator::new(host.clone(), base.clone(), Arc::clone(&http), Arc::clone(&shared.source));
        let mode = shared.options.uploads.get(host).copied().unwrap_or_default();
        Ok(Self {
            base,
            http,
            auth,
            mode,
            learnt: Learnt::default(),
            fallback_lock: PerProcess::default(),
            notes: PerProcess::default(),
        })
    }

    /// `https://host/v2/`
    pub(super) fn base(&self) -> &Url {
        &self.base
    }

    pub(super) fn auth(&self) -> &Authenticator {
        &self.auth
    }

    pub(super) fn http(&self) -> &HttpClient {
        &self.http
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.http.options().limits
    }

    pub(super) fn upload_mode(&self) -> UploadMode {
        self.mode
    }

    /// Sends what `make` makes with what `scope` needs, and passes on what the registry warns of, each warning once.
    pub(super) async fn send(&self, scope: &Scope, make: &MakeRequest<'_>) -> Result<Response> {
        let response = self.auth.send(scope, make).await?;
        for header in response.headers().get_all(WARNING) {
            let texts = header.to_str().map(wire::warnings).unwrap_or_default();
            for text in texts {
                self.warn(&text);
            }
        }
        Ok(response)
    }

    fn warn(&self, text: &str) {
        let cx = Context::current();
        // A warning that nobody hears now is told to the next who listens.
        if cx.has_listener() && note(&mut self.notes().warnings, text.to_owned()) {
            cx.emit(Event::Warning(format!("{}: {text}", self.base.host_str().unwrap_or_default())));
        }
    }

    /// Whether blobs of `repository` were found not to be mountable.
    pub(super) fn is_refused(&self, repository: &RepositoryName) -> bool {
        self.notes().refused.contains(repository)
    }

    pub(super) fn refuse(&self, repository: RepositoryName) {
        note(&mut self.notes().refused, repository);
    }

    /// Whether this client has uploaded that blob before.
    pub(super) fn was_sent(&self, repository: &RepositoryName, digest: &Digest) -> bool {
        self.notes().sent.contains(&(repository.clone(), *digest))
    }

    pub(super) fn sent(&self, repository: &RepositoryName, digest: &Digest) {
        if !self.learnt.has(Feature::Mounts) {
            note(&mut self.notes().sent, (repository.clone(), *digest));
        }
    }

    /// Whether the size of that manifest is what a HEAD said.
    pub(super) fn is_guess(&self, descriptor: &Descriptor) -> bool {
        self.notes().guesses.contains(&descriptor.digest)
    }

    pub(super) fn guess(&self, descriptor: &Descriptor) {
        note(&mut self.notes().guesses, descriptor.digest);
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Adds a note; tells whether it is new. A full page begins anew: what is forgotten costs a request and no more.
fn note<T: Eq + std::hash::Hash>(notes: &mut HashSet<T>, new: T) -> bool {
    if notes.len() >= MOST_NOTES {
        notes.clear();
    }
    notes.insert(new)
}
