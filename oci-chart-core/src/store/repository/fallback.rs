use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Repository, manifests::Put};
use crate::{
    digest::Digest,
    error::{Error, ErrorKind, Reason, Result},
    name::Tag,
    oci::{Descriptor, MediaType},
    store::{Reference, Target},
};

/// How often a change is written while others write over it.
const ATTEMPTS: u32 = 8;

/// The longest wait for somebody else's write, in a registry that is slow.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

impl Repository {
    /// Lists `reference` in the index that stands in for a referrers API (distribution spec, "Pushing Manifests with Subject").
    pub(super) async fn list_as_referrer(&self, reference: &Reference) -> Result<()> {
        let digest = reference.referrer.digest.to_string();
        let add = |entries: &mut Vec<Value>| {
            let known = entries.iter().any(|entry| names(entry, &digest));
            if !known {
                entries.push(entry(&reference.referrer));
            }
            !known
        };
        self.change_index(&reference.subject, true, add).await
    }

    /// Takes a manifest that is gone out of the index of its subject's referrers.
    pub(super) async fn unlist_as_referrer(&self, subject: &Digest, referrer: &Digest) -> Result<()> {
        let digest = referrer.to_string();
        let remove = |entries: &mut Vec<Value>| {
            let before = entries.len();
            entries.retain(|entry| !names(entry, &digest));
            entries.len() != before
        };
        self.change_index(subject, false, remove).await
    }

    /// Reads, changes and writes the index of `subject`, until a look at it shows the change. Few registries write on a condition, so somebody
    /// else's change may replace this one: by the look it is noticed and made again on top of the other. The look comes as late as the change
    /// itself took, since that is how long others that read before it may take.
    async fn change_index(
        &self,
        subject: &Digest,
        make: bool,
        change: impl Fn(&mut Vec<Value>) -> bool,
    ) -> Result<()> {
        let tag = fallback_tag(&subject.to_string())?;
        let _one_at_a_time = self.registry().fallback_lock.lock().await;
        let mut ignored_tag = None;
        for _ in 0..ATTEMPTS {
            let begun = Instant::now();
            let Some((mut index, etag)) = self.read_index(&tag, make).await? else { return Ok(()) };
            let entries =
                index.get_mut("manifests").and_then(Value::as_array_mut).ok_or_else(|| occupied(&tag))?;
            if !change(entries) {
                return Ok(());
            }
            let bytes = index.to_string();
            let descriptor = Descriptor::of(MediaType::OCI_INDEX, &bytes);
            let put = Put::new(&descriptor, bytes.into(), tag.as_str());
            // A condition that fails though nothing changed is not understood as it should be.
            let condition = etag.clone().filter(|etag| ignored_tag.as_ref() != Some(etag));
            match self.put(put.only_if(condition.as_deref())).await {
                Ok(_) => {}
                Err(error) if error.get("status") == Some("412") && condition.is_some() => ignored_tag = etag,
                Err(error) => return Err(error),
            }
            tokio::time::sleep(begun.elapsed().min(LONGEST_WAIT)).await;
        }
        Err(Error::new(ErrorKind::Conflict, "others change the list of referrers all the time")
            .with_reason(Reason::TagMoved)
            .with_context("tag", tag)
            .with_retryable(true)
            .with_hint("try again; a registry with the referrers API keeps this list by itself"))
    }

    /// The index and its ETag; a new one where there is none and one is to be made.
    async fn read_index(&self, tag: &Tag, make: bool) -> Result<Option<(Value, Option<String>)>> {
        match self.find(&Target::Tag(tag)).await {
            Ok(found) if found.descriptor.media_type == MediaType::OCI_INDEX => {
                let index =
                    serde_json::from_slice(&found.bytes).map_err(|error| occupied(tag).with_source(error))?;
                Ok(Some((index, found.etag)))
            }
            Ok(_) => Err(occupied(tag)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(make.then(|| {
                let empty =
                    json!({"schemaVersion": 2, "mediaType": MediaType::OCI_INDEX.as_str(), "manifests": []});
                (empty, None)
            })),
            Err(error) => Err(error),
        }
    }
}

/// The tag that stands in for the referrers of what has `digest`: algorithm and value, cut and with nothing that a tag cannot have
/// (distribution spec, "Referrers Tag Schema").
pub(super) fn fallback_tag(digest: &str) -> Result<Tag> {
    let cut = |text: &str, most: usize| -> String {
        let legal = |letter: char| {
            if letter.is_ascii_alphanumeric() || "._-".contains(letter) { letter } else { '-' }
        };
        text.chars().take(most).map(legal).collect()
    };
    let (algorithm, value) = digest.split_once(':').unwrap_or((digest, ""));
    Ok(Tag::parse(&format!("{}-{}", cut(algorithm, 32), cut(value, 64)))?)
}

fn names(entry: &Value, digest: &str) -> bool {
    entry.get("digest").and_then(Value::as_str) == Some(digest)
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
            (
                "test+algorithm+using+algorithm+separators+and+lots+of+characters+to+excercise+overall+truncation:alsoSome=InTheEncodedSectionToShowHyphenReplacementAndLotsAndLotsOfCharactersToExcerciseEncodedTruncation".to_owned(),
                "test-algorithm-using-algorithm-s-alsoSome-InTheEncodedSectionToShowHyphenReplacementAndLotsAndLot".to_owned(),
            ),
        ] {
            assert_eq!(fallback_tag(&digest).unwrap().as_str(), tag);
        }
    }
}
