//! Blobs on their way up.

use std::sync::Arc;

use oci_chart_core::{
    ErrorKind,
    store::{Pushed, RepositoryOptions, Store, StoreExt as _, UploadMode},
};
use oci_chart_testkit::{Class, Fault, Profile, Quirk, Registry, Rule, raw::ask};

use super::{REPOSITORY, Stage, artifact, blob, push};
use crate::remote::{block, open, repository};

fn sha256(bytes: &[u8]) -> String {
    oci_chart_core::Digest::of(bytes).to_string()
}

/// POST, a PATCH for each chunk with its place, PUT. The statuses.
fn in_chunks(stage: &Stage, chunks: &[(&str, &str)], digest: &str) -> Vec<u16> {
    let begun = stage.send(ask("POST", format!("/v2/{REPOSITORY}/blobs/uploads/")));
    let mut statuses = vec![begun.status];
    let mut location = begun.location().to_owned();
    for (range, bytes) in chunks {
        let patched = stage.send(ask("PATCH", &location).header("content-range", *range).body(*bytes));
        statuses.push(patched.status);
        location = patched.header("location").unwrap_or(&location).to_owned();
    }
    statuses.push(stage.send(ask("PUT", format!("{location}&digest={digest}"))).status);
    statuses
}

#[test]
fn a_blob_goes_in_one_piece_since_some_drop_later_chunks() {
    for profile in [Profile::Ecr, Profile::EcrPublic] {
        let stage = Stage::of(profile);
        stage.bites_who(Quirk::LaterChunksDropped, || {
            let statuses = in_chunks(&stage, &[("0-3", "some"), ("4-8", "thing")], &sha256(b"something"));
            assert_eq!(statuses, [202, 201, 201, 400]);
        });
        let before = stage.registry.bites();
        let store = stage.repository(REPOSITORY);
        let large = blob(vec![7; 9 << 20]);
        assert_eq!(block(store.push(&large, &[])).unwrap(), Pushed::Written);
        assert_eq!(block(store.fetch_bytes(large.descriptor(), 10 << 20)).unwrap().len(), 9 << 20);
        stage.unbitten(&before);
    }
}

#[test]
fn chunks_are_no_default_since_some_take_none_or_small_ones() {
    for (profile, status) in [(Profile::Gar, 400), (Profile::Ghcr, 416)] {
        let stage = Stage::of(profile);
        let large = vec![7; (4 << 20) + 1];
        let begun = stage.send(ask("POST", format!("/v2/{REPOSITORY}/blobs/uploads/")));
        let refused = stage.send(ask("PATCH", begun.location()).body(large.clone()));
        assert_eq!(refused.status, status, "{profile}");
        let store = stage.repository(REPOSITORY);
        assert_eq!(block(store.push(&blob(large), &[])).unwrap(), Pushed::Written, "{profile}");
    }
}

#[test]
fn a_chart_has_no_empty_blob_since_some_take_none() {
    let stage = Stage::of(Profile::Gar);
    stage.bites_who(Quirk::NoEmptyBlobs, || {
        let begun = stage.send(ask("POST", format!("/v2/{REPOSITORY}/blobs/uploads/")));
        let put = stage.send(ask("PUT", format!("{}&digest={}", begun.location(), sha256(b""))));
        assert_eq!(put.status, 400);
    });
    let before = stage.registry.bites();
    push(&stage.store(), "1.0.0").unwrap();
    stage.unbitten(&before);
    // Whoever insists is told.
    let error = block(stage.store().push(&blob(""), &[])).unwrap_err();
    assert!(error.get("codes").is_some(), "{error:?}");
}

#[test]
fn a_broken_upload_goes_on_where_it_ended_whatever_order_is_taken() {
    for profile in [Profile::Harbor, Profile::Registry2] {
        let stage = Stage::of(profile);
        stage.bites_who(Quirk::AnyOrder, || {
            // What a lost answer makes of a client that goes on from its own count.
            let statuses = in_chunks(&stage, &[("0-3", "some"), ("9-13", "thing")], &sha256(b"something"));
            assert_eq!(statuses, [202, 202, 202, 201], "taken as if nothing were wrong");
        });
        let before = stage.registry.bites();
        let store = stage.repository(REPOSITORY);
        let large = blob((0..200_000u32).map(|n| (n % 251) as u8).collect::<Vec<_>>());
        stage.registry.script().once("PUT", "*/blobs/uploads/*", Fault::CutRequest(70_000));
        block(store.push(&large, &[])).unwrap();
        assert!(block(store.fetch_bytes(large.descriptor(), 1 << 20)).is_ok());
        // In pieces, where the answer to one was lost and the registry would take it twice.
        let pieces =
            RepositoryOptions::default().with_uploads(stage.host(), UploadMode::Chunked { bytes: 64 << 10 });
        let store = open(&stage.client_of(stage.login(), pieces), &stage.registry, REPOSITORY);
        let large = blob((0..200_000u32).map(|n| (n % 241) as u8).collect::<Vec<_>>());
        stage.registry.script().add(Rule::new("PATCH", "*/blobs/uploads/*", Fault::LoseAnswer).nth(2));
        block(store.push(&large, &[])).unwrap();
        assert!(block(store.fetch_bytes(large.descriptor(), 1 << 20)).is_ok());
        assert_eq!(stage.registry.script().pending(), 0);
        stage.unbitten(&before);
    }
}

