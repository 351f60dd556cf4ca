//! Floods and lies about bytes end at their bound, within stated numbers of requests and little memory. Each check runs in a process of its own.

use std::{env, process::Command, time::Duration};

use bytes::Bytes;
use oci_chart_core::{
    Context, Digest,
    trust::{
        AttestationPolicy, KeyPolicy, Policy, PredicateType, Signer as _, SigningKey, Tlog, TrustedKey,
        VerifyOptions, tree, verify, verify_attestation,
    },
};
use oci_chart_testkit::{Lie, Listing};
use serde_json::{Value, json};

use super::{Forge, INDEX, store_at};
use crate::{
    attest::version,
    memory::peak,
    remote::block,
    support::{say, skip},
};

/// Most memory that any of these checks may take, in bytes.
const ALLOWED: u64 = 64 << 20;

/// Largest attestation that is read, in bytes.
const LARGEST: usize = 32 << 20;

/// Says to the child which registry is hostile, what is asked, and how long it may take.
const CHILD: &str = "OCI_CHART_THREATS_CHILD";

/// What it is called, how the registry is set up, what comes of it, which limit is named, and the most requests that it may cost.
type Flood = (&'static str, fn(&Forge), &'static str, Option<&'static str>, usize);

/// Of checks of signatures.
const OF_SIGNATURES: &[Flood] = &[
    (
        "endless pages of referrers",
        |forge| forge.registry.referrers(Listing::EndlessPages(100)),
        "could-not-check",
        Some("referrers"),
        80,
    ),
    (
        "endless empty pages of referrers",
        |forge| forge.registry.referrers(Listing::EndlessPages(0)),
        "could-not-check",
        Some("tags"),
        120,
    ),
    (
        "endless pages of referrers that are one page of annotations each",
        |forge| {
            let entry = forge.entry_with(&many_annotations(350_000));
            forge.registry.referrers(Listing::EndlessPagesOf(vec![entry]));
        },
        "could-not-check",
        Some("verify_bytes"),
        24,
    ),
    (
        "a list of referrers without end",
        |forge| forge.registry.referrers(Listing::EndlessBody),
        "could-not-check",
        Some("answer_bytes"),
        10,
    ),
    (
        "a thousand candidates",
        |forge| forge.many_bundles(1000),
        "could-not-check",
        Some("candidates"),
        2 + 2 * 64 + 1,
    ),
    (
        "manifests that are nothing but annotations",
        |forge| {
            let annotations = many_annotations(350_000);
            let entries = (0..12).map(|n| forge.manifest_with(n, &annotations)).collect();
            forge.listed(entries);
        },
        "could-not-check",
        Some("verify_bytes"),
        2 + 1 + 12,
    ),
    (
        "a bundle of 130 MiB by its own account",
        |forge| {
            let entry = forge.oversized_bundle(130 << 20);
            forge.listed(vec![entry]);
        },
        "could-not-check",
        Some("signature_bytes"),
        6,
    ),
    ("a bundle that never ends", |forge| forge.lying_bundle(Lie::Endless), "could-not-check", None, 12),
    (
        "other bytes than the bundle's digest",
        |forge| forge.lying_bundle(Lie::Bytes(Bytes::from_static(b"{}"))),
        "could-not-check",
        None,
        12,
    ),
    ("a bundle cut short", |forge| forge.lying_bundle(Lie::Announce(1 << 30)), "could-not-check", None, 12),
    ("a bundle that is refused", |forge| forge.lying_bundle(Lie::Status(403)), "could-not-check", None, 12),
    (
        "a thousand layers behind the signature tag",
        |forge| forge.many_layers(1000),
        "could-not-check",
        Some("signature_layers"),
        8,
    ),
    (
        "a layer behind the signature tag that is nothing but annotations",
        |forge| forge.layer_with(&many_annotations(350_000)),
        "signature-invalid",
        None,
        5,
    ),
    ("a manifest without end", |forge| forge.lying_manifest(Lie::Endless), "could-not-check", None, 12),
];

/// Of checks of signatures that may take a second.
const OF_PATIENCE: &[Flood] = &[
    (
        "a bundle that comes byte by byte",
        |forge| forge.lying_bundle(Lie::Drip),
        "could-not-check",
        Some("verify_time"),
        6,
    ),
    (
        "a manifest of a bundle that comes byte by byte",
        |forge| forge.lying_manifest(Lie::Drip),
        "could-not-check",
        Some("verify_time"),
        5,
    ),
    (
        "a signature tag that comes byte by byte",
        |forge| forge.lying_tag(Lie::Drip),
        "could-not-check",
        Some("verify_time"),
        4,
    ),
    ("a list of referrers that comes byte by byte", dripping_list, "could-not-check", Some("verify_time"), 5),
];

/// Of lists of what is attached.
const OF_TREES: &[Flood] = &[
    (
        "a tree of endless pages",
        |forge| forge.registry.referrers(Listing::EndlessPages(100)),
        "limit-exceeded",
        Some("referrers"),
        2 + 11,
    ),
    (
        "a tree of endless empty pages",
        |forge| forge.registry.referrers(Listing::EndlessPages(0)),
        "limit-exceeded",
        Some("tags"),
        2 + 101,
    ),
    (
        "a tree of endless pages with one entry",
        |forge| forge.registry.referrers(Listing::EndlessPagesOf(vec![forge.entry_with("{}")])),
        "limit-exceeded",
        Some("referrers"),
        2 + 1001,
    ),
    (
        "a tree of endless pages that are one page of annotations each",
        |forge| {
            let entry = forge.entry_with(&many_annotations(350_000));
            forge.registry.referrers(Listing::EndlessPagesOf(vec![entry]));
        },
        "limit-exceeded",
        Some("verify_bytes"),
        2 + 10,
    ),
    (
        "a tree of a thousand attachments with a thousand attachments each",
        |forge| forge.many_bundles(1000),
        "limit-exceeded",
        Some("referrers"),
        6 + 1000 + 4,
    ),
    (
        "a tree of manifests that are nothing but layers",
        |forge| {
            let layer = format!(r#"{{"mediaType":"a/b","digest":"{}","size":1}}"#, Digest::of("x"));
            let layers = vec![layer; 35_000].join(",");
            forge.listed((0..40).map(|n| forge.manifest_of(n, &layers, "{}")).collect());
        },
        "limit-exceeded",
        Some("verify_bytes"),
        6 + 9 + 4,
    ),
    (
        "a tree of a manifest without end",
        |forge| forge.lying_manifest(Lie::Endless),
        "limit-exceeded",
        Some("manifest_bytes"),
        12,
    ),
];

/// The same with a second's patience.
const OF_PATIENT_TREES: &[Flood] = &[
    (
        "a tree of a manifest that comes byte by byte",
        |forge| forge.lying_manifest(Lie::Drip),
        "limit-exceeded",
        Some("verify_time"),
        7,
    ),
    ("a tree of a list that comes byte by byte", dripping_list, "limit-exceeded", Some("verify_time"), 4),
];

/// Without the API, the tag that stands in for it comes byte by byte.
fn dripping_list(forge: &Forge) {
    let entry = forge.referrer(&forge.signature(), "");
    let index = format!(r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{entry}]}}"#);
    let digest = forge.registry.manifest(INDEX, index);
    forge.registry.tag(&forge.chart.replace(':', "-"), &digest);
    forge.registry.lie(&digest, Lie::Drip);
}

