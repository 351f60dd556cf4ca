use futures_util::TryStreamExt as _;
use oci_chart_core::{
    Context, ErrorKind, Event, Reason,
    auth::{Credentials, LoginOptions, LoginPlace, StaticCredentials},
    name::{RepositoryName, Selector, Tag},
    oci::MediaType,
    store::{Feature, Store, Support},
    transfer::{self, PullOptions},
};
use oci_chart_testkit::{Bearer, Fault, Registry, Rule};

use super::{found, manifest, methods};
use crate::remote::{block, host, login, open, registries, repository};

fn filled(registry: &Registry, tags: usize) {
    for n in 0..tags {
        let name = format!("1.0.{n}");
        registry.put_manifest("charts/web", &name, MediaType::OCI_MANIFEST.as_str(), "{}").unwrap();
    }
}

fn count(registry: &Registry) -> usize {
    let tags: Vec<Tag> = block(repository(registry, "charts/web").tags().try_collect()).unwrap();
    let mut unique = tags.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), tags.len(), "no tag comes twice");
    tags.len()
}

#[test]
fn a_page_without_a_link_is_followed_by_its_last_tag() {
    let registry = Registry::start().unwrap();
    filled(&registry, 2500);
    registry.script().add(Rule::new("GET", "*/tags/list*", Fault::RemoveHeader("link".into())).always());
    assert_eq!(count(&registry), 2500);
    let lines = registry.log().lines();
    assert_eq!(lines.len(), 3, "{lines:#?}");
    assert!(lines[0].contains("n=1000") && lines[1].contains("n=1000&last=1.0."), "{lines:#?}");
}

#[test]
fn a_full_page_is_the_last_where_more_is_refused() {
    for status in [400, 404, 405, 416] {
        let registry = Registry::start().unwrap();
        filled(&registry, 1000);
        registry.script().add(Rule::new("GET", "*last=*", Fault::error(status, "UNSUPPORTED")).always());
        assert_eq!(count(&registry), 1000, "{status}");
        assert_eq!(registry.script().fired(), 1, "{status}");
    }
}

#[test]
fn a_link_counts_more_than_the_number_of_tags() {
    // Fewer than asked for, and not the end.
    let registry = Registry::builder().page_size(100).start_blocking().unwrap();
    filled(&registry, 250);
    assert_eq!(count(&registry), 250);
    assert_eq!(registry.log().entries().len(), 3);
}

#[test]
fn a_registry_that_knows_no_pages_is_believed() {
    // As docker-registry 2.8: everything, whatever was asked for.
    for tags in [1000, 1500] {
        let names: Vec<String> = (0..tags).map(|n| format!("1.0.{n}")).collect();
        let body = serde_json::json!({"name": "charts/web", "tags": names}).to_string();
        let registry = Registry::start().unwrap();
        filled(&registry, 1);
        registry.script().add(Rule::new("GET", "*/tags/list*", Fault::Body(body.into())).always());
        assert_eq!(count(&registry), tags);
    }
}

#[test]
fn a_list_that_leads_back_to_itself_ends_at_once() {
    let tags = "/v2/charts/web/tags/list";
    for (links, requests) in [
        (&[("*", format!("<{tags}?n=1000>; rel=\"next\""))][..], 1),
        (
            &[
                ("*n=1000*", format!("<{tags}?page=2>; rel=next")),
                ("*", format!("<{tags}?page=2>; rel=next")),
            ],
            2,
        ),
        (
            &[("*page=2", format!("<{tags}?page=3>; rel=next")), ("*", format!("<{tags}?page=2>; rel=next"))],
            3,
        ),
    ] {
        let registry = Registry::start().unwrap();
        filled(&registry, 3);
        for (target, link) in links {
            let rule = Rule::new("GET", target, Fault::SetHeader("link".into(), link.clone()));
            registry.script().add(rule.always());
        }
        let store = repository(&registry, "charts/web");
        let error = block(store.tags().try_collect::<Vec<Tag>>()).unwrap_err();
        assert_eq!(found(&error), (ErrorKind::Protocol, Some(Reason::MalformedAnswer)), "{error:?}");
        assert_eq!(registry.log().entries().len(), requests, "{:#?}", registry.log().lines());
    }
}

