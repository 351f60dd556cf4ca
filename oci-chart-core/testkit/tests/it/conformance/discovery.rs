//! Spec section "Content Discovery": tags and referrers.

use oci_chart_testkit::Registry;
use serde_json::{Value, json};

use crate::support::{Answer, MANIFEST, ask, push_blob, push_image, sha256};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

pub(super) fn tag_listing(registry: &Registry) {
    let host = registry.host();
    let unknown = ask("GET", "/v2/a/b/tags/list").send(host);
    assert_eq!((unknown.status, unknown.code().as_str()), (404, "NAME_UNKNOWN"));
    push_blob(host, "a/b", b"no tag yet");
    assert_eq!(tags(&ask("GET", "/v2/a/b/tags/list").send(host)), Vec::<String>::new());

    for tag in ["b", "A", "a", "0.10", "0.9", "_"] {
        push_image(host, "a/b", tag, b"layer", "");
    }
    let sorted = ["0.10", "0.9", "A", "_", "a", "b"];
    let list = |query: &str| ask("GET", format!("/v2/a/b/tags/list{query}")).send(host);
    let all = list("");
    assert_eq!((tags(&all), all.header("link")), (sorted.map(str::to_owned).to_vec(), None));
    for (query, expected) in [
        ("?n=0", &sorted[..0]),
        ("?n=2", &sorted[..2]),
        ("?n=100", &sorted[..]),
        ("?last=A", &sorted[3..]),
        ("?n=1&last=A", &sorted[3..4]),
        // A tag need not exist to begin after it.
        ("?last=B", &sorted[3..]),
        ("?last=b", &sorted[6..]),
    ] {
        let page = list(query);
        assert_eq!(tags(&page), expected, "{query}");
        let more = expected.last().is_some_and(|tag| *tag != "b");
        assert_eq!(page.header("link").is_some(), more, "{query}");
    }
    assert_eq!(list("?n=many").status, 400);
    assert_eq!(walk(registry, "/v2/a/b/tags/list?n=2", tags), sorted);
    assert_eq!(walk(registry, "/v2/_catalog?n=1", |page| strings(page, "repositories")), ["a/b"]);
}

pub(super) fn referrers(registry: &Registry) {
    let host = registry.host();
    let list =
        |subject: &str, query: &str| ask("GET", format!("/v2/a/b/referrers/{subject}{query}")).send(host);
    let nothing = list(&sha256(b"nothing"), "");
    assert_eq!((nothing.status, nothing.header("content-type")), (200, Some(INDEX)));
    assert_eq!(json(&nothing), json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": []}));
    assert_eq!(list("sha256:short", "").status, 400);

    let subject = push_image(host, "a/b", "v1", b"layer", "");
    let pointer = format!(
        r#","subject":{{"mediaType":"{MANIFEST}","digest":"{}","size":{}}}"#,
        sha256(&subject),
        subject.len()
    );
    let typed = push_image(host, "a/b", "r1", b"r1", &format!(r#"{pointer},"artifactType":"test/sbom""#));
    let noted = push_image(host, "a/b", "r2", b"r2", &format!(r#"{pointer},"annotations":{{"k":"v"}}"#));
    let index =
        format!(r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[]{pointer}}}"#).into_bytes();
    let put = ask("PUT", "/v2/a/b/manifests/r3").header("content-type", INDEX).body(index.clone()).send(host);
    assert_eq!(put.status, 201);

    let descriptor = |media_type: &str, bytes: &[u8]| json!({"mediaType": media_type, "digest": sha256(bytes), "size": bytes.len()});
    let with = |mut value: Value, key: &str, field: Value| {
        value[key] = field;
        value
    };
    let mut expected = [
        with(descriptor(MANIFEST, &typed), "artifactType", json!("test/sbom")),
        // Without a type of its own the config's counts; an index has none.
        with(
            with(descriptor(MANIFEST, &noted), "artifactType", json!("application/vnd.test.config")),
            "annotations",
            json!({"k": "v"}),
        ),
        descriptor(INDEX, &index),
    ];
    expected.sort_by_key(|value| value["digest"].as_str().unwrap().to_owned());
    let all = list(&sha256(&subject), "");
    assert_eq!(json(&all)["manifests"], json!(expected));
    assert_eq!(all.header("oci-filters-applied"), None);

    let filtered = list(&sha256(&subject), "?artifactType=test%2Fsbom");
    assert_eq!(filtered.header("oci-filters-applied"), Some("artifactType"));
    assert_eq!(json(&filtered)["manifests"][0]["digest"], sha256(&typed));
    assert_eq!(json(&filtered)["manifests"].as_array().unwrap().len(), 1);
    let digests = |page: &Answer| -> Vec<String> {
        let index = json(page);
        index["manifests"]
            .as_array()
            .unwrap()
            .iter()
            .map(|d| d["digest"].as_str().unwrap().to_owned())
            .collect()
    };
    let paged = walk(registry, &format!("/v2/a/b/referrers/{}?n=1", sha256(&subject)), digests);
    assert_eq!(paged, digests(&all));

    ask("DELETE", format!("/v2/a/b/manifests/{}", sha256(&typed))).send(host);
    assert_eq!(digests(&list(&sha256(&subject), "")).len(), 2);
}

/// Follows `Link` headers to the end.
fn walk(registry: &Registry, first: &str, read: impl Fn(&Answer) -> Vec<String>) -> Vec<String> {
    let mut target = first.to_owned();
    let mut all = Vec::new();
    loop {
        let page = ask("GET", &target).send(registry.host());
        assert_eq!(page.status, 200, "{target}");
        all.extend(read(&page));
        let Some(link) = page.header("link") else { return all };
        let url = link.strip_prefix('<').and_then(|rest| rest.strip_suffix(r#">; rel="next""#));
        target = url.unwrap().to_owned();
    }
}

fn tags(page: &Answer) -> Vec<String> {
    assert_eq!(json(page)["name"], "a/b");
    strings(page, "tags")
}

fn strings(page: &Answer, key: &str) -> Vec<String> {
    json(page)[key].as_array().unwrap().iter().map(|value| value.as_str().unwrap().to_owned()).collect()
}

fn json(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap()
}
