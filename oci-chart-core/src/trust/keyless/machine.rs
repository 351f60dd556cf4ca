//! The one place that knows the crate which checks certificates, logs and timestamps. What goes in was bounded here; what comes out are
//! our own values.

use sigstore_verify::{
    Error as Refusal, PublicKeyVerificationPolicy, VerificationPolicy, VerificationResult, Verifier,
    crypto::CertificateInfo,
    error::TransparencyLogError,
    trust_root::TrustedRoot,
    types::{Artifact, Bundle, DerPublicKey},
};

use super::{
    super::{
        dsse::Envelope,
        flaw::Flaw,
        strict_json::{self, Json},
    },
    Claim, TrustRoot,
    identity::Certified,
};
use crate::{
    chart::Timestamp,
    error::{Error, ErrorKind, Reason, Result},
};

/// Most log entries and most timestamps of one bundle (sigstore-go, `internal/limits`).
const MOST_WITNESSES: usize = 32;
/// Most certificates of one chain.
const MOST_CERTIFICATES: usize = 10;

/// A trust root, read and ready.
pub(in crate::trust) struct Machine(Verifier);

/// What a bundle proves.
pub(super) struct Proof {
    /// Who signed, where a certificate says so.
    pub(super) certified: Option<Certified>,
    /// When, by the earliest witness, where there is one.
    pub(super) time: Option<Timestamp>,
}

impl Machine {
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for a root that cannot be used.
    pub(super) fn new(root: &TrustRoot) -> Result<Self> {
        let unusable = |error: String| {
            Error::new(ErrorKind::InvalidInput, format!("the trusted root cannot be used: {error}"))
                .with_reason(Reason::FieldInvalid)
                .with_hint(
                    "take the trusted_root.json of the Sigstore instance whose signatures are to be checked",
                )
        };
        let parsed = TrustedRoot::from_json(root.json()).map_err(|error| unusable(error.to_string()))?;
        Verifier::new(&parsed).map(Self).map_err(|error| unusable(error.to_string()))
    }

    /// Checks a bundle with a certificate: chain, certificate timestamp, log entry, times, signature, and that all of them speak of this
    /// signature and this artifact. Whose certificate it is remains to be judged.
    pub(super) fn certificate(&self, bundle: &[u8], artifact: Artifact<'_>) -> Result<Proof, Flaw> {
        let bundle = read(bundle, Material::Certificate)?;
        let result = self
            .0
            .verify(artifact, &bundle, &VerificationPolicy::any_identity())
            .map_err(|refusal| flaw(&refusal))?;
        // Whatever a policy of that crate may leave out one day: without these nothing is proven.
        let proven = result.certificate_verified() && result.sct_verified() && result.tlog_verified();
        let info = result.certificate().filter(|_| proven);
        let certified = info.and_then(certified).ok_or_else(|| {
            Flaw::new(Reason::CertificateUntrusted, "the certificate names no subject or no issuer")
        })?;
        Ok(Proof { certified: Some(certified), time: earliest(&result) })
    }

