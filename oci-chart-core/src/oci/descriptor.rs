use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    digest::{Digest, ParseDigestError},
    error::{Error, ErrorKind, Result},
    json,
    oci::MediaType,
};

/// What a piece of content is (media type), which one it is (digest) and how large (size in bytes): the OCI image spec's descriptor, and
/// serialised as the spec has it.
///
/// # Examples
///
/// ```
/// use oci_chart_core::oci::{Descriptor, MediaType};
///
/// let empty = Descriptor::of(MediaType::EMPTY_JSON, b"{}");
/// assert_eq!(empty.size, 2);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Descriptor {
    /// The content's type.
    pub media_type: MediaType,
    /// The content's digest.
    pub digest: Digest,
    /// The content's size in bytes.
    pub size: u64,
    /// Annotations of this mention of the content.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// The type of the artifact, where the descriptor stands in an index.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<MediaType>,
}

impl Descriptor {
    /// A descriptor without annotations.
    pub fn new(media_type: MediaType, digest: Digest, size: u64) -> Self {
        Self { media_type, digest, size, annotations: BTreeMap::new(), artifact_type: None }
    }

    /// Reads a descriptor as the image spec writes it: `mediaType`, `digest`, `size`, and perhaps `annotations` and `artifactType`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for what is no descriptor.
    pub fn from_json(text: &str) -> Result<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Written {
            media_type: String,
            digest: String,
            size: u64,
            #[serde(default)]
            annotations: BTreeMap<String, String>,
            artifact_type: Option<String>,
        }
        let not_one =
            |cause: String| Error::new(ErrorKind::InvalidInput, format!("not a descriptor: {cause}"));
        let written: Written = json::object(text.as_bytes()).map_err(|error| not_one(error.to_string()))?;
        let digest: Digest =
            written.digest.parse().map_err(|error: ParseDigestError| not_one(error.to_string()))?;
        let mut descriptor = Self::new(written.media_type.into(), digest, written.size);
        descriptor.annotations = written.annotations;
        descriptor.artifact_type = written.artifact_type.map(MediaType::from);
        Ok(descriptor)
    }

    /// The descriptor of `bytes` (SHA-256).
    pub fn of(media_type: MediaType, bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref();
        Self::new(media_type, Digest::of(bytes), bytes.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut descriptor = Descriptor::of(MediaType::EMPTY_JSON, b"{}");
        descriptor.annotations.insert("a".into(), "b".into());
        descriptor.artifact_type = Some(MediaType::HELM_CONFIG);
        let text = serde_json::to_string(&descriptor).unwrap();
        assert_eq!(Descriptor::from_json(&text).unwrap(), descriptor);
        for bad in
            ["", "{}", "[]", r#"{"mediaType":"a","digest":"sha256:0","size":1}"#, &text.replace("2,", "-2,")]
        {
            assert_eq!(Descriptor::from_json(bad).unwrap_err().kind(), ErrorKind::InvalidInput, "{bad}");
        }
    }
}
