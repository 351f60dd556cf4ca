use bytes::Bytes;
use serde::Deserialize;

use super::{
    Descriptor,
    manifest::{Mentions, invalid},
};
use crate::{
    error::{Reason, Result},
    json,
};

/// An image index: the exact bytes, and the manifests that it lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    descriptor: Descriptor,
    bytes: Bytes,
    manifests: Vec<Descriptor>,
}

impl Index {
    /// Reads an index' bytes.
    ///
    /// # Errors
    ///
    /// [`InvalidManifest`](crate::ErrorKind::InvalidManifest), naming the field.
    pub fn parse(descriptor: &Descriptor, bytes: Bytes) -> Result<Self> {
        let index = Self::read(descriptor, bytes);
        index.map_err(|error| error.with_context("index", descriptor.digest))
    }

    fn read(descriptor: &Descriptor, bytes: Bytes) -> Result<Self> {
        #[derive(Deserialize)]
        struct View {
            manifests: Option<Mentions>,
        }
        if !descriptor.media_type.is_index() {
            return Err(invalid("not an image index")
                .with_reason(Reason::WrongMediaType)
                .with_context("media type", &descriptor.media_type));
        }
        let view: View = json::object(&bytes)
            .map_err(|error| invalid(format!("not the JSON of an index: {error}")).with_source(error))?;
        let manifests = view.manifests.unwrap_or_default().read("manifests")?;
        Ok(Self { descriptor: descriptor.clone(), bytes, manifests })
    }

    /// What the bytes are.
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// The bytes as they were stored.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The manifests, in the index' order.
    pub fn manifests(&self) -> &[Descriptor] {
        &self.manifests
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{error::ErrorKind, oci::MediaType};

    fn parse(text: &str) -> Result<Index> {
        Index::parse(&Descriptor::of(MediaType::OCI_INDEX, text), Bytes::copy_from_slice(text.as_bytes()))
    }

    #[test]
    fn manifests_are_listed_in_order() {
        let mention = |text: &str| {
            let Descriptor { digest, size, .. } = Descriptor::of(MediaType::OCI_MANIFEST, text);
            format!(
                r#"{{"mediaType":"{}","digest":"{digest}","size":{size},"platform":{{"os":"linux"}}}}"#,
                MediaType::OCI_MANIFEST
            )
        };
        let text = format!(r#"{{"schemaVersion":2,"manifests":[{},{}]}}"#, mention("a"), mention("bb"));
        let sizes: Vec<u64> =
            parse(&text).unwrap().manifests().iter().map(|manifest| manifest.size).collect();
        assert_eq!(sizes, [1, 2]);
        assert_eq!(parse(r#"{"schemaVersion":2,"manifests":null}"#).unwrap().manifests(), []);
    }

    #[test]
    fn a_bad_field_is_named() {
        let error = parse(r#"{"manifests":[{"mediaType":"a/b","digest":"x","size":1}]}"#).unwrap_err();
        assert_eq!(
            (error.kind(), error.get("field")),
            (ErrorKind::InvalidManifest, Some("manifests[0].digest"))
        );
        assert_eq!(parse("[]").unwrap_err().kind(), ErrorKind::InvalidManifest);
    }
}
