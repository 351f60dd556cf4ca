use crate::{
    digest::Digest,
    error::{Error, ErrorKind, Reason, Result},
    name::{Selector, Tag},
    oci::Descriptor,
    store::TagMode,
};

/// What a store itself can look up.
pub(crate) enum Target<'a> {
    Tag(&'a Tag),
    Digest(&'a Digest),
}

/// A selector as a store takes it. Ranges were resolved by the verbs; a digest beside a tag is what counts.
pub(crate) fn target(selector: &Selector) -> Result<Target<'_>> {
    match selector {
        Selector::Tag(tag) => Ok(Target::Tag(tag)),
        Selector::Digest(digest) | Selector::Pinned { digest, .. } => Ok(Target::Digest(digest)),
        Selector::Range(range) => {
            Err(Error::new(ErrorKind::InvalidInput, "a store takes a tag or a digest, not a version range")
                .with_context("range", range)
                .with_hint("name one version: by a tag, a digest, or as it is, without a range"))
        }
    }
}

/// Whether `descriptor` is a manifest; only manifests have tags.
pub(crate) fn taggable(descriptor: &Descriptor, tags: &[(Tag, TagMode)]) -> Result<bool> {
    let manifest = descriptor.media_type.is_manifest();
    if manifest || tags.is_empty() {
        return Ok(manifest);
    }
    Err(Error::new(ErrorKind::InvalidInput, "only manifests can be tagged")
        .with_context("media type", &descriptor.media_type)
        .with_context("digest", descriptor.digest))
}

pub(crate) fn missing_tag(tag: &Tag) -> Error {
    Error::new(ErrorKind::NotFound, "no such tag")
        .with_reason(Reason::TagMissing)
        .with_context("tag", tag)
        .with_hint("list the tags of the store; in a tag, the + of a version is written _")
}

pub(crate) fn missing_manifest(digest: &Digest) -> Error {
    Error::new(ErrorKind::NotFound, "no such manifest")
        .with_reason(Reason::ManifestMissing)
        .with_context("digest", digest)
}

pub(crate) fn missing_content(descriptor: &Descriptor) -> Error {
    if descriptor.media_type.is_manifest() {
        return missing_manifest(&descriptor.digest);
    }
    Error::new(ErrorKind::NotFound, "no such blob")
        .with_reason(Reason::BlobMissing)
        .with_context("digest", descriptor.digest)
        .with_context("media type", &descriptor.media_type)
}
