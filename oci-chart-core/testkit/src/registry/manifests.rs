//! Manifests: stored byte for byte, after a look at what they refer to.

use std::collections::BTreeSet;

use hyper::StatusCode;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH};

use super::answer::{ApiError, CONTENT_DIGEST, Content, Refusal, Reply, bad_request, not_found, unsupported};
use super::blobs::parse;
use super::digest::{Algorithm, Digest};
use super::exchange::Call;
use super::facts::Facts;
use super::policy;
use super::route::is_tag;
use super::storage::Manifest;
use crate::log::locked;
use crate::quirk::Quirk;

const SUBJECT: HeaderName = HeaderName::from_static("oci-subject");
const TAG: HeaderName = HeaderName::from_static("oci-tag");
const DEFAULT_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";

pub(crate) fn get(call: &Call<'_>, repository: &str, reference: &str) -> Result<Reply, Refusal> {
    Target::parse(reference)?;
    let manifest =
        locked(&call.state.storage).manifest(repository, reference).ok_or_else(|| unknown(reference))?;
    policy::may_read(call, repository, &manifest)?;
    let etag = format!("\"{}\"", manifest.digest);
    let base =
        |status| Reply::new(status).header(CONTENT_DIGEST, manifest.digest.to_string()).header(ETAG, &etag);
    if call.headers.get(IF_NONE_MATCH).is_some_and(|tag| tag.as_bytes() == etag.as_bytes()) {
        return Ok(base(StatusCode::NOT_MODIFIED));
    }
    let content = Content::Bytes(manifest.bytes.clone());
    let mut reply = base(StatusCode::OK).header(CONTENT_TYPE, &manifest.media_type).content(content);
    if call.method == "HEAD" && call.state.has(Quirk::HeadLengthDiffers) {
        reply = reply.header(CONTENT_LENGTH, (manifest.bytes.len() + 1).to_string());
    }
    policy::counted(call, reply)
}

pub(crate) async fn put(call: &mut Call<'_>, repository: &str, reference: &str) -> Result<Reply, Refusal> {
    let options = &call.state.options;
    super::uploads::check_repository(call, repository)?;
    let target = Target::parse(reference)?;
    let bytes = call.body.collect(options.max_manifest).await?;
    let facts = Facts::read(&bytes).map_err(|why| bad_request("MANIFEST_INVALID", why))?;
    let media_type = media_type(call, &facts)?;

    let (digest, mut tags) = match target {
        Target::Digest(digest) => {
            let actual = Digest::of(digest.algorithm(), &bytes);
            if actual != digest {
                let message = format!("the manifest has the digest {actual}");
                return Err(bad_request("DIGEST_INVALID", message).into());
            }
            (digest, BTreeSet::new())
        }
        Target::Tag(tag) => (Digest::of(Algorithm::Sha256, &bytes), BTreeSet::from([tag])),
    };
    for tag in &tags {
        policy::may_tag(call, repository, tag)?;
    }
    let by_digest = tags.is_empty();
    if by_digest && options.tag_parameters {
        for tag in call.query.all("tag") {
            if !is_tag(tag) {
                return Err(bad_request("MANIFEST_INVALID", format!("{tag:?} is not a tag")).into());
            }
            tags.insert(tag.to_owned());
        }
    }
    let mut storage = locked(&call.state.storage);
    if options.check_references {
        facts.check(storage.repository(repository))?;
    }
    let subject = facts.subject.clone().filter(|_| options.referrers_api);
    let manifest = Manifest { digest: digest.clone(), media_type, bytes, facts };
    storage.open(repository).put_manifest(manifest, &tags);

    let mut reply = Reply::new(StatusCode::CREATED).header(CONTENT_DIGEST, digest.to_string());
    if options.manifest_location {
        reply = reply.location(&call.url(&format!("/v2/{repository}/manifests/{digest}")));
    }
    if let Some(subject) = subject {
        reply = reply.header(SUBJECT, subject);
    }
    if by_digest && !tags.is_empty() {
        let tags: Vec<_> = tags.into_iter().collect();
        reply = reply.header(TAG, tags.join(", "));
    }
    Ok(reply)
}

pub(crate) fn delete(call: &Call<'_>, repository: &str, reference: &str) -> Result<Reply, Refusal> {
    let target = Target::parse(reference)?;
    let options = &call.state.options;
    let no_tags = !options.tag_delete || call.state.has(Quirk::TagDeleteIsBad);
    if !options.delete || (no_tags && matches!(target, Target::Tag(_))) {
        return Err(unsupported("deleting is switched off").into());
    }
    let mut storage = locked(&call.state.storage);
    let Some(repository) = storage.existing(repository) else {
        return Err(not_found("NAME_UNKNOWN", "repository name not known to registry").into());
    };
    let removed = match target {
        Target::Digest(digest) => repository.delete_manifest(&digest),
        Target::Tag(tag) => repository.tags.remove(&tag).is_some(),
    };
    if removed { Ok(Reply::new(StatusCode::ACCEPTED)) } else { Err(unknown(reference).into()) }
}

/// The `<tag-or-digest>` of a manifest URL.
enum Target {
    Tag(String),
    Digest(Digest),
}

impl Target {
    fn parse(reference: &str) -> Result<Self, ApiError> {
        if reference.contains(':') {
            parse(reference).map(Self::Digest)
        } else if is_tag(reference) {
            Ok(Self::Tag(reference.to_owned()))
        } else {
            Err(bad_request("MANIFEST_INVALID", format!("{reference:?} is neither a tag nor a digest")))
        }
    }
}

/// The `Content-Type` without parameters, which must agree with the manifest's own `mediaType`.
fn media_type(call: &Call<'_>, facts: &Facts) -> Result<String, ApiError> {
    let header = call.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let header = header.map(|value| value.split(';').next().unwrap_or_default().trim().to_owned());
    match (header, &facts.media_type) {
        (Some(header), Some(field)) if header != *field => {
            let message = format!("mediaType is {field}, Content-Type is {header}");
            Err(bad_request("MANIFEST_INVALID", message))
        }
        (Some(header), _) => Ok(header),
        (None, field) => Ok(field.clone().unwrap_or_else(|| DEFAULT_TYPE.to_owned())),
    }
}

fn unknown(reference: &str) -> ApiError {
    not_found("MANIFEST_UNKNOWN", format!("manifest {reference} unknown to registry"))
}
