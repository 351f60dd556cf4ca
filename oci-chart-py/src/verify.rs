//! The verbs of trust. Each takes the client, a reference with a version beside it, its own arguments, and last what every call takes.

use oci_chart_core::{
    ChartArtifact,
    name::Target,
    trust::{AttestationPolicy, PublishOptions},
};
use pyo3::prelude::*;

use crate::{
    call::{Call, waited},
    chart::Package,
    client::{ClientCore, Pushing, target},
    keys::AnySigner,
    trust::{Attachment, Attestation, Evidence, PolicyHandle, Signing, Verifying},
    values::{Descriptor, PushResult},
};

/// What was verified and why, as JSON.
#[pyfunction]
pub(crate) fn verify(
    py: Python<'_>,
    client: &ClientCore,
    reference: &str,
    version: Option<&str>,
    policy: PolicyHandle,
    how: Verifying,
    call: Call,
) -> PyResult<String> {
    let client = client.open(py)?;
    waited(py, client.host(py, call), |host| {
        let (location, selector) = target(reference, version)?;
        let options = how.options(client.blocking.client())?;
        let verified = client.blocking.verify(&location, &selector, &policy.0, &options, host)?;
        Ok(verified.to_json())
    })
}

/// The evidence, whatever it comes to.
#[pyfunction]
pub(crate) fn examine(
    py: Python<'_>,
    client: &ClientCore,
    reference: &str,
    version: Option<&str>,
    policy: PolicyHandle,
    how: Verifying,
    call: Call,
) -> PyResult<Evidence> {
    let client = client.open(py)?;
    waited(py, client.host(py, call), |host| {
        let (location, selector) = target(reference, version)?;
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
    reference: &str,
    version: Option<&str>,
    signer: AnySigner,
    how: Signing,
    call: Call,
) -> PyResult<String> {
    let client = client.open(py)?;
    let host = client.host(py, call);
    let signer = signer.core(py, &host.raised);
    waited(py, host, |host| {
        let (location, selector) = target(reference, version)?;
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
    reference: &str,
    version: Option<&str>,
    attachment: Attachment,
    call: Call,
) -> PyResult<Descriptor> {
    let client = client.open(py)?;
    waited(py, client.host(py, call), |host| {
        let (location, selector) = target(reference, version)?;
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
    reference: &str,
    call: Call,
) -> PyResult<Attachment> {
    let client = client.open(py)?;
    waited(py, client.host(py, call), |host| {
        let (location, selector) = target(reference, None)?;
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
    reference: &str,
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
        let (location, selector) = target(reference, version)?;
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
    reference: &str,
    version: Option<&str>,
    policy: &str,
    how: Verifying,
    call: Call,
) -> PyResult<String> {
    let client = client.open(py)?;
    waited(py, client.host(py, call), |host| {
        let (location, selector) = target(reference, version)?;
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
    reference: &str,
    version: Option<&str>,
    call: Call,
) -> PyResult<(String, String)> {
    let client = client.open(py)?;
    waited(py, client.host(py, call), |host| {
        let (location, selector) = target(reference, version)?;
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
    to: &str,
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
        let location = Target::of_push(to, &package.metadata()?.name)?;
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
