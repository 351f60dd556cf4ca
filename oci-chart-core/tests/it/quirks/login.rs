//! Who is asked for what, and what is shown to whom.

use oci_chart_core::{
    ErrorKind, Reason,
    auth::Credentials,
    store::{Pushed, Store},
    transfer::Action,
};
use oci_chart_testkit::{Class, Origin, Profile, Quirk, raw::ask};

use super::{REPOSITORY, Stage, blob, pull, push, tag};
use crate::remote::{block, open};

/// That the registry itself never saw a password, where it has a token service.
fn kept_its_password(stage: &Stage) {
    let registry = stage
        .registry
        .log()
        .entries()
        .into_iter()
        .filter(|exchange| exchange.origin == Origin::Registry && exchange.class != Class::Token);
    for exchange in registry {
        assert_ne!(
            exchange.authorization.as_deref(),
            Some("Basic"),
            "{}: {}",
            stage.profile,
            exchange.line()
        );
    }
}

#[test]
fn a_token_is_asked_for_what_the_push_needs_whatever_the_challenge_says() {
    let stage = Stage::of(Profile::Ghcr);
    stage.bites_who(Quirk::PullOnlyChallenge, || {
        let begin = ask("POST", format!("/v2/{REPOSITORY}/blobs/uploads/"));
        let header = stage.token("pull").unwrap();
        let refused = begin.header("authorization", header).send(stage.registry.host());
        let challenge = refused.header("www-authenticate").unwrap();
        assert_eq!(refused.status, 401);
        assert!(challenge.contains(":pull\"") && !challenge.contains("push"), "{challenge}");
    });
    let (before, asked) = (stage.registry.bites(), stage.registry.tokens().requests().len());
    push(&stage.store(), "1.0.0").unwrap();
    stage.unbitten(&before);
    assert_eq!(stage.registry.tokens().requests().len() - asked, 1);
    kept_its_password(&stage);
}

#[test]
fn tokens_are_asked_for_with_get_where_a_password_is_known() {
    for profile in [Profile::Ghcr, Profile::Harbor] {
        let stage = Stage::of(profile);
        stage.bites_who(Quirk::NoTokenPost, || {
            let path = if profile == Profile::Harbor { "/service/token" } else { "/token" };
            assert_eq!(stage.send(ask("POST", path).body("grant_type=password")).status, 405);
        });
        let before = stage.registry.bites();
        push(&stage.store(), "1.0.0").unwrap();
        stage.unbitten(&before);
    }
}

#[test]
fn a_name_with_a_dollar_is_a_name() {
    let stage = Stage::of(Profile::Harbor);
    push(&stage.store(), "1.0.0").unwrap();
    let users: Vec<_> =
        stage.registry.tokens().requests().into_iter().filter_map(|request| request.user).collect();
    assert_eq!(users, ["robot$charts+ci"]);
    kept_its_password(&stage);
}

#[test]
fn a_token_for_nobody_is_no_proof_of_a_password() {
    let stage = Stage::of(Profile::Harbor);
    assert!(stage.profile.quirks().contains(&Quirk::WrongPasswordIsAnonymous));
    push(&stage.store(), "1.0.0").unwrap();
    let user = stage.profile.login().unwrap().0;
    let given = ask("GET", format!("/service/token?scope=repository:{REPOSITORY}:pull")).login(user, "wrong");
    assert_eq!(given.send(stage.registry.host()).status, 200);
    // What the token says of itself tells it from a right that is missing.
    let wrong = Credentials::basic(user, "wrong");
    for (wrong, reason) in [
        (wrong.clone(), Reason::CredentialsRefused),
        (wrong.with_origin("config.json"), Reason::StaleCredential),
    ] {
        let client = open(&stage.client_as(Some(wrong)), &stage.registry, REPOSITORY);
        let error = block(client.resolve(&tag("1.0.0"))).unwrap_err();
        assert_eq!((error.kind(), error.reason()), (ErrorKind::Unauthenticated, Some(reason)), "{error:?}");
        assert!(error.hint().is_some(), "{error:?}");
    }
    kept_its_password(&stage);
}

