//! Whom connections trust, what they show, and what is said where they do not come about.

use std::{io::Write as _, net::TcpListener};

use oci_chart_core::{
    Error, ErrorKind, Reason,
    auth::StaticCredentials,
    name::{Host, RepositoryAddress, Selector},
    store::{
        Blob, ClientCertificate, ConnectionOptions, HostOptions, Pushed, Registries, RetryOptions, Store as _,
    },
};
use oci_chart_testkit::{Registry, Tls};

use crate::{
    remote::{block, host, open},
    support::servers::{Guards, Kind, Server},
};

/// Signed the certificates below, all for one key.
const AUTHORITY: &str = include_str!("certificates/authority.pem");
const EXPIRED: &str = include_str!("certificates/expired.pem");
const NOT_YET: &str = include_str!("certificates/early.pem");
const OTHER_NAME: &str = include_str!("certificates/other-name.pem");
/// Signed by nobody else, and an authority by its own word, as `openssl req -x509` makes certificates.
const OWN: &str = include_str!("certificates/own.pem");
const CLIENT: &str = include_str!("certificates/client.pem");
const KEY: &str = include_str!("certificates/key.pem");

fn once() -> ConnectionOptions {
    ConnectionOptions::default().with_retry(RetryOptions::never())
}

fn start(tls: Tls) -> Registry {
    Registry::builder().tls(tls).start_blocking().unwrap()
}

fn client() -> ClientCertificate {
    ClientCertificate::from_pem(CLIENT, KEY).unwrap()
}

/// Asks for a tag that is not there; that the registry says so is success.
fn ask(registry: &Registry, options: ConnectionOptions) -> Result<(), Error> {
    let store =
        open(&Registries::new(options, StaticCredentials::default()).unwrap(), registry, "charts/web");
    let error = block(store.resolve(&Selector::Tag("1.0.0".parse().unwrap()))).unwrap_err();
    if error.reason() == Some(Reason::TagMissing) { Ok(()) } else { Err(error) }
}

fn refused(registry: &Registry, options: ConnectionOptions) -> Option<Reason> {
    let error = ask(registry, options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls, "{error:?}");
    assert!(error.hint().is_some() && !error.is_retryable(), "{error:?}");
    error.reason()
}

#[test]
fn each_fault_of_a_certificate_has_its_word() {
    let trusting = || once().with_root(AUTHORITY);
    for (certificate, expected) in [
        (EXPIRED, Reason::CertificateExpired),
        (NOT_YET, Reason::CertificateExpired),
        (OTHER_NAME, Reason::CertificateName),
    ] {
        let registry = start(Tls::new(certificate, KEY));
        assert_eq!(refused(&registry, trusting()), Some(expected));
        assert!(refused(&registry, once()).is_some());
        ask(&registry, once().with_unchecked_certificate(host(&registry))).unwrap();
    }
    let registry = start(Tls::built_in());
    assert_eq!(refused(&registry, once()), Some(Reason::UnknownAuthority));
    assert_eq!(refused(&registry, trusting()), Some(Reason::UnknownAuthority));
    ask(&registry, once().with_root(Tls::AUTHORITY)).unwrap();
}

#[test]
fn a_certificate_that_signs_itself_can_be_trusted_as_it_is() {
    let registry = start(Tls::new(OWN, KEY));
    ask(&registry, once().with_root(OWN)).unwrap();
    for stranger in [once(), once().with_root(AUTHORITY)] {
        assert_eq!(refused(&registry, stranger), Some(Reason::UnknownAuthority));
    }
}

#[test]
fn what_is_said_of_one_host_holds_for_no_other() {
    let [one, other] = [(); 2].map(|()| start(Tls::built_in()));
    let (unknown, known) = (Some(Reason::UnknownAuthority), Some(Reason::TagMissing));
    let trusts = HostOptions::default().with_root(Tls::AUTHORITY);
    for own in [HostOptions::default().with_unchecked_certificate(true), trusts] {
        // The other host is like all, or has something of its own that is no trust.
        for others in [HostOptions::default(), HostOptions::default().with_client_certificate(client())] {
            let options = once().with_host(host(&one), own.clone()).with_host(host(&other), others);
            let client = || Registries::new(options.clone(), StaticCredentials::default()).unwrap();
            let ask = |registries: &Registries, registry: &Registry| {
                let version = Selector::Tag("1.0.0".parse().unwrap());
                block(open(registries, registry, "charts/web").resolve(&version)).unwrap_err().reason()
            };
            let registries = client();
            assert_eq!([&other, &one, &other].map(|host| ask(&registries, host)), [unknown, known, unknown]);
            let registries = client();
            assert_eq!([&one, &other].map(|host| ask(&registries, host)), [known, unknown]);
        }
    }
}

/// Tells the child where the registry is.
const CHILD: &str = "OCI_CHART_ROOTS_CHILD";

