//! Signatures of keys that are known.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    Format, KeyPolicy, PolicyKind, Requirement, Tlog, TrustedKey,
    bundle::{Bundle, Material},
    discover::Found,
    examination::{Examination, Judgement, Objection},
    flaw::Flaw,
    keyless, log_entry,
    simple_signing::Payload,
    statement::{COSIGN_SIGN, Statement},
    strict_json::Json,
};
use crate::error::Reason;

/// The annotation that holds a layer's signature.
pub(super) const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
/// The annotation that holds the certificate of a signature without a known key.
pub(super) const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";

/// The annotation that holds a log entry.
pub(super) const LOG_ENTRY: &str = "dev.sigstore.cosign/bundle";

/// Judges every candidate against the policy's keys.
pub(super) fn check(examination: &Examination<'_>, policy: &KeyPolicy) -> Requirement {
    examination.judge_signatures(PolicyKind::Keys, &policy.formats, policy.threshold, |found, content| {
        match found.format {
            Format::SignatureTag => signature_tag(examination, policy, found, content),
            _ => bundle(examination, policy, content),
        }
    })
}

/// A layer behind the signature tag.
fn signature_tag(
    examination: &Examination<'_>,
    policy: &KeyPolicy,
    found: &Found,
    payload: &[u8],
) -> Judgement {
    let annotation = |key| found.annotations.get(key).map(String::as_str).filter(|value| !value.is_empty());
    let signature = annotation(SIGNATURE).ok_or_else(|| Flaw::malformed("the layer carries no signature"))?;
    if annotation(CERTIFICATE).is_some() {
        return Err(foreign().into());
    }
    // As cosign's reader, this one does not mind line breaks.
    let signature: String = signature.chars().filter(|letter| !matches!(letter, '\r' | '\n')).collect();
    let signature =
        STANDARD.decode(signature).map_err(|_| Flaw::malformed("the layer's signature is no base64"))?;
    let key = signed_by(policy, payload, &signature)?;
    if let Some(entry) = annotation(LOG_ENTRY) {
        log_entry::check_annotation(entry, &signature)?;
    }
    // From here on the bytes are the key holder's: read once, and strictly.
    let payload = Payload::parse(payload)?;
    if payload.digest != examination.subject.descriptor.digest {
        return Err(Flaw::new(Reason::OtherSubject, "the signature is for another manifest").into());
    }
    demand(examination, policy, key, payload.identity.as_deref(), &payload.optional)
}

/// A bundle.
fn bundle(examination: &Examination<'_>, policy: &KeyPolicy, bytes: &[u8]) -> Judgement {
    let limits = examination.limits;
    let bundle = Bundle::parse(bytes, limits.log_entries as usize, limits.timestamps as usize)?;
    if bundle.material != Material::Key {
        return Err(foreign().into());
    }
    let signature = bundle.envelope.single_statement()?;
    let key = signed_by(policy, &bundle.envelope.signed_bytes(), &signature.bytes)?;
    bundle.log_entries.iter().try_for_each(|entry| log_entry::check_entry(entry, &signature.bytes))?;
    let statement = Statement::parse(&bundle.envelope.payload, limits.subjects as usize)?;
    if statement.predicate_type != COSIGN_SIGN {
        return Err(Flaw::new(
            Reason::NotASignature,
            format!("an attestation of type {:?} and no signature", statement.predicate_type),
        )
        .into());
    }
    let subject = statement.about(&examination.subject.descriptor.digest)?;
    demand(examination, policy, key, subject.name.as_deref(), &subject.annotations)
}

/// The trusted key whose signature over `message` this is. What the evidence says of its key is not looked at.
fn signed_by<'a>(policy: &'a KeyPolicy, message: &[u8], signature: &[u8]) -> Result<&'a TrustedKey, Flaw> {
    let signer = policy.keys.iter().find(|trusted| trusted.key.verifies(message, signature));
    signer.ok_or_else(|| {
        Flaw::new(Reason::NoTrustedKey, "the signature is of none of the policy's keys over these bytes")
    })
}

/// What the policy asks of a good signature.
fn demand(
    examination: &Examination<'_>,
    policy: &KeyPolicy,
    key: &TrustedKey,
    identity: Option<&str>,
    annotations: &[(String, Json)],
) -> Judgement {
    let signer = key.key.fingerprint().to_string();
    let deny = |reason, message: String| Err(Objection::Denied(signer.clone(), Flaw::new(reason, message)));
    if let Some(expected) = &policy.expect_identity
        && identity != Some(expected)
    {
        return deny(Reason::IdentityMismatch, format!("signed for {identity:?} and not for {expected:?}"));
    }
    for (name, expected) in &policy.annotations {
        let signed = annotations.iter().find(|(key, _)| key == name).map(|(_, value)| value);
        if signed.and_then(Json::text) != Some(expected) {
            return deny(Reason::AnnotationMismatch, format!("not signed with {name:?} = {expected:?}"));
        }
    }
    match &policy.tlog {
        Tlog::IgnoreExplicitly => {}
        Tlog::Require(_) => return Err(Objection::Unread(keyless::missing().into())),
    }
    // The key may have several windows in the policy; one that is open is enough.
    let mut windows = policy.keys.iter().filter(|other| other.key == key.key);
    if !windows.any(|window| window.counts_at(examination.now)) {
        return deny(Reason::KeyNotValid, format!("the key does not count at {}", examination.now));
    }
    Ok(signer)
}

fn foreign() -> Flaw {
    Flaw::new(
        Reason::ForeignMaterial,
        "comes with a certificate, where a signature of a known key is asked for",
    )
}
