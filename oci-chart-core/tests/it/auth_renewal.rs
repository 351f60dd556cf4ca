//! Tokens and credentials that end: renewed early, renewed when refused, and named where they are stale.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use oci_chart_core::{
    Client, Context, Error, ErrorKind, Reason,
    auth::{Credentials, StaticCredentials},
    name::{Host, Selector},
    oci::MediaType,
    store::{Registries, Store as _},
};
use oci_chart_testkit::{Bearer, Builder, Class, Fault, Registry, Rule, raw};

use crate::remote::{block, host, login, open, registries};

fn start(build: impl FnOnce(Builder) -> Builder) -> Registry {
    let registry = build(Registry::builder()).start_blocking().unwrap();
    registry.put_manifest("charts/web", "1.0.0", MediaType::OCI_MANIFEST.as_str(), "{}").unwrap();
    registry
}

fn version() -> Selector {
    Selector::Tag("1.0.0".parse().unwrap())
}

fn resolve(registries: &Registries, registry: &Registry) -> Result<(), Error> {
    block(open(registries, registry, "charts/web").resolve(&version())).map(drop)
}

fn tokens(registry: &Registry) -> usize {
    registry.log().count_class(Class::Token)
}

#[test]
fn a_token_that_announces_too_short_a_life_is_used_for_a_minute() {
    for announced in [None, Some(0), Some(1)] {
        let bearer = Bearer::new("robot", "hunter2").lifetime(Duration::from_secs(300), announced);
        let registry = start(|builder| builder.bearer_auth(bearer));
        let registries = registries(&registry, login(&registry));
        for _ in 0..3 {
            resolve(&registries, &registry).unwrap();
        }
        assert_eq!(tokens(&registry), 1, "{announced:?}");
    }
}

