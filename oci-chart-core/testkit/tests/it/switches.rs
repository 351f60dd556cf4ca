//! Every switch of the builder, as a client meets it.

use oci_chart_testkit::{Builder, Class, Mounts, Registry};

use crate::support::{Answer, MANIFEST, ask, manifest, push_blob, push_image, sha256, with};

fn start(switch: impl FnOnce(Builder) -> Builder) -> Registry {
    switch(Registry::builder()).start_blocking().unwrap()
}

#[test]
fn without_the_referrers_api() {
    let registry = start(|builder| builder.referrers_api(false));
    let subject = format!(r#","subject":{{"mediaType":"{MANIFEST}","digest":"{}","size":1}}"#, sha256(b"s"));
    push_image(registry.host(), "a", "v1", b"layer", &subject);
    let put =
        ask("PUT", "/v2/a/manifests/v1").body(manifest(b"{}", b"layer", &subject)).send(registry.host());
    assert_eq!((put.status, put.header("oci-subject")), (201, None));
    assert_eq!(ask("GET", format!("/v2/a/referrers/{}", sha256(b"s"))).send(registry.host()).status, 404);
}

#[test]
fn mounts() {
    let mount = |registry: &Registry, query: &str| {
        let digest = push_blob(registry.host(), "source", b"content");
        ask("POST", format!("/v2/a/blobs/uploads/?mount={digest}{query}")).send(registry.host()).status
    };
    assert_eq!(mount(&start(|builder| builder.mounts(Mounts::Never)), "&from=source"), 202);
    for status in [400, 401, 405] {
        assert_eq!(mount(&start(|builder| builder.mounts(Mounts::Refused(status))), "&from=source"), status);
    }
    assert_eq!(mount(&start(|builder| builder.anonymous_mount(false)), ""), 202);
    let registry = start(|builder| builder.anonymous_mount(false));
    assert_eq!(mount(&registry, "&from=source"), 201);
    assert_eq!(registry.log().count_class(Class::Mount), 1);
}

#[test]
fn upload_forms() {
    let post = |registry: &Registry| {
        ask("POST", format!("/v2/a/blobs/uploads/?digest={}", sha256(b"x"))).body("x").send(registry.host())
    };
    let put = |registry: &Registry, location: &str| {
        ask("PUT", with(location, &format!("digest={}", sha256(b"x")))).body("x").send(registry.host())
    };
    let begin =
        |registry: &Registry| ask("POST", "/v2/a/blobs/uploads/").send(registry.host()).location().to_owned();
    let patch = |registry: &Registry, location: &str, body: &'static str| {
        ask("PATCH", location).body(body).send(registry.host())
    };

    let registry = start(|builder| builder.single_post(false));
    let begun = post(&registry);
    assert_eq!((begun.status, put(&registry, begun.location()).status), (202, 201));

    let registry = start(Builder::chunked_only);
    let begun = post(&registry);
    assert_eq!((begun.status, put(&registry, begun.location()).status), (202, 400));
    let patched = patch(&registry, begun.location(), "x");
    let done =
        ask("PUT", with(patched.location(), &format!("digest={}", sha256(b"x")))).send(registry.host());
    assert_eq!((patched.status, done.status), (202, 201));

    let registry = start(|builder| builder.chunks(false));
    assert_eq!(patch(&registry, &begin(&registry), "x").status, 400);

    let registry = start(|builder| builder.max_chunk(4));
    let location = begin(&registry);
    assert_eq!(
        (patch(&registry, &location, "12345").status, patch(&registry, &location, "1234").status),
        (416, 202)
    );

    let registry = start(|builder| builder.min_chunk(4));
    let begun = ask("POST", "/v2/a/blobs/uploads/").send(registry.host());
    assert_eq!(begun.header("oci-chunk-min-length"), Some("4"));
    let statuses = ["1234", "123", "1234"].map(|body| patch(&registry, begun.location(), body).status);
    assert_eq!(statuses, [202, 202, 400]);

    let registry = start(|builder| builder.rotating_locations(true));
    let first = begin(&registry);
    let second = patch(&registry, &first, "x").location().to_owned();
    assert_eq!((put(&registry, &first).status, patch(&registry, &first, "y").status), (400, 400));
    assert_eq!(ask("GET", &first).send(registry.host()).location(), second);
    let done = ask("PUT", with(&second, &format!("digest={}", sha256(b"x")))).send(registry.host());
    assert_eq!(done.status, 201);

    let registry = start(|builder| builder.chunk_status(201));
    assert_eq!(patch(&registry, &begin(&registry), "x").status, 201);
}