#[test]
fn a_missing_right_is_told_and_the_password_stays_with_the_token_service() {
    let stage = Stage::of(Profile::Harbor);
    assert!(stage.profile.quirks().contains(&Quirk::RightsAreChallenged));
    push(&stage.store(), "1.0.0").unwrap();
    let digest = stage.registry.manifests(REPOSITORY)[0].clone();
    let refused = stage.send(ask("DELETE", format!("/v2/{REPOSITORY}/manifests/{digest}")));
    assert_eq!((refused.status, refused.header("www-authenticate")), (401, Some("Basic realm=\"harbor\"")));
    let selector = oci_chart_core::name::Selector::Digest(digest.parse().unwrap());
    let error = block(stage.store().delete(&selector)).unwrap_err();
    let found = (error.kind(), error.reason());
    assert_eq!(found, (ErrorKind::PermissionDenied, Some(Reason::AccessDenied)), "{error:?}");
    assert!(error.message().contains("action: delete"), "{error:?}");
    assert!(error.get("not granted").is_some_and(|missing| missing.contains("delete")), "{error:?}");
    kept_its_password(&stage);
}

#[test]
fn a_project_that_comes_later_is_found_by_who_was_refused_before() {
    let stage = Stage::with(Profile::Harbor, |builder| builder.projects(&["library"]));
    assert!(stage.profile.quirks().contains(&Quirk::ProjectIsUnauthorized));
    let refused = stage.send(ask("POST", format!("/v2/{REPOSITORY}/blobs/uploads/")));
    assert_eq!((refused.status, refused.header("www-authenticate")), (401, Some("")));
    let store = stage.store();
    let error = push(&store, "1.0.0").unwrap_err();
    assert!(error.message().contains("project charts not found"), "{error:?}");
    assert_eq!(error.reason(), Some(Reason::ProjectMissing), "{error:?}");
    stage.registry.create_project("charts");
    // What it holds is a token from before, which gives no right to the project.
    assert_eq!(push(&store, "1.0.0").unwrap(), Action::Pushed);
    kept_its_password(&stage);
}

#[test]
fn a_project_that_is_not_there_is_told_whoever_asks() {
    let stage = Stage::with(Profile::Harbor, |builder| builder.projects(&["library"]));
    let user = stage.profile.login().unwrap().0;
    for who in [
        Some(Credentials::basic(user, "hunter2")),
        Some(Credentials::basic(user, "wrong").with_origin("config.json")),
        None,
    ] {
        let store: std::sync::Arc<dyn Store> =
            std::sync::Arc::new(open(&stage.client_as(who.clone()), &stage.registry, REPOSITORY));
        for error in [push(&store, "1.0.0").unwrap_err(), pull(&store, "1.0.0").unwrap_err()] {
            let found = (error.kind(), error.reason());
            assert_eq!(found, (ErrorKind::NotFound, Some(Reason::ProjectMissing)), "{who:?}: {error:?}");
            assert!(error.hint().is_some_and(|hint| hint.contains("project")), "{error:?}");
        }
    }
    // The look at the version has shown it: nothing is sent that nobody will keep.
    let sent =
        stage.registry.log().entries().into_iter().filter(|exchange| exchange.target.contains("/blobs/"));
    assert_eq!(sent.count(), 0);
    kept_its_password(&stage);
}

#[test]
fn a_token_service_for_tokens_that_do_not_do_is_no_way_on() {
    let stage = Stage::of(Profile::Nvcr);
    push(&stage.store(), "1.0.0").unwrap();
    stage.bites_who(Quirk::OtherRealm, || {
        let old = "Bearer of-yesterday";
        let get = ask("GET", format!("/v2/{REPOSITORY}/manifests/1.0.0")).header("authorization", old);
        let refused = get.send(stage.registry.host());
        let realm = refused.header("www-authenticate").unwrap().split('"').nth(1).unwrap().to_owned();
        assert_eq!(ask("GET", format!("{realm}?scope=repository:{REPOSITORY}:pull")).send("").status, 401);
    });
    let before = stage.registry.bites();
    for who in [None, stage.profile.login().map(|(user, password)| Credentials::basic(user, password))] {
        let client = stage.client_as(who);
        let store: std::sync::Arc<dyn Store> =
            std::sync::Arc::new(open(&client, &stage.registry, REPOSITORY));
        pull(&store, "1.0.0").unwrap();
        stage.registry.tokens().revoke_all();
        pull(&store, "1.0.0").unwrap();
        stage.unbitten(&before);
    }
}

