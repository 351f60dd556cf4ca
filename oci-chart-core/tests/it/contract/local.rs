use std::{
    process::Command,
    sync::{Arc, Barrier},
};

use oci_chart_core::{
    ErrorKind, Reason,
    name::Tag,
    oci::MediaType,
    store::{Blob, Cache, Cached, Layout, Memory, Store, TagMode, Traced},
};

#[test]
fn memory() {
    super::run("memory", &[], |_| Arc::new(Memory::default()));
}

#[test]
fn layout() {
    let root = tempfile::tempdir().unwrap();
    super::run("layout", &[], |behaviour| Arc::new(Layout::new(root.path().join(behaviour))));
}

#[test]
fn a_traced_store_is_a_store() {
    super::run("traced memory", &[], |_| Arc::new(Traced::new(Arc::new(Memory::default()))));
}

#[test]
fn a_cached_store_is_a_store() {
    let root = tempfile::tempdir().unwrap();
    super::run("cached memory", &[], |behaviour| {
        let cache = Cache::new(root.path().join(behaviour));
        Arc::new(Cached::new(Arc::new(Memory::default()), cache))
    });
}

fn block<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn manifest(n: usize) -> Blob {
    Blob::from_bytes(MediaType::OCI_MANIFEST, format!(r#"{{"schemaVersion":2,"n":{n},"layers":[]}}"#))
}

#[test]
fn of_many_threads_that_create_one_tag_in_a_layout_exactly_one_wins() {
    let root = tempfile::tempdir().unwrap();
    let tag: Tag = "1.0.0".parse().unwrap();
    let barrier = Barrier::new(8);
    let results: Vec<_> = std::thread::scope(|scope| {
        let start = |n| {
            let (root, tag, barrier) = (root.path(), tag.clone(), &barrier);
            scope.spawn(move || {
                // A layout of its own, as another process would have one.
                let store = Layout::new(root);
                barrier.wait();
                block(store.push(&manifest(n), &[(tag, TagMode::Create)])).map_err(|error| error.kind())
            })
        };
        let threads: Vec<_> = (0..8).map(start).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
    assert!(
        results
            .iter()
            .all(|result| result.as_ref().err().is_none_or(|kind| *kind == ErrorKind::AlreadyExists))
    );
}

#[test]
fn threads_that_write_different_tags_lose_none() {
    let root = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for n in 0..8 {
            let store = Layout::new(root.path());
            scope.spawn(move || {
                for round in 0..5 {
                    let tag: Tag = format!("{n}.{round}.0").parse().unwrap();
                    block(store.push(&manifest(n * 10 + round), &[(tag, TagMode::Create)])).unwrap();
                }
            });
        }
    });
    use futures_util::TryStreamExt as _;
    let store = Layout::new(root.path());
    let tags: Vec<Tag> = block(store.tags().try_collect()).unwrap();
    assert_eq!(tags.len(), 40);
}

#[test]
fn what_other_tools_wrote_into_an_index_stays() {
    let root = tempfile::tempdir().unwrap();
    let store = Layout::new(root.path());
    block(store.push(&manifest(1), &[("1.0.0".parse().unwrap(), TagMode::Create)])).unwrap();
    let path = root.path().join("index.json");
    let text = fs_err::read_to_string(&path).unwrap();
    let other = r#"{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2,"platform":{"os":"linux"},"annotations":{"org.opencontainers.image.ref.name":"not a tag","x":"y"}}"#;
    let text =
        text.replace("\"manifests\":[", &format!("\"annotations\":{{\"a\":\"b\"}},\"manifests\":[{other},"));
    fs_err::write(&path, &text).unwrap();
    block(store.push(&manifest(2), &[("2.0.0".parse().unwrap(), TagMode::Create)])).unwrap();
    let after: serde_json::Value = serde_json::from_slice(&fs_err::read(&path).unwrap()).unwrap();
    let before: serde_json::Value = serde_json::from_str(other).unwrap();
    assert!(after["manifests"].as_array().unwrap().contains(&before), "{after}");
    assert_eq!(
        (after["annotations"]["a"].as_str(), after["manifests"].as_array().unwrap().len()),
        (Some("b"), 3)
    );
}

#[test]
fn a_directory_that_is_no_layout_is_an_error_and_stays_as_it_is() {
    for text in
        ["", "[]", "{\"manifests\":{}}", "{\"manifests\":[{}]}", "{\"manifests\":[{\"digest\":\"x\"}]}"]
    {
        let root = tempfile::tempdir().unwrap();
        fs_err::write(root.path().join("index.json"), text).unwrap();
        let store = Layout::new(root.path());
        let error =
            block(store.push(&manifest(1), &[("1.0.0".parse().unwrap(), TagMode::Replace)])).unwrap_err();
        assert_eq!(
            (error.kind(), error.reason()),
            (ErrorKind::InvalidInput, Some(Reason::BadLayout)),
            "{text}"
        );
        assert_eq!(fs_err::read_to_string(root.path().join("index.json")).unwrap(), text);
        assert_eq!(fs_err::read_dir(root.path()).unwrap().count(), 1, "{text}: nothing else was written");
    }
}

#[test]
fn a_write_that_fails_leaves_no_temporary_file() {
    let root = tempfile::tempdir().unwrap();
    let store = Layout::new(root.path());
    block(store.push(&manifest(1), &[])).unwrap();
    let wrong = Blob::from_content(
        manifest(2).descriptor().clone(),
        bytes::Bytes::from_static(b"something else").into(),
    );
    assert_eq!(block(store.push(&wrong, &[])).unwrap_err().kind(), ErrorKind::DigestMismatch);
    let left: Vec<_> =
        Command::new("find").arg(root.path()).args(["-name", ".new-*"]).output().unwrap().stdout;
    assert_eq!(String::from_utf8_lossy(&left), "");
}
