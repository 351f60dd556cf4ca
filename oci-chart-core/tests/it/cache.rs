//! The content cache: what it saves, what it survives, and what it never does.

use std::{sync::Arc, time::Duration};

use oci_chart_core::{
    Client, Content, Context, Event,
    name::{Location, Selector, Tag},
    oci::{Descriptor, MediaType},
    store::{Blob, Cache, Cached, Memory, Store, StoreExt as _, TagMode},
    transfer::{self, PullOptions, Pulled, PushOptions},
};
use oci_chart_testkit::{Fault, Registry, Rule};

use crate::{
    remote::{block, host},
    requests::artifact,
};

fn client(registry: &Registry, cache: &Cache) -> Arc<dyn Store> {
    let client = Client::builder().plain_http(host(registry)).cache(cache.clone()).build().unwrap();
    let location: Location = format!("oci://{}/charts/web", registry.host()).parse().unwrap();
    client.open(&location).unwrap()
}

fn push(store: &Arc<dyn Store>, n: u32, mode: TagMode) -> Descriptor {
    let options = PushOptions::default().with_mode(mode);
    block(transfer::push(&Context::default(), &artifact(n), store, &options)).unwrap().descriptor
}

fn pull(store: &Arc<dyn Store>, selector: &Selector) -> oci_chart_core::Result<Pulled> {
    block(transfer::pull(&Context::default(), store, selector, &PullOptions::without_verification()))
}

fn version(text: &str) -> Selector {
    Selector::Tag(text.parse().unwrap())
}

fn methods(registry: &Registry) -> String {
    registry.log().take().iter().map(|exchange| exchange.method.clone()).collect::<Vec<_>>().join(" ")
}

#[test]
fn what_was_pulled_by_digest_costs_nothing_again() {
    let (registry, directory) = (Registry::start().unwrap(), tempfile::tempdir().unwrap());
    let cache = Cache::new(directory.path().join("cache"));
    let pushed = push(&client(&registry, &cache), 1, TagMode::Create);
    let selector = Selector::Digest(pushed.digest);
    pull(&client(&registry, &cache), &selector).unwrap();
    registry.log().take();
    // By another client, as another process would have one.
    let pulled = pull(&client(&registry, &cache), &selector).unwrap();
    assert_eq!(pulled.package.digest(), artifact(1).package().digest());
    assert_eq!(methods(&registry), "");
    assert_eq!(block(client(&registry, &cache).resolve(&selector)).unwrap().digest, pushed.digest);
    assert_eq!(methods(&registry), "");
}

#[test]
fn what_was_pulled_by_tag_costs_a_look() {
    let (registry, directory) = (Registry::start().unwrap(), tempfile::tempdir().unwrap());
    let cache = Cache::new(directory.path());
    push(&client(&registry, &cache), 1, TagMode::Create);
    registry.log().take();
    pull(&client(&registry, &cache), &version("1.0.0")).unwrap();
    assert_eq!(methods(&registry), "GET GET");
    pull(&client(&registry, &cache), &version("1.0.0")).unwrap();
    assert_eq!(methods(&registry), "HEAD");

    // A tag that was moved is followed.
    let other = registry.manifest("charts/web", "1.0.0").unwrap();
    let text = String::from_utf8(other.bytes.to_vec()).unwrap().replacen('{', "{ ", 1);
    let moved = registry.put_manifest("charts/web", "1.0.0", &other.media_type, text).unwrap();
    for expected in ["HEAD GET", "HEAD"] {
        let pulled = pull(&client(&registry, &cache), &version("1.0.0")).unwrap();
        assert_eq!(pulled.descriptor.digest.to_string(), moved);
        assert_eq!(methods(&registry), expected);
    }
}

#[test]
fn damaged_entries_are_dropped_and_fetched_anew() {
    let (registry, directory) = (Registry::start().unwrap(), tempfile::tempdir().unwrap());
    let cache = Cache::new(directory.path());
    let digest = push(&client(&registry, &cache), 1, TagMode::Create).digest;
    pull(&client(&registry, &cache), &Selector::Digest(digest)).unwrap();
    let files = files(directory.path());
    assert_eq!(files.len(), 2, "{files:?}");
    for damage in [&b""[..], b"something else", &[0; 100_000]] {
        for file in &files {
            fs_err::write(file, damage).unwrap();
        }
        registry.log().take();
        let (sender, events) = std::sync::mpsc::channel();
        let cx = Context::default().with_events(move |event| sender.send(event).unwrap());
        let store = client(&registry, &cache);
        let options = PullOptions::without_verification();
        let pulled = block(transfer::pull(&cx, &store, &Selector::Digest(digest), &options)).unwrap();
        assert_eq!(pulled.package.digest(), artifact(1).package().digest());
        assert_eq!(methods(&registry), "GET GET");
        let told = events.try_iter().filter(|event| matches!(event, Event::Warning(_))).count();
        assert_eq!(told, 2);
        pull(&store, &Selector::Digest(digest)).unwrap();
        assert_eq!(methods(&registry), "", "it is whole again");
    }
}

