use oci_chart_core::{
    Content, ErrorKind, Reason,
    digest::{Algorithm, Hasher},
    oci::Descriptor,
    store::{Blob, Feature, Pushed, Store, Support, UploadMode},
};
use oci_chart_testkit::{Builder, Exchange, Fault, Registry, Rule};

use super::{blob, bytes, found, holds, methods, sent, with_mode};
use crate::remote::{block, repository};

fn start(build: impl Fn(Builder) -> Builder) -> Registry {
    build(Registry::builder()).start_blocking().unwrap()
}

/// A blob in a file, which is read piece by piece.
fn file(len: usize) -> (tempfile::NamedTempFile, Blob) {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs_err::write(file.path(), bytes(len)).unwrap();
    let descriptor = Descriptor::of("text/plain".into(), bytes(len));
    let blob = Blob::from_content(descriptor, Content::from_path(file.path()).unwrap());
    (file, blob)
}

#[test]
fn a_blob_goes_in_one_request_unless_told_otherwise() {
    let registry = start(|builder| builder);
    let content = blob(200_000);
    assert_eq!(block(repository(&registry, "charts/web").push(&content, &[])).unwrap(), Pushed::Written);
    assert_eq!(methods(&registry), "POST PUT");
    assert!(holds(&registry, &content));
}

#[test]
fn an_upload_without_a_place_is_none() {
    for fault in [Fault::RemoveHeader("location".into()), Fault::SetHeader("location".into(), String::new())]
    {
        let registry = start(|builder| builder);
        registry.script().add(Rule::new("POST", "*", fault).always());
        let error = block(repository(&registry, "charts/web").push(&blob(10), &[])).unwrap_err();
        assert_eq!(found(&error), (ErrorKind::Protocol, Some(Reason::MalformedAnswer)), "{error:?}");
        assert_eq!(methods(&registry), "POST");
    }
}

#[test]
fn pieces_have_the_size_that_was_told_and_say_where_they_belong() {
    let registry = start(|builder| builder.rotating_locations(true));
    let store = with_mode(&registry, UploadMode::Chunked { bytes: 300_000 });
    let (_kept, content) = file(1_000_000);
    block(store.push(&content, &[])).unwrap();
    let patches: Vec<_> =
        registry.log().entries().into_iter().filter(|exchange| exchange.method == "PATCH").collect();
    let ranges: Vec<_> = patches.iter().map(|patch| patch.header("content-range").unwrap()).collect();
    assert_eq!(ranges, ["0-299999", "300000-599999", "600000-899999", "900000-999999"]);
    assert!(patches.iter().all(|patch| patch.header("content-type") == Some("application/octet-stream")));
    assert_eq!(patches[0].header("content-length"), Some("300000"));
    let digest = content.descriptor().digest.to_string();
    assert_eq!(registry.blob("charts/web", &digest).unwrap().unwrap(), bytes(1_000_000));
    // What fits into one piece goes whole.
    registry.log().take();
    block(store.push(&blob(300_000), &[])).unwrap();
    assert!(!methods(&registry).contains("PATCH"));
}

#[test]
fn the_least_size_of_a_piece_is_respected() {
    let registry = start(|builder| builder.min_chunk(400_000));
    let store = with_mode(&registry, UploadMode::Chunked { bytes: 100_000 });
    let content = blob(1_000_000);
    block(store.push(&content, &[])).unwrap();
    assert!(holds(&registry, &content));
    assert_eq!(registry.log().count(|exchange| exchange.method == "PATCH"), 3);
}

#[test]
fn a_piece_that_is_answered_as_created_is_taken() {
    let registry = start(|builder| builder.chunk_status(201));
    let store = with_mode(&registry, UploadMode::Chunked { bytes: 400_000 });
    let content = blob(1_000_000);
    block(store.push(&content, &[])).unwrap();
    assert!(holds(&registry, &content));
}

