use bytes::Bytes;
use futures_util::stream;
use reqwest::{
    Method, StatusCode,
    header::{ACCEPT, CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderValue, IF_RANGE, RANGE},
};

use super::Repository;
use crate::{
    error::{Error, ErrorKind, Reason, Result},
    http::{Repeat, Request, Response, Retry, wire::ContentRange},
    oci::Descriptor,
    store::{ByteStream, Target, content_stream, missing_content, verified},
};

/// So many bytes, in one go, and a connection counts as one that works: a download over a bad line then goes on as long as it gets ahead.
const GETS_AHEAD: u64 = 256 << 10;

/// Content on its way. Where it breaks off it is asked for from there on: at the registry itself, whose redirect to a storage service may
/// be good for a few minutes only.
struct Download {
    repository: Repository,
    descriptor: Descriptor,
    path: String,
    accept: HeaderValue,
    response: Option<Response>,
    retry: Retry,
    /// How much was handed on.
    have: u64,
    /// How much of that was there when the last connection broke.
    had: u64,
    /// How much comes that was handed on already.
    skip: u64,
    /// What the registry calls this version of the content.
    version: Option<HeaderValue>,
    /// Whether bytes came, and every failure is counted here.
    begun: bool,
    /// Whether asking for a part is of any use.
    by_parts: bool,
}

impl Repository {
    /// The bytes of a blob or manifest, checked on their way.
    pub(super) async fn content(&self, descriptor: &Descriptor) -> Result<ByteStream> {
        let manifest = descriptor.media_type.is_manifest();
        if manifest && self.registry().is_guess(descriptor) {
            // Harbor before some storage: HEAD and GET of a manifest announce different lengths, and ours is the one of a HEAD.
            let (_, bytes) = self.manifest(&Target::Digest(&descriptor.digest)).await?;
            return Ok(content_stream(&bytes.into()));
        }
        let kind = if manifest { "manifests" } else { "blobs" };
        let accept = if manifest { descriptor.media_type.as_str() } else { "*/*" };
        let mut download = Download {
            repository: self.clone(),
            descriptor: descriptor.clone(),
            path: format!("{kind}/{}", descriptor.digest),
            accept: HeaderValue::from_str(accept).unwrap_or(HeaderValue::from_static("*/*")),
            response: None,
            retry: self.registry().http().retry(),
            have: 0,
            had: 0,
            skip: 0,
            version: None,
            begun: false,
            by_parts: true,
        };
        download.begin().await?;
        let pieces = stream::try_unfold(download, |mut download| async move {
            Ok(download.next().await?.map(|piece| (piece, download)))
        });
        Ok(verified(Box::pin(pieces), descriptor))
    }
}

impl Download {
    async fn begin(&mut self) -> Result<()> {
        let mut was_wrong = false;
        while let Err(error) = self.open().await {
            // Whatever else may pass was tried again already. A wrong length may be one cache's of many, and costs one more look.
            let wrong = error.reason() == Some(Reason::SizeMismatch);
            if !is_stale(&error) && (!wrong || was_wrong) {
                return Err(error);
            }
            was_wrong |= wrong;
            self.retry.again(error.with_retryable(true)).await?;
        }
        self.begun = true;
        Ok(())
    }

