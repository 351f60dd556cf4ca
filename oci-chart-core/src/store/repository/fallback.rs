use serde_json::{Value, json};

use super::Repository;
use crate::{
    digest::Digest,
    error::{Error, ErrorKind, Reason, Result},
    name::Tag,
    oci::{Descriptor, MediaType},
    store::{Reference, Target},
};

impl Repository {
    /// Lists `reference` in the index that stands in for a referrers API (distribution spec, "Pushing Manifests with
    /// Subject"). There is no way to do that in one step: of two processes that do it at once, one may undo the other's entry.
    pub(super) async fn list_as_referrer(&self, reference: &Reference) -> Result<()> {
        let tag = fallback_tag(&reference.subject)?;
        let _one_at_a_time = self.registry().fallback_lock.lock().await;
        let mut index = match self.manifest(&Target::Tag(&tag)).await {
            Ok((descriptor, bytes)) if descriptor.media_type == MediaType::OCI_INDEX => {
                serde_json::from_slice(&bytes).map_err(|error| occupied(&tag).with_source(error))?
            }
            Ok(_) => return Err(occupied(&tag)),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                json!({"schemaVersion": 2, "mediaType": MediaType::OCI_INDEX.as_str(), "manifests": []})
            }
            Err(error) => return Err(error),
        };
        let entries =
            index.get_mut("manifests").and_then(Value::as_array_mut).ok_or_else(|| occupied(&tag))?;
        let digest = reference.referrer.digest.to_string();
        if entries.iter().any(|entry| entry.get("digest").and_then(Value::as_str) == Some(&digest)) {
            return Ok(());
        }
        entries.push(entry(&reference.referrer));
        let bytes = index.to_string();
        let descriptor = Descriptor::of(MediaType::OCI_INDEX, &bytes);
        self.put(&descriptor, bytes.into(), tag.as_str()).await.map(drop)
    }
}

/// The tag that stands in for the referrers of `subject` (distribution spec, "Referrers Tag Schema").
pub(super) fn fallback_tag(subject: &Digest) -> Result<Tag> {
    let mut hex = subject.hex();
    hex.truncate(64);
    Ok(Tag::parse(&format!("{}-{hex}", subject.algorithm().name()))?)
}

fn entry(referrer: &Descriptor) -> Value {
    let mut entry = json!({
        "mediaType": referrer.media_type.as_str(),
        "digest": referrer.digest.to_string(),
        "size": referrer.size,
    });
    if let Some(kind) = &referrer.artifact_type {
        entry["artifactType"] = kind.as_str().into();
    }
    if !referrer.annotations.is_empty() {
        entry["annotations"] = json!(referrer.annotations);
    }
    entry
}

fn occupied(tag: &Tag) -> Error {
    Error::new(ErrorKind::Conflict, "the tag that lists referrers holds something else than an index")
        .with_reason(Reason::WrongMediaType)
        .with_context("tag", tag)
        .with_hint(
            "the registry has no referrers API, and this tag is what stands in for it; remove what is there",
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_is_the_spec_s() {
        let a = "a".repeat(64);
        for (digest, tag) in [
            (format!("sha256:{a}"), format!("sha256-{a}")),
            (format!("sha512:{a}{a}"), format!("sha512-{a}")),
        ] {
            assert_eq!(fallback_tag(&digest.parse().unwrap()).unwrap().as_str(), tag);
        }
    }
}
