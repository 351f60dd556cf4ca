use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use reqwest::Url;

use super::{Repository, mirrors::Replica};
use crate::{
    auth::{Authenticator, CredentialSource},
    error::{Error, ErrorKind, Result},
    http::{ConnectionOptions, HttpClient},
    limits::Limits,
    name::{Host, RepositoryAddress},
};

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
    pub(super) hosts: Mutex<HashMap<Host, Arc<Registry>>>,
}

impl Registries {
    /// Registries that are reached as `options` say, with what `credentials` knows. Nothing is opened or read yet.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for a user agent that no header can carry.
    pub fn new(options: ConnectionOptions, credentials: impl CredentialSource + 'static) -> Result<Self> {
        let http = Arc::new(HttpClient::new(options)?);
        Ok(Self(Arc::new(Shared { http, source: Arc::new(credentials), hosts: Mutex::default() })))
    }

    pub(super) fn http(&self) -> &HttpClient {
        &self.0.http
    }

    /// The same over another client, with nothing learnt yet.
    pub(super) fn apart(&self, http: HttpClient) -> Self {
        let source = Arc::clone(&self.0.source);
        Self(Arc::new(Shared { http: Arc::new(http), source, hosts: Mutex::default() }))
    }

    /// The repository at `address`. Nothing is sent.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidReference`] where the host makes no URL.
    pub fn repository(&self, address: &RepositoryAddress) -> Result<Repository> {
        let (host, name) = (address.host(), address.repository());
        let mut replicas = Vec::new();
        for mirror in self.0.http.options().mirrors_of(host) {
            replicas.push(Replica::new(self.registry(mirror.host())?, &mirror, host, name));
        }
        Ok(Repository::new(self.registry(host)?, address.clone(), replicas))
    }

    /// The same connections for somebody else: what `credentials` knows, and nothing that was learnt or given out before.
    #[must_use]
    pub fn with_credentials(&self, credentials: impl CredentialSource + 'static) -> Self {
        let (http, source) = (Arc::clone(&self.0.http), Arc::new(credentials));
        Self(Arc::new(Shared { http, source, hosts: Mutex::default() }))
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
    pub(super) quirks: Quirks,
    /// Indexes of referrers are read, changed and written: one after the other, within this process at least.
    pub(super) fallback_lock: tokio::sync::Mutex<()>,
}

/// What a host was found not to do. Learnt once, so that it costs one request and not one in every operation.
#[derive(Debug, Default)]
pub(super) struct Quirks {
    /// It refuses to open an upload as a mount from the same repository.
    pub(super) no_self_mount: Flag,
    /// It refuses HEAD for manifests, or answers it without a digest.
    pub(super) no_head: Flag,
    /// It has no referrers API.
    pub(super) no_referrers: Flag,
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
        Ok(Self { base, http, auth, quirks: Quirks::default(), fallback_lock: tokio::sync::Mutex::default() })
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
}

/// Something learnt once and for all.
#[derive(Debug, Default)]
pub(super) struct Flag(AtomicBool);

impl Flag {
    pub(super) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