#[test]
fn pages_without_anything_on_them_come_to_an_end() {
    let registry = Registry::start().unwrap();
    for page in 1..200 {
        let link = ("link".to_owned(), format!("</v2/charts/web/tags/list?page={page}>; rel=next"));
        let empty = Fault::Status { code: 200, headers: vec![link], body: r#"{"tags":[]}"#.into() };
        registry.script().once("GET", "*/tags/list*", empty);
    }
    let store = repository(&registry, "charts/web");
    let error = block(store.tags().try_collect::<Vec<Tag>>()).unwrap_err();
    assert_eq!(found(&error), (ErrorKind::Protocol, Some(Reason::MalformedAnswer)), "{error:?}");
    assert_eq!(registry.log().entries().len(), 101);
}

#[test]
fn a_registry_that_refuses_the_page_size_is_asked_without() {
    let registry = Registry::start().unwrap();
    filled(&registry, 5);
    let rule = Rule::new("GET", "*n=1000*", Fault::error(400, "PAGINATION_NUMBER_INVALID"));
    registry.script().add(rule.always());
    let store = repository(&registry, "charts/web");
    for _ in 0..2 {
        let tags: Vec<Tag> = block(store.tags().try_collect()).unwrap();
        assert_eq!(tags.len(), 5);
    }
    assert_eq!(registry.log().entries().len(), 3, "remembered");
    assert_eq!(store.capabilities().get(Feature::PageSize), Support::No);
}

#[test]
fn the_catalog_lists_repositories_page_by_page() {
    let registry = Registry::builder().page_size(2).start_blocking().unwrap();
    for name in ["a/one", "b/two", "c/three"] {
        registry.put_manifest(name, "1.0.0", MediaType::OCI_MANIFEST.as_str(), "{}").unwrap();
    }
    let registries = registries(&registry, StaticCredentials::default());
    let names: Vec<RepositoryName> =
        block(registries.catalog(&host(&registry)).unwrap().try_collect()).unwrap();
    assert_eq!(names.iter().map(RepositoryName::as_str).collect::<Vec<_>>(), ["a/one", "b/two", "c/three"]);
    assert_eq!(registries.capabilities(&host(&registry)).unwrap().get(Feature::Catalog), Support::Yes);
}

#[test]
fn a_catalog_that_is_not_offered_is_unsupported() {
    for status in [401, 403, 404, 405] {
        let registry = Registry::start().unwrap();
        registry.script().add(Rule::new("GET", "*_catalog*", Fault::error(status, "X")).always());
        let registries = registries(&registry, StaticCredentials::default());
        let all = registries.catalog(&host(&registry)).unwrap().try_collect::<Vec<_>>();
        let error = block(all).unwrap_err();
        assert_eq!(found(&error), (ErrorKind::Unsupported, Some(Reason::CatalogUnavailable)), "{status}");
        assert!(error.hint().is_some());
    }
}

#[test]
fn the_catalog_asks_for_its_own_permission() {
    let registry = Registry::builder().bearer_auth(Bearer::new("robot", "hunter2")).start_blocking().unwrap();
    let registries = registries(&registry, login(&registry));
    let all = registries.catalog(&host(&registry)).unwrap().try_collect::<Vec<_>>();
    block(all).unwrap();
    let asked = format!("{:?}", registry.tokens().requests());
    assert!(asked.contains("registry:catalog:*"), "{asked}");
}

#[test]
fn what_a_registry_can_is_asked_without_changing_anything() {
    let registry = Registry::start().unwrap();
    filled(&registry, 3);
    let store = repository(&registry, "charts/web");
    let found = block(store.detect()).unwrap();
    assert_eq!(
        [Feature::Referrers, Feature::Catalog, Feature::PageSize, Feature::Harbor, Feature::Mounts]
            .map(|feature| found.get(feature)),
        [Support::Yes, Support::Yes, Support::Yes, Support::No, Support::Unknown]
    );
    assert_eq!(methods(&registry), "GET GET GET GET");
    // Another client that is told needs not find out.
    let registries = registries(&registry, StaticCredentials::default());
    registries.assume(&host(&registry), &found).unwrap();
    assert_eq!(open(&registries, &registry, "charts/web").capabilities(), found);

    let old = Registry::builder().referrers_api(false).start_blocking().unwrap();
    old.script().add(Rule::new("GET", "*_catalog*", Fault::error(401, "UNAUTHORIZED")).always());
    old.script().add(Rule::new(
        "GET",
        "/api/v2.0/ping",
        Fault::Status { code: 200, headers: Vec::new(), body: "Pong".into() },
    ));
    let found = block(repository(&old, "charts/web").detect()).unwrap();
    assert_eq!(
        [Feature::Referrers, Feature::Catalog, Feature::PageSize, Feature::Harbor]
            .map(|feature| found.get(feature)),
        [Support::No, Support::No, Support::Unknown, Support::Yes]
    );
}

#[test]
fn a_registry_that_cannot_be_reached_is_no_answer() {
    let registry = Registry::start().unwrap();
    let store = repository(&registry, "charts/web");
    drop(registry);
    assert_eq!(block(store.detect()).unwrap_err().kind(), ErrorKind::Network);
}

#[test]
fn warnings_are_told_once() {
    let registry = Registry::builder().warning("this registry moves in May").start_blocking().unwrap();
    let store = repository(&registry, "charts/web");
    let (sender, events) = std::sync::mpsc::channel();
    let cx = Context::default().with_events(move |event| sender.send(event).unwrap());
    // Nobody listens yet.
    block(store.push(&manifest(1, None), &[])).unwrap();
    for n in 2..5 {
        block(cx.run(store.push(&manifest(n, None), &[]))).unwrap();
    }
    let events: Vec<_> = events.try_iter().collect();
    assert_eq!(events, [Event::Warning("127.0.0.1: this registry moves in May".into())]);
}

#[test]
fn an_unknown_repository_may_have_an_empty_list_of_tags() {
    // olareg's answer; others have 404 and a code for it.
    let registry = Registry::start().unwrap();
    let empty =
        Fault::Status { code: 200, headers: vec![], body: r#"{"name":"charts/web","tags":[]}"#.into() };
    registry.script().add(Rule::new("GET", "*/tags/list*", empty).always());
    let store: std::sync::Arc<dyn Store> = std::sync::Arc::new(repository(&registry, "charts/web"));
    assert_eq!(block(store.tags().try_collect::<Vec<_>>()).unwrap(), []);
    let version = Selector::Tag("1.0.0".parse().unwrap());
    let options = PullOptions::without_verification();
    let error = block(transfer::pull(&Context::default(), &store, &version, &options)).unwrap_err();
    assert_eq!(found(&error), (ErrorKind::NotFound, Some(Reason::TagMissing)), "{error:?}");
    assert_eq!(error.hint(), Some("the repository has no tags at all"));
}

#[test]
fn nothing_hangs_on_the_header_that_names_the_version_of_the_api() {
    let registry = Registry::builder().bearer_auth(Bearer::new("robot", "hunter2")).start_blocking().unwrap();
    let without = Fault::RemoveHeader("docker-distribution-api-version".into());
    registry.script().add(Rule::new("*", "*", without).always());
    let registries = registries(&registry, login(&registry));
    let store = open(&registries, &registry, "charts/web");
    block(store.push(&manifest(1, None), &[])).unwrap();
    let (options, who) = (LoginOptions::default(), Credentials::basic("robot", "hunter2"));
    let place = tempfile::tempdir().unwrap();
    let options = options.with_place(LoginPlace::File(place.path().join("config.json")));
    assert!(block(registries.login(&host(&registry), &who, &options)).unwrap().verified);
}