#[test]
fn a_registry_that_drops_pieces_gets_the_blob_whole() {
    let registry = start(|builder| builder.chunk_status(201));
    // It says that it has everything, and cannot make the blob of it.
    registry.script().add(Rule::new("PUT", "*/uploads/*", Fault::error(400, "DIGEST_INVALID")));
    let store = with_mode(&registry, UploadMode::Chunked { bytes: 400_000 });
    let content = blob(1_000_000);
    block(store.push(&content, &[])).unwrap();
    assert!(holds(&registry, &content));
    assert_eq!(store.capabilities().get(Feature::Chunks), Support::No);
    assert_eq!(registry.open_uploads(), 0);
}

#[test]
fn a_registry_without_pieces_gets_the_blob_whole() {
    let registry = start(|builder| builder.chunks(false));
    let store = with_mode(&registry, UploadMode::Chunked { bytes: 100_000 });
    let content = blob(1_000_000);
    block(store.push(&content, &[])).unwrap();
    assert!(holds(&registry, &content));
    registry.log().take();
    block(store.push(&blob(900_000), &[])).unwrap();
    assert!(!methods(&registry).contains("PATCH"), "remembered");
    assert_eq!(registry.open_uploads(), 0);
}

#[test]
fn a_blob_that_is_too_large_for_one_request_goes_in_pieces() {
    let registry = start(|builder| builder);
    registry.script().once("PUT", "*/uploads/*", Fault::error(413, "X"));
    let store = repository(&registry, "charts/web");
    let content = blob(200_000);
    block(store.push(&content, &[])).unwrap();
    assert!(holds(&registry, &content));
    assert_eq!(store.capabilities().body_limit, Some(100_000));
    // The next one that large goes so at once, a smaller one does not.
    registry.log().take();
    block(store.push(&blob(150_000), &[])).unwrap();
    assert_eq!(methods(&registry), "POST PATCH PATCH PUT");
    registry.log().take();
    block(store.push(&blob(90_000), &[])).unwrap();
    assert_eq!(methods(&registry), "POST PUT");
}

#[test]
fn pieces_that_are_too_large_are_halved() {
    // GitHub's registry answers 416, proxies 413.
    for faults in [0, 2] {
        let registry = start(|builder| builder.max_chunk(1 << 20));
        registry.script().add(Rule::new("PATCH", "*", Fault::error(413, "X")).times(faults));
        let store = with_mode(&registry, UploadMode::Chunked { bytes: 4 << 20 });
        let content = blob(5 << 20);
        block(store.push(&content, &[])).unwrap();
        assert!(holds(&registry, &content));
        let largest = registry.log().entries().iter().map(|exchange| exchange.bytes_in).max();
        assert!(registry.log().count(|exchange| exchange.status == Some(202)) >= 5, "{largest:?}");
    }
}

#[test]
fn what_is_too_large_in_any_size_is_the_registry_s_error() {
    let registry = start(|builder| builder);
    registry.script().add(Rule::new("PUT", "*/uploads/*", Fault::error(413, "X")).always());
    registry.script().add(Rule::new("PATCH", "*/uploads/*", Fault::error(413, "X")).always());
    let error = block(repository(&registry, "charts/web").push(&blob(1 << 20), &[])).unwrap_err();
    assert_eq!(found(&error), (ErrorKind::LimitExceeded, Some(Reason::DocumentTooLarge)));
    assert_eq!(error.get("status"), Some("413"));
    assert_eq!(registry.open_uploads(), 0);
}

#[test]
fn a_registry_that_takes_only_pieces_gets_them() {
    let registry = start(Builder::chunked_only);
    let store = repository(&registry, "charts/web");
    let content = blob(100_000);
    block(store.push(&content, &[])).unwrap();
    assert!(holds(&registry, &content));
    registry.log().take();
    block(store.push(&blob(90_000), &[])).unwrap();
    assert_eq!(methods(&registry), "POST PATCH PUT", "remembered");
    assert_eq!(registry.open_uploads(), 0);
}

