//! A server that answers an upload before it has read it, and hangs up on who still sends.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use oci_chart_core::{
    ErrorKind, Reason,
    auth::StaticCredentials,
    name::{Host, RepositoryAddress},
    store::{ConnectionOptions, Registries, Repository, Store},
};

use super::{blob, found};
use crate::remote::block;

/// Answers PUT and PATCH with `refusal` as soon as their heads are there, and opens uploads.
struct Hasty {
    host: Host,
    refused: Arc<AtomicUsize>,
}

impl Hasty {
    fn start(refusal: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = Host::parse(&listener.local_addr().unwrap().to_string()).unwrap();
        let refused = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&refused);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let count = Arc::clone(&count);
                std::thread::spawn(move || serve(stream.unwrap(), refusal, &count));
            }
        });
        Self { host, refused }
    }

    fn repository(&self) -> Repository {
        let options = ConnectionOptions::default().with_plain_http(self.host.clone());
        let registries = Registries::new(options, StaticCredentials::default()).unwrap();
        let address = RepositoryAddress::parse(&format!("{}/charts/web", self.host)).unwrap();
        registries.repository(&address).unwrap()
    }
}

fn serve(stream: TcpStream, refusal: &str, refused: &AtomicUsize) {
    let mut stream = BufReader::new(stream);
    loop {
        let (mut line, mut method) = (String::new(), String::new());
        loop {
            line.clear();
            if stream.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if method.is_empty() {
                method = line.split(' ').next().unwrap().to_owned();
            }
            if line == "\r\n" {
                break;
            }
        }
        let answer = match method.as_str() {
            "POST" => "202 Accepted\r\nLocation: /upload?x=1",
            "GET" => "204 No Content\r\nLocation: /upload?x=1\r\nRange: 0-0",
            "DELETE" => "204 No Content",
            "HEAD" => "404 Not Found",
            _ => {
                refused.fetch_add(1, Ordering::SeqCst);
                // The socket is closed with bytes unread, which is a reset for who sends them.
                let mut some = [0; 1000];
                let _ = stream.read(&mut some);
                let _ = stream.get_mut().write_all(refusal.as_bytes());
                return;
            }
        };
        let _ =
            stream.get_mut().write_all(format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n").as_bytes());
    }
}

const TOO_LARGE: &str = "HTTP/1.1 413 Request Entity Too Large\r\nContent-Type: text/html\r\nContent-Length: 12\r\nConnection: close\r\n\r\n<html>no</ht";
const FORBIDDEN: &str = "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: 60\r\nConnection: close\r\n\r\n{\"errors\":[{\"code\":\"DENIED\",\"message\":\"by a rule of mine\"}]}";
const UNAUTHORIZED: &str = "HTTP/1.1 401 Unauthorized\r\nWww-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

#[test]
fn an_early_refusal_of_a_large_upload_is_told_as_the_registry_said_it() {
    for (refusal, expected) in [
        (TOO_LARGE, (ErrorKind::LimitExceeded, Some(Reason::DocumentTooLarge))),
        (FORBIDDEN, (ErrorKind::PermissionDenied, Some(Reason::AccessDenied))),
        (UNAUTHORIZED, (ErrorKind::Unauthenticated, Some(Reason::NoCredentials))),
    ] {
        for _ in 0..3 {
            let server = Hasty::start(refusal);
            let error = block(server.repository().push(&blob(24 << 20), &[])).unwrap_err();
            assert_eq!(found(&error), expected, "{error:?}");
            assert!(server.refused.load(Ordering::SeqCst) > 0);
        }
    }
}
