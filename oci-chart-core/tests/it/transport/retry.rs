//! What is sent again, when, and how often.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::TryStreamExt as _;
use oci_chart_core::{
    CancelToken, Context, Error, ErrorKind, Event, Reason,
    auth::StaticCredentials,
    name::{Selector, Tag},
    oci::{Descriptor, MediaType},
    store::{Blob, Registries, Repository, RetryOptions, Store as _, StoreExt as _, TagMode},
};
use oci_chart_testkit::{Bearer, Fault, Registry, Rule};

use crate::{
    remote::{block, host, login, open, options},
    support::clock::Dial,
};

const INDEX: &str =
    r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;

struct Bench {
    registry: Registry,
    store: Repository,
    dial: Dial,
}

impl Bench {
    fn new() -> Self {
        Self::with(|retry| retry)
    }

    /// A registry with one index, `1.0.0`.
    fn with(change: impl Fn(RetryOptions) -> RetryOptions) -> Self {
        let registry = Registry::start().unwrap();
        registry.put_manifest("charts/web", "1.0.0", MediaType::OCI_INDEX.as_str(), INDEX).unwrap();
        let dial = Dial::default();
        let options = options().with_plain_http(host(&registry)).with_retry(change(dial.retry()));
        let registries = Registries::new(options, StaticCredentials::default()).unwrap();
        let store = open(&registries, &registry, "charts/web");
        Self { registry, store, dial }
    }

    fn fault(&self, method: &str, target: &str, times: u64, fault: Fault) {
        self.registry.script().add(Rule::new(method, target, fault).times(times));
    }

    fn read(&self) -> Result<(), Error> {
        block(self.store.fetch_manifest(&version())).map(drop)
    }

    fn requests(&self) -> usize {
        self.registry.log().take().len()
    }
}

fn version() -> Selector {
    Selector::Tag("1.0.0".parse().unwrap())
}

fn status(code: u16) -> Fault {
    Fault::error(code, "BY_SCRIPT")
}

#[test]
fn answers_that_pass_by_themselves_are_asked_for_again() {
    for code in [408, 429, 499, 500, 502, 503, 504, 522] {
        let bench = Bench::new();
        bench.fault("GET", "*/manifests/*", 2, status(code));
        bench.read().unwrap();
        assert_eq!((bench.requests(), bench.dial.waits().len()), (3, 2), "{code}");
    }
}

#[test]
fn other_refusals_are_final() {
    for code in [400, 403, 404, 405, 409, 413, 416, 501, 505, 507] {
        let bench = Bench::new();
        bench.fault("GET", "*/manifests/*", u64::MAX, status(code));
        bench.read().unwrap_err();
        assert_eq!((bench.requests(), bench.dial.waits().len()), (1, 0), "{code}");
    }
}

#[test]
fn broken_connections_are_replaced() {
    for fault in [Fault::Drop, Fault::LoseAnswer, Fault::CutResponse(0), Fault::CutResponse(10)] {
        for (method, target) in [("GET", "*/manifests/*"), ("GET", "*/tags/list*")] {
            let bench = Bench::new();
            bench.fault(method, target, 2, fault.clone());
            if target.contains("tags") {
                let tags: Vec<Tag> = block(bench.store.tags().try_collect()).unwrap();
                assert_eq!(tags.len(), 1);
            } else {
                bench.read().unwrap();
            }
            // At once the first time: a kept connection may have been closed.
            assert_eq!((bench.requests(), bench.dial.waits().len()), (3, 1), "{target} {fault:?}");
        }
    }
}

#[test]
fn a_kept_connection_that_was_closed_is_replaced_at_once() {
    let bench = Bench::new();
    for (method, target) in [("HEAD", "*/manifests/*"), ("GET", "*/manifests/*"), ("POST", "*/uploads/*")] {
        bench.fault(method, target, 1, Fault::Drop);
    }
    let blob = Blob::from_bytes("text/plain".into(), "content");
    block(async {
        bench.store.resolve(&version()).await.unwrap();
        bench.store.fetch_manifest(&version()).await.unwrap();
        bench.store.push(&blob, &[]).await.unwrap();
    });
    assert_eq!((bench.registry.script().fired(), bench.dial.waits()), (3, vec![]));
}

