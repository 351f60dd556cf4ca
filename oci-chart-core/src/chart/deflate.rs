//! Deflate whose bytes depend on the input alone.
//!
//! The input is cut into blocks of [`block::BLOCK`] bytes. Each is compressed by itself, primed with the bytes before it,
//! and ends on a byte boundary, so that the blocks can be joined: the bytes are the same on one thread and on many, and
//! however the input came in slices. zlib-rs at level 7 is also invariant to the CPU's features; its levels 5 and 6 are not
//! even invariant to slices. A compressor is never reset and used again, because that has changed bytes before.

mod block;
mod canary;
mod pool;

use std::{
    collections::VecDeque,
    io::{self, Write},
    num::NonZeroUsize,
};

use self::{
    block::{Block, Deflater},
    pool::{Pool, Ticket},
};
use crate::{context::CancelToken, error::Result};

/// More threads cost a mebibyte each and gain little: few charts have more than four blocks. The number of cores
/// is not asked for: that takes twenty system calls, and on one core a second thread does no harm.
const DEFAULT_THREADS: usize = 2;

/// Compresses what is written to it.
#[derive(Debug)]
pub(crate) struct BlockDeflate<W> {
    out: W,
    block: Block,
    deflater: Deflater,
    threads: Option<NonZeroUsize>,
    /// Helping threads, once there is more than one block and more than one thread.
    pool: Option<Pool>,
    /// Blocks that come before `block`, in order.
    waiting: VecDeque<Ticket>,
    started: bool,
    cancel: CancelToken,
}

impl<W: Write> BlockDeflate<W> {
    /// Works on `threads` threads, one of them the caller's; without a number on [`DEFAULT_THREADS`]. Others than the caller's
    /// begin with the second block. A foreign deflate is refused here.
    pub(crate) fn new(out: W, threads: Option<NonZeroUsize>, cancel: CancelToken) -> Result<Self> {
        canary::check()?;
        Ok(Self {
            out,
            block: Block::default(),
            deflater: Deflater::default(),
            threads,
            pool: None,
            waiting: VecDeque::new(),
            started: false,
            cancel,
        })
    }

    /// Compresses what is left and ends the stream.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.cancel.check()?;
        // First the end, while the threads are busy with what comes before it; then what they have not begun.
        let end = self.deflater.deflate(&self.block, true)?;
        self.collect(0)?;
        self.out.write_all(&end)?;
        Ok(self.out)
    }

    /// The block is full and others follow it.
    fn submit(&mut self) -> io::Result<()> {
        self.cancel.check()?;
        if !self.started {
            self.started = true;
            self.deflater = Deflater::for_many();
            self.pool = Pool::new(helpers(self.threads));
        }
        let Some(pool) = &self.pool else {
            self.out.write_all(&self.deflater.deflate(&self.block, false)?)?;
            self.block.slide();
            return Ok(());
        };
        let ticket = if pool.is_full() {
            let bytes = self.deflater.deflate(&self.block, false)?;
            self.block.slide();
            Ticket::Ready(bytes)
        } else {
            let following = self.block.following(pool.spare());
            pool.submit(std::mem::replace(&mut self.block, following))
        };
        self.waiting.push_back(ticket);
        self.collect(pool.in_flight())
    }

    /// Writes finished blocks in order, and waits for some where more than `most` would be left.
    fn collect(&mut self, most: usize) -> io::Result<()> {
        while let Some(ticket) = self.waiting.pop_front() {
            let bytes = match ticket.look()? {
                Ok(bytes) => bytes,
                Err(ticket) if self.waiting.len() < most => {
                    self.waiting.push_front(ticket);
                    break;
                }
                Err(ticket) => {
                    if let Some(pool) = &self.pool {
                        pool.help(&mut self.deflater);
                    }
                    ticket.wait()?
                }
            };
            self.out.write_all(&bytes)?;
        }
        Ok(())
    }
}

