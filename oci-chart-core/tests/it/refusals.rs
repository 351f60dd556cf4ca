//! Each cause has a kind and reason of its own, and the next step: by what a real Harbor said, and by what other registries say.

use std::sync::Arc;

use oci_chart_core::{
    Context, Error, ErrorKind, Reason,
    auth::StaticCredentials,
    name::{Selector, Tag},
    oci::MediaType,
    store::{Blob, Memory, Store, TagMode},
    transfer::{self, PullOptions},
};
use oci_chart_testkit::{Bearer, Fault, Registry, Rule};
use serde_json::Value;

use crate::{
    remote::{block, repository},
    support::corpus,
};

fn found(error: &Error) -> (ErrorKind, Option<Reason>) {
    (error.kind(), error.reason())
}

/// What that Harbor answered in the exchange of this name.
fn recorded(transcript: &[Value], group: &str, name: &str) -> Fault {
    let exchange = transcript.iter().find(|one| one["group"] == group && one["name"] == name);
    let answer = &exchange.unwrap_or_else(|| panic!("{group} {name}"))["response"];
    let headers = answer["headers"].as_object().unwrap().iter();
    let headers = headers.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()));
    Fault::Status {
        code: answer["status"].as_u64().unwrap() as u16,
        // A challenge would lead to a login, which is somebody else's business.
        headers: headers.filter(|(name, _)| name != "Www-Authenticate").collect(),
        body: answer["body"].as_str().unwrap_or_default().to_owned().into(),
    }
}

enum Step {
    Manifest,
    Tags,
    Upload,
    Put,
    Delete,
}

