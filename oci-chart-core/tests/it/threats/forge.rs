//! Signatures of a chart in a hostile registry, good ones and bent ones.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use oci_chart_core::{
    Digest,
    trust::{Signer as _, SigningKey},
};
use oci_chart_testkit::{Hostile, Lie, Listing};
use serde_json::{Value, json};

use crate::remote::block;

pub(super) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const SIMPLE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";

pub(super) struct Forge {
    pub(super) registry: Hostile,
    pub(super) key: SigningKey,
    /// The digest of the chart's manifest, which is tagged 1.2.3.
    pub(super) chart: String,
}

impl Forge {
    pub(super) fn new() -> Self {
        Self::of(SigningKey::generate().unwrap())
    }

    pub(super) fn of(key: SigningKey) -> Self {
        let registry = Hostile::start().unwrap();
        let mut forge = Self { registry, key, chart: String::new() };
        forge.chart = forge.registry.manifest(MANIFEST, forge.chart_manifest("1.2.3"));
        forge.registry.tag("1.2.3", &forge.chart);
        forge
    }

    /// A chart's manifest, whose package nobody has.
    pub(super) fn chart_manifest(&self, version: &str) -> String {
        let mention = |kind: &str, bytes: &str| json!({"mediaType": kind, "digest": Digest::of(bytes).to_string(), "size": bytes.len()});
        json!({
            "schemaVersion": 2,
            "config": mention("application/vnd.cncf.helm.config.v1+json", "{}"),
            "layers": [mention("application/vnd.cncf.helm.chart.content.v1.tar+gzip", "package")],
            "annotations": {"org.opencontainers.image.version": version},
        })
        .to_string()
    }

