//! Logins: what is asked, what is shown to whom, and what happens when it is refused.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::TryStreamExt as _;
use oci_chart_core::{
    Content, Error, ErrorKind, Reason,
    auth::{Credentials, StaticCredentials},
    name::{Host, Selector},
    oci::{Descriptor, MediaType},
    store::{Blob, ConnectionOptions, Registries, Store, StoreExt as _},
};
use oci_chart_testkit::{Bearer, Builder, Class, Fault, Redirect, Registry, Rule, TokenField, raw};

use crate::remote::{block, host, login, open, registries, repository};

const MANIFEST: &str =
    r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{},"layers":[]}"#;

fn start(build: impl Fn(Builder) -> Builder) -> Registry {
    let registry = build(Registry::builder()).start_blocking().unwrap();
    registry.put_manifest("charts/web", "1.0.0", MediaType::OCI_MANIFEST.as_str(), MANIFEST).unwrap();
    registry
}

fn version() -> Selector {
    Selector::Tag("1.0.0".parse().unwrap())
}

fn resolve(registries: &Registries, registry: &Registry) -> Result<(), Error> {
    block(open(registries, registry, "charts/web").resolve(&version())).map(drop)
}

fn found(error: &Error) -> (ErrorKind, Option<Reason>) {
    (error.kind(), error.reason())
}

/// Answers every request like a registry that wants a login in this way.
fn challenge(header: &str) -> Fault {
    let headers = vec![("www-authenticate".to_owned(), header.to_owned())];
    Fault::Status { code: 401, headers, body: "{}".into() }
}

#[test]
fn a_login_without_credentials_is_a_clear_error_after_one_request() {
    let registry = start(|builder| builder.basic_auth("robot", "hunter2"));
    let error = resolve(&registries(&registry, StaticCredentials::default()), &registry).unwrap_err();
    assert_eq!(found(&error), (ErrorKind::Unauthenticated, Some(Reason::NoCredentials)));
    assert_eq!(error.message(), format!("no credentials for {}", registry.host()));
    assert!(error.hint().is_some() && error.get("status") == Some("401"), "{error:?}");
    assert_eq!(registry.log().entries().len(), 1);
}

#[test]
fn refused_credentials_are_not_tried_for_ever() {
    for (build, requests) in [
        (
            Box::new(|builder: Builder| builder.basic_auth("robot", "other"))
                as Box<dyn Fn(Builder) -> Builder>,
            // The last one asks for the words that a HEAD does not have.
            3,
        ),
        (Box::new(|builder: Builder| builder.bearer_auth(Bearer::new("robot", "other"))), 2),
    ] {
        let registry = start(build);
        let error = resolve(&registries(&registry, login(&registry)), &registry).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error:?}");
        assert!(
            matches!(error.reason(), Some(Reason::CredentialsRefused | Reason::TokenRefused)),
            "{error:?}"
        );
        assert_eq!(registry.log().entries().len(), requests, "{:#?}", registry.log().lines());
        assert!(!format!("{error:?}").contains("hunter2"));
    }
}

#[test]
fn a_registry_that_never_has_enough_is_left_after_one_retry() {
    let registry = start(|builder| builder.bearer_auth(Bearer::new("robot", "hunter2")));
    registry.script().add(
        Rule::new("HEAD", "*", challenge(&format!("Bearer realm=\"{}/token\"", registry.url()))).always(),
    );
    let error = resolve(&registries(&registry, login(&registry)), &registry).unwrap_err();
    assert_eq!(found(&error), (ErrorKind::Unauthenticated, Some(Reason::CredentialsRefused)));
    // HEAD, token, HEAD, and a GET for the words that a HEAD does not have.
    assert_eq!(registry.log().entries().len(), 4, "{:#?}", registry.log().lines());
}

#[test]
fn anonymous_callers_get_tokens_where_the_service_gives_them() {
    let registry = start(|builder| builder.bearer_auth(Bearer::new("robot", "hunter2").anonymous_pull(true)));
    let store = repository(&registry, "charts/web");
    block(store.fetch_manifest(&version())).unwrap();
    let error = block(store.push(&Blob::from_bytes("text/plain".into(), "x"), &[])).unwrap_err();
    assert_eq!(found(&error), (ErrorKind::Unauthenticated, Some(Reason::NoCredentials)), "{error:?}");
}

