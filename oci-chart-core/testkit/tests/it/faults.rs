//! Every fault of the script, as a client meets it.

use std::time::{Duration, Instant};

use oci_chart_testkit::{Fault, Registry, Rule};

use crate::support::{Answer, MANIFEST, ask, push_blob, sha256, with};

const CONTENT: &[u8] = &[b'c'; 200_000];

/// A registry with one blob in memory or in a file, one fault for its GET, and the answers to two GETs.
fn met(fault: &Fault) -> Vec<Answer> {
    let mut answers = Vec::new();
    for memory_limit in [0, 1 << 20] {
        let registry = Registry::builder().memory_limit(memory_limit).start_blocking().unwrap();
        let digest = registry.put_blob("a", CONTENT).unwrap();
        registry.script().once("GET", "/v2/*/blobs/*", fault.clone());
        let get = || ask("GET", format!("/v2/a/blobs/{digest}")).send(registry.host());
        let met = get();
        assert_eq!((registry.script().fired(), registry.script().pending()), (1, 0));
        assert!(registry.log().entries()[0].faulted);
        let after = get();
        assert_eq!((after.status, after.body.as_slice(), after.broken), (200, CONTENT, false), "{fault:?}");
        assert!(!registry.log().entries()[1].faulted);
        answers.push(met);
    }
    answers
}

#[test]
fn answers_of_the_script() {
    let status = Fault::Status { code: 503, headers: vec![("x-a".into(), "b".into())], body: "sorry".into() };
    for answer in met(&status) {
        assert_eq!((answer.status, answer.header("x-a"), answer.text().as_str()), (503, Some("b"), "sorry"));
    }
    for answer in met(&Fault::error(403, "DENIED")) {
        assert_eq!((answer.status, answer.code().as_str()), (403, "DENIED"));
    }
    for answer in met(&Fault::too_many_requests("Fri, 01 Jan 2100 00:00:00 GMT")) {
        assert_eq!((answer.status, answer.code().as_str()), (429, "TOOMANYREQUESTS"));
        assert_eq!(answer.header("retry-after"), Some("Fri, 01 Jan 2100 00:00:00 GMT"));
    }
}

#[test]
fn headers_that_lie_or_lack() {
    for answer in met(&Fault::wrong_digest()) {
        let header = answer.header("docker-content-digest").unwrap();
        assert_ne!(header, sha256(CONTENT));
        assert_eq!(answer.body, CONTENT);
    }
    for answer in met(&Fault::content_type("text/html")) {
        assert_eq!(answer.header("content-type"), Some("text/html"));
    }
    for answer in met(&Fault::RemoveHeader("docker-content-digest".into())) {
        assert_eq!(answer.header("docker-content-digest"), None);
    }
    for answer in met(&Fault::AnnounceLength(300_000)) {
        assert_eq!((answer.header("content-length"), answer.broken), (Some("300000"), true));
        assert_eq!(answer.body, CONTENT);
    }
}

#[test]
fn bodies_that_lie() {
    for answer in met(&Fault::Body("other".into())) {
        assert_eq!((answer.text().as_str(), answer.header("content-length")), ("other", Some("5")));
        assert_eq!(answer.header("docker-content-digest"), Some(sha256(CONTENT).as_str()));
    }
    for answer in met(&Fault::FlipByte(150_000)) {
        let mut flipped = CONTENT.to_vec();
        flipped[150_000] ^= 1;
        assert!(answer.body == flipped && !answer.broken);
    }
    for answer in met(&Fault::Truncate(70_000)) {
        assert_eq!((answer.body.len(), answer.header("content-length")), (70_000, Some("70000")));
        assert!(!answer.broken);
    }
}

