use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{
    super::{
        Evidence, Format, Outcome, Pattern, Policy, Unverified, Verdict, Verified, VerifyOptions,
        bundle::Bundle,
        discover::Found,
        dsse::Envelope,
        strict_json, text,
        verify::{Subject, look},
    },
    Demand, PredicateType,
};
use crate::{
    context::Context,
    digest::Digest,
    error::{Error, ErrorKind, Reason, Result},
    name::Selector,
    oci::Descriptor,
    store::{Side, Store, Traced},
};

/// What has to be attested of a chart, and by whom. Data: serialises to JSON and back.
///
/// # Examples
///
/// ```
/// use oci_chart_core::trust::{AttestationPolicy, Policy, PredicateType};
///
/// fn built_by_us(signers: Policy) -> oci_chart_core::Result<AttestationPolicy> {
///     AttestationPolicy::new(PredicateType::SLSA_PROVENANCE_V1, signers)
///         .with_field("/runDetails/builder/id", "https://github.com/org/builder@refs/tags/**".parse()?)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct AttestationPolicy {
    /// Which kind of statement. It is read from what was signed.
    pub predicate_type: PredicateType,
    /// Who has to have signed it. Provenance files attest nothing, so the policy has no part of that kind. Of a policy's forms, the one with the
    /// signature tag means the tag `sha256-HEX.att` here.
    pub signers: Policy,
    /// What the predicate must have where: JSON pointers (RFC 6901) and the texts there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, Pattern>,
}

impl AttestationPolicy {
    /// Any statement of this type by these signers.
    pub fn new(predicate_type: PredicateType, signers: Policy) -> Self {
        Self { predicate_type, signers, fields: BTreeMap::new() }
    }

    /// The same with a text that the predicate must have at `pointer`, as `/runDetails/builder/id` of SLSA provenance.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for what is no JSON pointer.
    pub fn with_field(mut self, pointer: impl Into<String>, value: Pattern) -> Result<Self> {
        let pointer = pointer.into();
        check_pointer(&pointer)?;
        self.fields.insert(pointer, value);
        Ok(self)
    }

    /// Reads a policy from JSON.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for JSON that is no such policy, and as [`validate`](Self::validate).
    pub fn from_json(text: &str) -> Result<Self> {
        let policy: Self = serde_json::from_str(text).map_err(|error| {
            Error::new(ErrorKind::InvalidInput, format!("not a policy of attestations: {error}"))
                .with_source(error)
        })?;
        policy.validate()?;
        Ok(policy)
    }

    /// As JSON.
    pub fn to_json(&self) -> String {
        text::json(self)
    }

    /// Whether it can be satisfied and missed at all; [`verify_attestation`] asks this first.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`]: as [`Policy::validate`]; a part of the kind [`Policy::Pgp`]; the predicate type of signatures; a field that is
    /// no JSON pointer.
    pub fn validate(&self) -> Result<()> {
        self.signers.validate()?;
        if self.signers.formats().contains(&Format::Provenance) {
            return Err(invalid(
                "provenance files attest nothing, and the policy has a part that asks for one",
            ));
        }
        if self.predicate_type.is_signature() {
            return Err(
                invalid("the predicate type is that of signatures").with_hint("verify the signature instead")
            );
        }
        self.fields.keys().try_for_each(|pointer| check_pointer(pointer))
    }
}

/// A statement about a chart that satisfied a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct VerifiedAttestation {
    /// The chart's manifest.
    pub subject: Descriptor,
    /// The manifest that holds the statement.
    pub manifest: Digest,
    /// Which kind of thing it says.
    pub predicate_type: PredicateType,
    /// What it says: the text of a JSON document, byte for byte as it was signed; `null` where the statement has none.
    pub predicate: String,
    /// Who signed it: the fingerprint of a key, or an identity.
    pub signer: String,
}

