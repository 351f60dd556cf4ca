//! Proxies come from the environment, so each case is a process of its own.

use std::{
    env,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    process::Command,
};

use oci_chart_core::{
    ErrorKind,
    auth::StaticCredentials,
    name::{Host, RepositoryAddress, Selector},
    store::{ConnectionOptions, Registries, Store as _},
};
use oci_chart_testkit::Registry;

use crate::remote::block;

/// Tells the child where the registry is.
const CHILD: &str = "OCI_CHART_PROXY_CHILD";

#[test]
fn other_hosts_are_reached_through_the_proxy_and_this_one_is_not() {
    if let Ok(registry) = env::var(CHILD) {
        // Both know no such tag; the one for itself, the other through the proxy.
        for host in [registry.as_str(), "registry.test"] {
            assert_eq!(resolve(host), ErrorKind::NotFound, "{host}");
        }
        return;
    }
    let registry = Registry::start().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    let served = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut stream = BufReader::new(stream);
        let mut asked = String::new();
        stream.read_line(&mut asked).unwrap();
        stream.get_mut().write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").unwrap();
        asked
    });
    let child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "proxy::other_hosts_are_reached_through_the_proxy_and_this_one_is_not"])
        .env(CHILD, registry.host())
        .envs([("HTTP_PROXY", &proxy), ("http_proxy", &proxy)])
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .env_remove("REQUEST_METHOD")
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
    assert_eq!(
        served.join().unwrap(),
        "HEAD http://registry.test/v2/charts/web/manifests/1.0.0 HTTP/1.1\r\n"
    );
    assert_eq!(registry.log().entries().len(), 1);
}

fn resolve(host: &str) -> ErrorKind {
    let options = ConnectionOptions::default().with_plain_http(Host::parse(host).unwrap());
    let registries = Registries::new(options, StaticCredentials::default()).unwrap();
    let address = RepositoryAddress::parse(&format!("{host}/charts/web")).unwrap();
    let repository = registries.repository(&address).unwrap();
    block(repository.resolve(&Selector::Tag("1.0.0".parse().unwrap()))).unwrap_err().kind()
}
