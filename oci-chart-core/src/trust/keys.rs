//! Signatures of keys that are known.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;

use super::{
    Format, KeyPolicy, PolicyKind, Requirement, TrustedKey,
    bundle::{Bundle, Material},
    discover::Found,
    dsse::Envelope,
    examination::{Examination, Judgement, Objection},
    flaw::Flaw,
    keyless::Log,
    log_entry,
    simple_signing::Payload,
    statement::Statement,
    strict_json,
    words::Words,
};
use crate::{chart::Timestamp, digest::Digest, error::Reason};

/// The annotation that holds a layer's signature.
pub(super) const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
/// The annotation that holds the certificate of a signature without a known key.
pub(super) const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";

/// The annotation that holds a log entry.
pub(super) const LOG_ENTRY: &str = "dev.sigstore.cosign/bundle";

/// Judges every candidate against the policy's keys.
pub(super) fn check(examination: &Examination<'_>, policy: &KeyPolicy) -> Requirement {
    let case = Case { examination, policy, log: Log::new(&policy.tlog) };
    let judge = |found: &Found, content: &Bytes| match (found.format, examination.demand.is_signature()) {
        (Format::SignatureTag, true) => case.signature_tag(found, content),
        (Format::SignatureTag, false) => case.attestation_tag(found, content),
        _ => case.bundle(content),
    };
    let mut requirement =
        examination.judge_signatures(PolicyKind::Keys, &policy.formats, policy.threshold, judge);
    requirement.trust_root = case.log.root().map(|root| root.age(examination.now));
    requirement
}

struct Case<'a> {
    examination: &'a Examination<'a>,
    policy: &'a KeyPolicy,
    log: Log,
}

impl Case<'_> {
    /// A layer behind the signature tag.
    fn signature_tag(&self, found: &Found, payload: &[u8]) -> Judgement {
        let annotation =
            |key| found.annotations.get(key).map(String::as_str).filter(|value| !value.is_empty());
        let signature =
            annotation(SIGNATURE).ok_or_else(|| Flaw::malformed("the layer carries no signature"))?;
        if annotation(CERTIFICATE).is_some() {
            return Err(foreign().into());
        }
        // As cosign's reader, this one does not mind line breaks.
        let signature: String = signature.chars().filter(|letter| !matches!(letter, '\r' | '\n')).collect();
        let signature =
            STANDARD.decode(signature).map_err(|_| Flaw::malformed("the layer's signature is no base64"))?;
        let key = self.signed_by(payload, &signature)?;
        if let Some(entry) = annotation(LOG_ENTRY) {
            log_entry::check_annotation(entry, &signature)?;
        }
        // From here on the bytes are the key holder's: read once, and strictly.
        let read = Payload::parse(payload)?;
        if read.digest != self.subject() {
            return Err(Flaw::new(Reason::OtherSubject, "the signature is for another manifest").into());
        }
        let times = self.log.times_of_layer(payload, &found.annotations, &key.key)?;
        self.demand(key, times, &read.words)
    }

    /// A bundle.
    fn bundle(&self, bytes: &[u8]) -> Judgement {
        let bundle = Bundle::parse(bytes, self.examination.limits)?;
        if bundle.material != Material::Key {
            return Err(foreign().into());
        }
        let times = |key: &TrustedKey| self.log.times_of_bundle(bytes, &key.key, &self.subject());
        self.envelope(
            &bundle.envelope,
            |signature| {
                bundle.log_entries.iter().try_for_each(|entry| log_entry::check_entry(*entry, signature))
            },
            times,
        )
    }

    /// A layer behind the attestation tag.
    fn attestation_tag(&self, found: &Found, bytes: &[u8]) -> Judgement {
        let annotation =
            |key| found.annotations.get(key).map(String::as_str).filter(|value| !value.is_empty());
        if annotation(CERTIFICATE).is_some() {
            return Err(foreign().into());
        }
        let envelope = Envelope::read(strict_json::parse(bytes)?)?;
        let times = |key: &TrustedKey| {
            self.log.times_of_envelope(bytes, &found.annotations, &key.key, &self.subject())
        };
        self.envelope(
            &envelope,
            |signature| match annotation(LOG_ENTRY) {
                Some(entry) => log_entry::check_annotation(entry, signature),
                None => Ok(()),
            },
            times,
        )
    }

    /// A signed statement, whose log entries `own` looks at and whose times `times` asks the log for.
    fn envelope(
        &self,
        envelope: &Envelope,
        own: impl FnOnce(&[u8]) -> Result<(), Flaw>,
        times: impl FnOnce(&TrustedKey) -> Result<Vec<Timestamp>, Objection>,
    ) -> Judgement {
        let signature = envelope.signature()?;
        let key = self.signed_by(envelope.signed_bytes(), signature)?;
        own(signature)?;
        let statement = Statement::parse(envelope.payload(), self.examination.limits)?;
        self.examination.demand.check_type(&statement)?;
        let subject = statement.about(&self.subject())?;
        let times = times(key)?;
        let signer = self.demand(key, times, &subject.words)?;
        match self.examination.demand.check_fields(&statement) {
            Ok(()) => Ok(signer),
            Err(flaw) => Err(Objection::Denied(signer, flaw)),
        }
    }

    /// The trusted key whose signature over `message` this is. What the evidence says of its key is not looked at.
    fn signed_by(&self, message: &[u8], signature: &[u8]) -> Result<&TrustedKey, Flaw> {
        let signer = self.policy.keys.iter().find(|trusted| trusted.key.verifies(message, signature));
        signer.ok_or_else(|| {
            Flaw::new(Reason::NoTrustedKey, "the signature is of none of the policy's keys over these bytes")
        })
    }

    /// What the policy asks of a good signature, which the log's witnesses saw at these times if it was asked.
    fn demand(&self, key: &TrustedKey, mut times: Vec<Timestamp>, words: &Words<'_>) -> Judgement {
        let policy = self.policy;
        let signer = key.key.fingerprint().to_string();
        if let Err(flaw) = words.check(policy.expect_identity.as_deref(), &policy.annotations) {
            return Err(Objection::Denied(signer, flaw));
        }
        if times.is_empty() {
            times.push(self.examination.now);
        }
        // The key may have several windows in the policy; one that is open is enough. Every witness must have seen the key while it counted: which of
        // them is wrong cannot be told.
        let windows = || policy.keys.iter().filter(|other| other.key == key.key);
        if let Some(time) = times.into_iter().find(|time| !windows().any(|window| window.counts_at(*time))) {
            let flaw = Flaw::new(Reason::KeyNotValid, format!("the key does not count at {time}"));
            return Err(Objection::Denied(signer, flaw));
        }
        Ok(signer)
    }

    fn subject(&self) -> Digest {
        self.examination.subject.descriptor.digest
    }
}

fn foreign() -> Flaw {
    Flaw::new(
        Reason::ForeignMaterial,
        "comes with a certificate, where a signature of a known key is asked for",
    )
}
