//! What a registry, or whoever answers in its place, cannot make a client do.

use oci_chart_core::{
    Error, ErrorKind, Reason,
    auth::StaticCredentials,
    name::Selector,
    oci::{Descriptor, MediaType},
    store::{Blob, Registries, Repository, Store as _, StoreExt as _},
};
use oci_chart_testkit::{Bearer, Builder, Fault, Registry, Rule, Tls};

use crate::remote::{block, host, login, open, options};

const INDEX: &str =
    r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
const CONTENT: &[u8] = b"content";

fn start(build: impl Fn(Builder) -> Builder) -> Registry {
    let registry = build(Registry::builder()).start_blocking().unwrap();
    registry.put_manifest("charts/web", "1.0.0", MediaType::OCI_INDEX.as_str(), INDEX).unwrap();
    registry.put_blob("charts/web", CONTENT).unwrap();
    registry
}

fn store(registry: &Registry) -> Repository {
    let options = options().with_plain_http(host(registry));
    open(&Registries::new(options, login(registry)).unwrap(), registry, "charts/web")
}

fn fetch(store: &Repository) -> Result<Vec<u8>, Error> {
    block(store.fetch_bytes(&Descriptor::of("text/plain".into(), CONTENT), 100)).map(Vec::from)
}

fn redirect(to: &str) -> Fault {
    Fault::Status { code: 307, headers: vec![("location".into(), to.into())], body: "".into() }
}

#[test]
fn a_redirect_out_of_https_is_not_followed() {
    let (safe, plain) = (start(|builder| builder.tls(Tls::built_in())), start(|builder| builder));
    safe.script().add(Rule::new("GET", "*/blobs/*", redirect(&format!("{}/x", plain.url()))).always());
    let options = options().with_root(Tls::AUTHORITY);
    let store = open(&Registries::new(options, StaticCredentials::default()).unwrap(), &safe, "charts/web");
    let error = fetch(&store).unwrap_err();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Protocol, Some(Reason::UnsafeRedirect)));
    assert_eq!(plain.log().entries().len(), 0);
}

#[test]
fn a_login_is_not_shown_under_another_name_nor_when_the_way_leads_home_again() {
    let registry = start(|builder| builder.basic_auth("robot", "hunter2"));
    let store = store(&registry);
    fetch(&store).unwrap();
    let path = format!("/v2/charts/web/blobs/{}", Descriptor::of("text/plain".into(), CONTENT).digest);
    let (own, port) = (registry.url().to_owned(), registry.host().rsplit(':').next().unwrap().to_owned());
    registry.log().take();
    // Away, and back: three requests, of which only the first may carry the login.
    registry.script().once("GET", &path, redirect(&format!("http://localhost:{port}{path}?1")));
    registry.script().once("GET", "*?1", redirect(&format!("{own}{path}?2")));
    let error = fetch(&store).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error:?}");
    let shown: Vec<_> =
        registry.log().entries().iter().map(|exchange| exchange.authorization.is_some()).collect();
    assert_eq!(shown, [true, false, false]);
}

#[test]
fn manifests_and_lists_behind_a_redirect_are_read_without_a_login() {
    use futures_util::TryStreamExt as _;

    let elsewhere = start(|builder| builder);
    for build in
        [(|builder: Builder| builder.basic_auth("robot", "hunter2")) as fn(Builder) -> Builder, |builder| {
            builder.bearer_auth(Bearer::new("robot", "hunter2"))
        }]
    {
        let registry = start(build);
        let store = store(&registry);
        block(store.resolve(&Selector::Tag("1.0.0".parse().unwrap()))).unwrap();
        let subject = Descriptor::of(MediaType::OCI_INDEX, INDEX);
        for path in
            ["manifests/1.0.0".to_owned(), "tags/list".into(), format!("referrers/{}", subject.digest)]
        {
            let to = redirect(&format!("{}/v2/charts/web/{path}", elsewhere.url()));
            registry.script().add(Rule::new("GET", &format!("/v2/charts/web/{path}*"), to).always());
        }
        let (_, bytes) = block(store.fetch_manifest(&Selector::Tag("1.0.0".parse().unwrap()))).unwrap();
        assert_eq!(bytes, INDEX);
        assert_eq!(block(store.tags().try_collect::<Vec<_>>()).unwrap().len(), 1);
        assert_eq!(block(store.referrers(&subject).try_collect::<Vec<_>>()).unwrap(), []);
        let seen = elsewhere.log().take();
        assert_eq!(seen.len(), 3);
        assert!(seen.iter().all(|exchange| exchange.authorization.is_none()));
    }
}

