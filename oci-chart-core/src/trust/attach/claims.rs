use std::borrow::Cow;

use crate::{
    oci::{Descriptor, MediaType},
    trust::{
        discover::Layer,
        flaw::Flaw,
        strict_json::{self, Json},
    },
};

/// Cosign's annotation for the type of what is said in a bundle.
const PREDICATE: &str = "dev.sigstore.bundle.predicateType";

/// What a manifest says of itself, as far as it is shown. It may say megabytes of other things, of which nothing is kept.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Claims {
    pub(super) artifact_type: Option<String>,
    pub(super) predicate_type: Option<String>,
    /// The media types of its layers.
    pub(super) layers: Vec<String>,
    /// The size of its layers, in bytes.
    pub(super) bytes: u64,
}

impl Claims {
    pub(super) fn read(manifest: &Descriptor, bytes: &[u8]) -> Result<Self, Flaw> {
        if manifest.media_type.is_index() || !manifest.media_type.is_manifest() {
            return Err(Flaw::malformed("not an image manifest"));
        }
        let json = strict_json::parse(bytes)?;
        if json.get("schemaVersion").and_then(Json::integer) != Some(2) {
            return Err(Flaw::malformed("not a manifest of version 2"));
        }
        let text = |path: &[&str]| json.at(path).and_then(Json::text).filter(|text| !text.is_empty());
        let artifact_type = text(&["artifactType"]).or_else(|| text(&["config", "mediaType"]));
        let mut claims = Self {
            artifact_type: artifact_type
                .filter(|kind| *kind != MediaType::EMPTY_JSON.as_str())
                .map(Cow::into_owned),
            predicate_type: text(&["annotations", PREDICATE]).map(Cow::into_owned),
            ..Self::default()
        };
        for layer in json.get("layers").and_then(Json::items).into_iter().flatten() {
            let Layer { descriptor, .. } = Layer::read(layer)?;
            claims.layers.push(descriptor.media_type.to_string());
            claims.bytes = claims.bytes.saturating_add(descriptor.size);
        }
        Ok(claims)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    fn read(text: &str) -> Option<Claims> {
        Claims::read(&Descriptor::of(MediaType::OCI_MANIFEST, text), text.as_bytes()).ok()
    }

    #[test]
    fn what_is_shown_is_what_stands_there() {
        let layer = |kind: &str, size: u64| {
            format!(r#"{{"mediaType":"{kind}","digest":"{}","size":{size}}}"#, Digest::of("x"))
        };
        let text = |own: &str, config: &str| {
            format!(
                r#"{{"schemaVersion":2{own},"config":{{"mediaType":"{config}"}},"layers":[{},{}],"annotations":{{"{PREDICATE}":"p"}}}}"#,
                layer("a/b", 1),
                layer("c/d", u64::MAX),
            )
        };
        let kind = |own: &str, config: &str| read(&text(own, config)).unwrap().artifact_type;
        let empty = MediaType::EMPTY_JSON.as_str();
        assert_eq!(
            read(&text("", "x/y")),
            Some(Claims {
                artifact_type: Some("x/y".to_owned()),
                predicate_type: Some("p".to_owned()),
                layers: vec!["a/b".to_owned(), "c/d".to_owned()],
                bytes: u64::MAX,
            })
        );
        assert_eq!(kind(r#","artifactType":"own/one""#, "x/y").as_deref(), Some("own/one"));
        assert_eq!(kind(r#","artifactType":"""#, "x/y").as_deref(), Some("x/y"));
        assert_eq!(kind("", empty), None);
        assert_eq!(read(r#"{"schemaVersion":2,"layers":null}"#), Some(Claims::default()));
        for none in [
            "",
            "[]",
            "{}",
            r#"{"schemaVersion":2,"layers":[{}]}"#,
            r#"{"schemaVersion":2,"SchemaVersion":2}"#,
        ] {
            assert_eq!(read(none), None, "{none}");
        }
        let index = Descriptor::of(MediaType::OCI_INDEX, "{}");
        assert!(Claims::read(&index, br#"{"schemaVersion":2}"#).is_err());
    }
}
