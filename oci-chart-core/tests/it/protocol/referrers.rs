use futures_util::TryStreamExt as _;
use oci_chart_core::{
    ErrorKind, Reason,
    name::Selector,
    oci::{Descriptor, MediaType},
    store::{Feature, Store, Support},
};
use oci_chart_testkit::{Exchange, Fault, Registry, Rule};

use super::{found, manifest, methods};
use crate::remote::{block, repository};

fn old() -> Registry {
    Registry::builder().referrers_api(false).start_blocking().unwrap()
}

fn digests(store: &dyn Store, subject: &Descriptor) -> Vec<String> {
    let all: Vec<Descriptor> = block(store.referrers(subject).try_collect()).unwrap();
    let mut all: Vec<_> = all.iter().map(|one| one.digest.to_string()).collect();
    all.sort();
    all
}

/// A subject and its referrers, pushed.
fn pushed(store: &dyn Store, count: u32) -> (Descriptor, Vec<Descriptor>) {
    let subject = manifest(0, None);
    block(store.push(&subject, &[])).unwrap();
    let subject = subject.descriptor().clone();
    let referrers = (1..=count).map(|n| {
        let referrer = manifest(n, Some(&subject));
        block(store.push(&referrer, &[])).unwrap();
        referrer.descriptor().clone()
    });
    let referrers = referrers.collect();
    (subject, referrers)
}

fn sorted(referrers: &[Descriptor]) -> Vec<String> {
    let mut all: Vec<_> = referrers.iter().map(|one| one.digest.to_string()).collect();
    all.sort();
    all
}

#[test]
fn referrers_are_listed_with_and_without_the_interface() {
    for registry in [Registry::builder().page_size(2).start_blocking().unwrap(), old()] {
        let store = repository(&registry, "charts/web");
        let (subject, referrers) = pushed(&store, 5);
        assert_eq!(digests(&store, &subject), sorted(&referrers));
        assert_eq!(digests(&repository(&registry, "charts/web"), &subject), sorted(&referrers));
    }
}

#[test]
fn one_type_is_filtered_by_whoever_can() {
    // One that takes no note of the filter speaks of another, or of this one all the same.
    for (api, lie) in [(true, None), (true, Some("annotations")), (true, Some("artifactType")), (false, None)]
    {
        let registry = Registry::builder().referrers_api(api).start_blocking().unwrap();
        let store = repository(&registry, "charts/web");
        let (subject, referrers) = pushed(&store, 3);
        if let Some(lie) = lie {
            let all: Vec<_> = referrers
                .iter()
                .zip(1..)
                .map(|(one, n)| {
                    serde_json::json!({
                        "mediaType": one.media_type.as_str(), "digest": one.digest.to_string(), "size": one.size,
                        "artifactType": format!("application/vnd.example.{n}"),
                    })
                })
                .collect();
            let body = serde_json::json!({"schemaVersion": 2, "manifests": all}).to_string();
            let unfiltered = Fault::Status {
                code: 200,
                headers: vec![
                    ("content-type".into(), MediaType::OCI_INDEX.to_string()),
                    ("oci-filters-applied".into(), lie.into()),
                ],
                body: body.into(),
            };
            registry.script().add(Rule::new("GET", "*/referrers/*", unfiltered).always());
        }
        let wanted = MediaType::from("application/vnd.example.2");
        let found: Vec<Descriptor> = block(store.referrers_of_type(&subject, &wanted).try_collect()).unwrap();
        assert_eq!(
            found.iter().map(|one| one.digest).collect::<Vec<_>>(),
            [referrers[1].digest],
            "{api} {lie:?}"
        );
    }
}

#[test]
fn the_type_of_a_referrer_is_that_of_its_configuration_where_it_has_none() {
    let registry = old();
    let store = repository(&registry, "charts/web");
    let (subject, _) = pushed(&store, 0);
    let config = super::blob(2);
    block(store.push(&config, &[])).unwrap();
    let text = format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","config":{{"mediaType":"application/vnd.example.config","digest":"{}","size":2}},"layers":[],"annotations":{{"a":"b"}},"subject":{{"mediaType":"{}","digest":"{}","size":{}}}}}"#,
        MediaType::OCI_MANIFEST,
        config.descriptor().digest,
        subject.media_type,
        subject.digest,
        subject.size
    );
    let referrer = oci_chart_core::store::Blob::from_bytes(MediaType::OCI_MANIFEST, text);
    block(store.push(&referrer, &[])).unwrap();
    let all: Vec<Descriptor> = block(store.referrers(&subject).try_collect()).unwrap();
    assert_eq!(all[0].artifact_type, Some(MediaType::from("application/vnd.example.config")));
    assert_eq!(all[0].annotations.get("a").map(String::as_str), Some("b"));
}

