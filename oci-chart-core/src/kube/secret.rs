use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::PullSecretError;
use crate::{error::Result, yaml};

/// What the API server takes for a whole object, in bytes; the base64 form of a Secret's values is a third longer than they are.
pub(crate) const MOST_BYTES: usize = 2 << 20;

/// A Secret's manifest: its name, its type, and its values with base64 taken off.
pub(crate) struct Secret {
    #[cfg_attr(not(feature = "sign"), allow(dead_code, reason = "only policies ask for it"))]
    pub(crate) name: Option<String>,
    pub(crate) kind: String,
    pub(crate) data: BTreeMap<String, Zeroizing<Vec<u8>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    kind: Option<String>,
    metadata: Option<Metadata>,
    r#type: Option<String>,
    data: Option<BTreeMap<String, Option<Zeroizing<String>>>>,
    string_data: Option<BTreeMap<String, Option<Zeroizing<String>>>>,
}

#[derive(Deserialize)]
struct Metadata {
    name: Option<String>,
}

impl Secret {
    /// Reads a manifest, YAML or JSON, with `data` or `stringData`.
    pub(crate) fn from_manifest(bytes: &[u8]) -> Result<Self> {
        // A reader that serde derives takes a list for a struct as well, and nothing at all for one without fields.
        let bounds = yaml::Bounds { bytes: MOST_BYTES, ..yaml::Bounds::default() };
        if yaml::Document::parse(bytes, &bounds)?.root().kind() != yaml::Kind::Mapping {
            return Err(PullSecretError::NotASecret.into());
        }
        let document: Document = yaml::from_foreign(bytes, MOST_BYTES)?;
        if document.kind.as_deref().is_some_and(|kind| kind != "Secret") {
            return Err(PullSecretError::NotASecret.into());
        }
        let mut data: BTreeMap<String, Zeroizing<Vec<u8>>> = BTreeMap::new();
        for (key, value) in document.data.into_iter().flatten() {
            let packed: String = value.unwrap_or_default().split_ascii_whitespace().collect();
            let bytes = STANDARD.decode(&packed).map_err(|_| PullSecretError::NotBase64(key.clone()))?;
            data.insert(key, Zeroizing::new(bytes));
        }
        for (key, value) in document.string_data.into_iter().flatten() {
            data.insert(key, Zeroizing::new(value.unwrap_or_default().as_bytes().to_vec()));
        }
        Ok(Self {
            name: document.metadata.and_then(|metadata| metadata.name),
            kind: document.r#type.unwrap_or_default(),
            data,
        })
    }
}
