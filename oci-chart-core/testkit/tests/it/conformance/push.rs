//! Spec section "Push": every upload form, mounts, manifests.

use oci_chart_testkit::Registry;

use crate::support::{Answer, MANIFEST, ask, manifest, push_blob, push_image, sha256, sha512, with};

const UPLOADS: &str = "/v2/a/b/blobs/uploads/";

/// A blob is refused under an unknown or malformed digest, whatever way it comes.
pub(super) fn any_blob(registry: &Registry) {
    let host = registry.host();
    for digest in ["sha256:short", "md5:d41d8cd98f00b204e9800998ecf8427e", "nonsense"] {
        let post = ask("POST", format!("{UPLOADS}?digest={digest}")).body("x").send(host);
        assert_eq!((post.status, post.code().as_str()), (400, "DIGEST_INVALID"), "{digest}");
        let put = ask("PUT", with(&begin(registry, ""), &format!("digest={digest}"))).body("x").send(host);
        assert_eq!((put.status, put.code().as_str()), (400, "DIGEST_INVALID"), "{digest}");
    }
    assert_eq!(ask("POST", format!("{UPLOADS}?digest-algorithm=md5")).send(host).status, 400);
    assert_eq!(ask("PUT", begin(registry, "")).body("x").send(host).status, 400);
    assert_eq!(ask("POST", "/v2/a/b/blobs/uploads").send(host).status, 202);
}

pub(super) fn post_only(registry: &Registry) {
    for digest in [sha256, sha512] {
        for content in [&b"one post"[..], b""] {
            let target = format!("{UPLOADS}?digest={}", digest(content));
            accepted(
                registry,
                &ask("POST", target).body(content).send(registry.host()),
                &digest(content),
                content,
            );
        }
        let wrong = ask("POST", format!("{UPLOADS}?digest={}", digest(b"x"))).body("y").send(registry.host());
        assert_eq!((wrong.status, wrong.code().as_str()), (400, "DIGEST_INVALID"));
    }
    assert_eq!(registry.open_uploads(), 0);
}

pub(super) fn post_put(registry: &Registry) {
    for (digest, query) in
        [(sha256 as fn(&[u8]) -> String, ""), (sha512, "?digest-algorithm=sha512"), (sha512, "")]
    {
        for content in [&b"post and put"[..], b""] {
            let target = with(&begin(registry, query), &format!("digest={}", digest(content)));
            accepted(
                registry,
                &ask("PUT", target).body(content).send(registry.host()),
                &digest(content),
                content,
            );
        }
        let target = with(&begin(registry, query), &format!("digest={}", digest(b"x")));
        let wrong = ask("PUT", &target).body("y").send(registry.host());
        assert_eq!((wrong.status, wrong.code().as_str()), (400, "DIGEST_INVALID"));
        let gone = ask("PUT", &target).body("x").send(registry.host());
        assert_eq!((gone.status, gone.code().as_str()), (404, "BLOB_UPLOAD_UNKNOWN"));
    }
    // The location is the registry's own business: without its query it leads nowhere.
    let location = begin(registry, "");
    let bare = location.split('?').next().unwrap();
    let lost = ask("PUT", format!("{bare}?digest={}", sha256(b"x"))).body("x").send(registry.host());
    assert_eq!((lost.status, lost.code().as_str()), (400, "BLOB_UPLOAD_INVALID"));
}

pub(super) fn chunked(registry: &Registry) {
    let content: Vec<u8> = (0..=255).cycle().take(3000).collect();
    for last_in_put in [false, true] {
        let mut location = begin(registry, "");
        let patches = if last_in_put { 2_usize } else { 3 };
        for part in 0..patches {
            // The chunk after next, and again the one before, are out of order.
            for wrong in [part + 1, part.wrapping_sub(1)].into_iter().filter(|wrong| *wrong < 3) {
                let refused = patch(registry, &location, &content, wrong);
                assert_eq!(refused.status, 416, "chunk {wrong} instead of {part}");
            }
            location = status(registry, &location, part);
            let done = patch(registry, &location, &content, part);
            assert_eq!(done.status, 202, "{done:?}");
            assert_eq!(done.header("range"), Some(format!("0-{}", part * 1000 + 999).as_str()));
            location = done.location().to_owned();
        }
        let mut put = ask("PUT", with(&location, &format!("digest={}", sha256(&content))));
        if last_in_put {
            put = put.header("content-range", "2000-2999").body(&content[2000..]);
        }
        accepted(registry, &put.send(registry.host()), &sha256(&content), &content);
    }
    let location = begin(registry, "");
    let early = ask("PUT", with(&location, &format!("digest={}", sha256(b"x"))));
    assert_eq!(early.header("content-range", "5-5").body("x").send(registry.host()).status, 416);
    let short = ask("PATCH", &location).header("content-range", "0-9").body("x").send(registry.host());
    assert_eq!((short.status, short.code().as_str()), (400, "SIZE_INVALID"));
    let unit = ask("PATCH", &location).header("content-range", "bytes 0-0/1").body("x").send(registry.host());
    assert_eq!((unit.status, unit.code().as_str()), (400, "BLOB_UPLOAD_INVALID"));
}

