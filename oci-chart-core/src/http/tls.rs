use std::sync::Arc;

use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{self, CryptoProvider},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};

use super::{
    judge::Judge,
    options::{ClientCertificate, identity},
    witness::Witness,
};
use crate::error::{Error, ErrorKind, Reason, Result};

/// Whom a connection trusts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// Nobody: for plain HTTP, where no root certificate is ever needed and none is loaded.
    Nobody,
    /// The system's roots and those of the caller.
    Roots,
    /// Whoever answers.
    Anybody,
}

/// How the connections of one client are secured.
pub(super) struct Security {
    pub(super) trust: Trust,
    /// Certificates (PEM) to trust beside the system's.
    pub(super) roots: Vec<Vec<u8>>,
    /// What is shown where a server asks for a certificate.
    pub(super) identity: Option<ClientCertificate>,
    /// Whether HTTP/2 is offered.
    pub(super) http2: bool,
    /// Who wants to see what servers show.
    pub(super) witness: Option<Arc<Witness>>,
}

impl Security {
    /// `judge`, or the witness before it.
    fn watched(&self, judge: Arc<dyn ServerCertVerifier>) -> Arc<dyn ServerCertVerifier> {
        match &self.witness {
            None => judge,
            Some(witness) => witness.beside(judge),
        }
    }
}

/// The TLS settings for `security`. Reads files for [`Trust::Roots`], which costs some milliseconds.
///
/// The cryptography is handed over here instead of being installed for the whole process: that choice is the program's.
pub(super) fn config(security: &Security) -> Result<ClientConfig> {
    let provider = Arc::new(crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(set_up)?;
    let builder = match security.trust {
        Trust::Nobody => builder.with_root_certificates(RootCertStore::empty()),
        Trust::Roots => {
            let system = rustls_native_certs::load_native_certs().certs;
            let judge = Judge::new(roots(system, &security.roots)?, provider).map_err(set_up)?;
            builder.dangerous().with_custom_certificate_verifier(security.watched(Arc::new(judge)))
        }
        Trust::Anybody => {
            let judge = Arc::new(Unchecked(provider));
            builder.dangerous().with_custom_certificate_verifier(security.watched(judge))
        }
    };
    let mut config = match &security.identity {
        None => builder.with_no_client_auth(),
        Some(identity) => builder
            .with_client_auth_cert(identity.chain(), identity.key())
            .map_err(|error| identity::bad("its key does not fit it").with_source(error))?,
    };
    if security.http2 {
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    }
    Ok(config)
}

/// The system's authorities and the caller's. A system without any (a container made from nothing) gets Mozilla's list as
/// it was when this crate was built.
fn roots(system: Vec<CertificateDer<'static>>, extra: &[Vec<u8>]) -> Result<RootCertStore> {
    let mut store = RootCertStore::empty();
    // What cannot be read or parsed there is passed over, as every TLS library does: systems carry odd certificates.
    store.add_parsable_certificates(system);
    if store.is_empty() {
        store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    for pem in extra {
        add(&mut store, pem)?;
    }
    Ok(store)
}

fn add(store: &mut RootCertStore, pem: &[u8]) -> Result<()> {
    let mut count = 0;
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate =
            certificate.map_err(|error| bad_root("it is not PEM").with_context("cause", error))?;
        store
            .add(certificate)
            .map_err(|error| bad_root("it holds no usable certificate").with_source(error))?;
        count += 1;
    }
    if count == 0 { Err(bad_root("it holds no certificate")) } else { Ok(()) }
}

fn set_up(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::Internal, "TLS could not be set up").with_source(error)
}

fn bad_root(why: &'static str) -> Error {
    Error::new(ErrorKind::InvalidInput, format!("a root certificate cannot be used: {why}"))
        .with_reason(Reason::CertificateInvalid)
        .with_hint(
            "give the authority's certificate as PEM text, which begins with -----BEGIN CERTIFICATE-----",
        )
}

/// Accepts any certificate, and still has the server prove that it holds the key of the one it shows.
#[derive(Debug)]
struct Unchecked(Arc<CryptoProvider>);

