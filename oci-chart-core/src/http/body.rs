use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_core::Stream;

use crate::error::{Error, Result};

/// Bytes as they come.
pub(crate) type Bytestream = Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>;

/// What a request carries.
pub(crate) enum Body {
    /// Nothing.
    Empty,
    /// Bytes in memory, sent from where they are.
    Bytes(Bytes),
    /// So many bytes, as they come.
    Stream(Bytestream, u64),
}

impl Body {
    /// The same once more, where that costs nothing; a stream comes only once.
    pub(super) fn again(&self) -> Option<Self> {
        match self {
            Self::Empty => Some(Self::Empty),
            Self::Bytes(bytes) => Some(Self::Bytes(bytes.clone())),
            Self::Stream(..) => None,
        }
    }

    /// The body as `reqwest` takes it, and where to look how it fares.
    pub(super) fn into_reqwest(self) -> (reqwest::Body, Option<Arc<Upload>>) {
        match self {
            Self::Empty => (reqwest::Body::from(Bytes::new()), None),
            Self::Bytes(bytes) => (reqwest::Body::from(bytes), None),
            Self::Stream(stream, _) => {
                let upload = Arc::new(Upload::default());
                let watched = Watched { stream, upload: Arc::clone(&upload) };
                (reqwest::Body::wrap_stream(watched), Some(upload))
            }
        }
    }
}

/// How an upload fares. A client library that meets an error in a body it sends tells only that there was one.
#[derive(Default)]
pub(super) struct Upload {
    sent: AtomicU64,
    failure: Mutex<Option<Error>>,
}

impl Upload {
    /// Bytes handed to the connection so far.
    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// The error of the body's source, if that is what ended the upload.
    pub(super) fn failure(&self) -> Option<Error> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

struct Watched {
    stream: Bytestream,
    upload: Arc<Upload>,
}

impl Stream for Watched {
    type Item = Result<Bytes, std::io::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.stream.as_mut().poll_next(cx).map(|item| {
            item.map(|piece| match piece {
                Ok(bytes) => {
                    self.upload.sent.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                    Ok(bytes)
                }
                Err(error) => {
                    *self.upload.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                    Err(std::io::Error::other("the source of the upload failed"))
                }
            })
        })
    }
}
