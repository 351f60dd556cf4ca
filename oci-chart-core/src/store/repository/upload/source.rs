use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::stream;
use tokio::sync::Mutex;

use crate::{
    content::Content,
    error::{Error, ErrorKind, Reason, Result},
    http::Body,
    oci::Descriptor,
    store::{Blob, ByteStream, next},
};

/// What goes to the connection at once, in bytes: nobody watches the progress of so little.
const ONE_PIECE: u64 = 256 << 10;

/// How long a body waits for the answer to its head, after a first try that was cut off. A registry that refuses an upload early may hang up
/// on who still sends, and its answer is lost then, since a client that cannot write any more does not read either.
const HOLD: Duration = Duration::from_millis(500);

/// How much goes at a time then, in bytes, and how long the next waits for an answer to come in between.
const CAREFUL_PIECE: u64 = 64 << 10;
const CAREFUL_PAUSE: Duration = Duration::from_millis(2);

/// A blob's bytes from anywhere on. Read through once where nothing goes wrong, however many requests they are sent in.
pub(super) struct Source {
    blob: Blob,
    cursor: Arc<Mutex<Cursor>>,
    /// The number of the newest body: older ones, of requests that failed, must not take bytes from it.
    newest: Arc<AtomicU64>,
}

impl Source {
    pub(super) fn new(blob: &Blob) -> Self {
        let cursor = Cursor { stream: None, rest: Bytes::new(), at: 0 };
        Self { blob: blob.clone(), cursor: Arc::new(Mutex::new(cursor)), newest: Arc::default() }
    }

    pub(super) fn descriptor(&self) -> &Descriptor {
        self.blob.descriptor()
    }

    pub(super) fn size(&self) -> u64 {
        self.descriptor().size
    }

    /// `len` bytes from `from` on; `careful` ones a moment after the head of the request, and not all at once.
    pub(super) fn body(&self, from: u64, len: u64, careful: bool) -> Body {
        let bytes = self.blob.content().and_then(Content::as_bytes);
        if let Some(bytes) = bytes.filter(|_| len == 0 || (len <= ONE_PIECE && !careful)) {
            let range = usize::try_from(from).ok().zip(usize::try_from(from.saturating_add(len)).ok());
            let range = range.filter(|(from, to)| from <= to && *to <= bytes.len());
            return Body::Bytes(range.map_or(Bytes::new(), |(from, to)| bytes.slice(from..to)));
        }
        if len == 0 {
            return Body::Bytes(Bytes::new());
        }
        let part = Part {
            blob: self.blob.clone(),
            cursor: Arc::clone(&self.cursor),
            number: self.newest.fetch_add(1, Ordering::Relaxed) + 1,
            newest: Arc::clone(&self.newest),
            from,
            left: len,
            pause: careful.then_some(HOLD),
        };
        let pieces =
            stream::try_unfold(
                part,
                |mut part| async move { Ok(part.piece().await?.map(|piece| (piece, part))) },
            );
        Body::Stream(Box::pin(pieces), len)
    }
}

/// The bytes of one request on their way.
struct Part {
    blob: Blob,
    cursor: Arc<Mutex<Cursor>>,
    number: u64,
    newest: Arc<AtomicU64>,
    from: u64,
    left: u64,
    /// How long the next piece waits, if it does.
    pause: Option<Duration>,
}

impl Part {
    async fn piece(&mut self) -> Result<Option<Bytes>> {
        if self.left == 0 {
            return Ok(None);
        }
        let mut most = self.left;
        if let Some(pause) = self.pause {
            tokio::time::sleep(pause).await;
            self.pause = Some(CAREFUL_PAUSE);
            most = most.min(CAREFUL_PIECE);
        }
        let mut cursor = self.cursor.lock().await;
        if self.newest.load(Ordering::Relaxed) != self.number {
            return Err(Error::new(ErrorKind::Internal, "an upload that is over asks for more"));
        }
        let piece = cursor.read(&self.blob, self.from, most).await?;
        self.from += piece.len() as u64;
        self.left = self.left.saturating_sub(piece.len() as u64);
        if self.from == self.blob.descriptor().size {
            // The source has the last word about its bytes before the last of them go.
            cursor.end().await?;
        }
        Ok(Some(piece))
    }
}

/// The blob as it is being read.
struct Cursor {
    stream: Option<ByteStream>,
    /// What was read and not taken yet.
    rest: Bytes,
    /// Where `rest` begins.
    at: u64,
}