#[test]
fn a_broken_upload_goes_on_where_it_broke() {
    for (target, mode) in [("PUT", UploadMode::Whole), ("PATCH", UploadMode::Chunked { bytes: 2 << 20 })] {
        let registry = start(|builder| builder.rotating_locations(true));
        registry.script().once(target, "*/uploads/*", Fault::CutRequest(1 << 20));
        let store = with_mode(&registry, mode);
        let (_kept, content) = file(3 << 20);
        block(store.push(&content, &[])).unwrap();
        let digest = content.descriptor().digest.to_string();
        assert_eq!(registry.blob("charts/web", &digest).unwrap().unwrap(), bytes(3 << 20), "{target}");
        let resumed = registry.log().entries().into_iter().rfind(|exchange| exchange.bytes_in > 0).unwrap();
        let range = resumed.header("content-range").unwrap();
        assert!(!range.starts_with("0-"), "{target}: {range}");
        assert!(registry.log().count(|exchange| exchange.method == "GET") > 0, "it asked how far it is");
        assert_eq!((registry.open_uploads(), registry.script().pending()), (0, 0));
    }
}

#[test]
fn a_piece_out_of_order_is_sent_where_the_registry_waits() {
    let registry = start(|builder| builder);
    // It counts the first piece wrongly, and wants the next one where it really is.
    registry.script().once("PATCH", "*/uploads/*", Fault::SetHeader("range".into(), "0-149999".into()));
    let content = blob(1_000_000);
    block(with_mode(&registry, UploadMode::Chunked { bytes: 300_000 }).push(&content, &[])).unwrap();
    assert!(holds(&registry, &content));
    let refused = |exchange: &Exchange| exchange.status == Some(416);
    assert_eq!(registry.log().count(refused), 1, "{:#?}", registry.log().lines());
    assert_eq!(registry.open_uploads(), 0);
}

#[test]
fn a_registry_that_counts_what_was_never_sent_gets_the_blob_whole() {
    for range in ["0-999999", "5-9"] {
        let registry = start(|builder| builder);
        registry.script().once("PATCH", "*/uploads/*", Fault::SetHeader("range".into(), range.into()));
        let (store, content) = (with_mode(&registry, UploadMode::Chunked { bytes: 300_000 }), blob(700_000));
        block(store.push(&content, &[])).unwrap();
        assert!(holds(&registry, &content));
        let whole = sent(&registry, |exchange| exchange.method == "PUT") == 700_000;
        assert_eq!(whole, range == "0-999999", "what cannot be read counts as nothing said");
        assert_eq!(registry.open_uploads(), 0);
    }
}

#[test]
fn a_registry_that_wants_another_place_each_time_is_left() {
    let registry = start(|builder| builder);
    for n in 0..100 {
        let headers = vec![("range".to_owned(), format!("0-{}", 9 + n % 2))];
        let refusal = Fault::Status { code: 416, headers, body: "".into() };
        registry.script().add(Rule::new("PATCH", "*/uploads/*", refusal));
    }
    let store = with_mode(&registry, UploadMode::Chunked { bytes: 100 });
    assert!(block(store.push(&blob(500), &[])).is_err());
    assert_eq!(registry.log().count(|exchange| exchange.method == "PATCH"), 2 * 4, "begun anew once");
    assert_eq!(registry.open_uploads(), 0);
}

#[test]
fn a_piece_whose_answer_was_lost_is_not_sent_twice() {
    let registry = start(|builder| builder);
    registry.script().add(Rule::new("PATCH", "*/uploads/*", Fault::LoseAnswer));
    let store = with_mode(&registry, UploadMode::Chunked { bytes: 300_000 });
    let content = blob(1_000_000);
    block(store.push(&content, &[])).unwrap();
    assert!(holds(&registry, &content));
    assert_eq!(sent(&registry, |exchange| exchange.method == "PATCH"), 1_000_000, "nothing was sent twice");
}

#[test]
fn an_upload_whose_last_answer_was_lost_is_done() {
    let registry = start(|builder| builder);
    registry.script().once("PUT", "*/uploads/*", Fault::LoseAnswer);
    let content = blob(100_000);
    block(repository(&registry, "charts/web").push(&content, &[])).unwrap();
    assert!(holds(&registry, &content));
    assert_eq!(registry.log().count(|exchange| exchange.method == "PUT"), 1);
}

