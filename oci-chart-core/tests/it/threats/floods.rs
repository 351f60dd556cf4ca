//! Floods and lies about bytes end at their bound, within stated numbers of requests and little memory. Each check runs in a process of its own.

mod attestations;
mod pulls;
mod tags;
mod trees;

use std::{env, process::Command, time::Duration};

use bytes::Bytes;
use oci_chart_core::{
    Context,
    name::Selector,
    transfer::{PullOptions, pull},
    trust::{
        AttestationPolicy, KeyPolicy, Policy, PredicateType, Signer as _, Tlog, TrustedKey, VerifyOptions,
        tree, verify, verify_attestation,
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
        None,
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
        (tags::OF_TAGS, "range"),
        (trees::OF_TREES, "tree"),
        (pulls::OF_PULLS, "pull"),
        (trees::OF_PATIENT_TREES, "patient-tree"),
        (attestations::OF_ATTESTATIONS, "attestation"),
        #[cfg(feature = "keyless")]
        (attestations::OF_IDENTITIES, "identity"),
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
        "range" => {
            let range = Selector::for_version("^1").unwrap();
            block(verify(&cx, &store, &range, &policy, &options)).map(drop)
        }
        "pull" => block(pull(&cx, &store, &version, &PullOptions::without_verification())).map(drop),
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

/// Without the API, the tag that stands in for it comes byte by byte.
fn dripping_list(forge: &Forge) {
    let entry = forge.referrer(&forge.signature(), "");
    let index = format!(r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{entry}]}}"#);
    let digest = forge.registry.manifest(INDEX, index);
    forge.registry.tag(&forge.chart.replace(':', "-"), &digest);
    forge.registry.lie(&digest, Lie::Drip);
}

/// An object with so many short annotations: 10 bytes each, and ten times that in memory.
fn many_annotations(count: usize) -> String {
    let all: Vec<String> = (0..count).map(|n| format!("\"{n:x}\":\"\"")).collect();
    format!("{{{}}}", all.join(","))
}
