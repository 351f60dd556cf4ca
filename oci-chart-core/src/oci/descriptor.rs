use std::collections::BTreeMap;

use serde::Serialize;

use crate::{digest::Digest, oci::MediaType};

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

    /// The descriptor of `bytes` (SHA-256).
    pub fn of(media_type: MediaType, bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref();
        Self::new(media_type, Digest::of(bytes), bytes.len() as u64)
    }
}
