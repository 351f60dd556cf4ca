//! The stand-in for Harbor held against what a real one answered.

use std::collections::BTreeMap;

use oci_chart_core::oci::MediaType;
use oci_chart_testkit::{
    Profile, Registry,
    raw::{self, Answer, ask},
};
use serde_json::Value;

use crate::support::{corpus, say};

const USER: &str = "robot$charts+ci";
const PASSWORD: &str = "hunter2";
const PROJECT: &str = "akko-charts/demo";

/// Who asks.
#[derive(Clone, Copy)]
enum Who {
    Nobody,
    /// With a token that was given to the user for these actions.
    Token(&'static str, &'static str),
    /// With a token that was given to nobody.
    AnonymousToken,
    User,
    WrongPassword,
}
use Who::{AnonymousToken, Nobody, Token, User, WrongPassword};

/// How the registry is set up.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Setup {
    Plain,
    Immutable,
    Unsigned,
    ReadOnly,
    SmallQuota,
}

const CI: Who = Token(PROJECT, "pull,push");
const NOPE: Who = Token("nope/x", "pull,push");
const DIGEST: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

/// Rows of the recording that need no state of their own: name, set-up, who, method and path. `BLOB` and `MANIFEST` stand for
/// digests of what is there.
const ROWS: &[(&str, Setup, Who, &str, &str)] = &[
    ("v2-anon", Setup::Plain, Nobody, "GET", "/v2/"),
    ("v2-admin", Setup::Plain, User, "GET", "/v2/"),
    ("v2-bad", Setup::Plain, WrongPassword, "GET", "/v2/"),
    ("token-anon-noscope", Setup::Plain, Nobody, "GET", "/service/token?service=harbor-registry"),
    ("token-admin-noscope", Setup::Plain, User, "GET", "/service/token?service=harbor-registry"),
    ("token-anon-scope", Setup::Plain, Nobody, "GET", "/service/token?scope=repository:library/x:pull,push"),
    (
        "token-badpw-scope",
        Setup::Plain,
        WrongPassword,
        "GET",
        "/service/token?scope=repository:library/x:pull,push",
    ),
    ("token-admin-scope", Setup::Plain, User, "GET", "/service/token?scope=repository:library/x:pull,push"),
    (
        "token-admin-missing-project",
        Setup::Plain,
        User,
        "GET",
        "/service/token?scope=repository:nope/x:pull,push",
    ),
    ("token-post", Setup::Plain, Nobody, "POST", "/service/token"),
    ("helm4-login-bad#1", Setup::Plain, WrongPassword, "GET", "/service/token?service=harbor-registry"),
    ("head-bearer", Setup::Plain, CI, "HEAD", "/v2/akko-charts/demo/manifests/0.1.0"),
    ("head-anon", Setup::Plain, Nobody, "HEAD", "/v2/akko-charts/demo/manifests/0.1.0"),
    ("get-anon", Setup::Plain, Nobody, "GET", "/v2/akko-charts/demo/manifests/0.1.0"),
    ("head-anontoken", Setup::Plain, AnonymousToken, "HEAD", "/v2/akko-charts/demo/manifests/0.1.0"),
    ("get-anontoken", Setup::Plain, AnonymousToken, "GET", "/v2/akko-charts/demo/manifests/0.1.0"),
    ("head-tag-missing", Setup::Plain, CI, "HEAD", "/v2/akko-charts/demo/manifests/9.9.9"),
    ("get-tag-missing", Setup::Plain, CI, "GET", "/v2/akko-charts/demo/manifests/9.9.9"),
    (
        "get-repo-missing",
        Setup::Plain,
        Token("akko-charts/none", "pull"),
        "GET",
        "/v2/akko-charts/none/manifests/1",
    ),
    (
        "tags-repo-missing",
        Setup::Plain,
        Token("akko-charts/none", "pull"),
        "GET",
        "/v2/akko-charts/none/tags/list",
    ),
    ("head-project-missing", Setup::Plain, NOPE, "HEAD", "/v2/nope/x/manifests/1"),
    ("get-project-missing", Setup::Plain, NOPE, "GET", "/v2/nope/x/manifests/1"),
    ("post-upload-project-missing", Setup::Plain, NOPE, "POST", "/v2/nope/x/blobs/uploads/"),
    ("helm4-push-missing-project#1", Setup::Plain, Nobody, "HEAD", "/v2/nope/demo/manifests/MANIFEST"),
    ("get-if-none-match", Setup::Plain, CI, "GET", "/v2/akko-charts/demo/manifests/0.1.0"),
    ("get-no-accept", Setup::Plain, CI, "GET", "/v2/akko-charts/demo/manifests/0.1.0"),
    ("blob-get-missing", Setup::Plain, CI, "GET", "/v2/akko-charts/demo/blobs/MISSING"),
    ("blob-range", Setup::Plain, CI, "GET", "/v2/akko-charts/demo/blobs/BLOB"),
    ("tags-n1", Setup::Plain, CI, "GET", "/v2/akko-charts/demo/tags/list?n=1"),
    ("referrers-empty", Setup::Plain, CI, "GET", "/v2/akko-charts/demo/referrers/MANIFEST"),
    (
        "referrers-filter-none",
        Setup::Plain,
        CI,
        "GET",
        "/v2/akko-charts/demo/referrers/MANIFEST?artifactType=x/y",
    ),
    ("public-tags-noauth", Setup::Plain, Nobody, "GET", "/v2/pub/demo/tags/list"),
    (
        "post-upload-noperm-token",
        Setup::Plain,
        Token("pub/demo", "pull"),
        "POST",
        "/v2/pub/demo/blobs/uploads/",
    ),
    ("helm4-push-noperm#1", Setup::Plain, Token("pub/demo", "pull"), "POST", "/v2/pub/demo/blobs/uploads/"),
    ("upload-post", Setup::Plain, CI, "POST", "/v2/akko-charts/demo/blobs/uploads/"),
    (
        "upload-post-mount",
        Setup::Plain,
        Token("akko-charts/other", "pull,push&scope=repository:akko-charts/demo:pull"),
        "POST",
        "/v2/akko-charts/other/blobs/uploads/?mount=BLOB&from=akko-charts/demo",
    ),
    (
        "upload-post-mount-denied",
        Setup::Plain,
        Token("akko-charts/other", "pull"),
        "POST",
        "/v2/akko-charts/other/blobs/uploads/?mount=BLOB&from=dev-own/x",
    ),
    ("upload-post-digest", Setup::Plain, CI, "POST", "/v2/akko-charts/demo/blobs/uploads/?digest=MISSING"),
    ("put-same", Setup::Plain, CI, "PUT", "/v2/akko-charts/demo/manifests/0.1.0"),
    ("put-missing-blob", Setup::Plain, CI, "PUT", "/v2/akko-charts/demo/manifests/bad1"),
    ("delete-ci-digest", Setup::Plain, CI, "DELETE", "/v2/akko-charts/demo/manifests/MANIFEST"),
    ("immutable-put-same", Setup::Immutable, CI, "PUT", "/v2/akko-charts/demo/manifests/0.1.0"),
    ("immutable-helm4-push#1", Setup::Immutable, CI, "PUT", "/v2/akko-charts/demo/manifests/0.1.0"),
    ("immutable-put-bydigest", Setup::Immutable, CI, "PUT", "/v2/akko-charts/demo/manifests/MANIFEST"),
    ("ct-get-unsigned-push-plain", Setup::Unsigned, CI, "GET", "/v2/akko-charts/demo/manifests/0.1.0"),
    ("ct-get-unsigned-push-cosign", Setup::Unsigned, CI, "GET", "/v2/akko-charts/demo/manifests/0.1.0"),
    ("ct-head-unsigned", Setup::Unsigned, CI, "HEAD", "/v2/akko-charts/demo/manifests/0.1.0"),
    ("ct-put-tag-direct", Setup::Unsigned, CI, "PUT", "/v2/akko-charts/demo/manifests/2.0.0"),
    ("ro-post", Setup::ReadOnly, CI, "POST", "/v2/akko-charts/demo/blobs/uploads/"),
    ("csrf-v2-cookie", Setup::Plain, User, "POST", "/v2/pub/x/blobs/uploads/"),
    ("ping", Setup::Plain, Nobody, "GET", "/api/v2.0/ping"),
    ("catalog-admin-bearer", Setup::Plain, CI, "GET", "/v2/_catalog"),
    ("upload-patch", Setup::Plain, CI, "PATCH", "UPLOAD"),
    ("chunk-patch-gap", Setup::Plain, CI, "PATCH", "UPLOAD"),
    ("upload-status", Setup::Plain, CI, "GET", "UPLOAD"),
    ("upload-put", Setup::Plain, CI, "PUT", "UPLOAD"),
    ("upload-cancel", Setup::Plain, CI, "DELETE", "UPLOAD"),
    ("quota-blob", Setup::SmallQuota, CI, "PUT", "UPLOAD"),
    ("quota-helm4-push2#1", Setup::SmallQuota, CI, "PUT", "UPLOAD"),
];

