use std::sync::LazyLock;

use bytes::Bytes;
use reqwest::{
    Method, StatusCode,
    header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue},
};
use serde::Deserialize;

use super::{Repository, missing};
use crate::{
    digest::{Digest, Hasher},
    error::{Error, ErrorKind, Reason, Result},
    http::{Body, Repeat, Request, Response, wire},
    name::Tag,
    oci::{Descriptor, MediaType},
    store::{Blob, Pushed, TagMode, Target, Verdict, collect, judge, reference},
};

const DIGEST: &str = "docker-content-digest";

static MANIFESTS: LazyLock<HeaderValue> = LazyLock::new(|| {
    let types: Vec<_> = MediaType::MANIFESTS.iter().map(MediaType::as_str).collect();
    // Nothing in media types keeps them from being a header.
    HeaderValue::from_str(&types.join(", ")).unwrap_or(HeaderValue::from_static("*/*"))
});

impl Repository {
    /// What `target` points at, by the headers alone where the registry tells enough in them.
    pub(super) async fn look(&self, target: &Target<'_>) -> Result<Option<Descriptor>> {
        if !self.registry().quirks.no_head.is_set() {
            let response = self.ask(Method::HEAD, target).await?;
            match response.status() {
                StatusCode::OK => {
                    if let Some(descriptor) = described(&response, target)? {
                        return Ok(Some(descriptor));
                    }
                    self.registry().quirks.no_head.set();
                }
                StatusCode::NOT_FOUND => return Ok(None),
                StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => {
                    self.registry().quirks.no_head.set();
                }
                // A refused HEAD says nothing but its status. The body of a GET says why.
                StatusCode::BAD_REQUEST | StatusCode::FORBIDDEN | StatusCode::PRECONDITION_FAILED => {}
                _ => return Err(response.refused().await),
            }
        }
        match self.manifest(target).await {
            Ok((descriptor, _)) => Ok(Some(descriptor)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn has_manifest(&self, digest: &Digest) -> Result<bool> {
        let target = Target::Digest(digest);
        if !self.registry().quirks.no_head.is_set() {
            let response = self.ask(Method::HEAD, &target).await?;
            match response.status() {
                // 412: it is there, and a policy keeps it from being pulled.
                StatusCode::OK | StatusCode::PRECONDITION_FAILED => return Ok(true),
                StatusCode::NOT_FOUND => return Ok(false),
                _ => response.drain().await,
            }
        }
        Ok(self.look(&target).await?.is_some())
    }

    /// The manifest itself, held against the digest asked for and the one that the registry claims.
    pub(super) async fn manifest(&self, target: &Target<'_>) -> Result<(Descriptor, Bytes)> {
        let response = self.ask(Method::GET, target).await?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Err(response.refused_as(missing(target)).await),
            _ => return Err(response.refused().await),
        }
        let announced = media_type(&response);
        let claimed = claimed_digest(&response)?;
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
        Ok((Descriptor::new(media_type, digest, bytes.len() as u64), bytes))
    }

    pub(super) async fn push_manifest(&self, blob: &Blob, tags: &[(Tag, TagMode)]) -> Result<Pushed> {
        let descriptor = blob.descriptor();
        let bytes = collect(blob.open().await?, descriptor.size).await?;
        let mut writes = Vec::with_capacity(tags.len());
        for (tag, mode) in tags {
            if self.verdict(&descriptor.digest, tag, mode).await? == Verdict::Write {
                writes.push((tag, mode));
            }
        }
        let reference = reference(descriptor, &bytes);
        let listed = if tags.is_empty() {
            self.put(descriptor, bytes, &descriptor.digest.to_string()).await?
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
        let mut listed = false;
        for (tag, mode) in writes {
            listed |= self.put(descriptor, bytes.clone(), tag.as_str()).await?;
            if matches!(mode, TagMode::Expect(_)) {
                // There is no conditional write: whoever wrote at the same time is at least noticed.
                let now = self.look(&Target::Tag(tag)).await?.map(|now| now.digest);
                judge(&TagMode::Expect(descriptor.digest), tag, now.as_ref(), &descriptor.digest)?;
            }
        }
        Ok(listed)
    }

    /// Writes a manifest; tells whether the registry lists it among the referrers of its subject.
    pub(super) async fn put(&self, descriptor: &Descriptor, bytes: Bytes, reference: &str) -> Result<bool> {
        let url = self.url(format_args!("manifests/{reference}"), None);
        let media_type = HeaderValue::from_str(descriptor.media_type.as_str()).map_err(|_| {
            Error::new(
                ErrorKind::InvalidManifest,
                "the manifest's media type has characters that no header can carry",
            )
        })?;
        let make = || {
            Ok(Request::new(Method::PUT, url.clone())
                .with_header(CONTENT_TYPE, media_type.clone())
                .with_body(Body::Bytes(bytes.clone()))
                // The same bytes under the same name, however often.
                .with_repeat(Repeat::Always))
        };
        let response = self.send(self.writing(), make).await?;
        if !response.status().is_success() {
            return Err(response.refused().await);
        }
        match claimed_digest(&response)? {
            Some(claimed)
                if claimed.algorithm() == descriptor.digest.algorithm() && claimed != descriptor.digest =>
            {
                let error = Error::new(
                    ErrorKind::DigestMismatch,
                    "the registry stored the manifest under another digest",
                );
                Err(response
                    .explain(error.with_reason(Reason::WrongDigestHeader))
                    .with_context("expected", descriptor.digest)
                    .with_context("actual", claimed))
            }
            _ => {
                let listed = response.header("oci-subject").is_some();
                response.drain().await;
                Ok(listed)
            }
        }
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
        self.read(&path, make).await
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
    let view: View<'_> = serde_json::from_slice(bytes).ok()?;
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
            (manifest, b"<html>", None),
        ] {
            assert_eq!(agreed_type(announced, bytes), expected);
        }
    }
}
