//! Content is read where the caller says it is also to be had, and nobody is told more than they need to know.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use oci_chart_core::{
    Context, Error, ErrorKind, Event,
    auth::{Credentials, StaticCredentials},
    name::{Host, RepositoryAddress, Selector, Tag},
    oci::{Descriptor, MediaType},
    store::{
        Blob, ConnectionOptions, Mirror, Registries, RegistriesYaml, Repository, Store as _, StoreExt as _,
        TagMode,
    },
};
use oci_chart_testkit::{Bearer, Fault, Registry, Rule};

use crate::remote::{block, host, options};

const INDEX: &str =
    r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;

/// A name that nobody answers to: whatever is read must come from elsewhere.
const UPSTREAM: &str = "upstream.invalid";

fn filled(repository: &str) -> Registry {
    let registry = Registry::start().unwrap();
    registry.put_manifest(repository, "1.0.0", MediaType::OCI_INDEX.as_str(), INDEX).unwrap();
    registry.put_blob(repository, content()).unwrap();
    registry
}

fn content() -> Vec<u8> {
    (0..400_000u32).map(|n| (n % 251) as u8).collect()
}

fn layer() -> Descriptor {
    Descriptor::of("text/plain".into(), content())
}

fn mirror(registry: &Registry) -> Mirror {
    Mirror::parse(registry.url()).unwrap()
}

fn repository(options: ConnectionOptions, upstream: &str) -> Repository {
    with(options, StaticCredentials::default(), upstream)
}

fn with(options: ConnectionOptions, credentials: StaticCredentials, upstream: &str) -> Repository {
    let address = RepositoryAddress::parse(&format!("{upstream}/charts/web")).unwrap();
    Registries::new(options, credentials).unwrap().repository(&address).unwrap()
}

fn upstream() -> Host {
    Host::parse(UPSTREAM).unwrap()
}

fn read(store: &Repository) -> Result<(), Error> {
    let version = Selector::Tag("1.0.0".parse().unwrap());
    block(async {
        store.resolve(&version).await?;
        store.fetch_manifest(&version).await?;
        assert_eq!(store.fetch_bytes(&layer(), 1 << 20).await?, content());
        Ok(())
    })
}

#[test]
fn a_mirror_that_hangs_up_once_is_asked_again() {
    let (near, origin) = (filled("charts/web"), filled("charts/web"));
    let options = options().with_mirror(host(&origin), mirror(&near)).with_plain_http(host(&origin));
    let store = repository(options, origin.host());
    near.script().once("HEAD", "*", Fault::Drop);
    read(&store).unwrap();
    let methods = |registry: &Registry| {
        registry.log().take().iter().map(|exchange| exchange.method.clone()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!((methods(&near), methods(&origin)), ("HEAD GET GET".into(), "HEAD".into()));
}

#[test]
fn a_mirror_out_of_reach_is_left_alone_for_a_while() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mirror = Mirror::parse(&format!("https://{}", listener.local_addr().unwrap())).unwrap();
    let tried = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&tried);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            count.fetch_add(1, Ordering::SeqCst);
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"no TLS here\r\n");
        }
    });
    let registry = filled("charts/web");
    let options = options().with_plain_http(host(&registry)).with_mirror(host(&registry), mirror);
    let store = repository(options, registry.host());
    for _ in 0..2 {
        read(&store).unwrap();
    }
    assert_eq!(
        tried.load(Ordering::SeqCst),
        1,
        "six readings, and each try may take as long as a connection may"
    );
}

#[test]
fn content_is_read_from_the_mirror_which_is_told_whose() {
    let copy = filled("charts/web");
    let store = repository(options().with_mirror(upstream(), mirror(&copy)), UPSTREAM);
    read(&store).unwrap();
    let log = copy.log().entries();
    assert_eq!(log.len(), 3);
    assert!(log.iter().all(|exchange| exchange.target.ends_with("?ns=upstream.invalid")), "{log:#?}");
}

#[test]
fn nobody_but_a_mirror_is_told_whose_content_is_meant() {
    let registry = filled("charts/web");
    let other = options().with_mirror(upstream(), Mirror::parse("https://elsewhere.invalid").unwrap());
    read(&repository(other.with_plain_http(host(&registry)), registry.host())).unwrap();
    assert!(registry.log().entries().iter().all(|exchange| !exchange.target.contains("ns=")));
}

