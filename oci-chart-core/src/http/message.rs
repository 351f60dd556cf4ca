use std::{fmt, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use reqwest::{
    Method, StatusCode, Url,
    header::{HeaderMap, HeaderName, HeaderValue},
};

use super::{
    body::Body,
    failure::{self, Place},
    gate::Permit,
    refusal,
    retry::Repeat,
};
use crate::error::{Error, ErrorKind, Reason, Result};

/// What an answer that refuses a request may be long to be read, in bytes.
const REFUSAL_BYTES: u64 = 128 << 10;

/// A request to be sent.
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
    pub(crate) redirects: Redirects,
    /// Unless said otherwise, what is safe to assume.
    pub(super) repeat: Option<Repeat>,
    /// How long it may take until the answer begins, with all tries, and what it is called when that is over.
    pub(super) patience: Option<(Duration, Reason)>,
    /// How much of a successful answer's body is read before it counts as an answer, and that field of [`Limits`](crate::Limits).
    pub(super) whole: Option<(&'static str, u64)>,
}

/// What happens when the answer sends a request elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Redirects {
    /// It goes there, without credentials if that is another origin.
    Follow,
    /// It goes there, but only within its origin.
    SameOrigin,
    /// The redirect is the answer.
    Report,
}

impl Request {
    pub(crate) fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            body: Body::Empty,
            redirects: Redirects::Follow,
            repeat: None,
            patience: None,
            whole: None,
        }
    }

    #[must_use]
    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    #[must_use]
    pub(crate) fn with_redirects(mut self, redirects: Redirects) -> Self {
        self.redirects = redirects;
        self
    }

    #[must_use]
    pub(crate) fn with_body(mut self, body: Body) -> Self {
        self.body = body;
        self
    }

    /// Says whether the client may send it again by itself. Without a word it does so where that is safe for any registry: for GET and
    /// HEAD, for a POST without a body, for DELETE where it was refused for a while; never where the body is a stream.
    #[must_use]
    pub(crate) fn with_repeat(mut self, repeat: Repeat) -> Self {
        self.repeat = Some(repeat);
        self
    }

    /// Fails with `reason` when the answer has not begun within `time`, all tries included.
    #[must_use]
    pub(crate) fn with_patience(mut self, time: Duration, reason: Reason) -> Self {
        self.patience = Some((time, reason));
        self
    }

    /// Reads the body of a successful answer as well before calling it one, so that a body that breaks off is asked for again; `name` and
    /// `limit` as in [`Response::bytes`].
    #[must_use]
    pub(crate) fn with_whole_answer(mut self, name: &'static str, limit: u64) -> Self {
        self.whole = Some((name, limit));
        self
    }
}

/// The head of an answer, and its body still on the way.
pub(crate) struct Response {
    pub(super) inner: reqwest::Response,
    pub(super) place: Arc<Place>,
    /// Whether redirects led to another origin than the one asked.
    pub(super) left_origin: bool,
    /// Which try it answers.
    pub(super) attempt: u32,
    /// Held until the body has come.
    pub(super) permit: Permit,
    /// The body, where it has come already.
    pub(super) body: Option<Bytes>,
}

impl Response {
    pub(crate) fn status(&self) -> StatusCode {
        self.inner.status()
    }

    /// Where the answer came from, after redirects.
    pub(crate) fn url(&self) -> &Url {
        &self.place.url
    }

    /// Whether redirects led to another origin than the one asked: what it wants is not for our credentials.
    pub(crate) fn left_origin(&self) -> bool {
        self.left_origin
    }

    /// The first header of that name, where it is text. One without a value says as much as none.
    pub(crate) fn header(&self, name: impl AsRef<str>) -> Option<&str> {
        self.inner.headers().get(name.as_ref())?.to_str().ok().filter(|value| !value.is_empty())
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        self.inner.headers()
    }

    /// The whole body, if it has at most `limit` bytes; `name` is that field of [`Limits`](crate::Limits).
    pub(crate) async fn bytes(mut self, name: &'static str, limit: u64) -> Result<Bytes> {
        self.load(name, limit).await?;
        Ok(self.body.take().unwrap_or_default())
    }

