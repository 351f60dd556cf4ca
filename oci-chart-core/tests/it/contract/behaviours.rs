use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use oci_chart_core::{
    Digest, ErrorKind, Reason,
    name::{Selector, Tag},
    oci::{Descriptor, MediaType},
    store::{Blob, Pushed, Store, StoreExt as _, TagMode},
};

use super::Behaviour;

macro_rules! behaviours {
    ($($name:ident)*) => { &[$((stringify!($name), |store| Box::pin($name(store)))),*] };
}

pub(crate) const ALL: &[Behaviour] = behaviours![
    blobs_come_back_as_they_went
    manifests_come_back_as_they_went
    an_empty_blob_is_content
    sha512_content_is_content
    a_large_blob_streams
    what_was_pushed_exists
    pushing_again_sends_nothing
    unknown_content_is_not_found
    bytes_that_do_not_fit_their_digest_are_refused
    bytes_that_do_not_fit_their_size_are_refused
    blobs_have_no_tags
    a_range_is_no_selector_of_a_store
    tag_modes_hold_when_pushing
    tag_modes_hold_when_tagging
    several_tags_are_written_at_once
    a_moved_tag_leaves_the_old_manifest
    tagging_what_is_not_there_fails
    tags_are_listed
    many_tags_are_listed
    an_empty_store_has_no_tags
    tags_are_deleted
    manifests_are_deleted_with_their_tags
    blobs_are_deleted
    deleting_what_is_not_there_is_not_found
    referrers_are_found
    referrers_of_one_type_are_found
    deleted_referrers_are_listed_no_more
    sha512_manifests_come_back
    concurrent_pushes_of_one_blob_agree
    an_interrupted_push_leaves_nothing_visible
    a_pinned_selector_is_its_digest
    fetching_to_a_file_is_atomic
];

fn tag(text: &str) -> Tag {
    text.parse().unwrap()
}

fn blob(text: impl Into<Bytes>) -> Blob {
    Blob::from_bytes(MediaType::from("application/octet-stream"), text)
}

