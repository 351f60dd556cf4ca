//! Registries that lie: each lie is an error of its own kind, and nothing of it is kept.

use std::sync::Arc;

use oci_chart_core::{
    ErrorKind, Reason,
    name::Selector,
    store::{Store, StoreExt as _, TagMode},
};
use oci_chart_testkit::{Fault, Registry, Rule};

use super::{artifact, package, pull, push, version};
use crate::remote::{block, repository};

/// What a pull says when `fault` befalls requests like `GET target`, and that no file comes of it.
fn lie(target: &str, fault: Fault) -> (ErrorKind, Option<Reason>) {
    let registry = Registry::start().unwrap();
    let store: Arc<dyn Store> = Arc::new(repository(&registry, "charts/web"));
    let package = package("1.0.0", &"x".repeat(2000));
    push(&store, &artifact(&package, 1), TagMode::Create).unwrap();
    registry.script().add(Rule::new("GET", target, fault).always());
    let error = pull(&store, &version("1.0.0")).unwrap_err();
    // What the store cannot know, the reader of the manifest says.
    assert!(error.get("side") == Some("source") || error.kind() == ErrorKind::InvalidManifest, "{error:?}");

    if target.contains("blobs") {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("web.tgz");
        fs_err::write(&path, "as it was").unwrap();
        let manifest = block(store.fetch_manifest(&Selector::Tag("1.0.0".parse().unwrap()))).unwrap();
        let parsed = oci_chart_core::oci::Manifest::parse(&manifest.0, manifest.1).unwrap();
        assert!(block(store.fetch_to(&parsed.layers()[0], &path)).is_err());
        assert_eq!(fs_err::read_to_string(&path).unwrap(), "as it was");
        assert_eq!(fs_err::read_dir(place.path()).unwrap().count(), 1);
    }
    (error.kind(), error.reason())
}

#[test]
fn wrong_bytes_are_a_digest_mismatch() {
    let kind = |target, fault| lie(target, fault).0;
    assert_eq!(kind("*/blobs/*", Fault::FlipByte(7)), ErrorKind::DigestMismatch);
    assert_eq!(kind("*/manifests/*", Fault::FlipByte(7)), ErrorKind::DigestMismatch);
    assert_eq!(
        kind("*/blobs/*", Fault::Body(b"something else".as_slice().into())),
        ErrorKind::DigestMismatch
    );
}

#[test]
fn wrong_lengths_are_told_from_wrong_bytes() {
    assert_eq!(lie("*/blobs/*", Fault::Endless), (ErrorKind::DigestMismatch, Some(Reason::SizeMismatch)));
    let (kind, _) = lie("*/blobs/*", Fault::CutResponse(10));
    assert_eq!(kind, ErrorKind::Network);
    let (kind, _) = lie("*/manifests/*", Fault::CutResponse(10));
    assert_eq!(kind, ErrorKind::Network);
    let (kind, _) = lie("*/manifests/*", Fault::Endless);
    assert_eq!(kind, ErrorKind::LimitExceeded);
}

#[test]
fn a_digest_header_that_does_not_fit_is_its_own_lie() {
    assert_eq!(
        lie("*/manifests/*", Fault::wrong_digest()),
        (ErrorKind::DigestMismatch, Some(Reason::WrongDigestHeader))
    );
}

#[test]
fn a_wrong_media_type_is_its_own_lie() {
    let (kind, reason) = lie("*/manifests/*", Fault::content_type("text/html"));
    assert_eq!((kind, reason), (ErrorKind::InvalidManifest, Some(Reason::WrongMediaType)));
}
