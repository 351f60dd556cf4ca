mod attached;
mod mention;

use std::{collections::BTreeMap, fmt::Write as _};

use bytes::Bytes;
use serde::Deserialize;

pub(super) use self::mention::Mentions;
use self::mention::{Annotations, Mention};
use super::{Descriptor, MediaType};
use crate::{
    error::{Error, ErrorKind, Reason, Result},
    json::{self, Object},
};

/// An image manifest: the exact bytes, and what they say. The digest is always that of the bytes.
///
/// # Examples
///
/// ```
/// use oci_chart_core::oci::{Descriptor, Manifest, MediaType};
///
/// let config = Descriptor::of(MediaType::EMPTY_JSON, b"{}");
/// let manifest = Manifest::write(&config, &[], &Default::default());
/// let again = Manifest::parse(manifest.descriptor(), manifest.bytes().clone())?;
/// assert_eq!(again.config(), Some(&config));
/// # Ok::<(), oci_chart_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    descriptor: Descriptor,
    bytes: Bytes,
    config: Option<Descriptor>,
    layers: Vec<Descriptor>,
    annotations: BTreeMap<String, String>,
    artifact_type: Option<MediaType>,
    subject: Option<Descriptor>,
}

impl Manifest {
    /// Writes a manifest as Helm 4.2 does: `schemaVersion`, `config`, `layers`, `annotations` in this order, Go's JSON escapes, sorted
    /// annotations, and no `mediaType` field.
    pub fn write(config: &Descriptor, layers: &[Descriptor], annotations: &BTreeMap<String, String>) -> Self {
        let mut text = String::from("{\"schemaVersion\":2,\"config\":");
        mention(&mut text, config);
        text.push_str(",\"layers\":[");
        for (n, layer) in layers.iter().enumerate() {
            text.push_str(if n == 0 { "" } else { "," });
            mention(&mut text, layer);
        }
        text.push(']');
        if !annotations.is_empty() {
            text.push_str(",\"annotations\":");
            object(&mut text, annotations);
        }
        text.push('}');
        Self {
            descriptor: Descriptor::of(MediaType::OCI_MANIFEST, &text),
            bytes: text.into(),
            config: Some(config.clone()),
            layers: layers.to_vec(),
            annotations: annotations.clone(),
            artifact_type: None,
            subject: None,
        }
    }

    /// Reads a manifest's bytes. Lenient where registries hold odd things (a null list of layers, unknown fields, no config); what a verb
    /// relies on must be right: sizes, digests, media types.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidManifest`], naming the field.
    pub fn parse(descriptor: &Descriptor, bytes: Bytes) -> Result<Self> {
        let manifest = Self::read(descriptor, bytes);
        manifest.map_err(|error| error.with_context("manifest", descriptor.digest))
    }

    fn read(descriptor: &Descriptor, bytes: Bytes) -> Result<Self> {
        if descriptor.media_type.is_index() || !descriptor.media_type.is_manifest() {
            return Err(invalid("not an image manifest")
                .with_reason(Reason::WrongMediaType)
                .with_context("media type", &descriptor.media_type)
                .with_hint(
                    "name the one manifest that is wanted; a list of manifests cannot be read as one",
                ));
        }
        let view: View = json::object(&bytes)
            .map_err(|error| invalid(format!("not the JSON of a manifest: {error}")).with_source(error))?;
        if view.schema_version != Some(2) {
            return Err(invalid("`schemaVersion` is not 2").with_context("field", "schemaVersion"));
        }
        if let Some(own) = view.media_type.filter(|own| *own != descriptor.media_type.as_str()) {
            return Err(invalid("the manifest says it has another media type than it was stored under")
                .with_reason(Reason::WrongMediaType)
                .with_context("field", "mediaType")
                .with_context("expected", &descriptor.media_type)
                .with_context("actual", own));
        }
        let named =
            |field| move |Object(mention): Object<Mention>| mention.read().map_err(|wrong| wrong.at(field));
        let config = view.config.map(named("config")).transpose()?;
        let layers = view.layers.unwrap_or_default().read("layers")?;
        let subject = view.subject.map(named("subject")).transpose()?;
        Ok(Self {
            descriptor: descriptor.clone(),
            bytes,
            config,
            layers,
            annotations: view.annotations.0,
            artifact_type: view.artifact_type.filter(|kind| !kind.is_empty()).map(MediaType::from),
            subject,
        })
    }