    /// The statement of a good signature.
    pub(super) fn statement(&self) -> String {
        format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"digest":{{"sha256":"{}"}},"annotations":{{}}}}],"predicateType":"https://sigstore.dev/cosign/sign/v1","predicate":{{}}}}"#,
            self.chart.parse::<Digest>().unwrap().hex()
        )
    }

    /// The payload of a good signature tag's layer.
    pub(super) fn payload(&self) -> String {
        format!(
            r#"{{"critical":{{"identity":{{"docker-reference":"registry.example/charts/web"}},"image":{{"docker-manifest-digest":"{}"}},"type":"cosign container image signature"}},"optional":null}}"#,
            self.chart
        )
    }

    /// A good bundle.
    pub(super) fn signature(&self) -> String {
        self.signed(&self.statement())
    }

    pub(super) fn signed(&self, statement: &str) -> String {
        self.signed_by(&self.key, statement)
    }

    pub(super) fn signed_by(&self, key: &SigningKey, statement: &str) -> String {
        let kind = "application/vnd.in-toto+json";
        let message = format!("DSSEv1 {} {kind} {} {statement}", kind.len(), statement.len());
        let signature = STANDARD.encode(block(key.sign(message.as_bytes())).unwrap());
        let (payload, hint) = (STANDARD.encode(statement), key.public_key().hint());
        format!(
            r#"{{"mediaType":"{BUNDLE}","verificationMaterial":{{"publicKey":{{"hint":"{hint}"}}}},"dsseEnvelope":{{"payload":"{payload}","payloadType":"{kind}","signatures":[{{"sig":"{signature}"}}]}}}}"#
        )
    }

    /// A good bundle with so many log entries of another signature.
    pub(super) fn with_entries(&self, count: usize) -> String {
        let entry = json!({"canonicalizedBody": log_body(&STANDARD.encode("other"))});
        let mut bundle: Value = serde_json::from_str(&self.signature()).unwrap();
        bundle["verificationMaterial"]["tlogEntries"] = vec![entry; count].into();
        bundle.to_string()
    }

    /// Puts an envelope with these annotations behind the attestation tag.
    pub(super) fn attestation_tag(&self, envelope: &Value, annotations: &Value) {
        self.listed(Vec::new());
        let envelope = envelope.to_string();
        let (size, digest) = (envelope.len(), self.registry.blob(envelope));
        let kind = "application/vnd.dsse.envelope.v1+json";
        let layer = json!({"mediaType": kind, "digest": digest, "size": size, "annotations": annotations});
        self.tag_with("att", vec![layer]);
    }

    /// Lists one bundle.
    pub(super) fn bundle(&self, bundle: &str) {
        self.listed(vec![self.referrer(bundle, "")]);
    }

    pub(super) fn annotated_bundle(&self, bundle: &str, predicate_type: &str) {
        self.listed(vec![self.referrer(bundle, predicate_type)]);
    }

    pub(super) fn listed(&self, entries: Vec<String>) {
        self.registry.referrers(Listing::Entries(entries));
    }

    /// Plants a bundle and its manifest; the entry that lists it.
    pub(super) fn referrer(&self, bundle: &str, predicate_type: &str) -> String {
        self.entry(&self.registry.blob(bundle.to_owned()), bundle.len() as u64, predicate_type).0
    }

    /// The same in another registry.
    pub(super) fn planted_in(&self, registry: &Hostile, bundle: &str) -> String {
        self.entry_in(registry, &registry.blob(bundle.to_owned()), bundle.len() as u64, "").0
    }

    fn entry(&self, layer: &str, size: u64, predicate_type: &str) -> (String, String) {
        self.entry_in(&self.registry, layer, size, predicate_type)
    }

    fn entry_in(&self, registry: &Hostile, layer: &str, size: u64, predicate_type: &str) -> (String, String) {
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "artifactType": BUNDLE,
            "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": Digest::of("{}").to_string(), "size": 2},
            "layers": [{"mediaType": BUNDLE, "digest": layer, "size": size}],
            "annotations": {"dev.sigstore.bundle.predicateType": predicate_type},
            "subject": {"mediaType": MANIFEST, "digest": self.chart, "size": 1},
        })
        .to_string();
        let digest = registry.manifest(MANIFEST, manifest.clone());
        let entry =
            json!({"mediaType": MANIFEST, "digest": digest, "size": manifest.len(), "artifactType": BUNDLE});
        (entry.to_string(), digest)
    }

    /// The entry of a bundle of which its manifest says that it is this large.
    pub(super) fn oversized_bundle(&self, size: u64) -> String {
        self.entry(&Digest::of("large").to_string(), size, "").0
    }

    /// One good bundle, about whose bytes the registry lies.
    pub(super) fn lying_bundle(&self, lie: Lie) {
        let bundle = self.signature();
        self.registry.lie(&Digest::of(&bundle).to_string(), lie);
        self.bundle(&bundle);
    }

    /// One good bundle, about whose manifest the registry lies.
    pub(super) fn lying_manifest(&self, lie: Lie) {
        let bundle = self.signature();
        let (entry, digest) = self.entry(&self.registry.blob(bundle.clone()), bundle.len() as u64, "");
        self.registry.lie(&digest, lie);
        self.listed(vec![entry]);
    }

    /// The entry of a bundle that is nowhere, with these annotations.
    pub(super) fn entry_with(&self, annotations: &str) -> String {
        let digest = Digest::of("nowhere");
        format!(
            r#"{{"mediaType":"{MANIFEST}","digest":"{digest}","size":877,"artifactType":"{BUNDLE}","annotations":{annotations}}}"#
        )
    }

    /// The entry of a good bundle whose manifest has these annotations and a number, to be another one.
    pub(super) fn manifest_with(&self, number: usize, annotations: &str) -> String {
        let bundle = self.signature();
        let layer = self.registry.blob(bundle.clone());
        let layer = json!({"mediaType": BUNDLE, "digest": layer, "size": bundle.len()}).to_string();
        self.manifest_of(number, &layer, annotations)
    }

    /// The entry of a manifest with these layers and annotations and a number, to be another one.
    pub(super) fn manifest_of(&self, number: usize, layers: &str, annotations: &str) -> String {
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","number":{number},"config":{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{}","size":2}},"layers":[{layers}],"annotations":{annotations}}}"#,
            Digest::of("{}"),
        );
        let size = manifest.len();
        let digest = self.registry.manifest(MANIFEST, manifest);
        json!({"mediaType": MANIFEST, "digest": digest, "size": size, "artifactType": BUNDLE}).to_string()
    }

    /// The entry of a manifest that gives itself this type, and a number, to be another one.
    pub(super) fn manifest_called(&self, number: usize, artifact_type: &str) -> String {
        let manifest = format!(r#"{{"schemaVersion":2,"number":{number},"artifactType":"{artifact_type}"}}"#);
        let (size, digest) = (manifest.len(), self.registry.manifest(MANIFEST, manifest));
        json!({"mediaType": MANIFEST, "digest": digest, "size": size}).to_string()
    }

    /// Puts a document under the chart's tag, as large as a manifest may be: `middle` is repeated.
    pub(super) fn chart_of(&self, media_type: &str, begin: &str, middle: &str, end: &str) {
        let document = filled(4 << 20, begin, middle, end);
        self.registry.tag("1.2.3", &self.registry.manifest(media_type, document));
    }

    /// Puts one layer with these annotations, none of them a signature, behind the signature tag.
    pub(super) fn layer_with(&self, annotations: &str) {
        self.listed(Vec::new());
        let payload = self.payload();
        let digest = self.registry.blob(payload.clone());
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{}","size":2}},"layers":[{{"mediaType":"{SIMPLE}","digest":"{digest}","size":{},"annotations":{annotations}}}]}}"#,
            Digest::of("{}"),
            payload.len()
        );
        let digest = self.registry.manifest(MANIFEST, manifest);
        self.registry.tag(&format!("{}.sig", self.chart.replace(':', "-")), &digest);
    }

    /// So many bundles of a stranger.
    pub(super) fn many_bundles(&self, count: usize) {
        let stranger = SigningKey::generate().unwrap();
        let bundle = self.signed_by(&stranger, &self.statement());
        let entries = (0..count).map(|n| self.referrer(&format!("{bundle}{}", " ".repeat(n)), "")).collect();
        self.listed(entries);
    }

    /// Puts one layer behind the signature tag.
    pub(super) fn signature_tag(&self, payload: &str) {
        let signature = STANDARD.encode(block(self.key.sign(payload.as_bytes())).unwrap());
        self.tag_with("sig", vec![self.layer(payload, &signature)]);
    }

    /// Puts a signature tag there, about whose manifest the registry lies.
    pub(super) fn lying_tag(&self, lie: Lie) {
        self.listed(Vec::new());
        let digest = self.tag_with("sig", vec![self.layer(&self.payload(), "AAAA")]);
        self.registry.lie(&digest, lie);
    }

    /// The same with a certificate beside it.
    pub(super) fn certified_tag(&self, payload: &str, certificate: &str) {
        let signature = STANDARD.encode(block(self.key.sign(payload.as_bytes())).unwrap());
        let mut layer = self.layer(payload, &signature);
        layer["annotations"]["dev.sigstore.cosign/certificate"] = certificate.into();
        self.tag_with("sig", vec![layer]);
    }

    /// So many layers of the same payload that nobody signed.
    pub(super) fn many_layers(&self, count: usize) {
        self.listed(Vec::new());
        self.tag_with("sig", vec![self.layer(&self.payload(), &STANDARD.encode("nobody")); count]);
    }

    fn layer(&self, payload: &str, signature: &str) -> Value {
        let digest = self.registry.blob(Bytes::copy_from_slice(payload.as_bytes()));
        json!({"mediaType": SIMPLE, "digest": digest, "size": payload.len(),
            "annotations": {"dev.cosignproject.cosign/signature": signature}})
    }

    fn tag_with(&self, suffix: &str, layers: Vec<Value>) -> String {
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "layers": layers,
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": Digest::of("{}").to_string(), "size": 2}});
        let digest = self.registry.manifest(MANIFEST, manifest.to_string());
        self.registry.tag(&format!("{}.{suffix}", self.chart.replace(':', "-")), &digest);
        digest
    }
}

/// The body of an entry of the log about this signature.
pub(super) fn log_body(signature: &str) -> String {
    let spec = json!({"signature": {"content": signature}});
    STANDARD.encode(json!({"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": spec}).to_string())
}

/// As many repetitions of `middle` as go into so many bytes.
pub(super) fn filled(most: usize, begin: &str, middle: &str, end: &str) -> String {
    format!("{begin}{}{end}", middle.repeat((most - begin.len() - end.len()) / middle.len()))
}
