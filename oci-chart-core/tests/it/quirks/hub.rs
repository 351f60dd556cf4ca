//! Docker Hub under the name that people write.

use std::sync::Arc;

use oci_chart_core::{
    auth::{Credentials, StaticCredentials},
    name::{Host, RepositoryAddress},
    store::{ConnectionOptions, ProxyOptions, Registries, Store},
};
use oci_chart_testkit::{Bearer, Profile, TokenField};

use super::{Stage, pull, push};

const HUB: &str = "docker.io";
const TOKENS: &str = "auth.docker.io";

/// Docker Hub, and a client that reaches it and its token service through it as a proxy: nobody else knows these names here.
fn hub() -> (Stage, Registries) {
    let stage = Stage::with(Profile::DockerHub, |builder| {
        let bearer = Bearer::new("robot", "hunter2").field(TokenField::Both).service("registry.docker.io");
        builder.bearer_auth(bearer.realm(&format!("http://{TOKENS}/token")))
    });
    let host = |name: &str| Host::parse(name).unwrap();
    let proxy = ProxyOptions::through(stage.registry.url().parse().unwrap());
    let options = ConnectionOptions::default()
        .with_plain_http(host(HUB))
        .with_plain_http(host(TOKENS))
        .with_proxy(proxy);
    let login = StaticCredentials::default().with(host(HUB), Credentials::basic("robot", "hunter2"));
    (stage, Registries::new(options, login).unwrap())
}

#[test]
fn docker_io_means_the_registry_behind_it() {
    for (written, known) in [("docker.io/org/web", "org/web"), ("docker.io/web", "library/web")] {
        let (stage, registries) = hub();
        let address = RepositoryAddress::parse(written).unwrap();
        let store: Arc<dyn Store> = Arc::new(registries.repository(&address).unwrap());
        assert_eq!(store.to_string(), format!("oci://{written}"), "shown as it was written");
        push(&store, "1.0.0").unwrap();
        pull(&store, "1.0.0").unwrap();
        assert_eq!(
            stage.registry.tags(known).iter().map(|(tag, _)| tag.as_str()).collect::<Vec<_>>(),
            ["1.0.0"]
        );
        let scopes: Vec<_> =
            stage.registry.tokens().requests().into_iter().flat_map(|asked| asked.scopes).collect();
        assert_eq!(scopes, [format!("repository:{known}:pull,push")]);
        for exchange in stage.registry.log().entries() {
            let host = exchange.header("host").unwrap();
            assert!(["registry-1.docker.io", TOKENS].contains(&host), "{host}: {}", exchange.line());
            assert!(
                exchange.target.contains(known) || exchange.target.starts_with("/token"),
                "{}",
                exchange.line()
            );
        }
    }
}