#[test]
fn the_password_of_a_pipeline_and_its_token_are_logins_like_others() {
    // GitLab: `CI_REGISTRY_USER` and `CI_REGISTRY_PASSWORD`, a job's token, a deploy token. GitHub: whoever, and a token.
    for (profile, user) in [
        (Profile::GitLab, "gitlab-ci-token"),
        (Profile::GitLab, "gitlab+deploy-token-1"),
        (Profile::Ghcr, "octocat"),
    ] {
        let stage = Stage::with(profile, |builder| {
            let bearer = oci_chart_testkit::Bearer::new(user, "token").first_scope_only(true);
            builder.bearer_auth(bearer.lifetime(std::time::Duration::from_secs(300), None))
        });
        let store: std::sync::Arc<dyn Store> = std::sync::Arc::new(open(
            &stage.client_as(Some(Credentials::basic(user, "token"))),
            &stage.registry,
            REPOSITORY,
        ));
        push(&store, "1.0.0").unwrap();
        let users: Vec<_> =
            stage.registry.tokens().requests().into_iter().filter_map(|request| request.user).collect();
        assert_eq!(users, [user], "{profile}");
        kept_its_password(&stage);
    }
}

#[test]
fn no_cookie_comes_back() {
    let stage = Stage::of(Profile::Harbor);
    let set = ask("GET", "/v2/").send(stage.registry.host());
    assert!(set.header("set-cookie").is_some_and(|cookie| cookie.starts_with("sid=")));
    stage.bites_who(Quirk::CookieNeedsCsrf, || {
        let begin = ask("POST", format!("/v2/{REPOSITORY}/blobs/uploads/")).header("cookie", "sid=testkit");
        let refused = stage.send(begin);
        assert_eq!((refused.status, refused.code().as_str()), (403, "FORBIDDEN"));
    });
    let before = stage.registry.bites();
    let store = stage.store();
    push(&store, "1.0.0").unwrap();
    push(&store, "1.0.1").unwrap();
    stage.unbitten(&before);
}

#[test]
fn a_token_that_ended_is_renewed_even_where_nobody_says_401() {
    let stage = Stage::of(Profile::EcrPublic);
    assert!(stage.profile.quirks().contains(&Quirk::ExpiredIsBad));
    let store = stage.store();
    push(&store, "1.0.0").unwrap();
    let ended = stage.token("pull").unwrap();
    stage.registry.tokens().revoke_all();
    let get = ask("GET", format!("/v2/{REPOSITORY}/manifests/1.0.0")).header("authorization", ended);
    let refused = get.send(stage.registry.host());
    assert_eq!((refused.status, refused.header("www-authenticate")), (400, None));
    pull(&store, "1.0.0").unwrap();
    stage.registry.tokens().revoke_all();
    // A push begins with a HEAD, whose answer has no body to tell why.
    assert_eq!(push(&store, "1.0.0").unwrap(), Action::Unchanged);
    stage.registry.tokens().revoke_all();
    assert_eq!(push(&store, "2.0.0").unwrap(), Action::Pushed);
}

#[test]
fn an_identity_token_is_exchanged() {
    let stage = Stage::of(Profile::Acr);
    let identity = stage.client_as(Some(Credentials::identity("identity")));
    let store: std::sync::Arc<dyn Store> = std::sync::Arc::new(open(&identity, &stage.registry, REPOSITORY));
    push(&store, "1.0.0").unwrap();
    let requests = stage.registry.tokens().requests();
    assert_eq!(
        (requests.len(), requests[0].method.as_str(), requests[0].grant.as_str()),
        (1, "POST", "refresh_token")
    );
    assert!(stage.registry.log().count(|exchange| exchange.target.starts_with("/oauth2/token")) == 1);
    kept_its_password(&stage);
}

#[test]
fn a_mount_that_gets_half_its_scopes_goes_without() {
    let stage = Stage::of(Profile::GitLab);
    let content = blob("content");
    let source = stage.repository("charts/source");
    block(source.push(&content, &[])).unwrap();
    let again =
        oci_chart_core::store::Blob::from_store(content.descriptor().clone(), std::sync::Arc::new(source));
    let pushed = block(stage.repository(REPOSITORY).push(&again, &[])).unwrap();
    assert_eq!(pushed, Pushed::Written);
    assert_eq!(stage.registry.open_uploads(), 0);
}
