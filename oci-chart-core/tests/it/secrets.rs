//! A canary that must not sing: no secret in anything that can be printed, sent to the wrong place, or logged.

use std::{
    error::Error as _,
    sync::{Arc, Mutex},
};

use oci_chart_core::{
    Client, Context, Error, RedactedUrl, Secret,
    auth::{Credentials, StaticCredentials},
    blocking,
    name::{Host, Selector},
    oci::MediaType,
    store::{Blob, Store, Traced},
};
use oci_chart_testkit::{Bearer, Fault, Registry, Rule};

use crate::remote::{block, host, open, registries};

const CANARY: &str = "canary-9b1f";

/// Everything about an error that a program can print.
fn printed(error: &Error) -> String {
    let mut text = format!("{error} {error:?} {error:#?} {:?} {:?}", error.hint(), error.message());
    for (key, value) in error.context() {
        text += &format!(" {key}={value}");
    }
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(" {error} {error:?} {error:#?}");
        cause = error.source();
    }
    text
}

fn credentials() -> [Credentials; 3] {
    [Credentials::basic("robot", CANARY), Credentials::bearer(CANARY), Credentials::identity(CANARY)]
}

#[test]
fn no_type_prints_what_it_hides() {
    let secret = Secret::new(CANARY);
    let mut shown = format!("{secret} {secret:?} {secret:#?}");
    let url =
        RedactedUrl::new(&format!("https://robot:{CANARY}@host/v2/?token={CANARY}&_state={CANARY}#{CANARY}"));
    shown += &format!("{url} {url:?} {url:#?}");
    for credentials in credentials() {
        let registry = Host::parse("registry.example").unwrap();
        let source = StaticCredentials::default().with(registry, credentials.clone());
        shown += &format!("{credentials:?} {credentials:#?} {source:?} {source:#?}");
        let builder = Client::builder().credentials(source);
        shown += &format!("{builder:?} {builder:#?}");
        let client = builder.build().unwrap();
        let store = client.open(&"oci://registry.example/charts/web".parse().unwrap()).unwrap();
        shown += &format!("{client:?} {client:#?} {store} {store:?} {store:#?}");
        shown += &format!("{:?} {:?}", Traced::new(store), blocking::Client::new(client));
    }
    assert!(!shown.contains(CANARY), "{shown}");
}

#[test]
fn errors_events_and_logs_tell_no_secret() {
    let query = |host: &str| {
        format!("http://robot:{CANARY}@{host}/x?X-Amz-Signature={CANARY}&_state={CANARY}#{CANARY}")
    };
    let dead = query("127.0.0.1:1");
    let location =
        |code: u16| Fault::Status { code, headers: vec![("location".into(), dead.clone())], body: "".into() };
    let challenge = |text: String| Fault::Status {
        code: 401,
        headers: vec![("www-authenticate".into(), text)],
        body: "{}".into(),
    };
    let faults = [
        ("POST", "*", location(202)),
        ("POST", "*", location(307)),
        ("PUT", "*", location(307)),
        ("GET", "*/manifests/*", location(307)),
        ("GET", "*/blobs/*", location(307)),
        ("*", "*", Fault::error(401, "UNAUTHORIZED")),
        ("*", "*", Fault::error(403, "DENIED")),
        ("*", "*", Fault::Drop),
        ("*", "*", challenge(format!("Bearer realm=\"{dead}\",service=\"{CANARY}\""))),
        ("GET", "/token*", Fault::error(401, "UNAUTHORIZED")),
        ("GET", "/token*", Fault::Body(format!("{{\"token\": \"{CANARY}\\n\"}}").into())),
        ("GET", "/token*", Fault::Body(format!("{{\"refresh_token\": \"{CANARY}\"}}").into())),
        ("GET", "/token*", Fault::Body(format!("\"{CANARY}\"").into())),
        ("GET", "/token*", location(307)),
    ];
    let mut failed = 0;
    for credentials in credentials() {
        for bearer in [false, true] {
            for (method, target, fault) in &faults {
                let registry = Registry::builder();
                let registry = if bearer {
                    registry.bearer_auth(Bearer::new("robot", CANARY))
                } else {
                    registry.basic_auth("robot", CANARY)
                };
                let registry = registry.start_blocking().unwrap();
                registry.put_manifest("charts/web", "1.0.0", MediaType::OCI_MANIFEST.as_str(), "{}").unwrap();
                registry.script().add(Rule::new(method, target, fault.clone()).always());
                let source = StaticCredentials::default().with(host(&registry), credentials.clone());
                let store = open(&registries(&registry, source), &registry, "charts/web");
                let seen = Arc::new(Mutex::new(String::new()));
                let sink = Arc::clone(&seen);
                let cx = Context::default()
                    .with_events(move |event| *sink.lock().unwrap() += &format!("{event:?}"));
                let blob = Blob::from_bytes("text/plain".into(), "content");
                let version = Selector::Tag("1.0.0".parse().unwrap());
                let (pushed, pulled) = block(async {
                    (
                        cx.run(store.push(&blob, &[])).await.map(drop),
                        cx.run(store.fetch_manifest(&version)).await.map(drop),
                    )
                });
                for error in [pushed, pulled].into_iter().filter_map(Result::err) {
                    let shown = printed(&error);
                    assert!(!shown.contains(CANARY), "{method} {target} {fault:?}: {shown}");
                    failed += 1;
                }
                assert!(!seen.lock().unwrap().contains(CANARY));
                assert_eq!(registry.leaked_credentials(), 0);
                // What the client sent must not show in the log; a target may hold what the script itself put there.
                for exchange in registry.log().entries() {
                    assert!(!format!("{:?} {:?}", exchange.headers, exchange.authorization).contains(CANARY));
                }
            }
        }
    }
    assert!(failed > faults.len(), "{failed} failures seen");
}
