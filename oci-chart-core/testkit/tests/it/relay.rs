//! The relay: what it does to bytes, and to exchanges.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use oci_chart_testkit::{Fault, Mishap, Registry, Relay, Rule, Way};

use crate::support::{ask, push_blob, push_image, sha256};

const PATIENCE: Duration = Duration::from_millis(300);

/// What the server said to `GET /v2/a/blobs/DIGEST` over a connection of its own, and how that ended.
fn get(relay: &Relay, digest: &str) -> (Vec<u8>, Option<ErrorKind>) {
    let mut stream = TcpStream::connect(relay.host()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let said = write!(stream, "GET /v2/a/blobs/{digest} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    let mut bytes = Vec::new();
    let ended = said.and_then(|()| stream.read_to_end(&mut bytes).map(drop));
    (bytes, ended.err().map(|error| error.kind()))
}

#[test]
fn a_relay_that_was_told_nothing_changes_nothing() {
    let registry = Registry::start().unwrap();
    for relay in [Relay::start(registry.host()), Relay::builder(registry.host()).http().start_blocking()] {
        let relay = relay.unwrap();
        let layer = vec![7; 300_000];
        let manifest = push_image(relay.host(), "a", "1.0.0", &layer, "");
        let got = ask("GET", "/v2/a/manifests/1.0.0").send(relay.host());
        assert_eq!((got.status, got.body), (200, manifest));
        let got = ask("GET", format!("/v2/a/blobs/{}", sha256(&layer))).send(relay.host());
        assert!(got.body == layer && !got.broken);
        let counts = relay.counts();
        assert_eq!((counts.connections, counts.fired, counts.leaked), (7, 0, 0));
        assert!(counts.up > 300_000 && counts.down > 300_000, "{counts:?}");
    }
}

#[test]
fn mishaps_happen_at_their_byte() {
    let registry = Registry::start().unwrap();
    let relay = Relay::start(registry.host()).unwrap();
    let digest = push_blob(registry.host(), "a", &[b'x'; 100_000]);
    let (whole, ended) = get(&relay, &digest);
    assert!(whole.len() > 100_000 && ended.is_none());
    let size = whole.len() as u64;
    let reset = Some(ErrorKind::ConnectionReset);
    let silence = Some(ErrorKind::WouldBlock);
    for (mishap, arrives, expected) in [
        (Mishap::Refuse, 0, reset),
        (Mishap::Cut(Way::Down, 0), 0, None),
        (Mishap::Cut(Way::Down, 17), 17, None),
        (Mishap::Cut(Way::Down, size - 1), size - 1, None),
        (Mishap::Cut(Way::Up, 20), 0, None),
        (Mishap::Reset(Way::Down, 17), 17, reset),
        (Mishap::Reset(Way::Down, 50_000), 50_000, reset),
        (Mishap::Reset(Way::Up, 0), 0, reset),
        (Mishap::Stall(Way::Down, 50_000), 50_000, silence),
        (Mishap::Stall(Way::Up, 20), 0, silence),
        (Mishap::Delay(Duration::from_millis(50)), size, None),
        (Mishap::Drip(Way::Down, 20_000, Duration::from_millis(10)), size, None),
    ] {
        relay.arm(1, mishap);
        let fired = relay.counts().fired;
        let (bytes, ended) = get(&relay, &digest);
        assert_eq!((bytes.len() as u64, ended), (arrives, expected), "{mishap:?}");
        // The rest of the head tells the time.
        assert!(bytes.starts_with(&whole[..bytes.len().min(15)]), "{mishap:?}");
        assert_eq!((relay.counts().fired - fired, relay.waiting()), (1, 0), "{mishap:?}");
    }
    relay.arm(1, Mishap::Flip(Way::Down, size - 1));
    let (bytes, ended) = get(&relay, &digest);
    assert_eq!((bytes.last(), ended), (Some(&(b'x' ^ 1)), None));
    assert!(bytes[bytes.len() - 100_000..bytes.len() - 1].iter().all(|byte| *byte == b'x'));
    let fired = relay.counts().fired;
    relay.arm(1, Mishap::Cut(Way::Down, size));
    assert_eq!(get(&relay, &digest).0.len(), whole.len());
    assert_eq!(relay.counts().fired, fired, "a position that is never reached does nothing");
}

#[test]
fn mishaps_are_for_the_connection_they_are_meant_for() {
    let registry = Registry::start().unwrap();
    let relay = Relay::start(registry.host()).unwrap();
    let ping = || ask("GET", "/v2/").send(relay.host()).status;
    ping();
    relay.arm(2, Mishap::Refuse);
    assert_eq!([ping(), ping(), ping()], [200, 0, 200]);
    relay.arm_all(Mishap::Cut(Way::Down, 0));
    relay.arm(2, Mishap::Delay(Duration::ZERO));
    assert_eq!([ping(), ping(), ping()], [0, 200, 0]);
    relay.disarm();
    assert_eq!(ping(), 200);
    let gone = Relay::start("127.0.0.1:1").unwrap();
    assert!(ask("GET", "/").send(gone.host()).broken);
}

#[test]
fn open_connections_can_be_reset_and_end_with_the_relay() {
    let registry = Registry::start().unwrap();
    let relay = Relay::start(registry.host()).unwrap();
    let mut streams = [0; 2].map(|_| {
        let mut stream = TcpStream::connect(relay.host()).unwrap();
        stream.write_all(b"GET /v2/ HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
        assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
        stream
    });
    assert_eq!(relay.counts().open, 2);
    relay.reset_open();
    assert_eq!(streams[0].read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    while relay.counts().open > 0 {
        thread::sleep(Duration::from_millis(1));
    }
    let mut stream = TcpStream::connect(relay.host()).unwrap();
    drop(relay);
    assert!(matches!(stream.read(&mut [0]), Ok(0) | Err(_)));
}

#[test]
fn latency_is_paid_for_the_connection_and_each_round_trip() {
    const ONE_WAY: Duration = Duration::from_millis(20);
    let registry = Registry::start().unwrap();
    let relay = Relay::builder(registry.host()).latency(ONE_WAY).start_blocking().unwrap();
    let begun = Instant::now();
    let mut stream = TcpStream::connect(relay.host()).unwrap();
    let mut ask = || {
        stream.write_all(b"GET /v2/ HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
        assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
        begun.elapsed()
    };
    let (first, second) = (ask(), ask());
    assert!(first >= ONE_WAY * 4, "{first:?}");
    assert!(second - first >= ONE_WAY * 2, "{second:?} after {first:?}");
    // Later than this only on a machine that has no time for us.
    assert!(second < ONE_WAY * 6 + Duration::from_secs(2), "{second:?}");
}

#[test]
fn scripted_faults_meet_servers_that_have_no_script() {
    let registry = Registry::start().unwrap();
    let relay = Relay::builder(registry.host()).http().start_blocking().unwrap();
    let digest = push_blob(registry.host(), "a", b"0123456789");
    let blob = format!("/v2/a/blobs/{digest}");
    for (fault, status, body, broken) in [
        (Fault::error(503, "X"), 503, None, false),
        (Fault::too_many_requests("1"), 429, None, false),
        (Fault::Delay(Duration::from_millis(1)), 200, Some("0123456789"), false),
        (Fault::Drop, 0, None, true),
        (Fault::LoseAnswer, 0, None, true),
        (Fault::CutResponse(3), 200, Some("012"), true),
        (Fault::CutResponse(10), 200, Some("0123456789"), false),
        (Fault::Truncate(3), 200, Some("012"), false),
        (Fault::AnnounceLength(11), 200, Some("0123456789"), true),
        (Fault::AnnounceLength(9), 200, None, true),
        (Fault::Body("other".into()), 200, Some("other"), false),
        (Fault::FlipByte(9), 200, Some("0123456788"), false),
        (Fault::Drip(4, Duration::from_millis(1)), 200, Some("0123456789"), false),
        (Fault::RemoveHeader("content-type".into()), 200, Some("0123456789"), false),
        (Fault::IgnoreRange, 200, Some("0123456789"), false),
    ] {
        relay.script().once("GET", "*/blobs/*", fault.clone());
        let answer = ask("GET", &blob).header("range", "bytes=0-").send(relay.host());
        let ranged = if matches!(status, 200) && !matches!(fault, Fault::IgnoreRange) { 206 } else { status };
        assert_eq!((answer.status, answer.broken), (ranged, broken), "{fault:?} {answer:?}");
        assert!(body.is_none_or(|body| answer.text() == body), "{fault:?} {answer:?}");
        let typed = answer.header("content-type").is_some();
        assert_eq!(typed, !matches!(fault, Fault::RemoveHeader(_)) && status != 0, "{fault:?} {answer:?}");
    }
    relay.script().once("GET", "*/blobs/*", Fault::wrong_digest());
    let lie = ask("GET", &blob).send(relay.host());
    assert_eq!(lie.header("docker-content-digest"), Some(&*format!("sha256:{}", "0".repeat(64))));
    relay.script().once("PUT", "*", Fault::CutRequest(2));
    let begun = ask("POST", "/v2/a/blobs/uploads/").send(relay.host());
    let target = format!("{}&digest={}", begun.location(), sha256(b"content"));
    assert!(ask("PUT", target).body("content").send(relay.host()).broken);
    // The client may know before the registry does.
    let begun = Instant::now();
    while registry.log().entries().last().unwrap().bytes_in < 2 {
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", registry.log().entries().last());
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(relay.counts().fired, 17);

    relay.script().once("GET", "/v2/", Fault::Endless);
    let mut stream = TcpStream::connect(relay.host()).unwrap();
    stream.write_all(b"GET /v2/ HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    stream.read_exact(&mut vec![0; 1 << 20]).unwrap();
}

#[test]
fn the_other_origin_wants_no_credentials() {
    let registry = Registry::builder().basic_auth("robot", "hunter2").start_blocking().unwrap();
    registry.put_blob("a", b"content").unwrap();
    let blob = format!("/v2/a/blobs/{}", sha256(b"content"));
    let relay = Relay::builder(registry.host()).http().start_blocking().unwrap();
    let elsewhere = relay.elsewhere().to_owned();
    relay.script().add(Rule::new("GET", "*/blobs/*", Fault::Redirect(elsewhere.clone())).always());
    assert!(elsewhere.starts_with("http://localhost:"));
    let login = "Basic cm9ib3Q6aHVudGVyMg==";
    assert_eq!(ask("GET", format!("{elsewhere}{blob}")).send("").status, 404, "nothing was signed yet");

    let sent = ask("GET", &blob).header("authorization", login).send(relay.host());
    assert_eq!((sent.status, sent.location()), (307, &*format!("{elsewhere}{blob}")));
    let stored = ask("GET", sent.location()).send("");
    assert_eq!((stored.status, stored.text().as_str()), (200, "content"));
    assert_eq!(relay.counts().leaked, 0);
    assert_eq!(ask("GET", sent.location()).header("authorization", login).send("").status, 400);
    assert_eq!(relay.counts().leaked, 1);
}

#[test]
fn a_registry_s_own_script_ignores_ranges_and_redirects() {
    let registry = Registry::start().unwrap();
    let blob = format!("/v2/a/blobs/{}", push_blob(registry.host(), "a", b"content"));
    registry.script().once("GET", "*/blobs/*", Fault::IgnoreRange);
    registry.script().add(Rule::new("GET", "*/blobs/*", Fault::Redirect("http://x".into())).nth(3));
    let answers = [0; 3].map(|_| ask("GET", &blob).header("range", "bytes=1-").send(registry.host()));
    assert_eq!([answers[0].status, answers[1].status, answers[2].status], [200, 206, 307]);
    assert_eq!(answers[2].location(), format!("http://x{blob}"));
}
