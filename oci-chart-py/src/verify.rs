//! The verbs of trust. Each takes the client, a reference with a version beside it, its own arguments, and last what every call takes.

use std::path::PathBuf;

use oci_chart_core::{
    ChartArtifact, Digest, Error, ErrorKind,
    name::Target,
    trust::{self, AttestationPolicy, BundleArtifact, BundleSigner, PublishOptions, TrustRoot},
};
use pyo3::prelude::*;

use crate::{
    call::{Call, computed, waited},
    chart::{Chart, Package},
    client::{ClientCore, Pushing, target, written},
    convert::{Octets, Source},
    keys::AnySigner,
    trust::{Attachment, Attestation, Evidence, PolicyHandle, Signing, VerifiedCore, Verifying},
    values::{Descriptor, Place, PullResult, PushResult},
};

/// What was verified and why.
#[pyfunction]
pub(crate) fn verify(
    py: Python<'_>,
    client: &ClientCore,
    reference: Place,
    version: Option<&str>,
    policy: PolicyHandle,
    how: Verifying,
    call: Call,
) -> PyResult<VerifiedCore> {
    let client = client.open(py)?;
    waited(py, client.host(py, call), |host| {
        let (location, selector) = target(&reference, version)?;
        let options = how.options(client.blocking.client())?;
        let verified = client.blocking.verify(&location, &selector, &policy.0, &options, host)?;
        Ok(VerifiedCore { verified, location })
    })
}

/// What a chart inside a chart was released as.
#[pyfunction]
pub(crate) fn verify_subchart(
    py: Python<'_>,
    client: &ClientCore,
    subchart: &Chart,
    place: Place,
    policy: PolicyHandle,
    how: Verifying,
    call: Call,
) -> PyResult<VerifiedCore> {
    let client = client.open(py)?;
    waited(py, client.host(py, call), |host| {
        let location = Target::parse(&place)?.into_location();
        let options = how.options(client.blocking.client())?;
        let verified = client.blocking.verify_subchart(&subchart.0, &location, &policy.0, &options, host)?;
        Ok(VerifiedCore { verified, location })
    })
}

/// What was verified before, from where it was verified, or from `place`.
#[pyfunction]
pub(crate) fn pull_verified(
    py: Python<'_>,
    client: &ClientCore,
    verified: &VerifiedCore,
    place: Option<Place>,
    dest: Option<PathBuf>,
    call: Call,
) -> PyResult<PullResult> {
    let client = client.open(py)?;
    let pulled = waited(py, client.host(py, call), |host| {
        let location = match place {
            Some(place) => Target::parse(&place)?.into_location(),
            None => verified.location.clone(),
        };
        let limits = client.blocking.client().limits();
        let pulled = client.blocking.pull_verified(&location, &verified.verified, limits, host)?;
        written(pulled, dest)
    })?;
    PullResult::from_pulled(py, pulled)
}

/// The evidence, whatever it comes to.
#[pyfunction]
pub(crate) fn examine(
    py: Python<'_>,
    client: &ClientCore,
    reference: Place,
    version: Option<&str>,
    policy: PolicyHandle,
    how: Verifying,
    call: Call,
) -> PyResult<Evidence> {
    let client = client.open(py)?;
    waited(py, client.host(py, call), |host| {
        let (location, selector) = target(&reference, version)?;
        let options = how.options(client.blocking.client())?;
        let found = client.blocking.examine(&location, &selector, &policy.0, &options, host)?;
        Ok(Evidence(found.to_json()))
    })
}

/// What signing left behind, as JSON.
#[pyfunction]
pub(crate) fn sign(
    py: Python<'_>,
    client: &ClientCore,
    reference: Place,
    version: Option<&str>,
    signer: AnySigner,
    how: Signing,
    call: Call,
) -> PyResult<String> {
    let client = client.open(py)?;
    let host = client.host(py, call);
    let signer = signer.core(py, &host.raised);
    waited(py, host, |host| {
        let (location, selector) = target(&reference, version)?;
        let options = how.options(client.blocking.client())?;
        let subject = client.blocking.resolve(&location, &selector, host)?;
        let signed = client.blocking.sign(&location, &subject, signer, &options, host)?;
        Ok(signed.to_json())
    })
}

/// The attachment's manifest.
#[pyfunction]
pub(crate) fn attach(
    py: Python<'_>,
    client: &ClientCore,
    reference: Place,
    version: Option<&str>,
    attachment: Attachment,
    call: Call,
) -> PyResult<Descriptor> {
    let client = client.open(py)?;
    waited(py, client.host(py, call), |host| {
        let (location, selector) = target(&reference, version)?;
        let subject = client.blocking.resolve(&location, &selector, host)?;
        let attached = client.blocking.attach(&location, &subject, &attachment.0, host)?;
        Ok((&attached.descriptor).into())
    })
}

