use serde::{Deserialize, Serialize};

use super::{Identity, TrustRoot};
use crate::{
    chart::Timestamp,
    digest::Digest,
    error::Result,
    trust::{PublicKey, text},
};

/// What a bundle is to be held against.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum BundleArtifact<'a> {
    /// The artifact itself.
    Bytes(&'a [u8]),
    /// Its digest. Signatures over the bytes themselves that cannot be checked from a digest (Ed25519) are refused.
    Digest(&'a Digest),
}

/// Who has to have made a bundle. A bundle of the other kind is refused: a key in a certificate's place proves nothing, and the reverse. Data:
/// serialises to JSON and back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum BundleSigner {
    /// This key. The bundle has a log entry.
    Key(#[serde(with = "text")] PublicKey),
    /// One of these identities.
    Identities(Vec<Identity>),
}

/// What a bundle proved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BundleProof {
    /// Who signed: the fingerprint of the key, or subject and issuer.
    pub signer: String,
    /// When, by the earliest witness. Logs of the second generation attest no time, and a key needs none.
    #[serde(with = "text::option", skip_serializing_if = "Option::is_none")]
    pub time: Option<Timestamp>,
}

/// Checks a Sigstore bundle (0.1, 0.2, 0.3) that lies beside any artifact, as `cosign verify-blob` does. For charts in a repository there is
/// [`verify`](crate::trust::verify()), which finds the bundles and checks what kind of statement they hold; here every in-toto statement about
/// the artifact and every signature over it counts.
///
/// Needs the feature `keyless`, for keys too: a log entry is demanded of both.
///
/// # Errors
///
/// [`SignatureInvalid`](crate::ErrorKind::SignatureInvalid) with the reason,
/// [`PolicyDenied`](crate::ErrorKind::PolicyDenied) for a good bundle of somebody else,
/// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a root that cannot be used and for no identities,
/// [`Unsupported`](crate::ErrorKind::Unsupported) with reason `unsupported-key` where something is signed with ML-DSA, which is not checked, and with
/// reason `feature-missing` in a build without the feature.
pub fn verify_bundle(
    bundle: &[u8],
    artifact: BundleArtifact<'_>,
    signer: &BundleSigner,
    trust_root: &TrustRoot,
) -> Result<BundleProof> {
    checked(bundle, artifact, signer, trust_root).map_err(|error| error.with_operation("verify bundle"))
}

#[cfg(not(feature = "keyless"))]
fn checked(_: &[u8], _: BundleArtifact<'_>, _: &BundleSigner, _: &TrustRoot) -> Result<BundleProof> {
    Err(super::missing())
}

#[cfg(feature = "keyless")]
fn checked(
    bundle: &[u8],
    artifact: BundleArtifact<'_>,
    signer: &BundleSigner,
    trust_root: &TrustRoot,
) -> Result<BundleProof> {
    use super::{judge, machine::Machine};
    use crate::{
        error::{Error, ErrorKind, Reason},
        trust::policy::invalid,
    };

    let machine = Machine::new(trust_root)?;
    let artifact = match artifact {
        BundleArtifact::Bytes(bytes) => sigstore_verify::types::Artifact::from_blob(bytes),
        BundleArtifact::Digest(digest) => judge::artifact(digest),
    };
    match signer {
        BundleSigner::Key(key) => {
            let proof = machine.key(bundle, key.to_der(), artifact)?;
            Ok(BundleProof { signer: key.fingerprint().to_string(), time: proof.earliest() })
        }
        BundleSigner::Identities(identities) => {
            if identities.is_empty() {
                return Err(invalid("there are no identities that could have signed"));
            }
            identities.iter().try_for_each(Identity::validate)?;
            let proof = machine.certificate(bundle, artifact)?;
            let denied = |message: String| {
                Error::new(ErrorKind::PolicyDenied, format!("signed by somebody else: {message}"))
                    .with_reason(Reason::IdentityMismatch)
            };
            let time = proof.earliest();
            let certified = proof.certified.ok_or_else(|| denied("nobody is certified".to_owned()))?;
            match judge::nobody(identities, &certified) {
                None => Ok(BundleProof { signer: certified.to_string(), time }),
                Some(objection) => Err(denied(objection)),
            }
        }
    }
}