#[test]
fn a_token_that_ran_out_is_renewed_without_anybody_noticing() {
    let bearer = Bearer::new("robot", "hunter2").lifetime(Duration::from_millis(1), Some(3600));
    let registry = start(|builder| builder.bearer_auth(Bearer::new("robot", "hunter2")));
    let registries = registries(&registry, login(&registry));
    resolve(&registries, &registry).unwrap();
    registry.tokens().revoke_all();
    registry.log().take();
    resolve(&registries, &registry).unwrap();
    // The old token is refused, a new one asked for, the request sent again.
    assert_eq!(registry.log().entries().len(), 3);

    // One that is over before it arrives is refused twice.
    let registry = start(|builder| builder.bearer_auth(bearer.clone()).latency(Duration::from_millis(20)));
    let error = resolve(&crate::remote::registries(&registry, login(&registry)), &registry).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
}

#[test]
fn an_upload_whose_token_ran_out_begins_anew() {
    let registry = start(|builder| builder.bearer_auth(Bearer::new("robot", "hunter2")));
    let header = format!("Bearer realm=\"{}/token\",service=\"testkit\"", registry.url());
    registry.script().once("PUT", "*/uploads/*", challenge(&header));
    let file = tempfile::NamedTempFile::new().unwrap();
    fs_err::write(file.path(), vec![7; 200_000]).unwrap();
    let descriptor = Descriptor::of("text/plain".into(), vec![7; 200_000]);
    let store = open(&registries(&registry, login(&registry)), &registry, "charts/web");
    let blob = Blob::from_content(descriptor.clone(), Content::from_path(file.path()).unwrap());
    block(store.push(&blob, &[])).unwrap();
    assert_eq!(registry.script().pending(), 0);
    assert_eq!(registry.tokens().requests().len(), 2);
    assert!(block(store.exists(&descriptor)).unwrap());
}

#[test]
fn tokens_are_asked_for_once_and_with_all_that_is_needed() {
    let registry = start(|builder| builder.bearer_auth(Bearer::new("robot", "hunter2")));
    let store = open(&registries(&registry, login(&registry)), &registry, "charts/web");
    store.expect_push();
    block(store.resolve(&version())).unwrap();
    block(store.push(&Blob::from_bytes("text/plain".into(), "x"), &[])).unwrap();
    let scopes: Vec<_> = registry.tokens().requests().iter().map(|request| request.scopes.clone()).collect();
    assert_eq!(scopes, [["repository:charts/web:pull,push"]]);
    block(store.delete(&version())).unwrap();
    // Some let nobody delete what he may not read.
    let deleting = registry.tokens().requests().last().unwrap().scopes.clone();
    assert_eq!(
        (registry.tokens().requests().len(), deleting),
        (2, vec!["repository:charts/web:delete,pull".into()])
    );
}

#[test]
fn all_forms_of_token_answers() {
    for (field, fine) in [
        (TokenField::Token, true),
        (TokenField::AccessToken, true),
        (TokenField::Both, true),
        (TokenField::Neither, false),
    ] {
        let registry = start(|builder| builder.bearer_auth(Bearer::new("robot", "hunter2").field(field)));
        let result = resolve(&registries(&registry, login(&registry)), &registry);
        match result {
            Ok(()) => assert!(fine, "{field:?}"),
            Err(error) => {
                assert!(!fine, "{error:?}");
                assert_eq!(found(&error), (ErrorKind::Unauthenticated, Some(Reason::TokenRefused)));
                assert!(error.get("token service").is_some_and(|url| url.ends_with("/token")), "{error:?}");
            }
        }
    }
}

#[test]
fn of_two_tokens_the_access_token_is_shown() {
    let registry = start(|builder| builder.bearer_auth(Bearer::new("robot", "hunter2")));
    let answer = raw::ask("GET", "/token?scope=repository:charts/web:pull").login("robot", "hunter2");
    let answer: serde_json::Value = serde_json::from_slice(&answer.send(registry.host()).body).unwrap();
    let both = serde_json::json!({ "token": "another", "access_token": answer["token"] });
    registry.script().once("GET", "/token*", Fault::Body(both.to_string().into()));
    resolve(&registries(&registry, login(&registry)), &registry).unwrap();
    assert_eq!(registry.tokens().requests().len(), 2, "the second was not thrown away");
}