#[test]
fn what_broke_off_is_not_kept() {
    let (registry, directory) = (Registry::start().unwrap(), tempfile::tempdir().unwrap());
    let bytes: Vec<u8> = (0..3_000_000u32).map(|n| (n % 251) as u8).collect();
    registry.put_blob("charts/web", &bytes).unwrap();
    let descriptor = Descriptor::of("text/plain".into(), &bytes);
    for fault in [Fault::FlipByte(2_900_000), Fault::Truncate(100), Fault::Body("x".into())] {
        let cache = Cache::new(directory.path());
        registry.script().add(Rule::new("GET", "*/blobs/*", fault.clone()).always());
        let store = client(&registry, &cache);
        assert!(block(store.fetch_bytes(&descriptor, 1 << 30)).is_err(), "{fault:?}");
        assert_eq!(all(directory.path()), Vec::<std::path::PathBuf>::new(), "{fault:?}");
        registry.script().clear();
    }
    // Nor what its reader gave up.
    let store = client(&registry, &Cache::new(directory.path()));
    block(async {
        use futures_util::TryStreamExt as _;
        let mut stream = store.fetch(&descriptor).await.unwrap();
        stream.try_next().await.unwrap();
    });
    assert_eq!(all(directory.path()), Vec::<std::path::PathBuf>::new());
    assert_eq!(block(store.fetch_bytes(&descriptor, 1 << 30)).unwrap(), bytes);
    assert_eq!(files(directory.path()).len(), 1);
    registry.log().take();
    assert_eq!(block(store.fetch_bytes(&descriptor, 1 << 30)).unwrap(), bytes);
    assert_eq!(methods(&registry), "");
}

#[test]
fn a_cache_stays_within_its_bound_and_drops_what_was_not_used() {
    let directory = tempfile::tempdir().unwrap();
    let cache = Cache::new(directory.path()).with_bound(100_000);
    let memory = Memory::default();
    let store = Cached::new(Arc::new(memory.clone()), cache.clone());
    let blobs: Vec<_> = (0..30u8).map(|n| Blob::from_bytes("text/plain".into(), vec![n; 10_000])).collect();
    for (n, blob) in blobs.iter().enumerate() {
        block(memory.push(blob, &[])).unwrap();
        block(store.fetch_bytes(blob.descriptor(), 1 << 20)).unwrap();
        assert!(cache.usage().unwrap().bytes <= 100_000, "after {n}");
        // All of the same age but the first, which is the oldest.
        for file in files(directory.path()) {
            let age =
                if file.ends_with(blobs[n].descriptor().digest.hex()) { 1000 - n as u64 } else { continue };
            let file = fs_err::OpenOptions::new().append(true).open(file).unwrap();
            file.file().set_modified(std::time::SystemTime::now() - Duration::from_secs(age)).unwrap();
        }
        // The first one is used all the time.
        block(store.fetch_bytes(blobs[0].descriptor(), 1 << 20)).unwrap();
    }
    block(memory.delete(&Selector::Digest(blobs[0].descriptor().digest))).unwrap();
    block(store.fetch_bytes(blobs[0].descriptor(), 1 << 20)).unwrap();
    block(memory.delete(&Selector::Digest(blobs[3].descriptor().digest))).unwrap();
    assert!(block(store.fetch_bytes(blobs[3].descriptor(), 1 << 20)).is_err(), "long gone");

    let before = cache.usage().unwrap();
    let removed = cache.prune(25_000).unwrap();
    let after = cache.usage().unwrap();
    assert_eq!((after.entries, after.bytes), (2, 20_000));
    assert_eq!(before.bytes - removed.bytes, after.bytes);
    cache.prune(0).unwrap();
    assert_eq!(files(directory.path()).len(), 0);
}

#[test]
fn what_is_larger_than_the_cache_passes_by() {
    let directory = tempfile::tempdir().unwrap();
    let cache = Cache::new(directory.path()).with_bound(1000);
    let memory = Memory::default();
    let blob = Blob::from_bytes("text/plain".into(), vec![1; 2000]);
    block(memory.push(&blob, &[])).unwrap();
    let store = Cached::new(Arc::new(memory), cache);
    block(store.fetch_bytes(blob.descriptor(), 1 << 20)).unwrap();
    assert_eq!(files(directory.path()).len(), 0);
}