impl<W: Write> Write for BlockDeflate<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.block.room() == 0 && !bytes.is_empty() {
            self.submit()?;
        }
        Ok(self.block.fill(bytes))
    }

    /// Nothing: what is written early would change the bytes.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn helpers(threads: Option<NonZeroUsize>) -> usize {
    threads.map_or(DEFAULT_THREADS, NonZeroUsize::get) - 1
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::{block::BLOCK, *};
    use crate::{digest::Digest, error::ErrorKind};

    /// Text with the repetitions of YAML, the same on every run.
    pub(super) fn text(length: usize) -> Vec<u8> {
        let words = [
            "name: ",
            "value",
            "\n  - ",
            "metadata:\n",
            "x",
            "{{ .Values",
            "true",
            " }}\n",
            "replicas: ",
            "12",
        ];
        let mut bytes = Vec::with_capacity(length + 16);
        let mut state = 1u64;
        while bytes.len() < length {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            bytes.extend_from_slice(words[(state >> 33) as usize % words.len()].as_bytes());
        }
        bytes.truncate(length);
        bytes
    }

    fn deflate(input: &[u8], slice: usize, threads: usize) -> Vec<u8> {
        let mut deflate =
            BlockDeflate::new(Vec::new(), NonZeroUsize::new(threads), CancelToken::new()).unwrap();
        for part in input.chunks(slice) {
            deflate.write_all(part).unwrap();
        }
        deflate.finish().unwrap()
    }

    fn inflate(bytes: &[u8]) -> Vec<u8> {
        let mut all = Vec::new();
        flate2::read::DeflateDecoder::new(bytes).read_to_end(&mut all).unwrap();
        all
    }

    #[test]
    fn every_length_comes_back() {
        let input = text(2 * BLOCK + 1);
        for length in [0, 1, 100, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 2 * BLOCK + 1] {
            assert!(inflate(&deflate(&input[..length], 10_000, 1)) == input[..length], "{length}");
        }
    }

    #[test]
    fn slices_and_threads_change_nothing() {
        let mut input = text(5 * BLOCK + 777);
        // A part that cannot be compressed.
        let mut hash = Digest::of("seed");
        for chunk in input[BLOCK..BLOCK + 200_000].chunks_mut(32) {
            hash = Digest::of(hash.as_bytes());
            chunk.copy_from_slice(&hash.as_bytes()[..chunk.len()]);
        }
        let expected = deflate(&input, usize::MAX, 1);
        assert!(inflate(&expected) == input);
        for threads in [1, 2, 3, 8] {
            for slice in [7, 512, 4096, 32_768, BLOCK, BLOCK + 1, usize::MAX] {
                assert!(deflate(&input, slice, threads) == expected, "{threads} threads, slices of {slice}");
            }
        }
    }

    #[test]
    fn one_block_is_a_plain_stream() {
        let input = text(BLOCK);
        let mut plain = Vec::with_capacity(BLOCK);
        let mut state = flate2::Compress::new(flate2::Compression::new(7), false);
        state.compress_vec(&input, &mut plain, flate2::FlushCompress::Finish).unwrap();
        assert!(deflate(&input, 1000, 1) == plain);
    }

    #[test]
    fn bytes_do_not_change() {
        let digest = |length| Digest::of(deflate(&text(length), 9999, 2)).hex();
        assert_eq!(digest(0), Digest::of([3, 0]).hex());
        assert_eq!(digest(70_000), "d3c9acefdee59d6ed3359b6adb88e78d45ff7647e6102baa91e60fb4e0424c04");
        assert_eq!(digest(1_000_000), "91c686baf9775b4b909011d0cc7bc693918789248a9978f9c3be20ac81ac44eb");
    }

    #[test]
    fn a_cancel_stops_it() {
        let cancel = CancelToken::new();
        let mut deflate = BlockDeflate::new(Vec::new(), NonZeroUsize::new(2), cancel.clone()).unwrap();
        deflate.write_all(&text(3 * BLOCK)).unwrap();
        cancel.cancel();
        let error = crate::Error::from(deflate.write_all(&text(BLOCK)).unwrap_err());
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        assert_eq!(crate::Error::from(deflate.finish().unwrap_err()).kind(), ErrorKind::Cancelled);
    }
}
