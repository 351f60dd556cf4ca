//! Attestations: statements about a chart that somebody vouches for. Who built it from what (SLSA), what is in it (SPDX, CycloneDX), what a
//! scan found.
//!
//! A statement names the digest of the chart's manifest, says which kind of thing it says (its predicate type) and says it. It is signed as it
//! stands and attached as a Sigstore bundle, as cosign 3 does; statements of cosign 1 and 2 under the tag `sha256-HEX.att` are read too.
//!
//! A check demands a predicate type, which is read from what was signed and nowhere else: annotations can be written by anybody who may push,
//! and an attestation of one kind proves nothing of another. Nor is it ever a signature: [`verify`](super::verify()) takes none.

mod demand;
mod predicate;
mod verify;

use std::{collections::BTreeMap, sync::Arc};

use super::{
    SignOptions, Signer,
    attach::expect_subject,
    bundle, dsse,
    sign::{attach_bundle, checked_signature, existing},
    statement, strict_json,
};
use crate::{
    chart::Timestamp,
    context::Context,
    digest::Digest,
    error::{Error, ErrorKind, Reason, Result},
    json,
    oci::Descriptor,
    store::{Side, Store, Traced},
};

pub(crate) use demand::Demand;
pub use predicate::PredicateType;
pub use verify::{AttestationPolicy, VerifiedAttestation, verify_attestation};

/// Something to be said of a chart.
///
/// # Examples
///
/// ```
/// use oci_chart_core::trust::{Attestation, PredicateType};
///
/// let built = r#"{"buildDefinition":{"buildType":"https://example.com/build/v1","externalParameters":{}},
///     "runDetails":{"builder":{"id":"https://example.com/builder"}}}"#;
/// let provenance = Attestation::new(PredicateType::SLSA_PROVENANCE_V1, built)?;
/// let contents = Attestation::sbom(r#"{"bomFormat":"CycloneDX","specVersion":"1.6"}"#)?;
/// assert_eq!(contents.predicate_type(), &PredicateType::CYCLONEDX);
/// # Ok::<(), oci_chart_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attestation {
    predicate_type: PredicateType,
    predicate: String,
}

impl Attestation {
    /// A statement of this type that says `predicate`, which is JSON and goes into the statement as it stands.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for what is no JSON document or has a key twice, and for the predicate type of signatures, which
    /// [`sign`](super::sign()) makes.
    pub fn new(predicate_type: PredicateType, predicate: impl Into<String>) -> Result<Self> {
        let predicate = predicate.into();
        if predicate_type.is_signature() {
            return Err(Error::new(ErrorKind::InvalidInput, "this predicate type is that of signatures")
                .with_reason(Reason::FieldInvalid)
                .with_context("predicate type", predicate_type)
                .with_hint("sign the chart instead"));
        }
        strict_json::parse(predicate.as_bytes()).map_err(|flaw| {
            Error::new(ErrorKind::InvalidInput, format!("the predicate cannot be signed: {flaw}"))
                .with_reason(flaw.reason)
                .with_hint("give one JSON document in which no key stands twice")
        })?;
        Ok(Self { predicate_type, predicate })
    }

    /// A statement of what is in the chart: SPDX 2 or 3 or CycloneDX, JSON, told apart by what the document says.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for a document of neither, for XML and for a key twice.
    pub fn sbom(document: impl Into<String>) -> Result<Self> {
        let document = document.into();
        let predicate_type = PredicateType::of_sbom(document.as_bytes())?;
        Self::new(predicate_type, document)
    }

    /// Which kind of thing it says.
    pub fn predicate_type(&self) -> &PredicateType {
        &self.predicate_type
    }

    /// What it says, JSON.
    pub fn predicate(&self) -> &str {
        &self.predicate
    }

    /// The in-toto statement (v1) about the manifest with this digest.
    pub fn statement(&self, subject: &Digest) -> String {
        let [kind, _] = statement::TYPES;
        let mut text = format!(
            r#"{{"_type":"{kind}","subject":[{{"digest":{{"{}":"{}"}}}}],"predicateType":"#,
            subject.algorithm().name(),
            subject.hex()
        );
        json::string(&mut text, self.predicate_type.as_str());
        text.push_str(",\"predicate\":");
        text.push_str(self.predicate.trim());
        text.push('}');
        text
    }
}

/// Signs a statement about the manifest `subject`, which is there already, and attaches it as a bundle, which is the manifest that comes back.
///
/// Of the options count where the attestation goes, its time, the bounds, and whether one is kept that says the very same under the same key; the
/// form is always a bundle. Nothing about the chart changes.
///
/// # Errors
///
/// [`ErrorKind::NotFound`] with reason `manifest-missing` where the store has no such manifest, [`ErrorKind::LimitExceeded`] above
/// [`Limits::attestation_bytes`](crate::Limits), [`ErrorKind::SignatureInvalid`] where the signer's signature is not good under its public key, the
/// signer's own, and whatever the store says, with `side: destination`.
pub async fn attest(
    cx: &Context,
    store: &Arc<dyn Store>,
    subject: &Descriptor,
    attestation: &Attestation,
    signer: &dyn Signer,
    options: &SignOptions,
) -> Result<Descriptor> {
    let store = Traced::on(Arc::clone(store), Side::Destination);
    let beside = options.signatures.as_ref().map(|store| Traced::on(Arc::clone(store), Side::Destination));
    let work = async {
        expect_subject(&store, subject).await?;
        attest_in(cx, beside.as_ref().unwrap_or(&store), subject, attestation, signer, options).await
    };
    cx.run(work).await.map_err(|error| error.with_operation("attest").with_context("subject", subject.digest))
}

/// The same for a subject that is known to be there.
pub(crate) async fn attest_in(
    cx: &Context,
    to: &dyn Store,
    subject: &Descriptor,
    attestation: &Attestation,
    signer: &dyn Signer,
    options: &SignOptions,
) -> Result<Descriptor> {
    let statement = attestation.statement(&subject.digest);
    let (any, fields) = (&attestation.predicate_type, BTreeMap::new());
    if options.keep_existing
        && let Some(existing) =
            existing(cx, to, subject, signer, &statement, Demand::Attestation(any, &fields), options).await?
    {
        return Ok(existing);
    }
    let created = match options.created {
        Some(created) => Some(created),
        None => Timestamp::from_environment()?,
    };
    let signature = checked_signature(signer, &dsse::pae(dsse::IN_TOTO, statement.as_bytes())).await?;
    let bundle = bundle::write(&signer.public_key().hint(), &statement, &signature);
    let limit = options.limits.attestation_bytes;
    if bundle.len() as u64 > limit {
        // Written, nobody who keeps to the same bound could read it.
        return Err(Error::limit("attestation_bytes", limit, "the attestation is too large")
            .with_context("bytes", bundle.len()));
    }
    attach_bundle(cx, to, subject, bundle, attestation.predicate_type.as_str(), created).await
}
