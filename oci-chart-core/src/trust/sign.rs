//! Signatures are made: a bundle as referrer, a layer behind the signature tag, or both.

mod bundle;
mod tag;

use std::{collections::BTreeMap, sync::Arc};

use serde::Serialize;

use super::{Format, PublicKey, Signer, text};
use crate::{
    chart::Timestamp,
    context::Context,
    error::{Error, ErrorKind, Reason, Result},
    limits::Limits,
    name::Tag,
    oci::Descriptor,
    store::{Side, Store, Traced},
};

pub(crate) use bundle::{attach_bundle, existing};

/// How a manifest is signed.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SignOptions {
    /// The forms. A bundle alone, the default, is what cosign 3, Flux and Artifact Hub read; podman, cosign before 2.6 and older Flux read the
    /// signature tag alone. Cosign 3 looks at the tag only where no bundle is attached.
    pub formats: Vec<Format>,
    /// What is signed beside the digest (`cosign sign -a`).
    pub annotations: BTreeMap<String, String>,
    /// The repository that a signature tag's payload names, as `host/path`; the store's own where it is not given. A layout has none.
    pub identity: Option<String>,
    /// The bundle manifest's annotation `org.opencontainers.image.created`; without it there is none, and `SOURCE_DATE_EPOCH` says it where it is set.
    pub created: Option<Timestamp>,
    /// Where the signatures go, if not beside the chart: cosign's `COSIGN_REPOSITORY`.
    pub signatures: Option<Arc<dyn Store>>,
    /// Whether to leave it at a good signature of the same key over the same words that is there already. It is looked for first, so that a
    /// release that is run again signs nothing twice.
    pub keep_existing: bool,
    /// The bounds of what is read.
    pub limits: Limits,
}

impl Default for SignOptions {
    fn default() -> Self {
        Self {
            formats: vec![Format::Bundle],
            annotations: BTreeMap::new(),
            identity: None,
            created: None,
            signatures: None,
            keep_existing: true,
            limits: Limits::default(),
        }
    }
}

impl SignOptions {
    /// Options with these forms.
    #[must_use]
    pub fn with_formats(mut self, formats: impl IntoIterator<Item = Format>) -> Self {
        self.formats = formats.into_iter().collect();
        self
    }

    /// Options with one more signed annotation.
    #[must_use]
    pub fn with_annotation(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.annotations.insert(key.into(), value.into());
        self
    }

    /// Options that name another repository in the payload.
    #[must_use]
    pub fn with_identity(mut self, repository: impl Into<String>) -> Self {
        self.identity = Some(repository.into());
        self
    }

    /// Options with a time for the `created` annotation.
    #[must_use]
    pub fn with_created(mut self, created: Timestamp) -> Self {
        self.created = Some(created);
        self
    }

    /// Options with another store for the signatures.
    #[must_use]
    pub fn with_signatures(mut self, store: Arc<dyn Store>) -> Self {
        self.signatures = Some(store);
        self
    }

    /// Options that add a signature whether there is one already or not, as cosign does.
    #[must_use]
    pub fn with_keep_existing(mut self, keep: bool) -> Self {
        self.keep_existing = keep;
        self
    }
}

/// What signing left behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Signed {
    /// The manifest that was signed. It is untouched: its digest is the same with and without signatures.
    pub subject: Descriptor,
    /// The bundle's manifest, where a bundle was asked for: the new one, or the one that was there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bundle: Option<Descriptor>,
    /// The manifest behind the signature tag, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature_tag: Option<SignatureTag>,
    /// The forms in which nothing had to be written.
    pub kept: Vec<Format>,
}

impl Signed {
    /// As JSON.
    pub fn to_json(&self) -> String {
        text::json(self)
    }
}

/// A signature tag, and what it points at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SignatureTag {
    /// The tag, `sha256-HEX.sig`.
    pub tag: Tag,
    /// The manifest that holds the signatures.
    pub manifest: Descriptor,
}

/// Signs the manifest `subject` of `store` and puts the signature beside it.
///
/// Every signature is held against the signer's public key before anything is written. Lists that have to be read, changed and written (the layers
/// of the signature tag, the index that stands in for a referrers API) are read again afterwards, and written again up to five times if
/// somebody else wrote at the same time; a registry has no way to exclude that. Signing does not need the tag of the chart: sign the digest
/// that a push gave, then tag.
///
/// # Errors
///
/// [`InvalidInput`](ErrorKind::InvalidInput) for no or foreign forms, and a signature tag in a store without an address where the options name none;
/// [`SignatureInvalid`](ErrorKind::SignatureInvalid) where the signer's signature is not good under its public key; [`Conflict`](ErrorKind::Conflict) where
/// others kept writing at the same time; the signer's own, and whatever the store says.
pub async fn sign(
    cx: &Context,
    store: &Arc<dyn Store>,
    subject: &Descriptor,
    signer: &dyn Signer,
    options: &SignOptions,
) -> Result<Signed> {
    let to = Traced::on(Arc::clone(options.signatures.as_ref().unwrap_or(store)), Side::Destination);
    let work = sign_in(cx, store, &to, subject, signer, options);
    cx.run(work).await.map_err(|error| error.with_operation("sign").with_context("subject", subject.digest))
}

async fn sign_in(
    cx: &Context,
    store: &Arc<dyn Store>,
    to: &Traced,
    subject: &Descriptor,
    signer: &dyn Signer,
    options: &SignOptions,
) -> Result<Signed> {
    super::policy::cosign_formats(&options.formats)?;
    to.expect_push();
    let mut signed = Signed { subject: subject.clone(), bundle: None, signature_tag: None, kept: Vec::new() };
    let wanted = |format| options.formats.contains(&format);
    // The tag first: cosign stops looking at it once there is a bundle.
    if wanted(Format::SignatureTag) {
        let identity = identity(&**store, options)?;
        let (tag, manifest, written) = tag::append(cx, to, subject, &identity, signer, options).await?;
        signed.signature_tag = Some(SignatureTag { tag, manifest });
        signed.kept.extend((!written).then_some(Format::SignatureTag));
    }
    if wanted(Format::Bundle) {
        let (manifest, written) = bundle::sign(cx, to, subject, signer, options).await?;
        signed.bundle = Some(manifest);
        signed.kept.extend((!written).then_some(Format::Bundle));
    }
    Ok(signed)
}

/// The repository that the payload names: neither scheme, tag nor digest.
fn identity(store: &dyn Store, options: &SignOptions) -> Result<String> {
    if let Some(identity) = &options.identity {
        return Ok(identity.clone());
    }
    let address = store.traits().address.ok_or_else(|| {
        Error::new(ErrorKind::InvalidInput, "a signature tag names a repository, and this store is none")
            .with_context("store", store.to_string())
            .with_hint("say in the options which repository it is signed for, or write a bundle alone")
    })?;
    Ok(format!("{}/{}", address.host(), address.repository()))
}

/// A signature over `message`, held against the signer's own key.
pub(crate) async fn checked_signature(signer: &dyn Signer, message: &[u8]) -> Result<Vec<u8>> {
    let signature = signer.sign(message).await?;
    let key: &PublicKey = signer.public_key();
    if key.verifies(message, &signature) {
        return Ok(signature);
    }
    Err(Error::new(
        ErrorKind::SignatureInvalid,
        "the signer's signature is not good under its own public key",
    )
    .with_reason(Reason::NoTrustedKey)
    .with_context("key", key.fingerprint())
    .with_hint("ECDSA signatures are ASN.1 DER over the SHA-256 of the message; is it the right key?"))
}
