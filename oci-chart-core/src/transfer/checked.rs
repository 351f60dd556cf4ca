//! What a pull under a policy checks beside the signatures: that what was signed is what was asked for, and one thing.

use super::find::Resolved;
use crate::{
    chart::{Metadata, Package},
    context::Context,
    digest::Digest,
    error::{Error, ErrorKind, Reason, Result},
    limits::Limits,
    name::Selector,
    oci::{ChartParts, Descriptor, Manifest, MediaType},
    store::{Store, StoreExt as _},
    trust::{Evidence, Policy, Subject, Verified, VerifyOptions, same_version, verify_subject},
};

/// A manifest whose signatures satisfy a policy.
pub(super) struct Checked {
    evidence: Evidence,
}

impl Checked {
    /// Checks the signatures of what was found.
    pub(super) async fn new(
        cx: &Context,
        from: &dyn Store,
        asked: &Selector,
        found: &Resolved,
        policy: &Policy,
        options: &VerifyOptions,
    ) -> Result<Self> {
        policy.validate()?;
        let subject = Subject {
            descriptor: found.descriptor.clone(),
            manifest: found.bytes.clone(),
            asked: asked.clone(),
            resolved: found.selector.clone(),
        };
        let verified = verify_subject(cx, from, &subject, policy, options).await?;
        Ok(Self::from(&verified))
    }

    /// Compares the package with the version that was asked for and with the configuration beside it, which other tools show and decide by.
    /// Costs a request only where the configuration is not byte for byte what Helm makes of the package.
    pub(super) async fn finish(
        self,
        from: &dyn Store,
        parts: &ChartParts,
        package: &Package,
        limits: &Limits,
    ) -> Result<Evidence> {
        let metadata = package.metadata()?;
        if let Some(version) = &self.evidence.version {
            same_version(version, &metadata.version)?;
        }
        for signed in self.evidence.provenances() {
            signed.check_chart(metadata)?;
        }
        let config = parts.config();
        if Digest::of(metadata.to_json()) != config.digest {
            let bytes = from.fetch_bytes(config, limits.manifest_bytes).await?;
            let other = Metadata::from_json(&bytes)?;
            if other.to_json() != metadata.to_json() {
                return Err(denied("the configuration describes another chart than the package holds")
                    .with_reason(Reason::ConfigMismatch)
                    .with_context("package", format!("{:?} {:?}", metadata.name, metadata.version))
                    .with_context("configuration", format!("{:?} {:?}", other.name, other.version))
                    .with_hint("push the chart again: what tools show of it is not what is in it"));
            }
        }
        Ok(self.evidence)
    }
}

impl From<&Verified<Descriptor>> for Checked {
    fn from(verified: &Verified<Descriptor>) -> Self {
        Self { evidence: verified.evidence().clone() }
    }
}

/// Refuses a manifest in which readers could take different layers for the chart.
pub(super) fn single_layers(manifest: &Manifest) -> Result<()> {
    for kinds in [&[MediaType::HELM_CHART, MediaType::HELM_CHART_LEGACY][..], &[MediaType::HELM_PROVENANCE]] {
        let count = manifest.layers().iter().filter(|layer| kinds.contains(&layer.media_type)).count();
        if count > 1 {
            return Err(denied(
                "the manifest has several layers of one type, and readers differ over which counts",
            )
            .with_reason(Reason::DuplicateLayer)
            .with_context("layers", count));
        }
    }
    Ok(())
}

fn denied(message: &'static str) -> Error {
    Error::new(ErrorKind::PolicyDenied, message)
}
