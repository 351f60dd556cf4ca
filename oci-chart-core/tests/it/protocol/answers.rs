//! What answers are made of: of which types they may be, and what is none.

use futures_util::TryStreamExt as _;
use oci_chart_core::{
    ErrorKind, Reason,
    auth::StaticCredentials,
    name::{Selector, Tag},
    oci::{Descriptor, MediaType},
    store::{Repository, Store, StoreExt as _},
};
use oci_chart_testkit::{Bearer, Fault, Registry, Rule};

use super::{found, manifest};
use crate::remote::{block, host, login, open, registries, repository};

fn version() -> Selector {
    Selector::Tag("1.0.0".parse().unwrap())
}

/// A registry with one manifest, and what it answers instead to such a GET.
fn answering(target: &str, body: &str) -> (Registry, Repository) {
    let registry = Registry::start().unwrap();
    let bytes = manifest(1, None).content().unwrap().read(1 << 20).unwrap();
    registry.put_manifest("charts/web", "1.0.0", MediaType::OCI_MANIFEST.as_str(), bytes).unwrap();
    registry.script().add(Rule::new("GET", target, Fault::Body(body.to_owned().into())).always());
    let store = repository(&registry, "charts/web");
    (registry, store)
}

#[test]
fn a_list_of_values_is_no_object() {
    // All fields that are read, in their order and of their types.
    let digest = format!("sha256:{}", "0".repeat(64));
    let entry = format!(r#"["application/vnd.oci.image.manifest.v1+json","{digest}",2,null,null]"#);
    let malformed = (ErrorKind::Protocol, Some(Reason::MalformedAnswer));
    let tags = |body: &str| {
        let (_kept, store) = answering("*/tags/list*", body);
        block(store.tags().try_collect::<Vec<Tag>>()).unwrap_err()
    };
    let catalog = |body: &str| {
        let (registry, _) = answering("*/_catalog*", body);
        let all = registries(&registry, StaticCredentials::default()).catalog(&host(&registry)).unwrap();
        block(all.try_collect::<Vec<_>>()).unwrap_err()
    };
    let referrers = |body: &str| {
        let (_kept, store) = answering("*/referrers/*", body);
        let subject = manifest(1, None).descriptor().clone();
        block(store.referrers(&subject).try_collect::<Vec<Descriptor>>()).unwrap_err()
    };
    for error in [
        tags(r#"[["1.0.0"]]"#),
        catalog(r#"[["charts/web"]]"#),
        referrers(&format!("[[{entry}]]")),
        referrers(&format!(r#"{{"manifests":[{entry}]}}"#)),
    ] {
        assert_eq!(found(&error), malformed, "{error:?}");
    }

    let text = r#"["application/vnd.oci.image.manifest.v1+json"]"#;
    let registry = Registry::start().unwrap();
    let body = Fault::Status {
        code: 200,
        headers: vec![("content-type".into(), MediaType::OCI_MANIFEST.to_string())],
        body: text.into(),
    };
    registry.script().add(Rule::new("GET", "*/manifests/*", body).always());
    let error = block(repository(&registry, "charts/web").fetch_manifest(&version())).unwrap_err();
    assert_eq!(found(&error), (ErrorKind::Protocol, Some(Reason::WrongMediaType)), "{error:?}");

    let registry = Registry::builder().bearer_auth(Bearer::new("robot", "hunter2")).start_blocking().unwrap();
    let token = Fault::Body(r#"["token",null,null,300,null]"#.into());
    registry.script().add(Rule::new("GET", "/token*", token).always());
    let store = open(&registries(&registry, login(&registry)), &registry, "charts/web");
    let error = block(store.resolve(&version())).unwrap_err();
    assert_eq!(found(&error), (ErrorKind::Unauthenticated, Some(Reason::TokenRefused)), "{error:?}");
    assert_eq!(error.message(), "the token service gave no token");
}

#[test]
fn every_type_of_manifest_is_asked_for_and_may_come_with_parameters() {
    let text = |kind: &MediaType| format!(r#"{{"schemaVersion":2,"mediaType":"{kind}"}}"#);
    for kind in MediaType::MANIFESTS {
        let registry = Registry::start().unwrap();
        registry.put_manifest("charts/web", "1.0.0", kind.as_str(), text(&kind)).unwrap();
        let odd = kind.as_str().to_ascii_uppercase();
        for said in [format!("{kind}; charset=utf-8"), format!("{kind};profile=\"a;b\""), odd] {
            registry.script().clear();
            registry.script().add(Rule::new("*", "*/manifests/*", Fault::content_type(&said)).always());
            let store = repository(&registry, "charts/web");
            let looked = block(store.resolve(&version())).unwrap();
            let (read, bytes) = block(store.fetch_manifest(&version())).unwrap();
            assert_eq!((&looked, &read.media_type), (&read, &kind), "{said}");
            assert_eq!(block(store.fetch_bytes(&read, 1 << 20)).unwrap(), bytes, "{said}");
        }
        let asked = registry.log().entries();
        let methods: Vec<_> = asked.iter().map(|exchange| exchange.method.as_str()).collect();
        assert!(methods.contains(&"HEAD") && methods.contains(&"GET"), "{methods:?}");
        for exchange in asked.iter().filter(|exchange| exchange.target.ends_with("1.0.0")) {
            let accepted = exchange.header("accept").unwrap();
            for kind in MediaType::MANIFESTS {
                assert!(accepted.split(", ").any(|one| one == kind.as_str()), "{accepted}");
            }
        }
    }
}
