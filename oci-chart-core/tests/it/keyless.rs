//! Signatures of identities, checked offline: the conformance suite of Sigstore, and charts under a small Sigstore of our own.

use std::path::{Path, PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fs_err as fs;
use oci_chart_core::{
    Digest, ErrorKind, Reason,
    trust::{
        AttestationPolicy, BundleArtifact, BundleSigner, Claim, Identity, KeyPolicy, KeylessPolicy, Pattern,
        Policy, PredicateType, PublicKey, Tlog, TrustRoot, TrustedKey, verify_bundle,
    },
};
use serde_json::{Value, json};

use self::chart::{Chart, SUBJECT, fixture, policy, root, workflow};
use crate::support::say;

pub(crate) mod chart;
mod schemes;
mod variations;

/// As the suite's README has them.
const IDENTITY: &str = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main";
const ISSUER: &str = "https://token.actions.githubusercontent.com";

#[test]
fn every_case_of_the_conformance_suite_is_answered_right() {
    let place = fixtures("sigstore-conformance");
    let mut cases: Vec<PathBuf> = fs::read_dir(&place)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    cases.sort();
    let (mut wrong, mut asked) = (Vec::new(), 0);
    for case in &cases {
        let name = case.file_name().unwrap().to_str().unwrap();
        let text = |file: &str, default: &str| {
            let path = case.join(file);
            if path.exists() {
                fs::read_to_string(path).unwrap().trim().to_owned()
            } else {
                default.to_owned()
            }
        };
        let artifact =
            Some(case.join("artifact")).filter(|path| path.exists()).unwrap_or(place.join("a.txt"));
        let artifact = fs::read(artifact).unwrap();
        let bundle = fs::read(case.join("bundle.sigstore.json")).unwrap();
        let signer = match fs::read_to_string(case.join("key.pub")) {
            Ok(pem) => PublicKey::from_pem(&pem).map(BundleSigner::Key),
            Err(_) => Identity::exact(text("issuer", ISSUER), text("identity", IDENTITY))
                .map(|identity| BundleSigner::Identities(vec![identity])),
        };
        let root = match case.join("trusted_root.json") {
            path if path.exists() => TrustRoot::from_file(path),
            _ => Ok(TrustRoot::embedded()),
        };
        let digest = Digest::of(&artifact);
        for artifact in [BundleArtifact::Bytes(&artifact), BundleArtifact::Digest(&digest)] {
            asked += 1;
            let answer = match (&signer, &root) {
                (Ok(signer), Ok(root)) => verify_bundle(&bundle, artifact, signer, root).map(drop),
                (Err(error), _) | (_, Err(error)) => {
                    Err(oci_chart_core::Error::new(error.kind(), error.to_string()))
                }
            };
            if answer.is_ok() == name.ends_with("_fail") {
                wrong.push(format!("{name}: {answer:?}"));
            }
        }
    }
    say(&format!("the conformance suite: {} of {asked} right", asked - wrong.len()));
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(asked, 140);
}

#[test]
fn a_chart_signed_by_a_workflow_is_verified_offline() {
    let chart = Chart::with(&["bundles/good.json"], &[]);
    let verified = chart.verify(&policy(workflow())).unwrap();
    let evidence: Value = serde_json::from_str(&verified.evidence().to_json()).unwrap();
    assert_eq!(evidence["requirement"]["signers"][0], format!("{SUBJECT} ({ISSUER})"));
    // The root's age is told: nobody fetches a newer one unasked.
    assert_eq!(evidence["requirement"]["trustRoot"]["dated"], "2026-01-01T00:00:00Z");
    assert_eq!(evidence["requirement"]["trustRoot"]["days"], 324);

    let claims = [
        (Claim::RunnerEnvironment, "github-hosted"),
        (Claim::SourceRepository, "https://github.com/org/*"),
        (Claim::SourceRepositoryRef, "refs/tags/v1.2.3"),
    ];
    let strict = claims.iter().fold(workflow(), |identity, (claim, text)| {
        let pattern = text.parse().or_else(|_| Pattern::exact(*text)).unwrap();
        identity.with_claim(*claim, pattern)
    });
    chart.verify(&policy(strict)).unwrap();
    let elsewhere = workflow().with_claim(Claim::RunnerEnvironment, Pattern::exact("self-hosted").unwrap());
    chart.refused(&policy(elsewhere), ErrorKind::PolicyDenied, Reason::IdentityMismatch);
}

#[test]
fn what_cosign_2_spreads_over_annotations_counts_as_the_same() {
    let chart = Chart::with(&[], &["tags/good.json"]);
    chart.verify(&policy(workflow())).unwrap();
    let stranger = Identity::exact(ISSUER, "https://github.com/org/other").unwrap();
    chart.refused(&policy(stranger), ErrorKind::PolicyDenied, Reason::IdentityMismatch);
    let foreign = Chart::with(&[], &["tags/foreign-entry.json"]);
    foreign.refused(&policy(workflow()), ErrorKind::SignatureInvalid, Reason::OtherLogEntry);
    let keyed = Chart::with(&[], &["tags/key.json"]);
    keyed.refused(&policy(workflow()), ErrorKind::SignatureInvalid, Reason::ForeignMaterial);
    let other = Chart::with(&[], &["tags/other-subject.json"]);
    other.refused(&policy(workflow()), ErrorKind::SignatureInvalid, Reason::OtherSubject);
    // What is between the signer and the authority stands in the chain.
    Chart::with(&[], &["tags/chain.json"]).verify(&policy(workflow())).unwrap();
    let without = |name: &str, key: &str| {
        let mut layer: Value = serde_json::from_slice(&fixture(name)).unwrap();
        layer["annotations"].as_object_mut().unwrap().remove(key).unwrap();
        Chart::of_layers(&[layer.to_string()])
    };
    let unchained = without("tags/chain.json", "dev.sigstore.cosign/chain");
    unchained.refused(&policy(workflow()), ErrorKind::SignatureInvalid, Reason::CertificateUntrusted);
    without("tags/good.json", "dev.sigstore.cosign/chain").verify(&policy(workflow())).unwrap();
    // A timestamp may be absent, and is not passed over where it is there.
    let mut stamped: Value = serde_json::from_slice(&fixture("tags/good.json")).unwrap();
    stamped["annotations"]["dev.sigstore.cosign/rfc3161timestamp"] =
        r#"{"SignedRFC3161Timestamp":"AAAA"}"#.into();
    let stamped = Chart::of_layers(&[stamped.to_string()]);
    stamped.refused(&policy(workflow()), ErrorKind::SignatureInvalid, Reason::TimeUnproven);
    // The first log of Sigstore had entries of a kind that nobody writes any more.
    let mut old: Value = serde_json::from_slice(&fixture("tags/good.json")).unwrap();
    let entry = &mut old["annotations"]["dev.sigstore.cosign/bundle"];
    let body = STANDARD.encode(r#"{"kind":"rekord","apiVersion":"0.0.1"}"#);
    let payload = json!({"body": body, "integratedTime": 1, "logIndex": 7, "logID": "00"});
    *entry = json!({"SignedEntryTimestamp": "AAAA", "Payload": payload}).to_string().into();
    let old = Chart::of_layers(&[old.to_string()]);
    old.refused(&policy(workflow()), ErrorKind::SignatureInvalid, Reason::OperationUnsupported);
}

#[test]
fn what_was_signed_beside_the_digest_is_asked_for() {
    let bundle = Chart::with(&["bundles/good.json"], &[]);
    let asked =
        |value: &str| Policy::Keyless(KeylessPolicy::new([workflow()], root()).with_annotation("env", value));
    bundle.verify(&asked("prod")).unwrap();
    bundle.refused(&asked("dev"), ErrorKind::PolicyDenied, Reason::AnnotationMismatch);
    let tag = Chart::with(&[], &["tags/good.json"]);
    tag.refused(&asked("prod"), ErrorKind::PolicyDenied, Reason::AnnotationMismatch);
    let place = |name: &str| {
        Policy::Keyless(
            KeylessPolicy::new([workflow()], root()).with_identity(format!("registry.example/charts/{name}")),
        )
    };
    tag.verify(&place("demo")).unwrap();
    tag.refused(&place("other"), ErrorKind::PolicyDenied, Reason::IdentityMismatch);
    bundle.refused(&place("demo"), ErrorKind::PolicyDenied, Reason::IdentityMismatch);
}

#[test]
fn every_flaw_has_its_own_reason() {
    for (bundle, kind, reason) in [
        ("other-subject", ErrorKind::SignatureInvalid, Reason::OtherSubject),
        ("other-identity", ErrorKind::PolicyDenied, Reason::IdentityMismatch),
        ("other-issuer", ErrorKind::PolicyDenied, Reason::IdentityMismatch),
        ("other-authority", ErrorKind::SignatureInvalid, Reason::CertificateUntrusted),
        ("logged-too-late", ErrorKind::SignatureInvalid, Reason::CertificateUntrusted),
        ("foreign-entry", ErrorKind::SignatureInvalid, Reason::OtherLogEntry),
        ("no-entry", ErrorKind::SignatureInvalid, Reason::LogEntryInvalid),
        ("bare-key", ErrorKind::SignatureInvalid, Reason::CertificateUntrusted),
        ("key", ErrorKind::SignatureInvalid, Reason::ForeignMaterial),
        ("attestation", ErrorKind::NotSigned, Reason::NotASignature),
    ] {
        let bundle = format!("bundles/{bundle}.json");
        Chart::with(&[&bundle], &[]).refused(&policy(workflow()), kind, reason);
        Chart::in_a_hostile_registry(&bundle).refused(&policy(workflow()), kind, reason);
    }
}

#[test]
fn a_bundle_is_read_within_bounds_and_in_one_way() {
    let good: Value = serde_json::from_slice(&fixture("bundles/good.json")).unwrap();
    let mut many = good.clone();
    let entry = good["verificationMaterial"]["tlogEntries"][0].clone();
    many["verificationMaterial"]["tlogEntries"] = vec![entry; 33].into();
    let chart = Chart::of_bundles(&[many.to_string()]);
    chart.refused(&policy(workflow()), ErrorKind::SignatureInvalid, Reason::TooManyParts);
    let mut named = good.clone();
    named["dsseEnvelope"]["signatures"][0]["keyid"] = "x".into();
    let chart = Chart::of_bundles(&[named.to_string()]);
    chart.refused(&policy(workflow()), ErrorKind::SignatureInvalid, Reason::MalformedSignature);
    let signed_twice = Chart::with(&["bundles/key-twice.json"], &[]);
    signed_twice.refused(&policy(workflow()), ErrorKind::SignatureInvalid, Reason::DuplicateKey);
    let twice = good.to_string().replacen("\"tlogEntries\"", "\"tlogEntries\":[],\"tlogEntries\"", 1);
    let chart = Chart::of_bundles(std::slice::from_ref(&twice));
    chart.refused(&policy(workflow()), ErrorKind::SignatureInvalid, Reason::DuplicateKey);

    // The same of a bundle that lies beside anything else.
    let digest = Digest::of(fixture("manifest.json"));
    let signer = BundleSigner::Identities(vec![workflow()]);
    let ask = |bundle: &[u8]| verify_bundle(bundle, BundleArtifact::Digest(&digest), &signer, &root());
    ask(good.to_string().as_bytes()).unwrap();
    let stamped = |count: usize| {
        let mut bundle = good.clone();
        let stamps = vec![json!({"signedTimestamp": "AAAA"}); count];
        bundle["verificationMaterial"]["timestampVerificationData"] = json!({"rfc3161Timestamps": stamps});
        bundle.to_string().into_bytes()
    };
    let chained = |count: usize| {
        let mut bundle = good.clone();
        let material = bundle["verificationMaterial"].as_object_mut().unwrap();
        let certificate = material.remove("certificate").unwrap();
        material.insert("x509CertificateChain".into(), json!({"certificates": vec![certificate; count]}));
        bundle.to_string().into_bytes()
    };
    for (name, bundle, reason) in [
        ("entries", many.to_string().into_bytes(), Reason::TooManyParts),
        ("timestamps", stamped(33), Reason::TooManyParts),
        ("certificates", chained(11), Reason::TooManyParts),
        ("a key twice", twice.into_bytes(), Reason::DuplicateKey),
        ("a key twice in what is signed", fixture("bundles/key-twice.json"), Reason::DuplicateKey),
        ("somebody else's", fixture("bundles/key.json"), Reason::ForeignMaterial),
    ] {
        let error = ask(&bundle).unwrap_err();
        assert_eq!((error.kind(), error.reason()), (ErrorKind::SignatureInvalid, Some(reason)), "{name}");
    }
}

#[test]
fn entries_of_several_logs_are_all_true_and_never_add_up() {
    // One log is enough, and a second one may stand beside it.
    Chart::with(&["bundles/two-logs.json"], &[]).verify(&policy(workflow())).unwrap();
    // The same entry twice is one log, and no more than that.
    let mut twice: Value = serde_json::from_slice(&fixture("bundles/good.json")).unwrap();
    let entries = twice["verificationMaterial"]["tlogEntries"].as_array_mut().unwrap();
    entries.push(entries[0].clone());
    Chart::of_bundles(&[twice.to_string()]).verify(&policy(workflow())).unwrap();
    // What any log says counts, not what the best of them says.
    let late = Chart::with(&["bundles/two-logs-one-too-late.json"], &[]);
    late.refused(&policy(workflow()), ErrorKind::SignatureInvalid, Reason::CertificateUntrusted);
    // A log that nobody lists proves nothing: neither alone, nor twice, nor beside a good one.
    let mut unlisted: Value = serde_json::from_slice(&fixture("bundles/unlisted-log.json")).unwrap();
    let alone = Chart::of_bundles(&[unlisted.to_string()]);
    alone.refused(&policy(workflow()), ErrorKind::SignatureInvalid, Reason::LogEntryInvalid);
    let entries = unlisted["verificationMaterial"]["tlogEntries"].as_array_mut().unwrap();
    entries.push(entries[0].clone());
    let twice = Chart::of_bundles(&[unlisted.to_string()]);
    twice.refused(&policy(workflow()), ErrorKind::SignatureInvalid, Reason::LogEntryInvalid);
    let beside = Chart::with(&["bundles/two-logs-one-unlisted.json"], &[]);
    beside.refused(&policy(workflow()), ErrorKind::SignatureInvalid, Reason::LogEntryInvalid);
}

#[test]
fn a_key_whose_signatures_must_be_in_the_log() {
    let key: PublicKey = String::from_utf8(fixture("key.pub")).unwrap().parse().unwrap();
    let policy = |key: TrustedKey| Policy::Keys(KeyPolicy::new([key], Tlog::Require(root())));
    let trusted = TrustedKey::new(key);
    for chart in [Chart::with(&["bundles/key.json"], &[]), Chart::with(&[], &["tags/key.json"])] {
        let verified = chart.verify(&policy(trusted.clone())).unwrap();
        let evidence: Value = serde_json::from_str(&verified.evidence().to_json()).unwrap();
        assert_eq!(
            evidence["requirement"]["trustRoot"]["days"], 324,
            "whoever asks a log is told how old the root is"
        );
        // The log saw it on the first of November: that is the time that counts, not that of the check.
        let early = trusted.clone().with_not_after("2026-11-02T00:00:00Z".parse().unwrap());
        chart.verify(&policy(early)).unwrap();
        let late = trusted.clone().with_not_before("2026-11-02T00:00:00Z".parse().unwrap());
        chart.refused(&policy(late), ErrorKind::PolicyDenied, Reason::KeyNotValid);
    }
    // Two logs saw it an hour apart: the key has to count at both times, in one window or in several.
    let seen_twice = Chart::with(&["bundles/key-two-logs.json"], &[]);
    seen_twice.verify(&policy(trusted.clone())).unwrap();
    let between = "2026-11-01T12:30:00Z".parse().unwrap();
    let (early, late) = (trusted.clone().with_not_after(between), trusted.clone().with_not_before(between));
    for window in [&early, &late] {
        seen_twice.refused(&policy(window.clone()), ErrorKind::PolicyDenied, Reason::KeyNotValid);
    }
    seen_twice.verify(&Policy::Keys(KeyPolicy::new([late, early], Tlog::Require(root())))).unwrap();
    let unlogged = Chart::with(&["bundles/key-unlogged.json"], &[]);
    unlogged.refused(&policy(trusted.clone()), ErrorKind::SignatureInvalid, Reason::LogEntryInvalid);
    let certified = Chart::with(&["bundles/good.json"], &[]);
    certified.refused(&policy(trusted.clone()), ErrorKind::SignatureInvalid, Reason::ForeignMaterial);
    // The same of a bundle that lies beside anything else.
    let (digest, signer) = (Digest::of(fixture("manifest.json")), BundleSigner::Key(trusted.key));
    let ask = |name| verify_bundle(&fixture(name), BundleArtifact::Digest(&digest), &signer, &root());
    ask("bundles/key.json").unwrap();
    // When it was signed, by the earliest witness.
    let time = ask("bundles/key-two-logs.json").unwrap().time;
    assert_eq!(time, Some("2026-11-01T12:01:00Z".parse().unwrap()));
    for (name, reason) in [
        ("bundles/good.json", Reason::ForeignMaterial),
        ("bundles/key-unlogged.json", Reason::LogEntryInvalid),
    ] {
        let error = ask(name).unwrap_err();
        assert_eq!((error.kind(), error.reason()), (ErrorKind::SignatureInvalid, Some(reason)), "{name}");
    }
}

#[test]
fn an_attestation_tag_is_held_against_the_log_and_the_certificate() {
    let layer = |name: &str| -> Value { serde_json::from_slice(&fixture(name)).unwrap() };
    let slsa = |signers| AttestationPolicy::new(PredicateType::SLSA_PROVENANCE_V1, signers);
    let key = TrustedKey::new(String::from_utf8(fixture("key.pub")).unwrap().parse().unwrap());
    let keyed = |key: TrustedKey| slsa(Policy::Keys(KeyPolicy::new([key], Tlog::Require(root()))));
    let why = |layer: &Value, policy: &AttestationPolicy| {
        let error =
            Chart::of_attestations(&[layer.to_string()]).verify_attestation(policy).map(drop).unwrap_err();
        (error.kind(), error.reason().unwrap())
    };
    let (certified, logged) = (layer("tags/attestation.json"), layer("tags/key-attestation.json"));
    let take = |layer: &Value, policy: &AttestationPolicy| {
        Chart::of_attestations(&[layer.to_string()]).verify_attestation(policy).unwrap()
    };
    take(&certified, &slsa(policy(workflow())));
    take(&logged, &keyed(key.clone()));
    // Each kind of signer is one, and no other.
    let foreign = (ErrorKind::SignatureInvalid, Reason::ForeignMaterial);
    assert_eq!(why(&logged, &slsa(policy(workflow()))), foreign);
    assert_eq!(why(&certified, &keyed(key.clone())), foreign);
    // The log is asked, and its time counts.
    let late = key.clone().with_not_before("2026-11-02T00:00:00Z".parse().unwrap());
    assert_eq!(why(&logged, &keyed(late)), (ErrorKind::PolicyDenied, Reason::KeyNotValid));
    let mut unlogged = logged.clone();
    unlogged["annotations"].as_object_mut().unwrap().remove("dev.sigstore.cosign/bundle");
    assert_eq!(why(&unlogged, &keyed(key.clone())), (ErrorKind::SignatureInvalid, Reason::LogEntryInvalid));
    // An entry of another signature is noticed also where nobody asks the log.
    let unasked = slsa(Policy::Keys(KeyPolicy::new([key.clone()], Tlog::IgnoreExplicitly)));
    take(&unlogged, &unasked);
    let mut swapped = logged;
    swapped["annotations"]["dev.sigstore.cosign/bundle"] =
        certified["annotations"]["dev.sigstore.cosign/bundle"].clone();
    let other = (ErrorKind::SignatureInvalid, Reason::OtherLogEntry);
    assert_eq!(why(&swapped, &unasked), other);
    let stranger = Identity::exact(ISSUER, "https://github.com/org/other").unwrap();
    let denied = (ErrorKind::PolicyDenied, Reason::IdentityMismatch);
    assert_eq!(why(&certified, &slsa(policy(stranger))), denied);
}

fn fixtures(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testkit/fixtures").join(name)
}

#[test]
fn an_attestation_of_a_workflow_counts_for_what_it_says() {
    let chart = Chart::with(&["bundles/attestation.json", "bundles/good.json"], &[]);
    let slsa = AttestationPolicy::new(PredicateType::SLSA_PROVENANCE_V1, policy(workflow()));
    let verified = chart.verify_attestation(&slsa).unwrap();
    let [statement] = &verified.get()[..] else { panic!("{verified:?}") };
    assert!(statement.predicate.contains("https://github.com/org/builder@refs/tags/v1"), "{statement:?}");
    let field = |text: &str| {
        let pattern: Pattern = text.parse().unwrap();
        slsa.clone().with_field("/runDetails/builder/id", pattern).unwrap()
    };
    chart.verify_attestation(&field("https://github.com/org/builder@refs/tags/**")).unwrap();
    let error = chart.verify_attestation(&field("https://github.com/org/builder@refs/heads/**")).unwrap_err();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::PolicyDenied, Some(Reason::FieldMismatch)));
    let sbom = AttestationPolicy::new(PredicateType::CYCLONEDX, policy(workflow()));
    let error = chart.verify_attestation(&sbom).unwrap_err();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::NotSigned, Some(Reason::OtherPredicate)));
}