#[test]
fn a_token_is_renewed_a_few_seconds_before_it_ends() {
    // It was issued 58 of its 60 seconds ago, by the service's own clock: nothing is to be had of it any more.
    let registry = start(|builder| builder.bearer_auth(Bearer::new("robot", "hunter2")));
    let registries = registries(&registry, login(&registry));
    let answer = |seconds: &str| {
        format!(r#"{{"token":"opaque","expires_in":60,"issued_at":"2020-01-01T00:00:{seconds}Z"}}"#)
    };
    let old = Fault::Status {
        code: 200,
        headers: vec![("date".into(), "Wed, 01 Jan 2020 00:00:58 GMT".into())],
        body: answer("00").into(),
    };
    registry.script().add(Rule::new("GET", "/token*", old).always());
    registry.script().add(Rule::new("HEAD", "*", Fault::error(404, "MANIFEST_UNKNOWN")).nth(2).always());
    for _ in 0..3 {
        assert_eq!(resolve(&registries, &registry).unwrap_err().kind(), ErrorKind::NotFound);
    }
    assert_eq!(tokens(&registry), 3, "each is asked for anew: {:#?}", registry.log().lines());
}

#[test]
fn a_token_that_is_called_invalid_with_another_status_is_renewed() {
    // Amazon's public registry answers 400, its private ones 403, both without a challenge.
    for (status, message) in [
        (400, "Your Authorization Token is invalid or has expired."),
        (403, "Your authorization token has expired. Reauthenticate and try again."),
    ] {
        let registry = start(|builder| builder.bearer_auth(Bearer::new("robot", "hunter2")));
        let registries = registries(&registry, login(&registry));
        resolve(&registries, &registry).unwrap();
        let body = format!(r#"{{"errors":[{{"code":"DENIED","message":"{message}"}}]}}"#);
        registry.script().once(
            "GET",
            "*/manifests/*",
            Fault::Status { code: status, headers: vec![], body: body.into() },
        );
        let store = open(&registries, &registry, "charts/web");
        block(store.fetch_manifest(&version())).unwrap();
        assert_eq!((tokens(&registry), registry.script().pending()), (2, 0), "{status}");
    }
}

#[test]
fn a_refusal_that_is_not_about_tokens_is_passed_on_with_its_words() {
    let registry = start(|builder| builder.bearer_auth(Bearer::new("robot", "hunter2")));
    let registries = registries(&registry, login(&registry));
    resolve(&registries, &registry).unwrap();
    let body = r#"{"errors":[{"code":"DENIED","message":"no team of yours may read this"}]}"#;
    registry.script().once(
        "GET",
        "*/manifests/*",
        Fault::Status { code: 403, headers: vec![], body: body.into() },
    );
    let error = block(open(&registries, &registry, "charts/web").fetch_manifest(&version())).unwrap_err();
    assert_eq!(
        (error.kind(), error.get("codes")),
        (ErrorKind::PermissionDenied, Some("DENIED")),
        "{error:?}"
    );
    assert!(error.message().contains("no team of yours"));
    assert_eq!(tokens(&registry), 1);
}

#[test]
fn a_secret_that_was_changed_is_picked_up_in_the_same_call() {
    for bearer in [false, true] {
        let registry = start(|builder| {
            if bearer {
                builder.bearer_auth(Bearer::new("robot", "new"))
            } else {
                builder.basic_auth("robot", "new")
            }
        });
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let source = move |_: &Host| {
            let password = if count.fetch_add(1, Ordering::SeqCst) == 0 { "old" } else { "new" };
            Ok(Some(Credentials::basic("robot", password)))
        };
        let registries = registries(&registry, source);
        resolve(&registries, &registry).unwrap();
        resolve(&registries, &registry).unwrap();
        assert_eq!(asked.load(Ordering::SeqCst), 2, "bearer: {bearer}");
    }
}

#[test]
fn a_source_that_gives_other_wrong_answers_for_ever_is_left() {
    let registry = start(|builder| builder.basic_auth("robot", "hunter2"));
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let source = move |_: &Host| {
        Ok(Some(Credentials::basic("robot", format!("guess {}", count.fetch_add(1, Ordering::SeqCst)))))
    };
    let error = resolve(&registries(&registry, source), &registry).unwrap_err();
    assert_eq!(
        (error.kind(), error.reason()),
        (ErrorKind::Unauthenticated, Some(Reason::CredentialsRefused))
    );
    let shown = registry.log().count(|exchange| exchange.authorization.is_some());
    assert!(shown <= 4, "{shown} guesses: {:#?}", registry.log().lines());
}

#[test]
fn credentials_that_end_are_asked_for_anew_before_they_are_refused() {
    let registry = start(|builder| builder.basic_auth("robot", "hunter2"));
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let source = move |_: &Host| {
        let ends = if count.fetch_add(1, Ordering::SeqCst) == 0 { 1 } else { 3600 };
        Ok(Some(
            Credentials::basic("robot", "hunter2").with_expiry(SystemTime::now() + Duration::from_secs(ends)),
        ))
    };
    let registries = registries(&registry, source);
    for _ in 0..3 {
        resolve(&registries, &registry).unwrap();
    }
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    assert_eq!(registry.log().count(|exchange| exchange.status == Some(401)), 1, "the stranger's alone");
}

#[test]
fn a_stale_login_says_where_it_is_kept() {
    for bearer in [false, true] {
        let registry = start(|builder| {
            if bearer {
                builder.bearer_auth(Bearer::new("robot", "new"))
            } else {
                builder.basic_auth("robot", "new")
            }
        });
        let stored =
            Credentials::basic("robot", "old").with_origin("/home/u/.docker/config.json, key ghcr.io");
        let source = StaticCredentials::default().with(host(&registry), stored);
        let error = resolve(&registries(&registry, source), &registry).unwrap_err();
        assert_eq!(
            (error.kind(), error.reason()),
            (ErrorKind::Unauthenticated, Some(Reason::StaleCredential))
        );
        assert_eq!(error.get("credentials from"), Some("/home/u/.docker/config.json, key ghcr.io"));
        assert_eq!(error.get("user"), Some("robot"));
        assert_eq!(error.get("registry"), Some(registry.host()));
        assert!(error.hint().unwrap().contains("log out and in again"), "{error:?}");
        assert!(!format!("{error:?}").contains("\"old\""));
        // Who says when they end has not to look for another cause.
        let ended =
            Credentials::basic("robot", "old").with_origin("the vault").with_expiry(SystemTime::now());
        let source = StaticCredentials::default().with(host(&registry), ended);
        let error = resolve(&registries(&registry, source), &registry).unwrap_err();
        assert_eq!(error.reason(), Some(Reason::StaleCredential));
        assert!(error.hint().unwrap().starts_with("these credentials have ended"), "{error:?}");
    }
}

#[test]
fn a_refused_head_tells_what_a_get_is_told() {
    let registry = start(|builder| builder.basic_auth("robot", "hunter2"));
    let registries = registries(&registry, login(&registry));
    resolve(&registries, &registry).unwrap();
    let body = r#"{"errors":[{"code":"UNAUTHORIZED","message":"not on a Sunday"}]}"#;
    let fault = Fault::Status { code: 401, headers: vec![], body: body.into() };
    registry.script().add(Rule::new("*", "*/manifests/*", fault).always());
    let error = resolve(&registries, &registry).unwrap_err();
    assert_eq!((error.kind(), error.get("codes")), (ErrorKind::Unauthenticated, Some("UNAUTHORIZED")));
    assert!(error.message().contains("not on a Sunday"), "{error:?}");
}

#[test]
fn how_long_a_login_holds_can_be_asked() {
    let bearer = Bearer::new("robot", "hunter2").lifetime(Duration::from_secs(600), Some(600));
    let registry = start(|builder| builder.bearer_auth(bearer));
    let ends = SystemTime::now() + Duration::from_secs(7200);
    let credentials = Credentials::basic("robot", "hunter2").with_expiry(ends).with_origin("the vault");
    let source = StaticCredentials::default().with(host(&registry), credentials);
    let client = Client::builder().plain_http(host(&registry)).credentials(source).build().unwrap();
    let cx = Context::default();
    let status = |client: &Client| block(client.login_status(&cx, &host(&registry))).unwrap();
    let before = status(&client).unwrap();
    assert_eq!((before.username.as_deref(), before.origin.as_deref()), (Some("robot"), Some("the vault")));
    assert_eq!((before.expiry, before.token_expiry), (Some(ends), None));
    let location = format!("oci://{}/charts/web", registry.host()).parse().unwrap();
    block(client.open(&location).unwrap().resolve(&version())).unwrap();
    let token = status(&client).unwrap().token_expiry.unwrap().duration_since(SystemTime::now()).unwrap();
    assert!((500..=600).contains(&token.as_secs()), "{token:?}");
    // Of several tokens the one that lasts.
    let answer = raw::ask("GET", "/token?scope=repository:charts/other:pull").login("robot", "hunter2");
    let answer: serde_json::Value = serde_json::from_slice(&answer.send(registry.host()).body).unwrap();
    let lasting = serde_json::json!({"token": answer["token"], "expires_in": 5000}).to_string();
    registry.script().once("GET", "/token*", Fault::Body(lasting.into()));
    let other = format!("oci://{}/charts/other", registry.host()).parse().unwrap();
    assert_eq!(
        block(client.open(&other).unwrap().resolve(&version())).unwrap_err().kind(),
        ErrorKind::NotFound
    );
    let token = status(&client).unwrap().token_expiry.unwrap().duration_since(SystemTime::now()).unwrap();
    assert!((4900..=5000).contains(&token.as_secs()), "{token:?}");
    let nobody = Client::builder().plain_http(host(&registry)).build().unwrap();
    assert_eq!(status(&nobody), None);
}