#[test]
fn an_unknown_repository_is_no_proof_that_there_is_no_interface() {
    let registry = Registry::start().unwrap();
    registry.script().once("GET", "*/referrers/*", Fault::error(404, "NAME_UNKNOWN"));
    let store = repository(&registry, "charts/web");
    let subject = manifest(0, None).descriptor().clone();
    assert!(digests(&store, &subject).is_empty());
    assert_eq!(store.capabilities().get(Feature::Referrers), Support::Unknown);
    let (subject, referrers) = pushed(&store, 1);
    assert_eq!(digests(&store, &subject), sorted(&referrers));
}

#[test]
fn an_interface_that_was_seen_is_counted_on() {
    let registry = Registry::start().unwrap();
    let store = repository(&registry, "charts/web");
    // `OCI-Subject` told.
    let (subject, referrers) = pushed(&store, 2);
    registry.log().take();
    block(store.delete(&Selector::Digest(referrers[0].digest))).unwrap();
    assert_eq!(methods(&registry), "DELETE", "the registry keeps its list by itself");
    // One answer as of a registry without it changes nothing.
    registry.script().once("GET", "*/referrers/*", Fault::error(404, "X"));
    assert!(digests(&store, &subject).is_empty());
    assert_eq!(store.capabilities().get(Feature::Referrers), Support::Yes);
    assert_eq!(digests(&store, &subject), sorted(&referrers[1..]));
}