#[test]
fn the_next_is_asked_where_one_does_not_help_and_the_host_itself_at_last() {
    let (empty, broken, full) = (Registry::start().unwrap(), filled("charts/web"), filled("charts/web"));
    broken.script().add(Rule::new("*", "*", Fault::error(503, "X")).always());
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let closed = Mirror::parse(&format!("http://{closed}")).unwrap();
    let own = host(&full);
    let options = options()
        .with_mirror(own.clone(), closed)
        .with_mirror(own.clone(), mirror(&empty))
        .with_mirror(own.clone(), mirror(&broken))
        .with_plain_http(own);
    let (sender, events) = std::sync::mpsc::channel();
    let cx = Context::default().with_events(move |event| sender.send(event).unwrap());
    let store = repository(options, full.host());
    block(cx.run(store.fetch_manifest(&Selector::Tag("1.0.0".parse().unwrap())))).unwrap();
    let lengths = [&empty, &broken, &full].map(|registry| registry.log().take().len());
    assert_eq!(lengths, [1, 1, 1], "no time is spent on tries where there are others");
    let told: Vec<_> = events.try_iter().collect();
    assert_eq!(told.len(), 2, "what is not there is no news: {told:?}");
    assert!(
        told.iter().all(|event| matches!(event, Event::Warning(text) if text.contains("mirror"))),
        "{told:?}"
    );
}

#[test]
fn what_the_mirrors_said_is_told_when_nothing_helps() {
    let empty = Registry::start().unwrap();
    let store = repository(options().with_mirror(upstream(), mirror(&empty)), UPSTREAM);
    let error = read(&store).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Network);
    assert!(error.get("mirrors").is_some_and(|text| text.contains("404")), "{error:?}");
}

#[test]
fn credentials_stay_with_the_host_they_are_for() {
    let copy = Registry::builder().bearer_auth(Bearer::new("cache", "hunter3")).start_blocking().unwrap();
    copy.put_manifest("charts/web", "1.0.0", MediaType::OCI_INDEX.as_str(), INDEX).unwrap();
    let version = Selector::Tag("1.0.0".parse().unwrap());
    let upstream_only = StaticCredentials::default().with(upstream(), Credentials::basic("robot", "hunter2"));
    let options = options().with_mirror(upstream(), mirror(&copy));
    // The mirror refuses strangers; it is not shown what the other host trusts.
    block(with(options.clone(), upstream_only.clone(), UPSTREAM).fetch_manifest(&version)).unwrap_err();
    let basic = |entry: &oci_chart_testkit::Exchange| entry.authorization.as_deref() == Some("Basic");
    assert!(!copy.log().take().iter().any(basic), "credentials of the upstream went to the mirror");
    let both = upstream_only.with(host(&copy), Credentials::basic("cache", "hunter3"));
    block(with(options, both, UPSTREAM).fetch_manifest(&version)).unwrap();
    assert_eq!(copy.log().entries().iter().filter(|entry| basic(entry)).count(), 1);
}

#[test]
fn what_was_written_is_not_looked_for_elsewhere() {
    let (copy, own) = (filled("charts/web"), Registry::start().unwrap());
    let options = options().with_mirror(host(&own), mirror(&copy)).with_plain_http(host(&own));
    let store = repository(options, own.host());
    let manifest = Blob::from_bytes(MediaType::OCI_INDEX, INDEX);
    let tag: Tag = "1.0.0".parse().unwrap();
    block(store.push(&manifest, &[(tag, TagMode::Create)])).unwrap();
    assert_eq!((copy.log().entries().len(), own.tags("charts/web").len()), (0, 1));
}

#[test]
fn a_download_that_breaks_off_goes_on_at_the_next() {
    let (first, second) = (filled("charts/web"), filled("charts/web"));
    first.script().once("GET", "*/blobs/*", Fault::CutResponse(100_000));
    first.script().add(Rule::new("GET", "*/blobs/*", Fault::error(500, "X")).nth(2).always());
    let options = options().with_mirror(upstream(), mirror(&first)).with_mirror(upstream(), mirror(&second));
    let store = repository(options, UPSTREAM);
    assert_eq!(block(store.fetch_bytes(&layer(), 1 << 20)).unwrap(), content());
    assert_eq!(second.log().entries()[0].status, Some(206));
}

#[test]
fn a_mirror_that_lies_is_found_out() {
    let copy = filled("charts/web");
    copy.script().add(Rule::new("GET", "*/blobs/*", Fault::FlipByte(9)).always());
    let store = repository(options().with_mirror(upstream(), mirror(&copy)), UPSTREAM);
    let error = block(store.fetch_bytes(&layer(), 1 << 20)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DigestMismatch);
}

#[test]
fn the_mirrors_of_a_k3s_node_serve_a_pull() {
    let copy = filled("copies/web");
    let text = format!(
        "mirrors:\n  {UPSTREAM}:\n    endpoint: [\"{}\"]\n    rewrite: {{\"^charts/(.*)\": \"copies/$1\"}}\n",
        copy.url()
    );
    let file = RegistriesYaml::parse(text.as_bytes()).unwrap();
    let store = with(file.connection(options()).unwrap(), file.credentials(), UPSTREAM);
    read(&store).unwrap();
    assert!(copy.log().entries()[0].target.starts_with("/v2/copies/web/manifests/1.0.0"));
}
