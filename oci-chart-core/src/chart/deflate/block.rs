//! The pieces that input is cut into, and the compressor of one piece.

use super::{
    bits::Bits,
    blocks,
    encode::{encode, store},
    matches::Finder,
    tokens::Tokens,
    window::{PAD, WINDOW},
};

/// Bytes of input that are compressed together.
pub(super) const BLOCK: usize = 256 << 10;

/// Up to [`BLOCK`] bytes behind the bytes they are primed with.
#[derive(Debug)]
pub(super) struct Block {
    bytes: Vec<u8>,
    prime: usize,
}

impl Default for Block {
    /// The first block, primed with nothing.
    fn default() -> Self {
        Self { bytes: memory(), prime: 0 }
    }
}

impl Block {
    /// An empty block that follows this full one, in the memory of `spare`.
    pub(super) fn following(&self, spare: Option<Self>) -> Self {
        let mut bytes = spare.map_or_else(memory, |block| block.bytes);
        bytes.clear();
        bytes.extend_from_slice(&self.bytes[self.bytes.len() - WINDOW..]);
        Self { bytes, prime: WINDOW }
    }

    /// Becomes the block that follows.
    pub(super) fn slide(&mut self) {
        let kept = self.bytes.len() - WINDOW;
        self.bytes.copy_within(kept.., 0);
        self.bytes.truncate(WINDOW);
        self.prime = WINDOW;
    }

    pub(super) fn room(&self) -> usize {
        BLOCK - (self.bytes.len() - self.prime)
    }

    /// Takes as many bytes as there is room for.
    pub(super) fn fill(&mut self, bytes: &[u8]) -> usize {
        let count = bytes.len().min(self.room());
        self.bytes.extend_from_slice(&bytes[..count]);
        count
    }
}

/// Memory that is not used is never touched, and what is will not move.
fn memory() -> Vec<u8> {
    Vec::with_capacity(WINDOW + BLOCK + PAD)
}

/// Compresses blocks, one after the other in the same memory. No block depends on the one before it.
#[derive(Debug, Default)]
pub(super) struct Deflater {
    finder: Finder,
    tokens: Tokens,
}

impl Deflater {
    /// The block's part of the stream, or its end.
    pub(super) fn deflate(&mut self, block: &mut Block, last: bool) -> Vec<u8> {
        let end = block.bytes.len();
        block.bytes.resize(end + PAD, 0);
        self.tokens.parse(&mut self.finder, &block.bytes, block.prime, end);
        block.bytes.truncate(end);
        self.written(&block.bytes[block.prime..], last)
    }

    fn written(&mut self, mut input: &[u8], last: bool) -> Vec<u8> {
        blocks::join(&mut self.tokens.parts);
        let mut out = Vec::with_capacity(input.len() / 4 + 64);
        let mut bits = Bits::new(&mut out);
        let mut tokens = &self.tokens.all[..];
        let mut parts = self.tokens.parts.iter().peekable();
        while let Some(part) = parts.next() {
            let (own, later) = tokens.split_at(part.tokens);
            let (bytes, rest) = input.split_at(part.bytes);
            (tokens, input) = (later, rest);
            encode(&mut bits, part, own, bytes, last && parts.peek().is_none());
        }
        if !last {
            store(&mut bits, &[], false);
        }
        bits.align();
        out
    }
}
