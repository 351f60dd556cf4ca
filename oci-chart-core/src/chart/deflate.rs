//! Deflate whose bytes depend on the input alone.
//!
//! The compressor is ours: no other crate's version, backend or choice of processor features can change a package's digest. The input is
//! cut into blocks of [`block::BLOCK`] bytes. Each is compressed by itself, with matches that may reach into the bytes before it, and
//! ends on a byte boundary, so that the blocks can be joined: the bytes are the same on one thread and on many, and however
//! the input came in slices.
//!
//! A block goes through four hands: [`matches`] finds what stood there before, [`tokens`] chooses among that, [`blocks`] decides
//! which tokens share a code, [`encode`] writes them.

mod alphabet;
mod bits;
mod block;
mod blocks;
mod codes;
mod encode;
mod header;
mod matches;
mod pool;
mod tokens;
mod window;

use std::{
    collections::VecDeque,
    io::{self, Write},
    num::NonZeroUsize,
};

use self::{
    block::{Block, Deflater},
    pool::{Pool, Ticket},
};
use crate::context::CancelToken;

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
    /// begin with the second block.
    pub(crate) fn new(out: W, threads: Option<NonZeroUsize>, cancel: CancelToken) -> Self {
        Self {
            out,
            block: Block::default(),
            deflater: Deflater::default(),
            threads,
            pool: None,
            waiting: VecDeque::new(),
            started: false,
            cancel,
        }
    }

    /// Compresses what is left and ends the stream.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.cancel.check()?;
        // First the end, while the threads are busy with what comes before it; then what they have not begun.
        let end = self.deflater.deflate(&mut self.block, true);
        self.collect(0)?;
        self.out.write_all(&end)?;
        Ok(self.out)
    }

    /// The block is full and others follow it.
    fn submit(&mut self) -> io::Result<()> {
        self.cancel.check()?;
        if !self.started {
            self.started = true;
            self.pool = Pool::new(helpers(self.threads));
        }
        let Some(pool) = &self.pool else {
            self.out.write_all(&self.deflater.deflate(&mut self.block, false))?;
            self.block.slide();
            return Ok(());
        };
        let ticket = if pool.is_full() {
            let bytes = self.deflater.deflate(&mut self.block, false);
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
        let mut deflate = BlockDeflate::new(Vec::new(), NonZeroUsize::new(threads), CancelToken::new());
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

    /// Inputs of every character: few and many symbols, runs, repetitions near and far, noise, and changes between them.
    fn mixture(seed: u64, length: usize) -> Vec<u8> {
        let mut state = seed;
        let mut next = move |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below.max(1)
        };
        let mut bytes = Vec::with_capacity(length);
        while bytes.len() < length {
            let symbols = 1 << next(9);
            for _ in 0..=next(600) {
                match next(4) {
                    0 => bytes.resize(bytes.len() + next(400), next(symbols) as u8),
                    1 if !bytes.is_empty() => {
                        let from = bytes.len() - 1 - next(bytes.len().min(40_000));
                        let to = bytes.len().min(from + next(300));
                        bytes.extend_from_within(from..to);
                    }
                    _ => bytes.push(next(symbols) as u8),
                }
            }
        }
        bytes.truncate(length);
        bytes
    }

    #[test]
    fn whatever_goes_in_comes_out() {
        for seed in 0..300 {
            let input = mixture(seed, seed as usize * 37);
            assert!(inflate(&deflate(&input, usize::MAX, 1)) == input, "{seed}");
        }
        for seed in 0..6 {
            let input = mixture(1000 + seed, 600_000);
            assert!(inflate(&deflate(&input, 65_536, 2)) == input, "{seed}");
        }
    }

    #[test]
    fn noise_grows_by_five_bytes_in_64_kib_and_runs_shrink_a_thousandfold() {
        let mut noise = vec![0; 300_000];
        let mut hash = Digest::of("noise");
        for chunk in noise.chunks_mut(32) {
            hash = Digest::of(hash.as_bytes());
            chunk.copy_from_slice(&hash.as_bytes()[..chunk.len()]);
        }
        let packed = deflate(&noise, usize::MAX, 1);
        assert!(inflate(&packed) == noise);
        assert!(packed.len() <= noise.len() + 5 * 8, "{}", packed.len());
        let packed = deflate(&vec![b'-'; 2_000_000], usize::MAX, 1);
        assert!(inflate(&packed) == vec![b'-'; 2_000_000]);
        assert!(packed.len() < 2_200, "{}", packed.len());
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
    fn bytes_do_not_change() {
        let digests = [0, 70_000, 1_000_000].map(|length| Digest::of(deflate(&text(length), 9999, 2)).hex());
        assert_eq!(
            digests,
            [
                &Digest::of([3, 0]).hex(),
                "159d89717bcc5f7b4291d4467e6506567a260f79e389b62c977d86a3c70d47c1",
                "b19f6ab4d4fc0df92081bd77684b4abe3b3da2a44bc2a7f0400fc4604abf094a",
            ]
        );
    }

    #[test]
    fn a_cancel_stops_it() {
        let cancel = CancelToken::new();
        let mut deflate = BlockDeflate::new(Vec::new(), NonZeroUsize::new(2), cancel.clone());
        deflate.write_all(&text(3 * BLOCK)).unwrap();
        cancel.cancel();
        let error = crate::Error::from(deflate.write_all(&text(BLOCK)).unwrap_err());
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        assert_eq!(crate::Error::from(deflate.finish().unwrap_err()).kind(), ErrorKind::Cancelled);
    }
}
