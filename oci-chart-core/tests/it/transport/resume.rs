//! Downloads that break off go on where they were, and what arrives is right to the last byte.

use std::time::Duration;

use oci_chart_core::{
    Context, Error, ErrorKind, Event, Reason,
    oci::Descriptor,
    store::{Registries, Repository, RetryOptions, StoreExt as _},
};
use oci_chart_testkit::{Bearer, Builder, Fault, Redirect, Registry, Rule};

use crate::{
    remote::{block, host, login, open, options},
    support::clock::Dial,
};

const SIZE: u32 = 1_000_000;

struct Bench {
    registry: Registry,
    store: Repository,
    layer: Descriptor,
    dial: Dial,
}

impl Bench {
    fn new() -> Self {
        Self::on(|builder| builder)
    }

    fn on(build: impl Fn(Builder) -> Builder) -> Self {
        Self::with(build, |retry| retry)
    }

    fn with(build: impl Fn(Builder) -> Builder, change: impl Fn(RetryOptions) -> RetryOptions) -> Self {
        let registry = build(Registry::builder()).start_blocking().unwrap();
        registry.put_blob("charts/web", content()).unwrap();
        let dial = Dial::default();
        let options = options().with_plain_http(host(&registry)).with_retry(change(dial.retry()));
        let store = open(&Registries::new(options, login(&registry)).unwrap(), &registry, "charts/web");
        Self { registry, store, layer: Descriptor::of("text/plain".into(), content()), dial }
    }

    fn cut(self, at: &[u64]) -> Self {
        for at in at {
            self.registry.script().once("GET", "*/blobs/*", Fault::CutResponse(*at));
        }
        self
    }

    fn fault(self, nth: u64, fault: Fault) -> Self {
        self.registry.script().add(Rule::new("GET", "*/blobs/*", fault).nth(nth));
        self
    }

    fn fetch(&self) -> Result<Vec<u8>, Error> {
        block(self.store.fetch_bytes(&self.layer, 1 << 21)).map(Vec::from)
    }

    /// The status of every answer, in order.
    fn answers(&self) -> Vec<u16> {
        self.registry.log().entries().iter().filter_map(|exchange| exchange.status).collect()
    }
}

fn content() -> Vec<u8> {
    (0..SIZE).map(|n| (n % 251) as u8).collect()
}

#[test]
fn a_download_goes_on_where_it_broke_off() {
    let bench = Bench::new().cut(&[400_000, 300_000, 0, 100]);
    assert_eq!(bench.fetch().unwrap(), content());
    assert_eq!(bench.answers(), [200, 206, 206, 206, 206]);
    let sent: u64 = bench.registry.log().entries().iter().map(|exchange| exchange.bytes_out).sum();
    // What was under way when the connection broke may be sent twice, and no more.
    assert!(sent < u64::from(SIZE) + 200_000, "{sent}");
}

#[test]
fn a_range_is_asked_for_only_to_go_on_and_only_of_the_same_content() {
    let bench = Bench::new().cut(&[400_000]);
    bench.fetch().unwrap();
    let log = bench.registry.log().entries();
    let asked: Vec<_> =
        log.iter().map(|exchange| (exchange.header("range"), exchange.header("if-range"))).collect();
    let [(None, None), (Some(range), Some(version))] = asked[..] else { panic!("{asked:?}") };
    assert!(range.starts_with("bytes=") && range.ends_with('-'), "{range}");
    assert_eq!(version, format!("\"{}\"", bench.layer.digest));
}

#[test]
fn a_registry_that_ignores_ranges_is_read_from_the_beginning_and_nothing_comes_twice() {
    let bench = Bench::on(|builder| builder.ranges(false)).cut(&[400_000, 300_000, 700_000]);
    assert_eq!(bench.fetch().unwrap(), content());
    assert_eq!(bench.answers(), [200, 200, 200, 200]);
}

