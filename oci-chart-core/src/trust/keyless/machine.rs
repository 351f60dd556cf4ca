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
        examination::Objection,
        flaw::Flaw,
        strict_json::{self, Json},
    },
    Claim, TrustRoot,
    identity::Certified,
    provider,
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
    /// When, by every witness that names a time.
    pub(super) times: Vec<Timestamp>,
}

impl Proof {
    /// When, by the earliest witness.
    pub(super) fn earliest(&self) -> Option<Timestamp> {
        self.times.iter().min().copied()
    }
}

/// Why a bundle proves nothing.
#[derive(Debug)]
pub(super) enum Refused {
    /// Something is wrong with it.
    Flawed(Flaw),
    /// It rests on a signature of this kind, which is not checked here.
    Unchecked(&'static str),
}

impl From<Flaw> for Refused {
    fn from(flaw: Flaw) -> Self {
        Self::Flawed(flaw)
    }
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Flawed(flaw) => flaw.into(),
            Refused::Unchecked(scheme) => {
                let message = format!("signatures of this kind are not checked: {scheme}");
                Self::new(ErrorKind::Unsupported, message).with_reason(Reason::UnsupportedKey)
            }
        }
    }
}

impl From<Refused> for Objection {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Flawed(flaw) => Self::Refused(flaw),
            unchecked @ Refused::Unchecked(_) => Self::Unread(Error::from(unchecked).into()),
        }
    }
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
        provider::install();
        let parsed = TrustedRoot::from_json(root.json()).map_err(|error| unusable(error.to_string()))?;
        Verifier::new(&parsed).map(Self).map_err(|error| unusable(error.to_string()))
    }

    /// Checks a bundle with a certificate: chain, certificate timestamp, log entry, times, signature, and that all of them speak of this
    /// signature and this artifact. Whose certificate it is remains to be judged.
    pub(super) fn certificate(&self, bundle: &[u8], artifact: Artifact<'_>) -> Result<Proof, Refused> {
        let bundle = read(bundle, Material::Certificate)?;
        let result = answer(|| self.0.verify(artifact, &bundle, &VerificationPolicy::any_identity()))?;
        // Whatever a policy of that crate may leave out one day: without these nothing is proven.
        let proven = result.certificate_verified() && result.sct_verified() && result.tlog_verified();
        let info = result.certificate().filter(|_| proven);
        let certified = info.and_then(certified).ok_or_else(|| {
            Flaw::new(Reason::CertificateUntrusted, "the certificate names no subject or no issuer")
        })?;
        Ok(Proof { certified: Some(certified), times: times(&result)? })
    }

    /// Checks a bundle without a certificate, made by the key with this SubjectPublicKeyInfo (DER): log entry, times, signature, and that all of
    /// them speak of this signature, this key and this artifact.
    pub(super) fn key(&self, bundle: &[u8], key: &[u8], artifact: Artifact<'_>) -> Result<Proof, Refused> {
        let bundle = read(bundle, Material::Key)?;
        if bundle.verification_material.tlog_entries.is_empty() {
            return Err(Flaw::new(Reason::LogEntryInvalid, "there is no log entry").into());
        }
        let policy = PublicKeyVerificationPolicy::new(DerPublicKey::new(key.to_vec()));
        let result = answer(|| self.0.verify(artifact, &bundle, &policy))?;
        if !result.tlog_verified() {
            return Err(Flaw::new(Reason::LogEntryInvalid, "the log entry was not checked").into());
        }
        Ok(Proof { certified: None, times: times(&result)? })
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

/// What the crate answers. A refusal may only mean that something was signed in a way nobody here can check.
fn answer(
    check: impl FnOnce() -> Result<VerificationResult, Refusal>,
) -> Result<VerificationResult, Refused> {
    let (answer, unchecked) = provider::watched(check);
    answer.map_err(|refusal| match unchecked {
        Some(scheme) => Refused::Unchecked(scheme.name()),
        None => Refused::Flawed(flaw(&refusal)),
    })
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

fn times(result: &VerificationResult) -> Result<Vec<Timestamp>, Flaw> {
    let times = result.verified_timestamps().iter();
    let times = times.map(|time| Timestamp::from_unix(u64::try_from(time.as_second()).ok()?).ok());
    times
        .collect::<Option<_>>()
        .ok_or_else(|| Flaw::new(Reason::TimeUnproven, "a witness names a time that nothing is signed at"))
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

#[cfg(test)]
mod tests {
    use sigstore_verify::crypto::{SigningScheme, try_default_provider};

    use super::*;

    #[test]
    fn what_nobody_here_can_check_is_neither_good_nor_bad() {
        provider::install();
        let refused = |scheme: SigningScheme| {
            let check = || {
                let answer = try_default_provider().unwrap().verify_raw(scheme, &[4; 65], b"", b"");
                Err(Refusal::SignatureInvalid(answer.unwrap_err().to_string()))
            };
            answer(check).unwrap_err()
        };
        let unchecked = refused(SigningScheme::MlDsa65);
        let error = Error::from(unchecked);
        assert_eq!((error.kind(), error.reason()), (ErrorKind::Unsupported, Some(Reason::UnsupportedKey)));
        assert!(matches!(Objection::from(refused(SigningScheme::MlDsa44)), Objection::Unread(_)));
        // What was asked before does not count, nor what somebody else in the process asked.
        try_default_provider().unwrap().verify_raw(SigningScheme::MlDsa65, &[4; 65], b"", b"").unwrap_err();
        let flawed = refused(SigningScheme::EcdsaP256Sha256);
        assert!(
            matches!(Objection::from(flawed), Objection::Refused(flaw) if flaw.reason == Reason::SignatureMismatch)
        );
    }
}
