//! Bounds of what is taken, and a race that a registry cannot prevent.

use std::sync::Arc;

use oci_chart_core::{
    Context, Error, ErrorKind, Limits, Reason,
    name::Selector,
    oci::{ChartArtifact, Descriptor, MediaType},
    store::{Blob, Memory, Store, StoreExt as _, TagMode},
    transfer::{self, PullOptions},
};
use oci_chart_testkit::{Fault, Registry, Rule};

use super::{artifact, package, push, version};
use crate::remote::{block, repository};

fn store_of(artifacts: &[&ChartArtifact]) -> Arc<dyn Store> {
    let store: Arc<dyn Store> = Arc::new(Memory::default());
    for artifact in artifacts {
        push(&store, artifact, TagMode::Create).unwrap();
    }
    store
}

/// The limit that an error names.
fn limit(result: Result<(), Error>) -> Option<String> {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{error:?}");
    assert!(error.hint().is_some() && error.get("bound").is_some(), "{error:?}");
    error.get("limit").map(str::to_owned)
}

#[test]
fn every_bound_of_a_pull_is_one_and_says_which() {
    let signed = artifact(&package("1.0.0", "a").with_provenance("signed ".repeat(100)), 1);
    let store = store_of(&[&signed, &artifact(&package("1.1.0", "b"), 1)]);
    let cx = Context::default();
    let bounded = |change: &dyn Fn(&mut Limits)| {
        let mut limits = Limits::default();
        change(&mut limits);
        limits
    };
    let pull = |selector: &str, limits: &Limits| {
        let options = PullOptions::without_verification().with_provenance(true).with_limits(limits.clone());
        block(transfer::pull(&cx, &store, &version(selector), &options)).map(drop)
    };
    let size = signed.chart().size;
    assert!(pull("1.0.0", &bounded(&|limits| limits.package_bytes = size)).is_ok());
    let limits = bounded(&|limits| limits.package_bytes = size - 1);
    assert_eq!(limit(pull("1.0.0", &limits)).as_deref(), Some("package_bytes"));
    assert!(pull("1.0.0", &bounded(&|limits| limits.answer_bytes = 700)).is_ok());
    let limits = bounded(&|limits| limits.answer_bytes = 699);
    assert_eq!(limit(pull("1.0.0", &limits)).as_deref(), Some("answer_bytes"));
    assert!(pull(">0", &bounded(&|limits| limits.tags = 2)).is_ok());
    let limits = bounded(&|limits| limits.tags = 1);
    assert_eq!(limit(pull(">0", &limits)).as_deref(), Some("tags"));

    let metadata =
        |limits: &Limits| block(transfer::fetch_metadata(&cx, &store, &version("1.0.0"), limits)).map(drop);
    let size = signed.config().0.size;
    assert!(metadata(&bounded(&|limits| limits.manifest_bytes = size)).is_ok());
    let limits = bounded(&|limits| limits.manifest_bytes = size - 1);
    assert_eq!(limit(metadata(&limits)).as_deref(), Some("manifest_bytes"));
}

#[test]
fn nothing_larger_than_asked_for_is_held_in_memory() {
    let signed = artifact(&package("1.0.0", "a"), 1);
    let (store, chart) = (store_of(&[&signed]), signed.chart());
    assert!(block(store.fetch_bytes(chart, chart.size)).is_ok());
    let result = block(store.fetch_bytes(chart, chart.size - 1)).map(drop);
    assert_eq!(limit(result).as_deref(), Some("bytes held in memory"));
}

#[test]
fn an_index_is_not_searched_for_ever() {
    let store = store_of(&[]);
    let mut entries = Vec::new();
    for n in 0..65 {
        let manifest = format!(r#"{{"schemaVersion":2,"annotations":{{"n":"{n}"}}}}"#);
        let descriptor = Descriptor::of(MediaType::OCI_MANIFEST, &manifest);
        entries.push(format!(
            r#"{{"mediaType":"{}","digest":"{}","size":{}}}"#,
            descriptor.media_type, descriptor.digest, descriptor.size
        ));
        block(store.push(&Blob::from_bytes(MediaType::OCI_MANIFEST, manifest), &[])).unwrap();
    }
    for (count, kind) in [(64, ErrorKind::InvalidManifest), (65, ErrorKind::LimitExceeded)] {
        let index = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, entries[..count].join(","));
        let index = Blob::from_bytes(MediaType::OCI_INDEX, index);
        block(store.push(&index, &[])).unwrap();
        let selector = Selector::from(index.descriptor().digest);
        let options = PullOptions::without_verification();
        let error = block(transfer::pull(&Context::default(), &store, &selector, &options)).unwrap_err();
        assert_eq!(error.kind(), kind, "{count}: {error:?}");
    }
}

#[test]
fn a_lost_race_for_a_version_is_told() {
    let registry = Registry::start().unwrap();
    let store: Arc<dyn Store> = Arc::new(repository(&registry, "charts/web"));
    let (first, second) = (artifact(&package("1.0.0", "a"), 1), artifact(&package("1.0.0", "b"), 1));
    push(&store, &first, TagMode::Create).unwrap();
    let now = first.manifest().descriptor().digest;
    // Right after our write somebody else's manifest is found under the tag.
    let theirs = Fault::SetHeader("docker-content-digest".into(), now.to_string());
    registry.script().add(Rule::new("HEAD", "*/manifests/1.0.0", theirs).nth(2));
    let error = push(&store, &second, TagMode::Expect(now)).unwrap_err();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Conflict, Some(Reason::TagMoved)), "{error:?}");
    assert_eq!(registry.script().fired(), 1);
}