/// A manifest over one blob, which is pushed first, as registries want it.
async fn manifest(store: &dyn Store, n: u32, subject: Option<&Descriptor>) -> Blob {
    let config = Blob::from_bytes(MediaType::EMPTY_JSON, "{}");
    store.push(&config, &[]).await.unwrap();
    let config = config.descriptor();
    let mention = |descriptor: &Descriptor| {
        let Descriptor { media_type, digest, size, .. } = descriptor;
        format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":{size}}}"#)
    };
    let subject = subject.map(|subject| format!(r#","subject":{}"#, mention(subject))).unwrap_or_default();
    let text = format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","artifactType":"application/vnd.example.thing","config":{},"layers":[],"annotations":{{"n":"{n}"}}{subject}}}"#,
        MediaType::OCI_MANIFEST,
        mention(config),
    );
    Blob::from_bytes(MediaType::OCI_MANIFEST, text)
}

async fn bytes_of(store: &dyn Store, descriptor: &Descriptor) -> Bytes {
    store.fetch_bytes(descriptor, 1 << 30).await.unwrap()
}

async fn tags_of(store: &dyn Store) -> Vec<String> {
    let tags: Vec<Tag> = store.tags().try_collect().await.unwrap();
    let mut tags: Vec<String> = tags.iter().map(ToString::to_string).collect();
    tags.sort();
    tags
}

async fn blobs_come_back_as_they_went(store: Arc<dyn Store>) {
    let blob = blob("some bytes");
    assert_eq!(store.push(&blob, &[]).await.unwrap(), Pushed::Written);
    assert_eq!(bytes_of(&*store, blob.descriptor()).await, "some bytes");
}

async fn manifests_come_back_as_they_went(store: Arc<dyn Store>) {
    let manifest = manifest(&*store, 1, None).await;
    store.push(&manifest, &[(tag("1.0.0"), TagMode::Create)]).await.unwrap();
    for selector in [Selector::Tag(tag("1.0.0")), Selector::Digest(manifest.descriptor().digest)] {
        assert_eq!(store.resolve(&selector).await.unwrap(), *manifest.descriptor());
        let (descriptor, bytes) = store.fetch_manifest(&selector).await.unwrap();
        assert_eq!(
            (descriptor, &bytes),
            (manifest.descriptor().clone(), manifest.content().unwrap().as_bytes().unwrap())
        );
        assert_eq!(bytes_of(&*store, manifest.descriptor()).await, bytes);
    }
}

async fn an_empty_blob_is_content(store: Arc<dyn Store>) {
    let blob = blob("");
    store.push(&blob, &[]).await.unwrap();
    assert_eq!(bytes_of(&*store, blob.descriptor()).await, "");
}

async fn sha512_content_is_content(store: Arc<dyn Store>) {
    let mut hasher = oci_chart_core::digest::Hasher::new(oci_chart_core::digest::Algorithm::Sha512);
    hasher.update(b"long digest");
    let descriptor = Descriptor::new("application/octet-stream".into(), hasher.finish(), 11);
    let blob = Blob::from_content(descriptor.clone(), Bytes::from_static(b"long digest").into());
    store.push(&blob, &[]).await.unwrap();
    assert_eq!(bytes_of(&*store, &descriptor).await, "long digest");
}

async fn a_large_blob_streams(store: Arc<dyn Store>) {
    let file = tempfile::NamedTempFile::new().unwrap();
    let bytes: Vec<u8> = (0..3_000_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    fs_err::write(file.path(), &bytes).unwrap();
    let descriptor = Descriptor::of("application/octet-stream".into(), &bytes);
    let content = oci_chart_core::Content::from_path(file.path()).unwrap();
    store.push(&Blob::from_content(descriptor.clone(), content), &[]).await.unwrap();
    let pieces: Vec<Bytes> = store.fetch(&descriptor).await.unwrap().try_collect().await.unwrap();
    assert_eq!(pieces.concat(), bytes);
}

async fn what_was_pushed_exists(store: Arc<dyn Store>) {
    let (blob, manifest) = (blob("there"), manifest(&*store, 1, None).await);
    for content in [&blob, &manifest] {
        assert!(!store.exists(content.descriptor()).await.unwrap());
        store.push(content, &[]).await.unwrap();
        assert!(store.exists(content.descriptor()).await.unwrap());
    }
}

async fn pushing_again_sends_nothing(store: Arc<dyn Store>) {
    let blob = blob("twice");
    assert_eq!(store.push(&blob, &[]).await.unwrap(), Pushed::Written);
    assert_eq!(store.push(&blob, &[]).await.unwrap(), Pushed::Existing);
}

async fn unknown_content_is_not_found(store: Arc<dyn Store>) {
    let (unknown, present) = (blob("never pushed"), blob("pushed"));
    store.push(&present, &[]).await.unwrap();
    let error = store.fetch_bytes(unknown.descriptor(), 100).await.unwrap_err();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::NotFound, Some(Reason::BlobMissing)));
    let error = store.resolve(&Selector::Digest(Digest::of("nothing"))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let error = store.fetch_manifest(&Selector::Tag(tag("none"))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

async fn bytes_that_do_not_fit_their_digest_are_refused(store: Arc<dyn Store>) {
    let wrong = Blob::from_content(blob("right").descriptor().clone(), Bytes::from_static(b"wrong").into());
    assert_eq!(store.push(&wrong, &[]).await.unwrap_err().kind(), ErrorKind::DigestMismatch);
    assert!(!store.exists(wrong.descriptor()).await.unwrap());
}

async fn bytes_that_do_not_fit_their_size_are_refused(store: Arc<dyn Store>) {
    for bytes in ["longer than it says", "short"] {
        let mut descriptor = blob(bytes).descriptor().clone();
        descriptor.size = 9;
        let wrong = Blob::from_content(descriptor, Bytes::from_static(bytes.as_bytes()).into());
        assert_eq!(store.push(&wrong, &[]).await.unwrap_err().kind(), ErrorKind::DigestMismatch, "{bytes}");
        assert!(!store.exists(blob(bytes).descriptor()).await.unwrap());
    }
}

async fn blobs_have_no_tags(store: Arc<dyn Store>) {
    let error = store.push(&blob("x"), &[(tag("1.0.0"), TagMode::Replace)]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

async fn a_range_is_no_selector_of_a_store(store: Arc<dyn Store>) {
    let error = store.resolve(&Selector::for_version("^1").unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

/// Every mode against a tag that is new, points at the same, points elsewhere: what the error is, and where the tag points after.
async fn tag_modes_hold(store: &dyn Store, tagging: bool) {
    let (old, new) = (manifest(store, 1, None).await, manifest(store, 2, None).await);
    store.push(&old, &[]).await.unwrap();
    store.push(&new, &[]).await.unwrap();
    let (of_old, of_new) = (old.descriptor().digest, new.descriptor().digest);
    let (exists, conflict) = (Some(ErrorKind::AlreadyExists), Some(ErrorKind::Conflict));
    let cases = [
        ("create", TagMode::Create, [None, exists, exists]),
        ("ensure", TagMode::Ensure, [None, None, exists]),
        ("replace", TagMode::Replace, [None, None, None]),
        ("expect-old", TagMode::Expect(of_old), [conflict, conflict, None]),
        ("expect-new", TagMode::Expect(of_new), [conflict, None, conflict]),
    ];
    for (name, mode, expected) in cases {
        for (state, before, expected) in [
            ("new", None, expected[0]),
            ("same", Some(&new), expected[1]),
            ("other", Some(&old), expected[2]),
        ] {
            let tag = tag(&format!("{name}-{state}"));
            if let Some(before) = before {
                store.tag(before.descriptor(), &tag, &TagMode::Create).await.unwrap();
            }
            let result = if tagging {
                store.tag(new.descriptor(), &tag, &mode).await
            } else {
                store.push(&new, &[(tag.clone(), mode)]).await.map(drop)
            };
            assert_eq!(result.map_err(|error| error.kind()).err(), expected, "{tag}");
            let after =
                store.resolve(&Selector::Tag(tag.clone())).await.ok().map(|descriptor| descriptor.digest);
            let wanted = if expected.is_none() {
                Some(of_new)
            } else {
                before.map(|before| before.descriptor().digest)
            };
            assert_eq!(after, wanted, "{tag}");
        }
    }
}

async fn tag_modes_hold_when_pushing(store: Arc<dyn Store>) {
    tag_modes_hold(&*store, false).await;
}

async fn tag_modes_hold_when_tagging(store: Arc<dyn Store>) {
    tag_modes_hold(&*store, true).await;
}

async fn several_tags_are_written_at_once(store: Arc<dyn Store>) {
    let manifest = manifest(&*store, 1, None).await;
    let tags = ["1.0.0", "1.0", "stable"].map(|text| (tag(text), TagMode::Replace));
    store.push(&manifest, &tags).await.unwrap();
    assert_eq!(tags_of(&*store).await, ["1.0", "1.0.0", "stable"]);
}

async fn a_moved_tag_leaves_the_old_manifest(store: Arc<dyn Store>) {
    let (old, new) = (manifest(&*store, 1, None).await, manifest(&*store, 2, None).await);
    for one in [&old, &new] {
        store.push(one, &[(tag("stable"), TagMode::Replace)]).await.unwrap();
    }
    assert_eq!(store.resolve(&Selector::Tag(tag("stable"))).await.unwrap(), *new.descriptor());
    assert_eq!(store.resolve(&Selector::Digest(old.descriptor().digest)).await.unwrap(), *old.descriptor());
}

async fn tagging_what_is_not_there_fails(store: Arc<dyn Store>) {
    let manifest = manifest(&*store, 1, None).await;
    let error = store.tag(manifest.descriptor(), &tag("1.0.0"), &TagMode::Replace).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

async fn tags_are_listed(store: Arc<dyn Store>) {
    let manifest = manifest(&*store, 1, None).await;
    for text in ["2.0.0", "latest", "1.0.0_build.1"] {
        store.push(&manifest, &[(tag(text), TagMode::Create)]).await.unwrap();
    }
    assert_eq!(tags_of(&*store).await, ["1.0.0_build.1", "2.0.0", "latest"]);
}

async fn many_tags_are_listed(store: Arc<dyn Store>) {
    let manifest = manifest(&*store, 1, None).await;
    let tags: Vec<_> = (0..150).map(|n| (tag(&format!("1.0.{n}")), TagMode::Replace)).collect();
    store.push(&manifest, &tags).await.unwrap();
    assert_eq!(tags_of(&*store).await.len(), 150);
}

async fn an_empty_store_has_no_tags(store: Arc<dyn Store>) {
    let tags: Result<Vec<Tag>, _> = store.tags().try_collect().await;
    // A registry does not know a repository into which nothing was pushed.
    assert!(tags.map_or_else(|error| error.kind() == ErrorKind::NotFound, |tags| tags.is_empty()));
}

async fn tags_are_deleted(store: Arc<dyn Store>) {
    let manifest = manifest(&*store, 1, None).await;
    store.push(&manifest, &[(tag("a"), TagMode::Create), (tag("b"), TagMode::Create)]).await.unwrap();
    store.delete(&Selector::Tag(tag("a"))).await.unwrap();
    assert_eq!(tags_of(&*store).await, ["b"]);
    store.delete(&Selector::Tag(tag("b"))).await.unwrap();
    assert!(store.exists(manifest.descriptor()).await.unwrap(), "the manifest itself stays");
}

async fn manifests_are_deleted_with_their_tags(store: Arc<dyn Store>) {
    let (gone, stays) = (manifest(&*store, 1, None).await, manifest(&*store, 2, None).await);
    store.push(&gone, &[(tag("a"), TagMode::Create), (tag("b"), TagMode::Create)]).await.unwrap();
    store.push(&stays, &[(tag("c"), TagMode::Create)]).await.unwrap();
    store.delete(&Selector::Digest(gone.descriptor().digest)).await.unwrap();
    assert!(!store.exists(gone.descriptor()).await.unwrap());
    assert_eq!(tags_of(&*store).await, ["c"]);
}

async fn blobs_are_deleted(store: Arc<dyn Store>) {
    let blob = blob("to go");
    store.push(&blob, &[]).await.unwrap();
    store.delete(&Selector::Digest(blob.descriptor().digest)).await.unwrap();
    assert!(!store.exists(blob.descriptor()).await.unwrap());
}

async fn deleting_what_is_not_there_is_not_found(store: Arc<dyn Store>) {
    let manifest = manifest(&*store, 1, None).await;
    store.push(&manifest, &[]).await.unwrap();
    for selector in [Selector::Tag(tag("none")), Selector::Digest(Digest::of("none"))] {
        assert_eq!(store.delete(&selector).await.unwrap_err().kind(), ErrorKind::NotFound, "{selector}");
    }
}

async fn referrers_are_found(store: Arc<dyn Store>) {
    let subject = manifest(&*store, 1, None).await;
    store.push(&subject, &[(tag("1.0.0"), TagMode::Create)]).await.unwrap();
    let referrer = manifest(&*store, 2, Some(subject.descriptor())).await;
    store.push(&referrer, &[]).await.unwrap();
    let found: Vec<Descriptor> = store.referrers(subject.descriptor()).try_collect().await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].digest, referrer.descriptor().digest);
    assert_eq!(found[0].artifact_type, Some("application/vnd.example.thing".into()));
    assert_eq!(found[0].annotations.get("n").map(String::as_str), Some("2"));
    let none: Vec<Descriptor> = store.referrers(referrer.descriptor()).try_collect().await.unwrap();
    assert_eq!(none, []);
}

async fn referrers_of_one_type_are_found(store: Arc<dyn Store>) {
    let subject = manifest(&*store, 1, None).await;
    store.push(&subject, &[]).await.unwrap();
    let referrer = manifest(&*store, 2, Some(subject.descriptor())).await;
    store.push(&referrer, &[]).await.unwrap();
    for (kind, count) in [("application/vnd.example.thing", 1), ("application/vnd.example.other", 0)] {
        let kind = MediaType::from(kind);
        let found = store.referrers_of_type(subject.descriptor(), &kind);
        let found: Vec<Descriptor> = found.try_collect().await.unwrap();
        assert_eq!(found.len(), count, "{kind}");
    }
}

async fn deleted_referrers_are_listed_no_more(store: Arc<dyn Store>) {
    let subject = manifest(&*store, 1, None).await;
    store.push(&subject, &[]).await.unwrap();
    let referrers = [
        manifest(&*store, 2, Some(subject.descriptor())).await,
        manifest(&*store, 3, Some(subject.descriptor())).await,
    ];
    for referrer in &referrers {
        store.push(referrer, &[]).await.unwrap();
    }
    store.delete(&Selector::Digest(referrers[0].descriptor().digest)).await.unwrap();
    let left: Vec<Descriptor> = store.referrers(subject.descriptor()).try_collect().await.unwrap();
    let left: Vec<_> = left.iter().map(|one| one.digest).collect();
    assert_eq!(left, [referrers[1].descriptor().digest]);
}

async fn sha512_manifests_come_back(store: Arc<dyn Store>) {
    let bytes = manifest(&*store, 1, None).await.content().unwrap().as_bytes().unwrap().clone();
    let mut hasher = oci_chart_core::digest::Hasher::new(oci_chart_core::digest::Algorithm::Sha512);
    hasher.update(&bytes);
    let descriptor = Descriptor::new(MediaType::OCI_MANIFEST, hasher.finish(), bytes.len() as u64);
    store.push(&Blob::from_content(descriptor.clone(), bytes.clone().into()), &[]).await.unwrap();
    assert!(store.exists(&descriptor).await.unwrap());
    let found = store.fetch_manifest(&Selector::Digest(descriptor.digest)).await.unwrap();
    assert_eq!(found, (descriptor, bytes));
}

async fn concurrent_pushes_of_one_blob_agree(store: Arc<dyn Store>) {
    let blob = blob(vec![7; 100_000]);
    let pushes = (0..8).map(|_| store.push(&blob, &[]));
    let results = futures_util::future::join_all(pushes).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert_eq!(bytes_of(&*store, blob.descriptor()).await, vec![7; 100_000]);
}

async fn an_interrupted_push_leaves_nothing_visible(store: Arc<dyn Store>) {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs_err::write(file.path(), vec![1; 2_000_000]).unwrap();
    let content = oci_chart_core::Content::from_path(file.path()).unwrap();
    let descriptor = Descriptor::of("application/octet-stream".into(), vec![1; 2_000_000]);
    // The source goes away after it was looked at.
    fs_err::write(file.path(), vec![1; 1000]).unwrap();
    let error = store.push(&Blob::from_content(descriptor.clone(), content), &[]).await.unwrap_err();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Conflict, Some(Reason::SourceChanged)));
    assert!(!store.exists(&descriptor).await.unwrap());
}

async fn a_pinned_selector_is_its_digest(store: Arc<dyn Store>) {
    let manifest = manifest(&*store, 1, None).await;
    store.push(&manifest, &[(tag("1.0.0"), TagMode::Create)]).await.unwrap();
    let pinned = Selector::Pinned { tag: tag("other"), digest: manifest.descriptor().digest };
    assert_eq!(store.resolve(&pinned).await.unwrap().digest, manifest.descriptor().digest);
}

async fn fetching_to_a_file_is_atomic(store: Arc<dyn Store>) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out/blob");
    let present = blob("content");
    store.push(&present, &[]).await.unwrap();
    store.fetch_to(present.descriptor(), &path).await.unwrap();
    assert_eq!(fs_err::read(&path).unwrap(), b"content");
    assert!(store.fetch_to(blob("absent").descriptor(), &path).await.is_err());
    assert_eq!(fs_err::read(&path).unwrap(), b"content", "a failure leaves what was there");
    assert_eq!(fs_err::read_dir(directory.path().join("out")).unwrap().count(), 1, "and nothing beside it");
}
