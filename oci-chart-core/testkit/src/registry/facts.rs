//! What a manifest says about itself and about what it refers to.

use bytes::Bytes;
use hyper::StatusCode;
use serde_json::{Map, Value, json};

use super::answer::{ApiError, bad_request};
use super::digest::Digest;
use super::storage::Repository;

/// What a registry needs to know of a manifest.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    pub(crate) media_type: Option<String>,
    pub(crate) subject: Option<String>,
    /// The manifest's own, else the media type of its config.
    pub(crate) artifact_type: Option<String>,
    pub(crate) annotations: Option<Value>,
    blobs: Vec<Reference>,
    manifests: Vec<Reference>,
}

#[derive(Clone, Debug)]
struct Reference {
    digest: Digest,
    size: u64,
}

impl Facts {
    /// Reads a JSON object; what it says about config, layers, manifests and subject must be descriptors.
    pub(crate) fn read(bytes: &Bytes) -> Result<Self, String> {
        let value: Value = serde_json::from_slice(bytes).map_err(|error| format!("not JSON: {error}"))?;
        let fields = value.as_object().ok_or("not a JSON object")?;
        let text = |key: &str| fields.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        let config = fields.get("config").and_then(Value::as_object);
        let config_type = config.and_then(|config| config.get("mediaType")).and_then(Value::as_str);
        let mut facts = Self {
            media_type: text("mediaType").map(str::to_owned),
            artifact_type: text("artifactType").or(config_type).map(str::to_owned),
            annotations: fields.get("annotations").filter(|value| value.is_object()).cloned(),
            ..Self::default()
        };
        if let Some(subject) = fields.get("subject").filter(|subject| !subject.is_null()) {
            facts.subject = Some(Reference::read(subject)?.digest.to_string());
        }
        if let Some(config) = fields.get("config").filter(|config| !config.is_null()) {
            facts.blobs.push(Reference::read(config)?);
        }
        for layer in list(fields, "layers")?.iter().filter(|layer| !lies_elsewhere(layer)) {
            facts.blobs.push(Reference::read(layer)?);
        }
        for child in list(fields, "manifests")? {
            facts.manifests.push(Reference::read(child)?);
        }
        Ok(facts)
    }

    /// Refuses what the repository does not have, and what it has in another size.
    pub(crate) fn check(&self, repository: Option<&Repository>) -> Result<(), ApiError> {
        let blob = |digest: &Digest| repository?.blobs.get(digest).map(|stored| stored.length());
        let manifest = |digest: &Digest| repository?.manifests.get(digest).map(|m| m.bytes.len() as u64);
        let blobs = self.blobs.iter().map(|reference| (reference, blob(&reference.digest)));
        let manifests = self.manifests.iter().map(|reference| (reference, manifest(&reference.digest)));
        for (Reference { digest, size }, actual) in blobs.chain(manifests) {
            match actual {
                None => {
                    let message = "manifest references a manifest or blob unknown to registry";
                    let detail = json!({ "digest": digest.to_string() });
                    return Err(
                        ApiError::new(StatusCode::NOT_FOUND, "MANIFEST_BLOB_UNKNOWN", message).detail(detail)
                    );
                }
                Some(actual) if actual != *size => {
                    let message = format!("{digest} has {actual} bytes, the manifest says {size}");
                    return Err(bad_request("MANIFEST_INVALID", message));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }
}

impl Reference {
    fn read(descriptor: &Value) -> Result<Self, String> {
        let digest = descriptor.get("digest").and_then(Value::as_str).ok_or("a descriptor has no digest")?;
        let digest = Digest::parse(digest).ok_or_else(|| format!("{digest:?} is not a supported digest"))?;
        let size = descriptor.get("size").and_then(Value::as_u64).ok_or("a descriptor has no size")?;
        Ok(Self { digest, size })
    }
}

fn list<'a>(fields: &'a Map<String, Value>, key: &str) -> Result<&'a [Value], String> {
    match fields.get(key) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(values)) => Ok(values),
        Some(_) => Err(format!("{key} is not a list")),
    }
}

/// Layers that are not distributed with the image are never in the registry.
fn lies_elsewhere(layer: &Value) -> bool {
    let media_type = layer.get("mediaType").and_then(Value::as_str).unwrap_or_default();
    media_type.contains("nondistributable") || media_type.contains(".foreign.")
}