#[test]
fn an_upload_that_the_registry_lost_begins_anew_once() {
    let registry = start(|builder| builder);
    registry.script().once("PUT", "*/uploads/*", Fault::error(404, "BLOB_UPLOAD_UNKNOWN"));
    let store = repository(&registry, "charts/web");
    let content = blob(100_000);
    block(store.push(&content, &[])).unwrap();
    assert!(holds(&registry, &content));

    let put = Rule::new("PUT", "*/uploads/*", Fault::error(404, "BLOB_UPLOAD_UNKNOWN"));
    registry.script().add(put.always());
    registry.log().take();
    let error = block(store.push(&blob(90_000), &[])).unwrap_err();
    assert_eq!(error.get("status"), Some("404"));
    assert_eq!(registry.log().count(|exchange| exchange.method == "PUT"), 2);
    assert_eq!(registry.open_uploads(), 0);
}

#[test]
fn a_rest_that_was_taken_for_the_whole_begins_anew() {
    // Not all know that the last request may have the rest of a blob that broke off.
    let registry = start(|builder| builder);
    registry.script().once("PUT", "*/uploads/*", Fault::CutRequest(40_000));
    registry.script().add(Rule::new("PUT", "*/uploads/*", Fault::error(400, "DIGEST_INVALID")).nth(2));
    let content = blob(100_000);
    block(repository(&registry, "charts/web").push(&content, &[])).unwrap();
    assert!(holds(&registry, &content));
    let begun = registry.log().count(|exchange| exchange.method == "POST");
    assert_eq!((begun, registry.script().pending(), registry.open_uploads()), (2, 0, 0));
}

#[test]
fn a_failing_upload_is_given_up_and_nobody_minds_if_that_fails() {
    for status in [204, 401, 403, 404, 500] {
        let registry = start(|builder| builder);
        registry.script().add(Rule::new("PUT", "*/uploads/*", Fault::error(400, "X")).always());
        if status != 204 {
            registry.script().add(Rule::new("DELETE", "*/uploads/*", Fault::error(status, "X")).always());
        }
        let store = repository(&registry, "charts/web");
        let error = block(store.push(&blob(1000), &[])).unwrap_err();
        assert_eq!(error.get("status"), Some("400"), "{status}");
        let cancels = |registry: &Registry| registry.log().count(|exchange| exchange.method == "DELETE");
        assert_eq!(cancels(&registry), 1, "{status}");
        block(store.push(&blob(2000), &[])).unwrap_err();
        // Who may not is not asked again.
        assert_eq!(cancels(&registry), if matches!(status, 401 | 403) { 1 } else { 2 }, "{status}");
    }
}

#[test]
fn one_request_uploads_a_blob_where_that_was_told() {
    for (supported, expected) in [(true, "POST"), (false, "POST PUT")] {
        let registry = start(|builder| builder.single_post(supported));
        let store = with_mode(&registry, UploadMode::Single);
        let content = blob(60_000);
        block(store.push(&content, &[])).unwrap();
        assert!(holds(&registry, &content));
        assert_eq!(methods(&registry), expected);
        let post = registry.log().entries().into_iter().next().unwrap();
        assert_eq!(post.header("content-type"), Some("application/octet-stream"));
        // Many bytes are worth a look first.
        block(store.push(&blob(100_000), &[])).unwrap();
        registry.log().take();
        assert_eq!(block(store.push(&blob(100_000), &[])).unwrap(), Pushed::Existing);
        assert_eq!(methods(&registry), "HEAD");
    }
}

#[test]
fn another_algorithm_is_announced() {
    for mode in [UploadMode::Whole, UploadMode::Chunked { bytes: 1000 }] {
        let registry = start(|builder| builder);
        let mut hasher = Hasher::new(Algorithm::Sha512);
        hasher.update(&bytes(5000));
        let descriptor = Descriptor::new("text/plain".into(), hasher.finish(), 5000);
        let content = Blob::from_content(descriptor.clone(), Content::from(bytes(5000)));
        let store = with_mode(&registry, mode);
        block(store.push(&content, &[])).unwrap();
        assert!(holds(&registry, &content));
        assert!(registry.log().entries()[0].target.contains("digest-algorithm=sha512"));
        assert_eq!(block(store.push(&content, &[])).unwrap(), Pushed::Existing);
    }
}
