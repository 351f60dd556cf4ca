use std::sync::{Arc, Mutex, PoisonError};

use rustls::{
    DigitallySignedStruct, DistinguishedName, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    pki_types::{CertificateDer, ServerName, UnixTime},
};

use super::wire::Certificate;

/// Keeps what a server shows of itself, whether it is believed or not.
#[derive(Debug, Default)]
pub(super) struct Witness(Mutex<Option<(Vec<u8>, usize)>>);

impl Witness {
    /// The first certificate of the last chain that was shown, and how many there were.
    pub(super) fn shown(&self) -> Option<(Certificate, usize)> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (first, count) = seen.as_ref()?;
        Some((Certificate::read(first)?, *count))
    }

    /// A judge of certificates who lets this one see them first.
    pub(super) fn beside(
        self: &Arc<Self>,
        judge: Arc<dyn ServerCertVerifier>,
    ) -> Arc<dyn ServerCertVerifier> {
        Arc::new(Watched { judge, witness: Arc::clone(self) })
    }
}

#[derive(Debug)]
struct Watched {
    judge: Arc<dyn ServerCertVerifier>,
    witness: Arc<Witness>,
}

impl ServerCertVerifier for Watched {
    fn verify_server_cert(
        &self,
        first: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        stapled: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let mut seen = self.witness.0.lock().unwrap_or_else(PoisonError::into_inner);
        *seen = Some((first.to_vec(), others.len() + 1));
        drop(seen);
        self.judge.verify_server_cert(first, others, name, stapled, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.judge.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.judge.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.judge.supported_verify_schemes()
    }

    fn requires_raw_public_keys(&self) -> bool {
        self.judge.requires_raw_public_keys()
    }

    fn root_hint_subjects(&self) -> Option<&[DistinguishedName]> {
        self.judge.root_hint_subjects()
    }
}
