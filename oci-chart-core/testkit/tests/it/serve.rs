//! The `serve` binary, as other languages use it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use crate::support::{ask, push_blob};

#[test]
fn prints_its_url_tells_its_log_and_ends_with_its_input() {
    let directory = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_serve"))
        .args(["--page-size", "1", "--memory-limit", "3", "--throttle", "1:5", "--dir"])
        .arg(directory.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
    let url = out.next().unwrap().unwrap();
    let host = url.strip_prefix("http://").unwrap();
    let throttled = ask("GET", "/v2/").send(host);
    assert_eq!((throttled.status, throttled.header("retry-after")), (429, Some("5")));
    push_blob(host, "a", b"content");
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"log\n").unwrap();
    let log: serde_json::Value = serde_json::from_str(&out.next().unwrap().unwrap()).unwrap();
    let put = &log[2];
    assert_eq!(
        (&put["method"], &put["class"], &put["status"]),
        (&"PUT".into(), &"UploadPut".into(), &201.into())
    );
    assert_eq!(put["bytes_in"], 7);
    drop(input);
    assert!(child.wait().unwrap().success());
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
