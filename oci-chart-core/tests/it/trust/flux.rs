//! What Flux is told to verify, held against what its source-controller did with the same.

use oci_chart_core::{
    ErrorKind, Result,
    trust::{
        Identity, KeyPolicy, KeylessPolicy, Policy, Signer as _, SigningKey, Tlog, TrustRoot, TrustedKey,
    },
};
use serde_json::{Value, json};

use crate::support::corpus::corpus;

fn import(verify: &Value, secrets: &[Value]) -> Result<Policy> {
    let object = json!({"kind": "OCIRepository", "spec": {"verify": verify}}).to_string();
    let secrets: Vec<String> = secrets.iter().map(Value::to_string).collect();
    let secrets: Vec<&[u8]> = secrets.iter().map(String::as_bytes).collect();
    Policy::from_flux(object.as_bytes(), &secrets)
}

fn secret(data: &Value) -> Value {
    json!({"kind": "Secret", "metadata": {"name": "s"}, "type": "Opaque", "stringData": data})
}

#[test]
fn what_the_source_controller_takes_is_taken() {
    let Some(corpus) = corpus("what_the_source_controller_takes_is_taken") else { return };
    let rows = fs_err::read_to_string(corpus.join("flux/verify.jsonl")).unwrap();
    let (mut taken, mut refused) = (0, 0);
    for row in rows.lines() {
        let row: Value = serde_json::from_str(row).unwrap();
        let (note, error) = (row["note"].as_str().unwrap(), row["error"].as_str().unwrap_or_default());
        let secrets: Vec<Value> = row.get("data").map(secret).into_iter().collect();
        let kind = match import(&row["verify"], &secrets) {
            Ok(_) => {
                taken += 1;
                None
            }
            Err(error) => {
                refused += 1;
                Some(error.kind())
            }
        };
        let wanted = match note {
            _ if note.starts_with("notation") => Some(ErrorKind::Unsupported),
            // The API server fills in what this row lacks.
            "no provider" => None,
            // No key can have signed.
            "cosign, secret without *.pub" => Some(ErrorKind::InvalidInput),
            // The block is good: the artifact is what has no signature.
            _ if error.starts_with("no matching signatures were found") => None,
            _ => Some(ErrorKind::InvalidInput),
        };
        assert_eq!(kind, wanted, "{note}: {error}");
    }
    assert_eq!((taken, refused), (3, 18));

    // Documents that the API server refuses, and those that are good but for the Secret that is not given.
    let rows = fs_err::read_to_string(corpus.join("flux/documents.jsonl")).unwrap();
    let mut seen = 0;
    for row in rows.lines().filter(|row| row.contains("verify provider") && row.contains("OCIRepository")) {
        let row: Value = serde_json::from_str(row).unwrap();
        let (text, note) = (row["text"].as_str().unwrap(), &row["note"]);
        let refused = Policy::from_flux(text.as_bytes(), &[]).unwrap_err();
        let wanted = if text.contains("notation") { ErrorKind::Unsupported } else { ErrorKind::InvalidInput };
        assert_eq!(refused.kind(), wanted, "{note}: {refused}");
        seen += 1;
    }
    assert!(seen > 5, "{seen}");
}

#[test]
fn keys_and_identities_come_out_as_they_stand_there() {
    let keys = [(); 2].map(|()| SigningKey::generate().unwrap().public_key().clone());
    let [one, two] = [&keys[0], &keys[1]].map(|key| key.to_pem());
    let data = secret(&json!({"a.pub": one, "b.pub": two, "cosign.key": "not looked at"}));
    let by_key = json!({"provider": "cosign", "secretRef": {"name": "s"}});
    let named = [("a.pub", &keys[0]), ("b.pub", &keys[1])]
        .map(|(name, key)| TrustedKey::new(key.clone()).with_name(name));
    let wanted = Policy::Keys(KeyPolicy::new(named, Tlog::IgnoreExplicitly));
    assert_eq!(import(&by_key, std::slice::from_ref(&data)).unwrap(), wanted);
    // A HelmRelease has it one level deeper; keys go before identities, as in Flux.
    let both = json!({"secretRef": {"name": "s"}, "matchOIDCIdentity": []});
    let release = json!({"kind": "HelmRelease", "spec": {"chart": {"spec": {"verify": both}}}}).to_string();
    let policy = Policy::from_flux(release.as_bytes(), &[data.to_string().as_bytes()]);
    assert_eq!(policy.unwrap(), wanted);

    let (issuer, subject) = ("https://token.actions.githubusercontent.com", "https://github.com/o/r/**");
    let matcher = json!({"issuer": format!("^{issuer}$"), "subject": "^https://github\\.com/o/r/.*$"});
    let by_identity = json!({"provider": "cosign", "matchOIDCIdentity": [matcher]});
    let identity = Identity::matching(issuer, subject.parse().unwrap()).unwrap();
    let wanted = |root| Policy::Keyless(KeylessPolicy::new([identity.clone()], root));
    assert_eq!(import(&by_identity, &[]).unwrap(), wanted(TrustRoot::embedded()));
    let root = r#"{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1","tlogs":[{"publicKey":{"validFor":{"start":"2026-01-02T03:04:05Z"}}}]}"#;
    let mut rooted = by_identity;
    rooted["trustedRootSecretRef"] = json!({"name": "s"});
    let policy = import(&rooted, &[secret(&json!({"trusted_root.json": root}))]).unwrap();
    assert_eq!(policy, wanted(TrustRoot::from_json(root).unwrap()));
}

#[test]
fn what_is_no_demand_or_too_little_of_one_is_refused() {
    let matcher =
        |issuer: &str, subject: &str| json!({"matchOIDCIdentity": [{"issuer": issuer, "subject": subject}]});
    for (verify, field) in [
        (json!(null), "verify"),
        (json!([]), "verify"),
        (json!(["cosign"]), "verify"),
        (json!({}), "verify.matchOIDCIdentity"),
        (json!({"provider": "Cosign"}), "verify.provider"),
        (json!({"provider": ["cosign"]}), "verify.provider"),
        (json!({"matchOIDCIdentity": []}), "verify.matchOIDCIdentity"),
        (json!({"matchOIDCIdentity": {}}), "verify.matchOIDCIdentity"),
        (json!({"matchOIDCIdentity": [{"issuer": "^https://i$"}]}), "verify.matchOIDCIdentity"),
        (matcher("https://i", "^https://h/r$"), "verify.matchOIDCIdentity"),
        (matcher("^https://i/.*$", "^https://h/r$"), "verify.matchOIDCIdentity"),
        (matcher("^https://i$", "^https://h/r.*$"), "verify.matchOIDCIdentity"),
        (json!({"secretRef": "s"}), "verify.secretRef"),
        (json!({"secretRef": {"name": "other"}}), "verify.secretRef"),
        (json!({"trustedRootSecretRef": {"name": "s"}}), "verify.trustedRootSecretRef"),
        (json!({"provider": "cosign", "secretref": {"name": "s"}}), "verify.secretref"),
    ] {
        let error = import(&verify, &[secret(&json!({"key": "x"}))]).unwrap_err();
        assert_eq!(
            (error.kind(), error.get("field")),
            (ErrorKind::InvalidInput, Some(field)),
            "{verify}: {error}"
        );
    }
    for object in ["", "[]", "spec: 1", "{", "spec: {verify: {}, verify: {}}"] {
        let error = Policy::from_flux(object.as_bytes(), &[]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{object}: {error}");
    }
    let large = format!("spec: {}", "x".repeat(3 << 20));
    let error = Policy::from_flux(large.as_bytes(), &[]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{error}");
}