fn patch(registry: &Registry, location: &str, content: &[u8], part: usize) -> Answer {
    let (start, end) = (part * 1000, part * 1000 + 1000);
    let range = format!("{start}-{}", end - 1);
    ask("PATCH", location).header("content-range", range).body(&content[start..end]).send(registry.host())
}

/// Asks how far the upload is; gives the location to go on with.
fn status(registry: &Registry, location: &str, parts: usize) -> String {
    let status = ask("GET", location).send(registry.host());
    let received = format!("0-{}", (parts * 1000).saturating_sub(1));
    assert_eq!((status.status, status.header("range")), (204, Some(received.as_str())));
    status.location().to_owned()
}

pub(super) fn streamed(registry: &Registry) {
    let patched = ask("PATCH", begin(registry, "")).body("a stream ").send(registry.host());
    let again = ask("PATCH", patched.location()).body("in parts").send(registry.host());
    assert_eq!((again.status, again.header("range")), (202, Some("0-16")));
    let content = b"a stream in parts";
    let put =
        ask("PUT", with(again.location(), &format!("digest={}", sha512(content)))).send(registry.host());
    accepted(registry, &put, &sha512(content), content);
}

pub(super) fn upload_cancel(registry: &Registry) {
    let location = begin(registry, "");
    assert_eq!(registry.open_uploads(), 1);
    assert_eq!(ask("DELETE", &location).send(registry.host()).status, 204);
    assert_eq!(registry.open_uploads(), 0);
    for method in ["GET", "PATCH", "PUT", "DELETE"] {
        let gone = ask(method, &location).send(registry.host());
        assert_eq!((gone.status, gone.code().as_str()), (404, "BLOB_UPLOAD_UNKNOWN"), "{method}");
    }
}

pub(super) fn mount(registry: &Registry) {
    let host = registry.host();
    let digest = push_blob(host, "source", b"content");
    let mount = |to: &str, digest: &str, from: &str| {
        ask("POST", format!("/v2/{to}/blobs/uploads/?mount={digest}&from={from}")).send(host)
    };
    accepted(registry, &mount("a/b", &digest, "source"), &digest, b"content");
    // From the repository itself: a question whether the blob is there.
    accepted(registry, &mount("a/b", &digest, "a/b"), &digest, b"content");
    let other = mount("other", &sha256(b"absent"), "other");
    let absent = mount("a/b", &digest, "nowhere");
    for begun in [other, absent] {
        assert_eq!(begun.status, 202);
        let put = ask("PUT", with(begun.location(), &format!("digest={digest}"))).body("content").send(host);
        assert_eq!(put.status, 201);
    }
}

pub(super) fn anonymous_mount(registry: &Registry) {
    let digest = push_blob(registry.host(), "source", b"content");
    let mount = |digest: &str| ask("POST", format!("{UPLOADS}?mount={digest}")).send(registry.host());
    accepted(registry, &mount(&digest), &digest, b"content");
    assert_eq!(mount(&sha256(b"absent")).status, 202);
}

