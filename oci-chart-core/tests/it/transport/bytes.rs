//! Connections that go wrong at any byte, in the clear and under TLS.

use std::time::Duration;

use oci_chart_core::{
    Error, ErrorKind, Reason,
    auth::StaticCredentials,
    name::{Host, RepositoryAddress, Selector},
    oci::{Descriptor, MediaType},
    store::{Registries, Repository, Store as _, StoreExt as _},
};
use oci_chart_testkit::{Fault, Mishap, Registry, Relay, Rule, Tls, Way};

use crate::{
    remote::{block, options},
    support::rng::Rng,
};

const INDEX: &str =
    r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
const SIZE: u32 = 300_000;

/// A registry behind a relay, with a tag and a blob.
struct Bench {
    registry: Registry,
    relay: Relay,
    layer: Descriptor,
    tls: bool,
}

impl Bench {
    fn new(tls: bool) -> Self {
        let builder = Registry::builder();
        let builder = if tls { builder.tls(Tls::built_in()) } else { builder };
        let registry = builder.start_blocking().unwrap();
        registry.put_manifest("charts/web", "1.0.0", MediaType::OCI_INDEX.as_str(), INDEX).unwrap();
        registry.put_blob("charts/web", content()).unwrap();
        let relay = Relay::start(registry.host()).unwrap();
        Self { registry, relay, layer: Descriptor::of("text/plain".into(), content()), tls }
    }

    /// A client without connections.
    fn store(&self) -> Repository {
        let host = Host::parse(self.relay.host()).unwrap();
        let address = RepositoryAddress::parse(&format!("{host}/charts/web")).unwrap();
        let options = options().with_idle_timeout(Duration::from_millis(300));
        let options = options.with_connect_timeout(Duration::from_millis(300));
        let options =
            if self.tls { options.with_root(Tls::AUTHORITY) } else { options.with_plain_http(host) };
        Registries::new(options, StaticCredentials::default()).unwrap().repository(&address).unwrap()
    }

    fn pull(&self) -> Result<(), Error> {
        let store = self.store();
        block(async {
            let (descriptor, _) = store.fetch_manifest(&Selector::Tag("1.0.0".parse().unwrap())).await?;
            assert_eq!(descriptor, Descriptor::of(MediaType::OCI_INDEX, INDEX));
            assert_eq!(store.fetch_bytes(&self.layer, 1 << 20).await?, content());
            Ok(())
        })
    }
}

fn content() -> Vec<u8> {
    (0..SIZE).map(|n| (n % 251) as u8).collect()
}

#[test]
fn a_pull_survives_whatever_happens_once() {
    for tls in [false, true] {
        let bench = Bench::new(tls);
        let mut rng = Rng::new(4);
        for _ in 0..60 {
            let mishap = Mishap::chosen(rng.below(usize::MAX) as u64, u64::from(SIZE) + 2000);
            bench.relay.arm(1, mishap);
            bench.pull().unwrap_or_else(|error| panic!("{mishap:?}, TLS {tls}: {error:?}"));
            bench.relay.disarm();
        }
        assert!(bench.relay.counts().fired > 20, "{:?}", bench.relay.counts());
    }
}

#[test]
fn every_byte_of_a_head_is_one_where_it_may_break() {
    let bench = Bench::new(false);
    for position in (0..400).step_by(7) {
        for mishap in [Mishap::Reset(Way::Down, position), Mishap::Cut(Way::Down, position)] {
            bench.relay.arm(1, mishap);
            bench.pull().unwrap_or_else(|error| panic!("{mishap:?}: {error:?}"));
        }
    }
    assert_eq!(bench.registry.open_uploads(), 0);
}

#[test]
fn a_weak_version_says_nothing_about_bytes() {
    let bench = Bench::new(false);
    let weak = Fault::SetHeader("etag".into(), "W/\"1\"".into());
    bench.registry.script().add(Rule::new("GET", "*/blobs/*", weak).always());
    bench.relay.arm(1, Mishap::Cut(Way::Down, u64::from(SIZE) / 2));
    assert_eq!(block(bench.store().fetch_bytes(&bench.layer, 1 << 20)).unwrap(), content());
    let asked = bench.registry.log().entries();
    let asked: Vec<_> =
        asked.iter().map(|one| (one.header("range").is_some(), one.header("if-range"))).collect();
    assert_eq!(asked, [(false, None), (true, None)]);
}

#[test]
fn what_never_works_ends_with_the_cause() {
    let bench = Bench::new(false);
    for (mishap, expected) in [
        (Mishap::Refuse, (ErrorKind::Network, Reason::ConnectionCut)),
        (Mishap::Reset(Way::Down, 20), (ErrorKind::Network, Reason::ConnectionCut)),
        (Mishap::Stall(Way::Down, 0), (ErrorKind::Timeout, Reason::IdleTimeout)),
        (Mishap::Stall(Way::Up, 0), (ErrorKind::Timeout, Reason::IdleTimeout)),
    ] {
        bench.relay.arm_all(mishap);
        let error = bench.pull().unwrap_err();
        assert_eq!((error.kind(), error.reason()), (expected.0, Some(expected.1)), "{mishap:?}");
        assert_eq!(error.get("attempts"), Some("5"));
    }
}

#[test]
fn connections_that_a_box_in_between_has_forgotten_are_replaced() {
    let bench = Bench::new(true);
    let store = bench.store();
    let version = Selector::Tag("1.0.0".parse().unwrap());
    block(async {
        for _ in 0..3 {
            store.fetch_manifest(&version).await.unwrap();
            bench.relay.reset_open();
        }
        store.fetch_manifest(&version).await.unwrap();
    });
}