#[test]
fn parts_that_do_not_fit_are_not_used() {
    for fault in [
        Fault::SetHeader("content-range".into(), "bytes 7-999999/1000000".into()),
        Fault::SetHeader("content-range".into(), "bytes 400000-999998/1000000".into()),
        Fault::SetHeader("content-range".into(), "nonsense".into()),
        Fault::RemoveHeader("content-range".into()),
        Fault::SetHeader("etag".into(), "\"another\"".into()),
        Fault::error(416, "RANGE_INVALID"),
    ] {
        let bench = Bench::new().cut(&[400_000]).fault(2, fault.clone());
        assert_eq!(bench.fetch().unwrap(), content(), "{fault:?}");
        assert_eq!(bench.answers().last(), Some(&200), "{fault:?}: the whole was asked for");
    }
}

#[test]
fn all_bytes_are_held_against_the_digest_wherever_they_come_from() {
    let bench = Bench::new().cut(&[400_000]).fault(2, Fault::FlipByte(10));
    let error = bench.fetch().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DigestMismatch, "{error:?}");
}

#[test]
fn going_on_survives_busy_answers_and_is_bounded() {
    let bench =
        Bench::new().cut(&[1000]).fault(2, Fault::error(503, "X")).fault(3, Fault::too_many_requests("9"));
    assert_eq!(bench.fetch().unwrap(), content());
    assert!(bench.dial.waits().iter().any(|wait| wait.as_secs() == 9), "{:?}", bench.dial.waits());

    let bench = Bench::new();
    bench.registry.script().add(Rule::new("GET", "*/blobs/*", Fault::CutResponse(10)).always());
    let error = bench.fetch().unwrap_err();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Network, Some(Reason::ConnectionCut)));
    assert_eq!((error.get("attempts"), bench.answers().len()), (Some("5"), 5));
}

#[test]
fn a_bad_line_that_gets_ahead_is_good_enough() {
    // More breaks than tries, each after a good piece.
    let bench = Bench::with(|builder| builder, |retry| retry.with_attempts(2)).cut(&[300_000; 3]);
    assert_eq!(bench.fetch().unwrap(), content());
    let bench = Bench::with(|builder| builder, |retry| retry.with_attempts(2)).cut(&[1000; 3]);
    assert_eq!(bench.fetch().unwrap_err().reason(), Some(Reason::ConnectionCut));
}

#[test]
fn an_expired_address_of_a_storage_service_is_renewed_at_the_registry() {
    for code in [400, 403] {
        let bench = Bench::on(|builder| {
            builder.redirect_blobs(Redirect::OtherHost).bearer_auth(Bearer::new("robot", "hunter2"))
        });
        let expired =
            Fault::Status { code, headers: vec![], body: "<Error>Request has expired</Error>".into() };
        // At the beginning, and again in the middle.
        let script = bench.registry.script();
        script.add(Rule::new("GET", "*/blobs/*signature*", expired.clone()));
        script.add(Rule::new("GET", "*/blobs/*signature*", Fault::CutResponse(500_000)));
        script.add(Rule::new("GET", "*/blobs/*signature*", expired));
        assert_eq!(bench.fetch().unwrap(), content(), "{code}");
        assert_eq!((bench.registry.script().pending(), bench.registry.leaked_credentials()), (0, 0));
    }
}

#[test]
fn waits_of_a_download_are_told() {
    let bench = Bench::new().cut(&[1000]).fault(2, Fault::error(503, "X"));
    let (sender, events) = std::sync::mpsc::channel();
    let cx = Context::default().with_events(move |event| sender.send(event).unwrap());
    block(cx.run(bench.store.fetch_bytes(&bench.layer, 1 << 21))).unwrap();
    let told: Vec<_> = events.try_iter().collect();
    assert!(matches!(&told[..], [Event::Waiting { attempt: 2, .. }]), "{told:?}");
    assert!(bench.dial.waits()[0] < Duration::from_secs(1));
}