#[test]
fn what_looks_like_no_interface_is_none() {
    let html = Fault::Status {
        code: 200,
        headers: vec![("content-type".into(), "text/html".into())],
        body: "<html>".into(),
    };
    for fault in [Fault::error(404, "X"), Fault::error(405, "UNSUPPORTED"), Fault::error(501, "X"), html] {
        let registry = old();
        registry.script().add(Rule::new("GET", "*/referrers/*", fault.clone()).always());
        let store = repository(&registry, "charts/web");
        let (subject, referrers) = pushed(&store, 1);
        assert_eq!(digests(&store, &subject), sorted(&referrers), "{fault:?}");
        assert_eq!(store.capabilities().get(Feature::Referrers), Support::No);
    }
    let registry = Registry::start().unwrap();
    registry.script().add(Rule::new("GET", "*/referrers/*", Fault::error(403, "DENIED")).always());
    let store = repository(&registry, "charts/web");
    let (subject, _) = pushed(&store, 0);
    let error = block(store.referrers(&subject).try_collect::<Vec<_>>()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
}

#[test]
fn a_referrer_that_comes_twice_is_listed_once() {
    let registry = old();
    let (subject, referrers) = pushed(&repository(&registry, "charts/web"), 2);
    let tag = subject.digest.to_string().replace(':', "-");
    let before = registry.manifest("charts/web", &tag).unwrap();
    // By another client, which does not know that it is there.
    let again = manifest(1, Some(&subject));
    block(repository(&registry, "charts/web").push(&again, &[])).unwrap();
    assert_eq!(registry.manifest("charts/web", &tag).unwrap(), before);
    assert_eq!(digests(&repository(&registry, "charts/web"), &subject), sorted(&referrers));
}

#[test]
fn somebody_else_s_entry_survives_ours() {
    // Whoever reads between our read and our write, and writes after us, takes our entry out: it comes back.
    let registry = old();
    let store = repository(&registry, "charts/web");
    let (subject, referrers) = pushed(&store, 1);
    let tag = subject.digest.to_string().replace(':', "-");
    let theirs = registry.manifest("charts/web", &tag).unwrap();

    let mine = manifest(9, Some(&subject));
    let (log, tag2) = (registry.log().clone(), tag.clone());
    log.take();
    std::thread::scope(|scope| {
        let registry = &registry;
        scope.spawn(move || {
            // Just after our write of the index the other one's, made of what was there before, replaces it.
            while log.count(|exchange| exchange.method == "PUT" && exchange.target.contains(&tag2)) == 0
                || !contains(registry, &tag2, 2)
            {
                std::thread::yield_now();
            }
            registry.put_manifest("charts/web", &tag2, &theirs.media_type, theirs.bytes.clone()).unwrap();
        });
        // Slow enough for the other to come in between.
        let rule = Rule::new("PUT", &format!("*{tag}"), Fault::Delay(std::time::Duration::from_millis(100)));
        registry.script().add(rule);
        block(store.push(&mine, &[])).unwrap();
    });
    let mut expected = sorted(&referrers);
    expected.push(mine.descriptor().digest.to_string());
    expected.sort();
    assert_eq!(digests(&store, &subject), expected);
}

fn contains(registry: &Registry, tag: &str, entries: usize) -> bool {
    let index = registry.manifest("charts/web", tag).unwrap();
    let value: serde_json::Value = serde_json::from_slice(&index.bytes).unwrap();
    value["manifests"].as_array().unwrap().len() == entries
}

#[test]
fn concurrent_referrers_of_one_client_are_all_listed() {
    let registry = old();
    let store = repository(&registry, "charts/web");
    let (subject, _) = pushed(&store, 0);
    let referrers: Vec<_> = (1..=6).map(|n| manifest(n, Some(&subject))).collect();
    block(async {
        let pushes = referrers.iter().map(|referrer| store.push(referrer, &[]));
        for pushed in futures_util::future::join_all(pushes).await {
            pushed.unwrap();
        }
    });
    assert_eq!(digests(&store, &subject).len(), 6);
}

#[test]
fn a_conditional_write_is_used_where_it_is_understood_and_not_insisted_on() {
    for times in [1, u64::MAX] {
        let registry = old();
        let store = repository(&registry, "charts/web");
        let (subject, referrers) = pushed(&store, 1);
        let tag = subject.digest.to_string().replace(':', "-");
        registry.log().take();
        // Fails though nobody changed anything: the tag that was sent means nothing to this server.
        let rule = Rule::new("PUT", &format!("*{tag}"), Fault::error(412, "PRECONDITION"));
        registry.script().add(if times == 1 { rule } else { rule.always() });
        let mine = manifest(9, Some(&subject));
        let result = block(store.push(&mine, &[]));
        let puts: Vec<_> = registry
            .log()
            .entries()
            .into_iter()
            .filter(|one| one.target.ends_with(&tag) && one.method == "PUT")
            .collect();
        assert!(puts[0].header("if-match").is_some() && puts[1].header("if-match").is_none());
        if times == 1 {
            result.unwrap();
            assert_eq!(digests(&store, &subject).len(), referrers.len() + 1);
        } else {
            assert_eq!(result.unwrap_err().get("status"), Some("412"));
        }
    }
}

#[test]
fn a_weak_version_is_no_condition() {
    // By RFC 9110, 13.1.1, it never fits.
    let registry = old();
    let store = repository(&registry, "charts/web");
    let (subject, _) = pushed(&store, 1);
    let tag = subject.digest.to_string().replace(':', "-");
    let weak = Fault::SetHeader("etag".into(), "W/\"1\"".into());
    registry.script().add(Rule::new("GET", &format!("*{tag}"), weak).always());
    registry.log().take();
    block(store.push(&manifest(2, Some(&subject)), &[])).unwrap();
    let written = |one: &Exchange| one.method == "PUT" && one.target.ends_with(&tag);
    assert_eq!(registry.log().count(written), 1);
    assert_eq!(registry.log().count(|one| one.header("if-match").is_some()), 0);
}

#[test]
fn a_tag_that_holds_something_else_is_left_alone() {
    let registry = old();
    let store = repository(&registry, "charts/web");
    let (subject, _) = pushed(&store, 0);
    let tag = subject.digest.to_string().replace(':', "-");
    let text = r#"{"schemaVersion":2,"layers":[]}"#;
    registry.put_manifest("charts/web", &tag, MediaType::OCI_MANIFEST.as_str(), text).unwrap();
    let error = block(store.push(&manifest(1, Some(&subject)), &[])).unwrap_err();
    assert_eq!(found(&error), (ErrorKind::Conflict, Some(Reason::WrongMediaType)));
    assert_eq!(registry.manifest("charts/web", &tag).unwrap().bytes, text);
}

#[test]
fn a_deleted_referrer_is_listed_no_more() {
    for registry in [Registry::start().unwrap(), old()] {
        let store = repository(&registry, "charts/web");
        let (subject, referrers) = pushed(&store, 2);
        for left in [1, 0] {
            // By a client that knows nothing of the registry yet.
            let store = repository(&registry, "charts/web");
            block(store.delete(&Selector::Digest(referrers[left].digest))).unwrap();
            assert_eq!(digests(&store, &subject), sorted(&referrers[..left]));
        }
    }
}

#[test]
fn deleting_says_what_the_registry_allows() {
    for (status, expected) in [
        (400, (ErrorKind::Unsupported, Some(Reason::OperationUnsupported))),
        (405, (ErrorKind::Unsupported, Some(Reason::OperationUnsupported))),
        (404, (ErrorKind::NotFound, Some(Reason::TagMissing))),
        (403, (ErrorKind::PermissionDenied, Some(Reason::AccessDenied))),
    ] {
        let registry = Registry::start().unwrap();
        registry.script().add(Rule::new("DELETE", "*", Fault::error(status, "X")).always());
        let store = repository(&registry, "charts/web");
        let error = block(store.delete(&Selector::Tag("1.0.0".parse().unwrap()))).unwrap_err();
        assert_eq!(found(&error), expected, "{status}");
        let learnt = store.capabilities().get(Feature::TagDelete);
        assert_eq!(learnt == Support::No, expected.0 == ErrorKind::Unsupported);
    }
}