#[test]
fn connections_that_break() {
    for after in [0, 1, 70_000, 200_000] {
        for answer in met(&Fault::CutResponse(after)) {
            let whole = after == 200_000;
            assert_eq!((answer.status, answer.header("content-length")), (200, Some("200000")));
            assert_eq!((answer.body.len() as u64, answer.broken), (after, !whole), "after {after}");
        }
    }
    for fault in [Fault::Drop, Fault::LoseAnswer] {
        for answer in met(&fault) {
            assert_eq!((answer.status, answer.broken), (0, true), "{fault:?}");
        }
    }
}

#[test]
fn slow_answers() {
    for fault in [Fault::Delay(Duration::from_millis(200)), Fault::Drip(50_000, Duration::from_millis(50))] {
        let began = Instant::now();
        for answer in met(&fault) {
            assert_eq!(answer.body, CONTENT);
        }
        assert!(began.elapsed() >= Duration::from_millis(400), "{fault:?}");
    }
}

#[test]
fn an_endless_body_ends_with_the_client() {
    use std::io::{Read as _, Write as _};

    let registry = Registry::start().unwrap();
    registry.put_manifest("a", "t", MANIFEST, "{}").unwrap();
    registry.script().once("GET", "*", Fault::Endless);
    let mut stream = std::net::TcpStream::connect(registry.host()).unwrap();
    stream.write_all(b"GET /v2/a/manifests/t HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut some = vec![0; 5 << 20];
    stream.read_exact(&mut some).unwrap();
    assert!(String::from_utf8_lossy(&some[..500]).contains("transfer-encoding: chunked"));
    drop(stream);
    assert_eq!(ask("GET", "/v2/").send(registry.host()).status, 200);
}

#[test]
fn an_interrupted_upload_can_be_resumed() {
    let registry = Registry::start().unwrap();
    let host = registry.host();
    let location = ask("POST", "/v2/a/blobs/uploads/").send(host).location().to_owned();
    registry.script().once("PATCH", "*", Fault::CutRequest(150_000));
    let cut = ask("PATCH", &location).header("content-range", "0-199999").body(CONTENT).send(host);
    assert!(cut.broken);
    let status = ask("GET", &location).send(host);
    assert_eq!((status.status, status.header("range")), (204, Some("0-149999")));
    assert!(registry.blobs("a").is_empty());
    let rest = with(status.location(), &format!("digest={}", sha256(CONTENT)));
    let put = ask("PUT", rest).header("content-range", "150000-199999").body(&CONTENT[150_000..]).send(host);
    assert_eq!(put.status, 201);
    let bytes: Vec<_> = registry.log().entries().iter().map(|exchange| exchange.bytes_in).collect();
    assert_eq!(bytes, [0, 150_000, 0, 50_000]);
}

#[test]
fn a_lost_answer_was_a_done_deed() {
    let registry = Registry::start().unwrap();
    registry.script().once("PUT", "/v2/*/uploads/*", Fault::LoseAnswer);
    let begun = ask("POST", "/v2/a/blobs/uploads/").send(registry.host());
    let target = with(begun.location(), &format!("digest={}", sha256(b"content")));
    assert!(ask("PUT", target).body("content").send(registry.host()).broken);
    assert_eq!(registry.blob("a", &sha256(b"content")).unwrap().unwrap(), "content");
    assert_eq!(registry.log().entries()[1].status, None);
}

#[test]
fn rules_from_the_builder_apply_from_the_first_request() {
    let throttled = Rule::new("*", "*", Fault::too_many_requests("1")).times(2);
    let registry = Registry::builder().fault(throttled).start_blocking().unwrap();
    let statuses: Vec<_> = (0..3).map(|_| ask("GET", "/v2/").send(registry.host()).status).collect();
    assert_eq!(statuses, [429, 429, 200]);
    registry.script().add(Rule::new("GET", "/v2/", Fault::Drop).nth(2).always());
    let broken: Vec<_> = (0..3).map(|_| ask("GET", "/v2/").send(registry.host()).broken).collect();
    assert_eq!(broken, [false, true, true]);
    registry.script().clear();
    push_blob(registry.host(), "a", b"content");
}