#[test]
fn tries_are_counted_and_told() {
    let bench = Bench::with(|retry| retry.with_attempts(3));
    bench.fault("GET", "*/manifests/*", u64::MAX, status(503));
    let error = bench.read().unwrap_err();
    assert_eq!(
        (error.kind(), error.get("attempts"), bench.requests()),
        (ErrorKind::Unavailable, Some("3"), 3)
    );
    assert_eq!(error.get("codes"), Some("BY_SCRIPT"), "the registry's word is kept");

    let bench = Bench::with(|retry| retry.with_attempts(3));
    bench.fault("GET", "*/manifests/*", u64::MAX, Fault::Drop);
    let error = bench.read().unwrap_err();
    assert_eq!((error.reason(), error.get("attempts")), (Some(Reason::ConnectionCut), Some("3")));

    let bench = Bench::with(|_| RetryOptions::never());
    bench.fault("GET", "*/manifests/*", 1, status(503));
    let error = bench.read().unwrap_err();
    assert_eq!((error.kind(), error.get("attempts"), bench.requests()), (ErrorKind::Unavailable, None, 1));
}

#[test]
fn both_forms_of_retry_after_are_kept() {
    let date = |then: &str| Fault::Status {
        code: 503,
        headers: vec![
            ("date".into(), "Sun, 06 Nov 1994 08:49:37 GMT".into()),
            ("retry-after".into(), then.into()),
        ],
        body: "".into(),
    };
    // The date in all forms that there ever were (RFC 9110, 5.6.7).
    for fault in [
        Fault::too_many_requests("30"),
        date("Sun, 06 Nov 1994 08:50:07 GMT"),
        date("Sunday, 06-Nov-94 08:50:07 GMT"),
        date("Sun Nov  6 08:50:07 1994"),
    ] {
        let bench = Bench::new();
        bench.fault("GET", "*/manifests/*", 1, fault.clone());
        bench.read().unwrap();
        let waits = bench.dial.waits();
        assert!(
            waits.len() == 1 && (30_000..=30_200).contains(&waits[0].as_millis()),
            "{fault:?}: {waits:?}"
        );
    }
}

#[test]
fn a_look_at_one_who_has_enough_requests_is_not_followed_by_another() {
    let digest = Descriptor::of(MediaType::OCI_INDEX, INDEX);
    for (fault, asked) in
        [(Fault::error(429, "TOOMANYREQUESTS"), None), (Fault::too_many_requests("7"), Some(7))]
    {
        let bench = Bench::with(|_| RetryOptions::never());
        bench.fault("HEAD", "*/manifests/*", u64::MAX, fault.clone());
        let looked = block(bench.store.resolve(&version())).map(drop);
        let exists = block(bench.store.exists(&digest)).map(drop);
        for error in [looked.unwrap_err(), exists.unwrap_err()] {
            assert_eq!(
                (error.kind(), error.reason()),
                (ErrorKind::RateLimited, Some(Reason::TooManyRequests))
            );
            assert_eq!(error.retry_after(), asked.map(Duration::from_secs), "{error:?}");
            assert_eq!((error.get("method"), error.is_retryable()), (Some("HEAD"), true), "{error:?}");
        }
        assert_eq!(bench.requests(), 2, "no GET");

        let bench = Bench::new();
        bench.fault("HEAD", "*/manifests/*", 1, fault);
        assert_eq!(block(bench.store.resolve(&version())).unwrap(), digest);
        let methods: Vec<_> = bench.registry.log().take().into_iter().map(|one| one.method).collect();
        assert_eq!(methods, ["HEAD", "HEAD"]);
        let [wait] = bench.dial.waits()[..] else { panic!("not one wait") };
        let least = asked.map_or(100, |seconds| seconds * 1000);
        assert!((least..=least + 200).contains(&(wait.as_millis() as u64)), "{wait:?}");
    }
}

#[test]
fn a_wait_longer_than_allowed_is_the_callers_to_decide() {
    let bench = Bench::with(|retry| retry.with_most_retry_after(Duration::from_secs(10)));
    bench.fault("GET", "*/manifests/*", 1, Fault::too_many_requests("3600"));
    let error = bench.read().unwrap_err();
    assert_eq!((error.kind(), bench.requests()), (ErrorKind::RateLimited, 1));
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
    assert_eq!(error.get("retry after seconds"), Some("3600"));
    assert!(error.hint().unwrap().contains("3600 seconds"), "{:?}", error.hint());
    assert!(error.is_retryable() && bench.dial.waits().is_empty());
}

