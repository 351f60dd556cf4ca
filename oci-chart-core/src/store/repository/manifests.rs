use std::sync::LazyLock;

use bytes::Bytes;
use reqwest::{
    Method, StatusCode,
    header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderValue, IF_MATCH},
};
use serde::Deserialize;

use super::{
    Repository,
    capabilities::{Feature, Support},
    missing,
};
use crate::{
    digest::{Algorithm, Digest, Hasher},
    error::{Error, ErrorKind, Reason, Result},
    http::{Body, Repeat, Request, Response, wire},
    json,
    name::Tag,
    oci::{Descriptor, MediaType},
    store::{Blob, Pushed, TagMode, Target, Verdict, collect, judge, reference},
};

const DIGEST: &str = "docker-content-digest";

/// A manifest that was found.
pub(super) struct Found {
    pub(super) descriptor: Descriptor,
    pub(super) bytes: Bytes,
    /// The strong validator that the registry gave it.
    pub(super) etag: Option<String>,
}

/// A manifest to be written.
pub(super) struct Put<'a> {
    descriptor: &'a Descriptor,
    bytes: Bytes,
    reference: &'a str,
    tags: &'a [&'a Tag],
    only_if: Option<&'a str>,
}

impl<'a> Put<'a> {
    /// Under `reference`, a tag or the digest.
    pub(super) fn new(descriptor: &'a Descriptor, bytes: Bytes, reference: &'a str) -> Self {
        Self { descriptor, bytes, reference, tags: &[], only_if: None }
    }

    fn with_tags(mut self, tags: &'a [&'a Tag]) -> Self {
        self.tags = tags;
        self
    }

    /// Only if what is there now has this validator.
    pub(super) fn only_if(mut self, etag: Option<&'a str>) -> Self {
        self.only_if = etag;
        self
    }
}

/// What a registry said of a manifest that it took.
pub(super) struct Written {
    /// Whether it lists the manifest among the referrers of its subject.
    pub(super) is_listed: bool,
    /// The tags that it set beside the reference.
    tags: Vec<String>,
}

static MANIFESTS: LazyLock<HeaderValue> = LazyLock::new(|| {
    let types: Vec<_> = MediaType::MANIFESTS.iter().map(MediaType::as_str).collect();
    // Nothing in media types keeps them from being a header.
    HeaderValue::from_str(&types.join(", ")).unwrap_or(HeaderValue::from_static("*/*"))
});

impl Repository {
    /// What `target` points at, by the headers alone where the registry tells enough in them.
    pub(super) async fn look(&self, target: &Target<'_>) -> Result<Option<Descriptor>> {
        let learnt = &self.registry().learnt;
        if !learnt.lacks(Feature::Head) {
            let response = self.ask(Method::HEAD, target).await?;
            match response.status() {
                StatusCode::OK => match described(&response, target)? {
                    Some(descriptor) if descriptor.media_type.is_manifest() => {
                        self.registry().guess(&descriptor);
                        return Ok(Some(descriptor));
                    }
                    // Of a type that was not asked for: the answer to a GET shows what it is.
                    Some(_) => {}
                    None => learnt.learn(Feature::Head, false),
                },
                StatusCode::NOT_FOUND => return Ok(None),
                status => self.refused_head(status, response).await?,
            }
        }
        self.look_closer(target).await
    }

    pub(super) async fn has_manifest(&self, digest: &Digest) -> Result<bool> {
        let target = Target::Digest(digest);
        if !self.registry().learnt.lacks(Feature::Head) {
            let response = self.ask(Method::HEAD, &target).await?;
            match response.status() {
                // 412: it is there, and a policy keeps it from being pulled.
                StatusCode::OK | StatusCode::PRECONDITION_FAILED => return Ok(true),
                StatusCode::NOT_FOUND => return Ok(false),
                status => self.refused_head(status, response).await?,
            }
        }
        Ok(self.look_closer(&target).await?.is_some())
    }

    /// A refused HEAD says nothing but its status; a GET is to say why. Not where that would only be one more request to who has enough
    /// of them.
    async fn refused_head(&self, status: StatusCode, response: Response) -> Result<()> {
        match status.as_u16() {
            405 | 501 => self.registry().learnt.learn(Feature::Head, false),
            408 | 429 | 502..=504 => return Err(response.refused().await),
            _ => {}
        }
        response.drain().await;
        Ok(())
    }

