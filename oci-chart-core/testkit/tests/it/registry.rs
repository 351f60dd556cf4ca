//! The registry seen from outside: a round trip, its log, its credentials, its look inside.

use std::time::Duration;

use oci_chart_testkit::{Bearer, Class, Origin, Redirect, Registry, TokenField};

use crate::support::{MANIFEST, ask, push_blob, push_image, sha256};

#[test]
fn what_is_pushed_comes_back_byte_for_byte() {
    let registry = Registry::start().unwrap();
    let host = registry.host();
    let manifest = push_image(host, "a/b", "1.0", b"layer", "");
    let pulled = ask("GET", "/v2/a/b/manifests/1.0").send(host);
    assert_eq!((pulled.status, &pulled.body), (200, &manifest));
    assert_eq!(pulled.header("content-type"), Some(MANIFEST));
    assert_eq!(pulled.header("docker-content-digest"), Some(sha256(&manifest).as_str()));
    let layer = ask("GET", format!("/v2/a/b/blobs/{}", sha256(b"layer"))).send(host);
    assert_eq!(layer.body, b"layer");

    assert_eq!(registry.repositories(), ["a/b"]);
    assert_eq!(registry.tags("a/b"), [("1.0".to_owned(), sha256(&manifest))]);
    assert_eq!(registry.manifest("a/b", "1.0").unwrap().bytes, manifest);
    assert_eq!(registry.manifests("a/b"), [sha256(&manifest)]);
    assert_eq!(registry.blobs("a/b").iter().map(|(_, length)| length).sum::<u64>(), 7);
    assert_eq!(registry.blob("a/b", &sha256(b"layer")).unwrap().unwrap(), "layer");
    assert_eq!(registry.open_uploads(), 0);
}

#[test]
fn what_is_planted_is_served() {
    let registry = Registry::start().unwrap();
    let digest = registry.put_blob("a", "content").unwrap();
    registry.put_blob_as("a", &sha256(b"other"), "lie").unwrap();
    registry.put_manifest("a", "t", "text/plain", "not even JSON").unwrap();
    let get = |path: String| ask("GET", path).send(registry.host());
    assert_eq!(get(format!("/v2/a/blobs/{digest}")).text(), "content");
    assert_eq!(get(format!("/v2/a/blobs/{}", sha256(b"other"))).text(), "lie");
    let manifest = get("/v2/a/manifests/t".to_owned());
    assert_eq!(
        (manifest.header("content-type"), manifest.text().as_str()),
        (Some("text/plain"), "not even JSON")
    );
    assert!(registry.put_blob_as("a", "sha256:short", "").is_err());
    assert!(registry.put_manifest("a", "sha256:short", MANIFEST, "").is_err());
}

#[test]
fn the_log_tells_requests_bytes_and_connections() {
    let registry = Registry::start().unwrap();
    push_blob(registry.host(), "a", b"12345");
    ask("GET", format!("/v2/a/blobs/{}", sha256(b"12345")))
        .header("authorization", "Basic c2VjcmV0OnNlY3JldA==")
        .header("user-agent", "raw/1")
        .send(registry.host());
    assert_eq!(registry.log().connections(), 3);
    assert_eq!(registry.log().max_concurrent(), 1);
    assert_eq!(registry.log().count_class(Class::UploadPut), 1);
    assert_eq!(registry.log().count(|e| e.status == Some(201)), 1);
    let entries = registry.log().take();
    let classes: Vec<_> = entries.iter().map(|e| e.class).collect();
    assert_eq!(classes, [Class::UploadPost, Class::UploadPut, Class::BlobGet]);
    assert_eq!((entries[1].bytes_in, entries[2].bytes_out), (5, 5));
    assert_eq!(entries[2].authorization.as_deref(), Some("Basic"));
    assert_eq!(entries[2].header("authorization"), Some("[hidden]"));
    assert_eq!(entries[2].header("user-agent"), Some("raw/1"));
    assert!(!format!("{entries:?}").contains("c2VjcmV0"));
    assert_eq!((registry.log().connections(), registry.log().entries().len()), (0, 0));
}

