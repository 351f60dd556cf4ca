//! Pull secrets, held against what Flux's own code makes of them under docker's rule and under the kubelet's.

use std::collections::BTreeMap;

use oci_chart_core::{
    ErrorKind, Reason,
    auth::{Audience, CredentialKind, CredentialSource as _, PullSecretLogins},
    kube::{KeyRule, PullSecret, PullSecretError},
    name::{Host, RepositoryAddress, RepositoryName},
};
use serde_json::Value;

use crate::{remote::block, support::corpus::corpus};

/// User, password, identity token, registry token.
type Parts = [String; 4];

#[derive(Debug, PartialEq, Eq)]
enum Found {
    Login(Parts),
    Nothing,
    Error,
}

fn expected(row: &Value) -> Found {
    if row.get("error").is_some() {
        return Found::Error;
    }
    match row.get("credentials") {
        Some(Value::Object(login)) => {
            let part = |name: &str| login.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            Found::Login(["username", "password", "identitytoken", "registrytoken"].map(part))
        }
        _ => Found::Nothing,
    }
}

fn found(row: &Value, rule: KeyRule) -> Found {
    let data: BTreeMap<String, String> = serde_json::from_value(row["data"].clone()).unwrap();
    let bytes = data.iter().map(|(key, value)| (key.as_str(), value.as_bytes()));
    let Ok(secret) = PullSecret::from_data(row["type"].as_str().unwrap_or_default(), bytes) else {
        return Found::Error;
    };
    let address = address(row).unwrap();
    let audience = Audience::new(address.host()).with_repository(address.repository());
    match block(PullSecretLogins::new(secret, rule).credentials(&audience)) {
        Err(_) => Found::Error,
        Ok(None) => Found::Nothing,
        Ok(Some(credentials)) => {
            let name = credentials.username().unwrap_or_default().to_owned();
            let none = String::new;
            Found::Login(match credentials.kind() {
                CredentialKind::Basic { password, .. } => {
                    [name, password.expose().to_owned(), none(), none()]
                }
                CredentialKind::Identity { token, .. } => [name, none(), token.expose().to_owned(), none()],
                CredentialKind::Bearer(token) => [none(), none(), none(), token.expose().to_owned()],
                kind => panic!("{kind:?}"),
            })
        }
    }
}

/// None where the URL is none for a registry.
fn address(row: &Value) -> Option<RepositoryAddress> {
    RepositoryAddress::parse(row["url"].as_str().unwrap()).ok()
}

/// Where Flux's HelmRepository does otherwise, and why we do not.
const DOCKER: &[(&str, &str)] = &[
    ("Docker Hub, key", "we know docker.io's key; Flux never finds one"),
    ("Docker Hub by real host", "the key is the one that docker writes"),
    ("key 'GHCR.IO'", "hosts have no case"),
    ("two keys, longest path", "the nearer login is the better one"),
    ("identitytoken", "we use identity tokens"),
    ("registrytoken", "we use registry tokens"),
    ("auth of empty parts", "nothing is nothing"),
    ("username alone", "a name without a secret is nothing"),
    ("trailing text", "not JSON"),
    ("credsStore and auths", "a pull secret runs no programs, and the login is there"),
];

/// Where Flux's OCIRepository does otherwise, and why we do not.
const KUBELET: &[(&str, &str)] = &[
    ("username alone", "a name without a secret is nothing"),
    ("scheme and plain key", "either, by the order of a Go map"),
    ("username only", "a secret of half a login is an error under both rules"),
    ("password only", "the same"),
    ("empty password", "the same"),
    ("empty username", "the same"),
];

