//! Tokens: who is asked for them in which form, what is asked for, and what is kept.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures_util::{TryStreamExt as _, future::join_all};
use oci_chart_core::{
    Client, ErrorKind, Location, Reason, Result,
    auth::{Audience, CredentialSource, Credentials, StaticCredentials},
    blocking,
    name::{Host, Selector},
    oci::MediaType,
    store::{Blob, Pushed, Store as _},
};
use oci_chart_testkit::{Bearer, Class, Fault, Origin, Registry, Rule};

use crate::remote::{block, host, login, open, registries};

fn start(bearer: Bearer) -> Registry {
    let registry = Registry::builder().bearer_auth(bearer).start_blocking().unwrap();
    registry.put_manifest("charts/web", "1.0.0", MediaType::OCI_MANIFEST.as_str(), "{}").unwrap();
    registry
}

fn version() -> Selector {
    Selector::Tag("1.0.0".parse().unwrap())
}

fn identity(registry: &Registry) -> StaticCredentials {
    StaticCredentials::default().with(host(registry), Credentials::identity("long-lived"))
}

/// Method, grant and status of every token request.
fn asked(registry: &Registry) -> Vec<(String, String, u16)> {
    let requests = registry.tokens().requests();
    requests.iter().map(|one| (one.method.clone(), one.grant.clone(), one.status)).collect()
}

#[test]
fn an_identity_token_is_exchanged_by_a_post_and_never_sent_to_the_registry() {
    let registry = start(Bearer::new("robot", "hunter2").identity("long-lived"));
    let store = open(&registries(&registry, identity(&registry)), &registry, "charts/web");
    block(store.resolve(&version())).unwrap();
    assert_eq!(asked(&registry), [("POST".into(), "refresh_token".into(), 200)]);
    let request = &registry.tokens().requests()[0];
    assert_eq!(request.service.as_deref(), Some("testkit"));
    assert_eq!(request.scopes, ["repository:charts/web:pull"], "one scope, joined by blanks");
    let schemes: Vec<_> =
        registry.log().entries().into_iter().map(|exchange| exchange.authorization).collect();
    assert_eq!(schemes, [None, None, Some("Bearer".into())]);
}

#[test]
fn a_service_without_oauth_gets_the_identity_token_by_get_and_is_not_posted_to_again() {
    for status in [404, 405] {
        let registry = start(Bearer::new("robot", "hunter2").identity("long-lived"));
        registry.script().add(Rule::new("POST", "/token", Fault::error(status, "UNSUPPORTED")).always());
        let store = open(&registries(&registry, identity(&registry)), &registry, "charts/web");
        block(store.resolve(&version())).unwrap();
        registry.tokens().revoke_all();
        block(store.resolve(&version())).unwrap();
        assert_eq!(registry.log().count(|exchange| exchange.method == "POST"), 1, "{status}");
        assert_eq!(asked(&registry).len(), 2);
    }
}

#[test]
fn a_service_that_refuses_the_post_is_asked_by_get() {
    for status in [400, 401, 403, 501] {
        let registry = start(Bearer::new("robot", "hunter2").identity("long-lived"));
        registry.script().add(Rule::new("POST", "/token", Fault::error(status, "DENIED")).always());
        let store = open(&registries(&registry, identity(&registry)), &registry, "charts/web");
        block(store.resolve(&version())).unwrap();
        assert_eq!(asked(&registry), [("GET".into(), String::new(), 200)], "{status}");
    }
    // A service that fails is not a service that refuses.
    let registry = start(Bearer::new("robot", "hunter2").identity("long-lived"));
    registry.script().add(Rule::new("POST", "/token", Fault::error(503, "UNAVAILABLE")).always());
    let store = open(&registries(&registry, identity(&registry)), &registry, "charts/web");
    assert_eq!(block(store.resolve(&version())).unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(
        registry.log().count(|exchange| exchange.class == Class::Token && exchange.method == "GET"),
        0
    );
}

#[test]
fn an_identity_token_that_is_refused_says_so() {
    let registry = start(Bearer::new("robot", "hunter2").identity("another"));
    let source = StaticCredentials::default()
        .with(host(&registry), Credentials::identity("long-lived").with_origin("the vault"));
    let store = open(&registries(&registry, source), &registry, "charts/web");
    let error = block(store.resolve(&version())).unwrap_err();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Unauthenticated, Some(Reason::StaleCredential)));
    assert_eq!(error.get("credentials from"), Some("the vault"));
    assert!(!format!("{error:?}").contains("long-lived"));
}

