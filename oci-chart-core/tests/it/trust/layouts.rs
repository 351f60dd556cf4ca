//! Everything that both cosigns signed, judged beside what they said of it.

use std::sync::Arc;

use oci_chart_core::{
    Context, ErrorKind, Limits,
    store::{Layout, Store},
    trust::{AttestationPolicy, Outcome, PredicateType, VerifyOptions, tree, verify_attestation},
};
use serde_json::Value;

use super::support::{SUBJECT, check, fixtures, policy, public, selector};
use crate::{remote::block, support::say};

/// Where we differ from both, on purpose.
const STRICTER: [(&str, &str); 1] = [
    // An attestation is no signature.
    ("att-bundle", "cosign3.pub"),
];
const WIDER: [(&str, &str); 5] = [
    // A stranger's bundle hides nothing.
    ("both-other-key", "cosign2.pub"),
    ("both-other-key", "cosign3.pub"),
    // Cosign signs with other hashes than it checks with.
    ("p384", "p384.pub"),
    ("p521", "p521.pub"),
    ("ed25519", "ed25519.pub"),
];

#[test]
fn what_cosign_signed_is_judged() {
    const TEST: &str = "what_cosign_signed_is_judged";
    let Some(fixtures) = fixtures(TEST) else { return };
    let verdicts = fs_err::read_to_string(fixtures.join("layouts/verdicts.json")).unwrap();
    let verdicts: Vec<Value> = serde_json::from_str(&verdicts).unwrap();
    let mut judged = 0;
    for row in &verdicts {
        let [layout, key] = ["layout", "key"].map(|field| row[field].as_str().unwrap());
        let store: Arc<dyn Store> = Arc::new(Layout::new(fixtures.join("layouts").join(layout)));
        let result = check(&store, "1.2.3", &policy(&[&public(TEST, key).unwrap()]));
        let theirs = row["cosign3"].as_str().unwrap().starts_with("accept");
        let row = (layout, key);
        let expected = if STRICTER.contains(&row) { false } else { theirs || WIDER.contains(&row) };
        assert_eq!(result.is_ok(), expected, "{row:?}: {result:?}");
        match result {
            Ok(verified) => {
                assert_eq!(verified.get().digest.to_string(), SUBJECT);
                assert_eq!(verified.evidence().outcome, Outcome::Verified);
            }
            Err(error) => {
                let nothing = ["att-bundle", "att-legacy", "notation", "prov"].contains(&layout);
                let kinds = if nothing {
                    &[ErrorKind::NotSigned, ErrorKind::SignatureInvalid][..]
                } else {
                    &[ErrorKind::SignatureInvalid]
                };
                assert!(kinds.contains(&error.kind()), "{row:?}: {error:?}");
            }
        }
        judged += 1;
    }
    assert!(judged >= 20, "{judged}");
    say(&format!("{TEST}: {judged} pairs of layout and key"));
}

#[test]
fn the_wrong_key_and_no_signature_are_told_apart() {
    const TEST: &str = "the_wrong_key_and_no_signature_are_told_apart";
    let Some(fixtures) = fixtures(TEST) else { return };
    for (layout, kind) in [
        ("att-bundle", ErrorKind::NotSigned),
        ("att-legacy", ErrorKind::NotSigned),
        ("notation", ErrorKind::NotSigned),
        ("prov", ErrorKind::NotSigned),
        ("sig-cosign2", ErrorKind::SignatureInvalid),
        ("bundle-cosign2", ErrorKind::SignatureInvalid),
    ] {
        let store: Arc<dyn Store> = Arc::new(Layout::new(fixtures.join("layouts").join(layout)));
        let error = check(&store, "1.2.3", &policy(&[&public(TEST, "cosign3.pub").unwrap()])).unwrap_err();
        assert_eq!(error.kind(), kind, "{layout}: {error:?}");
    }
}

#[test]
fn everything_that_others_attached_is_listed() {
    const TEST: &str = "everything_that_others_attached_is_listed";
    use oci_chart_core::trust::AttachedKind::{Attestation, Sbom, Signature};
    let Some(fixtures) = fixtures(TEST) else { return };
    for (layout, kinds) in [
        ("annotations", &[Signature, Signature][..]),
        ("att-bundle", &[Attestation]),
        ("att-legacy", &[Attestation]),
        ("both", &[Attestation, Signature, Signature]),
        ("both-other-key", &[Signature, Signature]),
        ("bundle-cosign2", &[Signature]),
        ("bundle-cosign3", &[Signature]),
        ("bundle-fallback", &[Signature, Signature]),
        ("ed25519", &[Signature, Signature]),
        ("notation", &[Signature]),
        ("p384", &[Signature, Signature]),
        ("p521", &[Signature, Signature]),
        ("prov", &[]),
        ("rsa2048", &[Signature, Signature]),
        ("sbom-oras", &[Sbom, Sbom, Signature]),
        ("sig-cosign2", &[Signature]),
        ("sig-cosign3", &[Signature]),
        ("sig-two-keys", &[Signature]),
    ] {
        let store: Arc<dyn Store> = Arc::new(Layout::new(fixtures.join("layouts").join(layout)));
        let tree = block(tree(&Context::default(), &store, &selector("1.2.3"), &Limits::default())).unwrap();
        let mut found: Vec<_> = tree.attached.iter().map(|entry| entry.kind).collect();
        found.sort_by_key(|kind| kind.as_str());
        assert_eq!(found, kinds, "{layout}: {tree}");
    }
    assert_eq!(
        fs_err::read_dir(fixtures.join("layouts")).unwrap().count(),
        19,
        "a layout is not asked about"
    );
}

#[test]
fn what_cosign_attested_counts_for_its_type() {
    const TEST: &str = "what_cosign_attested_counts_for_its_type";
    let Some(fixtures) = fixtures(TEST) else { return };
    for (layout, key, predicate_type, count) in [
        ("att-bundle", "cosign3.pub", PredicateType::CYCLONEDX, 1),
        ("att-legacy", "cosign3.pub", PredicateType::CYCLONEDX, 1),
        ("att-legacy", "cosign2.pub", PredicateType::CYCLONEDX, 1),
        ("both", "cosign2.pub", PredicateType::SLSA_PROVENANCE_V1, 1),
        ("both", "cosign2.pub", PredicateType::CYCLONEDX, 0),
        ("both", "cosign3.pub", PredicateType::SLSA_PROVENANCE_V1, 0),
        ("bundle-cosign3", "cosign3.pub", PredicateType::CYCLONEDX, 0),
    ] {
        let store: Arc<dyn Store> = Arc::new(Layout::new(fixtures.join("layouts").join(layout)));
        let wanted = AttestationPolicy::new(predicate_type, policy(&[&public(TEST, key).unwrap()]));
        let options = VerifyOptions::default();
        let verified =
            block(verify_attestation(&Context::default(), &store, &selector("1.2.3"), &wanted, &options));
        assert_eq!(verified.map_or(0, |verified| verified.get().len()), count, "{layout} {key}");
    }
}