    /// What `target` points at, by reading it.
    async fn look_closer(&self, target: &Target<'_>) -> Result<Option<Descriptor>> {
        let error = match self.manifest(target).await {
            Ok((descriptor, _)) => return Ok(Some(descriptor)),
            Err(error) => error,
        };
        match (error.kind(), error.reason(), target) {
            (ErrorKind::NotFound, Some(Reason::ProjectMissing), _) => Err(error),
            (ErrorKind::NotFound, ..) => Ok(None),
            // Artifactory's answer for what is not there to those who may write, but not read everything.
            (ErrorKind::PermissionDenied, Some(Reason::AccessDenied), Target::Tag(tag))
                if self.is_written() =>
            {
                match self.is_unlisted(tag).await {
                    Ok(true) => Ok(None),
                    _ => Err(error),
                }
            }
            _ => Err(error),
        }
    }

    /// The manifest itself, held against the digest asked for and the one that the registry claims.
    pub(super) async fn manifest(&self, target: &Target<'_>) -> Result<(Descriptor, Bytes)> {
        self.find(target).await.map(|found| (found.descriptor, found.bytes))
    }

    pub(super) async fn find(&self, target: &Target<'_>) -> Result<Found> {
        let response = self.ask(Method::GET, target).await?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Err(self.absent(response, missing(target)).await),
            _ => return Err(response.refused().await),
        }
        let announced = media_type(&response);
        let claimed = claimed_digest(&response)?;
        let etag = response.header(ETAG).filter(|etag| !etag.starts_with("W/")).map(str::to_owned);
        let wrong_type = response.broken("the answer is no manifest", Reason::WrongMediaType);
        let origin =
            response.explain(Error::new(ErrorKind::DigestMismatch, "the manifest does not have the digest"));
        let bytes = response.bytes("manifest_bytes", self.registry().limits().manifest_bytes).await?;