    /// What the bytes are.
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// The bytes as they were stored or will be.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The configuration, where the manifest names one.
    pub fn config(&self) -> Option<&Descriptor> {
        self.config.as_ref()
    }

    /// The layers, in the manifest's order.
    pub fn layers(&self) -> &[Descriptor] {
        &self.layers
    }

    /// The annotations.
    pub fn annotations(&self) -> &BTreeMap<String, String> {
        &self.annotations
    }

    /// The artifact's type, where the manifest says so.
    pub fn artifact_type(&self) -> Option<&MediaType> {
        self.artifact_type.as_ref()
    }

    /// What this manifest refers to, where it does.
    pub fn subject(&self) -> Option<&Descriptor> {
        self.subject.as_ref()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct View {
    schema_version: Option<u64>,
    media_type: Option<String>,
    artifact_type: Option<String>,
    config: Option<Object<Mention>>,
    layers: Option<Mentions>,
    #[serde(default)]
    annotations: Annotations,
    subject: Option<Object<Mention>>,
}

fn mention(text: &mut String, descriptor: &Descriptor) {
    text.push_str("{\"mediaType\":");
    json::string(text, descriptor.media_type.as_str());
    // Writing into a string cannot fail.
    let _ = write!(text, ",\"digest\":\"{}\",\"size\":{}", descriptor.digest, descriptor.size);
    if !descriptor.annotations.is_empty() {
        text.push_str(",\"annotations\":");
        object(text, &descriptor.annotations);
    }
    text.push('}');
}

fn object(text: &mut String, pairs: &BTreeMap<String, String>) {
    for (n, (key, value)) in pairs.iter().enumerate() {
        text.push(if n == 0 { '{' } else { ',' });
        json::string(text, key);
        text.push(':');
        json::string(text, value);
    }
    text.push('}');
}

pub(super) fn invalid(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidManifest, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Manifest> {
        Manifest::parse(
            &Descriptor::of(MediaType::OCI_MANIFEST, text),
            Bytes::copy_from_slice(text.as_bytes()),
        )
    }

    #[test]
    fn odd_manifests_are_read() {
        for text in [
            r#"{"schemaVersion":2}"#,
            r#"{"schemaVersion":2,"layers":null,"annotations":null,"config":null}"#,
            r#"{"schemaVersion":2,"unknown":[1],"annotations":{"a":null}}"#,
            r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json"}"#,
        ] {
            assert_eq!(parse(text).map(|manifest| manifest.layers().len()).ok(), Some(0), "{text}");
        }
    }

    #[test]
    fn a_bad_field_is_named() {
        let digest = Descriptor::of(MediaType::EMPTY_JSON, b"{}").digest;
        let layer = |text: &str| format!(r#"{{"schemaVersion":2,"layers":[{{"mediaType":"a/b",{text}}}]}}"#);
        for (text, field) in [
            (r#"{"layers":[]}"#.to_owned(), Some("schemaVersion")),
            (r#"{"schemaVersion":2,"mediaType":"a/b"}"#.to_owned(), Some("mediaType")),
            (layer(r#""size":1"#), Some("layers[0].digest")),
            (layer(r#""size":1,"digest":"sha256:a""#), Some("layers[0].digest")),
            (layer(&format!(r#""digest":"{digest}""#)), Some("layers[0].size")),
            (layer(&format!(r#""digest":"{digest}","size":-1"#)), Some("layers[0].size")),
            (layer(&format!(r#""digest":"{digest}","size":1.5"#)), Some("layers[0].size")),
            (r#"{"schemaVersion":2,"config":{}}"#.to_owned(), Some("config.mediaType")),
            ("[]".to_owned(), None),
            ("{".to_owned(), None),
            (format!(r#"{{"schemaVersion":2,"x":{}"#, "[".repeat(10_000)), None),
        ] {
            let error = parse(&text).unwrap_err();
            assert_eq!(
                (error.kind(), error.get("field")),
                (ErrorKind::InvalidManifest, field),
                "{text:.200}"
            );
        }
    }

    #[test]
    fn an_index_is_no_manifest() {
        let text = r#"{"schemaVersion":2,"manifests":[]}"#;
        let error = Manifest::parse(&Descriptor::of(MediaType::OCI_INDEX, text), text.into()).unwrap_err();
        assert_eq!(error.reason(), Some(Reason::WrongMediaType));
    }
}
