use std::{io::Read, pin::Pin};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use futures_util::{StreamExt as _, stream};

use crate::{
    content::{Content, ContentReader},
    context::{Context, Event},
    digest::Verifier,
    error::{Error, ErrorKind, Result},
    oci::Descriptor,
    threads::off_thread,
};

/// Results as they come.
pub type BoxStream<'a, T> = Pin<Box<dyn Stream<Item = Result<T>> + Send + 'a>>;

/// Bytes as they come, in pieces of any size.
pub type ByteStream = BoxStream<'static, Bytes>;

/// How much of a file is read at a time, in bytes.
const CHUNK: usize = 256 << 10;

/// The bytes of `content`. What is in memory is one piece; files are read on the runtime's threads for blocking work.
pub(crate) fn content_stream(content: &Content) -> ByteStream {
    if let Some(bytes) = content.as_bytes() {
        let piece = (!bytes.is_empty()).then(|| Ok(bytes.clone()));
        return Box::pin(stream::iter(piece));
    }
    let all = (State::Closed(content.clone()), content.len());
    Box::pin(stream::try_unfold(all, |(state, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        // Made here and not there: chunks of several threads would each keep a heap of their own alive.
        let chunk = BytesMut::zeroed(usize::try_from(left).unwrap_or(CHUNK).min(CHUNK));
        let read = off_thread(move || read_chunk(state, chunk)).await;
        let (chunk, state) = read.unwrap_or_else(|| {
            Err(Error::new(ErrorKind::Internal, "reading a file ended without a result"))
        })?;
        let left = left.saturating_sub(chunk.len() as u64);
        Ok(Some((chunk, (state, left))))
    }))
}

/// As [`content_stream`], with what is in memory in pieces too: who sends them can tell how far it is.
pub(crate) fn content_chunks(content: &Content) -> ByteStream {
    match content.as_bytes() {
        Some(bytes) => {
            let mut rest = bytes.clone();
            Box::pin(stream::iter(std::iter::from_fn(move || {
                let piece = rest.split_to(rest.len().min(CHUNK));
                (!piece.is_empty()).then_some(Ok(piece))
            })))
        }
        None => content_stream(content),
    }
}

/// `bytes`, held against the descriptor on their way: the stream ends with an error if they are not what it says.
pub(crate) fn verified(bytes: ByteStream, descriptor: &Descriptor) -> ByteStream {
    let verifier = Verifier::new(descriptor.digest, descriptor.size);
    Box::pin(stream::try_unfold((bytes, Some(verifier)), |(mut bytes, mut verifier)| async move {
        let Some(check) = &mut verifier else { return Ok(None) };
        match next(&mut bytes).await? {
            Some(piece) => {
                check.update(&piece)?;
                Ok(Some((piece, (bytes, verifier))))
            }
            None => verifier.take().map_or(Ok(()), Verifier::finish).map(|()| None),
        }
    }))
}

/// `bytes`, telling `cx` how far they have come and stopping when it says so.
pub(crate) fn counted(bytes: ByteStream, cx: &Context, id: u64) -> ByteStream {
    let (cx, mut seen) = (cx.clone(), 0);
    Box::pin(bytes.map(move |piece| {
        cx.check()?;
        if let Ok(piece) = &piece {
            seen += piece.len() as u64;
            cx.emit(Event::Progress { id, bytes: seen });
        }
        piece
    }))
}

/// The next item.
pub(crate) async fn next<T>(stream: &mut BoxStream<'_, T>) -> Result<Option<T>> {
    std::future::poll_fn(|cx| stream.as_mut().poll_next(cx)).await.transpose()
}

/// Everything, where `size` bytes are expected. A single piece is not copied.
pub(crate) async fn collect(mut stream: ByteStream, size: u64) -> Result<Bytes> {
    let Some(first) = next(&mut stream).await? else { return Ok(Bytes::new()) };
    let Some(second) = next(&mut stream).await? else { return Ok(first) };
    let mut bytes = BytesMut::with_capacity(usize::try_from(size).unwrap_or(0));
    bytes.extend_from_slice(&first);
    bytes.extend_from_slice(&second);
    while let Some(piece) = next(&mut stream).await? {
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes.freeze())
}

enum State {
    Closed(Content),
    Open(ContentReader),
}

fn read_chunk(state: State, mut chunk: BytesMut) -> Result<(Bytes, State)> {
    let mut reader = match state {
        State::Closed(content) => content.open()?,
        State::Open(reader) => reader,
    };
    // A source that got shorter is an error of the reader.
    reader.read_exact(&mut chunk)?;
    Ok((chunk.freeze(), State::Open(reader)))
}
