use std::sync::Arc;

use futures_util::TryStreamExt as _;
use oci_chart_core::{
    Content, Context, ErrorKind, Event, Reason,
    digest::{Algorithm, Hasher},
    name::{Selector, Tag},
    oci::{Descriptor, MediaType},
    store::{Blob, Feature, Pushed, Store, StoreExt as _, Support, TagMode},
    transfer::{self, PushOptions},
};
use oci_chart_testkit::{Fault, Registry, Rule};

use super::{found, manifest, methods};
use crate::{
    remote::{block, repository},
    requests::artifact,
};

fn tags(names: &[&str]) -> Vec<(Tag, TagMode)> {
    names.iter().map(|name| (name.parse().unwrap(), TagMode::Replace)).collect()
}

#[test]
fn many_tags_are_written_at_once_where_the_registry_can() {
    for (can, first, second) in [(true, 1, 1), (false, 4, 3)] {
        let registry = Registry::builder().tag_parameters(can).start_blocking().unwrap();
        let store = repository(&registry, "charts/web");
        block(store.push(&manifest(1, None), &tags(&["1.0.0", "stable", "latest"]))).unwrap();
        assert_eq!(registry.tags("charts/web").len(), 3);
        assert_eq!(registry.log().take().len(), first, "{can}");
        block(store.push(&manifest(2, None), &tags(&["2.0.0", "stable", "latest"]))).unwrap();
        assert_eq!(registry.log().take().len(), second, "{can}: remembered");
        let digest = manifest(2, None).descriptor().digest.to_string();
        let moved = registry.tags("charts/web").into_iter().filter(|(_, to)| *to == digest).count();
        assert_eq!(moved, 3);
        let expected = if can { Support::Yes } else { Support::No };
        assert_eq!(store.capabilities().get(Feature::TagParameters), expected);
    }
}

#[test]
fn a_look_at_a_digest_is_not_answered_with_another() {
    let registry = Registry::start().unwrap();
    let store = repository(&registry, "charts/web");
    let content = manifest(1, None);
    block(store.push(&content, &[])).unwrap();
    registry.script().add(Rule::new("HEAD", "*/manifests/*", Fault::wrong_digest()).always());
    let error = block(store.resolve(&Selector::Digest(content.descriptor().digest))).unwrap_err();
    assert_eq!(found(&error), (ErrorKind::DigestMismatch, Some(Reason::WrongDigestHeader)));
}

#[test]
fn two_tags_are_no_reason_to_try() {
    let registry = Registry::start().unwrap();
    let store = repository(&registry, "charts/web");
    block(store.push(&manifest(1, None), &tags(&["1.0.0", "stable"]))).unwrap();
    assert_eq!(methods(&registry), "PUT PUT");
    assert!(registry.log().entries().iter().all(|exchange| !exchange.target.contains("tag=")));
}

#[test]
fn a_tag_that_is_not_confirmed_is_written_by_itself() {
    let registry = Registry::start().unwrap();
    registry.script().once("PUT", "*tag=*", Fault::SetHeader("oci-tag".into(), "1.0.0, stable".into()));
    let store = repository(&registry, "charts/web");
    block(store.push(&manifest(1, None), &tags(&["1.0.0", "stable", "latest"]))).unwrap();
    let last = registry.log().entries().into_iter().last().unwrap();
    assert!(last.target.ends_with("/manifests/latest"), "{}", last.target);
}

#[test]
fn tags_are_confirmed_in_one_header_or_in_many() {
    let registry = Registry::start().unwrap();
    let confirmed = ["1.0.0", "stable", "latest"].map(|tag| ("OCI-Tag".to_owned(), tag.to_owned()));
    let answer = Fault::Status { code: 201, headers: confirmed.into(), body: "".into() };
    registry.script().once("PUT", "*tag=*", answer);
    let store = repository(&registry, "charts/web");
    block(store.push(&manifest(1, None), &tags(&["1.0.0", "stable", "latest"]))).unwrap();
    assert_eq!(methods(&registry), "PUT");
}

