//! Each time-out has its bound, and its word.

use std::{
    io::Read as _,
    net::{TcpListener, TcpStream},
    time::{Duration, Instant},
};

use oci_chart_core::{
    Context, Error, ErrorKind, Reason,
    auth::StaticCredentials,
    name::{Host, RepositoryAddress, Selector},
    oci::{Descriptor, MediaType},
    store::{ConnectionOptions, Registries, Repository, RetryOptions, Store as _, StoreExt as _},
};
use oci_chart_testkit::{Bearer, Fault, Registry, Rule};

use crate::remote::{block, host, login, open};

const SHORT: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_secs(20);

fn once() -> ConnectionOptions {
    ConnectionOptions::default().with_retry(RetryOptions::never())
}

fn version() -> Selector {
    Selector::Tag("1.0.0".parse().unwrap())
}

fn repository(options: ConnectionOptions, registry: &Registry) -> Repository {
    let options = options.with_plain_http(host(registry));
    open(&Registries::new(options, login(registry)).unwrap(), registry, "charts/web")
}

fn found(error: &Error) -> (ErrorKind, Option<Reason>) {
    assert!(error.hint().is_some(), "{error:?}");
    (error.kind(), error.reason())
}

/// A registry with one blob, in which requests of this kind go wrong.
fn faulty(method: &str, target: &str, fault: Fault) -> (Registry, Descriptor) {
    let registry = Registry::builder().bearer_auth(Bearer::new("robot", "hunter2")).start_blocking().unwrap();
    let bytes: Vec<u8> = (0..100_000u32).map(|n| (n % 251) as u8).collect();
    registry.put_blob("charts/web", &bytes).unwrap();
    registry.script().add(Rule::new(method, target, fault).always());
    (registry, Descriptor::of(MediaType::from("text/plain"), bytes))
}

#[test]
fn silence_before_and_within_an_answer_is_an_idle_time_out() {
    // Before an answer the connection may still have to come about, and has a second more for that.
    for (fault, waited) in
        [(Fault::Delay(LONG), SHORT + Duration::from_secs(1)), (Fault::Drip(50_000, LONG), SHORT)]
    {
        let (registry, layer) = faulty("GET", "*/blobs/*", fault.clone());
        let options = once().with_idle_timeout(SHORT).with_connect_timeout(SHORT);
        let error = block(repository(options, &registry).fetch_bytes(&layer, 1 << 20)).unwrap_err();
        assert_eq!(found(&error), (ErrorKind::Timeout, Some(Reason::IdleTimeout)), "{fault:?}");
        assert!(error.is_retryable());
        assert_eq!(error.message(), format!("nothing came for {} seconds", waited.as_secs_f32()));
    }
}

#[test]
fn silence_is_waited_out_by_another_try() {
    let (registry, layer) = faulty("HEAD", "*", Fault::Drop);
    registry.script().clear();
    registry.script().once("GET", "*/blobs/*", Fault::Delay(LONG));
    let options = ConnectionOptions::default().with_idle_timeout(SHORT).with_connect_timeout(SHORT);
    block(repository(options, &registry).fetch_bytes(&layer, 1 << 20)).unwrap();
}

#[test]
fn a_connection_that_does_not_come_about() {
    // A listener whose queue is full answers no further SYN.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut queued: Vec<TcpStream> = Vec::new();
    while queued.len() < 5000 {
        match TcpStream::connect_timeout(&address, Duration::from_millis(100)) {
            Ok(stream) => queued.push(stream),
            Err(_) => break,
        }
    }
    let host = Host::parse(&address.to_string()).unwrap();
    let options = once().with_plain_http(host.clone()).with_connect_timeout(SHORT);
    let registries = Registries::new(options, StaticCredentials::default()).unwrap();
    let repository = registries.repository(&RepositoryAddress::parse(&format!("{host}/a")).unwrap()).unwrap();
    let error = block(repository.fetch_manifest(&version())).unwrap_err();
    assert_eq!(found(&error), (ErrorKind::Timeout, Some(Reason::ConnectTimeout)), "{error:?}");
}

#[test]
fn a_tls_handshake_that_hangs_is_a_connection_that_does_not_come_about() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = Host::parse(&listener.local_addr().unwrap().to_string()).unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]);
        std::thread::sleep(LONG);
    });
    let registries =
        Registries::new(once().with_connect_timeout(SHORT), StaticCredentials::default()).unwrap();
    let repository = registries.repository(&RepositoryAddress::parse(&format!("{host}/a")).unwrap()).unwrap();
    let error = block(repository.fetch_manifest(&version())).unwrap_err();
    assert_eq!(found(&error), (ErrorKind::Timeout, Some(Reason::ConnectTimeout)), "{error:?}");
}

#[test]
fn a_token_service_that_hangs() {
    let (registry, layer) = faulty("GET", "/token*", Fault::Delay(LONG));
    let store = repository(once().with_token_timeout(SHORT), &registry);
    let error = block(store.fetch_bytes(&layer, 1 << 20)).unwrap_err();
    assert_eq!(found(&error), (ErrorKind::Timeout, Some(Reason::TokenTimeout)), "{error:?}");
}

#[test]
fn a_wait_that_ends_too_late_is_not_begun() {
    let (registry, _) = faulty("GET", "*/manifests/*", Fault::too_many_requests("30"));
    let store = repository(ConnectionOptions::default().with_request_timeout(LONG), &registry);
    let begun = Instant::now();
    let error = block(store.fetch_manifest(&version())).unwrap_err();
    assert_eq!(
        error.kind(),
        ErrorKind::RateLimited,
        "what the registry said, not that time is over: {error:?}"
    );
    assert!(begun.elapsed() < LONG / 2);
}

#[test]
fn a_request_with_all_its_tries_and_a_whole_call_have_a_bound() {
    let (registry, _) = faulty("GET", "*/manifests/*", Fault::Delay(LONG));
    let late = (ErrorKind::Timeout, Some(Reason::DeadlineExceeded));
    let begun = Instant::now();
    let store = repository(ConnectionOptions::default().with_request_timeout(SHORT), &registry);
    assert_eq!(found(&block(store.fetch_manifest(&version())).unwrap_err()), late);

    let store = repository(ConnectionOptions::default(), &registry);
    let cx = Context::default().with_timeout(SHORT);
    assert_eq!(found(&block(cx.run(store.fetch_manifest(&version()))).unwrap_err()), late);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}
