//! The `serve` binary, as other languages use it.

use std::io::{BufRead as _, BufReader, Lines, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};

use sha2::{Digest as _, Sha256};

use crate::support::{ask, push_blob, with};

/// A running `serve`, which ends with this value at the latest.
struct Serve {
    process: Child,
    out: Lines<BufReader<ChildStdout>>,
    host: String,
}

fn serve(arguments: &[&str]) -> Serve {
    let mut command = Command::new(env!("CARGO_BIN_EXE_serve"));
    let mut process = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(process.stdout.take().unwrap()).lines();
    let url = out.next().unwrap().unwrap();
    Serve { process, out, host: url.strip_prefix("http://").unwrap().to_owned() }
}

impl Drop for Serve {
    fn drop(&mut self) {
        // It has ended already in the tests that waited for it.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn prints_its_url_tells_its_log_and_ends_with_its_input() {
    let mut child = serve(&["--page-size", "1", "--throttle", "1:5"]);
    let throttled = ask("GET", "/v2/").send(&child.host);
    assert_eq!((throttled.status, throttled.header("retry-after")), (429, Some("5")));
    push_blob(&child.host, "a", b"content");

    let mut input = child.process.stdin.take().unwrap();
    input.write_all(b"log\n").unwrap();
    let log: serde_json::Value = serde_json::from_str(&child.out.next().unwrap().unwrap()).unwrap();
    let put = &log[2];
    assert_eq!(
        (&put["method"], &put["class"], &put["status"]),
        (&"PUT".into(), &"UploadPut".into(), &201.into())
    );
    assert_eq!(put["bytes_in"], 7);
    drop(input);
    assert!(child.process.wait().unwrap().success());
}

#[test]
fn takes_faults_on_its_input() {
    let mut child = serve(&["--rotating-locations"]);
    let mut input = child.process.stdin.take().unwrap();
    let mut tell = |line: &str| {
        writeln!(input, "{line}").unwrap();
        child.out.next().unwrap().unwrap()
    };
    let kinds = [
        ("status 503", 503, false),
        ("retry-after 1", 429, false),
        ("delay 1", 200, false),
        ("drop", 0, true),
        ("lose-answer", 0, true),
        ("cut-response 1", 200, true),
        ("truncate 1", 200, false),
        ("announce-length 9", 200, true),
        ("body two words", 200, false),
        ("flip 1", 200, false),
        ("wrong-digest", 200, false),
        ("content-type text/html", 200, false),
    ];
    for (kind, status, broken) in kinds {
        assert_eq!(tell(&format!("fault GET /v2/* 1 {kind}")), "ok");
        let answer = ask("GET", "/v2/").send(&child.host);
        assert_eq!((answer.status, answer.broken), (status, broken), "{kind}");
        assert!(kind != "body two words" || answer.text() == "two words");
    }
    assert_eq!(
        (tell("fault PUT * 2 cut-request 0"), tell("fault * * 9 endless")),
        ("ok".into(), "ok".into())
    );
    for wrong in [
        "",
        "nonsense",
        "fault",
        "fault GET /v2/ x drop",
        "fault GET /v2/ 1 nonsense",
        "fault GET * 1 flip x",
    ] {
        assert!(tell(wrong).starts_with("error: "), "{wrong}");
    }
    let log: serde_json::Value = serde_json::from_str(&tell("log")).unwrap();
    assert_eq!(log.as_array().unwrap().len(), kinds.len());
}

#[test]
fn a_large_blob_needs_no_memory() {
    const BLOCK: usize = 1 << 20;
    const BLOCKS: usize = 200;
    let mut child = serve(&[]);
    let host = child.host.clone();
    let block = vec![b'x'; BLOCK];
    let digest = {
        let mut hasher = Sha256::new();
        (0..BLOCKS).for_each(|_| hasher.update(&block));
        let hex: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("sha256:{hex}")
    };
    let begun = ask("POST", "/v2/a/blobs/uploads/").send(&host);
    let mut stream = TcpStream::connect(&host).unwrap();
    let (target, length) = (with(begun.location(), &format!("digest={digest}")), BLOCK * BLOCKS);
    write!(
        stream,
        "PUT {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
    )
    .unwrap();
    (0..BLOCKS).for_each(|_| stream.write_all(&block).unwrap());
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");

    let mut stream = TcpStream::connect(&host).unwrap();
    write!(stream, "GET /v2/a/blobs/{digest} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let received = std::io::copy(&mut stream, &mut std::io::sink()).unwrap();
    assert!(received > length as u64);
    let peak = peak_memory(child.process.id());
    eprintln!("peak memory of a registry that took and gave {length} bytes: {peak} KiB");
    assert!(peak < 16 << 10, "{peak} KiB");
    drop(child.process.stdin.take());
    assert!(child.process.wait().unwrap().success());
}

/// Peak resident memory of a process in KiB.
#[cfg(target_os = "linux")]
fn peak_memory(process: u32) -> u64 {
    let status = fs_err::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse().unwrap()
}

#[cfg(not(target_os = "linux"))]
fn peak_memory(_: u32) -> u64 {
    eprintln!("SKIPPED: peak memory is read from /proc");
    0
}

#[test]
fn a_directory_that_is_not_there_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let gone = directory.path().join("gone");
    let child = serve(&["--memory-limit", "3", "--dir", gone.to_str().unwrap()]);
    push_blob(&child.host, "a", b"abc");
    let begun = ask("POST", "/v2/a/blobs/uploads/").send(&child.host);
    let failed = ask("PATCH", begun.location()).body("abcd").send(&child.host);
    assert_eq!((failed.status, failed.code().as_str()), (500, "UNKNOWN"));
}

#[test]
fn refuses_options_it_does_not_know() {
    for arguments in
        [&["--nonsense"][..], &["--port"], &["--port", "x"], &["--basic", "x"], &["--token-port"]]
    {
        let output = Command::new(env!("CARGO_BIN_EXE_serve")).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("--page-size"));
    }
}