fn run(store: &dyn Store, step: &Step) -> Error {
    let tag: Tag = "1.0.0".parse().unwrap();
    let manifest = Blob::from_bytes(MediaType::OCI_INDEX, r#"{"schemaVersion":2,"manifests":[]}"#);
    let result = match step {
        Step::Manifest => block(store.fetch_manifest(&Selector::Tag(tag))).map(drop),
        Step::Tags => {
            use futures_util::TryStreamExt as _;
            block(store.tags().try_collect::<Vec<_>>()).map(drop)
        }
        Step::Upload => block(store.push(&Blob::from_bytes("text/plain".into(), "content"), &[])).map(drop),
        Step::Put => block(store.push(&manifest, &[(tag, TagMode::Replace)])).map(drop),
        Step::Delete => block(store.delete(&Selector::Tag(tag))).map(drop),
    };
    result.unwrap_err()
}

#[test]
fn every_answer_of_a_real_harbor_names_its_cause() {
    let Some(corpus) = corpus::corpus("every_answer_of_a_real_harbor_names_its_cause") else { return };
    let text = fs_err::read_to_string(corpus.join("harbor/transcript.jsonl")).unwrap();
    let transcript: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let missing = ErrorKind::NotFound;
    for (group, name, method, target, step, kind, reason) in [
        ("oci-read", "get-tag-missing", "GET", "*/manifests/*", Step::Manifest, missing, Reason::TagMissing),
        (
            "oci-read",
            "get-repo-missing",
            "GET",
            "*/manifests/*",
            Step::Manifest,
            missing,
            Reason::RepositoryMissing,
        ),
        (
            "oci-read",
            "tags-repo-missing",
            "GET",
            "*/tags/list*",
            Step::Tags,
            missing,
            Reason::RepositoryMissing,
        ),
        (
            "signing",
            "ct-get-unsigned-push-plain",
            "GET",
            "*/manifests/*",
            Step::Manifest,
            ErrorKind::PermissionDenied,
            Reason::RegistryPolicy,
        ),
        ("oci-write", "put-missing-blob", "PUT", "*/manifests/*", Step::Put, missing, Reason::BlobMissing),
        (
            "oci-write",
            "chart-badconfig",
            "PUT",
            "*/manifests/*",
            Step::Put,
            ErrorKind::Unavailable,
            Reason::ServerFault,
        ),
        (
            "tag-rules",
            "immutable-put-same",
            "PUT",
            "*/manifests/*",
            Step::Put,
            ErrorKind::ImmutableTag,
            Reason::TagImmutable,
        ),
        (
            "client-flow",
            "immutable-helm4-push#1",
            "PUT",
            "*/manifests/*",
            Step::Put,
            ErrorKind::ImmutableTag,
            Reason::TagImmutable,
        ),
        (
            "quota-gc-scan",
            "quota-blob",
            "PUT",
            "*/uploads/*",
            Step::Upload,
            ErrorKind::QuotaExceeded,
            Reason::QuotaReached,
        ),
        ("modes", "ro-post", "POST", "*/uploads/*", Step::Upload, ErrorKind::Unavailable, Reason::ReadOnly),
        (
            "oci-write",
            "delete-tag-v2",
            "DELETE",
            "*/manifests/*",
            Step::Delete,
            ErrorKind::Unsupported,
            Reason::OperationUnsupported,
        ),
    ] {
        let registry = Registry::start().unwrap();
        registry.script().add(Rule::new(method, target, recorded(&transcript, group, name)).always());
        let error = run(&repository(&registry, "charts/web"), &step);
        assert_eq!(found(&error), (kind, Some(reason)), "{name}: {error:?}");
        tells_the_story(&error, method);
        assert!(error.get("request id").is_some() || name == "chart-badconfig", "{name}: {error:?}");
    }
}

#[test]
fn what_a_real_harbor_answers_to_good_logins_is_not_taken_for_bad_ones() {
    let Some(corpus) = corpus::corpus("what_a_real_harbor_answers_to_good_logins_is_not_taken_for_bad_ones")
    else {
        return;
    };
    let text = fs_err::read_to_string(corpus.join("harbor/transcript.jsonl")).unwrap();
    let transcript: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let missing = (ErrorKind::NotFound, Some(Reason::ProjectMissing));
    for (group, name, method, target, step, expected) in [
        ("oci-read", "get-project-missing", "*", "*/manifests/*", Step::Manifest, missing),
        ("oci-read", "post-upload-project-missing", "POST", "*/uploads/*", Step::Upload, missing),
        ("project", "late-before", "POST", "*/uploads/*", Step::Upload, missing),
        (
            "oci-write",
            "post-upload-noperm-token",
            "POST",
            "*/uploads/*",
            Step::Upload,
            (ErrorKind::Unauthenticated, Some(Reason::CredentialsRefused)),
        ),
    ] {
        for login in ["robot", "basic", "nobody"] {
            let builder = Registry::builder();
            let builder = match login {
                "basic" => builder.basic_auth("robot", "hunter2"),
                _ => builder.bearer_auth(Bearer::new("robot", "hunter2").permit(|_| true)),
            };
            let registry = builder.start_blocking().unwrap();
            let credentials = match login {
                "nobody" => StaticCredentials::default(),
                _ => crate::remote::login(&registry),
            };
            // The challenge is as it was recorded: none, or for a password.
            let mut answer = recorded(&transcript, group, name);
            let exchange =
                transcript.iter().find(|one| one["group"] == group && one["name"] == name).unwrap();
            let challenge = exchange["response"]["headers"]["Www-Authenticate"].as_str().unwrap();
            if let Fault::Status { headers, .. } = &mut answer {
                headers.push(("www-authenticate".into(), challenge.to_owned()));
            }
            let store = crate::remote::open(
                &crate::remote::registries(&registry, credentials),
                &registry,
                "charts/web",
            );
            // Who has been here before is known to the registry, and asked for nothing new.
            let _ = block(store.resolve(&Selector::Tag("0.0.1".parse().unwrap())));
            registry.script().add(Rule::new(method, target, answer).always());
            let error = run(&store, &step);
            if expected == missing {
                assert_eq!(found(&error), expected, "{name}, {login}: {error:?}");
            } else {
                let refused = [Reason::CredentialsRefused, Reason::NoCredentials].map(Some);
                assert!(refused.contains(&error.reason()), "{name}, {login}: {error:?}");
            }
            assert!(
                error.hint().is_some() && error.get("request id").is_some(),
                "{name}, {login}: {error:?}"
            );
        }
    }
}

/// Method, URL, status and the next step.
fn tells_the_story(error: &Error, method: &str) {
    assert_eq!(error.get("method"), Some(method), "{error:?}");
    assert!(error.get("url").is_some() && error.get("status").is_some(), "{error:?}");
    assert!(error.hint().is_some_and(|hint| hint.len() > 10), "{error:?}");
}

#[test]
fn what_other_registries_say_is_understood() {
    let says = |code: u16, registry_code: &str, text: &str| Fault::Status {
        code,
        headers: vec![("x-amzn-requestid".into(), "r-1".into())],
        body: serde_json::json!({"errors": [{"code": registry_code, "message": text}]}).to_string().into(),
    };
    for (method, target, fault, step, kind, reason) in [
        (
            "POST",
            "*/uploads/*",
            says(404, "NAME_UNKNOWN", "The repository with name 'charts/web' does not exist in the registry"),
            Step::Upload,
            ErrorKind::NotFound,
            Reason::RepositoryNotCreated,
        ),
        (
            "PUT",
            "*/manifests/*",
            says(
                400,
                "TAG_INVALID",
                "The image tag '1.0.0' already exists and cannot be overwritten because the repository is immutable.",
            ),
            Step::Put,
            ErrorKind::ImmutableTag,
            Reason::TagImmutable,
        ),
        (
            "POST",
            "*/uploads/*",
            says(500, "UNKNOWN", "mkdir /data: no space left on device"),
            Step::Upload,
            ErrorKind::Unavailable,
            Reason::ServerFull,
        ),
        (
            "PUT",
            "*/manifests/*",
            says(403, "DENIED", "requested access to the resource is denied"),
            Step::Put,
            ErrorKind::PermissionDenied,
            Reason::AccessDenied,
        ),
    ] {
        let registry = Registry::start().unwrap();
        registry.script().add(Rule::new(method, target, fault).always());
        let error = run(&repository(&registry, "charts/web"), &step);
        assert_eq!(found(&error), (kind, Some(reason)), "{error:?}");
        assert_eq!(error.get("request id"), Some("r-1"));
        tells_the_story(&error, method);
    }
}

#[test]
fn a_refused_head_is_explained_by_a_get() {
    for status in [400, 403, 405, 412, 500, 501] {
        let registry = Registry::start().unwrap();
        registry.script().add(Rule::new("*", "*/manifests/*", Fault::error(status, "SOME_CODE")).always());
        let error =
            block(repository(&registry, "charts/web").resolve(&Selector::Tag("1.0.0".parse().unwrap())));
        let error = error.unwrap_err();
        assert_eq!((error.get("codes"), error.get("method")), (Some("SOME_CODE"), Some("GET")), "{status}");
        assert!(error.message().contains("by script"), "{error:?}");
    }
}

fn pull(store: &Arc<dyn Store>, tag: &str) -> Error {
    let selector = Selector::Tag(tag.parse().unwrap());
    let options = PullOptions::without_verification();
    block(transfer::pull(&Context::default(), store, &selector, &options)).unwrap_err()
}

#[test]
fn a_missing_version_names_the_nearest() {
    let registry = Registry::start().unwrap();
    let memory = Memory::default();
    let remote: Arc<dyn Store> = Arc::new(repository(&registry, "charts/web"));
    let local: Arc<dyn Store> = Arc::new(memory);
    for store in [remote, local] {
        let manifest = Blob::from_bytes(MediaType::OCI_INDEX, r#"{"schemaVersion":2,"manifests":[]}"#);
        let tags = ["1.0.0", "1.1.0", "1.2.0", "2.0.0", "stable"];
        let tags: Vec<_> = tags.iter().map(|tag| (tag.parse().unwrap(), TagMode::Replace)).collect();
        block(store.push(&manifest, &tags)).unwrap();
        let error = pull(&store, "1.1.1");
        assert_eq!(found(&error), (ErrorKind::NotFound, Some(Reason::TagMissing)));
        assert_eq!(error.get("nearest"), Some("2.0.0, 1.2.0, 1.1.0, 1.0.0"));
        assert_eq!(error.get("tag"), Some("1.1.1"));
        let url = error.get("url").unwrap_or("in memory");
        assert!(url == "in memory" || url.ends_with("/v2/charts/web/manifests/1.1.1"), "{error:?}");
        assert!(error.hint().unwrap().contains("of 5 tags, the nearest are 2.0.0"), "{error:?}");
    }
    // The look for them is one request.
    assert_eq!(registry.log().count(|exchange| exchange.target.contains("tags/list")), 1);
}

#[test]
fn a_missing_repository_is_told_from_a_missing_tag() {
    let registry = Registry::start().unwrap();
    let store: Arc<dyn Store> = Arc::new(repository(&registry, "charts/none"));
    let error = pull(&store, "1.0.0");
    assert_eq!(found(&error), (ErrorKind::NotFound, Some(Reason::RepositoryMissing)), "{error:?}");
    assert_eq!(error.get("tag"), Some("1.0.0"));

    let memory: Arc<dyn Store> = Arc::new(Memory::default());
    let error = pull(&memory, "1.0.0");
    assert_eq!(found(&error), (ErrorKind::NotFound, Some(Reason::TagMissing)));
    assert_eq!(error.hint(), Some("the repository has no tags at all"));

    // A list that cannot be had takes nothing away from what is known.
    registry.put_manifest("charts/none", "2.0.0", MediaType::OCI_INDEX.as_str(), "{}").unwrap();
    registry.script().add(Rule::new("GET", "*/tags/list*", Fault::error(403, "DENIED")).always());
    assert_eq!(found(&pull(&store, "1.0.0")), (ErrorKind::NotFound, Some(Reason::TagMissing)));
}
