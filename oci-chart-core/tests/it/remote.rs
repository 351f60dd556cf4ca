//! Repositories of registries: the store contract, over the testkit's registry in its variants.

use std::sync::{Arc, Mutex};

use oci_chart_core::{
    auth::{CredentialSource, Credentials, StaticCredentials},
    name::{Host, RepositoryAddress},
    store::{Cache, Cached, ConnectionOptions, Registries, Repository, Store},
};
use oci_chart_testkit::{Bearer, Builder, Mounts, Redirect, Registry};

use crate::{contract, support::clock::Dial};

/// Options by which nobody waits between tries.
pub(crate) fn options() -> ConnectionOptions {
    ConnectionOptions::default().with_retry(Dial::default().retry())
}

/// How one registry is reached: plain HTTP, and these credentials.
pub(crate) fn registries(registry: &Registry, credentials: impl CredentialSource + 'static) -> Registries {
    let options = options().with_plain_http(host(registry));
    Registries::new(options, credentials).unwrap()
}

/// The repository `name` of `registry`, anonymously.
pub(crate) fn repository(registry: &Registry, name: &str) -> Repository {
    open(&registries(registry, StaticCredentials::default()), registry, name)
}

pub(crate) fn open(registries: &Registries, registry: &Registry, name: &str) -> Repository {
    let address = RepositoryAddress::parse(&format!("oci://{}/{name}", registry.host())).unwrap();
    registries.repository(&address).unwrap()
}

pub(crate) fn host(registry: &Registry) -> Host {
    Host::parse(registry.host()).unwrap()
}

pub(crate) fn login(registry: &Registry) -> StaticCredentials {
    StaticCredentials::default().with(host(registry), Credentials::basic("robot", "hunter2"))
}

pub(crate) fn block<T>(task: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(task)
}

/// The contract over registries that `build` makes, one for each behaviour.
fn contract(name: &str, cannot: contract::Cannot<'_>, build: impl Fn(Builder) -> Builder) {
    let kept = Mutex::new(Vec::new());
    contract::run(name, cannot, |behaviour| {
        let registry = build(Registry::builder()).start_blocking().unwrap();
        let registries = registries(&registry, login(&registry));
        let store: Arc<dyn Store> = Arc::new(open(&registries, &registry, &behaviour.replace('_', "-")));
        kept.lock().unwrap().push(registry);
        store
    });
    for registry in kept.into_inner().unwrap() {
        assert_eq!(registry.open_uploads(), 0, "{name}: no upload is left open");
        assert_eq!(registry.leaked_credentials(), 0, "{name}");
    }
}

#[test]
fn the_contract_holds_on_a_good_registry() {
    contract("registry", &[], |builder| builder);
}

#[test]
fn the_contract_holds_behind_a_cache() {
    let root = tempfile::tempdir().unwrap();
    let kept = Mutex::new(Vec::new());
    contract::run("cached registry", &[], |behaviour| {
        let registry = Registry::builder().referrers_api(false).start_blocking().unwrap();
        let inner: Arc<dyn Store> = Arc::new(repository(&registry, &behaviour.replace('_', "-")));
        kept.lock().unwrap().push(registry);
        Arc::new(Cached::new(inner, Cache::new(root.path().join(behaviour))))
    });
}

#[test]
fn the_contract_holds_with_logins() {
    contract("registry with basic login", &[], |builder| builder.basic_auth("robot", "hunter2"));
    contract("registry with tokens", &[], |builder| builder.bearer_auth(Bearer::new("robot", "hunter2")));
}

#[test]
fn the_contract_holds_on_registries_that_lack_things() {
    contract("old registry", &[], |builder| {
        builder.referrers_api(false).single_post(false).mounts(Mounts::Never).tag_parameters(false)
    });
    contract("registry without HEAD and digests", &[], |builder| builder.head(false).digest_header(false));
    contract("registry that refuses mounts", &[], |builder| builder.mounts(Mounts::Refused(405)));
    contract("registry with small pages and full URLs", &[], |builder| {
        builder.page_size(7).absolute_urls(true)
    });
    contract("registry with storage elsewhere", &[], |builder| {
        builder.redirect_blobs(Redirect::OtherHost).basic_auth("robot", "hunter2")
    });
    contract(
        "registry without deletes",
        &[
            "tags_are_deleted",
            "manifests_are_deleted_with_their_tags",
            "blobs_are_deleted",
            "deleting_what_is_not_there_is_not_found",
            "deleted_referrers_are_listed_no_more",
        ],
        |builder| builder.delete(false),
    );
}
