//! HTTP/2 is spoken where this build has it and the host offers it, and its ways to end a connection are no failures.

use oci_chart_core::{
    auth::StaticCredentials,
    name::{Host, RepositoryAddress},
    store::{Blob, ConnectionOptions, HostOptions, Registries, Store as _, StoreExt as _},
};

use crate::{
    remote::block,
    support::servers::{Guards, Kind, Server},
};

#[test]
fn the_build_decides_and_the_host_may_be_excepted() {
    let guards = Guards { tls: true, ..Guards::default() };
    let Some(server) =
        Server::start("the_build_decides_and_the_host_may_be_excepted", Kind::Distribution3, guards)
    else {
        return;
    };
    let host = Host::parse(server.address()).unwrap();
    let address = RepositoryAddress::parse(&format!("{host}/charts/web")).unwrap();
    let trusting = ConnectionOptions::default().with_root_file(server.authority()).unwrap();
    let old = trusting.clone().with_host(host, HostOptions::default().with_http1_only(true));
    let own = if cfg!(feature = "http2") { "HTTP/2.0" } else { "HTTP/1.1" };
    for (options, expected) in [(trusting, own), (old, "HTTP/1.1")] {
        let before = server.protocols().len();
        let store =
            Registries::new(options, StaticCredentials::default()).unwrap().repository(&address).unwrap();
        block(async {
            let blob = Blob::from_bytes("text/plain".into(), format!("content by {expected}"));
            store.push(&blob, &[]).await.unwrap();
            store.fetch_bytes(blob.descriptor(), 100).await.unwrap();
        });
        let protocols = server.protocols().split_off(before);
        assert!(protocols.len() >= 2 && protocols.iter().all(|found| found == expected), "{protocols:?}");
    }
}

#[cfg(feature = "http2")]
#[test]
fn a_connection_that_the_server_gives_up_is_replaced() {
    use std::{
        io::{Read as _, Write as _},
        net::TcpListener,
        sync::Arc,
    };

    use oci_chart_core::{Reason, name::Selector};
    use oci_chart_testkit::Tls;
    use rustls::{
        ServerConfig, ServerConnection, StreamOwned,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    };

    /// SETTINGS, and GOAWAY with ENHANCE_YOUR_CALM: no stream was looked at (RFC 9113, 6.8).
    const GO_AWAY: &[u8] = b"\0\0\0\x04\0\0\0\0\0\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\x0b";
    const NOT_THERE: &[u8] = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = Host::parse(&listener.local_addr().unwrap().to_string()).unwrap();
    let served = std::thread::spawn(move || {
        for (protocol, answer) in [("h2", GO_AWAY), ("http/1.1", NOT_THERE)] {
            let chain =
                CertificateDer::pem_slice_iter(Tls::CERTIFICATE.as_bytes()).map(Result::unwrap).collect();
            let key = PrivateKeyDer::from_pem_slice(Tls::KEY.as_bytes()).unwrap();
            let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(chain, key)
                .unwrap();
            config.alpn_protocols = vec![protocol.into()];
            let (stream, _) = listener.accept().unwrap();
            let connection = ServerConnection::new(Arc::new(config)).unwrap();
            let mut stream = StreamOwned::new(connection, stream);
            let _ = stream.read(&mut [0; 4096]).unwrap();
            stream.write_all(answer).unwrap();
            let _ = stream.flush();
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    });
    let registries =
        Registries::new(crate::remote::options().with_root(Tls::AUTHORITY), StaticCredentials::default())
            .unwrap();
    let store =
        registries.repository(&RepositoryAddress::parse(&format!("{host}/charts/web")).unwrap()).unwrap();
    let error = block(store.fetch_manifest(&Selector::Tag("1.0.0".parse().unwrap()))).unwrap_err();
    assert_eq!(error.reason(), Some(Reason::TagMissing), "{error:?}");
    served.join().unwrap();
}