#[test]
fn writing_a_manifest_and_opening_an_upload_are_repeated() {
    let bench = Bench::new();
    bench.fault("POST", "*/uploads/*", 1, status(503));
    bench.fault("PUT", "*/manifests/*", 1, status(503));
    // Stored, and the answer lost: the same bytes under the same name once more.
    bench.registry.script().add(Rule::new("PUT", "*/manifests/*", Fault::LoseAnswer).nth(2));
    let manifest = Blob::from_bytes(MediaType::OCI_INDEX, format!("{INDEX} "));
    let tag: Tag = "2.0.0".parse().unwrap();
    block(async {
        bench.store.push(&Blob::from_bytes("text/plain".into(), "content"), &[]).await.unwrap();
        bench.store.push(&manifest, &[(tag.clone(), TagMode::Replace)]).await.unwrap();
        let found = bench.store.resolve(&Selector::Tag(tag)).await.unwrap();
        assert_eq!(found, *manifest.descriptor());
    });
    assert_eq!((bench.registry.script().fired(), bench.registry.open_uploads()), (3, 0));
}

#[test]
fn a_deletion_is_repeated_where_it_was_refused_and_not_where_it_may_have_happened() {
    let bench = Bench::new();
    bench.fault("DELETE", "*", 1, status(503));
    block(bench.store.delete(&version())).unwrap();
    let bench = Bench::new();
    bench.fault("DELETE", "*", 1, Fault::LoseAnswer);
    let error = block(bench.store.delete(&version())).unwrap_err();
    assert_eq!(error.reason(), Some(Reason::ConnectionCut), "not \"there is no such tag\"");
}

#[test]
fn a_busy_token_service_is_asked_again() {
    let registry = Registry::builder().bearer_auth(Bearer::new("robot", "hunter2")).start_blocking().unwrap();
    registry.put_manifest("charts/web", "1.0.0", MediaType::OCI_INDEX.as_str(), INDEX).unwrap();
    for fault in [status(503), Fault::Drop, Fault::CutResponse(5)] {
        registry.script().add(Rule::new("GET", "/token*", fault).times(2));
        let dial = Dial::default();
        let options = options().with_plain_http(host(&registry)).with_retry(dial.retry());
        let registries = Registries::new(options, login(&registry)).unwrap();
        block(open(&registries, &registry, "charts/web").fetch_manifest(&version())).unwrap();
        assert!(!dial.waits().is_empty());
    }
    assert_eq!(registry.script().fired(), 6);
}

#[test]
fn waits_are_told_and_end_at_once_when_the_call_is_cancelled() {
    let bench = Bench::with(|_| RetryOptions::default());
    bench.fault("GET", "*/manifests/*", u64::MAX, Fault::too_many_requests("50"));
    let (events, token) = (Arc::new(Mutex::new(Vec::new())), CancelToken::new());
    let (sink, cancel) = (Arc::clone(&events), token.clone());
    let cx = Context::default().with_cancel(token).with_events(move |event| {
        sink.lock().unwrap().push(event);
        cancel.cancel();
    });
    let begun = std::time::Instant::now();
    let error = block(cx.run(bench.store.fetch_manifest(&version()))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    let events = events.lock().unwrap();
    let [Event::Waiting { what, why, attempt: 1, wait }] = &events[..] else { panic!("{events:?}") };
    assert!(what.starts_with("GET http://") && what.ends_with("/manifests/1.0.0"), "{what}");
    assert!(why.contains("429"), "{why}");
    assert!((50..51).contains(&wait.as_secs()), "{wait:?}");
}

#[test]
fn no_wait_is_begun_that_ends_after_the_call() {
    let bench = Bench::new();
    bench.fault("GET", "*/manifests/*", 1, Fault::too_many_requests("30"));
    let cx = Context::default().with_timeout(Duration::from_secs(20));
    let error = block(cx.run(bench.store.fetch_manifest(&version()))).unwrap_err();
    assert_eq!((error.kind(), bench.requests(), bench.dial.waits().len()), (ErrorKind::RateLimited, 1, 0));
}

#[test]
fn content_that_is_small_survives_what_a_single_fault_can_do() {
    let bench = Bench::new();
    let bytes: Vec<u8> = (0..1000u32).map(|n| (n % 251) as u8).collect();
    let blob = Blob::from_bytes("text/plain".into(), bytes.clone());
    block(bench.store.push(&blob, &[])).unwrap();
    for fault in [status(500), Fault::Drop, Fault::LoseAnswer] {
        bench.fault("GET", "*/blobs/*", 1, fault);
        assert_eq!(block(bench.store.fetch_bytes(blob.descriptor(), 1 << 20)).unwrap(), bytes);
    }
}
