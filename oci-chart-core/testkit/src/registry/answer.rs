//! What a handler gives back: a reply, an error in the registry's JSON, or a hang-up.

use std::sync::Arc;

use bytes::Bytes;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};
use hyper::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::spool::Stored;

/// The header that names the digest of what was pushed or pulled.
pub(crate) const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

/// A reply before it becomes an HTTP response.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) content: Content,
}

/// The body of a reply.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    Bytes(Bytes),
    /// `length` bytes of a blob from `start` on.
    Blob {
        blob: Arc<Stored>,
        start: u64,
        length: u64,
    },
    /// The same block for ever.
    Endless(Bytes),
}

impl Content {
    pub(crate) const fn length(&self) -> Option<u64> {
        match self {
            Self::Bytes(bytes) => Some(bytes.len() as u64),
            Self::Blob { length, .. } => Some(*length),
            Self::Endless(_) => None,
        }
    }
}

impl Reply {
    pub(crate) fn new(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), content: Content::Bytes(Bytes::new()) }
    }

    pub(crate) fn json(status: StatusCode, value: &Value) -> Self {
        Self::new(status)
            .header(CONTENT_TYPE, "application/json")
            .content(Content::Bytes(Bytes::from(value.to_string())))
    }

    /// Sets a header; a value that HTTP cannot carry is left out.
    pub(crate) fn header(mut self, name: HeaderName, value: impl AsRef<[u8]>) -> Self {
        if let Ok(value) = HeaderValue::from_bytes(value.as_ref()) {
            self.headers.insert(name, value);
        }
        self
    }

    pub(crate) fn location(self, url: &str) -> Self {
        self.header(LOCATION, url)
    }

    /// The length is announced unless the status forbids it.
    pub(crate) fn content(mut self, content: Content) -> Self {
        self.content = content;
        self
    }

    pub(crate) fn announce_length(&mut self) {
        let silent = self.status.is_informational() || self.status == StatusCode::NO_CONTENT;
        if let Some(length) = self.content.length()
            && !silent
            && !self.headers.contains_key(CONTENT_LENGTH)
        {
            self.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
    }
}

/// Why a request got no ordinary reply.
#[derive(Debug)]
pub(crate) enum Refusal {
    Error(Box<ApiError>),
    /// An answer in a form of its own.
    Reply(Box<Reply>),
    /// The connection ends here, without an answer.
    HangUp,
}

impl Refusal {
    /// A sentence of a server that stands before the registry, or of its library.
    pub(crate) fn plain(status: StatusCode, text: &'static str) -> Self {
        let reply = Reply::new(status).header(CONTENT_TYPE, "text/plain; charset=utf-8");
        Self::Reply(Box::new(reply.content(Content::Bytes(Bytes::from_static(text.as_bytes())))))
    }
}

/// An error as the spec's section "Error Codes" writes it.
#[derive(Debug)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    message: String,
    detail: Value,
    headers: Vec<(HeaderName, String)>,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), detail: Value::Null, headers: Vec::new() }
    }

    pub(crate) fn detail(mut self, detail: Value) -> Self {
        self.detail = detail;
        self
    }

    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(crate) fn reply(self) -> Reply {
        let mut error = json!({ "code": self.code, "message": self.message });
        if let (Some(fields), false) = (error.as_object_mut(), self.detail.is_null()) {
            fields.insert("detail".to_owned(), self.detail);
        }
        let reply = Reply::json(self.status, &json!({ "errors": [error] }));
        self.headers.into_iter().fold(reply, |reply, (name, value)| reply.header(name, value))
    }
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self::Error(Box::new(error))
    }
}

impl From<std::io::Error> for Refusal {
    fn from(error: std::io::Error) -> Self {
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "UNKNOWN", error.to_string()).into()
    }
}

pub(crate) fn bad_request(code: &'static str, message: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, code, message)
}

pub(crate) fn not_found(code: &'static str, message: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, code, message)
}

pub(crate) fn unsupported(message: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED", message)
}
