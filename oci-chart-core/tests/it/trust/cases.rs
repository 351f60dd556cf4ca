//! Signatures made by hand to be odd, judged beside what both cosigns said of each, over a registry without a referrers API.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use oci_chart_core::{
    Digest,
    store::Store,
    trust::{KeyPolicy, Policy},
};
use oci_chart_testkit::Registry;
use serde_json::{Value, json};

use super::support::{SUBJECT, check, fixtures, public, reasons, trusting};
use crate::{remote::repository, support::say};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";

/// What both cosigns accept and we do not, and why.
const STRICTER: [(&str, &str); 12] = [
    ("type wrong", "not-a-signature"),
    ("type missing", "not-a-signature"),
    ("type atomic", "not-a-signature"),
    ("identity missing", "not-a-signature"), // and so is the type
    ("Docker-manifest-digest caps", "malformed-signature"),
    ("dup digest good last", "duplicate-key"),
    ("raw r||s", "no-trusted-key"),
    ("_type junk", "malformed-signature"),
    ("predicate cyclonedx (attestation as signature)", "not-a-signature"),
    ("predicate custom, annotation says sign/v1", "not-a-signature"),
    ("predicateType empty", "not-a-signature"),
    ("signature as raw r||s", "no-trusted-key"),
];
/// What they refuse and we do not: a stranger's bundle hides nothing.
const WIDER: [&str; 1] = ["bundle of wrong key + good .sig"];

#[test]
fn odd_signatures_are_judged() {
    const TEST: &str = "odd_signatures_are_judged";
    let Some(fixtures) = fixtures(TEST) else { return };
    let key = public(TEST, "cosign3.pub").unwrap();
    let chart = fixtures.join("layouts/sig-cosign3/blobs/sha256").join(&SUBJECT["sha256:".len()..]);
    let chart = fs_err::read(chart).unwrap();
    let registry = Registry::builder().referrers_api(false).start_blocking().unwrap();
    let (mut judged, mut stricter) = (0, 0);
    for file in ["simplesigning", "bundle"] {
        let cases = fs_err::read_to_string(fixtures.join("cases").join(file).with_extension("json")).unwrap();
        let cases: Vec<Value> = serde_json::from_str(&cases).unwrap();
        for case in &cases {
            let name = case["name"].as_str().unwrap();
            let place = format!("case/{judged}");
            registry.put_manifest(&place, "1.2.3", MANIFEST, chart.clone()).unwrap();
            plant(&registry, &place, case);
            let store: Arc<dyn Store> = Arc::new(repository(&registry, &place));
            let result = check(&store, "1.2.3", &Policy::Keys(asked(case, trusting(&[&key]))));
            let theirs = case["both"].as_str().or(case["cosign3"].as_str()).unwrap() == "accept";
            let reason = STRICTER.iter().find(|(other, _)| *other == name).map(|(_, reason)| *reason);
            let expected = (theirs && reason.is_none()) || WIDER.contains(&name);
            assert_eq!(result.is_ok(), expected, "{name}: {result:?}");
            if let Some(reason) = reason {
                assert!(theirs, "{name}");
                assert_eq!(reasons(&result.unwrap_err()), [reason], "{name}");
                stricter += 1;
            }
            judged += 1;
        }
    }
    assert!(judged > 80 && stricter == STRICTER.len(), "{judged} {stricter}");
    say(&format!("{TEST}: {judged} cases, {stricter} of them judged more strictly than by cosign"));
}

/// The policy with the annotations that the case asks for (`-a key=value`).
fn asked(case: &Value, mut policy: KeyPolicy) -> KeyPolicy {
    for argument in case["args"].as_array().into_iter().flatten() {
        if let Some((key, value)) = argument.as_str().unwrap().split_once('=') {
            policy = policy.with_annotation(key, value);
        }
    }
    policy
}

/// Puts what the case describes where its readers look.
fn plant(registry: &Registry, place: &str, case: &Value) {
    let companion = SUBJECT.replace(':', "-");
    if let Some(layers) = case["sig_layers"].as_array() {
        let layers: Vec<Value> =
            layers.iter().map(|layer| blob(registry, place, layer, SIMPLE_SIGNING)).collect();
        let junk = case["name"].as_str().unwrap().starts_with("config mediaType junk");
        let config = if junk { "application/junk" } else { "application/vnd.oci.image.config.v1+json" };
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": blob(registry, place, &json!({"text": "{}"}), config), "layers": layers,
        });
        registry.put_manifest(place, &format!("{companion}.sig"), MANIFEST, manifest.to_string()).unwrap();
    }
    let Some(referrers) = case["referrers"].as_array() else { return };
    let entries: Vec<Value> = referrers.iter().map(|referrer| entry(registry, place, referrer)).collect();
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries});
    registry.put_manifest(place, &companion, INDEX, index.to_string()).unwrap();
}

/// The entry of a referrer in the index of referrers; its manifest and layers are planted.
fn entry(registry: &Registry, place: &str, referrer: &Value) -> Value {
    let given = |key: &str, default: Value| referrer.get(key).cloned().unwrap_or(default);
    let mut entry = json!({"mediaType": MANIFEST});
    if let Some(layers) = referrer["layers"].as_array() {
        let layers: Vec<Value> = layers.iter().map(|layer| blob(registry, place, layer, BUNDLE)).collect();
        let mut manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": blob(registry, place, &json!({"text": "{}"}), "application/vnd.oci.empty.v1+json"),
            "layers": layers,
            "subject": given("subject", json!({"mediaType": MANIFEST, "size": 581, "digest": SUBJECT})),
            "artifactType": given("artifactType", BUNDLE.into()),
            "annotations": given("annotations", json!({
                "dev.sigstore.bundle.content": "dsse-envelope",
                "dev.sigstore.bundle.predicateType": "https://sigstore.dev/cosign/sign/v1",
            })),
        });
        manifest.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        let bytes = manifest.to_string();
        let digest = Digest::of(&bytes).to_string();
        entry["size"] = bytes.len().into();
        entry["digest"] = digest.clone().into();
        registry.put_manifest(place, &digest, MANIFEST, bytes).unwrap();
    }
    let more = given("index_entry", json!({"artifactType": BUNDLE}));
    for (key, value) in more.as_object().unwrap() {
        entry[key] = value.clone();
    }
    entry
}

fn blob(registry: &Registry, place: &str, layer: &Value, media_type: &str) -> Value {
    let bytes = match layer["text"].as_str() {
        Some(text) => text.as_bytes().to_vec(),
        None => STANDARD.decode(layer["blob"].as_str().unwrap()).unwrap(),
    };
    let mut mention = json!({
        "mediaType": layer["mediaType"].as_str().unwrap_or(media_type),
        "size": bytes.len(),
        "digest": registry.put_blob(place, bytes).unwrap(),
    });
    if let Some(annotations) = layer.get("annotations") {
        mention["annotations"] = annotations.clone();
    }
    mention
}
