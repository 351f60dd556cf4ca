use std::{fmt, sync::Arc};

use async_trait::async_trait;

use super::PublicKey;
use crate::{
    error::{Error, ErrorKind, Result},
    threads::off_thread,
};

/// Something that can sign, wherever its key is: a [`SigningKey`](super::SigningKey) in memory, a KMS, a token behind PKCS#11.
///
/// # Examples
///
/// A key that only a closure can reach is a [`CallbackSigner`]; whoever must wait for an answer implements the trait.
#[async_trait]
pub trait Signer: fmt::Debug + Send + Sync {
    /// The public half. Every signature is held against it before anything is published.
    fn public_key(&self) -> &PublicKey;

    /// A signature over `message`, which is the message itself and not its digest ([`PublicKey::prehash`] gives that): ASN.1 DER for ECDSA, PKCS#1
    /// v1.5 for RSA, 64 bytes for Ed25519.
    ///
    /// # Errors
    ///
    /// The signer's own.
    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>>;
}

type Callback = dyn Fn(&[u8]) -> Result<Vec<u8>> + Send + Sync;

/// A signer made of a public key and a function that signs. The function is called on a thread of its own, where it may block.
///
/// # Examples
///
/// ```
/// use oci_chart_core::{Result, trust::{CallbackSigner, PublicKey}};
///
/// fn with_kms(key: PublicKey, ask: impl Fn(&[u8]) -> Result<Vec<u8>> + Send + Sync + 'static) -> CallbackSigner {
///     let digest_of = key.clone();
///     CallbackSigner::new(key, move |message| ask(&digest_of.prehash(message)))
/// }
/// ```
#[derive(Clone)]
pub struct CallbackSigner {
    key: PublicKey,
    callback: Arc<Callback>,
}

impl CallbackSigner {
    /// A signer whose signatures come from `callback` and are good under `key`.
    pub fn new(key: PublicKey, callback: impl Fn(&[u8]) -> Result<Vec<u8>> + Send + Sync + 'static) -> Self {
        Self { key, callback: Arc::new(callback) }
    }
}

#[async_trait]
impl Signer for CallbackSigner {
    fn public_key(&self) -> &PublicKey {
        &self.key
    }

    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        let (callback, message) = (Arc::clone(&self.callback), message.to_vec());
        let signed = off_thread(move || callback(&message)).await;
        signed.unwrap_or_else(|| Err(Error::new(ErrorKind::Internal, "signing ended without a result")))
    }
}

impl fmt::Debug for CallbackSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CallbackSigner({})", self.key.fingerprint())
    }
}