#[test]
fn what_fails_behind_a_redirect_says_who_led_there() {
    for (location, kind) in
        [("http://no-such-host.invalid/x", ErrorKind::Network), ("/v2/x?sig=hunter2", ErrorKind::NotFound)]
    {
        let registry = start(|builder| builder);
        registry.script().add(Rule::new("GET", "*/blobs/*", redirect(location)).always());
        let error = fetch(&store(&registry)).unwrap_err();
        assert_eq!(error.kind(), kind, "{error:?}");
        let from = error.get("redirected from").unwrap();
        assert!(from.starts_with(registry.url()) && from.contains("/blobs/sha256:"), "{error:?}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}

#[test]
fn a_circle_of_redirects_is_left() {
    let registry = start(|builder| builder);
    let to = Fault::Redirect(registry.url().to_owned());
    registry.script().add(Rule::new("GET", "*/blobs/*", to).always());
    let error = fetch(&store(&registry)).unwrap_err();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Protocol, Some(Reason::UnsafeRedirect)));
    assert_eq!(registry.log().entries().len(), 11);
}

#[test]
fn the_next_page_is_asked_of_the_registry_whoever_gave_the_first() {
    use futures_util::TryStreamExt as _;

    // A front that sends readers of lists on: relative links are its own, and none leads a login there.
    for absolute in [false, true] {
        let elsewhere = start(|builder| builder.page_size(1).absolute_urls(absolute));
        elsewhere.put_manifest("charts/web", "2.0.0", MediaType::OCI_INDEX.as_str(), INDEX).unwrap();
        let registry = start(|builder| builder.basic_auth("robot", "hunter2"));
        let to = Fault::Redirect(elsewhere.url().to_owned());
        registry.script().add(Rule::new("GET", "*/tags/list*", to).always());
        let tags = block(store(&registry).tags().try_collect::<Vec<_>>());
        if absolute {
            assert_eq!(tags.unwrap_err().reason(), Some(Reason::UnsafeRedirect));
        } else {
            assert_eq!(tags.unwrap().len(), 2);
        }
        let seen = elsewhere.log().take();
        assert_eq!(seen.len(), if absolute { 1 } else { 2 });
        assert!(seen.iter().all(|exchange| exchange.authorization.is_none()), "{absolute}");
    }
}

#[test]
fn an_upload_is_not_led_elsewhere_by_who_tells_where_it_stands() {
    for place in ["/stolen", "ELSEWHERE/stolen"] {
        let elsewhere = start(|builder| builder);
        let place = place.replace("ELSEWHERE", elsewhere.url());
        let headers = vec![("location".into(), place.clone()), ("range".into(), "0-0".into())];
        let standing = Fault::Status { code: 204, headers, body: "".into() };
        elsewhere.script().add(Rule::new("GET", "*/uploads/*", standing).always());
        let registry = start(|builder| builder.basic_auth("robot", "hunter2"));
        registry.script().once("PUT", "*/blobs/uploads/*", Fault::CutRequest(1000));
        let to = Fault::Redirect(elsewhere.url().to_owned());
        registry.script().add(Rule::new("GET", "*/blobs/uploads/*", to).always());
        let blob = Blob::from_bytes("text/plain".into(), vec![7; 600_000]);
        block(store(&registry).push(&blob, &[])).unwrap();
        let seen = elsewhere.log().take();
        assert!(!seen.is_empty(), "{place}");
        assert!(
            seen.iter().all(|exchange| exchange.authorization.is_none() && exchange.bytes_in == 0),
            "{place}"
        );
        assert!(!seen.iter().any(|exchange| exchange.target.contains("stolen")), "{place}");
    }
}

#[test]
fn cookies_are_not_kept() {
    let registry = start(|builder| builder);
    registry
        .script()
        .add(Rule::new("*", "*", Fault::SetHeader("set-cookie".into(), "sid=1; Path=/".into())).always());
    let store = store(&registry);
    for _ in 0..3 {
        fetch(&store).unwrap();
    }
    assert!(registry.log().entries().iter().all(|exchange| exchange.header("cookie").is_none()));
}

#[test]
fn nothing_is_decompressed_on_its_way() {
    let registry = start(|builder| builder);
    registry
        .script()
        .add(Rule::new("*", "*", Fault::SetHeader("content-encoding".into(), "gzip".into())).always());
    assert_eq!(fetch(&store(&registry)).unwrap(), CONTENT);
    assert!(registry.log().entries().iter().all(|exchange| exchange.header("accept-encoding").is_none()));
}

#[test]
fn no_body_is_read_without_end() {
    let version = Selector::Tag("1.0.0".parse().unwrap());
    let registry = start(|builder| builder);
    registry.script().add(Rule::new("GET", "*/manifests/*", Fault::Endless).always());
    let error = block(store(&registry).fetch_manifest(&version)).unwrap_err();
    assert_eq!((error.kind(), error.get("limit")), (ErrorKind::LimitExceeded, Some("manifest_bytes")));

    let registry = start(|builder| builder.bearer_auth(Bearer::new("robot", "hunter2")));
    registry.script().add(Rule::new("GET", "/token*", Fault::Endless).always());
    let error = block(store(&registry).fetch_manifest(&version)).unwrap_err();
    assert_eq!((error.kind(), error.get("limit")), (ErrorKind::LimitExceeded, Some("answer_bytes")));

    // A refusal tells what fits into its bound, and is one in any case.
    let registry = start(|builder| builder);
    let long = Fault::Status { code: 403, headers: vec![], body: vec![b'x'; 1 << 20].into() };
    registry.script().add(Rule::new("GET", "*/manifests/*", long).always());
    let error = block(store(&registry).fetch_manifest(&version)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
}