#[test]
fn mounts_name_a_source_since_some_refuse_others() {
    let stage = Stage::of(Profile::Quay);
    let digest = sha256(b"content");
    stage.bites_who(Quirk::MountNeedsSource, || {
        let mount = stage.send(ask("POST", format!("/v2/{REPOSITORY}/blobs/uploads/?mount={digest}")));
        assert_eq!(mount.status, 400);
    });
    let before = stage.registry.bites();
    push(&stage.store(), "1.0.0").unwrap();
    stage.unbitten(&before);
    assert!(
        stage.registry.log().count(|exchange| exchange.class == Class::Mount && exchange.status == Some(202))
            > 0
    );
}

#[test]
fn nothing_is_mounted_from_another_registry() {
    let stage = Stage::of(Profile::DockerHub);
    let digest = sha256(b"content");
    stage.bites_who(Quirk::MountChecksSource, || {
        let target = format!("/v2/{REPOSITORY}/blobs/uploads/?mount={digest}&from=elsewhere/web");
        let header = stage.token("pull,push&scope=repository:elsewhere/web:pull").unwrap();
        let mount = ask("POST", target).header("authorization", header).send(stage.registry.host());
        assert_eq!((mount.status, mount.code().as_str()), (400, "NAME_INVALID"));
    });
    let before = stage.registry.bites();
    let other = Registry::start().unwrap();
    let source: Arc<dyn Store> = Arc::new(repository(&other, "elsewhere/web"));
    let content = blob("content");
    block(source.push(&content, &[])).unwrap();
    let again = oci_chart_core::store::Blob::from_store(content.descriptor().clone(), source);
    assert_eq!(block(stage.store().push(&again, &[])).unwrap(), Pushed::Written);
    stage.unbitten(&before);
}

#[test]
fn a_mount_that_finds_more_than_it_was_asked_for_is_as_good() {
    let stage = Stage::of(Profile::Zot);
    assert!(stage.profile.quirks().contains(&Quirk::MountIgnoresSource));
    stage.registry.put_blob("charts/other", b"content").unwrap();
    let content = blob("content");
    let target =
        format!("/v2/{REPOSITORY}/blobs/uploads/?mount={}&from=charts/third", content.descriptor().digest);
    assert_eq!(stage.send(ask("POST", target)).status, 201, "it is not in charts/third");
    // So the look at our own repository finds what is in another, and it is there then.
    let store = stage.repository("charts/new");
    block(store.push(&content, &[])).unwrap();
    assert_eq!(block(store.fetch_bytes(content.descriptor(), 100)).unwrap(), "content");
}

#[test]
fn a_source_comes_with_a_mount_and_a_blob_with_its_type() {
    let stage = Stage::of(Profile::Zot);
    let uploads = format!("/v2/{REPOSITORY}/blobs/uploads/");
    stage.bites_who(Quirk::FromNeedsMount, || {
        assert_eq!(stage.send(ask("POST", format!("{uploads}?from=charts/other"))).status, 405);
    });
    stage.bites_who(Quirk::PostNeedsType, || {
        let digest = sha256(b"content");
        assert_eq!(stage.send(ask("POST", format!("{uploads}?digest={digest}")).body("content")).status, 415);
    });
    let before = stage.registry.bites();
    push(&stage.store(), "1.0.0").unwrap();
    stage.unbitten(&before);
}

#[test]
fn a_refused_cleaning_up_hides_no_error() {
    let stage = Stage::of(Profile::Artifactory);
    assert!(stage.profile.quirks().contains(&Quirk::CancelForbidden));
    let begun = stage.send(ask("POST", format!("/v2/{REPOSITORY}/blobs/uploads/")));
    assert_eq!(stage.send(ask("DELETE", begun.location())).status, 403);
    stage.registry.script().once("PUT", "*/blobs/uploads/*", Fault::error(507, "X"));
    let error = block(stage.store().push(&blob("content"), &[])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::QuotaExceeded, "{error:?}");
}

#[test]
fn a_manifest_without_a_location_is_stored_all_the_same() {
    for profile in [Profile::Ecr, Profile::EcrPublic] {
        let stage = Stage::of(profile);
        push(&stage.store(), "1.0.0").unwrap();
        let stored = stage.registry.manifest(REPOSITORY, "1.0.0").unwrap();
        assert_eq!(&*stored.bytes, artifact("1.0.0").manifest().bytes());
        let target = format!("/v2/{REPOSITORY}/manifests/1.0.0");
        let put = stage
            .send(ask("PUT", target).header("content-type", stored.media_type).body(stored.bytes.to_vec()));
        assert_eq!((put.status, put.header("location")), (201, None), "{profile}");
    }
}
