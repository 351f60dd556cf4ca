use std::{collections::BTreeMap, fmt::Write as _};

use super::{Manifest, mention, object};
use crate::{
    json,
    oci::{Descriptor, MediaType},
};

impl Manifest {
    /// The content of [`MediaType::EMPTY_JSON`], which every manifest of [`attached`](Self::attached) names as its configuration.
    pub const EMPTY_CONFIG: &'static [u8] = b"{}";

    /// Writes the manifest of an artifact that belongs to `subject` (image-spec 1.1, "Guidelines for Artifact Usage"): the empty configuration,
    /// with its content beside it as oras writes it, and the fields in the order of Go's `ocispec.Manifest`.
    pub fn attached(
        subject: &Descriptor,
        artifact_type: &MediaType,
        layers: &[Descriptor],
        annotations: &BTreeMap<String, String>,
    ) -> Self {
        let config = Descriptor::of(MediaType::EMPTY_JSON, Self::EMPTY_CONFIG);
        let mut text = String::from("{\"schemaVersion\":2,\"mediaType\":");
        json::string(&mut text, MediaType::OCI_MANIFEST.as_str());
        text.push_str(",\"artifactType\":");
        json::string(&mut text, artifact_type.as_str());
        // Writing into a string cannot fail.
        let _ = write!(
            text,
            ",\"config\":{{\"mediaType\":\"{}\",\"digest\":\"{}\",\"size\":2,\"data\":\"e30=\"}},\"layers\":[",
            config.media_type, config.digest
        );
        for (n, layer) in layers.iter().enumerate() {
            text.push_str(if n == 0 { "" } else { "," });
            mention(&mut text, layer);
        }
        text.push_str("],\"subject\":");
        // Annotations of a mention are no part of what the subject is.
        let subject = Descriptor::new(subject.media_type.clone(), subject.digest, subject.size);
        mention(&mut text, &subject);
        if !annotations.is_empty() {
            text.push_str(",\"annotations\":");
            object(&mut text, annotations);
        }
        text.push('}');
        Self {
            descriptor: Descriptor::of(MediaType::OCI_MANIFEST, &text),
            bytes: text.into(),
            config: Some(config),
            layers: layers.to_vec(),
            annotations: annotations.clone(),
            artifact_type: Some(artifact_type.clone()),
            subject: Some(subject),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_is_read() {
        let subject = Descriptor::of(MediaType::OCI_MANIFEST, "subject");
        let mut layer = Descriptor::of("application/spdx+json".into(), "layer");
        layer.annotations.insert("org.opencontainers.image.title".into(), "a<b>.json".into());
        let annotations = [("b".to_owned(), "2".to_owned()), ("a".to_owned(), "1".to_owned())].into();
        let written = Manifest::attached(&subject, &"application/spdx+json".into(), &[layer], &annotations);
        let read = Manifest::parse(written.descriptor(), written.bytes().clone()).unwrap();
        assert_eq!(read, written);
        let text = std::str::from_utf8(written.bytes()).unwrap();
        assert!(text.contains("\"size\":2,\"data\":\"e30=\"}") && text.contains(r"a\u003cb"), "{text}");
    }
}
