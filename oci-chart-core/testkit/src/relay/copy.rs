//! Bodies on their way from one connection to the other.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::sleep;

use super::head::Framing;

/// What is passed on at once.
const PIECE: usize = 16 << 10;

/// How a body departs from what was sent.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bend {
    /// It breaks off after so many bytes.
    pub(super) cut: Option<u64>,
    /// A bit of the byte at this position is wrong.
    pub(super) flip: Option<u64>,
    /// Parts of so many bytes, a pause before each.
    pub(super) drip: Option<(usize, Duration)>,
}

/// A body that is being read.
pub(super) struct Body {
    framing: Framing,
    left: u64,
    over: bool,
}

impl Body {
    pub(super) const fn new(framing: Framing) -> Self {
        let left = if let Framing::Length(length) = framing { length } else { 0 };
        Self { framing, left, over: false }
    }

    /// The next part, none at the end.
    async fn next(&mut self, from: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<Bytes>> {
        if self.over {
            return Ok(None);
        }
        if self.framing == Framing::Chunked && self.left == 0 {
            let size = line(from).await?;
            let size = size.split(';').next().unwrap_or_default().trim();
            self.left = u64::from_str_radix(size, 16).map_err(|_| io::ErrorKind::InvalidData)?;
            if self.left == 0 {
                while !line(from).await?.is_empty() {}
            }
        }
        let limit = match self.framing {
            Framing::UntilClose => PIECE,
            _ => usize::try_from(self.left).unwrap_or(PIECE).min(PIECE),
        };
        let mut part = BytesMut::with_capacity(limit);
        if limit > 0 {
            (&mut *from).take(limit as u64).read_buf(&mut part).await?;
        }
        if part.is_empty() {
            self.over = true;
            let early = self.left > 0;
            return if early { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(None) };
        }
        self.left = self.left.saturating_sub(part.len() as u64);
        if self.framing == Framing::Chunked && self.left == 0 {
            line(from).await?;
        }
        Ok(Some(part.freeze()))
    }

    /// Reads it to its end.
    pub(super) async fn collect(mut self, from: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Bytes> {
        let mut whole = BytesMut::new();
        while let Some(part) = self.next(from).await? {
            whole.extend_from_slice(&part);
        }
        Ok(whole.freeze())
    }

    /// Passes it on, and says whether it was passed on whole.
    pub(super) async fn pass(
        mut self,
        from: &mut (impl AsyncBufRead + Unpin),
        to: &mut (impl AsyncWrite + Unpin),
        chunked: bool,
        bend: Bend,
        count: &AtomicU64,
    ) -> io::Result<bool> {
        let mut position = 0;
        while bend.cut.is_none_or(|cut| position < cut) {
            let Some(mut rest) = self.next(from).await? else {
                if chunked {
                    to.write_all(b"0\r\n\r\n").await?;
                }
                return Ok(true);
            };
            if let Some(cut) = bend.cut {
                rest.truncate(usize::try_from(cut - position).unwrap_or(usize::MAX));
            }
            rest = flipped(rest, bend.flip, position);
            while !rest.is_empty() {
                let part = match bend.drip {
                    Some((size, pause)) => {
                        sleep(pause).await;
                        rest.split_to(size.clamp(1, rest.len()))
                    }
                    None => rest.split_to(rest.len()),
                };
                position += part.len() as u64;
                count.fetch_add(part.len() as u64, Ordering::SeqCst);
                if chunked {
                    to.write_all(format!("{:x}\r\n", part.len()).as_bytes()).await?;
                }
                to.write_all(&part).await?;
                if chunked {
                    to.write_all(b"\r\n").await?;
                }
            }
        }
        Ok(false)
    }
}

fn flipped(part: Bytes, flip: Option<u64>, position: u64) -> Bytes {
    let at = flip.and_then(|flip| flip.checked_sub(position)).and_then(|at| usize::try_from(at).ok());
    let Some(at) = at.filter(|at| *at < part.len()) else { return part };
    let mut part = BytesMut::from(part);
    if let Some(byte) = part.get_mut(at) {
        *byte ^= 1;
    }
    part.freeze()
}

async fn line(from: &mut (impl AsyncBufRead + Unpin)) -> io::Result<String> {
    let mut line = Vec::new();
    from.take(4 << 10).read_until(b'\n', &mut line).await?;
    if line.pop() != Some(b'\n') {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn passed(framing: Framing, text: &str, chunked: bool, bend: Bend) -> (String, Option<bool>) {
        let (mut out, count) = (Vec::new(), AtomicU64::new(0));
        let whole = Body::new(framing).pass(&mut text.as_bytes(), &mut out, chunked, bend, &count).await;
        (String::from_utf8(out).unwrap(), whole.ok())
    }

    #[tokio::test]
    async fn bodies_of_every_framing() {
        let none = Bend::default();
        let chunks = "3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: x\r\n\r\nnext";
        for (framing, text, expected, whole) in [
            (Framing::Length(3), "abcd", "abc", Some(true)),
            (Framing::Length(0), "abcd", "", Some(true)),
            (Framing::Length(5), "abcd", "abcd", None),
            (Framing::UntilClose, "abcd", "abcd", Some(true)),
            (Framing::Chunked, chunks, "abcde", Some(true)),
            (Framing::Chunked, "3\r\nab", "ab", None),
            (Framing::Chunked, "x\r\nab", "", None),
        ] {
            assert_eq!(passed(framing, text, false, none).await, (expected.to_owned(), whole), "{text}");
        }
        let again = passed(Framing::Chunked, chunks, true, none).await.0;
        assert_eq!(again, "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
        assert_eq!(Body::new(Framing::Chunked).collect(&mut chunks.as_bytes()).await.unwrap(), "abcde");
    }

    #[tokio::test]
    async fn bent_bodies() {
        let bend = |cut, flip, drip| Bend { cut, flip, drip };
        let drip = Some((2, Duration::ZERO));
        for (bend, expected, whole) in [
            (bend(Some(2), None, None), "ab", false),
            (bend(Some(0), None, None), "", false),
            (bend(Some(9), None, None), "abcde", true),
            (bend(None, Some(2), None), "abbde", true),
            (bend(None, Some(9), drip), "abcde", true),
        ] {
            let done = passed(Framing::Length(5), "abcde", false, bend).await;
            assert_eq!(done, (expected.to_owned(), Some(whole)), "{bend:?}");
        }
    }
}
