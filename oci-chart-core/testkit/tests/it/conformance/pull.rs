//! Spec section "Pull", with the endpoint table's `/v2/`.

use oci_chart_testkit::Registry;

use crate::support::{MANIFEST, ask, push_blob, push_image, sha256, sha512};

pub(super) fn ping(registry: &Registry) {
    for method in ["GET", "HEAD"] {
        assert_eq!(ask(method, "/v2/").send(registry.host()).status, 200);
    }
    assert_eq!(ask("DELETE", "/v2/").send(registry.host()).status, 405);
}

/// Nothing outside the endpoint table is served, and nothing under a name outside the grammar.
pub(super) fn unknown(registry: &Registry) {
    let table = [
        ("GET", "/", 404),
        ("GET", "/v1/", 404),
        ("GET", "/v2/a/other/x", 404),
        ("GET", "/v2/a/tags/other", 404),
        ("POST", "/v2/a/tags/list", 405),
        ("GET", "/v2/a/blobs/uploads/", 405),
        ("GET", "/v2/UPPER/tags/list", 400),
        ("GET", "/v2/a..b/manifests/x", 400),
        ("PUT", "/v2/a/manifests/-x", 400),
        ("GET", "/v2/a/manifests/sha256:short", 400),
        ("GET", "/v2/a/blobs/md5:d41d8cd98f00b204e9800998ecf8427e", 400),
    ];
    for (method, target, status) in table {
        let answer = ask(method, target).send(registry.host());
        assert_eq!(answer.status, status, "{method} {target}");
        assert!(!answer.code().is_empty(), "{method} {target} has an error code");
    }
}

pub(super) fn blob_get(registry: &Registry) {
    let host = registry.host();
    for content in [&b"content"[..], b"", &vec![7; 300_000]] {
        let digest = push_blob(host, "a/b", content);
        let got = ask("GET", format!("/v2/a/b/blobs/{digest}")).send(host);
        assert_eq!((got.status, got.body.as_slice()), (200, content));
        assert_eq!(got.header("docker-content-digest"), Some(digest.as_str()));
        assert_eq!(got.header("content-length"), Some(content.len().to_string().as_str()));
        let elsewhere = ask("GET", format!("/v2/a/blobs/{digest}")).send(host);
        assert_eq!((elsewhere.status, elsewhere.code().as_str()), (404, "BLOB_UNKNOWN"));
    }
    let absent = ask("GET", format!("/v2/a/b/blobs/{}", sha512(b"absent"))).send(host);
    assert_eq!((absent.status, absent.code().as_str()), (404, "BLOB_UNKNOWN"));
}

pub(super) fn blob_range(registry: &Registry) {
    let host = registry.host();
    let content: Vec<u8> = (0..=255).cycle().take(2048).collect();
    let digest = push_blob(host, "a", &content);
    let get = |range: &str| ask("GET", format!("/v2/a/blobs/{digest}")).header("range", range).send(host);
    let table = [
        ("bytes=500-1499", 500, 1500),
        ("bytes=500-", 500, 2048),
        ("bytes=-500", 1548, 2048),
        ("bytes=2000-5000", 2000, 2048),
        ("bytes=0-0", 0, 1),
    ];
    for (range, start, end) in table {
        let part = get(range);
        assert_eq!((part.status, part.body.as_slice()), (206, &content[start..end]), "{range}");
        let stated = format!("bytes {start}-{}/2048", end - 1);
        assert_eq!(part.header("content-range"), Some(stated.as_str()));
    }
    for range in ["bytes=2048-", "bytes=5000-10000", "bytes=500-0"] {
        let none = get(range);
        assert_eq!((none.status, none.header("content-range")), (416, Some("bytes */2048")), "{range}");
    }
    let whole = get("lines=1-2");
    assert_eq!((whole.status, whole.body.len()), (200, 2048));

    let etag = get("bytes=0-0").header("etag").unwrap().to_owned();
    let if_range = |tag: &str| {
        let ask =
            ask("GET", format!("/v2/a/blobs/{digest}")).header("range", "bytes=1-2").header("if-range", tag);
        ask.send(host).status
    };
    assert_eq!((if_range(&etag), if_range("\"other\"")), (206, 200));
}

pub(super) fn blob_head(registry: &Registry) {
    let digest = push_blob(registry.host(), "a", b"content");
    let head = |digest: &str| ask("HEAD", format!("/v2/a/blobs/{digest}")).send(registry.host());
    let found = head(&digest);
    assert_eq!((found.status, found.body.len()), (200, 0));
    assert_eq!(found.header("content-length"), Some("7"));
    assert_eq!(found.header("docker-content-digest"), Some(digest.as_str()));
    assert_eq!(head(&sha256(b"absent")).status, 404);
}

pub(super) fn manifest_get_by_tag(registry: &Registry) {
    manifest_read(registry, "GET", |_| "v1".to_owned());
}

pub(super) fn manifest_get_by_digest(registry: &Registry) {
    manifest_read(registry, "GET", sha256);
}

pub(super) fn manifest_head_by_tag(registry: &Registry) {
    manifest_read(registry, "HEAD", |_| "v1".to_owned());
}

pub(super) fn manifest_head_by_digest(registry: &Registry) {
    manifest_read(registry, "HEAD", sha256);
}

fn manifest_read(registry: &Registry, method: &str, reference: fn(&[u8]) -> String) {
    let manifest = push_image(registry.host(), "a/b", "v1", b"layer", "");
    let read = |repository: &str, reference: String| {
        ask(method, format!("/v2/{repository}/manifests/{reference}")).send(registry.host())
    };
    let found = read("a/b", reference(&manifest));
    assert_eq!(found.status, 200);
    assert_eq!(found.header("content-type"), Some(MANIFEST));
    assert_eq!(found.header("docker-content-digest"), Some(sha256(&manifest).as_str()));
    assert_eq!(found.header("content-length"), Some(manifest.len().to_string().as_str()));
    assert_eq!(found.body, if method == "GET" { manifest.clone() } else { Vec::new() });
    // A repository that does not exist looks like a tag that does not.
    for answer in
        [read("a/b", sha256(b"absent")), read("a/b", "absent".into()), read("c", reference(&manifest))]
    {
        assert_eq!(answer.status, 404);
        assert!(method == "HEAD" || answer.code() == "MANIFEST_UNKNOWN");
    }
}
