//! Every way to bend a good bundle a little, generated: whatever is changed that proves something, the bundle is refused.

use std::path::PathBuf;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fs_err as fs;
use oci_chart_core::trust::{BundleArtifact, BundleSigner, Identity, PublicKey, TrustRoot, verify_bundle};
use serde_json::{Value, json};

use super::{IDENTITY, ISSUER, fixtures};
use crate::support::say;

/// A case of the conformance suite whose bundle is good.
struct Case {
    name: String,
    bundle: Value,
    artifact: Vec<u8>,
    signer: BundleSigner,
    root: TrustRoot,
}

fn good_cases() -> Vec<Case> {
    let place = fixtures("sigstore-conformance");
    let mut folders: Vec<PathBuf> = fs::read_dir(&place)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    let cases = folders.into_iter().filter_map(|folder| {
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        if name.ends_with("_fail") {
            return None;
        }
        let text = |file: &str| fs::read_to_string(folder.join(file)).ok();
        let word =
            |file: &str, default: &str| text(file).map_or(default.to_owned(), |word| word.trim().to_owned());
        let signer = match text("key.pub") {
            Some(pem) => BundleSigner::Key(PublicKey::from_pem(&pem).unwrap()),
            None => BundleSigner::Identities(vec![
                Identity::exact(word("issuer", ISSUER), word("identity", IDENTITY)).unwrap(),
            ]),
        };
        let artifact = folder.join("artifact");
        let artifact = if artifact.exists() { artifact } else { place.join("a.txt") };
        Some(Case {
            bundle: serde_json::from_str(&text("bundle.sigstore.json").unwrap()).unwrap(),
            artifact: fs::read(artifact).unwrap(),
            signer,
            root: text("trusted_root.json")
                .map_or_else(TrustRoot::embedded, |text| TrustRoot::from_json(text).unwrap()),
            name,
        })
    });
    cases.collect()
}

impl Case {
    fn takes(&self, bundle: &str) -> bool {
        verify_bundle(bundle.as_bytes(), BundleArtifact::Bytes(&self.artifact), &self.signer, &self.root)
            .is_ok()
    }
}

/// Where something stands in a document, arrays' places left out.
fn walk(value: &Value, pointer: String, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                walk(value, format!("{pointer}/{key}"), found);
            }
        }
        Value::Array(items) => {
            for (n, value) in items.iter().enumerate() {
                walk(value, format!("{pointer}/{n}"), found);
            }
        }
        _ => {}
    }
    if !pointer.is_empty() {
        found.push(pointer);
    }
}

/// Other values for what stands there, each with a word for what was done.
fn bent(value: &Value) -> Vec<(&'static str, Value)> {
    let mut all = vec![("null", Value::Null), ("a number", json!(7)), ("an object", json!({"x": "y"}))];
    match value {
        Value::String(text) => {
            all.push(("empty", json!("")));
            all.push(("longer", json!(format!("{text}A"))));
            if let Ok(bytes) = STANDARD.decode(text)
                && bytes.len() > 8
            {
                for (word, at) in
                    [("first byte", 0), ("middle byte", bytes.len() / 2), ("last byte", bytes.len() - 1)]
                {
                    let mut bytes = bytes.clone();
                    bytes[at] ^= 1;
                    all.push((word, json!(STANDARD.encode(bytes))));
                }
                all.push(("cut", json!(STANDARD.encode(&bytes[..bytes.len() - 1]))));
                all.push(("more bytes", json!(STANDARD.encode([&bytes[..], b"x"].concat()))));
            } else if let Ok(number) = text.parse::<i64>() {
                for other in [number + 1, number - 1, -number, i64::MAX] {
                    all.push(("another number", json!(other.to_string())));
                }
            }
        }
        Value::Array(items) => {
            all.push(("nothing in it", json!([])));
            all.push(("40 times the first", json!(vec![items.first().cloned().unwrap_or_default(); 40])));
            if items.len() > 1 {
                all.push(("turned round", json!(items.iter().rev().collect::<Vec<_>>())));
                all.push(("without the first", json!(items[1..])));
            }
        }
        Value::Object(fields) => {
            all.push(("nothing in it", json!({})));
            let mut more = fields.clone();
            more.insert("unknownField".to_owned(), json!("x"));
            all.push(("an unknown field", Value::Object(more)));
        }
        _ => {}
    }
    all.retain(|(_, other)| other != value);
    all
}

