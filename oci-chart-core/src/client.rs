//! One client for every store: opens locations, owns connections, tokens and credentials.

use std::{fmt, sync::Arc};

#[cfg(feature = "sign")]
use crate::trust::{Guarded, Policy, VerifyOptions};
#[cfg(feature = "registry")]
use crate::{
    auth::{
        Audience, CredentialSource, Credentials, LoginOptions, LoginOutcome, LoginStatus, LogoutOutcome,
        StaticCredentials, StoredLogins,
    },
    name::Host,
    store::{
        Cache, Cached, ClientCertificate, ConnectionOptions, HostOptions, Mirror, ProxyOptions, Registries,
        RepositoryOptions, RetryOptions,
    },
};
use crate::{
    context::Context,
    diagnose::{self, Diagnosis},
    error::Result,
    limits::Limits,
    name::Location,
    store::{Layout, Store},
};

/// Opens stores by [`Location`]. Cheap to clone; clones share connections and tokens.
///
/// # Examples
///
/// ```
/// use oci_chart_core::{Client, Location};
///
/// let client = Client::builder().user_agent("release-bot/2.1").build()?;
/// let store = client.open(&"oci-layout:/tmp/charts".parse::<Location>()?)?;
/// assert_eq!(store.to_string(), "oci-layout:/tmp/charts");
/// # Ok::<(), oci_chart_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Client {
    limits: Limits,
    #[cfg(feature = "sign")]
    policy: Option<Arc<Policy>>,
    #[cfg(feature = "registry")]
    registries: Registries,
    #[cfg(feature = "registry")]
    cache: Option<Cache>,
}

impl Client {
    /// A client to be set up.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// The store at `location`. Opens no connection and makes no directory: the first use does.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](crate::ErrorKind::Unsupported) for a registry where this build has no feature `registry`.
    pub fn open(&self, location: &Location) -> Result<Arc<dyn Store>> {
        let store = self.open_unguarded(location)?;
        #[cfg(feature = "sign")]
        if let Some(policy) = &self.policy {
            let options = VerifyOptions::default().with_limits(self.limits.clone());
            return Ok(Arc::new(Guarded::new(store, Arc::clone(policy), options)?));
        }
        Ok(store)
    }

    fn open_unguarded(&self, location: &Location) -> Result<Arc<dyn Store>> {
        match location {
            Location::Layout(path) => Ok(Arc::new(Layout::new(path).with_limits(self.limits.clone()))),
            #[cfg(feature = "registry")]
            Location::Registry(address) => {
                let repository: Arc<dyn Store> = Arc::new(self.registries.repository(address)?);
                Ok(match &self.cache {
                    Some(cache) => Arc::new(Cached::new(repository, cache.clone())),
                    None => repository,
                })
            }
            #[cfg(not(feature = "registry"))]
            Location::Registry(_) => Err(no_registries(location)),
        }
    }

    /// Looks at `location` step by step, and tells what works there and what does not. Nothing is written: what only a write would show
    /// stays unknown. A registry that fails is an answer, and no error.
    ///
    /// # Errors
    ///
    /// [`Cancelled`](crate::ErrorKind::Cancelled) or [`Timeout`](crate::ErrorKind::Timeout) where the caller stops the call or gave it less
    /// time than it takes; [`Unsupported`](crate::ErrorKind::Unsupported) for a registry where this build has no feature `registry`.
    pub async fn diagnose(&self, cx: &Context, location: &Location) -> Result<Diagnosis> {
        let work = async {
            match location {
                Location::Layout(path) => Ok(diagnose::layout(path, self.limits.clone(), location).await),
                #[cfg(feature = "registry")]
                Location::Registry(address) => {
                    Ok(diagnose::registry(self.registries.probe(address)?, location).await)
                }
                #[cfg(not(feature = "registry"))]
                Location::Registry(_) => Err(no_registries(location)),
            }
        };
        cx.run(work).await.map_err(|error| error.with_operation("diagnose"))
    }

    /// The registries behind this client: what was learnt about them, and their lists of repositories.
    #[cfg(feature = "registry")]
    pub fn registries(&self) -> &Registries {
        &self.registries
    }

    /// The bounds under which this client reads.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }
}

#[cfg(feature = "registry")]
impl Client {
    /// Shows `credentials` to a registry and, if it takes them, keeps them where `options` say, so that this and other programs find them.
    /// What was refused is not kept. [`login_host`](crate::auth::login_host) reads what people name to log in to.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unauthenticated`](crate::ErrorKind::Unauthenticated) where the registry refuses; as any request where it cannot be
    /// reached; [`ErrorKind::Io`](crate::ErrorKind::Io), or whatever a credential helper makes of it, where the login cannot be kept.
    pub async fn login(
        &self,
        cx: &Context,
        registry: &Host,
        credentials: &Credentials,
        options: &LoginOptions,
    ) -> Result<LoginOutcome> {
        let work = self.registries.login(registry, credentials, options);
        cx.run(work).await.map_err(|error| error.with_operation("login"))
    }

    /// Forgets a login that [`login`](Self::login) or another program has left, and says where one is still found.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`](crate::ErrorKind::Io), or whatever a credential helper makes of it, where the login cannot be removed.
    pub async fn logout(
        &self,
        cx: &Context,
        registry: &Host,
        options: &LoginOptions,
    ) -> Result<LogoutOutcome> {
        let work = self.registries.logout(registry, options);
        cx.run(work).await.map_err(|error| error.with_operation("logout"))
    }

    /// Whose name is used at a registry, where the credentials come from, and when they and the tokens made of them end.
    ///
    /// # Errors
    ///
    /// What the source of the credentials says.
    pub async fn login_status(&self, cx: &Context, registry: &Host) -> Result<Option<LoginStatus>> {
        cx.run(self.registries.login_status(registry)).await
    }

