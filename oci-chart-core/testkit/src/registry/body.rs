//! Bodies in and out: counted, and able to break off where a fault wants it.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use hyper::StatusCode;
use hyper::body::{Body, Frame, Incoming};
use tokio::time::{Sleep, sleep};

use super::answer::{ApiError, Content, Refusal};
use super::spool::{BLOCK, Stored};
use crate::log::Entry;

/// Time for the bytes before a cut to leave the process: hyper throws its buffer away when a body fails.
const FLUSH: Duration = Duration::from_millis(20);

/// The body of a request.
pub(crate) struct Inbound {
    body: Incoming,
    entry: Arc<Entry>,
    cut: Option<u64>,
    read: u64,
}

impl Inbound {
    pub(crate) fn new(body: Incoming, entry: Arc<Entry>, cut: Option<u64>) -> Self {
        Self { body, entry, cut, read: 0 }
    }

    /// The next part, `None` at the end. A body that breaks off, by the client or by a fault, ends the connection.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, Refusal> {
        loop {
            if self.cut.is_some_and(|cut| self.read >= cut) {
                return Err(Refusal::HangUp);
            }
            let frame = std::future::poll_fn(|cx| Pin::new(&mut self.body).poll_frame(cx)).await;
            let Some(frame) = frame else { return Ok(None) };
            let Ok(mut data) = frame.map_err(|_| Refusal::HangUp)?.into_data() else { continue };
            if let Some(cut) = self.cut {
                let left = usize::try_from(cut - self.read).unwrap_or(usize::MAX);
                data.truncate(left);
            }
            self.read += data.len() as u64;
            self.entry.received(data.len());
            return Ok(Some(data));
        }
    }

    /// The whole body, or 413 when it is longer than `limit`.
    pub(crate) async fn collect(&mut self, limit: usize) -> Result<Bytes, Refusal> {
        let mut whole = BytesMut::new();
        while let Some(part) = self.chunk().await? {
            if whole.len() + part.len() > limit {
                let message = format!("the body is larger than {limit} bytes");
                return Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "SIZE_INVALID", message).into());
            }
            whole.extend_from_slice(&part);
        }
        Ok(whole.freeze())
    }

    /// Reads what is left, up to `limit`, so that an early answer reaches a client that is still sending.
    pub(crate) async fn drain(&mut self, limit: u64) -> Result<(), Refusal> {
        while self.read < limit && self.chunk().await?.is_some() {}
        Ok(())
    }
}

/// The body of a response.
pub(crate) struct Outbound {
    source: Source,
    entry: Arc<Entry>,
    /// Bytes still to send before the exchange is over; `None` when only the end of the source tells.
    left: Option<u64>,
    cut: Option<u64>,
    flip: Option<u64>,
    position: u64,
    drip: Option<(usize, Duration)>,
    lies: bool,
    pause: Option<Pin<Box<Sleep>>>,
}

/// How a body departs from its content.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bend {
    /// Break the connection after so many bytes.
    pub(crate) cut: Option<u64>,
    /// Flip a bit of the byte at this position.
    pub(crate) flip: Option<u64>,
    /// Parts of so many bytes, a pause before each.
    pub(crate) drip: Option<(usize, Duration)>,
    /// The announced length is not the true one.
    pub(crate) lies: bool,
}

enum Source {
    Bytes(Bytes),
    Blob { blob: Arc<Stored>, at: u64, left: u64 },
    Endless(Bytes),
}

impl Outbound {
    /// `silent` is an answer to HEAD: its body is never read.
    pub(crate) fn new(content: Content, bend: &Bend, entry: Arc<Entry>, silent: bool) -> Self {
        let left = if silent { Some(0) } else { content.length().filter(|_| bend.cut.is_none()) };
        let source = if silent { Source::Bytes(Bytes::new()) } else { Source::open(content) };
        if left == Some(0) {
            entry.end();
        }
        let Bend { cut, flip, drip, lies } = bend.clone();
        Self { source, entry, left, cut, flip, position: 0, drip, lies, pause: None }
    }

    fn next(&mut self, limit: usize) -> std::io::Result<Option<Bytes>> {
        let data = match &mut self.source {
            Source::Bytes(bytes) if bytes.is_empty() => return Ok(None),
            Source::Bytes(bytes) => bytes.split_to(limit.min(bytes.len())),
            Source::Endless(block) => block.slice(..limit.min(block.len())),
            Source::Blob { left: 0, .. } => return Ok(None),
            Source::Blob { blob, at, left } => {
                let want = limit.min(BLOCK).min(usize::try_from(*left).unwrap_or(BLOCK));
                let block = blob.block(*at, want)?;
                *at += block.len() as u64;
                *left -= block.len() as u64;
                block
            }
        };
        Ok(Some(data))
    }

    fn flipped(&self, data: Bytes) -> Bytes {
        let at = self
            .flip
            .and_then(|flip| flip.checked_sub(self.position))
            .and_then(|at| usize::try_from(at).ok());
        let Some(at) = at.filter(|at| *at < data.len()) else { return data };
        let mut data = BytesMut::from(data);
        if let Some(byte) = data.get_mut(at) {
            *byte ^= 1;
        }
        data.freeze()
    }
}

impl Source {
    fn open(content: Content) -> Self {
        match content {
            Content::Bytes(bytes) => Self::Bytes(bytes),
            Content::Endless(block) => Self::Endless(block),
            Content::Blob { blob, start, length } => Self::Blob { blob, at: start, left: length },
        }
    }
}

impl Body for Outbound {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = &mut *self;
        let done = this.cut.is_some_and(|cut| this.position >= cut);
        let wait = if done { Some(FLUSH) } else { this.drip.map(|(_, pause)| pause) };
        if let Some(wait) = wait {
            ready!(this.pause.get_or_insert_with(|| Box::pin(sleep(wait))).as_mut().poll(cx));
            this.pause = None;
        }
        if done {
            return Poll::Ready(Some(Err(BrokenOff)));
        }
        let mut limit = this.drip.map_or(BLOCK, |(size, _)| size.max(1));
        if let Some(cut) = this.cut {
            limit = limit.min(usize::try_from(cut - this.position).unwrap_or(usize::MAX));
        }
        let data = match this.next(limit) {
            Ok(Some(data)) => this.flipped(data),
            // A cut beyond the end is still a cut, and the end of a body that was announced longer is one.
            Ok(None) if this.cut.is_some() || this.lies => {
                this.cut = Some(this.position);
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Ok(None) => {
                this.entry.end();
                return Poll::Ready(None);
            }
            Err(_) => return Poll::Ready(Some(Err(BrokenOff))),
        };
        this.position += data.len() as u64;
        this.entry.sent(data.len());
        if let Some(left) = &mut this.left {
            *left = left.saturating_sub(data.len() as u64);
            if *left == 0 {
                this.entry.end();
            }
        }
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    // The length is in the header only: a fault may announce another one, which hyper allows for bodies of unknown
    // size alone.
    fn is_end_stream(&self) -> bool {
        let plain = self.cut.is_none() && !self.lies;
        plain && self.position == 0 && self.left == Some(0)
    }
}

impl Drop for Outbound {
    fn drop(&mut self) {
        self.entry.end();
    }
}

/// The end of a connection that a fault asked for.
#[derive(Debug)]
pub(crate) struct BrokenOff;

impl fmt::Display for BrokenOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broken off on purpose")
    }
}

impl Error for BrokenOff {}