        let asked = match target {
            Target::Digest(digest) => Some(**digest),
            Target::Tag(_) => None,
        };
        let mut digest = None;
        for (expected, whose) in [(asked, "asked for"), (claimed, "claimed by the registry")] {
            let Some(expected) = expected.filter(|expected| digest != Some(*expected)) else { continue };
            let mut hasher = Hasher::new(expected.algorithm());
            hasher.update(&bytes);
            let actual = hasher.finish();
            if actual != expected {
                let error = origin.with_context("digest", whose).with_context("expected", expected);
                let error = error.with_context("actual", actual);
                return Err(if asked == Some(expected) {
                    error
                } else {
                    error.with_reason(Reason::WrongDigestHeader)
                });
            }
            digest.get_or_insert(actual);
        }
        let digest = digest.unwrap_or_else(|| Digest::of(&bytes));
        let media_type = agreed_type(announced, &bytes).ok_or(wrong_type)?;
        Ok(Found { descriptor: Descriptor::new(media_type, digest, bytes.len() as u64), bytes, etag })
    }

    pub(super) async fn push_manifest(&self, blob: &Blob, tags: &[(Tag, TagMode)]) -> Result<Pushed> {
        let descriptor = blob.descriptor();
        let bytes = collect(blob.open().await?, descriptor.size).await?;
        if agreed_type(Some(descriptor.media_type.clone()), &bytes).is_none() {
            return Err(Error::new(
                ErrorKind::InvalidManifest,
                "the manifest is not of the type it is pushed as",
            )
            .with_reason(Reason::WrongMediaType)
            .with_context("media type", &descriptor.media_type)
            .with_context("digest", descriptor.digest));
        }
        let mut writes = Vec::with_capacity(tags.len());
        for (tag, mode) in tags {
            if self.verdict(&descriptor.digest, tag, mode).await? == Verdict::Write {
                writes.push((tag, mode));
            }
        }
        let reference = reference(descriptor, &bytes);
        let listed = if tags.is_empty() {
            self.put(Put::new(descriptor, bytes, &descriptor.digest.to_string())).await?.is_listed
        } else if writes.is_empty() {
            return Ok(Pushed::Existing);
        } else {
            self.put_tags(descriptor, &bytes, &writes).await?
        };
        match reference {
            Some(reference) if !listed => self.list_as_referrer(&reference).await.map(|()| Pushed::Written),
            _ => Ok(Pushed::Written),
        }
    }

    /// Lets `tag` point at a manifest that is there: the API has no other way than to write it once more.
    pub(super) async fn point(&self, descriptor: &Descriptor, tag: &Tag, mode: &TagMode) -> Result<()> {
        self.writing();
        if self.verdict(&descriptor.digest, tag, mode).await? == Verdict::Keep {
            return Ok(());
        }
        let (found, bytes) = self.manifest(&Target::Digest(&descriptor.digest)).await?;
        self.put_tags(&found, &bytes, &[(tag, mode)]).await.map(drop)
    }

    async fn verdict(&self, digest: &Digest, tag: &Tag, mode: &TagMode) -> Result<Verdict> {
        self.writing();
        let now = match mode {
            TagMode::Replace => None,
            _ => self.look(&Target::Tag(tag)).await?.map(|now| now.digest),
        };
        judge(mode, tag, now.as_ref(), digest)
    }

    async fn put_tags(
        &self,
        descriptor: &Descriptor,
        bytes: &Bytes,
        writes: &[(&Tag, &TagMode)],
    ) -> Result<bool> {
        let mut is_listed = false;
        let mut left: Vec<&Tag> = writes.iter().map(|(tag, _)| *tag).collect();
        if self.goes_at_once(descriptor, left.len()) {
            let digest = descriptor.digest.to_string();
            let answer = self.put(Put::new(descriptor, bytes.clone(), &digest).with_tags(&left)).await?;
            is_listed = answer.is_listed;
            self.registry().learnt.learn(Feature::TagParameters, !answer.tags.is_empty());
            left.retain(|tag| !answer.tags.iter().any(|set| set == tag.as_str()));
        }
        for tag in left {
            is_listed |= self.put(Put::new(descriptor, bytes.clone(), tag.as_str())).await?.is_listed;
        }
        for (tag, mode) in writes {
            if matches!(mode, TagMode::Expect(_)) {
                // There is no conditional write: whoever wrote at the same time is at least noticed.
                let now = self.look(&Target::Tag(tag)).await?.map(|now| now.digest);
                judge(&TagMode::Expect(descriptor.digest), tag, now.as_ref(), &descriptor.digest)?;
            }
        }
        Ok(is_listed)
    }

    /// Whether a manifest is written under its digest with all its tags as parameters (distribution spec after 1.1). Where nobody knows whether the
    /// registry can do that, it is tried when it saves more than it may cost. Only so does a registry learn of another algorithm than its own.
    fn goes_at_once(&self, descriptor: &Descriptor, tags: usize) -> bool {
        let foreign = descriptor.digest.algorithm() != Algorithm::Sha256;
        foreign
            || match self.registry().learnt.get(Feature::TagParameters) {
                Support::Yes => tags > 1,
                Support::No => false,
                _ => tags > 2,
            }
    }

    /// Writes a manifest.
    pub(super) async fn put(&self, put: Put<'_>) -> Result<Written> {
        let mut url = self.url(format_args!("manifests/{}", put.reference), None);
        for tag in put.tags {
            url.query_pairs_mut().append_pair("tag", tag.as_str());
        }
        let invalid = |_| {
            Error::new(
                ErrorKind::InvalidManifest,
                "the manifest's media type has characters that no header can carry",
            )
        };
        let media_type = HeaderValue::from_str(put.descriptor.media_type.as_str()).map_err(invalid)?;
        let condition = put.only_if.and_then(|etag| HeaderValue::from_str(etag).ok());
        let make = || {
            let request = Request::new(Method::PUT, url.clone())
                .with_header(CONTENT_TYPE, media_type.clone())
                .with_body(Body::Bytes(put.bytes.clone()))
                // The same bytes under the same name, however often.
                .with_repeat(Repeat::Always);
            Ok(match &condition {
                Some(etag) => request.with_header(IF_MATCH, etag.clone()),
                None => request,
            })
        };
        let response = self.send(self.writing(), &make).await?;
        if !response.status().is_success() {
            return Err(response.refused().await);
        }
        let expected = put.descriptor.digest;
        if let Some(claimed) = claimed_digest(&response)?
            && claimed.algorithm() == expected.algorithm()
            && claimed != expected
        {
            let error = Error::new(
                ErrorKind::DigestMismatch,
                "the registry stored the manifest under another digest",
            );
            return Err(response
                .explain(error.with_reason(Reason::WrongDigestHeader))
                .with_context("expected", expected)
                .with_context("actual", claimed));
        }
        let is_listed = response.header("oci-subject").is_some();
        if is_listed {
            self.registry().learnt.learn(Feature::Referrers, true);
        }
        let all = response.headers().get_all("oci-tag").iter().filter_map(|tags| tags.to_str().ok());
        let tags = all.flat_map(|tags| tags.split(',')).map(|tag| tag.trim().to_owned()).collect();
        response.drain().await;
        Ok(Written { is_listed, tags })
    }

    async fn ask(&self, method: Method, target: &Target<'_>) -> Result<Response> {
        let path = match target {
            Target::Tag(tag) => format!("manifests/{tag}"),
            Target::Digest(digest) => format!("manifests/{digest}"),
        };
        let limit = self.registry().limits().manifest_bytes;
        let make = |url| {
            Request::new(method.clone(), url)
                .with_header(ACCEPT, MANIFESTS.clone())
                .with_whole_answer("manifest_bytes", limit)
        };
        self.read(&path, &make).await
    }
}