#[test]
fn a_manifest_of_another_algorithm_is_written_under_its_digest() {
    for can in [true, false] {
        let registry = Registry::builder().tag_parameters(can).start_blocking().unwrap();
        let store = repository(&registry, "charts/web");
        let bytes = manifest(1, None).content().unwrap().as_bytes().unwrap().clone();
        let mut hasher = Hasher::new(Algorithm::Sha512);
        hasher.update(&bytes);
        let descriptor = Descriptor::new(MediaType::OCI_MANIFEST, hasher.finish(), bytes.len() as u64);
        let content = Blob::from_content(descriptor.clone(), Content::from(bytes.clone()));
        block(store.push(&content, &tags(&["1.0.0"]))).unwrap();
        assert!(block(store.exists(&descriptor)).unwrap());
        assert_eq!(block(store.fetch_bytes(&descriptor, 1 << 20)).unwrap(), bytes);
        let tagged = block(store.fetch_manifest(&Selector::Tag("1.0.0".parse().unwrap()))).unwrap();
        assert_eq!(tagged.1, bytes);
    }
}

#[test]
fn a_manifest_is_not_sent_as_something_else() {
    let registry = Registry::start().unwrap();
    let text = format!(r#"{{"schemaVersion":2,"mediaType":"{}","manifests":[]}}"#, MediaType::OCI_INDEX);
    let wrong = Blob::from_bytes(MediaType::OCI_MANIFEST, text);
    let error = block(repository(&registry, "charts/web").push(&wrong, &[])).unwrap_err();
    assert_eq!(found(&error), (ErrorKind::InvalidManifest, Some(Reason::WrongMediaType)));
    assert_eq!(registry.log().entries().len(), 0);
}

#[test]
fn a_registry_that_lost_blobs_gets_them_once_more() {
    for times in [1, u64::MAX] {
        let registry = Registry::start().unwrap();
        let store: Arc<dyn Store> = Arc::new(repository(&registry, "charts/web"));
        // It says that it has the chart, and has not.
        let layer = artifact(1).chart().digest;
        let rule = Rule::new(
            "POST",
            &format!("*mount={layer}*"),
            Fault::Status { code: 201, headers: Vec::new(), body: "".into() },
        );
        registry.script().add(rule.always());
        if times > 1 {
            let rule = Rule::new("PUT", "*/manifests/*", Fault::error(404, "MANIFEST_BLOB_UNKNOWN"));
            registry.script().add(rule.always());
        }
        let (sender, events) = std::sync::mpsc::channel();
        let cx = Context::default().with_events(move |event| sender.send(event).unwrap());
        let result = block(transfer::push(&cx, &artifact(1), &store, &PushOptions::default()));
        assert!(events.try_iter().any(|event| matches!(event, Event::Warning(_))));
        let puts = registry
            .log()
            .count(|exchange| exchange.target.ends_with("/manifests/1.0.0") && exchange.method == "PUT");
        assert_eq!(puts, 2, "once");
        if times == 1 {
            result.unwrap();
            assert!(registry.blob("charts/web", &layer.to_string()).unwrap().is_some());
        } else {
            assert_eq!(result.unwrap_err().reason(), Some(Reason::BlobMissing));
        }
        assert_eq!(registry.open_uploads(), 0);
    }
}

#[test]
fn a_manifest_write_survives_a_lost_answer() {
    for fault in [Fault::LoseAnswer, Fault::Drop, Fault::error(503, "X")] {
        let registry = Registry::start().unwrap();
        registry.script().once("PUT", "*/manifests/*", fault.clone());
        let store = repository(&registry, "charts/web");
        let pushed = block(store.push(&manifest(1, None), &tags(&["1.0.0"]))).unwrap();
        assert_eq!(pushed, Pushed::Written, "{fault:?}");
        assert_eq!(registry.tags("charts/web").len(), 1);
    }
}

#[test]
fn any_success_is_one() {
    for code in [200, 201, 202, 204] {
        let registry = Registry::start().unwrap();
        let store = repository(&registry, "charts/web");
        let answer = Fault::Status { code, headers: Vec::new(), body: "".into() };
        registry.script().once("PUT", "*/manifests/*", answer.clone());
        block(store.push(&manifest(1, None), &tags(&["1.0.0"]))).unwrap();
        registry.script().once("PUT", "*/uploads/*", answer);
        block(store.push(&super::blob(10), &[])).unwrap();
    }
}

#[test]
fn places_beside_the_registry_that_a_layer_names_are_never_asked() {
    let elsewhere = Registry::start().unwrap();
    let registry = Registry::start().unwrap();
    let store: Arc<dyn Store> = Arc::new(repository(&registry, "charts/web"));
    block(transfer::push(&Context::default(), &artifact(1), &store, &PushOptions::default())).unwrap();
    let manifest = registry.manifest("charts/web", "1.0.0").unwrap();
    let mut value: serde_json::Value = serde_json::from_slice(&manifest.bytes).unwrap();
    value["layers"][0]["urls"] = serde_json::json!([format!("{}/v2/x/blobs/y", elsewhere.url())]);
    registry.put_manifest("charts/web", "9.0.0", &manifest.media_type, value.to_string()).unwrap();
    let selector = Selector::Tag("9.0.0".parse().unwrap());
    let options = transfer::PullOptions::without_verification();
    let pulled = block(transfer::pull(&Context::default(), &store, &selector, &options)).unwrap();
    assert_eq!(pulled.package.digest(), artifact(1).package().digest());
    // Not even where the registry has nothing itself.
    registry.script().add(Rule::new("GET", "*/blobs/*", Fault::error(404, "BLOB_UNKNOWN")).always());
    block(transfer::pull(&Context::default(), &store, &selector, &options)).unwrap_err();
    assert_eq!(elsewhere.log().entries().len(), 0);
}

#[test]
fn a_manifest_of_four_mebibytes_goes_and_comes_and_a_larger_one_is_refused_in_words() {
    let padded = |bytes: usize| {
        let text = |padding: usize| {
            format!(
                r#"{{"schemaVersion":2,"manifests":[],"annotations":{{"padding":"{}"}}}}"#,
                "x".repeat(padding)
            )
        };
        Blob::from_bytes(MediaType::OCI_INDEX, text(bytes - text(0).len()))
    };
    let registry = Registry::start().unwrap();
    let store = repository(&registry, "charts/web");
    let most = padded(4 << 20);
    assert_eq!(most.descriptor().size, 4 << 20);
    block(store.push(&most, &tags(&["1.0.0"]))).unwrap();
    let version = Selector::Tag("1.0.0".parse().unwrap());
    let (descriptor, bytes) = block(store.fetch_manifest(&version)).unwrap();
    assert_eq!((&descriptor, bytes.len()), (most.descriptor(), 4 << 20));
    let error = block(store.push(&padded((4 << 20) + 1), &tags(&["2.0.0"]))).unwrap_err();
    assert_eq!(found(&error), (ErrorKind::LimitExceeded, Some(Reason::DocumentTooLarge)), "{error:?}");
    assert!(error.hint().is_some() && error.get("status") == Some("413"), "{error:?}");
}

#[test]
fn a_digest_header_of_another_algorithm_is_held_against_the_bytes_as_well() {
    let registry = Registry::start().unwrap();
    let store = repository(&registry, "charts/web");
    let blob = manifest(1, None);
    block(store.push(&blob, &tags(&["1.0.0"]))).unwrap();
    let bytes = blob.content().unwrap().read(1 << 20).unwrap();
    let mut hasher = Hasher::new(Algorithm::Sha512);
    hasher.update(&bytes);
    let right = hasher.finish().to_string();
    let version = Selector::Tag("1.0.0".parse().unwrap());
    for (claimed, reason) in [
        (right.clone(), None),
        ("md5:d41d8cd98f00b204e9800998ecf8427e".to_owned(), None),
        (format!("sha512:{}", "0".repeat(128)), Some(Reason::WrongDigestHeader)),
        ("nothing".to_owned(), Some(Reason::WrongDigestHeader)),
    ] {
        registry.script().clear();
        let lie = Fault::SetHeader("docker-content-digest".into(), claimed.clone());
        registry.script().add(Rule::new("GET", "*/manifests/*", lie).always());
        match block(store.fetch_manifest(&version)) {
            Ok((_, found)) => assert!(found == bytes && reason.is_none(), "{claimed}"),
            Err(error) => assert_eq!(error.reason(), reason, "{claimed}: {error:?}"),
        }
    }
}

#[test]
fn what_refers_to_something_that_comes_later_is_taken() {
    for api in [true, false] {
        let registry = Registry::builder().referrers_api(api).start_blocking().unwrap();
        let store = repository(&registry, "charts/web");
        let subject = manifest(1, None);
        let referrer = manifest(2, Some(subject.descriptor()));
        block(store.push(&referrer, &[])).unwrap();
        block(store.push(&subject, &tags(&["1.0.0"]))).unwrap();
        let found: Vec<Descriptor> = block(store.referrers(subject.descriptor()).try_collect()).unwrap();
        assert_eq!(found.len(), 1, "API: {api}");
    }
}