#[test]
fn a_token_service_that_fails_is_the_error() {
    for (fault, kind) in [
        (Fault::error(503, "UNAVAILABLE"), ErrorKind::Unavailable),
        (Fault::too_many_requests("5"), ErrorKind::RateLimited),
        (
            Fault::Status { code: 403, headers: vec![], body: r#"{"details":"robot is locked"}"#.into() },
            ErrorKind::PermissionDenied,
        ),
        (Fault::Endless, ErrorKind::LimitExceeded),
        (Fault::Body("no json".into()), ErrorKind::Unauthenticated),
        (Fault::Drop, ErrorKind::Network),
    ] {
        let registry = start(|builder| builder.bearer_auth(Bearer::new("robot", "hunter2")));
        registry.script().add(Rule::new("GET", "/token*", fault.clone()).always());
        let error = resolve(&registries(&registry, login(&registry)), &registry).unwrap_err();
        assert_eq!(error.kind(), kind, "{fault:?}: {error:?}");
        if kind == ErrorKind::PermissionDenied {
            assert!(error.message().contains("robot is locked"), "{error:?}");
        }
    }
}

#[test]
fn a_token_service_elsewhere_is_told_nothing() {
    let thief = Registry::builder().start_blocking().unwrap();
    let inside = thief.url().replace("127.0.0.1", "localhost");
    let registry = start(|builder| builder);
    for realm in
        [inside.as_str(), "http://10.0.0.1/token", "https://169.254.169.254/token", "https://[::1]/token"]
    {
        registry.script().clear();
        registry.script().add(Rule::new("*", "*", challenge(&format!("Bearer realm=\"{realm}\""))).always());
        let error = resolve(&registries(&registry, login(&registry)), &registry).unwrap_err();
        assert_eq!(found(&error), (ErrorKind::Unauthenticated, Some(Reason::UnsafeRedirect)), "{realm}");
    }
    assert!(thief.log().entries().is_empty());
}

#[test]
fn a_token_service_is_not_followed_to_another_host() {
    let thief = Registry::builder().start_blocking().unwrap();
    let registry = start(|builder| builder.bearer_auth(Bearer::new("robot", "hunter2")));
    let headers = vec![("location".to_owned(), format!("{}/token", thief.url()))];
    registry.script().once("GET", "/token*", Fault::Status { code: 307, headers, body: "".into() });
    let error = resolve(&registries(&registry, login(&registry)), &registry).unwrap_err();
    assert_eq!(found(&error), (ErrorKind::Protocol, Some(Reason::UnsafeRedirect)));
    assert!(thief.log().entries().is_empty());
}

#[test]
fn storage_behind_a_redirect_sees_no_credentials() {
    for to in [Redirect::OtherPort, Redirect::OtherHost] {
        for bearer in [false, true] {
            let registry = start(|builder| {
                let builder = builder.redirect_blobs(to);
                if bearer {
                    builder.bearer_auth(Bearer::new("robot", "hunter2"))
                } else {
                    builder.basic_auth("robot", "hunter2")
                }
            });
            let blob = Blob::from_bytes("text/plain".into(), "content");
            let store = open(&registries(&registry, login(&registry)), &registry, "charts/web");
            block(store.push(&blob, &[])).unwrap();
            assert_eq!(block(store.fetch_bytes(blob.descriptor(), 10)).unwrap(), "content");
            assert!(block(store.exists(blob.descriptor())).unwrap());
            assert_eq!((registry.log().count_class(Class::Storage), registry.leaked_credentials()), (1, 0));
        }
    }
}

#[test]
fn a_login_asked_for_by_another_origin_is_not_answered() {
    let thief = start(|builder| builder.basic_auth("robot", "hunter2"));
    let registry = start(|builder| builder.basic_auth("robot", "hunter2"));
    let blob = registry.put_blob("charts/web", "content").unwrap();
    let headers = vec![("location".to_owned(), format!("{}/v2/charts/web/blobs/{blob}", thief.url()))];
    registry
        .script()
        .add(Rule::new("GET", "*/blobs/*", Fault::Status { code: 307, headers, body: "".into() }).always());
    let store = open(&registries(&registry, login(&registry)), &registry, "charts/web");
    let blob = Blob::from_bytes("text/plain".into(), "content");
    let error = block(store.fetch_bytes(blob.descriptor(), 10)).unwrap_err();
    assert_eq!(found(&error), (ErrorKind::Unauthenticated, Some(Reason::BadChallenge)));
    assert!(thief.log().entries().iter().all(|exchange| exchange.authorization.is_none()));
}

#[test]
fn challenges_that_cannot_be_answered_are_named() {
    for header in ["Negotiate", "Digest realm=\"x\"", "", "Bearer service=\"x\""] {
        let registry = start(|builder| builder);
        registry.script().add(Rule::new("*", "*", challenge(header)).always());
        let error = resolve(&registries(&registry, login(&registry)), &registry).unwrap_err();
        assert_eq!(found(&error), (ErrorKind::Unauthenticated, Some(Reason::BadChallenge)), "{header}");
        assert_eq!(registry.log().entries().len(), 1);
    }
}

#[test]
fn credentials_are_asked_for_when_they_are_needed_and_again_when_refused() {
    let registry = start(|builder| builder.basic_auth("robot", "hunter2"));
    let asked = Arc::new(AtomicUsize::new(0));
    let source = {
        let asked = Arc::clone(&asked);
        let first = Credentials::basic("robot", "expired");
        move |_: &Host| {
            let n = asked.fetch_add(1, Ordering::SeqCst);
            Ok(Some(if n == 0 { first.clone() } else { Credentials::basic("robot", "hunter2") }))
        }
    };
    let registries = registries(&registry, source);
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    resolve(&registries, &registry).unwrap();
    resolve(&registries, &registry).unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    assert_eq!(registry.log().entries().len(), 4, "a stranger's, the refused, the right one, and the next");
}

#[test]
fn each_registry_gets_its_own_credentials() {
    let one = start(|builder| builder.basic_auth("one", "first"));
    let two = start(|builder| builder.bearer_auth(Bearer::new("two", "second")));
    let three = start(|builder| builder.basic_auth("three", "third"));
    let source = StaticCredentials::default()
        .with(host(&one), Credentials::basic("one", "first"))
        .with(host(&two), Credentials::basic("two", "second"));
    let mut options = ConnectionOptions::default();
    for registry in [&one, &two, &three] {
        options = options.with_plain_http(host(registry));
    }
    let registries = Registries::new(options, source).unwrap();
    resolve(&registries, &one).unwrap();
    resolve(&registries, &two).unwrap();
    assert_eq!(resolve(&registries, &three).unwrap_err().reason(), Some(Reason::NoCredentials));
    assert!(three.log().entries().iter().all(|exchange| exchange.authorization.is_none()));
}

#[test]
fn a_registry_that_refuses_without_a_word_is_understood() {
    // Harbor's answer to a valid login where the project does not exist: 401, and no challenge any more.
    let registry = start(|builder| builder.bearer_auth(Bearer::new("robot", "hunter2")));
    let registries = registries(&registry, login(&registry));
    resolve(&registries, &registry).unwrap();
    let fault = Fault::Status { code: 401, headers: vec![], body: "{}".into() };
    registry.script().add(Rule::new("HEAD", "*", fault).always());
    registry.log().take();
    let error = resolve(&registries, &registry).unwrap_err();
    assert_eq!(found(&error), (ErrorKind::Unauthenticated, Some(Reason::CredentialsRefused)), "{error:?}");
    assert_eq!(registry.log().entries().len(), 4);
}

#[test]
fn a_source_that_fails_is_the_error() {
    let registry = start(|builder| builder.basic_auth("robot", "hunter2"));
    let source = |_: &Host| Err(Error::new(ErrorKind::Io, "the vault is closed"));
    let error = resolve(&registries(&registry, source), &registry).unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Io, "the vault is closed"));
}