#[test]
fn the_authorities_of_the_system_are_trusted() {
    if let Ok(registry) = std::env::var(CHILD) {
        let registries = Registries::new(once(), StaticCredentials::default()).unwrap();
        let address = RepositoryAddress::parse(&format!("{registry}/charts/web")).unwrap();
        let repository = registries.repository(&address).unwrap();
        let error = block(repository.resolve(&Selector::Tag("1.0.0".parse().unwrap()))).unwrap_err();
        println!("{:?}", error.reason());
        return;
    }
    let registry = start(Tls::built_in());
    let directory = tempfile::tempdir().unwrap();
    let system = directory.path().join("system.pem");
    for (authority, expected) in [(Tls::AUTHORITY, "Some(TagMissing)"), (AUTHORITY, "Some(UnknownAuthority)")]
    {
        fs_err::write(&system, authority).unwrap();
        let child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "transport::tls::the_authorities_of_the_system_are_trusted", "--nocapture"])
            .env(CHILD, registry.host())
            .env("SSL_CERT_FILE", &system)
            .env_remove("SSL_CERT_DIR")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&child.stdout);
        assert!(child.status.success() && said.contains(expected), "{said}");
    }
}

#[test]
fn an_authority_can_be_trusted_for_one_host_alone() {
    let (one, other) = (start(Tls::built_in()), start(Tls::built_in()));
    let options = once().with_host(host(&one), HostOptions::default().with_root(Tls::AUTHORITY));
    ask(&one, options.clone()).unwrap();
    assert_eq!(refused(&other, options), Some(Reason::UnknownAuthority));
}

#[test]
fn an_authority_comes_from_a_file() {
    let registry = start(Tls::built_in());
    let file = tempfile::NamedTempFile::new().unwrap();
    fs_err::write(file.path(), Tls::AUTHORITY).unwrap();
    ask(&registry, once().with_root_file(file.path()).unwrap()).unwrap();
    assert_eq!(once().with_root_file("/nowhere/ca.pem").unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn a_client_certificate_is_shown_to_its_host_alone() {
    let guarded = || start(Tls::built_in().client_authority(AUTHORITY));
    let (one, other) = (guarded(), guarded());
    let options = ConnectionOptions::default().with_root(Tls::AUTHORITY);
    let required = Some(Reason::ClientCertificateRequired);
    assert_eq!(refused(&one, options.clone()), required);
    let options = options.with_client_certificate(host(&one), client());
    ask(&one, options.clone()).unwrap();
    assert_eq!(refused(&other, options), required);
}

#[test]
fn a_client_certificate_that_the_server_does_not_trust() {
    let registry = start(Tls::built_in().client_authority(Tls::AUTHORITY));
    let options = ConnectionOptions::default().with_root(Tls::AUTHORITY);
    let options = options.with_client_certificate(host(&registry), client());
    assert_eq!(refused(&registry, options), Some(Reason::ClientCertificateRefused));
}

#[test]
fn a_server_without_a_common_version_of_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = Host::parse(&listener.local_addr().unwrap().to_string()).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            // A fatal alert: protocol_version.
            let _ = stream.unwrap().write_all(b"\x15\x03\x01\x00\x02\x02\x46");
        }
    });
    let registries = Registries::new(once(), StaticCredentials::default()).unwrap();
    let repository = registries.repository(&RepositoryAddress::parse(&format!("{host}/a")).unwrap()).unwrap();
    let error = block(repository.resolve(&Selector::Tag("1".parse().unwrap()))).unwrap_err();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Tls, Some(Reason::TlsIncompatible)), "{error:?}");
}

#[test]
fn distribution_with_client_certificates() {
    let guards = Guards { tls: true, client_certificates: true, ..Guards::default() };
    let Some(server) = Server::start("distribution_with_client_certificates", Kind::Distribution3, guards)
    else {
        return;
    };
    let host = Host::parse(server.address()).unwrap();
    let push = |options: ConnectionOptions| {
        let registries = Registries::new(options, StaticCredentials::default()).unwrap();
        let address = RepositoryAddress::parse(&format!("{host}/charts/web")).unwrap();
        let blob = Blob::from_bytes("text/plain".into(), "content");
        block(registries.repository(&address).unwrap().push(&blob, &[]))
    };
    let options = ConnectionOptions::default().with_root_file(server.authority()).unwrap();
    let error = push(options.clone()).unwrap_err();
    assert_eq!(error.reason(), Some(Reason::ClientCertificateRequired), "{error:?}");
    let stranger = push(options.clone().with_client_certificate(host.clone(), client())).unwrap_err();
    assert_eq!(stranger.reason(), Some(Reason::ClientCertificateRefused), "{stranger:?}");
    let (certificate, key) = server.client_certificate();
    let own = ClientCertificate::from_files(certificate, key).unwrap();
    assert_eq!(push(options.with_client_certificate(host.clone(), own)).unwrap(), Pushed::Written);
}
