use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{
    digest::Digest,
    json::{self, Object},
    oci::{Descriptor, MediaType},
};

/// What a manifest says about what it refers to.
pub(crate) struct Reference {
    /// The digest of its subject.
    pub subject: Digest,
    /// The manifest itself, as a list of referrers shows it (distribution spec 1.1, "Listing Referrers").
    pub referrer: Descriptor,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct View {
    subject: Option<Object<Mention>>,
    artifact_type: Option<String>,
    config: Option<Object<Mention>>,
    annotations: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mention {
    media_type: Option<String>,
    digest: Option<String>,
}

/// Reads the reference out of a manifest's bytes; `None` where there is none, or nothing that can be read.
pub(crate) fn reference(descriptor: &Descriptor, manifest: &[u8]) -> Option<Reference> {
    let view: View = json::object(manifest).ok()?;
    let subject = view.subject?.0.digest?.parse().ok()?;
    let kind = view
        .artifact_type
        .filter(|kind| !kind.is_empty())
        .or(view.config.and_then(|Object(config)| config.media_type));
    let mut referrer = Descriptor::new(descriptor.media_type.clone(), descriptor.digest, descriptor.size);
    referrer.artifact_type = kind.map(MediaType::from);
    referrer.annotations = view.annotations.unwrap_or_default();
    Some(Reference { subject, referrer })
}