pub(super) fn manifest_by_tag(registry: &Registry) {
    let host = registry.host();
    let first = push_image(host, "a/b", "v1", b"first", "");
    let second = push_image(host, "a/b", "v1", b"second", "");
    assert_eq!(ask("GET", "/v2/a/b/manifests/v1").send(host).body, second);
    assert_eq!(ask("GET", format!("/v2/a/b/manifests/{}", sha256(&first))).send(host).body, first);

    let put = |reference: &str, media_type: &str, body: Vec<u8>| {
        let answer = ask("PUT", format!("/v2/a/b/manifests/{reference}")).header("content-type", media_type);
        let answer = answer.body(body).send(host);
        (answer.status, answer.code())
    };
    let refused = |status, code: &str| (status, code.to_owned());
    assert_eq!(put(&"t".repeat(129), MANIFEST, first.clone()), refused(400, "MANIFEST_INVALID"));
    assert_eq!(put("v2", MANIFEST, b"{".to_vec()), refused(400, "MANIFEST_INVALID"));
    assert_eq!(put("v2", MANIFEST, b"[]".to_vec()), refused(400, "MANIFEST_INVALID"));
    assert_eq!(put("v2", "application/x", first.clone()), refused(400, "MANIFEST_INVALID"));
    assert_eq!(put("v2", &format!("{MANIFEST}; charset=utf-8"), first.clone()), (201, String::new()));
    assert_eq!(put("v2", MANIFEST, manifest(b"{}", b"absent", "")), refused(404, "MANIFEST_BLOB_UNKNOWN"));
    push_blob(host, "elsewhere", b"absent");
    assert_eq!(put("v2", MANIFEST, manifest(b"{}", b"absent", "")), refused(404, "MANIFEST_BLOB_UNKNOWN"));
    let size = String::from_utf8(first).unwrap().replace("\"size\":5", "\"size\":6");
    assert_eq!(put("v2", MANIFEST, size.into_bytes()), refused(400, "MANIFEST_INVALID"));

    // 4 MiB must pass, more may be refused, in the registry's words.
    let sized = |length: usize| {
        let frame = manifest(b"{}", b"first", r#","annotations":{"a":""}"#).len();
        manifest(b"{}", b"first", &format!(r#","annotations":{{"a":"{}"}}"#, "x".repeat(length - frame)))
    };
    assert_eq!(put("large", MANIFEST, sized(4 << 20)), (201, String::new()));
    assert_eq!(put("larger", MANIFEST, sized((4 << 20) + 1)), refused(413, "SIZE_INVALID"));
}

pub(super) fn manifest_by_digest(registry: &Registry) {
    let host = registry.host();
    let bytes = push_image(host, "a/b", "v1", b"layer", "");
    for digest in [sha256(&bytes), sha512(&bytes)] {
        let target = format!("/v2/a/b/manifests/{digest}");
        let put = ask("PUT", &target).header("content-type", MANIFEST).body(bytes.clone()).send(host);
        assert_eq!((put.status, put.header("docker-content-digest")), (201, Some(digest.as_str())));
        assert_eq!(ask("GET", put.location()).send(host).body, bytes);
    }
    for wrong in [sha256(b"other"), sha512(b"other")] {
        let put = ask("PUT", format!("/v2/a/b/manifests/{wrong}")).header("content-type", MANIFEST);
        let put = put.body(bytes.clone()).send(host);
        assert_eq!((put.status, put.code().as_str()), (400, "DIGEST_INVALID"));
    }
    assert_eq!(registry.manifests("a/b").len(), 2);
}

pub(super) fn manifest_tag_parameters(registry: &Registry) {
    let host = registry.host();
    let bytes = push_image(host, "a/b", "v1", b"layer", "");
    let target = format!("/v2/a/b/manifests/{}", sha256(&bytes));
    let tags: Vec<String> = (0..12).map(|n| format!("t{n:02}")).collect();
    let query = tags.iter().map(|tag| format!("tag={tag}")).collect::<Vec<_>>().join("&");
    let put = |query: &str| ask("PUT", format!("{target}?{query}")).body(bytes.clone()).send(host);
    let done = put(&query);
    assert_eq!((done.status, done.header("oci-tag")), (201, Some(tags.join(", ").as_str())));
    assert_eq!(registry.tags("a/b").len(), 13);
    assert_eq!(put("tag=-bad").status, 400);
}

pub(super) fn manifest_with_subject(registry: &Registry) {
    let missing = sha256(b"not there yet");
    let host = registry.host();
    push_blob(host, "a/b", b"{}");
    push_blob(host, "a/b", b"layer");
    let subject = format!(r#","subject":{{"mediaType":"{MANIFEST}","digest":"{missing}","size":13}}"#);
    let put = ask("PUT", "/v2/a/b/manifests/v1").body(manifest(b"{}", b"layer", &subject)).send(host);
    assert_eq!((put.status, put.header("oci-subject")), (201, Some(missing.as_str())));
    let plain = ask("PUT", "/v2/a/b/manifests/v2").body(manifest(b"{}", b"layer", "")).send(host);
    assert_eq!((plain.status, plain.header("oci-subject")), (201, None));
}

/// A new upload of repository `a/b`; gives its location.
fn begin(registry: &Registry, query: &str) -> String {
    let begun = ask("POST", format!("{UPLOADS}{query}")).send(registry.host());
    assert_eq!(begun.status, 202);
    begun.location().to_owned()
}

/// The answer says created, and its location gives the content.
fn accepted(registry: &Registry, answer: &Answer, digest: &str, content: &[u8]) {
    assert_eq!((answer.status, answer.header("docker-content-digest")), (201, Some(digest)), "{answer:?}");
    let got = ask("GET", answer.location()).send(registry.host());
    assert_eq!((got.status, got.body.as_slice()), (200, content));
}
