use super::ClientCertificate;

/// How one host is reached, where it differs from the others.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct HostOptions {
    /// Plain HTTP instead of https. Whoever can see the traffic can then read and change everything, credentials included.
    pub plain_http: bool,
    /// Whether the certificate is taken as it is. Whoever can change the traffic can then read and change everything.
    pub unchecked_certificate: bool,
    /// Certificates (PEM, any number in each) of authorities to trust for this host alone, beside those for every host.
    pub roots: Vec<Vec<u8>>,
    /// What is shown where the host asks for a client certificate.
    pub client_certificate: Option<ClientCertificate>,
    /// How many requests may be under way at once: so many that read, and as many that write. A download counts until its last byte, so
    /// who opens more than that must read them side by side. Default: no bound.
    pub concurrency: Option<usize>,
    /// How many requests may begin in a second, evenly spaced. Default: no bound.
    pub requests_per_second: Option<f64>,
    /// Only HTTP/1.1, even where this build has HTTP/2 (feature `http2`).
    pub http1_only: bool,
}

impl HostOptions {
    /// Speaks plain HTTP.
    #[must_use]
    pub fn with_plain_http(mut self, plain_http: bool) -> Self {
        self.plain_http = plain_http;
        self
    }

    /// Does not check the certificate.
    #[must_use]
    pub fn with_unchecked_certificate(mut self, unchecked: bool) -> Self {
        self.unchecked_certificate = unchecked;
        self
    }

    /// Trusts the certificates in `pem` for this host.
    #[must_use]
    pub fn with_root(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots.push(pem.into());
        self
    }

    /// Shows `certificate` where the host asks for one.
    #[must_use]
    pub fn with_client_certificate(mut self, certificate: ClientCertificate) -> Self {
        self.client_certificate = Some(certificate);
        self
    }

    /// Has at most so many requests that read, and as many that write, under way.
    #[must_use]
    pub fn with_concurrency(mut self, requests: usize) -> Self {
        self.concurrency = Some(requests);
        self
    }

    /// Begins at most so many requests in a second; numbers that are not above zero are no bound.
    #[must_use]
    pub fn with_requests_per_second(mut self, requests: f64) -> Self {
        self.requests_per_second = Some(requests);
        self
    }

    /// Speaks HTTP/1.1 only.
    #[must_use]
    pub fn with_http1_only(mut self, http1_only: bool) -> Self {
        self.http1_only = http1_only;
        self
    }

    /// Whether connections to this host are set up in a way of their own.
    pub(in crate::http) fn has_own_tls(&self) -> bool {
        self.unchecked_certificate
            || !self.roots.is_empty()
            || self.client_certificate.is_some()
            || self.http1_only
    }
}