    /// The next piece.
    async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            let result = match &mut self.response {
                Some(response) => response.chunk().await,
                None => match self.open().await {
                    Ok(()) => continue,
                    Err(error) => Err(error),
                },
            };
            match result {
                Ok(None) => return Ok(None),
                Ok(Some(piece)) => {
                    let fresh = self.fresh(piece);
                    if !fresh.is_empty() {
                        return Ok(Some(fresh));
                    }
                }
                Err(error) => {
                    self.response = None;
                    if self.have - self.had >= GETS_AHEAD {
                        self.retry.progress();
                    }
                    self.had = self.have;
                    self.retry.again(error).await?;
                }
            }
        }
    }

    /// What of `piece` was not handed on before.
    fn fresh(&mut self, mut piece: Bytes) -> Bytes {
        let old = usize::try_from(self.skip).unwrap_or(usize::MAX).min(piece.len());
        self.skip -= old as u64;
        let fresh = piece.split_off(old);
        self.have += fresh.len() as u64;
        fresh
    }

    /// Asks for what is missing, or for everything where the registry gives no parts; what was handed on is then passed over.
    async fn open(&mut self) -> Result<()> {
        let part = self.have > 0 && self.by_parts;
        let response = self.send(part).await?;
        match response.status() {
            StatusCode::OK => {
                self.expect(&response, self.descriptor.size)?;
                self.version = version(&response);
                self.skip = self.have;
            }
            StatusCode::PARTIAL_CONTENT if part => {
                if !self.is_the_rest(&response) {
                    self.by_parts = false;
                    let error =
                        response.broken("the answer is another part than asked for", Reason::MalformedAnswer);
                    return Err(error.with_retryable(true));
                }
                self.skip = 0;
            }
            StatusCode::RANGE_NOT_SATISFIABLE if part => {
                self.by_parts = false;
                return Err(response.refused().await.with_retryable(true));
            }
            StatusCode::NOT_FOUND => {
                return Err(self.repository.absent(response, missing_content(&self.descriptor)).await);
            }
            status if status.is_success() => {
                return Err(response.broken("the answer is not the whole content", Reason::MalformedAnswer));
            }
            StatusCode::BAD_REQUEST | StatusCode::FORBIDDEN if response.left_origin() => {
                // The storage service's word for an address that was good for some minutes; the registry gives out another.
                return Err(response.refused().await.with_retryable(true));
            }
            _ => return Err(response.refused().await),
        }
        self.response = Some(response);
        Ok(())
    }

    /// A range is asked for only to go on: there are registries that cannot bear one.
    async fn send(&self, part: bool) -> Result<Response> {
        let make = |url| {
            let request = Request::new(Method::GET, url).with_header(ACCEPT, self.accept.clone());
            if !self.begun {
                return request;
            }
            let request = request.with_repeat(Repeat::Never);
            if !part {
                return request;
            }
            let range = HeaderValue::try_from(format!("bytes={}-", self.have));
            let request = request.with_header(RANGE, range.unwrap_or(HeaderValue::from_static("bytes=0-")));
            match &self.version {
                Some(version) => request.with_header(IF_RANGE, version.clone()),
                None => request,
            }
        };
        self.repository.read(&self.path, &make).await
    }

    /// Whether the answer goes on where the last one broke off, with the same content.
    fn is_the_rest(&self, response: &Response) -> bool {
        let Some(range) = response.header(CONTENT_RANGE).and_then(ContentRange::parse) else { return false };
        let other = version(response)
            .is_some_and(|version| self.version.as_ref().is_some_and(|known| *known != version));
        range.first == self.have
            && range.last.checked_add(1) == Some(self.descriptor.size)
            && range.whole.is_none_or(|whole| whole == self.descriptor.size)
            && !other
    }

    fn expect(&self, response: &Response, size: u64) -> Result<()> {
        let length = response.header(CONTENT_LENGTH).and_then(|length| length.parse().ok());
        match length {
            Some(length) if length != size => Err(wrong_length(response, &self.descriptor, length)),
            _ => Ok(()),
        }
    }
}

/// A strong entity tag: by a weak one nothing can be told about bytes (RFC 9110, 13.1.5).
fn version(response: &Response) -> Option<HeaderValue> {
    let tag = response.headers().get(ETAG)?;
    tag.as_bytes().starts_with(b"\"").then(|| tag.clone())
}

fn is_stale(error: &Error) -> bool {
    error.is_retryable() && matches!(error.get("status"), Some("400" | "403"))
}

fn wrong_length(response: &Response, descriptor: &Descriptor, length: u64) -> Error {
    let error =
        Error::new(ErrorKind::DigestMismatch, "the registry announces another size than the descriptor");
    response
        .explain(error.with_reason(Reason::SizeMismatch))
        .with_context("digest", descriptor.digest)
        .with_context("expected bytes", descriptor.size)
        .with_context("bytes", length)
}
