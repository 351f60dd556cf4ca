//! Everything that both cosigns signed, judged beside what they said of it.

use std::sync::Arc;

use oci_chart_core::{
    ErrorKind,
    store::{Layout, Store},
    trust::Outcome,
};
use serde_json::Value;

use super::support::{SUBJECT, check, fixtures, policy, public};
use crate::support::say;

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