#[test]
fn the_stand_in_answers_as_harbor_did() {
    const TEST: &str = "the_stand_in_answers_as_harbor_did";
    let Some(corpus) = corpus::corpus(TEST) else { return };
    let text = fs_err::read_to_string(corpus.join("harbor/transcript.jsonl")).unwrap();
    let rows = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let recorded: BTreeMap<String, Value> =
        rows.map(|row| (row["name"].as_str().unwrap().to_owned(), row)).collect();
    let mut wrong = Vec::new();
    for (name, setup, who, method, path) in ROWS {
        let row = recorded.get(*name).unwrap_or_else(|| panic!("no row {name}"));
        let answer = asked(*setup, *who, method, path, &row["request"]);
        let (ours, theirs) = (of_ours(&answer), of_theirs(&row["response"]));
        if ours != theirs {
            wrong.push(format!("{name}: {ours:?}, and Harbor {theirs:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    say(&format!("{TEST}: {} rows", ROWS.len()));
}

/// What binds a client: status, code, the challenge, and which headers are there.
type Binding = (u16, String, Option<String>, Vec<&'static str>);

const PRESENT: [&str; 5] = ["link", "location", "oci-filters-applied", "range", "oci-subject"];

fn of_ours(answer: &Answer) -> Binding {
    let challenge = answer.header("www-authenticate").map(|value| {
        // The stand-in says more about scopes than Harbor does.
        let port = value.split_once("http://").map(|(_, rest)| rest.split_once('/').unwrap().0);
        port.map_or(value.to_owned(), |host| value.replace(host, "harbor.test"))
    });
    let present = PRESENT.into_iter().filter(|name| answer.header(name).is_some());
    (answer.status, answer.code(), challenge, present.collect())
}

fn of_theirs(response: &Value) -> Binding {
    let header = |wanted: &str| {
        let headers = response["headers"].as_object().unwrap();
        headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
            .map(|(_, value)| value.as_str().unwrap().to_owned())
    };
    let body: Value =
        response["body"].as_str().and_then(|body| serde_json::from_str(body).ok()).unwrap_or_default();
    let code = body["errors"][0]["code"].as_str().unwrap_or_default().to_owned();
    let present = PRESENT.into_iter().filter(|name| header(name).is_some());
    let status = u16::try_from(response["status"].as_u64().unwrap()).unwrap();
    (status, code, header("www-authenticate"), present.collect())
}

fn asked(setup: Setup, who: Who, method: &str, path: &str, request: &Value) -> Answer {
    let builder =
        Registry::builder().profile(Profile::Harbor).projects(&["akko-charts", "library", "pub", "dev-own"]);
    let builder = match setup {
        Setup::Plain => builder,
        Setup::Immutable => builder.immutable_tags("0.*"),
        Setup::Unsigned => builder.unsigned_hidden(true),
        Setup::ReadOnly => builder.read_only(true),
        Setup::SmallQuota => builder.quota(4),
    };
    let registry = builder.start_blocking().unwrap();
    let content = format!("{{}}{}", " ".repeat(40));
    let blob = registry.put_blob(PROJECT, &content).unwrap();
    let manifest = manifest(&blob, content.len() as u64);
    let digest =
        registry.put_manifest(PROJECT, "0.1.0", MediaType::OCI_MANIFEST.as_str(), manifest.clone()).unwrap();
    registry.put_manifest(PROJECT, "0.2.0", MediaType::OCI_MANIFEST.as_str(), manifest.clone()).unwrap();
    registry.put_manifest("pub/demo", "1.0.0", MediaType::OCI_MANIFEST.as_str(), manifest.clone()).unwrap();

    let authorization = authorization(&registry, who);
    let mut path = path.replace("BLOB", &blob).replace("MANIFEST", &digest).replace("MISSING", DIGEST);
    if path == "UPLOAD" {
        let begin = ask("POST", format!("/v2/{PROJECT}/blobs/uploads/"));
        path = begin
            .header("authorization", authorization.clone().unwrap())
            .send(registry.host())
            .location()
            .to_owned();
        if method == "PUT" {
            path = format!("{path}&digest={}", oci_chart_core::Digest::of(b"0123456789"));
        }
    }
    let mut ask = ask(method, path);
    if let Some(header) = authorization {
        ask = ask.header("authorization", header);
    }
    for (name, value) in request["headers"].as_object().unwrap() {
        match (name.to_ascii_lowercase().as_str(), value.as_str().unwrap()) {
            ("authorization" | "content-type" | "content-length", _) => {}
            ("if-none-match", _) => ask = ask.header("if-none-match", format!("\"{digest}\"")),
            ("cookie", _) => ask = ask.header("cookie", "sid=testkit"),
            ("accept", value) => ask = ask.header("accept", value),
            ("range", value) => ask = ask.header("range", value),
            ("content-range", value) => ask = ask.header("content-range", value),
            ("user-agent", value) => ask = ask.header("user-agent", value),
            _ => {}
        }
    }
    let is_manifest = method == "PUT" && !request["path"].as_str().unwrap().contains("uploads");
    if is_manifest {
        let missing = request["path"].as_str().unwrap().ends_with("bad1");
        let body = if missing { self::manifest(DIGEST, 9) } else { manifest };
        ask = ask.header("content-type", MediaType::OCI_MANIFEST.as_str()).body(body);
    } else if matches!(method, "PATCH" | "PUT") {
        ask = ask.body("0123456789");
    }
    ask.send(registry.host())
}

fn manifest(config: &str, size: u64) -> String {
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","config":{{"mediaType":"{}","digest":"{config}","size":{size}}},"layers":[]}}"#,
        MediaType::OCI_MANIFEST,
        MediaType::HELM_CONFIG,
    )
}

fn authorization(registry: &Registry, who: Who) -> Option<String> {
    let token = |scope: &str, login: bool| {
        let ask = ask("GET", format!("/service/token?service=harbor-registry&scope=repository:{scope}"));
        let ask = if login { ask.login(USER, PASSWORD) } else { ask };
        let answer: Value = serde_json::from_slice(&ask.send(registry.host()).body).unwrap();
        Some(format!("Bearer {}", answer["token"].as_str().unwrap()))
    };
    match who {
        Nobody => None,
        User => Some(raw::basic(USER, PASSWORD)),
        WrongPassword => Some(raw::basic(USER, "wrong")),
        AnonymousToken => token(&format!("{PROJECT}:pull"), false),
        Token(name, actions) => token(&format!("{name}:{actions}"), true),
    }
}