/// What was attached, by the digest of its manifest.
#[pyfunction]
pub(crate) fn fetch_attachment(
    py: Python<'_>,
    client: &ClientCore,
    reference: Place,
    call: Call,
) -> PyResult<Attachment> {
    let client = client.open(py)?;
    waited(py, client.host(py, call), |host| {
        let (location, selector) = target(&reference, None)?;
        let referrer = client.blocking.resolve(&location, &selector, host)?;
        let limits = client.blocking.client().limits();
        client.blocking.fetch_attachment(&location, &referrer, limits, host).map(Attachment)
    })
}

/// The manifest that holds the statement.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "what the verb takes")]
pub(crate) fn attest(
    py: Python<'_>,
    client: &ClientCore,
    reference: Place,
    version: Option<&str>,
    attestation: Attestation,
    signer: AnySigner,
    how: Signing,
    call: Call,
) -> PyResult<Descriptor> {
    let client = client.open(py)?;
    let host = client.host(py, call);
    let signer = signer.core(py, &host.raised);
    waited(py, host, |host| {
        let (location, selector) = target(&reference, version)?;
        let options = how.options(client.blocking.client())?;
        let subject = client.blocking.resolve(&location, &selector, host)?;
        let made = client.blocking.attest(&location, &subject, &attestation.0, signer, &options, host)?;
        Ok((&made).into())
    })
}

/// The statements that count and why, as JSON.
#[pyfunction]
pub(crate) fn verify_attestation(
    py: Python<'_>,
    client: &ClientCore,
    reference: Place,
    version: Option<&str>,
    policy: &str,
    how: Verifying,
    call: Call,
) -> PyResult<String> {
    let client = client.open(py)?;
    waited(py, client.host(py, call), |host| {
        let (location, selector) = target(&reference, version)?;
        let options = how.options(client.blocking.client())?;
        let policy = AttestationPolicy::from_json(policy)?;
        let verified = client.blocking.verify_attestation(&location, &selector, &policy, &options, host)?;
        Ok(verified.to_json())
    })
}

/// What is attached, as JSON, and as a drawing.
#[pyfunction]
pub(crate) fn tree(
    py: Python<'_>,
    client: &ClientCore,
    reference: Place,
    version: Option<&str>,
    call: Call,
) -> PyResult<(String, String)> {
    let client = client.open(py)?;
    waited(py, client.host(py, call), |host| {
        let (location, selector) = target(&reference, version)?;
        let limits = client.blocking.client().limits();
        let tree = client.blocking.tree(&location, &selector, limits, host)?;
        Ok((tree.to_json(), tree.to_string()))
    })
}

/// What came of the push, and all that came of it as JSON.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "what the verb takes")]
pub(crate) fn publish(
    py: Python<'_>,
    client: &ClientCore,
    package: &Package,
    to: Place,
    signers: Vec<AnySigner>,
    attachments: Vec<Attachment>,
    attestations: Vec<Attestation>,
    push: Pushing,
    how: Signing,
    call: Call,
) -> PyResult<(PushResult, String)> {
    let client = client.open(py)?;
    let host = client.host(py, call);
    let signers: Vec<_> = signers.into_iter().map(|signer| signer.core(py, &host.raised)).collect();
    let package = package.package.clone();
    waited(py, host, |host| {
        let location = Target::of_push(&to, &package.metadata()?.name)?;
        let (artifact, push) = push.options()?;
        let artifact = ChartArtifact::new(package, &artifact)?;
        let mut options =
            PublishOptions::default().with_push(push).with_sign(how.options(client.blocking.client())?);
        options.signers = signers;
        options.attachments = attachments.into_iter().map(|attachment| attachment.0).collect();
        options.attestations = attestations.into_iter().map(|attestation| attestation.0).collect();
        let published = client.blocking.publish(&artifact, &location, &options, host)?;
        let pushed = PushResult::from_outcome(&published.chart, location.to_string());
        Ok((pushed, published.to_json()))
    })
}

/// What a bundle is held against: content, or its digest.
#[derive(FromPyObject)]
pub(crate) enum Artifact {
    Digest(String),
    Content(Source),
}

/// Who made a bundle and when, as JSON; the signer and the root come as JSON too.
#[pyfunction]
pub(crate) fn verify_bundle(
    py: Python<'_>,
    bundle: Octets,
    artifact: Artifact,
    signer: String,
    trust_root: String,
) -> PyResult<String> {
    computed(py, None, move |_| {
        let unreadable = |error: serde_json::Error| {
            Error::new(
                ErrorKind::InvalidInput,
                format!("the signer or the trust root cannot be read: {error}"),
            )
        };
        let signer: BundleSigner = serde_json::from_str(&signer).map_err(unreadable)?;
        let root: TrustRoot = serde_json::from_str(&trust_root).map_err(unreadable)?;
        let proof = match artifact {
            Artifact::Digest(digest) => {
                let digest: Digest = digest.parse()?;
                trust::verify_bundle(&bundle.0, BundleArtifact::Digest(&digest), &signer, &root)
            }
            Artifact::Content(Source(content)) => {
                let bytes = content.read(content.len())?;
                trust::verify_bundle(&bundle.0, BundleArtifact::Bytes(&bytes), &signer, &root)
            }
        }?;
        let time = proof.time.map(|time| time.unix());
        Ok(serde_json::json!({ "signer": proof.signer, "time": time }).to_string())
    })
}
