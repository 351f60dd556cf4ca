//! Somebody else moves a tag while we do.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use oci_chart_core::{
    Digest, Error, ErrorKind, Reason,
    auth::StaticCredentials,
    name::Tag,
    oci::MediaType,
    store::{LoggedRequest, Registries, Repository, Store as _, TagMode},
};
use oci_chart_testkit::Registry;

use super::{found, manifest};
use crate::remote::{block, host, open, options};

const TAG: &str = "stable";
const THEIRS: &str = r#"{"schemaVersion":2,"manifests":[]}"#;

/// A repository with two manifests, the first of which has the tag; somebody else moves it as soon as the first answer to `method` is there.
fn raced(method: &'static str) -> (Arc<Registry>, Repository) {
    let registry = Arc::new(Registry::start().unwrap());
    let (other, moved) = (Arc::clone(&registry), AtomicBool::new(false));
    let log = move |request: &LoggedRequest| {
        let ours = request.method == method && request.url.to_string().ends_with(TAG);
        if ours && !moved.swap(true, Ordering::SeqCst) {
            other.put_manifest("charts/web", TAG, MediaType::OCI_INDEX.as_str(), THEIRS).unwrap();
        }
    };
    for n in [1, 2] {
        let bytes = manifest(n, None).content().unwrap().read(1 << 20).unwrap();
        let tag = if n == 1 { TAG } else { "other" };
        registry.put_manifest("charts/web", tag, MediaType::OCI_MANIFEST.as_str(), bytes).unwrap();
    }
    let options = options().with_plain_http(host(&registry)).with_log(log);
    let registries = Registries::new(options, StaticCredentials::default()).unwrap();
    let repository = open(&registries, &registry, "charts/web");
    (registry, repository)
}

/// Moves the tag from the first manifest to the second: by pushing that one, or by pointing at it.
fn shift(store: &Repository, pushing: bool) -> Result<(), Error> {
    let tag: Tag = TAG.parse().unwrap();
    let (from, to) = (manifest(1, None), manifest(2, None));
    let mode = TagMode::Expect(from.descriptor().digest);
    if pushing {
        block(store.push(&to, &[(tag, mode)])).map(drop)
    } else {
        block(store.tag(to.descriptor(), &tag, &mode))
    }
}

fn points_at(registry: &Registry) -> String {
    registry.manifest("charts/web", TAG).unwrap().digest
}

#[test]
fn a_tag_that_somebody_moves_right_after_us_is_a_conflict_and_stays_theirs() {
    for pushing in [true, false] {
        let (registry, store) = raced("PUT");
        let error = shift(&store, pushing).unwrap_err();
        assert_eq!(found(&error), (ErrorKind::Conflict, Some(Reason::TagMoved)), "{error:?}");
        let theirs = Digest::of(THEIRS).to_string();
        assert_eq!((error.get("actual"), error.get("tag")), (Some(theirs.as_str()), Some(TAG)), "{error:?}");
        assert!(error.hint().is_some() && !error.is_retryable(), "{error:?}");
        assert_eq!(points_at(&registry), theirs);
    }
}

#[test]
fn a_tag_that_is_moved_between_our_look_and_our_write_is_ours_since_the_last_write_counts() {
    // The distribution API has no conditional write; `TagMode::Expect` says so.
    for pushing in [true, false] {
        let (registry, store) = raced("HEAD");
        shift(&store, pushing).unwrap();
        assert_eq!(points_at(&registry), manifest(2, None).descriptor().digest.to_string());
    }
}