#[test]
fn pages() {
    let registry = start(|builder| builder.page_size(2).absolute_urls(true));
    for tag in ["1", "2", "3"] {
        registry.put_manifest("a", tag, MANIFEST, "{}").unwrap();
    }
    let page = ask("GET", "/v2/a/tags/list?n=100").send(registry.host());
    assert!(page.text().contains(r#"["1","2"]"#));
    let link = format!(r#"<{}/v2/a/tags/list?n=2&last=2>; rel="next""#, registry.url());
    assert_eq!(page.header("link"), Some(link.as_str()));
}

#[test]
fn what_can_be_forbidden() {
    let send =
        |registry: &Registry, method: &'static str, target: &str| ask(method, target).send(registry.host());
    let planted = |switch: fn(Builder) -> Builder| {
        let registry = start(switch);
        registry.put_manifest("a", "t", MANIFEST, "{}").unwrap();
        registry
    };
    let registry = planted(|builder| builder.tag_delete(false));
    let forbidden = send(&registry, "DELETE", "/v2/a/manifests/t");
    assert_eq!((forbidden.status, forbidden.code().as_str()), (405, "UNSUPPORTED"));
    let by_digest = format!("/v2/a/manifests/{}", sha256(b"{}"));
    assert_eq!(send(&registry, "DELETE", &by_digest).status, 202);

    let registry = planted(|builder| builder.delete(false));
    assert_eq!(send(&registry, "DELETE", &by_digest).status, 405);
    assert_eq!(send(&registry, "DELETE", &format!("/v2/a/blobs/{}", sha256(b"{}"))).status, 405);

    let registry = planted(|builder| builder.head(false));
    let (head, get) =
        (send(&registry, "HEAD", "/v2/a/manifests/t"), send(&registry, "GET", "/v2/a/manifests/t"));
    assert_eq!((head.status, get.status), (405, 200));

    let registry = start(|builder| builder.only_repositories(&["known"]));
    let post = |name: &str| send(&registry, "POST", &format!("/v2/{name}/blobs/uploads/"));
    assert_eq!(
        (post("known").status, post("a").status, post("a").code().as_str()),
        (202, 404, "NAME_UNKNOWN")
    );
    assert_eq!(ask("PUT", "/v2/a/manifests/t").body("{}").send(registry.host()).status, 404);
}

#[test]
fn what_can_be_left_out() {
    let put = |registry: &Registry, body: Vec<u8>| -> Answer {
        ask("PUT", format!("/v2/a/manifests/{}?tag=t", sha256(&body))).body(body).send(registry.host())
    };
    let registry =
        start(|builder| builder.digest_header(false).manifest_location(false).tag_parameters(false));
    let answer = put(&registry, b"{}".to_vec());
    assert_eq!(answer.status, 201);
    for header in ["docker-content-digest", "location", "oci-tag"] {
        assert_eq!(answer.header(header), None, "{header}");
    }
    assert!(registry.tags("a").is_empty());

    let registry = start(|builder| builder.check_references(false).max_manifest(1000));
    assert_eq!(put(&registry, manifest(b"no", b"where", "")).status, 201);
    assert_eq!(put(&registry, vec![b' '; 1001]).status, 413);

    let registry = start(|builder| builder.ranges(false).warning("soon gone"));
    let digest = registry.put_blob("a", "content").unwrap();
    let whole =
        ask("GET", format!("/v2/a/blobs/{digest}")).header("range", "bytes=1-2").send(registry.host());
    assert_eq!((whole.status, whole.text().as_str()), (200, "content"));
    assert_eq!(whole.header("warning"), Some(r#"299 - "soon gone""#));
}
