//! Registries that break, lie and stall: each is an error of its own kind, and leaves nothing behind.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    time::{Duration, Instant},
};

use futures_util::TryStreamExt as _;
use oci_chart_core::{
    Content, Context, Error, ErrorKind, Reason,
    auth::StaticCredentials,
    name::{Host, RepositoryAddress, Selector, Tag},
    oci::{Descriptor, MediaType},
    store::{Blob, ConnectionOptions, Registries, Repository, RetryOptions, Store, StoreExt as _, TagMode},
};
use oci_chart_testkit::{Fault, Registry, Rule};

use crate::remote::{block, host, open, options, repository};

const MANIFEST: &str =
    r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{},"layers":[]}"#;

struct Bench {
    registry: Registry,
    store: Repository,
    layer: Descriptor,
}

/// A registry with one manifest, `1.0.0`, and one blob of 100,000 bytes.
fn bench() -> Bench {
    let registry = Registry::start().unwrap();
    registry.put_manifest("charts/web", "1.0.0", MediaType::OCI_MANIFEST.as_str(), MANIFEST).unwrap();
    let bytes: Vec<u8> = (0..100_000u32).map(|n| (n % 251) as u8).collect();
    registry.put_blob("charts/web", &bytes).unwrap();
    let store = repository(&registry, "charts/web");
    Bench { registry, store, layer: Descriptor::of("text/plain".into(), bytes) }
}

impl Bench {
    fn fault(self, method: &str, target: &str, fault: Fault) -> Self {
        self.registry.script().add(Rule::new(method, target, fault).always());
        self
    }

    fn manifest(&self) -> (ErrorKind, Option<Reason>) {
        found(&block(self.store.fetch_manifest(&version())).unwrap_err())
    }

    /// Fetches into a file, and sees that there is none.
    fn blob(&self) -> Error {
        let directory = tempfile::tempdir().unwrap();
        let error = block(self.store.fetch_to(&self.layer, &directory.path().join("chart.tgz"))).unwrap_err();
        assert_eq!(fs_err::read_dir(directory.path()).unwrap().count(), 0, "{error:?}");
        error
    }
}

fn found(error: &Error) -> (ErrorKind, Option<Reason>) {
    (error.kind(), error.reason())
}

fn version() -> Selector {
    Selector::Tag("1.0.0".parse().unwrap())
}

#[test]
fn blobs_that_break_off_or_lie() {
    let cut = (ErrorKind::Network, Some(Reason::ConnectionCut));
    let wrong_size = (ErrorKind::DigestMismatch, Some(Reason::SizeMismatch));
    for (fault, expected) in [
        (Fault::Drop, cut),
        (Fault::CutResponse(0), cut),
        (Fault::CutResponse(1), cut),
        (Fault::Truncate(99_999), wrong_size),
        (Fault::AnnounceLength(100_001), wrong_size),
        (Fault::AnnounceLength(1 << 60), wrong_size),
        (Fault::FlipByte(50_000), (ErrorKind::DigestMismatch, None)),
        (Fault::Body("short".into()), wrong_size),
        (Fault::Endless, wrong_size),
        (Fault::error(404, "BLOB_UNKNOWN"), (ErrorKind::NotFound, Some(Reason::BlobMissing))),
        (Fault::error(403, "DENIED"), (ErrorKind::PermissionDenied, Some(Reason::AccessDenied))),
        (Fault::error(503, "UNAVAILABLE"), (ErrorKind::Unavailable, Some(Reason::ServerFault))),
        (
            Fault::Status { code: 206, headers: vec![], body: "x".into() },
            (ErrorKind::Protocol, Some(Reason::MalformedAnswer)),
        ),
    ] {
        let error = bench().fault("GET", "*/blobs/*", fault.clone()).blob();
        assert_eq!(found(&error), expected, "{fault:?}: {error:?}");
        assert_eq!(
            error.is_retryable(),
            [ErrorKind::Network, ErrorKind::Unavailable].contains(&expected.0),
            "{fault:?}"
        );
    }
}

