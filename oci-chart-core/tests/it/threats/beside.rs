//! What lies beside a good signature, and was put there to look good.

use oci_chart_core::{
    Context, ErrorKind, Reason,
    trust::{AttestationPolicy, Evidence, PredicateType, verify_attestation},
};
use serde_json::{Value, json};

use super::{Forge, by, forge::log_body, options, store, version};
use crate::remote::block;

fn sig(envelope: &Value) -> &str {
    envelope["signatures"][0]["sig"].as_str().unwrap()
}

#[test]
fn every_log_entry_of_a_bundle_is_looked_at() {
    let forge = Forge::new();
    let mut bundle: Value = serde_json::from_str(&forge.signature()).unwrap();
    let own = json!({"canonicalizedBody": log_body(sig(&bundle["dsseEnvelope"]))});
    let other = json!({"canonicalizedBody": log_body("AAAA")});
    for (entries, reason) in [
        (vec![&own], None),
        (vec![&own, &own], None),
        (vec![&own, &other], Some(Reason::OtherLogEntry)),
        (vec![&other, &own], Some(Reason::OtherLogEntry)),
    ] {
        bundle["verificationMaterial"]["tlogEntries"] = entries.into_iter().cloned().collect();
        forge.bundle(&bundle.to_string());
        let found = forge.verify(&by(&[&forge.key])).err();
        let found = found.map(|error| Evidence::of(&error).unwrap().candidates()[0].reason);
        assert_eq!(found, reason.map(Some), "{bundle}");
    }
}

#[test]
fn what_an_attestation_tag_carries_is_held_against_the_signature() {
    let forge = Forge::new();
    let slsa = forge.statement().replace("sigstore.dev/cosign/sign/v1", "slsa.dev/provenance/v1");
    let bundle: Value = serde_json::from_str(&forge.signed(&slsa)).unwrap();
    let envelope = &bundle["dsseEnvelope"];
    let entry = |signature: &str| json!({"Payload": {"body": log_body(signature)}}).to_string();
    let (own, other) = (entry(sig(envelope)), entry("AAAA"));
    for (annotations, reason) in [
        (json!({"predicateType": "whatever", "dev.cosignproject.cosign/signature": ""}), None),
        (json!({"dev.sigstore.cosign/certificate": "", "dev.sigstore.cosign/bundle": own}), None),
        (json!({"dev.sigstore.cosign/bundle": other}), Some(Reason::OtherLogEntry)),
        (
            json!({"dev.sigstore.cosign/certificate": "-----BEGIN CERTIFICATE-----"}),
            Some(Reason::ForeignMaterial),
        ),
    ] {
        forge.attestation_tag(envelope, &annotations);
        let policy = AttestationPolicy::new(PredicateType::SLSA_PROVENANCE_V1, by(&[&forge.key]));
        let (cx, store) = (Context::default(), store(&forge.registry));
        let found = block(verify_attestation(&cx, &store, &version("1.2.3"), &policy, &options())).err();
        let found = found.map(|error| (error.kind(), Evidence::of(&error).unwrap().candidates()[0].reason));
        assert_eq!(found, reason.map(|reason| (ErrorKind::SignatureInvalid, Some(reason))), "{annotations}");
    }
}