    /// Checks a bundle without a certificate, made by the key with this SubjectPublicKeyInfo (DER): log entry, times, signature, and that all of
    /// them speak of this signature, this key and this artifact.
    pub(super) fn key(&self, bundle: &[u8], key: &[u8], artifact: Artifact<'_>) -> Result<Proof, Flaw> {
        let bundle = read(bundle, Material::Key)?;
        if bundle.verification_material.tlog_entries.is_empty() {
            return Err(Flaw::new(Reason::LogEntryInvalid, "there is no log entry"));
        }
        let policy = PublicKeyVerificationPolicy::new(DerPublicKey::new(key.to_vec()));
        let result = self.0.verify(artifact, &bundle, &policy).map_err(|refusal| flaw(&refusal))?;
        if !result.tlog_verified() {
            return Err(Flaw::new(Reason::LogEntryInvalid, "the log entry was not checked"));
        }
        Ok(Proof { certified: None, time: earliest(&result) })
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Material {
    Certificate,
    Key,
}

/// Reads a bundle that can be read in one way only, of the wanted kind and within bounds.
fn read(bytes: &[u8], wanted: Material) -> Result<Bundle, Flaw> {
    let [kind, material, message, envelope] = strict_json::parse(bytes)?
        .fields("the bundle", ["mediaType", "verificationMaterial", "messageSignature", "dsseEnvelope"])?;
    if kind.and_then(Json::text).is_none() {
        return Err(Flaw::malformed("the bundle names no media type"));
    }
    let material = material.ok_or_else(|| Flaw::malformed("the bundle has no verification material"))?;
    let has = |key: &str| material.get(key).is_some_and(|value| !value.is_null());
    let certificate = has("certificate") || has("x509CertificateChain");
    match (certificate, has("publicKey"), wanted) {
        (true, false, Material::Certificate) | (false, true, Material::Key) => {}
        (true, false, Material::Key) => {
            return Err(Flaw::new(
                Reason::ForeignMaterial,
                "the bundle has a certificate where a key is asked for",
            ));
        }
        (false, true, Material::Certificate) => {
            return Err(Flaw::new(
                Reason::ForeignMaterial,
                "the bundle names a key where a certificate is asked for",
            ));
        }
        _ => {
            return Err(Flaw::new(
                Reason::ForeignMaterial,
                "the bundle has neither a certificate nor a key, or both",
            ));
        }
    }
    let lists = [
        (&["tlogEntries"][..], MOST_WITNESSES, "log entries"),
        (&["timestampVerificationData", "rfc3161Timestamps"], MOST_WITNESSES, "timestamps"),
        (&["x509CertificateChain", "certificates"], MOST_CERTIFICATES, "certificates"),
    ];
    for (path, most, what) in lists {
        if material.at(path).and_then(Json::items).is_some_and(|mut list| list.nth(most).is_some()) {
            let message = format!("the bundle has more {what} than are read: {most}");
            return Err(Flaw::new(Reason::TooManyParts, message));
        }
    }
    match (message, envelope) {
        (Some(_), None) => {}
        // What was signed is read once more over there, where two equal keys might mean something else.
        (None, Some(envelope)) => drop(strict_json::parse(Envelope::read(envelope)?.payload())?),
        _ => return Err(Flaw::malformed("the bundle has no signature, or two kinds of it")),
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Flaw::malformed("the bundle is not UTF-8"))?;
    Bundle::from_json(text).map_err(|error| Flaw::malformed(format!("not a bundle: {}", escaped(&error))))
}

fn certified(info: &CertificateInfo) -> Option<Certified> {
    let claims =
        Claim::ALL.iter().filter_map(|claim| Some((*claim, claim.of(&info.ci_claims)?.to_owned()))).collect();
    Some(Certified {
        subject: info.identity.as_ref()?.as_str().to_owned(),
        issuer: info.issuer.clone()?,
        claims,
    })
}

fn earliest(result: &VerificationResult) -> Option<Timestamp> {
    let seconds = result.verified_timestamps().iter().map(|time| time.as_second()).min()?;
    Timestamp::from_unix(u64::try_from(seconds).ok()?).ok()
}

fn flaw(refusal: &Refusal) -> Flaw {
    let reason = match refusal {
        Refusal::SignatureInvalid(_) => Reason::SignatureMismatch,
        Refusal::ArtifactMismatch(_) => Reason::OtherSubject,
        Refusal::Certificate(_) => Reason::CertificateUntrusted,
        Refusal::TransparencyLog(TransparencyLogError::EntryMismatch(_)) => Reason::OtherLogEntry,
        Refusal::TransparencyLog(_) => Reason::LogEntryInvalid,
        Refusal::Timestamp(_) => Reason::TimeUnproven,
        Refusal::Bundle(_) => Reason::LogEntryInvalid,
        Refusal::UnsupportedBundle(_) | Refusal::UnsupportedArtifact(_) => Reason::OperationUnsupported,
        _ => Reason::MalformedSignature,
    };
    Flaw::new(reason, escaped(refusal))
}

/// What the crate says, which may quote what it read.
fn escaped(error: &impl std::fmt::Display) -> String {
    let text: String = error.to_string().chars().take(300).collect();
    text.escape_debug().to_string().replace("\\\"", "\"")
}
