use std::{fmt, path::Path, sync::Arc};

use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};

use crate::error::{Error, ErrorKind, Reason, Result};

/// A certificate with its key, by which this side of a TLS connection shows who it is (mTLS). The key is never printed.
#[derive(Clone)]
pub struct ClientCertificate {
    chain: Vec<CertificateDer<'static>>,
    key: Arc<PrivateKeyDer<'static>>,
}

impl ClientCertificate {
    /// The certificate in `chain`, with the authorities between it and the one the server trusts behind it, and its `key`: both PEM, the
    /// key in the form of PKCS #8, PKCS #1 or SEC 1 and not encrypted. They may be the same text.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](ErrorKind::InvalidInput) with reason `certificate-invalid`. Whether both belong together is found out by the first
    /// connection, which fails in the same way.
    pub fn from_pem(chain: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> Result<Self> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(chain.as_ref())
            .collect::<Result<_, _>>()
            .map_err(|_| bad("its certificate is not PEM"))?;
        if chain.is_empty() {
            return Err(bad("it holds no certificate"));
        }
        let key = PrivateKeyDer::from_pem_slice(key.as_ref()).map_err(|_| {
            bad("its key is not PEM, is encrypted, or is of another kind than PKCS #8, PKCS #1 and SEC 1")
        })?;
        Ok(Self { chain, key: Arc::new(key) })
    }

    /// The certificate and the key in these files.
    ///
    /// # Errors
    ///
    /// Those of [`from_pem`](Self::from_pem), and [`NotFound`](ErrorKind::NotFound) or [`Io`](ErrorKind::Io).
    pub fn from_files(chain: impl AsRef<Path>, key: impl AsRef<Path>) -> Result<Self> {
        let explain = |error: Error| {
            error
                .with_context("certificate", chain.as_ref().display())
                .with_context("key", key.as_ref().display())
        };
        let (chain_pem, key_pem) = (fs_err::read(chain.as_ref())?, fs_err::read(key.as_ref())?);
        Self::from_pem(chain_pem, zeroize::Zeroizing::new(key_pem)).map_err(explain)
    }

    pub(in crate::http) fn chain(&self) -> Vec<CertificateDer<'static>> {
        self.chain.clone()
    }

    pub(in crate::http) fn key(&self) -> PrivateKeyDer<'static> {
        self.key.clone_key()
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientCertificate({} in the chain, key ***)", self.chain.len())
    }
}

pub(in crate::http) fn bad(why: &str) -> Error {
    Error::new(ErrorKind::InvalidInput, format!("a client certificate cannot be used: {why}"))
        .with_reason(Reason::CertificateInvalid)
        .with_hint("give the certificate with its chain, and its key without a password, as PEM text")
}

#[cfg(test)]
mod tests {
    use oci_chart_testkit::Tls;

    use super::*;

    #[test]
    fn what_is_no_certificate_or_key_is_refused() {
        let (certificate, key) = (Tls::CERTIFICATE, Tls::KEY);
        assert!(ClientCertificate::from_pem(certificate, key).is_ok());
        let both = format!("{key}{certificate}");
        assert!(ClientCertificate::from_pem(&both, &both).is_ok());
        for (certificate, key) in
            [("", key), ("x", key), (key, key), (certificate, ""), (certificate, certificate)]
        {
            let error = ClientCertificate::from_pem(certificate, key).unwrap_err();
            let found = (error.kind(), error.reason());
            assert_eq!(found, (ErrorKind::InvalidInput, Some(Reason::CertificateInvalid)));
        }
    }

    #[test]
    fn the_key_is_not_printed() {
        let certificate = ClientCertificate::from_pem(Tls::CERTIFICATE, Tls::KEY).unwrap();
        assert_eq!(format!("{certificate:?}"), "ClientCertificate(1 in the chain, key ***)");
    }
}
