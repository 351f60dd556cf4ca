use std::{collections::HashSet, time::Duration};

use crate::{limits::Limits, name::Host};

/// How registries are reached.
///
/// # Examples
///
/// ```
/// use oci_chart_core::{name::Host, store::ConnectionOptions};
///
/// let options = ConnectionOptions::default()
///     .with_plain_http(Host::parse("localhost:5000")?)
///     .with_user_agent("release-bot/2.1");
/// assert!(options.plain_http.contains(&Host::parse("localhost:5000")?));
/// # Ok::<(), oci_chart_core::Error>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ConnectionOptions {
    /// Hosts that are spoken to over plain HTTP, and may send a reader on to other hosts over it. Nothing else ever is: there is
    /// no silent way down from https.
    pub plain_http: HashSet<Host>,
    /// Hosts whose certificate is not checked. Whoever can change the traffic can then read and change everything.
    pub unchecked_certificates: HashSet<Host>,
    /// Certificates (PEM, any number in each) of authorities to trust beside those of the system.
    pub extra_roots: Vec<Vec<u8>>,
    /// What the `User-Agent` says behind `oci-chart/VERSION`.
    pub user_agent: Option<String>,
    /// How long a connection may take to come about. Default: 30 seconds.
    pub connect_timeout: Duration,
    /// How long the other side may be silent while an answer is waited for or bytes are on their way. Default: 60
    /// seconds. There is no bound on a whole transfer.
    pub idle_timeout: Duration,
    /// Bounds on what registries send.
    pub limits: Limits,
}

impl Default for ConnectionOptions {
    fn default() -> Self {
        Self {
            plain_http: HashSet::new(),
            unchecked_certificates: HashSet::new(),
            extra_roots: Vec::new(),
            user_agent: None,
            connect_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(60),
            limits: Limits::default(),
        }
    }
}

impl ConnectionOptions {
    /// Speaks plain HTTP to `host`.
    #[must_use]
    pub fn with_plain_http(mut self, host: Host) -> Self {
        self.plain_http.insert(host);
        self
    }

    /// Does not check the certificate of `host`.
    #[must_use]
    pub fn with_unchecked_certificate(mut self, host: Host) -> Self {
        self.unchecked_certificates.insert(host);
        self
    }

    /// Trusts the certificates in `pem` as well.
    #[must_use]
    pub fn with_root(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.extra_roots.push(pem.into());
        self
    }

    /// Adds `suffix` to the `User-Agent`.
    #[must_use]
    pub fn with_user_agent(mut self, suffix: impl Into<String>) -> Self {
        self.user_agent = Some(suffix.into());
        self
    }

    /// Bounds what registries send.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }
}