/// The descriptor that the headers of a HEAD make, if they are all there.
fn described(response: &Response, target: &Target<'_>) -> Result<Option<Descriptor>> {
    let claimed = claimed_digest(response)?;
    let digest = match (target, claimed) {
        (Target::Digest(asked), Some(claimed))
            if asked.algorithm() == claimed.algorithm() && **asked != claimed =>
        {
            let error = Error::new(
                ErrorKind::DigestMismatch,
                "the registry answers with another digest than asked for",
            );
            return Err(response
                .explain(error.with_reason(Reason::WrongDigestHeader))
                .with_context("expected", asked)
                .with_context("actual", claimed));
        }
        (Target::Digest(asked), _) => **asked,
        (Target::Tag(_), Some(claimed)) => claimed,
        (Target::Tag(_), None) => return Ok(None),
    };
    let size = response.header(CONTENT_LENGTH).and_then(|length| length.parse().ok());
    Ok(size.zip(media_type(response)).map(|(size, media_type)| Descriptor::new(media_type, digest, size)))
}

/// The digest header, where it is of an algorithm that can be checked.
fn claimed_digest(response: &Response) -> Result<Option<Digest>> {
    match response.header(DIGEST).map(str::parse) {
        None | Some(Err(crate::digest::ParseDigestError::Algorithm)) => Ok(None),
        Some(Ok(digest)) => Ok(Some(digest)),
        Some(Err(_)) => {
            Err(response.broken("the registry's digest header is no digest", Reason::WrongDigestHeader))
        }
    }
}

/// The announced media type; `None` for those that say only what the bytes are made of.
fn media_type(response: &Response) -> Option<MediaType> {
    let essence = wire::essence(response.header(CONTENT_TYPE)?);
    let vague =
        ["", "application/json", "application/octet-stream", "text/plain"].contains(&essence.as_str());
    (!vague).then(|| MediaType::from(essence))
}

/// The type of a manifest: as announced, and not otherwise than it says itself (distribution spec, "Pulling manifests").
fn agreed_type(announced: Option<MediaType>, bytes: &[u8]) -> Option<MediaType> {
    #[derive(Deserialize)]
    struct View<'a> {
        #[serde(rename = "mediaType", borrow)]
        media_type: Option<std::borrow::Cow<'a, str>>,
    }
    let view: View<'_> = json::object(bytes).ok()?;
    match (announced, view.media_type.map(|own| MediaType::from(&*own))) {
        (Some(announced), None) => Some(announced),
        (Some(announced), Some(own)) => (announced == own).then_some(own),
        (None, own) => own,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_and_the_manifest_must_agree() {
        let own = br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json"}"#;
        let manifest = Some(MediaType::OCI_MANIFEST);
        for (announced, bytes, expected) in [
            (manifest.clone(), &own[..], manifest.clone()),
            (None, own, manifest.clone()),
            (Some(MediaType::OCI_INDEX), own, None),
            (manifest.clone(), b"{}", manifest.clone()),
            (None, b"{}", None),
            (manifest.clone(), br#"["application/vnd.oci.image.manifest.v1+json"]"#, None),
            (manifest, b"<html>", None),
        ] {
            assert_eq!(agreed_type(announced, bytes), expected);
        }
    }
}