#[test]
fn a_wrong_length_is_looked_at_once_more() {
    // One of many caches has it wrong.
    for fault in [Fault::AnnounceLength(100_001), Fault::Truncate(99_999), Fault::Body("short".into())] {
        let bench = bench();
        bench.registry.script().once("GET", "*/blobs/*", fault.clone());
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("chart.tgz");
        block(bench.store.fetch_to(&bench.layer, &place))
            .unwrap_or_else(|error| panic!("{fault:?}: {error:?}"));
        assert_eq!(fs_err::metadata(place).unwrap().len(), 100_000);
        assert_eq!(bench.registry.log().entries().len(), 2);
    }
    // All of them.
    let bench = bench().fault("GET", "*/blobs/*", Fault::AnnounceLength(100_001));
    assert_eq!(bench.blob().reason(), Some(Reason::SizeMismatch));
    assert_eq!(bench.registry.log().entries().len(), 2);
}

#[test]
fn manifests_that_break_off_or_lie() {
    let cut = (ErrorKind::Network, Some(Reason::ConnectionCut));
    let wrong_type = (ErrorKind::Protocol, Some(Reason::WrongMediaType));
    let wrong_header = (ErrorKind::DigestMismatch, Some(Reason::WrongDigestHeader));
    let html = Fault::Status {
        code: 200,
        headers: vec![("content-type".into(), "text/html".into())],
        body: "<html>".into(),
    };
    for (fault, expected) in [
        (Fault::CutResponse(10), cut),
        (Fault::wrong_digest(), wrong_header),
        (
            Fault::SetHeader("docker-content-digest".into(), "nonsense".into()),
            (ErrorKind::Protocol, Some(Reason::WrongDigestHeader)),
        ),
        (Fault::FlipByte(30), wrong_header),
        (Fault::content_type(MediaType::OCI_INDEX.as_str()), wrong_type),
        (Fault::content_type("text/html"), wrong_type),
        (html, wrong_type),
        (Fault::Endless, (ErrorKind::LimitExceeded, Some(Reason::DocumentTooLarge))),
        (Fault::AnnounceLength(5 << 20), (ErrorKind::LimitExceeded, Some(Reason::DocumentTooLarge))),
        (Fault::error(404, "MANIFEST_UNKNOWN"), (ErrorKind::NotFound, Some(Reason::TagMissing))),
        (Fault::too_many_requests("7"), (ErrorKind::RateLimited, Some(Reason::TooManyRequests))),
    ] {
        let bench = bench().fault("GET", "*/manifests/*", fault.clone());
        assert_eq!(bench.manifest(), expected, "{fault:?}");
    }
    // A HEAD that calls it something else is not believed: the manifest decides.
    let page = || Fault::content_type("text/html");
    let liar = bench().fault("HEAD", "*/manifests/*", page());
    assert_eq!(block(liar.store.resolve(&version())).unwrap().media_type, MediaType::OCI_MANIFEST);
    let liar = liar.fault("GET", "*/manifests/*", page());
    assert_eq!(found(&block(liar.store.resolve(&version())).unwrap_err()), wrong_type);
    // Headers that say less than they should are no lie.
    for fault in [
        Fault::RemoveHeader("docker-content-digest".into()),
        Fault::SetHeader("docker-content-digest".into(), String::new()),
        Fault::SetHeader("docker-content-digest".into(), format!("sha384:{}", "0".repeat(96))),
        Fault::content_type("application/vnd.oci.image.manifest.v1+json; charset=utf-8"),
        Fault::content_type("application/json"),
    ] {
        let bench = bench().fault("*", "*/manifests/*", fault);
        let (descriptor, _) = block(bench.store.fetch_manifest(&version())).unwrap();
        assert_eq!(descriptor, Descriptor::of(MediaType::OCI_MANIFEST, MANIFEST));
        assert_eq!(block(bench.store.resolve(&version())).unwrap(), descriptor);
    }
}

