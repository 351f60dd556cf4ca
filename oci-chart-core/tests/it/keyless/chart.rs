//! The chart of the fixtures in a registry, with chosen signatures beside it.

use std::{path::Path, sync::Arc};

use fs_err as fs;
use oci_chart_core::{
    Context, Digest, ErrorKind, Reason, Result,
    name::Selector,
    oci::Descriptor,
    store::Store,
    trust::{
        AttestationPolicy, Identity, KeylessPolicy, Policy, TrustRoot, Verified, VerifiedAttestation,
        VerifyOptions, verify, verify_attestation,
    },
};
use oci_chart_testkit::{Hostile, Listing, Registry};
use serde_json::{Value, json};

use crate::remote::{block, repository};

pub(crate) const SUBJECT: &str =
    "https://github.com/org/charts/.github/workflows/release.yml@refs/tags/v1.2.3";

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const REPOSITORY: &str = "charts/demo";

pub(crate) struct Chart {
    pub(crate) store: Arc<dyn Store>,
    /// Holds the port.
    _registry: Box<dyn std::any::Any>,
}

impl Chart {
    /// With these fixtures as referrers, and these as layers of its signature tag.
    pub(crate) fn with(bundles: &[&str], layers: &[&str]) -> Self {
        let text = |name: &&str| String::from_utf8(fixture(name)).unwrap();
        let bundles: Vec<_> = bundles.iter().map(text).collect();
        Self::new(&bundles, &layers.iter().map(text).collect::<Vec<_>>(), "sig")
    }

    pub(crate) fn of_bundles(bundles: &[String]) -> Self {
        Self::new(bundles, &[], "sig")
    }

    /// With these layers of its signature tag.
    pub(crate) fn of_layers(layers: &[String]) -> Self {
        Self::new(&[], layers, "sig")
    }

    /// With these layers of its attestation tag.
    pub(crate) fn of_attestations(layers: &[String]) -> Self {
        Self::new(&[], layers, "att")
    }

    fn new(bundles: &[String], layers: &[String], suffix: &str) -> Self {
        let registry = Registry::start().unwrap();
        let put = |reference: &str, manifest: &[u8]| {
            registry.put_manifest(REPOSITORY, reference, MANIFEST, manifest.to_vec()).unwrap()
        };
        let manifest = fixture("manifest.json");
        let digest = put("1.2.3", &manifest);
        let subject = json!({"mediaType": MANIFEST, "digest": digest, "size": manifest.len()});
        let blob = |kind: &str, bytes: &[u8]| {
            let digest = registry.put_blob(REPOSITORY, bytes).unwrap();
            json!({"mediaType": kind, "digest": digest, "size": bytes.len()})
        };
        let config = blob("application/vnd.oci.empty.v1+json", b"{}");
        for bundle in bundles {
            let layer = blob(BUNDLE, bundle.as_bytes());
            let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": BUNDLE,
                "config": config, "layers": [layer], "subject": subject});
            let manifest = manifest.to_string();
            put(&Digest::of(&manifest).to_string(), manifest.as_bytes());
        }
        if !layers.is_empty() {
            let layers: Vec<Value> = layers
                .iter()
                .map(|text| {
                    let made: Value = serde_json::from_str(text).unwrap();
                    let payload = made["payload"].as_str().unwrap();
                    let kind = match suffix {
                        "att" => "application/vnd.dsse.envelope.v1+json",
                        _ => "application/vnd.dev.cosign.simplesigning.v1+json",
                    };
                    let mut layer = blob(kind, payload.as_bytes());
                    layer["annotations"] = made["annotations"].clone();
                    layer
                })
                .collect();
            let manifest =
                json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers});
            put(&format!("{}.{suffix}", digest.replace(':', "-")), manifest.to_string().as_bytes());
        }
        Self { store: Arc::new(repository(&registry, REPOSITORY)), _registry: Box::new(registry) }
    }

    /// With this fixture as its only referrer, of whose bytes nothing but the digest is honest.
    pub(crate) fn in_a_hostile_registry(bundle: &str) -> Self {
        let registry = Hostile::start().unwrap();
        let chart = registry.manifest(MANIFEST, fixture("manifest.json"));
        registry.tag("1.2.3", &chart);
        let bytes = fixture(bundle);
        let (size, layer) = (bytes.len(), registry.blob(bytes));
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "layers": [{"mediaType": BUNDLE, "digest": layer, "size": size}],
            "annotations": {"dev.sigstore.bundle.predicateType": "https://sigstore.dev/cosign/sign/v1"}})
        .to_string();
        let digest = registry.manifest(MANIFEST, manifest.clone());
        let entry =
            json!({"mediaType": MANIFEST, "digest": digest, "size": manifest.len(), "artifactType": BUNDLE});
        registry.referrers(Listing::Entries(vec![entry.to_string()]));
        Self { store: crate::threats::store_at(&registry.host()), _registry: Box::new(registry) }
    }

    pub(crate) fn verify(&self, policy: &Policy) -> Result<Verified<Descriptor>> {
        let (cx, options) = (Context::default(), at());
        block(verify(&cx, &self.store, &selector(), policy, &options))
    }

    pub(crate) fn verify_attestation(
        &self,
        policy: &AttestationPolicy,
    ) -> Result<Verified<Vec<VerifiedAttestation>>> {
        let (cx, options) = (Context::default(), at());
        block(verify_attestation(&cx, &self.store, &selector(), policy, &options))
    }

    #[track_caller]
    pub(crate) fn refused(&self, policy: &Policy, kind: ErrorKind, reason: Reason) {
        let error = self.verify(policy).unwrap_err();
        assert_eq!((error.kind(), error.reason()), (kind, Some(reason)), "{error:?}");
    }
}

pub(crate) fn workflow() -> Identity {
    Identity::exact(super::ISSUER, SUBJECT).unwrap()
}

pub(crate) fn policy(identity: Identity) -> Policy {
    Policy::Keyless(KeylessPolicy::new([identity], root()))
}

pub(crate) fn root() -> TrustRoot {
    TrustRoot::from_json(String::from_utf8(fixture("trusted_root.json")).unwrap()).unwrap()
}

pub(crate) fn fixture(name: &str) -> Vec<u8> {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("testkit/fixtures/keyless");
    fs::read(place.join(name)).unwrap()
}

fn selector() -> Selector {
    Selector::for_version("1.2.3").unwrap()
}

fn at() -> VerifyOptions {
    VerifyOptions::default().with_now("2026-11-21T12:00:00Z".parse().unwrap())
}
