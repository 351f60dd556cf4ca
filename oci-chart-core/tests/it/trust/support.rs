//! A chart, keys and policies to check it with.

use std::sync::Arc;

use oci_chart_core::{
    Chart, ChartArtifact, Context, Error, Result, Secret,
    chart::{LoadOptions, PackageOptions},
    name::Selector,
    oci::{ArtifactOptions, Descriptor},
    store::Store,
    transfer::{self, PushOptions},
    trust::{
        Evidence, KeyPolicy, Policy, PublicKey, SignOptions, Signed, Signer, SigningKey, Tlog, TrustedKey,
        Verified, VerifyOptions, sign, verify,
    },
};

use crate::{remote::block, support::corpus::corpus};

/// The digest of the chart's manifest in every fixture.
pub(crate) const SUBJECT: &str = "sha256:f92bc8c17fcbb97a117a4fabe58784c6dd623d3cfaf40e5da92929ef209cd192";

/// The folder of fixtures.
pub(crate) fn fixtures(test: &str) -> Option<std::path::PathBuf> {
    Some(corpus(test)?.join("signing"))
}

pub(crate) fn public(test: &str, name: &str) -> Option<PublicKey> {
    let path = fixtures(test)?.join("keys").join(name);
    Some(fs_err::read_to_string(path).unwrap().parse().unwrap())
}

/// A key of the fixtures; all but one have this password.
pub(crate) fn private(test: &str, name: &str) -> Option<SigningKey> {
    let path = fixtures(test)?.join("keys").join(name);
    Some(SigningKey::from_pem(&fs_err::read_to_string(path).unwrap(), || Ok(Secret::new("test"))).unwrap())
}

pub(crate) fn trusting(keys: &[&PublicKey]) -> KeyPolicy {
    KeyPolicy::new(keys.iter().map(|key| TrustedKey::new((*key).clone())), Tlog::IgnoreExplicitly)
}

pub(crate) fn policy(keys: &[&PublicKey]) -> Policy {
    Policy::Keys(trusting(keys))
}

pub(crate) fn selector(text: &str) -> Selector {
    Selector::for_version(text).unwrap()
}

pub(crate) fn check(store: &Arc<dyn Store>, version: &str, policy: &Policy) -> Result<Verified<Descriptor>> {
    let options = VerifyOptions::default();
    block(verify(&Context::default(), store, &selector(version), policy, &options))
}

/// The reasons for which candidates were refused, in their order.
pub(crate) fn reasons(error: &Error) -> Vec<String> {
    let evidence = Evidence::of(error).unwrap_or_else(|| panic!("{error:?}"));
    let reasons = evidence.candidates().into_iter().filter_map(|candidate| candidate.reason);
    reasons.map(|reason| reason.to_string()).collect()
}

/// A chart called `web` of some version.
pub(crate) fn artifact(version: &str) -> ChartArtifact {
    let directory = tempfile::tempdir().unwrap();
    let metadata = format!("apiVersion: v2\nname: web\nversion: {version}\n");
    fs_err::write(directory.path().join("Chart.yaml"), metadata).unwrap();
    let chart = Chart::from_dir(directory.path(), &LoadOptions::default()).unwrap();
    let package = chart.package(&PackageOptions::default()).unwrap();
    ChartArtifact::new(package, &ArtifactOptions::default()).unwrap()
}

/// Pushes a chart of some version.
pub(crate) fn push(store: &Arc<dyn Store>, version: &str) -> Descriptor {
    let artifact = artifact(version);
    block(transfer::push(&Context::default(), &artifact, store, &PushOptions::default())).unwrap().descriptor
}

pub(crate) fn signed(
    store: &Arc<dyn Store>,
    subject: &Descriptor,
    signer: &dyn Signer,
    options: &SignOptions,
) -> Result<Signed> {
    block(sign(&Context::default(), store, subject, signer, options))
}
