//! TLS with the built-in certificate.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;

use oci_chart_testkit::{Redirect, Registry, Tls};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::support::ask;

/// The answer to `GET /v2/`, or what went wrong on the way to it.
fn ping(registry: &Registry, trusted: &str, identity: bool) -> Result<String, String> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(trusted.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots);
    let config = if identity {
        let certificate = CertificateDer::from_pem_slice(Tls::CERTIFICATE.as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(Tls::KEY.as_bytes()).unwrap();
        config.with_client_auth_cert(vec![certificate], key).unwrap()
    } else {
        config.with_no_client_auth()
    };
    let connection = ClientConnection::new(Arc::new(config), "127.0.0.1".try_into().unwrap()).unwrap();
    let mut stream = StreamOwned::new(connection, TcpStream::connect(registry.host()).unwrap());
    let mut answer = String::new();
    let sent = stream.write_all(b"GET /v2/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    sent.and_then(|()| stream.read_to_string(&mut answer)).map(|_| answer).map_err(|error| error.to_string())
}

#[test]
fn the_built_in_certificate_is_good_for_those_who_trust_its_authority() {
    let builder = Registry::builder().tls(Tls::built_in()).redirect_blobs(Redirect::OtherHost);
    let registry = builder.start_blocking().unwrap();
    assert!(registry.url().starts_with("https://127.0.0.1:"));
    assert!(ping(&registry, Tls::AUTHORITY, false).unwrap().starts_with("HTTP/1.1 200 "));
    let distrust = ping(&registry, Tls::CERTIFICATE, false).unwrap_err();
    assert!(distrust.contains("UnknownIssuer"), "{distrust}");
    let plain = ask("GET", "/v2/").send(registry.host());
    assert_eq!((plain.status, plain.text().contains("HTTPS server")), (400, true));
    assert_eq!(registry.log().entries().len(), 1);
}

#[test]
fn clients_can_be_asked_for_a_certificate() {
    let tls = Tls::built_in().client_authority(Tls::AUTHORITY);
    let registry = Registry::builder().tls(tls).start_blocking().unwrap();
    assert!(ping(&registry, Tls::AUTHORITY, true).unwrap().starts_with("HTTP/1.1 200 "));
    assert!(ping(&registry, Tls::AUTHORITY, false).unwrap_err().contains("CertificateRequired"));
}

#[test]
fn what_is_not_a_certificate_is_refused_at_the_start() {
    for tls in [Tls::new("", Tls::KEY), Tls::new(Tls::CERTIFICATE, ""), Tls::built_in().client_authority("x")]
    {
        let error = Registry::builder().tls(tls).start_blocking().unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    }
}
