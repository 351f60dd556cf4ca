//! What programs in other languages see: outcomes as JSON, field by field as the documentation lists them.

use std::sync::Arc;

use oci_chart_core::{
    Context, Limits,
    store::{Memory, Store},
    transfer,
    trust::{
        Attachment, Attestation, AttestationPolicy, Evidence, Format, PredicateType, PublishOptions,
        SignOptions, Signer as _, SigningKey, VerifyOptions, attach, publish, tree, verify_attestation,
    },
};
use serde_json::{Value, json};

use super::support::{artifact, check, policy, push, selector, signed};
use crate::{
    attest::{CYCLONEDX, SLSA},
    remote::block,
};

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// The names of an object's fields, sorted.
fn fields(value: &Value) -> Vec<&str> {
    let fields = value.as_object().unwrap_or_else(|| panic!("{value}"));
    let mut names: Vec<&str> = fields.keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

/// Times, stores and random bytes taken out, so that the rest can be compared.
fn masked(mut value: Value, paths: &[&str]) -> Value {
    for path in paths {
        *value.pointer_mut(path).unwrap_or_else(|| panic!("{path}: nothing there")) = Value::Null;
    }
    value
}

#[test]
fn what_was_verified_is_told() {
    let (store, key): (Arc<dyn Store>, _) = (Arc::new(Memory::default()), SigningKey::generate().unwrap());
    let chart = push(&store, "1.2.3");
    let made = signed(&store, &chart, &key, &SignOptions::default()).unwrap();
    let descriptor = json!({
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "digest": chart.digest.to_string(),
        "size": chart.size,
    });
    assert_eq!(
        parsed(&made.to_json()),
        json!({
            "subject": descriptor,
            "bundle": {"mediaType": descriptor["mediaType"], "digest": made.bundle.as_ref().unwrap().digest.to_string(), "size": made.bundle.as_ref().unwrap().size},
            "kept": [],
        })
    );
    let verified = check(&store, "1.2.3", &policy(&[key.public_key()])).unwrap();
    let signer = key.public_key().fingerprint().to_string();
    let mut value = parsed(&verified.to_json())["value"].clone();
    value.as_object_mut().unwrap().remove("annotations");
    assert_eq!(value, descriptor);
    let evidence = masked(parsed(&verified.to_json())["evidence"].clone(), &["/store", "/time"]);
    assert_eq!(
        evidence,
        json!({
            "outcome": "verified",
            "subject": chart.digest.to_string(),
            "asked": "1.2.3",
            "resolved": "1.2.3",
            "version": "1.2.3",
            "store": null,
            "time": null,
            "requirement": {
                "policy": "keys",
                "outcome": "verified",
                "signers": [signer],
                "candidates": [{
                    "format": "bundle",
                    "manifest": made.bundle.unwrap().digest.to_string(),
                    "layer": 0,
                    "verdict": "verified",
                    "signer": signer,
                }],
            },
        })
    );
    // What was verified can be had, and nothing is asked of its signatures again.
    let pulled = block(transfer::pull_verified(&Context::default(), &store, &verified, &Limits::default()));
    let pulled = pulled.unwrap();
    assert_eq!(pulled.package.metadata().unwrap().version, "1.2.3");
    assert_eq!(pulled.evidence.as_ref(), Some(verified.evidence()));

    // A range says which tag it came to.
    let range = check(&store, "^1", &policy(&[key.public_key()])).unwrap();
    let evidence = parsed(&range.evidence().to_json());
    assert_eq!(
        [&evidence["asked"], &evidence["resolved"], &evidence["version"]],
        [&json!("^1"), &json!("1.2.3"), &json!("1.2.3")]
    );
}

#[test]
fn what_was_refused_is_told() {
    let (store, key): (Arc<dyn Store>, _) = (Arc::new(Memory::default()), SigningKey::generate().unwrap());
    let chart = push(&store, "1.2.3");
    signed(&store, &chart, &key, &SignOptions::default()).unwrap();
    let stranger = SigningKey::generate().unwrap();
    let error = check(&store, "1.2.3", &policy(&[stranger.public_key()])).unwrap_err();
    let evidence = parsed(&Evidence::of(&error).unwrap().to_json());
    assert_eq!(evidence["outcome"], "not-verified");
    let candidate = &evidence["requirement"]["candidates"][0];
    assert_eq!(fields(candidate), ["format", "layer", "manifest", "message", "reason", "verdict"]);
    assert_eq!([&candidate["verdict"], &candidate["reason"]], ["refused", "no-trusted-key"]);
}

#[test]
fn what_was_published_attached_and_attested_is_told() {
    let (store, key): (Arc<dyn Store>, _) = (Arc::new(Memory::default()), SigningKey::generate().unwrap());
    let (cx, limits) = (Context::default(), Limits::default());
    let slsa = Attestation::new(PredicateType::SLSA_PROVENANCE_V1, SLSA).unwrap();
    let both = SignOptions::default().with_formats(Format::COSIGN).with_identity("registry.example/web");
    let options = PublishOptions::default().with_signer(key.clone()).with_sign(both).with_attestation(slsa);
    let published = block(publish(&cx, &artifact("1.2.3"), &store, &options)).unwrap();
    let told = parsed(&published.to_json());
    assert_eq!(fields(&told), ["attachments", "attestations", "chart", "signatures"]);
    assert_eq!(fields(&told["chart"]), ["action", "descriptor", "tag"]);
    assert_eq!([&told["chart"]["action"], &told["chart"]["tag"]], ["pushed", "1.2.3"]);
    let tag = format!("{}.sig", published.chart.descriptor.digest.to_string().replace(':', "-"));
    assert_eq!(told["signatures"][0]["signatureTag"]["tag"], tag);
    assert_eq!(fields(&told["signatures"][0]["signatureTag"]["manifest"]), ["digest", "mediaType", "size"]);

    let chart = published.chart.descriptor;
    let sbom = Attachment::sbom(CYCLONEDX).unwrap();
    let attached = parsed(&block(attach(&cx, &store, &chart, &sbom)).unwrap().to_json());
    assert_eq!((fields(&attached), &attached["pushed"]), (vec!["descriptor", "pushed"], &json!("written")));
    let drawn = parsed(&block(tree(&cx, &store, &selector("1.2.3"), &limits)).unwrap().to_json());
    let entry = drawn["attached"].as_array().unwrap().iter().find(|entry| entry["kind"] == "sbom").unwrap();
    let all = ["artifactType", "bytes", "depth", "digest", "kind", "layers", "place", "subject"];
    assert_eq!((fields(entry), &entry["place"]), (all.to_vec(), &json!("referrers")));

    let wanted = AttestationPolicy::new(PredicateType::SLSA_PROVENANCE_V1, policy(&[key.public_key()]));
    assert_eq!(AttestationPolicy::from_json(&wanted.to_json()).unwrap(), wanted);
    let options = VerifyOptions::default();
    let verified =
        block(verify_attestation(&cx, &store, &selector("1.2.3"), &wanted, &options)).unwrap().to_json();
    let attested = &parsed(&verified)["value"][0];
    assert_eq!(fields(attested), ["manifest", "predicate", "predicateType", "signer", "subject"]);
    assert_eq!(parsed(attested["predicate"].as_str().unwrap()), parsed(SLSA));
}