#[test]
fn reading_asks_for_no_more_than_reading() {
    let registry = start(Bearer::new("robot", "hunter2"));
    let store = open(&registries(&registry, login(&registry)), &registry, "charts/web");
    block(store.fetch_manifest(&version())).unwrap();
    assert_eq!(registry.tokens().requests()[0].scopes, ["repository:charts/web:pull"]);
}

#[test]
fn a_mount_asks_for_the_target_first_and_the_source_behind_it() {
    for first_only in [false, true] {
        let registry = start(Bearer::new("robot", "hunter2").first_scope_only(first_only));
        let registries = registries(&registry, login(&registry));
        let source = open(&registries, &registry, "charts/source");
        let blob = Blob::from_bytes("text/plain".into(), "content");
        block(source.push(&blob, &[])).unwrap();
        let again = Blob::from_store(blob.descriptor().clone(), Arc::new(source));
        let target = open(&registries, &registry, "charts/target");
        let pushed = block(target.push(&again, &[])).unwrap();
        let mount = registry
            .tokens()
            .requests()
            .into_iter()
            .find(|request| request.scopes.len() == 2)
            .expect("one token for both");
        assert_eq!(mount.scopes, ["repository:charts/target:pull,push", "repository:charts/source:pull"]);
        // Where the second scope falls under the table, the mount is refused, and the bytes go the long way.
        assert_eq!(pushed, if first_only { Pushed::Written } else { Pushed::Mounted });
    }
}

#[test]
fn a_larger_token_serves_smaller_needs_and_another_repository_gets_its_own() {
    let registry = start(Bearer::new("robot", "hunter2"));
    registry.put_manifest("charts/db", "1.0.0", MediaType::OCI_MANIFEST.as_str(), "{}").unwrap();
    let registries = registries(&registry, login(&registry));
    let web = open(&registries, &registry, "charts/web");
    block(web.push(&Blob::from_bytes("text/plain".into(), "x"), &[])).unwrap();
    let other_handle = open(&registries, &registry, "charts/web");
    block(other_handle.resolve(&version())).unwrap();
    assert_eq!(registry.tokens().requests().len(), 1, "pull,push serves pull");
    block(open(&registries, &registry, "charts/db").resolve(&version())).unwrap();
    assert_eq!(registry.tokens().requests().len(), 2);
}

#[test]
fn many_who_wait_for_one_token_ask_once_also_when_it_is_refused() {
    for (password, tokens) in [("hunter2", 1), ("wrong", 1)] {
        let bearer = Bearer::new("robot", "hunter2");
        let registry = Registry::builder()
            .bearer_auth(bearer)
            .latency(Duration::from_millis(30))
            .start_blocking()
            .unwrap();
        let source =
            StaticCredentials::default().with(host(&registry), Credentials::basic("robot", password));
        let store = open(&registries(&registry, source), &registry, "charts/web");
        let blobs: Vec<_> = (0..8).map(|n| Blob::from_bytes("text/plain".into(), format!("{n}"))).collect();
        let failed = block(async {
            let results = join_all(blobs.iter().map(|blob| store.push(blob, &[]))).await;
            results.into_iter().filter(|result| result.is_err()).count()
        });
        assert_eq!(failed, if password == "wrong" { 8 } else { 0 });
        assert_eq!(registry.log().count_class(Class::Token), tokens, "{:#?}", registry.log().lines());
    }
}

#[test]
fn all_who_wait_for_a_busy_token_service_are_told_how_long() {
    let bearer = Bearer::new("robot", "hunter2");
    let registry =
        Registry::builder().bearer_auth(bearer).latency(Duration::from_millis(30)).start_blocking().unwrap();
    registry.script().add(Rule::new("GET", "/token*", Fault::too_many_requests("3600")).always());
    let store = open(&registries(&registry, login(&registry)), &registry, "charts/web");
    let blobs: Vec<_> = (0..4).map(|n| Blob::from_bytes("text/plain".into(), format!("{n}"))).collect();
    let results = block(join_all(blobs.iter().map(|blob| store.push(blob, &[]))));
    for error in results.into_iter().map(|result| result.unwrap_err()) {
        assert_eq!(error.kind(), ErrorKind::RateLimited, "{error:?}");
        assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)), "{error:?}");
    }
    assert_eq!(registry.log().count_class(Class::Token), 1);
}

