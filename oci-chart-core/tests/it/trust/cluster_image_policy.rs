//! What a `ClusterImagePolicy` demands, held against what Sigstore's policy-controller makes of the same.

use std::sync::Arc;

use oci_chart_core::{
    ErrorKind, Result,
    store::{Layout, Store},
    trust::{
        Format, Identity, KeyPolicy, KeylessPolicy, Policy, Signer as _, SigningKey, Tlog, TrustRoot,
        TrustedKey,
    },
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::support::{check, fixtures};
use crate::support::say;

/// One policy, and what policy-controller did with it: refused it, or took the signatures of these layouts.
#[derive(Deserialize)]
struct Row {
    note: String,
    policy: Value,
    refused: Option<String>,
    takes: Vec<String>,
}

const LAYOUTS: [&str; 9] = [
    "sig-cosign3",
    "bundle-cosign3",
    "sig-cosign2",
    "att-legacy",
    "both-other-key",
    "rsa2048",
    "p384",
    "p521",
    "ed25519",
];

/// What no policy can ask, or what would be a policy for anybody.
const NOT_IMPORTED: [&str; 13] = [
    "KMS",
    "a Secret",
    "static pass",
    "static pass or a key",
    "static fail",
    "a prefix of tags",
    "an attestation",
    "an attestation of another type",
    "CUE that holds",
    "an open expression",
    "a certificate of one's own",
    "a form that is none",
    "sha512 of a P-256 key",
];
/// To what the policy applies is for the caller to say.
const IMPORTED: [&str; 1] = ["no images"];
/// Signatures are demanded here, whatever happens to those who have none there.
const STRICTER: [&str; 1] = ["mode warn"];
/// Keys may sign bundles, which the controller does not check, and sign with the hashes that cosign signs with.
const WIDER: [(&str, &str); 4] = [
    ("bundle form", "bundle-cosign3"),
    ("bundle form", "both-other-key"),
    ("P-384 as it is", "p384"),
    ("Ed25519", "ed25519"),
];

fn import(policy: &Value, secrets: &[Value]) -> Result<Policy> {
    let secrets: Vec<String> = secrets.iter().map(Value::to_string).collect();
    let secrets: Vec<&[u8]> = secrets.iter().map(String::as_bytes).collect();
    Policy::from_cluster_image_policy(policy.to_string().as_bytes(), &secrets)
}

fn of(authority: &Value) -> Value {
    json!({"kind": "ClusterImagePolicy", "spec": {"images": [{"glob": "**"}], "authorities": [authority]}})
}

fn secret(data: &Value) -> Value {
    json!({"kind": "Secret", "metadata": {"name": "s"}, "stringData": data})
}

#[test]
fn what_policy_controller_takes_is_taken() {
    const TEST: &str = "what_policy_controller_takes_is_taken";
    let Some(fixtures) = fixtures(TEST) else { return };
    let rows = concat!(env!("CARGO_MANIFEST_DIR"), "/testkit/fixtures/policy-controller/rows.jsonl");
    let (mut imported, mut judged) = (0, 0);
    for row in fs_err::read_to_string(rows).unwrap().lines() {
        let row: Row = serde_json::from_str(row).unwrap();
        let note = row.note.as_str();
        let policy = import(&row.policy, &[]);
        let wanted = IMPORTED.contains(&note) || row.refused.is_none() && !NOT_IMPORTED.contains(&note);
        assert_eq!(policy.is_ok(), wanted, "{note}: {policy:?}, {:?}", row.refused);
        let Ok(policy) = policy else { continue };
        imported += 1;
        for layout in LAYOUTS {
            let store: Arc<dyn Store> = Arc::new(Layout::new(fixtures.join("layouts").join(layout)));
            let ours = check(&store, "1.2.3", &policy).is_ok();
            let theirs = row.takes.iter().any(|taken| taken == layout);
            let theirs = if STRICTER.contains(&note) || IMPORTED.contains(&note) {
                layout == "sig-cosign3"
            } else {
                theirs
            };
            assert_eq!(ours, theirs || WIDER.contains(&(note, layout)), "{note}: {layout}");
            judged += 1;
        }
    }
    assert!(imported > 15 && judged > 100, "{imported} {judged}");
    say(&format!("{TEST}: {imported} policies, {judged} pairs of policy and layout"));
}

#[test]
fn keys_and_identities_come_out_as_they_stand_there() {
    let key = SigningKey::generate().unwrap().public_key().clone();
    let pem = key.to_pem();
    let named = TrustedKey::new(key.clone()).with_name("release");
    let with =
        |tlog| Policy::Keys(KeyPolicy::new([named.clone()], tlog).with_formats([Format::SignatureTag]));
    let authority =
        json!({"name": "release", "key": {"secretRef": {"name": "s", "namespace": "cosign-system"}}});
    let policy = import(&of(&authority), &[secret(&json!({"cosign.pub": pem}))]);
    assert_eq!(policy.unwrap(), with(Tlog::IgnoreExplicitly));
    for log in [json!({"url": "https://rekor.sigstore.dev"}), json!({"url": "https://rekor.sigstore.dev/"})] {
        let authority = json!({"name": "release", "key": {"data": pem}, "ctlog": log});
        assert_eq!(import(&of(&authority), &[]).unwrap(), with(Tlog::Require(TrustRoot::embedded())));
    }
    let text = r#"{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1","tlogs":[{"publicKey":{"validFor":{"start":"2026-01-02T03:04:05Z"}}}]}"#;
    let (root, held) = (TrustRoot::from_json(text).unwrap(), secret(&json!({"trusted_root.json": text})));
    let log = json!({"url": "https://rekor.example", "trustRootRef": "s"});
    let authority = json!({"name": "release", "key": {"data": pem}, "ctlog": log});
    assert_eq!(
        import(&of(&authority), std::slice::from_ref(&held)).unwrap(),
        with(Tlog::Require(root.clone()))
    );

    let issuer = "https://token.actions.githubusercontent.com";
    let one = json!({"issuer": issuer, "subject": "https://github.com/o/r/a.yml@refs/heads/main"});
    let many = json!({"issuerRegExp": format!("^{issuer}$"), "subjectRegExp": "^https://github\\.com/o/[^/]+/a\\.yml@.*$"});
    let identities = [
        Identity::exact(issuer, "https://github.com/o/r/a.yml@refs/heads/main").unwrap(),
        Identity::matching(issuer, "https://github.com/o/*/a.yml@**".parse().unwrap()).unwrap(),
    ];
    let keyless =
        |root, format| Policy::Keyless(KeylessPolicy::new(identities.clone(), root).with_formats([format]));
    let mut authority = json!({"keyless": {"identities": [one, many]}, "signatureFormat": "bundle"});
    assert_eq!(import(&of(&authority), &[]).unwrap(), keyless(TrustRoot::embedded(), Format::Bundle));
    authority["signatureFormat"] = json!("legacy");
    authority["ctlog"] = json!({"url": "https://rekor.sigstore.dev"});
    assert_eq!(import(&of(&authority), &[]).unwrap(), keyless(TrustRoot::embedded(), Format::SignatureTag));
    authority["keyless"]["trustRootRef"] = json!("s");
    authority["keyless"]["url"] = json!("https://fulcio.example");
    authority["ctlog"]["trustRootRef"] = json!("s");
    assert_eq!(import(&of(&authority), &[held]).unwrap(), keyless(root, Format::SignatureTag));

    // Any of several; one that never is enough is left out.
    let other = json!({"key": {"data": SigningKey::generate().unwrap().public_key().to_pem()}});
    let mut several = of(&json!({"static": {"action": "fail"}}));
    let list = several["spec"]["authorities"].as_array_mut().unwrap();
    list.extend([json!({"name": "release", "key": {"data": pem}}), other]);
    let Policy::Any(parts) = import(&several, &[]).unwrap() else { panic!() };
    assert_eq!((parts.len(), &parts[0]), (2, &with(Tlog::IgnoreExplicitly)));
}

#[test]
fn what_cannot_be_asked_is_refused_by_its_name() {
    use ErrorKind::{InvalidInput, Unsupported};
    let pem = SigningKey::generate().unwrap().public_key().to_pem();
    let key = |more: Value| {
        let mut authority = json!({"key": {"data": pem}});
        authority.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        authority
    };
    let keyless = |more: Value| {
        let mut keyless = json!({"identities": [{"issuer": "https://i", "subject": "s"}]});
        keyless.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"keyless": keyless})
    };
    let identity = |identity: Value| keyless(json!({"identities": [identity]}));
    for (authority, kind, field) in [
        (json!([]), InvalidInput, ""),
        (json!({}), InvalidInput, ""),
        (json!({"key": []}), InvalidInput, ".key"),
        (json!({"key": {}}), InvalidInput, ".key"),
        (json!({"key": {"data": "x"}}), InvalidInput, ".key.data"),
        (json!({"key": {"data": 5}}), InvalidInput, ".key.data"),
        (json!({"key": {"secretRef": "s"}}), InvalidInput, ".key.secretRef"),
        (json!({"key": {"secretRef": {"name": "other"}}}), InvalidInput, ".key.secretRef"),
        // Two values: nobody says which is meant.
        (json!({"key": {"secretRef": {"name": "s"}}}), InvalidInput, ".key.secretRef"),
        (json!({"key": {"kms": "awskms:///x"}}), Unsupported, ".key.kms"),
        (json!({"key": {"data": pem, "hashAlgorithm": "sha512"}}), Unsupported, ".key.hashAlgorithm"),
        (json!({"key": {"data": pem, "hashAlgorithm": 512}}), InvalidInput, ".key.hashAlgorithm"),
        (json!({"key": {"data": pem, "Data": pem}}), InvalidInput, ".key.Data"),
        (key(json!({"keyless": {}})), InvalidInput, ""),
        (key(json!({"keyles": {}})), InvalidInput, ".keyles"),
        (key(json!({"signatureFormat": "v4"})), InvalidInput, ".signatureFormat"),
        (key(json!({"signatureFormat": ["bundle"]})), InvalidInput, ".signatureFormat"),
        (key(json!({"attestations": [{"name": "a"}]})), Unsupported, ".attestations"),
        (key(json!({"attestations": {"name": "a"}})), Unsupported, ".attestations"),
        (key(json!({"rfc3161timestamp": {}})), Unsupported, ".rfc3161timestamp"),
        (key(json!({"ctlog": "https://rekor.sigstore.dev"})), InvalidInput, ".ctlog"),
        (key(json!({"ctlog": {"url": "https://rekor.example"}})), InvalidInput, ".ctlog.url"),
        (key(json!({"ctlog": {"url": ["https://rekor.example"]}})), InvalidInput, ".ctlog.url"),
        (key(json!({"ctlog": {"trustRootRef": "other"}})), InvalidInput, ".ctlog.trustRootRef"),
        (key(json!({"ctlog": {"trustRootRef": "s"}})), InvalidInput, ".ctlog.trustRootRef"),
        (key(json!({"ctlog": {"key": pem}})), InvalidInput, ".ctlog.key"),
        (key(json!({"source": {}})), InvalidInput, ".source"),
        (key(json!({"source": ["h/r"]})), InvalidInput, ".source"),
        (key(json!({"source": [{}, {}]})), InvalidInput, ".source"),
        (key(json!({"source": [{"tagPrefix": "x"}]})), Unsupported, ".source[0].tagPrefix"),
        (key(json!({"source": [{"tagPrefix": ["x"]}]})), InvalidInput, ".source[0].tagPrefix"),
        (key(json!({"source": [{"prefix": "x"}]})), InvalidInput, ".source[0].prefix"),
        (json!({"static": {"action": "pass"}}), InvalidInput, ".static"),
        (json!({"static": {"action": "skip"}}), InvalidInput, ".static.action"),
        (keyless(json!({"identities": []})), InvalidInput, ".keyless.identities"),
        (keyless(json!({"identities": null})), InvalidInput, ".keyless.identities"),
        (keyless(json!({"identities": {}})), InvalidInput, ".keyless.identities"),
        (keyless(json!({"ca-cert": {"data": "x"}})), Unsupported, ".keyless.ca-cert"),
        (keyless(json!({"insecureIgnoreSCT": true})), Unsupported, ".keyless.insecureIgnoreSCT"),
        (keyless(json!({"url": "https://fulcio.example"})), InvalidInput, ".keyless.url"),
        (keyless(json!({"trustRootRef": "other"})), InvalidInput, ".keyless.trustRootRef"),
        (keyless(json!({"issuer": "https://i"})), InvalidInput, ".keyless.issuer"),
        (identity(json!("s")), InvalidInput, ".keyless.identities[0]"),
        (identity(json!({"issuer": "https://i"})), InvalidInput, ".keyless.identities[0]"),
        (
            identity(json!({"issuer": "https://i", "subject": "s", "subjectRegExp": "^s$"})),
            InvalidInput,
            ".keyless.identities[0]",
        ),
        (
            identity(json!({"issuer": "https://i", "subject": 1})),
            InvalidInput,
            ".keyless.identities[0].subject",
        ),
        (
            identity(json!({"issuer": "https://i", "subjectRegExp": "s"})),
            InvalidInput,
            ".keyless.identities[0]",
        ),
        (
            identity(json!({"issuerRegExp": "^https://i/.*$", "subject": "s"})),
            InvalidInput,
            ".keyless.identities[0]",
        ),
        (
            identity(json!({"issuer": "https://i", "subject": "s", "name": "n"})),
            InvalidInput,
            ".keyless.identities[0].name",
        ),
    ] {
        let error = import(&of(&authority), &[secret(&json!({"a": "x", "b": "y"}))]).unwrap_err();
        let wanted = format!("spec.authorities[0]{field}");
        assert_eq!((error.kind(), error.get("field")), (kind, Some(&*wanted)), "{authority}: {error}");
    }
    let apart = keyless(json!({}));
    let mut apart = of(&apart);
    apart["spec"]["authorities"][0]["ctlog"] = json!({"trustRootRef": "s"});
    let error = import(&apart, &[]).unwrap_err();
    assert_eq!(error.get("field"), Some("spec.authorities[0].ctlog.trustRootRef"), "{error}");

    let whole = |spec: Value| json!({"kind": "ClusterImagePolicy", "spec": spec});
    let good = json!([{"key": {"data": pem}}]);
    for (object, kind, field) in [
        (json!({"spec": {"authorities": good}}), InvalidInput, "kind"),
        (json!({"kind": "Secret", "spec": {"authorities": good}}), InvalidInput, "kind"),
        (whole(json!([])), InvalidInput, "spec"),
        (whole(json!({})), InvalidInput, "spec.authorities"),
        (whole(json!({"authorities": {}})), InvalidInput, "spec.authorities"),
        (whole(json!({"authorities": [{"static": {"action": "fail"}}]})), InvalidInput, "spec.authorities"),
        (whole(json!({"authorities": good, "mode": "audit"})), InvalidInput, "spec.mode"),
        (whole(json!({"authorities": good, "modes": "warn"})), InvalidInput, "spec.modes"),
        (
            whole(json!({"authorities": good, "policy": {"type": "cue", "data": "x"}})),
            Unsupported,
            "spec.policy",
        ),
    ] {
        let error = import(&object, &[]).unwrap_err();
        assert_eq!((error.kind(), error.get("field")), (kind, Some(field)), "{object}: {error}");
    }
    let large = format!("kind: {}", "x".repeat(3 << 20));
    let error = Policy::from_cluster_image_policy(large.as_bytes(), &[]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{error}");
}