#[test]
fn a_ready_token_is_sent_as_it_is() {
    let registry = start(|builder| builder.bearer_auth(Bearer::new("robot", "hunter2")));
    let source = StaticCredentials::default().with(host(&registry), Credentials::bearer("not-a-real-token"));
    let error = resolve(&registries(&registry, source), &registry).unwrap_err();
    assert_eq!(found(&error), (ErrorKind::Unauthenticated, Some(Reason::CredentialsRefused)));
    assert_eq!(registry.log().count_class(Class::Token), 0, "no token service is asked for another");
    assert!(!format!("{error:?}").contains("not-a-real-token"));
}

#[test]
fn no_secret_is_ever_printed() {
    const SECRET: &str = "canary-7f3a";
    let credentials = Credentials::basic("robot", SECRET);
    let mut shown = vec![format!("{credentials:?} {:?}", Credentials::bearer(SECRET))];
    let registry = start(|builder| builder.bearer_auth(Bearer::new("robot", SECRET)));
    let source = StaticCredentials::default().with(host(&registry), credentials);
    shown.push(format!("{source:?}"));
    let options = ConnectionOptions::default().with_plain_http(host(&registry));
    let registries = Registries::new(options, source).unwrap();
    let store = open(&registries, &registry, "charts/web");
    resolve(&registries, &registry).unwrap();
    shown.push(format!("{registries:?} {store:?} {store}"));
    for fault in [Fault::error(403, "DENIED"), Fault::Drop, challenge("Basic realm=x"), Fault::Endless] {
        registry.script().clear();
        registry.script().add(Rule::new("*", "*", fault).always());
        let error = block(store.fetch_manifest(&version())).unwrap_err();
        let tags = block(store.tags().try_collect::<Vec<_>>()).unwrap_err();
        shown.push(format!("{error} {error:?} {tags:?} {:?}", tags.context().collect::<Vec<_>>()));
    }
    let basic = "cm9ib3Q6Y2FuYXJ5LTdmM2E="; // robot:canary-7f3a
    for text in shown {
        assert!(!text.contains(SECRET) && !text.contains(basic) && !text.contains("Bearer "), "{text}");
    }
}
