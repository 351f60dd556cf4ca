//! What the two other verifiers of bundles make of ours: sigstore-go, which is under cosign 3, and npm's. Neither looks at a registry.

use std::{path::PathBuf, sync::Arc};

use oci_chart_core::{
    Context,
    name::Selector,
    oci::{Descriptor, Manifest},
    store::{Memory, Store, StoreExt as _},
    trust::{Attestation, PredicateType, SignOptions, Signer, SigningKey, attest},
};
use serde_json::Value;

use super::support::{private, push, signed};
use crate::{
    attest::SLSA,
    remote::block,
    support::{
        process::{Finished, Sandbox},
        say, tools,
    },
};

struct Judges {
    go: PathBuf,
    node: PathBuf,
    sandbox: Sandbox,
}

impl Judges {
    fn new(test: &str) -> Option<Self> {
        let (go, node) = (tools::judge(test, "sigstorego")?, tools::judge(test, "node/node")?);
        Some(Self { go, node, sandbox: Sandbox::new() })
    }

    /// Both on the same bundle and key. Only the Go library is told which digest it is about; the other one prints what was signed.
    fn ask(&self, bundle: &str, signer: &dyn Signer, digest: &str) -> [Finished; 2] {
        let file = |name: &str, text: &str| {
            let path = self.sandbox.path().join(name);
            fs_err::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let (bundle, key) = (file("bundle.json", bundle), file("key.pub", &signer.public_key().to_pem()));
        let hex = digest.strip_prefix("sha256:").unwrap();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/testkit/judges/sigstorejs/verify.mjs");
        let mut node = self.sandbox.command(&self.node);
        node.env("OCI_CHART_JUDGES_NODE", self.node.parent().unwrap()).args([script, &bundle, &key]);
        let node = node.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        [
            self.sandbox.run(&self.go, [&*bundle, &key, hex]),
            Finished { code: node.status.code(), stdout: text(node.stdout), stderr: text(node.stderr) },
        ]
    }
}

/// The one bundle in a manifest.
fn bundle(store: &Arc<dyn Store>, manifest: &Descriptor) -> String {
    let (descriptor, bytes) = block(store.fetch_manifest(&Selector::Digest(manifest.digest))).unwrap();
    let manifest = Manifest::parse(&descriptor, bytes).unwrap();
    let bytes = block(store.fetch_bytes(&manifest.layers()[0], 1 << 20)).unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn other_verifiers_take_our_bundles_and_no_bent_ones() {
    const TEST: &str = "other_verifiers_take_our_bundles_and_no_bent_ones";
    let Some(judges) = Judges::new(TEST) else { return };
    let mut keys = vec![("p256", SigningKey::generate().unwrap())];
    for name in ["rsa2048", "p384", "p521", "ed25519"] {
        keys.extend(private(TEST, &format!("{name}.key")).map(|key| (name, key)));
    }
    let mut taken = 0;
    for (name, key) in &keys {
        let store: Arc<dyn Store> = Arc::new(Memory::default());
        let chart = push(&store, "1.2.3");
        let digest = chart.digest.to_string();
        let (cx, options) = (Context::default(), SignOptions::default().with_annotation("note", "<a&b>"));
        let signature = signed(&store, &chart, key, &options).unwrap().bundle.unwrap();
        let slsa = Attestation::new(PredicateType::SLSA_PROVENANCE_V1, SLSA).unwrap();
        let attestation = block(attest(&cx, &store, &chart, &slsa, key, &options)).unwrap();
        for (manifest, kind) in [
            (&signature, "https://sigstore.dev/cosign/sign/v1"),
            (&attestation, "https://slsa.dev/provenance/v1"),
        ] {
            let bundle = bundle(&store, manifest);
            let [go, node] = judges.ask(&bundle, key, &digest);
            assert_eq!(go.success().trim(), kind, "{name}");
            let statement: Value = serde_json::from_str(&node.success()).unwrap();
            assert_eq!(statement["predicateType"], kind, "{name}");
            assert_eq!(statement["subject"][0]["digest"]["sha256"], chart.digest.hex(), "{name}");
            taken += 1;

            let stranger = SigningKey::generate().unwrap();
            let mut bent: Value = serde_json::from_str(&bundle).unwrap();
            bent["dsseEnvelope"]["payloadType"] = "text/plain".into();
            for (bundle, signer) in [(&bundle, &stranger), (&bent.to_string(), key)] {
                for refused in judges.ask(bundle, signer, &digest) {
                    refused.failure();
                }
            }
            let [go, _] = judges.ask(&bundle, key, &format!("sha256:{}", "0".repeat(64)));
            go.failure();
        }
    }
    assert_eq!(taken, 2 * keys.len());
    say(&format!("{TEST}: {taken} bundles, {} kinds of keys, both verifiers", keys.len()));
}