impl ServerCertVerifier for Unchecked {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use rustls::{
        ClientConnection, ServerConfig, ServerConnection,
        pki_types::PrivateKeyDer,
        server::{ClientHello, ResolvesServerCert},
        sign::CertifiedKey,
    };

    use super::*;

    // P-256, made for this test.
    const OTHER: &str = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIAbkWUOY8jN0Q1wBfivXPY7xg1qGoef/V6mKLJwSxZJdoAoGCCqGSM49\nAwEHoUQDQgAEuZXDKFmUkBxoKnoAZGjCYXiQzS738upNjB0vYOasxEMZs3KLheXT\n6DDG6MYo5h1pYjXSmPqi9ZcTFnkWHmBomQ==\n-----END EC PRIVATE KEY-----\n";

    fn with_roots() -> Security {
        Security { trust: Trust::Roots, roots: Vec::new(), identity: None, http2: false, witness: None }
    }

    #[test]
    fn a_key_of_another_certificate_is_refused() {
        let identity = ClientCertificate::from_pem(oci_chart_testkit::Tls::CERTIFICATE, OTHER).unwrap();
        let error = config(&Security { identity: Some(identity), ..with_roots() }).unwrap_err();
        assert_eq!(error.reason(), Some(Reason::CertificateInvalid));
    }

    /// Shows a certificate whose key it may not have.
    #[derive(Debug)]
    struct Shows(Arc<CertifiedKey>);

    impl ResolvesServerCert for Shows {
        fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
            Some(Arc::clone(&self.0))
        }
    }

    fn handshake(
        client: &mut ClientConnection,
        server: &mut ServerConnection,
    ) -> std::result::Result<(), rustls::Error> {
        while client.is_handshaking() || server.is_handshaking() {
            let (mut there, mut back) = (Vec::new(), Vec::new());
            while client.wants_write() {
                client.write_tls(&mut there).unwrap();
            }
            let mut there = there.as_slice();
            while !there.is_empty() {
                server.read_tls(&mut there).unwrap();
                server.process_new_packets()?;
            }
            while server.wants_write() {
                server.write_tls(&mut back).unwrap();
            }
            let mut back = back.as_slice();
            while !back.is_empty() {
                client.read_tls(&mut back).unwrap();
                client.process_new_packets()?;
            }
        }
        Ok(())
    }

    #[test]
    fn whoever_is_believed_without_a_check_must_hold_the_key_all_the_same() {
        let provider = Arc::new(crypto::ring::default_provider());
        let chain = || CertificateDer::pem_slice_iter(oci_chart_testkit::Tls::CERTIFICATE.as_bytes());
        for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
            for (key, fine) in [(oci_chart_testkit::Tls::KEY, true), (OTHER, false)] {
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
                let key = provider.key_provider.load_private_key(key).unwrap();
                let shown = CertifiedKey::new(chain().collect::<Result<_, _>>().unwrap(), key);
                let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
                    .with_protocol_versions(&[version])
                    .unwrap()
                    .with_no_client_auth()
                    .with_cert_resolver(Arc::new(Shows(Arc::new(shown))));
                let client = config(&Security { trust: Trust::Anybody, ..with_roots() }).unwrap();
                let name = ServerName::try_from("registry.example").unwrap();
                let mut client = ClientConnection::new(Arc::new(client), name).unwrap();
                let mut server = ServerConnection::new(Arc::new(server)).unwrap();
                let done = handshake(&mut client, &mut server);
                assert_eq!(done.is_ok(), fine, "{version:?}: {done:?}");
            }
        }
    }

    #[test]
    fn a_root_that_is_none_is_refused() {
        for pem in ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            let security = Security { roots: vec![pem.into()], ..with_roots() };
            let error = config(&security).unwrap_err();
            let found = (error.kind(), error.reason());
            assert_eq!(found, (ErrorKind::InvalidInput, Some(Reason::CertificateInvalid)), "{pem}");
        }
    }

    #[test]
    fn a_system_without_roots_gets_the_built_in_ones() {
        for system in [vec![], vec![CertificateDer::from(vec![0; 10])]] {
            assert_eq!(roots(system, &[]).unwrap().len(), webpki_roots::TLS_SERVER_ROOTS.len());
        }
    }
}
