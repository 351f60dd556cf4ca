//! Proxies that speak SOCKS: what they are told, and what they say no to.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use oci_chart_core::{
    Error, ErrorKind, Reason,
    auth::StaticCredentials,
    name::{Host, RepositoryAddress},
    store::{Blob, ConnectionOptions, ProxyOptions, Registries, RetryOptions, Store as _},
};
use oci_chart_testkit::{Registry, Tls};

use super::proxies::splice;
use crate::remote::block;

const FAR: &str = "registry.test";

/// SOCKS 5 (RFC 1928), with user and password where `login` has some (RFC 1929); answers each request with `status`.
struct Socks {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Socks {
    fn start(login: Option<&'static str>, status: u8, target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let (seen, target) = (Arc::clone(&asked), target.to_owned());
        thread::spawn(move || {
            for client in listener.incoming() {
                // Whoever hangs up in the middle is done.
                let _ = serve(client.unwrap(), login, status, &target, &seen);
            }
        });
        Self { address, asked }
    }

    fn options(&self, scheme: &str, login: &str) -> ConnectionOptions {
        let proxy = ProxyOptions::through(format!("{scheme}://{login}{}", self.address).parse().unwrap());
        ConnectionOptions::default().with_proxy(proxy).with_retry(RetryOptions::never())
    }
}

fn serve(
    mut client: TcpStream,
    login: Option<&str>,
    status: u8,
    target: &str,
    asked: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut read = |length: u8| {
        let mut bytes = vec![0; length.into()];
        client.read_exact(&mut bytes).map(|()| bytes)
    };
    let methods = read(2)?[1];
    let offered = read(methods)?;
    let wanted = if login.is_some() { 2 } else { 0 };
    if !offered.contains(&wanted) {
        return client.write_all(&[5, 0xff]);
    }
    client.write_all(&[5, wanted])?;
    let mut read = |length: u8| {
        let mut bytes = vec![0; length.into()];
        client.read_exact(&mut bytes).map(|()| bytes)
    };
    if let Some(login) = login {
        let length = read(2)?[1];
        let user = read(length)?;
        let length = read(1)?[0];
        let password = read(length)?;
        let right = login.as_bytes() == [&user[..], b":", &password[..]].concat();
        client.write_all(&[1, u8::from(!right)])?;
        if !right {
            return Ok(());
        }
    }
    let mut read = |length: u8| {
        let mut bytes = vec![0; length.into()];
        client.read_exact(&mut bytes).map(|()| bytes)
    };
    let name = match read(4)?[3] {
        1 => read(4)?.iter().map(u8::to_string).collect::<Vec<_>>().join("."),
        _ => {
            let length = read(1)?[0];
            String::from_utf8(read(length)?).unwrap()
        }
    };
    let port = read(2)?;
    asked.lock().unwrap().push(format!("{name}:{}", u16::from_be_bytes([port[0], port[1]])));
    client.write_all(&[5, status, 0, 1, 0, 0, 0, 0, 0, 0])?;
    if status == 0 {
        let server = TcpStream::connect(target)?;
        let (to, from) = (client.try_clone()?, server.try_clone()?);
        thread::spawn(move || splice(from, to));
        thread::spawn(move || splice(client, server));
    }
    Ok(())
}

fn push(host: &str, options: ConnectionOptions) -> Result<(), Error> {
    let registries = Registries::new(options, StaticCredentials::default()).unwrap();
    let address = RepositoryAddress::parse(&format!("{host}/charts/web")).unwrap();
    let blob = Blob::from_bytes("text/plain".into(), "content");
    block(registries.repository(&address).unwrap().push(&blob, &[])).map(drop)
}

fn host(text: &str) -> Host {
    Host::parse(text).unwrap()
}

#[test]
fn the_proxy_looks_the_name_up_and_passes_everything_on() {
    let plain = Registry::start().unwrap();
    let secure = Registry::builder().tls(Tls::built_in()).start_blocking().unwrap();
    for login in [None, Some("robot:hunter2")] {
        let shown = login.map(|login| format!("{login}@")).unwrap_or_default();
        let socks = Socks::start(login, 0, plain.host());
        push(FAR, socks.options("socks5h", &shown).with_plain_http(host(FAR))).unwrap();
        assert_eq!(socks.asked.lock().unwrap()[0], "registry.test:80");
        let socks = Socks::start(login, 0, secure.host());
        push(FAR, socks.options("socks5h", &shown).with_unchecked_certificate(host(FAR))).unwrap();
        assert_eq!(socks.asked.lock().unwrap()[0], "registry.test:443");
        // The name in the certificate counts.
        let error = push(FAR, socks.options("socks5h", &shown).with_root(Tls::AUTHORITY)).unwrap_err();
        assert_eq!(error.reason(), Some(Reason::CertificateName), "{error:?}");
    }
    assert!(plain.log().entries().len() >= 2);
}

/// Tells the child which proxy there is.
const CHILD: &str = "OCI_CHART_SOCKS_CHILD";

#[test]
fn the_environment_names_one_as_well() {
    if std::env::var_os(CHILD).is_some() {
        let options = ConnectionOptions::default().with_retry(RetryOptions::never());
        return push(FAR, options.with_plain_http(host(FAR))).unwrap();
    }
    let registry = Registry::start().unwrap();
    let socks = Socks::start(Some("robot:hunter2"), 0, registry.host());
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    for name in
        ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "all_proxy", "NO_PROXY", "no_proxy"]
    {
        child.env_remove(name);
    }
    let output = child
        .args(["--exact", "transport::socks::the_environment_names_one_as_well"])
        .env(CHILD, "")
        .env("ALL_PROXY", format!("socks5h://robot:hunter2@{}", socks.address))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(socks.asked.lock().unwrap()[0], "registry.test:80");
}