#[test]
fn a_token_service_on_another_host_is_told_only_what_it_needs() {
    let registry = start(Bearer::new("robot", "hunter2").own_port(true));
    let store = open(&registries(&registry, login(&registry)), &registry, "charts/web");
    block(store.resolve(&version())).unwrap();
    let entries = registry.log().entries();
    let token = entries.iter().find(|exchange| exchange.class == Class::Token).unwrap();
    assert!(token.target.contains("service=testkit") && token.target.contains("scope=repository"));
    assert_eq!((token.authorization.as_deref(), token.origin), (Some("Basic"), Origin::Token));
    let mut others = entries.iter().filter(|exchange| exchange.class != Class::Token);
    assert!(others.all(|exchange| exchange.authorization.as_deref().is_none_or(|scheme| scheme == "Bearer")));
}

#[test]
fn what_a_token_service_says_of_times_is_no_obstacle() {
    // Microsoft's services have written the first of these; nothing is known of who writes the others.
    for times in [
        r#""expires_in":"3599""#,
        r#""expires_in":"soon","issued_at":5"#,
        r#""expires_in":{},"issued_at":[null]"#,
        r#""expires_in":null,"issued_at":null,"token":null"#,
    ] {
        let body = format!(r#"{{"access_token":"opaque",{times}}}"#);
        let answer = Fault::Status { code: 200, headers: vec![], body: body.into() };
        let registry = start(Bearer::new("robot", "hunter2"));
        registry.script().add(Rule::new("GET", "/token*", answer).always());
        let store = open(&registries(&registry, login(&registry)), &registry, "charts/web");
        block(store.fetch_manifest(&version())).unwrap_err();
        let shown = registry.log().count(|exchange| exchange.authorization.as_deref() == Some("Bearer"));
        assert_eq!(shown, 1, "{times}: {:#?}", registry.log().lines());
    }
}

#[test]
fn a_token_that_opens_nothing_says_what_it_lacks() {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

    // Harbor's answer to a wrong password is a token for nobody, and to a user without the right one for this user; others do not say.
    for (claims, kind, reason, hint) in [
        (r#"{"access":[]}"#, ErrorKind::Unauthenticated, Reason::StaleCredential, "log out and in again"),
        (
            r#"{"sub":"robot","access":[]}"#,
            ErrorKind::PermissionDenied,
            Reason::AccessDenied,
            "lacks this right",
        ),
        (r#"{"sub":"robot"}"#, ErrorKind::Unauthenticated, Reason::CredentialsRefused, "password is wrong"),
    ] {
        let packed = URL_SAFE_NO_PAD.encode(claims);
        let body = format!(
            r#"{{"token":"eyJhbGciOiJFUzI1NiJ9.{packed}.c2ln","access_token":"","expires_in":1800}}"#
        );
        let answer = Fault::Status { code: 200, headers: vec![], body: body.into() };
        let registry = start(Bearer::new("robot", "hunter2"));
        registry.script().add(Rule::new("GET", "/token*", answer).always());
        let source = StaticCredentials::default().with(
            host(&registry),
            Credentials::basic("robot", "wrong").with_origin("/home/u/.docker/config.json"),
        );
        let store = open(&registries(&registry, source), &registry, "charts/web");
        let error = block(store.fetch_manifest(&version())).unwrap_err();
        assert_eq!((error.kind(), error.reason()), (kind, Some(reason)), "{claims}: {error:?}");
        let missing = claims.contains("access").then_some("repository:charts/web:pull");
        assert_eq!(error.get("not granted"), missing, "{claims}");
        assert_eq!(error.get("credentials from"), Some("/home/u/.docker/config.json"));
        assert!(error.hint().unwrap().contains(hint), "{error:?}");
    }
}

#[test]
fn who_gives_credentials_for_a_call_gets_no_other_s_token() {
    let registry = start(Bearer::new("robot", "hunter2"));
    let all = registries(&registry, login(&registry));
    block(open(&all, &registry, "charts/web").resolve(&version())).unwrap();
    // The same client, with somebody else's credentials for one call.
    let other = StaticCredentials::default().with(host(&registry), Credentials::basic("robot", "wrong"));
    let error =
        block(open(&all.with_credentials(other), &registry, "charts/web").resolve(&version())).unwrap_err();
    assert_eq!(
        (error.kind(), error.reason()),
        (ErrorKind::Unauthenticated, Some(Reason::CredentialsRefused))
    );
    registry.log().take();
    block(open(&all, &registry, "charts/web").resolve(&version())).unwrap();
    assert_eq!(registry.log().entries().len(), 1, "the first has its token still");
}

#[test]
fn a_source_that_tells_callers_apart_is_asked_for_each_of_them() {
    struct Changing(Arc<AtomicUsize>);
    #[async_trait]
    impl CredentialSource for Changing {
        async fn credentials(&self, _: &Audience<'_>) -> Result<Option<Credentials>> {
            let password = if self.0.load(Ordering::SeqCst) == 0 { "hunter2" } else { "wrong" };
            Ok(Some(Credentials::basic("robot", password)))
        }

        fn is_lasting(&self) -> bool {
            false
        }
    }
    let registry = start(Bearer::new("robot", "hunter2"));
    let caller = Arc::new(AtomicUsize::new(0));
    let registries = registries(&registry, Changing(Arc::clone(&caller)));
    block(open(&registries, &registry, "charts/web").resolve(&version())).unwrap();
    // The next caller's token is not the first one's, though it is held and would do.
    caller.store(1, Ordering::SeqCst);
    let error = block(open(&registries, &registry, "charts/web").resolve(&version())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
}

#[test]
fn a_closure_is_a_source_that_is_left_alone_while_its_answer_is_good() {
    let registry = start(Bearer::new("robot", "hunter2"));
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let source = move |_: &Host| {
        count.fetch_add(1, Ordering::SeqCst);
        Ok(Some(Credentials::basic("robot", "hunter2")))
    };
    let registries = registries(&registry, source);
    for _ in 0..3 {
        block(open(&registries, &registry, "charts/web").resolve(&version())).unwrap();
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[test]
fn a_source_that_takes_its_time_is_asked_once_by_all_who_wait() {
    struct Slow(Arc<AtomicUsize>);
    #[async_trait]
    impl CredentialSource for Slow {
        async fn credentials(&self, _: &Audience<'_>) -> Result<Option<Credentials>> {
            self.0.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(100)).await;
            Ok(Some(Credentials::basic("robot", "hunter2")))
        }
    }
    let registry = start(Bearer::new("robot", "hunter2"));
    let asked = Arc::new(AtomicUsize::new(0));
    let registries = registries(&registry, Slow(Arc::clone(&asked)));
    let stores: Vec<_> = (0..4).map(|_| open(&registries, &registry, "charts/web")).collect();
    block(async {
        for found in join_all(stores.iter().map(|store| store.tags().try_collect::<Vec<_>>())).await {
            found.unwrap();
        }
    });
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[test]
fn what_one_caller_answers_is_never_shown_for_another() {
    struct Caller(&'static str, usize);
    impl blocking::Host for Caller {
        fn credentials(&mut self, _: &Host) -> Result<Option<Credentials>> {
            self.1 += 1;
            Ok(Some(Credentials::basic("robot", self.0)))
        }
    }
    for bearer in [false, true] {
        let builder = Registry::builder();
        let builder = match bearer {
            true => builder.bearer_auth(Bearer::new("robot", "hunter2")),
            false => builder.basic_auth("robot", "hunter2"),
        };
        let registry = builder.start_blocking().unwrap();
        registry.put_manifest("charts/web", "1.0.0", MediaType::OCI_MANIFEST.as_str(), "{}").unwrap();
        let client = Client::builder()
            .plain_http(host(&registry))
            .credentials(blocking::HostCredentials::default())
            .build()
            .unwrap();
        let client = blocking::Client::new(client);
        let location: Location = format!("oci://{}/charts/web", registry.host()).parse().unwrap();
        let (mut right, mut wrong) = (Caller("hunter2", 0), Caller("wrong", 0));
        client.resolve(&location, &version(), &mut right).unwrap();
        assert_eq!(right.1, 1, "asked once in a call");
        let error = client.resolve(&location, &version(), &mut wrong).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthenticated, "bearer: {bearer}");
        client.resolve(&location, &version(), &mut right).unwrap();
        assert_eq!((right.1, wrong.1), (2, 2), "and once more where it was refused");
    }
}

#[test]
fn a_post_for_a_token_is_not_followed_elsewhere() {
    let thief = Registry::builder().start_blocking().unwrap();
    let registry = start(Bearer::new("robot", "hunter2").identity("long-lived"));
    let headers = vec![("location".to_owned(), format!("{}/token", thief.url()))];
    let away = Fault::Status { code: 307, headers, body: "".into() };
    registry.script().add(Rule::new("POST", "/token", away).always());
    let store = open(&registries(&registry, identity(&registry)), &registry, "charts/web");
    block(store.resolve(&version())).unwrap();
    assert_eq!(asked(&registry), [("GET".into(), String::new(), 200)]);
    assert!(thief.log().entries().is_empty());
}

#[test]
fn a_registry_that_wants_a_password_of_who_shows_a_token_gets_a_new_token() {
    // Harbor: whoever comes with a header is asked for Basic, whatever the header was.
    let registry = start(Bearer::new("robot", "hunter2"));
    let registries = registries(&registry, login(&registry));
    block(open(&registries, &registry, "charts/web").resolve(&version())).unwrap();
    let headers = vec![("www-authenticate".to_owned(), "Basic realm=\"harbor\"".to_owned())];
    let fault = Fault::Status { code: 401, headers, body: "{}".into() };
    registry.script().add(Rule::new("*", "*/manifests/*", fault).always());
    registry.log().take();
    let error = block(open(&registries, &registry, "charts/web").resolve(&version())).unwrap_err();
    assert_eq!(
        (error.kind(), error.reason()),
        (ErrorKind::Unauthenticated, Some(Reason::CredentialsRefused))
    );
    let entries = registry.log().entries();
    let to_registry = entries.iter().filter(|exchange| exchange.class != Class::Token);
    assert!(
        to_registry.clone().all(|exchange| exchange.authorization.as_deref() == Some("Bearer")),
        "no password"
    );
    assert_eq!(to_registry.count(), 3, "the old token, a new one, and a GET for the words");
}

#[test]
fn a_registry_that_moves_its_token_service_is_followed() {
    // The old one is gone, or its tokens do not do any more.
    for gone in [true, false] {
        let registry = start(Bearer::new("robot", "hunter2"));
        let registries = registries(&registry, login(&registry));
        block(open(&registries, &registry, "charts/web").resolve(&version())).unwrap();
        let challenge = format!("Bearer realm=\"{}/token?proxy=1\",service=\"other\"", registry.url());
        let headers = vec![("www-authenticate".to_owned(), challenge)];
        let refusal = Fault::Status { code: 401, headers, body: "".into() };
        if gone {
            registry.script().once("HEAD", "*/manifests/*", refusal);
            registry.script().add(Rule::new("GET", "*service=testkit*", Fault::error(404, "X")).always());
        } else {
            registry.script().add(Rule::new("HEAD", "*/manifests/*", refusal).times(2));
        }
        block(open(&registries, &registry, "charts/web").resolve(&version())).unwrap();
        let mut services: Vec<_> =
            registry.tokens().requests().into_iter().filter_map(|request| request.service).collect();
        services.dedup();
        assert_eq!(services, ["testkit", "other"], "gone: {gone}");
    }
}

#[test]
fn a_token_service_for_each_repository_is_no_obstacle() {
    // Artifactory, where repositories are told apart by their path.
    let registry = start(Bearer::new("robot", "hunter2"));
    registry.put_manifest("charts/other", "1.0.0", MediaType::OCI_MANIFEST.as_str(), "{}").unwrap();
    let registries = registries(&registry, login(&registry));
    let read = |name: &str| {
        registry.script().clear();
        // Tokens of the other repository's service do not do here.
        let challenge = format!("Bearer realm=\"{}/token?of={name}\",service=\"{name}\"", registry.url());
        let headers = vec![("www-authenticate".to_owned(), challenge)];
        let asked = registry.tokens().requests().len();
        let knows = registry.tokens().requests().iter().any(|asked| asked.service.as_deref() == Some(name));
        if !knows {
            let refusal = Fault::Status { code: 401, headers, body: "".into() };
            registry.script().once("HEAD", "*/manifests/*", refusal);
        }
        block(open(&registries, &registry, name).resolve(&version())).unwrap();
        registry.tokens().requests().len() - asked
    };
    assert_eq!(read("charts/web"), 1);
    // One of the service that is known already, and one of its own.
    assert_eq!(read("charts/other"), 2);
    assert_eq!(read("charts/other"), 0);
}

#[test]
fn a_refusal_without_a_challenge_ends_after_one_request() {
    let registry = start(Bearer::new("robot", "hunter2"));
    let fault = Fault::Status { code: 401, headers: vec![], body: "{}".into() };
    registry.script().add(Rule::new("*", "*", fault).always());
    let error =
        block(open(&registries(&registry, login(&registry)), &registry, "charts/web").resolve(&version()));
    assert_eq!(error.unwrap_err().reason(), Some(Reason::BadChallenge));
    assert_eq!(registry.log().entries().len(), 1);
}
