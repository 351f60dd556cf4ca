//! Tags and pages.

use std::collections::BTreeSet;

use futures_util::TryStreamExt as _;
use oci_chart_core::{ErrorKind, auth::Credentials, name::Tag};
use oci_chart_testkit::{Bearer, Builder, Class, Exchange, Profile, Quirk, raw::ask};

use super::{REPOSITORY, Stage, tags};
use crate::remote::block;

/// A registry with so many tags.
fn stocked(profile: Profile, count: usize, more: impl FnOnce(Builder) -> Builder) -> (Stage, BTreeSet<Tag>) {
    let stage = Stage::with(profile, more);
    let names: Vec<String> = (0..count).map(|n| format!("1.0.{n}")).collect();
    for name in &names {
        stage.registry.put_manifest(REPOSITORY, name, "application/json", "{}").unwrap();
    }
    let tags = names.iter().map(|name| name.parse().unwrap()).collect();
    (stage, tags)
}

fn listed(stage: &Stage) -> BTreeSet<Tag> {
    tags(&*stage.store()).unwrap().into_iter().collect()
}

#[test]
fn no_page_is_larger_than_all_allow() {
    for profile in [Profile::Ecr, Profile::EcrPublic] {
        let (stage, tags) = stocked(profile, 1500, |builder| builder.page_size(1000));
        stage.bites_who(Quirk::PageLimit, || {
            let list = stage.send(ask("GET", format!("/v2/{REPOSITORY}/tags/list?n=2000")));
            assert_eq!(list.status, 400);
        });
        let before = stage.registry.bites();
        assert_eq!(listed(&stage), tags);
        stage.unbitten(&before);
    }
}

#[test]
fn all_tags_at_once_are_all_tags() {
    let (stage, tags) = stocked(Profile::Registry2, 120, |builder| builder);
    assert!(stage.profile.quirks().contains(&Quirk::PageSizeIgnored));
    let list = stage.send(ask("GET", format!("/v2/{REPOSITORY}/tags/list?n=1")));
    let list: serde_json::Value = serde_json::from_slice(&list.body).unwrap();
    let names: Vec<&str> = list["tags"].as_array().unwrap().iter().filter_map(|tag| tag.as_str()).collect();
    assert!(names.len() == 120 && !names.is_sorted(), "{names:?}");
    assert_eq!(listed(&stage), tags);
}

#[test]
fn the_next_page_is_where_the_registry_says() {
    let (stage, tags) = stocked(Profile::Quay, 120, |builder| builder);
    stage.bites_who(Quirk::OpaquePages, || {
        let list = |query: &str| stage.send(ask("GET", format!("/v2/{REPOSITORY}/tags/list{query}"))).text();
        assert_eq!(list("?n=2&last=1.0.1"), list("?n=2"), "the same page for ever");
    });
    let before = stage.registry.bites();
    assert_eq!(listed(&stage), tags);
    stage.unbitten(&before);
    assert!(stage.registry.log().count_class(Class::Tags) >= 3);
}

#[test]
fn harbor_lists_repositories_in_a_way_of_its_own() {
    let stage = Stage::with(Profile::Harbor, |builder| builder);
    assert!(stage.profile.quirks().contains(&Quirk::OwnApi));
    let names: Vec<String> =
        (0..250).map(|n| format!("charts/web{n:03}")).chain(["library/all".into()]).collect();
    for name in &names {
        stage.registry.put_manifest(name, "1.0.0", "application/json", "{}").unwrap();
    }
    let catalog = stage.send(ask("GET", "/v2/_catalog"));
    assert_eq!((catalog.status, catalog.header("www-authenticate")), (401, Some("Basic realm=\"harbor\"")));

    let all = |who: Option<Credentials>| {
        let listed = stage.client_as(who).catalog(&stage.host()).unwrap();
        block(listed.try_collect::<Vec<_>>())
    };
    let user = stage.profile.login().unwrap().0;
    stage.registry.log().take();
    let listed = all(Some(Credentials::basic(user, "hunter2"))).unwrap();
    assert_eq!(listed.iter().map(|name| name.as_str()).collect::<Vec<_>>(), names);
    // The password is told to the token service and to Harbor's own API, and never to the registry's.
    for exchange in stage.registry.log().take() {
        let password = exchange.authorization.as_deref() == Some("Basic");
        assert_eq!(
            password,
            !exchange.target.starts_with("/v2/") && !exchange.target.ends_with("ping"),
            "{}",
            exchange.line()
        );
    }
    assert_eq!(all(None).unwrap().iter().map(|name| name.as_str()).collect::<Vec<_>>(), ["library/all"]);
    let error = all(Some(Credentials::basic(user, "wrong"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error:?}");
}

#[test]
fn harbor_s_own_list_gets_no_password_that_another_host_s_tokens_are_made_of() {
    let stage = Stage::with(Profile::Harbor, |builder| {
        let bearer = Bearer::new("robot$charts+ci", "hunter2").own_port(true);
        builder.bearer_auth(bearer.permit(|access| access.user.is_some() && access.kind == "repository"))
    });
    stage.registry.put_manifest("charts/web", "1.0.0", "application/json", "{}").unwrap();
    stage.registry.put_manifest("library/all", "1.0.0", "application/json", "{}").unwrap();
    let listed = stage.client().catalog(&stage.host()).unwrap();
    let listed = block(listed.try_collect::<Vec<_>>()).unwrap();
    assert_eq!(listed.iter().map(|name| name.as_str()).collect::<Vec<_>>(), ["library/all"]);
    let own = |exchange: &Exchange| exchange.target.starts_with("/api/");
    assert!(stage.registry.log().count(own) >= 2);
    let shown = |exchange: &Exchange| own(exchange) && exchange.authorization.is_some();
    assert_eq!(stage.registry.log().count(shown), 0);
}

#[test]
fn nobody_needs_the_catalog() {
    let stage = Stage::of(Profile::DockerHub);
    assert!(stage.profile.quirks().contains(&Quirk::NoCatalog));
    let (user, password) = stage.profile.login().unwrap();
    let challenge = ask("GET", "/v2/_catalog").send(stage.registry.host());
    let realm = challenge.header("www-authenticate").unwrap().split('"').nth(1).unwrap().to_owned();
    let answer = ask("GET", format!("{realm}?scope=registry:catalog:*")).login(user, password).send("");
    let answer: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    let bearer = format!("Bearer {}", answer["token"].as_str().unwrap());
    let catalog = ask("GET", "/v2/_catalog").header("authorization", bearer).send(stage.registry.host());
    assert_eq!(catalog.status, 404);
    stage.registry.log().take();
    super::push(&stage.store(), "1.0.0").unwrap();
    super::pull(&stage.store(), "1.0.0").unwrap();
    assert_eq!(stage.registry.log().count_class(Class::Catalog), 0);
}