#[test]
fn an_address_that_is_known_here_is_told_as_it_is() {
    let registry = Registry::start().unwrap();
    let socks = Socks::start(None, 0, registry.host());
    push("192.0.2.7:5000", socks.options("socks5", "").with_plain_http(host("192.0.2.7:5000"))).unwrap();
    assert_eq!(socks.asked.lock().unwrap()[0], "192.0.2.7:5000");
}

#[test]
fn this_machine_is_reached_without_it() {
    let registry = Registry::start().unwrap();
    let socks = Socks::start(None, 2, registry.host());
    push(registry.host(), socks.options("socks5h", "").with_plain_http(host(registry.host()))).unwrap();
    assert!(socks.asked.lock().unwrap().is_empty());
}

#[test]
fn what_such_proxies_refuse_has_words() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let login = (ErrorKind::Unauthenticated, Some(Reason::ProxyLogin));
    let refused = (ErrorKind::Network, Some(Reason::ProxyRefused));
    let unreachable = (ErrorKind::Network, Some(Reason::ProxyUnreachable));
    for (wanted, shown, status, expected) in [
        (Some("robot:hunter2"), "robot:other@", 0, login),
        (Some("robot:hunter2"), "", 0, login),
        (Some("robot:hunter2"), "robot:hunter2@", 2, refused),
        (None, "", 5, refused),
    ] {
        let socks = Socks::start(wanted, status, &closed);
        for plain in [false, true] {
            let options = socks.options("socks5h", shown);
            let options = if plain { options.with_plain_http(host(FAR)) } else { options };
            let error = push(FAR, options).unwrap_err();
            assert_eq!((error.kind(), error.reason()), expected, "{shown} {status}: {error:?}");
            let told = format!("{error} {error:?}");
            assert!(!told.contains("hunter2") && error.hint().is_some(), "{told}");
            assert_eq!(error.get("proxy"), Some(format!("socks5h://{}", socks.address).as_str()), "{told}");
        }
    }
    let nobody = Socks { address: closed, asked: Arc::default() };
    let error = push(FAR, nobody.options("socks5h", "")).unwrap_err();
    assert_eq!((error.kind(), error.reason()), unreachable, "{error:?}");
}