impl Cursor {
    /// The next bytes from `from` on, at most `most` and at least one.
    async fn read(&mut self, blob: &Blob, from: u64, most: u64) -> Result<Bytes> {
        if self.stream.is_none() || from < self.at {
            self.stream = Some(blob.open_unchecked().await?);
            (self.rest, self.at) = (Bytes::new(), 0);
        }
        loop {
            let skipped = from.saturating_sub(self.at).min(self.rest.len() as u64);
            drop(self.take(skipped));
            if self.at == from && !self.rest.is_empty() {
                return Ok(self.take(most));
            }
            self.rest = match self.next().await? {
                Some(piece) => piece,
                None => return Err(wrong_size(blob.descriptor(), self.at)),
            };
        }
    }

    /// Sees that nothing follows, and that the source has nothing against what came.
    async fn end(&mut self) -> Result<()> {
        if !self.rest.is_empty() {
            return Err(too_long(self.at));
        }
        while let Some(piece) = self.next().await? {
            if !piece.is_empty() {
                return Err(too_long(self.at));
            }
        }
        Ok(())
    }

    async fn next(&mut self) -> Result<Option<Bytes>> {
        let Some(stream) = &mut self.stream else { return Ok(None) };
        match next(stream).await {
            Ok(piece) => Ok(piece),
            Err(error) => {
                self.stream = None;
                Err(error)
            }
        }
    }

    fn take(&mut self, most: u64) -> Bytes {
        let count = usize::try_from(most).unwrap_or(usize::MAX).min(self.rest.len());
        self.at += count as u64;
        self.rest.split_to(count)
    }
}

fn wrong_size(descriptor: &Descriptor, bytes: u64) -> Error {
    Error::new(ErrorKind::DigestMismatch, "the content is shorter than its descriptor says")
        .with_reason(Reason::SizeMismatch)
        .with_context("digest", descriptor.digest)
        .with_context("expected bytes", descriptor.size)
        .with_context("bytes", bytes)
}

fn too_long(bytes: u64) -> Error {
    Error::new(ErrorKind::DigestMismatch, "the content is longer than its descriptor says")
        .with_reason(Reason::SizeMismatch)
        .with_context("expected bytes", bytes)
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt as _;

    use super::*;
    use crate::oci::MediaType;

    fn block<T>(task: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(task)
    }

    fn bytes(body: Body) -> Result<Vec<u8>> {
        match body {
            Body::Empty => Ok(Vec::new()),
            Body::Bytes(bytes) => Ok(bytes.to_vec()),
            Body::Stream(stream, len) => {
                let all: Vec<Bytes> = block(stream.try_collect())?;
                let all = all.concat();
                assert_eq!(all.len() as u64, len);
                Ok(all)
            }
        }
    }

    fn source(len: usize) -> (Source, Vec<u8>) {
        let all: Vec<u8> = (0..len).map(|n| (n % 251) as u8).collect();
        let mut writer = crate::content::ContentWriter::new(0);
        std::io::Write::write_all(&mut writer, &all).unwrap();
        let descriptor = Descriptor::of(MediaType::from("text/plain"), &all);
        (Source::new(&Blob::from_content(descriptor, writer.finish().unwrap())), all)
    }

    #[test]
    fn any_part_can_be_had_forwards_and_backwards() {
        let (source, all) = source(700_000);
        for (from, len) in
            [(0, 700_000), (0, 10), (10, 300_000), (300_010, 399_990), (5, 5), (699_999, 1), (0, 0)]
        {
            let part = bytes(source.body(from, len, false)).unwrap();
            assert_eq!(part, all[from as usize..(from + len) as usize], "{from} {len}");
        }
    }

    #[test]
    fn an_older_body_takes_nothing_from_a_newer_one() {
        let (source, all) = source(600_000);
        let Body::Stream(mut old, _) = source.body(0, 600_000, false) else { panic!("a stream") };
        block(next(&mut old)).unwrap();
        let new = source.body(0, 600_000, false);
        assert!(block(next(&mut old)).is_err());
        assert_eq!(bytes(new).unwrap(), all);
    }

    #[test]
    fn a_source_of_another_size_is_an_error_before_its_end() {
        let store = Arc::new(crate::store::Memory::default());
        for (size, content) in [(5, "longer"), (7, "longer")] {
            let mut descriptor = Descriptor::of(MediaType::from("text/plain"), content);
            descriptor.size = size;
            let blob = Blob::from_content(descriptor, Content::from(content));
            let mut cursor = Cursor { stream: None, rest: Bytes::new(), at: 0 };
            let error = block(async {
                let mut at = 0;
                while at < size {
                    at += cursor.read(&blob, at, size - at).await?.len() as u64;
                }
                cursor.end().await
            });
            assert_eq!(error.unwrap_err().reason(), Some(Reason::SizeMismatch), "{size}");
        }
        let missing = Blob::from_store(Descriptor::of(MediaType::from("text/plain"), "x"), store);
        assert_eq!(bytes(Source::new(&missing).body(0, 1, false)).unwrap_err().kind(), ErrorKind::NotFound);
    }
}
