//! Judges the provenance file that lies beside a chart.

use super::{
    super::{
        Candidate, Format, Outcome, PolicyKind, Requirement, Verdict, examination::Examination,
        verify::same_version,
    },
    PgpEvidence, PgpPolicy, PgpVerifier,
};
use crate::{
    error::{Error, ErrorKind, Reason, Result},
    oci::{Manifest, MediaType},
};

const TITLE: &str = "org.opencontainers.image.title";
const VERSION: &str = "org.opencontainers.image.version";

/// A chart without a provenance file is not signed.
pub(in crate::trust) fn check(examination: &Examination<'_>, policy: &PgpPolicy) -> Requirement {
    let bytes = match examination.provenance {
        None => return Requirement::new(PolicyKind::Pgp, Outcome::NotVerified),
        Some(Err(trouble)) => return Requirement::unchecked(PolicyKind::Pgp, trouble.clone()),
        Some(Ok(bytes)) => bytes,
    };
    let subject = examination.subject;
    let manifest = match Manifest::parse(&subject.descriptor, subject.manifest.clone()) {
        Ok(manifest) => manifest,
        Err(error) => return Requirement::unchecked(PolicyKind::Pgp, error),
    };
    let is_provenance = |media_type: &MediaType| *media_type == MediaType::HELM_PROVENANCE;
    let mut candidate = Candidate {
        format: Format::Provenance,
        manifest: Some(subject.descriptor.digest),
        layer: manifest.layers().iter().rposition(|layer| is_provenance(&layer.media_type)).unwrap_or(0),
        verdict: Verdict::Verified,
        reason: None,
        message: None,
        signer: None,
    };
    let mut requirement = Requirement::new(PolicyKind::Pgp, Outcome::Verified);
    match judge(examination, &manifest, policy, bytes) {
        Ok(evidence) => {
            candidate.signer = Some(evidence.signer.to_string());
            requirement.signers = vec![evidence.primary.to_string()];
            requirement.provenance = Some(evidence);
        }
        Err(error) => {
            let denied = error.kind() == ErrorKind::PolicyDenied;
            candidate.verdict = if denied { Verdict::Denied } else { Verdict::Refused };
            candidate.reason = error.reason();
            let hint = error.hint().filter(|_| denied).map(|hint| format!(" ({hint})"));
            candidate.message = Some(format!("{}{}", error.message(), hint.unwrap_or_default()));
            requirement.outcome = Outcome::NotVerified;
        }
    }
    requirement.candidates = vec![candidate];
    requirement
}

fn judge(
    examination: &Examination<'_>,
    manifest: &Manifest,
    policy: &PgpPolicy,
    prov: &[u8],
) -> Result<PgpEvidence> {
    let subject = examination.subject;
    if manifest.layers().iter().filter(|layer| layer.media_type == MediaType::HELM_PROVENANCE).count() > 1 {
        return Err(Error::new(ErrorKind::PolicyDenied, "the manifest has several provenance files")
            .with_reason(Reason::DuplicateLayer));
    }
    let parts = subject.parts().ok_or_else(|| Error::new(ErrorKind::InvalidManifest, "not a chart"))?;
    // Only what Helm would call the file; nothing is decided by it but a note.
    let annotation = |key| manifest.annotations().get(key);
    let file = match (annotation(TITLE), annotation(VERSION)) {
        (Some(title), Some(version)) => Some(format!("{title}-{version}.tgz")),
        _ => None,
    };
    let now = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(examination.now.unix());
    let verifier = PgpVerifier::from_policy(policy)?;
    let evidence = verifier.verify_provenance(prov, &parts.chart().digest, file.as_deref(), now)?;
    if let (Some(asked), Some(signed)) = (subject.version(), &evidence.version) {
        same_version(&asked, signed)?;
    }
    Ok(evidence)
}
