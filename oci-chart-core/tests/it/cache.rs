//! The content cache: what it saves, what it survives, and what it never does.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use futures_util::TryStreamExt as _;
use oci_chart_core::{
    Client, Content, Context, ErrorKind, Event,
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
    // Nor what its reader gave up, though much of it is on the disk by then.
    let store = client(&registry, &Cache::new(directory.path()));
    block(async {
        let mut stream = store.fetch(&descriptor).await.unwrap();
        let mut have = 0;
        while have < 2_000_000 {
            have += stream.try_next().await.unwrap().unwrap().len();
        }
        let [begun] = &all(directory.path())[..] else { panic!("not one file") };
        assert!(
            begun.to_string_lossy().contains(".new-") && fs_err::metadata(begun).unwrap().len() > 1_000_000
        );
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
        if n == 0 {
            // From now on it is in the cache, or nowhere.
            block(memory.delete(&Selector::Digest(blob.descriptor().digest))).unwrap();
        }
        // All of the same age but the first, which is the oldest.
        for file in files(directory.path()) {
            if file.ends_with(blobs[n].descriptor().digest.hex()) {
                grow_old(&file, 1000 - n as u64);
            }
        }
        // The first one is used all the time.
        block(store.fetch_bytes(blobs[0].descriptor(), 1 << 20)).unwrap();
    }
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
    for (name, age) in [(".new-old", 3700), (".new-young", 3500), ("somebody-else-s", 7200)] {
        let path = directory.path().join(name);
        fs_err::write(&path, "").unwrap();
        grow_old(&path, age);
    }
    // By a clock that went back since.
    fs_err::File::create(directory.path().join(".new-tomorrow"))
        .and_then(|file| file.file().set_modified(SystemTime::now() + Duration::from_secs(86_400)))
        .unwrap();
    cache.prune(1 << 30).unwrap();
    let left = |name| directory.path().join(name).exists();
    assert_eq!(
        [".new-old", ".new-young", ".new-tomorrow", "somebody-else-s"].map(left),
        [false, true, true, true]
    );
}

#[test]
fn a_use_is_noted_once_a_minute() {
    let directory = tempfile::tempdir().unwrap();
    let store = stocked(Cache::new(directory.path()), &[1]);
    block(store.fetch_bytes(content(1).descriptor(), 1 << 20)).unwrap();
    let file = &files(directory.path())[0];
    let age = || fs_err::metadata(file).unwrap().modified().unwrap().elapsed().unwrap();
    for (seconds, renewed) in [(50, false), (70, true)] {
        grow_old(file, seconds);
        block(store.fetch_bytes(content(1).descriptor(), 1 << 20)).unwrap();
        assert_eq!(age() < Duration::from_secs(40), renewed, "{seconds}");
    }
}

#[test]
fn what_other_processes_add_counts() {
    let directory = tempfile::tempdir().unwrap();
    // Two processes have two of them.
    let [one, other] = [(); 2].map(|()| Cache::new(directory.path()).with_bound(100_000));
    let usage = one.clone();
    let one = stocked(one, &[0, 1, 2, 3, 4, 5, 6, 7]);
    let other = stocked(other, &[10, 11, 12, 13]);
    let read = |store: &Cached, n| drop(block(store.fetch_bytes(content(n).descriptor(), 1 << 20)).unwrap());
    read(&one, 0);
    read(&other, 10);
    (1..8).for_each(|n| read(&one, n));
    assert_eq!(usage.usage().unwrap().bytes, 90_000);
    for n in 11..14 {
        read(&other, n);
        assert!(usage.usage().unwrap().bytes <= 100_000, "after {n}");
    }
}

#[test]
fn one_at_a_time_makes_room() {
    let directory = tempfile::tempdir().unwrap();
    let cache = Cache::new(directory.path()).with_bound(25_000);
    let store = stocked(cache.clone(), &[1, 2, 3, 4]);
    let read = |n| drop(block(store.fetch_bytes(content(n).descriptor(), 1 << 20)).unwrap());
    read(1);
    let file = fs_err::OpenOptions::new().write(true).create(true).open(directory.path().join(".lock"));
    let lock = file.unwrap();
    fs4::FileExt::lock(&lock).unwrap();
    // Whoever reads neither waits for the other nor removes what that one may count on.
    (2..4).for_each(read);
    assert_eq!(cache.usage().unwrap().entries, 3);
    // Who was told to make room waits for his turn.
    let (sender, pruned) = std::sync::mpsc::channel();
    let waiting = cache.clone();
    let thread = std::thread::spawn(move || sender.send(waiting.prune(0).unwrap()).unwrap());
    assert!(pruned.recv_timeout(Duration::from_millis(300)).is_err(), "it did not wait");
    assert_eq!(cache.usage().unwrap().entries, 3);
    drop(lock);
    assert_eq!(pruned.recv_timeout(Duration::from_secs(30)).unwrap().entries, 3);
    thread.join().unwrap();
}

#[test]
fn large_content_is_checked_before_and_while_it_is_read() {
    use std::io::{Seek as _, SeekFrom, Write as _};

    let directory = tempfile::tempdir().unwrap();
    let memory = Memory::default();
    let bytes: Vec<u8> = (0..9_000_000u32).map(|n| (n % 251) as u8).collect();
    let blob = Blob::from_bytes("text/plain".into(), bytes.clone());
    block(memory.push(&blob, &[])).unwrap();
    let store = Cached::new(Arc::new(memory.clone()), Cache::new(directory.path()));
    let fetch = || block(store.fetch_bytes(blob.descriptor(), 1 << 30));
    fetch().unwrap();
    let spoil = || {
        let file = &files(directory.path())[0];
        let mut file = fs_err::OpenOptions::new().write(true).open(file).unwrap();
        file.seek(SeekFrom::End(-1)).unwrap();
        file.write_all(b"!").unwrap();
    };
    spoil();
    assert_eq!(fetch().unwrap(), bytes, "from the other store");
    block(memory.delete(&Selector::Digest(blob.descriptor().digest))).unwrap();
    assert_eq!(fetch().unwrap(), bytes, "kept anew");
    let changed = block(async {
        let mut stream = store.fetch(blob.descriptor()).await.unwrap();
        stream.try_next().await.unwrap();
        spoil();
        stream.try_collect::<Vec<_>>().await
    });
    assert_eq!(changed.unwrap_err().kind(), ErrorKind::DigestMismatch);
}

#[test]
fn tags_are_remembered_for_their_own_repository_and_as_they_were_seen_last() {
    let (registry, directory) = (Registry::start().unwrap(), tempfile::tempdir().unwrap());
    let cache = Cache::new(directory.path());
    push(&client(&registry, &cache), 1, TagMode::Create);
    push(&client(&registry, &cache), 2, TagMode::Create);
    let manifest = registry.manifest("charts/web", "1.0.0").unwrap();
    let other = manifest.bytes.to_vec();
    let other = String::from_utf8(other).unwrap().replacen('{', "{  ", 1);
    registry.put_manifest("charts/other", "1.0.0", &manifest.media_type, other).unwrap();
    registry.log().take();
    let look = |repository: &str, tag: &str| {
        let registries = Client::builder().plain_http(host(&registry)).cache(cache.clone()).build().unwrap();
        let location: Location = format!("oci://{}/{repository}", registry.host()).parse().unwrap();
        block(registries.open(&location).unwrap().fetch_manifest(&version(tag))).unwrap();
        methods(&registry)
    };
    assert_eq!(look("charts/web", "1.0.0"), "GET");
    for (repository, tag) in [("charts/web", "2.0.0"), ("charts/other", "1.0.0")] {
        assert_eq!(look(repository, tag), "GET", "nothing is known of {repository}:{tag}");
        assert_eq!(look(repository, tag), "HEAD");
    }
    // Moved, and what was there before has made room.
    let moved = registry.manifest("charts/web", "2.0.0").unwrap();
    registry.put_manifest("charts/web", "1.0.0", &moved.media_type, moved.bytes).unwrap();
    assert_eq!(look("charts/web", "1.0.0"), "HEAD");
    let old = manifest.digest.split_once(':').unwrap().1.to_owned();
    let old = files(directory.path()).into_iter().find(|path| path.to_string_lossy().contains(&old));
    fs_err::remove_file(old.unwrap()).unwrap();
    assert_eq!(look("charts/web", "1.0.0"), "HEAD", "where it points now is what was noted");

    // The notes go with what they point at.
    let notes = || all(&directory.path().join("tags")).len();
    cache.prune(1 << 20).unwrap();
    assert_eq!(notes(), 3);
    cache.prune(0).unwrap();
    assert_eq!(notes(), 0);
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

/// Ten thousand bytes, different for each `n`.
fn content(n: u8) -> Blob {
    Blob::from_bytes("text/plain".into(), vec![n; 10_000])
}

/// A store with such content behind `cache`.
fn stocked(cache: Cache, contents: &[u8]) -> Cached {
    let memory = Memory::default();
    for n in contents {
        block(memory.push(&content(*n), &[])).unwrap();
    }
    Cached::new(Arc::new(memory), cache)
}

fn grow_old(path: &std::path::Path, seconds: u64) {
    let file = fs_err::OpenOptions::new().append(true).open(path).unwrap();
    file.file().set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
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
