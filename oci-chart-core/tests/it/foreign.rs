//! The store contract over registries that others wrote.

use std::sync::Arc;

use oci_chart_core::{
    ErrorKind, Reason,
    auth::{Credentials, StaticCredentials},
    name::{Host, RepositoryAddress, Selector},
    store::{Blob, ConnectionOptions, Registries, Store},
};

use crate::{
    contract::{self, Cannot},
    remote::block,
    support::servers::{Guards, Kind, Server},
};

const LOGIN: (&str, &str) = ("robot", "hunter2");

fn options(server: &Server, guards: Guards<'_>) -> ConnectionOptions {
    let options = ConnectionOptions::default();
    if guards.tls {
        options.with_root(fs_err::read(server.authority()).unwrap())
    } else {
        options.with_plain_http(host(server))
    }
}

fn host(server: &Server) -> Host {
    Host::parse(server.address()).unwrap()
}

fn open(server: &Server, options: ConnectionOptions, name: &str) -> Arc<dyn Store> {
    let login = StaticCredentials::default().with(host(server), Credentials::basic(LOGIN.0, LOGIN.1));
    let address = RepositoryAddress::parse(&format!("{}/{name}", server.address())).unwrap();
    Arc::new(Registries::new(options, login).unwrap().repository(&address).unwrap())
}

fn cannot(kind: Kind) -> Cannot<'static> {
    match kind {
        Kind::Docker2 => &[
            // Answers 400 to a tag, and wants the digest.
            "tags_are_deleted",
            "deleting_what_is_not_there_is_not_found",
            "sha512_manifests_come_back", // names manifests by SHA-256 only
        ],
        Kind::Distribution3 => &["sha512_manifests_come_back"], // the same
        Kind::Referrers => &[
            "sha512_content_is_content",               // knows SHA-256 only
            "sha512_manifests_come_back",              // the same
            "referrers_of_one_type_are_found",         // lists the configuration's type as the artifact's
            "pushing_again_sends_nothing",             // opens an upload whether it has the blob or not
            "manifests_are_deleted_with_their_tags",   // leaves the tags
            "deleting_what_is_not_there_is_not_found", // answers 500
            "referrers_are_found",                     // lists the configuration's type as the artifact's
        ],
    }
}

fn contract(test: &str, kind: Kind, guards: Guards<'_>) {
    let Some(server) = Server::start(test, kind, guards) else { return };
    let name = format!(
        "{kind:?}{}{}",
        if guards.tls { " with TLS" } else { "" },
        if guards.login.is_some() { " and a login" } else { "" }
    );
    contract::run(&name, cannot(kind), |behaviour| {
        open(&server, options(&server, guards), &format!("contract/{}", behaviour.replace('_', "-")))
    });
}

#[test]
fn the_contract_holds_on_docker_registry() {
    contract("the_contract_holds_on_docker_registry", Kind::Docker2, Guards::default());
}

#[test]
fn the_contract_holds_on_distribution() {
    contract("the_contract_holds_on_distribution", Kind::Distribution3, Guards::default());
}

#[test]
fn the_contract_holds_on_a_registry_with_referrers() {
    contract("the_contract_holds_on_a_registry_with_referrers", Kind::Referrers, Guards::default());
}

#[test]
fn the_contract_holds_with_tls_and_a_login() {
    let guards = Guards { login: Some(LOGIN), tls: true, ..Guards::default() };
    contract("the_contract_holds_with_tls_and_a_login", Kind::Distribution3, guards);
}

#[test]
fn connections_are_as_safe_as_asked() {
    const TEST: &str = "connections_are_as_safe_as_asked";
    let Some(safe) = Server::start(TEST, Kind::Distribution3, Guards { tls: true, ..Guards::default() })
    else {
        return;
    };
    let Some(plain) = Server::start(TEST, Kind::Distribution3, Guards::default()) else { return };
    let resolve = |server: &Server, options| {
        let result =
            block(open(server, options, "charts/web").resolve(&Selector::Tag("1.0.0".parse().unwrap())));
        let error = result.unwrap_err();
        (error.kind(), error.reason())
    };
    let default = ConnectionOptions::default;
    let not_there = (ErrorKind::NotFound, Some(Reason::TagMissing));
    for (server, options, expected) in [
        (&safe, default(), (ErrorKind::Tls, Some(Reason::UnknownAuthority))),
        (&safe, default().with_root(fs_err::read(safe.authority()).unwrap()), not_there),
        (&safe, default().with_unchecked_certificate(host(&safe)), not_there),
        (
            &safe,
            default().with_unchecked_certificate(host(&plain)),
            (ErrorKind::Tls, Some(Reason::UnknownAuthority)),
        ),
        (&safe, default().with_plain_http(host(&safe)), (ErrorKind::Tls, Some(Reason::HttpsOnPlainHttp))),
        (&plain, default(), (ErrorKind::Tls, Some(Reason::PlainHttpOnHttps))),
        (&plain, default().with_plain_http(host(&plain)), not_there),
    ] {
        assert_eq!(resolve(server, options.clone()), expected, "{options:?}");
    }
    let address = host(&plain);
    drop(plain);
    let repository =
        Registries::new(default().with_plain_http(address.clone()), StaticCredentials::default())
            .and_then(|registries| {
                registries.repository(&RepositoryAddress::parse(&format!("{address}/a")).unwrap())
            })
            .unwrap();
    let error = block(repository.push(&Blob::from_bytes("text/plain".into(), "x"), &[])).unwrap_err();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Network, Some(Reason::ConnectionRefused)));
    assert!(error.is_retryable());
}
