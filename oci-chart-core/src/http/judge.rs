use std::sync::Arc;

use rustls::{
    CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        VerifierBuilderError, WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::ParsedCertificate,
};

use super::wire::Certificate;

/// Trusts what authorities have signed, and a server's certificate that is one of them itself: `openssl req -x509` makes such ones, and they
/// are what most registries without a public name have. To other clients they are the shortest of all chains (RFC 5280, 6.1).
#[derive(Debug)]
pub(super) struct Judge {
    roots: Arc<RootCertStore>,
    chains: Arc<WebPkiServerVerifier>,
}

impl Judge {
    pub(super) fn new(
        roots: RootCertStore,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, VerifierBuilderError> {
        let roots = Arc::new(roots);
        let chains = WebPkiServerVerifier::builder_with_provider(Arc::clone(&roots), provider).build()?;
        Ok(Self { roots, chains })
    }

    /// What is to be said of a certificate in its time that signed itself; nothing of others.
    fn by_itself(
        &self,
        shown: &CertificateDer<'_>,
        name: &ServerName<'_>,
    ) -> Option<Result<ServerCertVerified, Error>> {
        Certificate::read(shown).filter(|told| told.subject == told.issuer)?;
        let mut own = RootCertStore::empty();
        own.add(shown.clone().into_owned()).ok()?;
        if !own.roots.iter().all(|anchor| self.roots.roots.contains(anchor)) {
            return Some(Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)));
        }
        let named = ParsedCertificate::try_from(shown).and_then(|shown| verify_server_name(&shown, name));
        Some(named.map(|()| ServerCertVerified::assertion()))
    }
}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        stapled: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let judged = self.chains.verify_server_cert(shown, others, name, stapled, now);
        match judged {
            // An authority's certificate is none for a server, by the rules for chains, which look at its time first.
            Err(Error::InvalidCertificate(CertificateError::Other(_))) => {
                self.by_itself(shown, name).unwrap_or(judged)
            }
            _ => judged,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chains.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chains.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chains.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rustls::{crypto::ring::default_provider, pki_types::pem::PemObject as _};

    use super::*;

    // Each signed by itself, with the word that it is an authority. The first is for 127.0.0.1 and localhost from 2000 to 2126; the second has
    // its name and not its key.
    const OWN: &str = include_str!("../../tests/it/transport/certificates/own.pem");
    const NAMESAKE: &str = include_str!("../../tests/it/transport/certificates/namesake.pem");

    fn read(pem: &str) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
    }

    fn judge(trusted: &str, shown: &str, name: &str, year: u64) -> Result<(), CertificateError> {
        let mut roots = RootCertStore::empty();
        roots.add(read(trusted)).unwrap();
        let judge = Judge::new(roots, Arc::new(default_provider())).unwrap();
        let now = UnixTime::since_unix_epoch(Duration::from_secs((year - 1970) * 31_557_600));
        let name = ServerName::try_from(name).unwrap();
        match judge.verify_server_cert(&read(shown), &[], &name, &[], now) {
            Ok(_) => Ok(()),
            Err(Error::InvalidCertificate(fault)) => Err(fault),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn a_certificate_that_is_trusted_itself_must_still_be_for_the_name_and_in_its_time() {
        for name in ["127.0.0.1", "localhost"] {
            assert_eq!(judge(OWN, OWN, name, 2050), Ok(()));
        }
        let other = judge(OWN, OWN, "registry.example", 2050);
        assert!(matches!(other, Err(CertificateError::NotValidForNameContext { .. })), "{other:?}");
        let early = judge(OWN, OWN, "localhost", 1999);
        assert!(matches!(early, Err(CertificateError::NotValidYetContext { .. })), "{early:?}");
        let late = judge(OWN, OWN, "localhost", 2127);
        assert!(matches!(late, Err(CertificateError::ExpiredContext { .. })), "{late:?}");
    }

    #[test]
    fn a_name_alone_is_no_authority() {
        for (trusted, shown) in [(NAMESAKE, OWN), (OWN, NAMESAKE), (oci_chart_testkit::Tls::AUTHORITY, OWN)] {
            assert_eq!(judge(trusted, shown, "localhost", 2050), Err(CertificateError::UnknownIssuer));
        }
    }
}