#[test]
fn depth_counts_round_trips_that_do_not_overlap() {
    let registry = Registry::builder().latency(Duration::from_millis(150)).start_blocking().unwrap();
    let host = registry.host();
    ask("GET", "/v2/").send(host);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| ask("GET", "/v2/").send(host));
        }
    });
    ask("GET", "/v2/").send(host);
    assert_eq!(registry.log().entries().len(), 6);
    assert_eq!(registry.log().depth(), 3);
    assert_eq!(registry.log().max_concurrent(), 4);
}

#[test]
fn the_port_is_closed_when_the_handle_is_gone() {
    let registry = Registry::start().unwrap();
    let host = registry.host().to_owned();
    assert_eq!(ask("GET", "/v2/").send(&host).status, 200);
    drop(registry);
    assert!(std::net::TcpStream::connect(host).is_err());
}

#[test]
fn basic_credentials() {
    let registry = Registry::builder().basic_auth("user", "pass:word").start_blocking().unwrap();
    let refused = ask("GET", "/v2/").send(registry.host());
    assert_eq!((refused.status, refused.code().as_str()), (401, "UNAUTHORIZED"));
    assert!(refused.header("www-authenticate").unwrap().starts_with("Basic realm="));
    let send = |encoded| ask("GET", "/v2/").header("authorization", encoded).send(registry.host()).status;
    assert_eq!(send("Basic dXNlcjpwYXNzOndvcmQ="), 200);
    assert_eq!(send("Basic dXNlcjpwYXNz"), 401);
}

