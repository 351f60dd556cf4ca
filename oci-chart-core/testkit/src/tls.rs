//! TLS: certificates for a registry on the loopback interface.

use std::fmt;
use std::io;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

/// Certificate and key of a registry, and whom it asks for one.
#[derive(Clone)]
pub struct Tls {
    certificate: Vec<u8>,
    key: Vec<u8>,
    client_authority: Option<Vec<u8>>,
}

impl Tls {
    /// The authority that [`Tls::CERTIFICATE`] is signed by, in PEM: what a client has to trust.
    pub const AUTHORITY: &'static str = include_str!("../fixtures/tls/authority.pem");

    /// A certificate for `127.0.0.1` and `localhost`, for servers and clients alike, in PEM. Its key is public:
    /// it proves nothing outside a test.
    pub const CERTIFICATE: &'static str = include_str!("../fixtures/tls/certificate.pem");

    /// The key of [`Tls::CERTIFICATE`], in PEM.
    pub const KEY: &'static str = include_str!("../fixtures/tls/key.pem");

    /// The built-in certificate.
    #[must_use]
    pub fn built_in() -> Self {
        Self::new(Self::CERTIFICATE, Self::KEY)
    }

    /// A certificate chain and its key, in PEM; they are read when the registry starts.
    #[must_use]
    pub fn new(certificate: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        Self { certificate: certificate.into(), key: key.into(), client_authority: None }
    }

    /// Clients must show a certificate signed by one of these authorities, in PEM.
    #[must_use]
    pub fn client_authority(mut self, authority: impl Into<Vec<u8>>) -> Self {
        self.client_authority = Some(authority.into());
        self
    }

    pub(crate) fn acceptor(&self) -> io::Result<TlsAcceptor> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let config = config.with_safe_default_protocol_versions().map_err(invalid)?;
        let config = match &self.client_authority {
            None => config.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                for certificate in certificates(authority)? {
                    roots.add(certificate).map_err(invalid)?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                config.with_client_cert_verifier(verifier.build().map_err(invalid)?)
            }
        };
        let key = PrivateKeyDer::from_pem_slice(&self.key).map_err(invalid)?;
        let config = config.with_single_cert(certificates(&self.certificate)?, key).map_err(invalid)?;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("client_authority", &self.client_authority.is_some())
            .finish_non_exhaustive()
    }
}

fn certificates(pem: &[u8]) -> io::Result<Vec<CertificateDer<'static>>> {
    CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(invalid)
}

fn invalid(error: impl fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, error.to_string())
}