/// Of checks of attestations, which may be large.
const OF_ATTESTATIONS: &[Flood] = &[
    (
        "an attestation of 32 MiB",
        |forge| forge.bundle(&large_attestation(forge, &forge.key)),
        "verified",
        None,
        5,
    ),
    (
        "an attestation of 32 MiB by a stranger",
        |forge| forge.bundle(&large_attestation(forge, &SigningKey::generate().unwrap())),
        "signature-invalid",
        None,
        5,
    ),
    (
        "two attestations of 20 MiB",
        |forge| {
            let texts = [20 << 20, (20 << 20) + 1].map(|length| " ".repeat(length));
            forge.listed(texts.map(|text| forge.referrer(&text, "")).to_vec());
        },
        "could-not-check",
        Some("verify_bytes"),
        7,
    ),
    (
        "one byte more than an attestation may have",
        |forge| {
            let entry = forge.oversized_bundle((LARGEST + 1) as u64);
            forge.listed(vec![entry]);
        },
        "could-not-check",
        Some("attestation_bytes"),
        4,
    ),
    (
        "ten million empty lists",
        |forge| forge.bundle(&filled(r#"{"mediaType":["#, "[],", "0]}")),
        "signature-invalid",
        None,
        5,
    ),
    (
        "a million keys",
        |forge| {
            let keys: String = (0..1_000_000).map(|n| format!("\"{n}\":0,")).collect();
            forge.bundle(&format!("{{{keys}\"x\":0}}"));
        },
        "signature-invalid",
        None,
        5,
    ),
    (
        "one key of 32 MiB",
        |forge| forge.bundle(&filled("{\"", "A\\u0041", "\":0}")),
        "signature-invalid",
        None,
        5,
    ),
    (
        "a payload of nothing but escapes",
        |forge| {
            forge.bundle(&filled(
                r#"{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":{}},"dsseEnvelope":{"payload":""#,
                "\\u0041",
                r#"","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"AAAA"}]}}"#,
            ));
        },
        "signature-invalid",
        None,
        5,
    ),
    (
        "a million signatures",
        |forge| {
            forge.bundle(&filled(
                r#"{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":{}},"dsseEnvelope":{"payload":"","payloadType":"application/vnd.in-toto+json","signatures":["#,
                r#"{"sig":"AAAA"},"#,
                r#"{"sig":"AAAA"}]}}"#,
            ));
        },
        "signature-invalid",
        None,
        5,
    ),
];

/// Of checks of attestations by identities.
#[cfg(feature = "keyless")]
const OF_IDENTITIES: &[Flood] = &[
    (
        "an attestation of 32 MiB with somebody's certificate",
        |forge| certified(forge, "0,", LARGEST / 4 * 3 - 8192),
        "could-not-check",
        Some("keyless_memory"),
        5,
    ),
    (
        "as many values as are checked with somebody's certificate",
        |forge| certified(forge, "0,", 1_950_000),
        "signature-invalid",
        None,
        5,
    ),
    (
        "as many objects as are checked with somebody's certificate",
        |forge| certified(forge, "{\"\":0},", 500_000),
        "signature-invalid",
        None,
        5,
    ),
    (
        "as long a text as is checked with somebody's certificate",
        |forge| certified(forge, "\"\",", 10_400_000),
        "signature-invalid",
        None,
        5,
    ),
];

/// A bundle whose certificate is good, and whose statement is of somebody else.
#[cfg(feature = "keyless")]
fn certified(forge: &Forge, middle: &str, length: usize) {
    let fixture = crate::keyless::chart::fixture("bundles/attestation.json");
    let mut bundle: Value = serde_json::from_slice(&fixture).unwrap();
    let large = forge.signed(&large_statement(forge, middle, length));
    let large: Value = serde_json::from_str(&large).unwrap();
    bundle["dsseEnvelope"] = large["dsseEnvelope"].clone();
    forge.bundle(&bundle.to_string());
}

#[test]
fn floods_end_at_their_bound_within_64_mebibytes() {
    const TEST: &str = "floods_end_at_their_bound_within_64_mebibytes";
    if let Some(order) = env::var_os(CHILD) {
        return child(&order.into_string().unwrap());
    }
    if peak().is_none() {
        return skip(&format!("{TEST}: this system does not tell a process's peak memory"));
    }
    let mut wrong = Vec::new();
    for (floods, ask) in [
        (OF_SIGNATURES, "signature"),
        (OF_PATIENCE, "patience"),
        (OF_TREES, "tree"),
        (OF_PATIENT_TREES, "patient-tree"),
        (OF_ATTESTATIONS, "attestation"),
        #[cfg(feature = "keyless")]
        (OF_IDENTITIES, "identity"),
    ] {
        for (name, set, outcome, limit, most) in floods {
            let forge = Forge::new();
            set(&forge);
            let pem = forge.key.public_key().to_pem().replace('\n', "|");
            let child = Command::new(env::current_exe().unwrap())
                .args([
                    "--exact",
                    "threats::floods::floods_end_at_their_bound_within_64_mebibytes",
                    "--nocapture",
                ])
                .env(CHILD, format!("{} {ask} {pem}", forge.registry.host()))
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&child.stdout);
            assert!(child.status.success(), "{name}: {said}{}", String::from_utf8_lossy(&child.stderr));
            let answer: Value =
                serde_json::from_str(said.lines().find_map(|line| line.split_once("answer ")).unwrap().1)
                    .unwrap();
            let requests = forge.registry.requests().len();
            let grown = answer["grown"].as_u64().unwrap();
            say(&format!("{name}: {requests} requests, {} KiB, {}", grown >> 10, answer["message"]));
            let seen = (answer["outcome"].as_str().unwrap(), answer["limit"].as_str());
            if seen != (*outcome, *limit) || requests > *most || grown > ALLOWED {
                wrong.push(format!("{name}: {requests} requests, {grown} bytes, {answer}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

fn child(order: &str) {
    let mut words = order.splitn(3, ' ');
    let [host, ask, pem] = [(); 3].map(|()| words.next().unwrap());
    let key = pem.replace('|', "\n").parse().unwrap();
    let policy = Policy::Keys(KeyPolicy::new([TrustedKey::new(key)], Tlog::IgnoreExplicitly));
    let store = store_at(host);
    let mut options = VerifyOptions::default();
    // A busy machine may be slow, and is asked for other bounds than that of time.
    options.limits.verify_time = Duration::from_secs(if ask.starts_with("patien") { 1 } else { 600 });
    let (cx, version) = (Context::default(), version("1.2.3"));
    // What any check takes, a program's own pages above all, was taken before.
    let harmless = Forge::new();
    harmless.bundle(&harmless.signature());
    let small = store_at(&harmless.registry.host());
    block(verify(&cx, &small, &version, &policy, &options)).unwrap_err();
    let before = peak().unwrap();
    let result = match ask {
        "signature" | "patience" => block(verify(&cx, &store, &version, &policy, &options)).map(drop),
        "tree" | "patient-tree" => block(tree(&cx, &store, &version, &options.limits)).map(drop),
        #[cfg(feature = "keyless")]
        "identity" => {
            let signers = crate::keyless::chart::policy(crate::keyless::chart::workflow());
            let policy = AttestationPolicy::new(PredicateType::SLSA_PROVENANCE_V1, signers);
            block(verify_attestation(&cx, &store, &version, &policy, &options)).map(drop)
        }
        _ => {
            let policy = AttestationPolicy::new(PredicateType::SLSA_PROVENANCE_V1, policy);
            block(verify_attestation(&cx, &store, &version, &policy, &options)).map(drop)
        }
    };
    let grown = peak().unwrap() - before;
    let answer = match result {
        Ok(()) => json!({"outcome": "verified", "grown": grown}),
        Err(error) => json!({
            "outcome": error.kind().name(),
            "limit": error.get("limit"),
            "message": error.to_string(),
            "grown": grown,
        }),
    };
    println!("answer {answer}");
}

/// An object with so many short annotations: 10 bytes each, and ten times that in memory.
fn many_annotations(count: usize) -> String {
    let all: Vec<String> = (0..count).map(|n| format!("\"{n:x}\":\"\"")).collect();
    format!("{{{}}}", all.join(","))
}

/// As many repetitions as go into an attestation of the largest size.
fn filled(begin: &str, middle: &str, end: &str) -> String {
    format!("{begin}{}{end}", middle.repeat((LARGEST - begin.len() - end.len()) / middle.len()))
}

/// A signed statement of the largest size, most of it a list of zeros.
fn large_attestation(forge: &Forge, key: &SigningKey) -> String {
    forge.signed_by(key, &large_statement(forge, "0,", LARGEST / 4 * 3 - 8192))
}

/// A statement of about this length, most of it a list of these.
fn large_statement(forge: &Forge, middle: &str, length: usize) -> String {
    let statement = forge.statement().replace("sigstore.dev/cosign/sign/v1", "slsa.dev/provenance/v1");
    let list = match middle {
        "\"\"," => format!("\"{}\"", "x".repeat(length)),
        middle => format!("{}0", middle.repeat(length / middle.len())),
    };
    statement.replace("\"predicate\":{}", &format!("\"predicate\":{{\"a\":[{list}]}}"))
}
