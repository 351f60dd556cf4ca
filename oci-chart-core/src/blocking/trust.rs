use std::sync::Arc;

use async_trait::async_trait;

use super::{Client, Host, HostHandle};
use crate::{
    chart::Chart,
    error::{Error, ErrorKind, Reason, Result},
    limits::Limits,
    name::{Location, Selector},
    oci::{ChartArtifact, Descriptor},
    transfer::{self, Pulled},
    trust::{
        self, AttachOutcome, Attachment, Attestation, AttestationPolicy, Evidence, Policy, PublicKey,
        PublishOptions, Published, SignOptions, Signed, Signer, Tree, Verified, VerifiedAttestation,
        VerifyOptions,
    },
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

    /// See [`trust::verify_subchart`].
    pub fn verify_subchart(
        &self,
        subchart: &Chart,
        from: &Location,
        policy: &Policy,
        options: &VerifyOptions,
        host: &mut dyn Host,
    ) -> Result<Verified<Descriptor>> {
        let (subchart, policy, options) = (subchart.clone(), policy.clone(), options.clone());
        self.store(from, host, |cx, store| async move {
            trust::verify_subchart(&cx, &subchart, &store, &policy, &options).await
        })
    }

    /// See [`transfer::pull_verified`].
    pub fn pull_verified(
        &self,
        from: &Location,
        verified: &Verified<Descriptor>,
        limits: &Limits,
        host: &mut dyn Host,
    ) -> Result<Pulled> {
        let (verified, limits) = (verified.clone(), limits.clone());
        self.store(from, host, |cx, store| async move {
            transfer::pull_verified(&cx, &store, &verified, &limits).await
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

    /// See [`trust::publish`]. Signers that ask the host ([`HostSigner`]) are asked on the thread that waits.
    pub fn publish(
        &self,
        artifact: &ChartArtifact,
        to: &Location,
        options: &PublishOptions,
        host: &mut dyn Host,
    ) -> Result<Published> {
        let (artifact, options) = (artifact.clone(), options.clone());
        self.store(
            to,
            host,
            |cx, store| async move { trust::publish(&cx, &artifact, &store, &options).await },
        )
    }

    /// See [`trust::attach`].
    pub fn attach(
        &self,
        at: &Location,
        subject: &Descriptor,
        attachment: &Attachment,
        host: &mut dyn Host,
    ) -> Result<AttachOutcome> {
        let (subject, attachment) = (subject.clone(), attachment.clone());
        self.store(
            at,
            host,
            |cx, store| async move { trust::attach(&cx, &store, &subject, &attachment).await },
        )
    }

    /// See [`trust::tree`].
    pub fn tree(
        &self,
        at: &Location,
        selector: &Selector,
        limits: &Limits,
        host: &mut dyn Host,
    ) -> Result<Tree> {
        let (selector, limits) = (selector.clone(), limits.clone());
        self.store(at, host, |cx, store| async move { trust::tree(&cx, &store, &selector, &limits).await })
    }

    /// See [`trust::fetch_attachment`].
    pub fn fetch_attachment(
        &self,
        at: &Location,
        referrer: &Descriptor,
        limits: &Limits,
        host: &mut dyn Host,
    ) -> Result<Attachment> {
        let (referrer, limits) = (referrer.clone(), limits.clone());
        self.store(at, host, |cx, store| async move {
            trust::fetch_attachment(&cx, &store, &referrer, &limits).await
        })
    }

    /// See [`trust::attest`].
    pub fn attest(
        &self,
        at: &Location,
        subject: &Descriptor,
        attestation: &Attestation,
        signer: Arc<dyn Signer>,
        options: &SignOptions,
        host: &mut dyn Host,
    ) -> Result<Descriptor> {
        let (subject, attestation, options) = (subject.clone(), attestation.clone(), options.clone());
        self.store(at, host, |cx, store| async move {
            trust::attest(&cx, &store, &subject, &attestation, &*signer, &options).await
        })
    }

    /// See [`trust::verify_attestation`].
    pub fn verify_attestation(
        &self,
        at: &Location,
        selector: &Selector,
        policy: &AttestationPolicy,
        options: &VerifyOptions,
        host: &mut dyn Host,
    ) -> Result<Verified<Vec<VerifiedAttestation>>> {
        let (selector, policy, options) = (selector.clone(), policy.clone(), options.clone());
        self.store(at, host, |cx, store| async move {
            trust::verify_attestation(&cx, &store, &selector, &policy, &options).await
        })
    }
}

/// A signer whose signatures come from the [`Host`] of the call: [`Host::sign`] runs on the thread that waits, and is told whose signature is wanted.
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
        let (key, message) = (self.key.clone(), message.to_vec());
        host.ask(move |host| host.sign(&key, &message)).await?
    }
}