/// Checks that what `selector` names is attested as `policy` demands, and gives the statements that count, in the order in which they were found.
///
/// # Errors
///
/// As [`verify`](super::super::verify()), with the same meaning: [`NotSigned`](ErrorKind::NotSigned) where there is no statement of this type,
/// [`SignatureInvalid`](ErrorKind::SignatureInvalid) and [`PolicyDenied`](ErrorKind::PolicyDenied) where none counts,
/// [`CouldNotCheck`](ErrorKind::CouldNotCheck) where that could not be seen; all with [`Evidence`].
pub async fn verify_attestation(
    cx: &Context,
    store: &Arc<dyn Store>,
    selector: &Selector,
    policy: &AttestationPolicy,
    options: &VerifyOptions,
) -> Result<Verified<Vec<VerifiedAttestation>>> {
    let store = Traced::on(Arc::clone(store), Side::Source);
    let work = async {
        policy.validate()?;
        let subject = Subject::fetch(cx, &store, selector, &options.limits).await?;
        let demand = Demand::Attestation(&policy.predicate_type, &policy.fields);
        let (evidence, found) = look(cx, &store, &subject, &policy.signers, demand, options).await?;
        if evidence.outcome != Outcome::Verified {
            return Err(Unverified::into_error(evidence));
        }
        subject.check_version()?;
        let statements = statements(&evidence, &found, &subject.descriptor, policy, options);
        Ok(Verified::new(statements, evidence))
    };
    cx.run(work).await.map_err(|error| {
        error
            .with_operation("verify attestation")
            .with_context("selector", selector)
            .with_context("predicate type", &policy.predicate_type)
    })
}

/// The statements of the candidates that counted.
fn statements(
    evidence: &Evidence,
    found: &[Found],
    subject: &Descriptor,
    policy: &AttestationPolicy,
    options: &VerifyOptions,
) -> Vec<VerifiedAttestation> {
    let mut statements: Vec<(&Found, VerifiedAttestation)> = Vec::new();
    for candidate in evidence.candidates() {
        let (Verdict::Verified, Some(signer)) = (candidate.verdict, &candidate.signer) else { continue };
        let this =
            |found: &&Found| Some(found.manifest) == candidate.manifest && found.layer == candidate.layer;
        let Some(found) = found.iter().find(this) else { continue };
        // Several parts of a policy may count the same one.
        if statements.iter().any(|(known, _)| std::ptr::eq(*known, found)) {
            continue;
        }
        let Some(predicate) = predicate(found, options) else { continue };
        let statement = VerifiedAttestation {
            subject: subject.clone(),
            manifest: found.manifest,
            predicate_type: policy.predicate_type.clone(),
            predicate,
            signer: signer.clone(),
        };
        statements.push((found, statement));
    }
    statements.into_iter().map(|(_, statement)| statement).collect()
}

/// What a statement says, as it stands there. It was read strictly before, so it can be read in one way only.
fn predicate(found: &Found, options: &VerifyOptions) -> Option<String> {
    let content = found.content.as_ref().ok()?;
    let envelope = match found.format {
        Format::Bundle => Bundle::parse(content, &options.limits).ok()?.envelope,
        _ => Envelope::read(strict_json::parse(content).ok()?).ok()?,
    };
    let statement = envelope.payload();
    let Some(predicate) = strict_json::parse(statement).ok()?.get("predicate") else {
        return Some("null".to_owned());
    };
    // It may be large: the memory of the statement does for it.
    let start = predicate.raw().as_ptr().addr() - statement.as_ptr().addr();
    let length = predicate.raw().len();
    String::from_utf8(envelope.into_part(start, length)).ok()
}

fn check_pointer(pointer: &str) -> Result<()> {
    if pointer.starts_with('/') {
        return Ok(());
    }
    Err(invalid("not a JSON pointer")
        .with_context("pointer", format!("{pointer:?}"))
        .with_hint("write it like /runDetails/builder/id (RFC 6901)"))
}

fn invalid(message: &'static str) -> Error {
    Error::new(ErrorKind::InvalidInput, message).with_reason(Reason::FieldInvalid)
}
