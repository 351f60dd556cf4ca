mod certs_d;
mod host;
pub(super) mod identity;
mod mirror;
pub(super) mod proxy;
mod registries_yaml;
mod retry;

use std::{collections::HashMap, path::Path, time::Duration};

use super::log::{Log, RequestLog};
use crate::{error::Result, limits::Limits, name::Host};

pub use host::HostOptions;
pub use identity::ClientCertificate;
pub use mirror::Mirror;
pub use proxy::{ProxyOptions, ProxyUrl};
pub use registries_yaml::RegistriesYaml;
pub use retry::RetryOptions;

/// How registries are reached.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use oci_chart_core::{name::Host, store::{ConnectionOptions, HostOptions}};
///
/// let slow = HostOptions::default().with_concurrency(2).with_requests_per_second(10.0);
/// let options = ConnectionOptions::default()
///     .with_plain_http(Host::parse("localhost:5000")?)
///     .with_host(Host::parse("registry.example")?, slow)
///     .with_idle_timeout(Duration::from_secs(20))
///     .with_user_agent("release-bot/2.1");
/// assert!(options.is_plain_http(&Host::parse("localhost:5000")?));
/// # Ok::<(), oci_chart_core::Error>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ConnectionOptions {
    /// What differs from host to host. A host without a port is the one at the default port of the scheme.
    pub hosts: HashMap<Host, HostOptions>,
    /// Where content of a host is read instead, in this order; the host itself comes last. Writing, lists of tags and referrers are never
    /// asked of a mirror, nor is anything of a repository that is being written to.
    pub mirrors: HashMap<Host, Vec<Mirror>>,
    /// The mirrors of every host that has no entry of its own.
    pub mirrors_of_all: Vec<Mirror>,
    /// Certificates (PEM, any number in each) of authorities to trust beside those of the system, for every host.
    pub extra_roots: Vec<Vec<u8>>,
    /// What the `User-Agent` says behind `oci-chart/VERSION`.
    pub user_agent: Option<String>,
    /// Where requests go through. Default: what the environment says.
    pub proxy: ProxyOptions,
    /// How long a connection may take to come about, TLS included. Default: 30 seconds.
    pub connect_timeout: Duration,
    /// How long the other side may be silent while an answer is waited for or bytes are on their way. Default: 60 seconds.
    ///
    /// Until an answer begins, the connection may still have to come about, which `connect_timeout` bounds: silence is borne for that time and a
    /// second then, if that is longer. What bounds it more closely is `request_timeout`.
    pub idle_timeout: Duration,
    /// How long getting a token may take, with all tries. Default: 60 seconds.
    pub token_timeout: Duration,
    /// How long any one request may take until its answer begins, with all its tries and waits. Default: no bound. What bounds a whole
    /// push or pull is [`Context::with_timeout`](crate::Context::with_timeout).
    pub request_timeout: Option<Duration>,
    /// When failed requests are sent again.
    pub retry: RetryOptions,
    /// Bounds on what registries send.
    pub limits: Limits,
    pub(super) log: Log,
}

impl Default for ConnectionOptions {
    fn default() -> Self {
        Self {
            hosts: HashMap::new(),
            mirrors: HashMap::new(),
            mirrors_of_all: Vec::new(),
            extra_roots: Vec::new(),
            user_agent: None,
            proxy: ProxyOptions::default(),
            connect_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(60),
            token_timeout: Duration::from_secs(60),
            request_timeout: None,
            retry: RetryOptions::default(),
            limits: Limits::default(),
            log: Log::default(),
        }
    }
}

impl ConnectionOptions {
    /// Uses `options` for `host`, instead of those it had.
    #[must_use]
    pub fn with_host(mut self, host: Host, options: HostOptions) -> Self {
        self.hosts.insert(host, options);
        self
    }

    /// Speaks plain HTTP to `host`, and to no other: there is no silent way down from https. Such a host may send a reader on to other
    /// hosts over plain HTTP.
    #[must_use]
    pub fn with_plain_http(mut self, host: Host) -> Self {
        self.hosts.entry(host).or_default().plain_http = true;
        self
    }