#[test]
fn both_rules_answer_as_fluxs_own_code_does() {
    const TEST: &str = "both_rules_answer_as_fluxs_own_code_does";
    let Some(corpus) = corpus(TEST) else { return };
    let text = fs_err::read_to_string(corpus.join("flux/secrets.jsonl")).unwrap();
    let (mut wrong, mut compared, mut unused) = (Vec::new(), 0, Vec::new());
    for (rule, column, other) in
        [(KeyRule::Docker, "helmrepository", DOCKER), (KeyRule::Kubelet, "ocirepository", KUBELET)]
    {
        let mut used = vec![false; other.len()];
        for line in text.lines() {
            let row: Value = serde_json::from_str(line).unwrap();
            let note = row["note"].as_str().unwrap();
            let Some(answer) = row.get(column).filter(|_| address(&row).is_some()) else { continue };
            let (ours, theirs) = (found(&row, rule), expected(answer));
            compared += 1;
            // Flux makes an error of a host without a login.
            let error = answer["error"].as_str().unwrap_or_default();
            let same = ours == theirs
                || ours == Found::Nothing && error.contains("no auth config for")
                || ours == Found::Nothing && error.contains("executable file not found");
            if same {
                continue;
            }
            match other.iter().position(|(prefix, _)| note.starts_with(prefix)) {
                Some(at) => used[at] = true,
                None => wrong.push(format!("{column}, {note}: ours {ours:?}, theirs {answer}")),
            }
        }
        unused.extend(other.iter().zip(used).filter(|(_, used)| !used).map(|((note, _), _)| (column, *note)));
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(unused, [], "these differences are none any more");
    assert!(compared > 210, "{compared}");
}

#[test]
fn a_secret_is_read_as_a_manifest_in_yaml_and_json() {
    let host = Host::parse("ghcr.io").unwrap();
    for text in [
        "kind: Secret\ntype: kubernetes.io/dockerconfigjson\ndata:\n  .dockerconfigjson: eyJhdXRocyI6eyJnaGNyLmlvIjp7ImF1dGgiOiJkVHB3In19fQ==\n",
        "type: kubernetes.io/dockerconfigjson\nstringData:\n  .dockerconfigjson: '{\"auths\":{\"ghcr.io\":{\"auth\":\"dTpw\"}}}'\n",
        r#"{"kind":"Secret","type":"kubernetes.io/dockercfg","data":{".dockercfg":"eyJnaGNyLmlvIjp7ImF1dGgiOiJkVHB3In19"}}"#,
    ] {
        let secret = PullSecret::from_manifest(text.as_bytes()).unwrap();
        assert_eq!(secret.username(&host, None, KeyRule::Kubelet), Ok(Some("u".into())), "{text}");
        assert!(!format!("{secret:?}").contains("dTpw"));
    }
    let opaque = PullSecret::from_manifest(b"stringData: {username: u, password: p}\n").unwrap();
    assert_eq!(opaque.username(&host, None, KeyRule::Docker), Ok(Some("u".into())));
    assert_eq!(opaque.username(&host, None, KeyRule::Kubelet), Ok(None));
}

#[test]
fn what_is_no_pull_secret_is_named() {
    for (text, message) in [
        ("kind: ConfigMap\n", "the document is no Secret"),
        ("data: {username: '!'}\n", "\"username\" of the secret is not base64"),
        ("stringData: {username: u}\n", "\"password\" of the pull secret is missing or empty"),
        (
            "type: kubernetes.io/dockerconfigjson\nstringData: {.dockerconfigjson: '['}\n",
            "no docker configuration",
        ),
    ] {
        let error = PullSecret::from_manifest(text.as_bytes()).unwrap_err();
        assert_eq!(
            (error.kind(), error.reason()),
            (ErrorKind::InvalidInput, Some(Reason::BadLoginFile)),
            "{text}"
        );
        assert!(error.message().contains(message), "{error:?}");
    }
    assert_eq!(PullSecret::from_manifest(b"- a\n").unwrap_err().kind(), ErrorKind::InvalidInput);
    let not_text = PullSecret::from_data("Opaque", [("username", &b"\xff"[..]), ("password", b"p")]);
    assert_eq!(not_text, Err(PullSecretError::NotText("username")));
}

#[test]
fn an_emitted_secret_reads_back_under_both_rules() {
    let logins =
        [("ghcr.io", "robot$p+n", "s:e\"c\n"), ("h.example:5000", "u", "p"), ("docker.io", "hub", "p")];
    let mut secret = PullSecret::new();
    for (host, username, password) in logins {
        secret = secret.with_login(&Host::parse(host).unwrap(), username, password);
    }
    let manifest = secret.to_manifest("pull", Some("apps"));
    assert!(
        manifest.starts_with(
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: \"pull\"\n  namespace: \"apps\"\n"
        )
    );
    assert!(secret.to_docker_config().contains(r#""https://index.docker.io/v1/""#));
    let back = PullSecret::from_manifest(manifest.as_bytes()).unwrap();
    assert_eq!(back, secret);
    let repository = RepositoryName::parse("org/web").unwrap();
    for (host, username, password) in logins {
        for rule in [KeyRule::Docker, KeyRule::Kubelet, KeyRule::Podman] {
            let host = Host::parse(host).unwrap();
            let source = PullSecretLogins::new(back.clone(), rule).with_origin("apps/pull");
            let audience = Audience::new(&host).with_repository(&repository);
            let found = block(source.credentials(&audience)).unwrap().unwrap();
            let CredentialKind::Basic { username: own, password: secret } = found.kind() else {
                panic!("{found:?}")
            };
            assert_eq!((own.as_str(), secret.expose()), (username, password), "{host} {rule:?}");
            assert!(found.origin().unwrap().starts_with("apps/pull, key "));
        }
    }
}

#[test]
fn what_kubectl_writes_is_what_we_write() {
    // kubectl create secret docker-registry x --docker-server=ghcr.io --docker-username=u --docker-password=p
    let secret = PullSecret::new().with_login(&Host::parse("ghcr.io").unwrap(), "u", "p");
    assert_eq!(
        secret.to_docker_config().as_str(),
        r#"{"auths":{"ghcr.io":{"username":"u","password":"p","auth":"dTpw"}}}"#
    );
}

#[test]
fn what_is_no_secret_is_refused_whatever_it_is() {
    for text in [
        "",
        "word",
        "7",
        "[]",
        "- kind: Secret",
        "[Secret, Opaque, {username: dQ==}, {password: p}]",
        "{kind: Secret, data: word}",
        "{kind: Secret, data: [dQ==]}",
        "{kind: Secret, data: {username: [dQ==]}}",
        "{kind: Secret, stringData: word}",
        "{kind: [Secret]}",
        "{kind: Secret, type: [Opaque]}",
    ] {
        let error = PullSecret::from_manifest(text.as_bytes()).map(|found| format!("{found:?}")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{text}");
    }
}