#[test]
fn a_manifest_asked_for_by_digest_must_have_it() {
    let bench = bench();
    let digest = Descriptor::of(MediaType::OCI_MANIFEST, MANIFEST).digest;
    let other = MANIFEST.replace("[]", "[ ]");
    bench.registry.script().add(Rule::new("*", "*/manifests/*", Fault::Body(other.into())).always());
    bench
        .registry
        .script()
        .add(Rule::new("*", "*/manifests/*", Fault::RemoveHeader("docker-content-digest".into())).always());
    let error = block(bench.store.fetch_manifest(&Selector::Digest(digest))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DigestMismatch, "{error:?}");
    assert!(error.get("expected").is_some() && error.get("actual").is_some());
}

#[test]
fn refusals_tell_what_the_registry_said() {
    let bench = bench().fault("*", "*/manifests/*", Fault::error(403, "DENIED"));
    // A HEAD has no body: the reason is fetched.
    let error = block(bench.store.resolve(&version())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert_eq!(error.message(), "the registry answered 403 Forbidden: by script");
    assert_eq!(error.get("codes"), Some("DENIED"));
    assert!(error.get("url").is_some_and(|url| url.ends_with("/v2/charts/web/manifests/1.0.0")));
    assert_eq!(error.get("method"), Some("GET"));
}

#[test]
fn what_the_status_of_a_head_means() {
    let digest = Descriptor::of(MediaType::OCI_MANIFEST, MANIFEST);
    let no_challenge = Fault::Status { code: 401, headers: vec![], body: "".into() };
    for (fault, expected) in [
        (Fault::error(404, "MANIFEST_UNKNOWN"), Ok(false)),
        (Fault::error(412, "PROJECTPOLICYVIOLATION"), Ok(true)),
        (Fault::error(405, "UNSUPPORTED"), Ok(true)),
        (Fault::error(403, "DENIED"), Ok(true)),
        (no_challenge, Err(ErrorKind::Unauthenticated)),
        (Fault::error(429, "TOOMANYREQUESTS"), Err(ErrorKind::RateLimited)),
        // A HEAD that only breaks itself is made up for.
        (Fault::error(500, "X"), Ok(true)),
        (Fault::error(503, "X"), Err(ErrorKind::Unavailable)),
    ] {
        let bench = bench().fault("HEAD", "*/manifests/*", fault.clone());
        let exists = block(bench.store.exists(&digest)).map_err(|error| error.kind());
        assert_eq!(exists, expected, "{fault:?}");
    }
    let bench = bench().fault("*", "*/manifests/*", Fault::error(412, "PROJECTPOLICYVIOLATION"));
    assert_eq!(block(bench.store.resolve(&version())).unwrap_err().kind(), ErrorKind::PermissionDenied);
}

/// Pushes a file. Of more than 256 KiB a server that answers early may not take note, and hang up on a client that still sends.
fn upload(bench: &Bench) -> (ErrorKind, Option<Reason>) {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs_err::write(file.path(), vec![7; 200_000]).unwrap();
    let descriptor = Descriptor::of("text/plain".into(), vec![7; 200_000]);
    let blob = Blob::from_content(descriptor, Content::from_path(file.path()).unwrap());
    found(&block(bench.store.push(&blob, &[])).unwrap_err())
}

#[test]
fn uploads_that_break_off_leave_nothing() {
    let broken = (ErrorKind::Protocol, Some(Reason::MalformedAnswer));
    let unsafe_place = (ErrorKind::Protocol, Some(Reason::UnsafeRedirect));
    for (method, target, fault, expected) in [
        ("POST", "*/uploads/*", Fault::error(503, "X"), (ErrorKind::Unavailable, Some(Reason::ServerFault))),
        (
            "POST",
            "*/uploads/*",
            Fault::too_many_requests("1"),
            (ErrorKind::RateLimited, Some(Reason::TooManyRequests)),
        ),
        (
            "POST",
            "*/uploads/*",
            Fault::error(403, "DENIED"),
            (ErrorKind::PermissionDenied, Some(Reason::AccessDenied)),
        ),
        (
            "POST",
            "*/uploads/*",
            Fault::error(404, "NAME_UNKNOWN"),
            (ErrorKind::NotFound, Some(Reason::RepositoryNotCreated)),
        ),
        ("POST", "*/uploads/*", Fault::RemoveHeader("location".into()), broken),
        ("POST", "*/uploads/*", Fault::SetHeader("location".into(), "http://[bad".into()), broken),
        (
            "POST",
            "*/uploads/*",
            Fault::SetHeader("location".into(), "http://elsewhere.example/x".into()),
            unsafe_place,
        ),
        (
            "PUT",
            "*/uploads/*",
            Fault::error(507, "X"),
            (ErrorKind::QuotaExceeded, Some(Reason::QuotaReached)),
        ),
        (
            "PUT",
            "*/uploads/*",
            Fault::error(413, "X"),
            (ErrorKind::LimitExceeded, Some(Reason::DocumentTooLarge)),
        ),
        ("PUT", "*/uploads/*", Fault::Drop, (ErrorKind::Network, Some(Reason::ConnectionCut))),
        // Not a byte gets further; where some do, the upload goes on.
        ("PUT", "*/uploads/*", Fault::CutRequest(0), (ErrorKind::Network, Some(Reason::ConnectionCut))),
    ] {
        let bench = bench().fault(method, target, fault.clone());
        assert_eq!(upload(&bench), expected, "{method} {fault:?}");
        if method == "PUT" {
            assert_eq!(bench.registry.open_uploads(), 0, "{fault:?}: {:#?}", bench.registry.log().lines());
        }
    }
}

#[test]
fn a_file_that_changes_during_an_upload_is_the_error() {
    let bench = bench();
    let file = tempfile::NamedTempFile::new().unwrap();
    fs_err::write(file.path(), vec![7; 600_000]).unwrap();
    let descriptor = Descriptor::of("text/plain".into(), vec![7; 600_000]);
    let blob = Blob::from_content(descriptor, Content::from_path(file.path()).unwrap());
    file.as_file().set_len(300_000).unwrap();
    let error = block(bench.store.push(&blob, &[])).unwrap_err();
    assert_eq!(found(&error), (ErrorKind::Conflict, Some(Reason::SourceChanged)), "{error:?}");
    assert_eq!(bench.registry.open_uploads(), 0);
}

#[test]
fn a_cancelled_upload_is_given_up() {
    let bench = bench().fault("PUT", "*/uploads/*", Fault::Delay(Duration::from_secs(5)));
    let cx = Context::default();
    let token = cx.cancel_token().clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (log, store) = (bench.registry.log().clone(), bench.store.clone());
    let canceller = std::thread::spawn(move || {
        while log.count(|exchange| exchange.method == "PUT") == 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
        token.cancel();
    });
    let blob = Blob::from_bytes("text/plain".into(), vec![7; 600_000]);
    let begun = Instant::now();
    let error = runtime.block_on(cx.run(async { store.push(&blob, &[]).await })).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    runtime.block_on(async {
        while bench.registry.open_uploads() > 0 {
            assert!(begun.elapsed() < Duration::from_secs(3), "the upload is still open");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    canceller.join().unwrap();
}

#[test]
fn a_manifest_stored_under_another_digest_is_an_error() {
    let bench = bench().fault("PUT", "*/manifests/*", Fault::wrong_digest());
    let manifest = Blob::from_bytes(MediaType::OCI_INDEX, r#"{"schemaVersion":2,"manifests":[]}"#);
    let tag: Tag = "2.0.0".parse().unwrap();
    let error = block(bench.store.push(&manifest, &[(tag, TagMode::Replace)])).unwrap_err();
    assert_eq!(found(&error), (ErrorKind::DigestMismatch, Some(Reason::WrongDigestHeader)));
}

#[test]
fn a_missing_blob_is_named_by_the_registry() {
    let registry = Registry::start().unwrap();
    let mention = Descriptor::of(MediaType::HELM_CONFIG, "never pushed");
    let text = format!(
        r#"{{"schemaVersion":2,"config":{{"mediaType":"{}","digest":"{}","size":{}}},"layers":[]}}"#,
        mention.media_type, mention.digest, mention.size
    );
    let manifest = Blob::from_bytes(MediaType::OCI_MANIFEST, text);
    let error = block(repository(&registry, "charts/web").push(&manifest, &[])).unwrap_err();
    assert_eq!(found(&error), (ErrorKind::NotFound, Some(Reason::BlobMissing)), "{error:?}");
}

#[test]
fn lists_that_lie_end() {
    let list = |bench: &Bench| {
        let error = block(bench.store.tags().try_collect::<Vec<_>>()).unwrap_err();
        (error.kind(), error.reason())
    };
    let again = Fault::SetHeader("link".into(), "</v2/charts/web/tags/list?last=x>; rel=\"next\"".into());
    let away = Fault::SetHeader("link".into(), "<http://elsewhere.example/>; rel=\"next\"".into());
    for (fault, expected) in [
        (away, (ErrorKind::Protocol, Some(Reason::UnsafeRedirect))),
        (again, (ErrorKind::Protocol, Some(Reason::MalformedAnswer))),
        (Fault::Body("{\"tags\":7}".into()), (ErrorKind::Protocol, Some(Reason::MalformedAnswer))),
        (Fault::Body("<html>".into()), (ErrorKind::Protocol, Some(Reason::MalformedAnswer))),
        (Fault::Endless, (ErrorKind::LimitExceeded, Some(Reason::DocumentTooLarge))),
        (Fault::CutResponse(3), (ErrorKind::Network, Some(Reason::ConnectionCut))),
        (Fault::error(404, "NAME_UNKNOWN"), (ErrorKind::NotFound, Some(Reason::RepositoryMissing))),
    ] {
        let bench = bench().fault("GET", "*/tags/list*", fault.clone());
        assert_eq!(list(&bench), expected, "{fault:?}");
    }
    // One that only goes on is ended by the bound on tags.
    let long = Registry::builder().page_size(10).start_blocking().unwrap();
    for n in 0..60 {
        long.put_manifest("charts/web", &format!("1.0.{n}"), "application/json", "{}").unwrap();
    }
    let mut options = options().with_plain_http(host(&long));
    options.limits.tags = 50;
    let registries = Registries::new(options, StaticCredentials::default()).unwrap();
    let store = open(&registries, &long, "charts/web");
    let error = block(store.tags().try_collect::<Vec<_>>()).unwrap_err();
    assert_eq!((error.kind(), error.get("limit")), (ErrorKind::LimitExceeded, Some("tags")));
    let nothing: Vec<Tag> = {
        let bench =
            bench().fault("GET", "*/tags/list*", Fault::Body("{\"name\":\"x\",\"tags\":null}".into()));
        block(bench.store.tags().try_collect()).unwrap()
    };
    assert!(nothing.is_empty());
}

#[test]
fn redirects_end() {
    let to = |place: &str| Fault::Status {
        code: 302,
        headers: vec![("location".into(), place.into())],
        body: "".into(),
    };
    let redirect = (ErrorKind::Protocol, Some(Reason::UnsafeRedirect));
    for (method, target, fault, expected) in [
        ("GET", "*/blobs/*", to("?again"), redirect),
        ("GET", "*/blobs/*", to("file:///etc/passwd"), redirect),
        ("GET", "*/blobs/*", to("http://[bad"), (ErrorKind::Protocol, Some(Reason::MalformedAnswer))),
    ] {
        let bench = bench().fault(method, target, fault);
        assert_eq!(found(&bench.blob()), expected);
    }
    let bench = bench().fault("PUT", "*/uploads/*", to("/elsewhere"));
    assert_eq!(upload(&bench), redirect);
}

/// A registry for one upload that reads `pieces` times a mebibyte, each after a pause, and answers if that was all.
fn slow_reader(pieces: usize, all: usize) -> Host {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = Host::parse(&listener.local_addr().unwrap().to_string()).unwrap();
    std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut stream = BufReader::new(stream);
        let skip_head = |stream: &mut BufReader<TcpStream>| {
            let mut line = String::new();
            while stream.read_line(&mut line).unwrap() > 2 {
                line.clear();
            }
        };
        skip_head(&mut stream);
        stream
            .get_mut()
            .write_all(b"HTTP/1.1 202 Accepted\r\nLocation: /upload\r\nContent-Length: 0\r\n\r\n")
            .unwrap();
        // So many bytes are worth a look whether they are there.
        skip_head(&mut stream);
        stream.get_mut().write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").unwrap();
        skip_head(&mut stream);
        for _ in 0..pieces {
            std::thread::sleep(Duration::from_millis(200));
            stream.read_exact(&mut vec![0; 1 << 20]).unwrap();
        }
        if pieces == all {
            stream.get_mut().write_all(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n").unwrap();
        }
        std::thread::sleep(Duration::from_secs(10));
    });
    host
}

#[test]
fn an_upload_may_take_long_but_must_move() {
    const MEBIBYTES: usize = 16;
    // More than the kernel takes off our hands at once.
    let blob = Blob::from_bytes("text/plain".into(), vec![7; MEBIBYTES << 20]);
    for (read, expected) in [(MEBIBYTES, None), (2, Some(ErrorKind::Timeout))] {
        let host = slow_reader(read, MEBIBYTES);
        let mut options = options().with_plain_http(host.clone());
        options.retry = RetryOptions::never();
        options.idle_timeout = Duration::from_millis(300);
        options.connect_timeout = Duration::from_millis(300);
        let registries = Registries::new(options, StaticCredentials::default()).unwrap();
        let address = RepositoryAddress::parse(&format!("{host}/charts/web")).unwrap();
        let begun = Instant::now();
        let result = block(registries.repository(&address).unwrap().push(&blob, &[]));
        assert_eq!(result.as_ref().map_err(Error::kind).err(), expected, "{result:?}");
        assert!(expected.is_some() || begun.elapsed() > Duration::from_secs(2), "nothing was slow");
    }
}

/// Answers every connection with `bytes`, whatever was asked.
fn speak(bytes: &'static [u8]) -> Host {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = Host::parse(&listener.local_addr().unwrap().to_string()).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(bytes);
        }
    });
    host
}

#[test]
fn what_speaks_another_protocol_is_recognised() {
    let tls_alert = b"\x15\x03\x01\x00\x02\x02\x46";
    let go = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";
    for (bytes, expected) in [
        (&tls_alert[..], (ErrorKind::Tls, Some(Reason::HttpsOnPlainHttp))),
        (go, (ErrorKind::Tls, Some(Reason::HttpsOnPlainHttp))),
        (b"HTTP/1.1 2x0 OK\r\n\r\n", (ErrorKind::Protocol, Some(Reason::MalformedAnswer))),
        (
            b"HTTP/1.1 405 No\r\nX-Two: lines\r\n in one\r\n\r\n",
            (ErrorKind::Unsupported, Some(Reason::OperationUnsupported)),
        ),
        (b"", (ErrorKind::Network, Some(Reason::ConnectionCut))),
        (b"HTTP/1.1 200 OK\r\nContent-Le", (ErrorKind::Network, Some(Reason::ConnectionCut))),
    ] {
        let host = speak(bytes);
        let options = options().with_plain_http(host.clone());
        let registries = Registries::new(options, StaticCredentials::default()).unwrap();
        let address = RepositoryAddress::parse(&format!("{host}/charts/web")).unwrap();
        let error = block(registries.repository(&address).unwrap().fetch_manifest(&version())).unwrap_err();
        assert_eq!(found(&error), expected, "{error:?}");
    }
}

#[test]
fn a_host_that_nobody_knows() {
    let host = Host::parse("no-such-host.invalid").unwrap();
    let registries = Registries::new(ConnectionOptions::default(), StaticCredentials::default()).unwrap();
    let address = RepositoryAddress::parse(&format!("{host}/charts/web")).unwrap();
    let error = block(registries.repository(&address).unwrap().fetch_manifest(&version())).unwrap_err();
    assert_eq!(found(&error), (ErrorKind::Network, Some(Reason::NameUnknown)), "{error:?}");
}