    /// Has the whole body come.
    pub(super) async fn load(&mut self, name: &'static str, limit: u64) -> Result<()> {
        if self.body.is_none() {
            self.body = Some(self.read(name, limit).await?);
        }
        Ok(())
    }

    async fn read(&mut self, name: &'static str, limit: u64) -> Result<Bytes> {
        let too_long = |place: &Place| {
            place.explain(
                Error::limit(name, limit, "the registry's answer is too long")
                    .with_reason(Reason::DocumentTooLarge),
            )
        };
        if self.inner.content_length().is_some_and(|length| length > limit) {
            return Err(too_long(&self.place));
        }
        let Some(first) = self.chunk().await? else { return Ok(Bytes::new()) };
        let mut seen = first.len() as u64;
        let mut pieces = Pieces::One(first);
        while seen <= limit {
            let Some(piece) = self.chunk().await? else { return Ok(pieces.join()) };
            seen = seen.saturating_add(piece.len() as u64);
            pieces.push(&piece);
        }
        Err(too_long(&self.place))
    }

    /// Reads what is left, if it is short, so that the connection can be used again.
    pub(crate) async fn drain(self) {
        let _ = self.bytes("answer_bytes", REFUSAL_BYTES).await;
    }

    /// The body of a refusal, which is still there to be read afterwards.
    pub(crate) async fn peek(&mut self) -> Bytes {
        if self.load("answer_bytes", REFUSAL_BYTES).await.is_err() {
            self.body = Some(Bytes::new());
        }
        self.body.clone().unwrap_or_default()
    }

    /// The error that a refusing answer stands for, with what its body tells.
    pub(crate) async fn refused(self) -> Error {
        let (status, place, headers) = (self.status(), Arc::clone(&self.place), self.inner.headers().clone());
        let attempt = self.attempt;
        let body = self.bytes("answer_bytes", REFUSAL_BYTES).await.unwrap_or_default();
        let writes = place.method != Method::GET && place.method != Method::HEAD;
        let error = refusal::error(status, &headers, &body, &place.url, writes);
        place.explain(if attempt > 1 { error.with_context("attempts", attempt) } else { error })
    }

    /// `error`, for a caller that knows better what the refusal means, with what the answer tells.
    pub(crate) async fn refused_as(self, mut error: Error) -> Error {
        let told = self.refused().await;
        for (key, value) in told.context() {
            error = error.with_context(key, value);
        }
        error.with_source(told)
    }

    /// An error about this answer, with where it came from.
    pub(crate) fn broken(&self, message: &'static str, reason: Reason) -> Error {
        self.explain(Error::new(ErrorKind::Protocol, message).with_reason(reason))
    }

    /// Adds to `error` where this answer came from.
    pub(crate) fn explain(&self, error: Error) -> Error {
        self.place.explain(error).with_context("status", self.status().as_u16())
    }

    /// The next piece of the body; `None` at its end.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>> {
        if let Some(body) = &mut self.body {
            return Ok(Some(std::mem::take(body)).filter(|body| !body.is_empty()));
        }
        let idle_timeout = self.place.setting.options.idle_timeout;
        match tokio::time::timeout(idle_timeout, self.inner.chunk()).await {
            Ok(Ok(None)) => {
                drop(self.permit.take());
                Ok(None)
            }
            Ok(piece) => piece.map_err(|error| failure::error(error, &self.place)),
            Err(_) => Err(failure::silence(idle_timeout, &self.place)),
        }
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response({} from {})", self.status(), self.place.shown())
    }
}

/// A body that mostly comes in one piece, which then need not be copied.
enum Pieces {
    One(Bytes),
    Many(BytesMut),
}

impl Pieces {
    fn push(&mut self, piece: &Bytes) {
        if let Self::One(first) = self {
            *self = Self::Many(BytesMut::from(&first[..]));
        }
        if let Self::Many(all) = self {
            all.extend_from_slice(piece);
        }
    }

    fn join(self) -> Bytes {
        match self {
            Self::One(bytes) => bytes,
            Self::Many(bytes) => bytes.freeze(),
        }
    }
}