    /// A client for somebody else: with these credentials and nothing that this one has learnt or was given, over the same connections.
    #[must_use]
    pub fn with_credentials(&self, source: impl CredentialSource + 'static) -> Self {
        Self { registries: self.registries.with_credentials(source), ..self.clone() }
    }
}

#[cfg(not(feature = "registry"))]
fn no_registries(location: &Location) -> crate::error::Error {
    use crate::error::{Error, ErrorKind, Reason};
    Error::new(ErrorKind::Unsupported, "this build cannot reach registries")
        .with_reason(Reason::FeatureMissing)
        .with_context("location", location)
        .with_hint("build with the feature `registry`")
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// Sets a [`Client`] up.
#[derive(Default)]
#[must_use]
pub struct ClientBuilder {
    limits: Limits,
    #[cfg(feature = "sign")]
    policy: Option<Arc<Policy>>,
    #[cfg(feature = "registry")]
    connection: ConnectionOptions,
    #[cfg(feature = "registry")]
    repositories: RepositoryOptions,
    #[cfg(feature = "registry")]
    cache: Option<Cache>,
    #[cfg(feature = "registry")]
    credentials: Option<Chosen>,
}

impl ClientBuilder {
    /// Bounds everything that is read.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Lets only charts out of the stores that satisfy `policy`, whatever the options of a pull say: the client refuses what is not signed.
    #[cfg(feature = "sign")]
    pub fn policy(mut self, policy: impl Into<Arc<Policy>>) -> Self {
        self.policy = Some(policy.into());
        self
    }

    /// The client.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for options that cannot be: a user agent with a line break, a policy that makes no sense.
    pub fn build(self) -> Result<Client> {
        #[cfg(feature = "sign")]
        if let Some(policy) = &self.policy {
            policy.validate()?;
        }
        Ok(Client {
            #[cfg(feature = "sign")]
            policy: self.policy,
            #[cfg(feature = "registry")]
            cache: self.cache,
            #[cfg(feature = "registry")]
            registries: Registries::with_options(
                self.connection.with_limits(self.limits.clone()),
                self.repositories,
                self.credentials.unwrap_or_else(|| Chosen(Box::new(StaticCredentials::default()))),
            )?,
            limits: self.limits,
        })
    }
}

#[cfg(feature = "registry")]
impl ClientBuilder {
    /// How registries are reached.
    pub fn connection(mut self, options: ConnectionOptions) -> Self {
        self.connection = options;
        self
    }

    /// Speaks plain HTTP to `host`, and to no other.
    pub fn plain_http(mut self, host: Host) -> Self {
        self.connection = self.connection.with_plain_http(host);
        self
    }

    /// Trusts the authorities in `pem` beside those of the system.
    pub fn root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.connection = self.connection.with_root(pem);
        self
    }

    /// Reaches `host` as `options` say, whatever was said about it before.
    pub fn host(mut self, host: Host, options: HostOptions) -> Self {
        self.connection = self.connection.with_host(host, options);
        self
    }

    /// Shows `certificate` to `host`, where it asks for one.
    pub fn client_certificate(mut self, host: Host, certificate: ClientCertificate) -> Self {
        self.connection = self.connection.with_client_certificate(host, certificate);
        self
    }

    /// Sends requests through `proxy`, whatever the environment says.
    pub fn proxy(mut self, proxy: ProxyOptions) -> Self {
        self.connection = self.connection.with_proxy(proxy);
        self
    }

    /// Reads content of `host` from `mirror` first.
    pub fn mirror(mut self, host: Host, mirror: Mirror) -> Self {
        self.connection = self.connection.with_mirror(host, mirror);
        self
    }

    /// Sends failed requests again as `retry` says.
    pub fn retry(mut self, retry: RetryOptions) -> Self {
        self.connection = self.connection.with_retry(retry);
        self
    }

    /// How repositories are spoken to.
    pub fn repositories(mut self, options: RepositoryOptions) -> Self {
        self.repositories = options;
        self
    }

    /// Keeps what is read from registries: content asked for by digest a second time costs no request.
    pub fn cache(mut self, cache: Cache) -> Self {
        self.cache = Some(cache);
        self
    }

    /// Says who calls: goes behind `oci-chart/VERSION` in the `User-Agent`.
    pub fn user_agent(mut self, suffix: impl Into<String>) -> Self {
        self.connection = self.connection.with_user_agent(suffix);
        self
    }

    /// Takes credentials from where Helm, docker and podman keep theirs ([`StoredLogins::standard`]). Without this or
    /// [`credentials`](Self::credentials) the client is anonymous.
    pub fn stored_logins(self) -> Self {
        self.credentials(StoredLogins::standard())
    }

    /// Where credentials come from; a [`Chain`](crate::auth::Chain) has several sources.
    pub fn credentials(mut self, source: impl CredentialSource + 'static) -> Self {
        self.credentials = Some(Chosen(Box::new(source)));
        self
    }
}

/// A source of any kind.
#[cfg(feature = "registry")]
struct Chosen(Box<dyn CredentialSource>);

#[cfg(feature = "registry")]
#[async_trait::async_trait]
impl CredentialSource for Chosen {
    async fn credentials(&self, audience: &Audience<'_>) -> Result<Option<Credentials>> {
        self.0.credentials(audience).await
    }

    fn refused(&self, audience: &Audience<'_>, credentials: &Credentials) {
        self.0.refused(audience, credentials);
    }

    fn is_lasting(&self) -> bool {
        self.0.is_lasting()
    }

    fn places(&self) -> Vec<String> {
        self.0.places()
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder").field("limits", &self.limits).finish_non_exhaustive()
    }
}
