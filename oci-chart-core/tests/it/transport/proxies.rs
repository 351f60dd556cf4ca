//! Requests go through the proxy that was given, its secrets stay with it, and its failures have words of their own.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use oci_chart_core::{
    Error, ErrorKind, Reason,
    auth::StaticCredentials,
    name::{Host, RepositoryAddress, Selector},
    store::{Blob, ConnectionOptions, ProxyOptions, Registries, RetryOptions, Store as _},
};
use oci_chart_testkit::{Registry, Tls};

use crate::remote::block;

/// A host that only the proxy knows.
const FAR: &str = "registry.test";

/// A proxy that says `answer` to every request, and then lets the client through to `target`, if there is one.
struct Proxy {
    address: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn start(answer: &'static str, target: Option<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let heads: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = Arc::clone(&heads);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut client = BufReader::new(stream.unwrap());
                let mut head = String::new();
                while client.read_line(&mut head).is_ok_and(|length| length > 2) {}
                seen.lock().unwrap().push(head);
                let mut client = client.into_inner();
                let _ = client.write_all(answer.as_bytes());
                let Some(target) = &target else { continue };
                let server = TcpStream::connect(target).unwrap();
                let (to, from) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                thread::spawn(move || splice(from, to));
                thread::spawn(move || splice(client, server));
            }
        });
        Self { address, heads }
    }

    fn options(&self) -> ProxyOptions {
        ProxyOptions::through(format!("http://robot:hunter2@{}", self.address).parse().unwrap())
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

pub(super) fn splice(mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = [0; 4096];
    while let Ok(length) = from.read(&mut buffer) {
        if length == 0 || to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

fn once(proxy: ProxyOptions) -> ConnectionOptions {
    ConnectionOptions::default().with_proxy(proxy).with_retry(RetryOptions::never())
}

fn far() -> Host {
    Host::parse(FAR).unwrap()
}

/// What a push to the far host ends with.
fn push(options: ConnectionOptions) -> Result<(), Error> {
    let registries = Registries::new(options, StaticCredentials::default()).unwrap();
    let address = RepositoryAddress::parse(&format!("{FAR}/charts/web")).unwrap();
    let blob = Blob::from_bytes("text/plain".into(), "content");
    block(registries.repository(&address).unwrap().push(&blob, &[])).map(drop)
}

fn refused(options: ConnectionOptions) -> Error {
    let error = push(options).unwrap_err();
    assert!(error.hint().is_some(), "{error:?}");
    let mut printed = format!("{error} {error:?}");
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        printed += &format!(" {error} {error:?}");
        cause = error.source();
    }
    assert!(!printed.contains("hunter2") && !printed.contains("cm9ib3Q6"), "{printed}");
    error
}

#[test]
fn https_goes_through_a_tunnel_and_the_proxy_s_login_ends_there() {
    let registry = Registry::builder().tls(Tls::built_in()).start_blocking().unwrap();
    let proxy = Proxy::start("HTTP/1.1 200 OK\r\n\r\n", Some(registry.host().to_owned()));
    push(once(proxy.options()).with_unchecked_certificate(far())).unwrap();
    let heads = proxy.heads();
    assert!(heads[0].starts_with("CONNECT registry.test:443 HTTP/1.1\r\n"), "{heads:?}");
    assert!(
        heads[0].to_ascii_lowercase().contains("proxy-authorization: basic cm9ib3q6ahvudgvymg=="),
        "{heads:?}"
    );
    let log = registry.log().entries();
    assert!(log.len() >= 2 && log.iter().all(|exchange| exchange.header("proxy-authorization").is_none()));
}

#[test]
fn the_name_in_the_certificate_counts_and_not_the_proxy_s() {
    let registry = Registry::builder().tls(Tls::built_in()).start_blocking().unwrap();
    let proxy = Proxy::start("HTTP/1.1 200 OK\r\n\r\n", Some(registry.host().to_owned()));
    let error = refused(once(proxy.options()).with_root(Tls::AUTHORITY));
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Tls, Some(Reason::CertificateName)));
}

#[test]
fn a_proxy_that_wants_a_login() {
    const WANTED: &str = "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=p\r\nContent-Length: 0\r\n\r\n";
    for plain in [false, true] {
        let proxy = Proxy::start(WANTED, None);
        let options = once(proxy.options());
        let error = refused(if plain { options.with_plain_http(far()) } else { options });
        assert_eq!(
            (error.kind(), error.reason()),
            (ErrorKind::Unauthenticated, Some(Reason::ProxyLogin)),
            "{error:?}"
        );
        if !plain {
            assert_eq!(error.get("proxy"), Some(format!("http://{}/", proxy.address).as_str()));
        }
    }
}

#[test]
fn a_proxy_that_does_not_let_through() {
    let proxy = Proxy::start("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", None);
    let error = refused(once(proxy.options()));
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Network, Some(Reason::ProxyRefused)), "{error:?}");
}

#[test]
fn a_proxy_that_is_not_there() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for plain in [false, true] {
        let proxy = ProxyOptions::through(format!("http://robot:hunter2@{closed}").parse().unwrap());
        let options = once(proxy);
        let error = refused(if plain { options.with_plain_http(far()) } else { options });
        let found = (error.kind(), error.reason());
        assert_eq!(found, (ErrorKind::Network, Some(Reason::ProxyUnreachable)), "{error:?}");
        assert!(error.get("proxy").is_some_and(|proxy| proxy.contains(&closed.to_string())));
    }
}

#[test]
fn excepted_hosts_are_reached_directly() {
    let proxy = Proxy::start("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", None);
    for options in [proxy.options().with_no_proxy("other.test, .test"), ProxyOptions::direct()] {
        let registries = Registries::new(once(options), StaticCredentials::default()).unwrap();
        let address = RepositoryAddress::parse(&format!("{FAR}/charts/web")).unwrap();
        let repository = registries.repository(&address).unwrap();
        let error = block(repository.resolve(&Selector::Tag("1.0.0".parse().unwrap()))).unwrap_err();
        assert_eq!(error.reason(), Some(Reason::NameUnknown), "{error:?}");
    }
    assert_eq!(proxy.heads(), Vec::<String>::new());
}
