//! Spec section "Content Management": deletion, and that it is immediate.

use oci_chart_testkit::Registry;

use crate::support::{ask, push_blob, push_image, sha256};

pub(super) fn tag_delete(registry: &Registry) {
    push_image(registry.host(), "a", "v1", b"layer", "");
    assert_eq!(delete(registry, "manifests/v1"), (202, String::new()));
    assert_eq!(delete(registry, "manifests/v1"), (404, "MANIFEST_UNKNOWN".to_owned()));
}

pub(super) fn tag_delete_atomic(registry: &Registry) {
    let manifest = push_image(registry.host(), "a", "v1", b"layer", "");
    push_image(registry.host(), "a", "v2", b"layer", "");
    delete(registry, "manifests/v1");
    assert_eq!(status(registry, "manifests/v1"), 404);
    // The manifest and its other tags stay.
    assert_eq!(status(registry, "manifests/v2"), 200);
    assert_eq!(status(registry, &format!("manifests/{}", sha256(&manifest))), 200);
    assert!(!ask("GET", "/v2/a/tags/list").send(registry.host()).text().contains("v1"));
}

pub(super) fn blob_delete(registry: &Registry) {
    let digest = push_blob(registry.host(), "a", b"content");
    assert_eq!(delete(registry, &format!("blobs/{digest}")), (202, String::new()));
    assert_eq!(delete(registry, &format!("blobs/{digest}")), (404, "BLOB_UNKNOWN".to_owned()));
}

pub(super) fn blob_delete_atomic(registry: &Registry) {
    let digest = push_blob(registry.host(), "a", b"content");
    push_blob(registry.host(), "b", b"content");
    delete(registry, &format!("blobs/{digest}"));
    assert_eq!(status(registry, &format!("blobs/{digest}")), 404);
    // Another repository keeps its own.
    assert_eq!(ask("GET", format!("/v2/b/blobs/{digest}")).send(registry.host()).status, 200);
}

pub(super) fn manifest_delete(registry: &Registry) {
    let target = format!("manifests/{}", sha256(&push_image(registry.host(), "a", "v1", b"layer", "")));
    assert_eq!(delete(registry, &target), (202, String::new()));
    assert_eq!(delete(registry, &target), (404, "MANIFEST_UNKNOWN".to_owned()));
    let nowhere = ask("DELETE", format!("/v2/nowhere/{target}")).send(registry.host());
    assert_eq!((nowhere.status, nowhere.code().as_str()), (404, "NAME_UNKNOWN"));
}

pub(super) fn manifest_delete_atomic(registry: &Registry) {
    let target = format!("manifests/{}", sha256(&push_image(registry.host(), "a", "v1", b"layer", "")));
    push_image(registry.host(), "a", "v2", b"layer", "");
    delete(registry, &target);
    // Every tag that pointed to it is gone with it.
    for gone in ["manifests/v1", "manifests/v2", &target] {
        assert_eq!(status(registry, gone), 404, "{gone}");
    }
    assert!(registry.tags("a").is_empty());
}

fn delete(registry: &Registry, rest: &str) -> (u16, String) {
    let answer = ask("DELETE", format!("/v2/a/{rest}")).send(registry.host());
    (answer.status, answer.code())
}

fn status(registry: &Registry, rest: &str) -> u16 {
    ask("GET", format!("/v2/a/{rest}")).send(registry.host()).status
}
