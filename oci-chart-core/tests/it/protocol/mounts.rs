use std::sync::Arc;

use oci_chart_core::{
    ErrorKind,
    auth::StaticCredentials,
    store::{Blob, ConnectionOptions, Feature, Pushed, Registries, RetryOptions, Store, Support},
};
use oci_chart_testkit::{Fault, Mounts, Registry, Rule};

use super::{blob, methods, sent};
use crate::remote::{block, host, open, registries, repository};

#[test]
fn a_registry_that_ignores_mounts_gets_no_bytes_twice() {
    let registry = Registry::builder().mounts(Mounts::Never).start_blocking().unwrap();
    let store = repository(&registry, "charts/web");
    let (small, large) = (blob(1000), blob(1 << 20));
    for content in [&small, &large] {
        assert_eq!(block(store.push(content, &[])).unwrap(), Pushed::Written);
    }
    registry.log().take();
    for content in [&small, &large] {
        assert_eq!(block(store.push(content, &[])).unwrap(), Pushed::Existing);
    }
    assert_eq!(sent(&registry, |_| true), 0, "{:#?}", registry.log().lines());
    assert_eq!(store.capabilities().get(Feature::Mounts), Support::No);
    registry.log().take();
    block(store.push(&small, &[])).unwrap();
    assert_eq!(methods(&registry), "HEAD", "remembered");
    assert_eq!(registry.open_uploads(), 0);

    // Many bytes are worth a question to a client that knows nothing yet.
    registry.log().take();
    assert_eq!(block(repository(&registry, "charts/web").push(&large, &[])).unwrap(), Pushed::Existing);
    assert_eq!(sent(&registry, |_| true), 0);
    // Few are not: the question, and giving up the upload that is open by then, cost a request more than the bytes do.
    registry.log().take();
    assert_eq!(block(repository(&registry, "charts/web").push(&small, &[])).unwrap(), Pushed::Written);
    assert_eq!(methods(&registry), "POST PUT");
    assert_eq!(registry.open_uploads(), 0);
}

#[test]
fn a_registry_that_mounts_is_not_asked_twice() {
    let registry = Registry::start().unwrap();
    let store = repository(&registry, "charts/web");
    block(store.push(&blob(10), &[])).unwrap();
    block(store.push(&blob(10), &[])).unwrap();
    assert_eq!(store.capabilities().get(Feature::Mounts), Support::Yes);
    registry.log().take();
    block(store.push(&blob(1 << 20), &[])).unwrap();
    assert_eq!(methods(&registry), "POST PUT");
}

#[test]
fn a_mount_that_is_refused_goes_on_without() {
    for status in [400, 401, 403, 404, 405, 500] {
        let registry = Registry::start().unwrap();
        let registries = registries(&registry, StaticCredentials::default());
        let source: Arc<dyn Store> = Arc::new(open(&registries, &registry, "charts/source"));
        let target = open(&registries, &registry, "charts/target");
        let rule = Rule::new("POST", "*from=charts/source*", Fault::error(status, "X"));
        registry.script().add(rule.always());
        for (n, mounts) in [(1, 1), (2, 0)] {
            let content = blob(100 * n);
            let bytes = content.content().unwrap().as_bytes().unwrap().clone();
            registry.put_blob("charts/source", bytes).unwrap();
            registry.log().take();
            let again = Blob::from_store(content.descriptor().clone(), Arc::clone(&source));
            assert_eq!(block(target.push(&again, &[])).unwrap(), Pushed::Written, "{status}");
            let tried = registry.log().count(|exchange| exchange.target.contains("from=charts/source"));
            let mounts =
                if status == 500 { mounts * RetryOptions::default().attempts as usize } else { mounts };
            assert_eq!(tried, mounts, "{status}: remembered for that source");
        }
        assert_eq!(registry.open_uploads(), 0);
    }
}

#[test]
fn a_registry_that_is_asked_too_often_has_not_refused_to_mount() {
    let registry = Registry::start().unwrap();
    registry.script().add(Rule::new("POST", "*mount=*", Fault::too_many_requests("1")).always());
    let options = ConnectionOptions::default().with_plain_http(host(&registry));
    let options = options.with_retry(RetryOptions::never());
    let registries = Registries::new(options, StaticCredentials::default()).unwrap();
    let error = block(open(&registries, &registry, "charts/web").push(&blob(10), &[])).unwrap_err();
    assert_eq!((error.kind(), methods(&registry).as_str()), (ErrorKind::RateLimited, "POST"));
}

#[test]
fn a_blob_that_is_kept_elsewhere_is_there_by_the_word_of_the_redirect() {
    let registry = Registry::start().unwrap();
    let elsewhere = Fault::Redirect("http://storage.invalid".into());
    registry.script().add(Rule::new("HEAD", "*/blobs/*", elsewhere).always());
    let store = repository(&registry, "charts/web");
    assert!(block(store.exists(blob(10).descriptor())).unwrap());
    assert_eq!(methods(&registry), "HEAD");
}

#[test]
fn a_session_that_a_mount_opened_is_used() {
    let registry = Registry::builder().mounts(Mounts::Never).start_blocking().unwrap();
    let registries = registries(&registry, StaticCredentials::default());
    let source: Arc<dyn Store> = Arc::new(open(&registries, &registry, "charts/source"));
    let target = open(&registries, &registry, "charts/target");
    let content = blob(1000);
    block(source.push(&content, &[])).unwrap();
    registry.log().take();
    let again = Blob::from_store(content.descriptor().clone(), source);
    assert_eq!(block(target.push(&again, &[])).unwrap(), Pushed::Written);
    let opened = registry.log().count(|exchange| exchange.method == "POST");
    assert_eq!((opened, registry.open_uploads()), (1, 0));
}

#[test]
fn a_writer_who_may_not_read_is_told_forbidden_of_what_is_missing() {
    // Artifactory: 403 where others say 404.
    let registry = Registry::builder().mounts(Mounts::Refused(405)).start_blocking().unwrap();
    for method in ["HEAD", "GET"] {
        let rule = Rule::new(method, "*/blobs/sha256:*", Fault::error(403, "DENIED"));
        registry.script().add(rule.always());
        let rule = Rule::new(method, "*/manifests/*", Fault::error(403, "DENIED"));
        registry.script().add(rule.always());
    }
    let store = repository(&registry, "charts/web");
    assert_eq!(block(store.push(&blob(10), &[])).unwrap(), Pushed::Written);
    let manifest = super::manifest(1, None);
    let tags = [("1.0.0".parse().unwrap(), oci_chart_core::store::TagMode::Create)];
    assert_eq!(block(store.push(&manifest, &tags)).unwrap(), Pushed::Written);
    // What the list shows to be there stays protected.
    assert!(block(store.push(&super::manifest(2, None), &tags)).is_err());
}