#[test]
fn bearer_tokens_have_scopes_and_are_audited() {
    for own_port in [false, true] {
        let bearer = Bearer::new("u", "p").own_port(own_port).field(TokenField::Both);
        let registry = Registry::builder().bearer_auth(bearer).start_blocking().unwrap();
        let host = registry.host();
        let mount = format!("/v2/a/blobs/uploads/?mount={}&from=b", sha256(b""));
        let challenge = ask("POST", &mount).send(host).header("www-authenticate").unwrap().to_owned();
        assert!(challenge.contains(r#"scope="repository:a:pull,push repository:b:pull""#), "{challenge}");
        let realm = challenge.split('"').nth(1).unwrap();
        assert_eq!(realm.starts_with(registry.url()), !own_port, "{realm}");

        let token = |scopes: &str, credentials: &str| {
            let target = format!("{realm}?service=testkit{scopes}");
            let answer = ask("GET", target).header("authorization", credentials).send(host);
            let json: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
            (answer.status, json["access_token"].as_str().unwrap_or_default().to_owned())
        };
        assert_eq!(token("&scope=repository:a:pull", "Basic eDp5").0, 401);
        let (_, small) = token("&scope=repository:a:pull", "Basic dTpw");
        let (_, large) = token("&scope=repository:a:pull,push&scope=repository:b:pull", "Basic dTpw");
        let send = |method, target: &str, token: &str| {
            ask(method, target).header("authorization", format!("Bearer {token}")).send(host)
        };
        let little = send("POST", &mount, &small);
        assert!(little.header("www-authenticate").unwrap().contains("insufficient_scope"));
        assert_eq!((little.status, send("POST", &mount, &large).status), (401, 202));
        assert_eq!(send("GET", "/v2/a/tags/list", &small).status, 404);
        registry.tokens().revoke_all();
        let stale = send("GET", "/v2/a/tags/list", &large);
        assert!(stale.header("www-authenticate").unwrap().contains("invalid_token"));

        let audit = registry.tokens().requests();
        assert_eq!(audit.iter().map(|request| request.status).collect::<Vec<_>>(), [401, 200, 200]);
        assert_eq!(audit[2].scopes, ["repository:a:pull,push", "repository:b:pull"]);
        assert_eq!(audit[2].granted.len(), 3);
        assert_eq!(audit[2].user.as_deref(), Some("u"));
        let origin = if own_port { Origin::Token } else { Origin::Registry };
        assert_eq!(registry.log().count(|e| e.class == Class::Token && e.origin == origin), 3);
    }
}

#[test]
fn anonymous_pull_expiry_and_refresh_tokens() {
    let bearer = Bearer::new("u", "p").anonymous_pull(true).lifetime(Duration::from_millis(300), Some(60));
    let registry = Registry::builder().bearer_auth(bearer).start_blocking().unwrap();
    let host = registry.host();
    let json = |body: &[u8]| serde_json::from_slice::<serde_json::Value>(body).unwrap();
    let answer = json(&ask("GET", "/token?scope=repository:a:pull,push").send(host).body);
    assert_eq!(answer["expires_in"], 60);
    let bearer = format!("Bearer {}", answer["token"].as_str().unwrap());
    let status = || ask("GET", "/v2/a/manifests/x").header("authorization", bearer.clone()).send(host).status;
    assert_eq!(status(), 404);
    std::thread::sleep(Duration::from_millis(350));
    assert_eq!(status(), 401);
    assert_eq!(registry.tokens().requests()[0].granted, ["repository:a:pull"]);

    let form = |body: &str| ask("POST", "/token").body(body).send(host);
    let first = json(&form("grant_type=password&username=u&password=p&access_type=offline&service=x").body);
    let refresh = first["refresh_token"].as_str().unwrap();
    let second =
        form(&format!("grant_type=refresh_token&refresh_token={refresh}&scope=repository:a:pull+b:c:d"));
    assert_eq!(second.status, 200);
    assert_eq!(form("grant_type=refresh_token&refresh_token=wrong").status, 401);
    assert_eq!(registry.tokens().requests()[2].scopes, ["repository:a:pull", "b:c:d"]);
}

#[test]
fn redirects_lead_to_an_origin_that_refuses_credentials() {
    for place in [Redirect::OtherPort, Redirect::OtherHost] {
        let registry = Registry::builder().redirect_blobs(place).start_blocking().unwrap();
        let digest = registry.put_blob("a", "content").unwrap();
        let blob = format!("/v2/a/blobs/{digest}");
        let redirect = ask("GET", &blob).send(registry.host());
        assert_eq!(redirect.status, 307);
        assert!(!redirect.location().starts_with(registry.url()));
        assert_eq!(ask("GET", redirect.location()).send("").text(), "content");
        let leak = ask("GET", redirect.location()).header("authorization", "Basic eDp5").send("");
        assert_eq!((leak.status, registry.leaked_credentials()), (400, 1));
        assert_eq!(registry.log().count(|e| e.origin == Origin::Storage), 2);
    }
}

#[test]
fn what_a_token_allows_can_be_decided_one_by_one() {
    let bearer = Bearer::new("u", "p")
        .permit(|access| {
            access.action == "pull" || (access.user == Some("u") && access.name.starts_with("own/"))
        })
        .first_scope_only(true)
        .oauth(false)
        .field(TokenField::Neither);
    let registry = Registry::builder().bearer_auth(bearer).start_blocking().unwrap();
    let host = registry.host();
    let scopes = "scope=repository:own/a:pull,push&scope=repository:b:pull";
    let answer = ask("GET", format!("/token?{scopes}")).header("authorization", "Basic dTpw").send(host);
    assert_eq!((answer.status, answer.text().contains("token")), (200, false));
    ask("GET", "/token?scope=repository:b:pull,push").send(host);
    assert_eq!(
        ask("POST", "/token").body("grant_type=password&username=u&password=p").send(host).status,
        404
    );
    let granted: Vec<_> = registry.tokens().requests().into_iter().map(|request| request.granted).collect();
    let expected = [&["repository:own/a:pull", "repository:own/a:push"][..], &["repository:b:pull"], &[]];
    assert_eq!(granted, expected);
}

#[tokio::test]
async fn starts_and_stops_inside_a_runtime() {
    let registry = Registry::builder().start().await.unwrap();
    let host = registry.host().to_owned();
    assert_eq!(ask("GET", "/v2/").send(&host).status, 200);
    drop(registry);
    assert!(std::net::TcpStream::connect(host).is_err());
}