    /// Does not check the certificate of `host`.
    #[must_use]
    pub fn with_unchecked_certificate(mut self, host: Host) -> Self {
        self.hosts.entry(host).or_default().unchecked_certificate = true;
        self
    }

    /// Shows `certificate` to `host`, where it asks for one.
    #[must_use]
    pub fn with_client_certificate(mut self, host: Host, certificate: ClientCertificate) -> Self {
        self.hosts.entry(host).or_default().client_certificate = Some(certificate);
        self
    }

    /// Reads content of `host` from `mirror`, before the host itself and after the mirrors it has. Plain HTTP is spoken to the mirror if
    /// its address says so.
    #[must_use]
    pub fn with_mirror(mut self, host: Host, mirror: Mirror) -> Self {
        self = self.allow(&mirror);
        self.mirrors.entry(host).or_default().push(mirror);
        self
    }

    /// Reads content of every host that has no mirrors of its own from `mirror`.
    #[must_use]
    pub fn with_mirror_of_all(mut self, mirror: Mirror) -> Self {
        self = self.allow(&mirror);
        self.mirrors_of_all.push(mirror);
        self
    }

    fn allow(self, mirror: &Mirror) -> Self {
        if mirror.is_plain_http() { self.with_plain_http(mirror.host().clone()) } else { self }
    }

    /// Trusts the certificates in `pem` as well: authorities, and servers' own that sign themselves.
    #[must_use]
    pub fn with_root(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.extra_roots.push(pem.into());
        self
    }

    /// Trusts the certificates in the PEM file at `path` as well. The file is read now.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) or [`Io`](crate::ErrorKind::Io) where it cannot be read. What is no certificate is found out
    /// by the first connection.
    pub fn with_root_file(self, path: impl AsRef<Path>) -> Result<Self> {
        let pem = fs_err::read(path.as_ref())?;
        Ok(self.with_root(pem))
    }

    /// Adds `suffix` to the `User-Agent`.
    #[must_use]
    pub fn with_user_agent(mut self, suffix: impl Into<String>) -> Self {
        self.user_agent = Some(suffix.into());
        self
    }

    /// Sends requests through `proxy`.
    #[must_use]
    pub fn with_proxy(mut self, proxy: ProxyOptions) -> Self {
        self.proxy = proxy;
        self
    }

    /// Gives a connection so much time to come about.
    #[must_use]
    pub fn with_connect_timeout(mut self, time: Duration) -> Self {
        self.connect_timeout = time;
        self
    }

    /// Bears so much silence.
    #[must_use]
    pub fn with_idle_timeout(mut self, time: Duration) -> Self {
        self.idle_timeout = time;
        self
    }

    /// Gives getting a token so much time, with all tries.
    #[must_use]
    pub fn with_token_timeout(mut self, time: Duration) -> Self {
        self.token_timeout = time;
        self
    }

    /// Gives each request so much time until its answer begins, with all its tries.
    #[must_use]
    pub fn with_request_timeout(mut self, time: Duration) -> Self {
        self.request_timeout = Some(time);
        self
    }

    /// Sends failed requests again as `retry` says.
    #[must_use]
    pub fn with_retry(mut self, retry: RetryOptions) -> Self {
        self.retry = retry;
        self
    }

    /// Tells `log` of every request, tokens and redirects included, without secrets.
    #[must_use]
    pub fn with_log(mut self, log: impl RequestLog + 'static) -> Self {
        self.log = Log::new(log);
        self
    }

    /// Bounds what registries send.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Where content of `host` is read before it is asked itself.
    pub fn mirrors_of(&self, host: &Host) -> Vec<Mirror> {
        let all = self.mirrors.get(host).unwrap_or(&self.mirrors_of_all);
        all.iter().filter(|mirror| mirror.host() != host).cloned().collect()
    }

    /// Whether `host` is spoken to over plain HTTP.
    pub fn is_plain_http(&self, host: &Host) -> bool {
        self.hosts.get(host).is_some_and(|options| options.plain_http)
    }
}