/// What may be changed: it proves nothing, or something else proves the same. The beginning of a place, and what is done there where not
/// everything is harmless.
const HARMLESS: [(&str, &str); 12] = [
    // Says which key may be meant.
    ("dsseEnvelope/signatures/keyid", ""),
    ("verificationMaterial/publicKey", ""),
    // Is computed.
    ("messageSignature/messageDigest", "gone"),
    ("messageSignature/messageDigest", "null"),
    // Where the log says when, and in the certificates that a token carries and nobody needs.
    ("verificationMaterial/timestampVerificationData", ""),
    // One of both is enough in bundles of version 0.1; later ones need the proof.
    ("verificationMaterial/tlogEntries/inclusionPromise", "gone"),
    ("verificationMaterial/tlogEntries/inclusionPromise", "null"),
    ("verificationMaterial/tlogEntries/inclusionProof", "gone"),
    ("verificationMaterial/tlogEntries/inclusionProof", "null"),
    // A log of the second generation: the entry has its index, the checkpoint all else, the log's key among it.
    ("verificationMaterial/tlogEntries/inclusionProof/logIndex", ""),
    ("verificationMaterial/tlogEntries/inclusionProof/treeSize", ""),
    ("verificationMaterial/tlogEntries/logId/keyId", ""),
];

/// The same, for logs of the second generation alone.
const HARMLESS_HASH: &str = "verificationMaterial/tlogEntries/inclusionProof/rootHash";

fn is_of_a_second_generation_log(case: &Case) -> bool {
    case.bundle.pointer("/verificationMaterial/tlogEntries/0/kindVersion/version") == Some(&json!("0.0.2"))
}

fn is_harmless(case: &Case, place: &str, what: &str) -> bool {
    // Readers of this and of other programs pass over what they do not know, inside of what they do.
    what == "an unknown field"
        || (place == HARMLESS_HASH && is_of_a_second_generation_log(case))
        || HARMLESS.iter().any(|(begin, done)| {
            if done.is_empty() { place.starts_with(begin) } else { place == *begin && what == *done }
        })
        // The one entry of a tree has nothing above it.
        || (place.ends_with("inclusionProof/hashes") && what == "gone")
}

#[test]
fn a_bent_bundle_is_refused() {
    let cases = good_cases();
    assert!(cases.len() > 20, "{}", cases.len());
    let (mut asked, mut harmless, mut wrong) = (0, 0, Vec::new());
    for (number, case) in cases.iter().enumerate() {
        let text = case.bundle.to_string();
        assert!(case.takes(&text), "{}", case.name);
        let mut places = Vec::new();
        walk(&case.bundle, String::new(), &mut places);
        let mut turn = number;
        for place in &places {
            let (parent, key) = place.rsplit_once('/').unwrap();
            let mut ways = bent(case.bundle.pointer(place).unwrap());
            ways.push(("gone", Value::Null));
            for (what, value) in ways {
                // Every case has its turn at a quarter of the ways.
                turn += 1;
                if !turn.is_multiple_of(4) {
                    continue;
                }
                let mut bundle = case.bundle.clone();
                match (what, bundle.pointer_mut(parent).unwrap()) {
                    ("gone", Value::Object(fields)) => drop(fields.remove(key)),
                    ("gone", Value::Array(items)) => drop(items.remove(key.parse().unwrap())),
                    (_, _) => *bundle.pointer_mut(place).unwrap() = value,
                }
                asked += 1;
                if case.takes(&bundle.to_string()) {
                    let steps =
                        place.split('/').filter(|step| !step.is_empty() && step.parse::<u8>().is_err());
                    let place = steps.collect::<Vec<_>>().join("/");
                    harmless += 1;
                    if !is_harmless(case, &place, what) {
                        wrong.push(format!("{}: {place}: {what}", case.name));
                    }
                }
            }
            // The same key once more, which readers take for different things.
            let quoted = format!("{key:?}:");
            if let Some(at) = text.find(&quoted) {
                let twice = format!("{}{quoted}null,{}", &text[..at], &text[at..]);
                assert!(!case.takes(&twice), "{}: {place} twice", case.name);
            }
        }
        for (what, text) in [
            ("bytes behind it", format!("{text} {{}}")),
            ("cut short", text[..text.len() - 1].to_owned()),
            ("nothing", String::new()),
        ] {
            assert!(!case.takes(&text), "{}: {what}", case.name);
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(asked > 1000 && harmless < asked / 8, "{asked} {harmless}");
    say(&format!(
        "a_bent_bundle_is_refused: {asked} bent bundles, {harmless} of them bent where nothing is proven"
    ));
}
