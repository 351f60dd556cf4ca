//! The raw client, and what many tests push with it.

use sha2::{Digest as _, Sha256, Sha512};

pub(crate) use oci_chart_testkit::raw::{Answer, ask};

/// The media type of most manifests in these tests.
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

pub(crate) fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(&Sha256::digest(bytes)))
}

pub(crate) fn sha512(bytes: &[u8]) -> String {
    format!("sha512:{}", hex(&Sha512::digest(bytes)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `location` with one more query parameter.
pub(crate) fn with(location: &str, parameter: &str) -> String {
    format!("{location}{}{parameter}", if location.contains('?') { '&' } else { '?' })
}

/// Uploads a blob with POST and PUT and returns its digest.
pub(crate) fn push_blob(host: &str, repository: &str, content: &[u8]) -> String {
    let digest = sha256(content);
    let begun = ask("POST", format!("/v2/{repository}/blobs/uploads/")).send(host);
    let done = ask("PUT", with(begun.location(), &format!("digest={digest}"))).body(content).send(host);
    assert_eq!((begun.status, done.status), (202, 201), "{done:?}");
    digest
}

/// An image manifest over one config and one layer that are in the repository already.
pub(crate) fn manifest(config: &[u8], layer: &[u8], extra: &str) -> Vec<u8> {
    format!(
        concat!(
            r#"{{"schemaVersion":2,"mediaType":"{}","config":{{"mediaType":"application/vnd.test.config","#,
            r#""digest":"{}","size":{}}},"layers":[{{"mediaType":"application/vnd.test.layer","#,
            r#""digest":"{}","size":{}}}]{}}}"#
        ),
        MANIFEST,
        sha256(config),
        config.len(),
        sha256(layer),
        layer.len(),
        extra,
    )
    .into_bytes()
}

/// Pushes config, layer and a manifest over them, and returns the manifest.
pub(crate) fn push_image(host: &str, repository: &str, tag: &str, layer: &[u8], extra: &str) -> Vec<u8> {
    push_blob(host, repository, b"{}");
    push_blob(host, repository, layer);
    let bytes = manifest(b"{}", layer, extra);
    let put = ask("PUT", format!("/v2/{repository}/manifests/{tag}"))
        .header("content-type", MANIFEST)
        .body(bytes.clone())
        .send(host);
    assert_eq!(put.status, 201, "{put:?}");
    bytes
}
