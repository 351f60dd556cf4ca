use std::sync::Arc;

use async_trait::async_trait;

use super::{Client, Host, HostHandle};
use crate::{
    error::{Error, ErrorKind, Reason, Result},
    name::{Location, Selector},
    oci::Descriptor,
    trust::{self, Evidence, Policy, PublicKey, SignOptions, Signed, Signer, Verified, VerifyOptions},
};

/// Signatures of charts. The stores of `options` may be other ones than the client's.
impl Client {
    /// See [`trust::sign`].
    pub fn sign(
        &self,
        at: &Location,
        subject: &Descriptor,
        signer: Arc<dyn Signer>,
        options: &SignOptions,
        host: &mut dyn Host,
    ) -> Result<Signed> {
        let (subject, options) = (subject.clone(), options.clone());
        self.store(at, host, |cx, store| async move {
            trust::sign(&cx, &store, &subject, &*signer, &options).await
        })
    }

    /// See [`trust::verify`].
    pub fn verify(
        &self,
        at: &Location,
        selector: &Selector,
        policy: &Policy,
        options: &VerifyOptions,
        host: &mut dyn Host,
    ) -> Result<Verified<Descriptor>> {
        let (selector, policy, options) = (selector.clone(), policy.clone(), options.clone());
        self.store(at, host, |cx, store| async move {
            trust::verify(&cx, &store, &selector, &policy, &options).await
        })
    }

    /// See [`trust::examine`].
    pub fn examine(
        &self,
        at: &Location,
        selector: &Selector,
        policy: &Policy,
        options: &VerifyOptions,
        host: &mut dyn Host,
    ) -> Result<Evidence> {
        let (selector, policy, options) = (selector.clone(), policy.clone(), options.clone());
        self.store(at, host, |cx, store| async move {
            trust::examine(&cx, &store, &selector, &policy, &options).await
        })
    }
}

/// A signer whose signatures come from the [`Host`] of the call: [`Host::sign`] runs on the thread that waits, with the message as its payload.
#[derive(Debug, Clone)]
pub struct HostSigner {
    key: PublicKey,
}

impl HostSigner {
    /// A signer for the host that can sign with the private half of `key`.
    pub fn new(key: PublicKey) -> Self {
        Self { key }
    }
}

#[async_trait]
impl Signer for HostSigner {
    fn public_key(&self) -> &PublicKey {
        &self.key
    }

    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        let host = HostHandle::current().ok_or_else(|| {
            Error::new(
                ErrorKind::Unsupported,
                "nobody waits for this call, so nobody can be asked for a signature",
            )
            .with_reason(Reason::OperationUnsupported)
        })?;
        let message = message.to_vec();
        host.ask(move |host| host.sign(&message)).await?
    }
}
