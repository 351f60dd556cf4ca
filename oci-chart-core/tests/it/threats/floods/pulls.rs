use serde_json::json;

use super::{
    super::{Forge, INDEX, forge::MANIFEST},
    Flood, many_annotations,
};

/// Of what is pulled without a check.
pub(super) const OF_PULLS: &[Flood] = &[
    (
        "a manifest that is nothing but empty layers",
        |forge| forge.chart_of(MANIFEST, r#"{"schemaVersion":2,"layers":[{}"#, ",{}", "]}"),
        "invalid-manifest",
        None,
        2,
    ),
    (
        "a manifest that is nothing but annotations",
        |forge| {
            let manifest = format!(r#"{{"schemaVersion":2,"annotations":{}}}"#, many_annotations(350_000));
            forge.chart_of(MANIFEST, &manifest, " ", "");
        },
        "invalid-manifest",
        None,
        2,
    ),
    (
        "an index that is nothing but empty entries",
        |forge| forge.chart_of(INDEX, r#"{"schemaVersion":2,"manifests":[{}"#, ",{}", "]}"),
        "invalid-manifest",
        None,
        2,
    ),
    ("an index of indexes", indexes, "limit-exceeded", Some("manifests of an index"), 2 + 64),
];

/// An index of indexes that are as large as they may be.
fn indexes(forge: &Forge) {
    let indexes: Vec<String> = (0..64)
        .map(|n| {
            let entry = |n| format!(r#"{{"mediaType":"{INDEX}","digest":"sha256:{n:064x}","size":1}}"#);
            let entries: Vec<String> = (n..n + 25_000).map(entry).collect();
            let index = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, entries.join(","));
            let (size, digest) = (index.len(), forge.registry.manifest(INDEX, index));
            json!({"mediaType": INDEX, "digest": digest, "size": size}).to_string()
        })
        .collect();
    let index = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, indexes.join(","));
    let digest = forge.registry.manifest(INDEX, index);
    forge.registry.tag("1.2.3", &digest);
}