#[test]
fn files_that_nobody_finished_are_removed_in_time() {
    let directory = tempfile::tempdir().unwrap();
    let cache = Cache::new(directory.path());
    for (name, age) in [(".new-old", 7200), (".new-young", 10), ("somebody-else-s", 7200)] {
        let file = fs_err::File::create(directory.path().join(name)).unwrap();
        file.file().set_modified(std::time::SystemTime::now() - Duration::from_secs(age)).unwrap();
    }
    cache.prune(1 << 30).unwrap();
    let left = |name| directory.path().join(name).exists();
    assert_eq!([".new-old", ".new-young", "somebody-else-s"].map(left), [false, true, true]);
}

#[test]
fn a_cache_that_cannot_be_written_is_like_none() {
    let directory = tempfile::tempdir().unwrap();
    fs_err::write(directory.path().join("file"), "x").unwrap();
    let cache = Cache::new(directory.path().join("file/cache"));
    let memory = Memory::default();
    let blob = Blob::from_bytes("text/plain".into(), "content");
    block(memory.push(&blob, &[])).unwrap();
    let store = Cached::new(Arc::new(memory), cache);
    let (sender, events) = std::sync::mpsc::channel();
    let cx = Context::default().with_events(move |event| sender.send(event).unwrap());
    for _ in 0..3 {
        let found = block(cx.run(async { store.fetch_bytes(blob.descriptor(), 100).await })).unwrap();
        assert_eq!(found, "content");
    }
    assert_eq!(events.try_iter().count(), 1, "told once");
}

#[test]
fn processes_share_one_cache() {
    let (registry, directory) = (Registry::start().unwrap(), tempfile::tempdir().unwrap());
    let root = directory.path().join("cache");
    let digests: Vec<_> = (1..=4)
        .map(|n| {
            push(&client(&registry, &Cache::new(directory.path().join("other"))), n, TagMode::Create).digest
        })
        .collect();
    // Each thread has a cache of its own over one directory, so small that somebody is always making room.
    std::thread::scope(|scope| {
        for thread in 0..6 {
            let (registry, root, digests) = (&registry, &root, &digests);
            scope.spawn(move || {
                let store = client(registry, &Cache::new(root).with_bound(1500));
                for round in 0..8 {
                    let n = (thread + round) % digests.len();
                    let pulled = pull(&store, &Selector::Digest(digests[n])).unwrap();
                    assert_eq!(pulled.package.digest(), artifact(n as u32 + 1).package().digest());
                }
            });
        }
    });
    let left: Vec<_> =
        all(&root).into_iter().filter(|path| path.to_string_lossy().contains(".new-")).collect();
    assert_eq!(left, Vec::<std::path::PathBuf>::new());
    Cache::new(&root).prune(1500).unwrap();
    assert!(Cache::new(&root).usage().unwrap().bytes <= 1500);
}

#[test]
fn what_is_deleted_is_forgotten_and_writes_go_through() {
    let directory = tempfile::tempdir().unwrap();
    let store = Cached::new(Arc::new(Memory::default()), Cache::new(directory.path()));
    let manifest = Blob::from_bytes(MediaType::OCI_INDEX, r#"{"schemaVersion":2,"manifests":[]}"#);
    let tag: Tag = "1.0.0".parse().unwrap();
    block(store.push(&manifest, &[(tag.clone(), TagMode::Create)])).unwrap();
    block(store.fetch_manifest(&Selector::Tag(tag))).unwrap();
    assert_eq!(files(directory.path()).len(), 1);
    let digest = manifest.descriptor().digest;
    block(store.delete(&Selector::Digest(digest))).unwrap();
    assert!(block(store.fetch_manifest(&Selector::Digest(digest))).is_err());
    assert_eq!(files(directory.path()).len(), 0);
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_it() {
    use std::os::unix::fs::PermissionsExt as _;

    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("a/b");
    let memory = Memory::default();
    let blob = Blob::from_content(Descriptor::of("text/plain".into(), "x"), Content::from("x"));
    block(memory.push(&blob, &[])).unwrap();
    let store = Cached::new(Arc::new(memory), Cache::new(&root));
    block(store.fetch_bytes(blob.descriptor(), 100)).unwrap();
    assert_eq!(fs_err::metadata(&root).unwrap().permissions().mode() & 0o777, 0o700);
}

/// The entries of the cache, tags aside.
fn files(root: &std::path::Path) -> Vec<std::path::PathBuf> {
    all(root).into_iter().filter(|path| path.to_string_lossy().contains("/sha")).collect()
}

/// All files but the lock.
fn all(root: &std::path::Path) -> Vec<std::path::PathBuf> {
    let (mut found, mut open) = (Vec::new(), vec![root.to_owned()]);
    while let Some(directory) = open.pop() {
        let Ok(entries) = fs_err::read_dir(directory) else { continue };
        for path in entries.map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                open.push(path);
            } else if !path.ends_with(".lock") {
                found.push(path);
            }
        }
    }
    found
}
