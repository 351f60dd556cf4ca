use std::io;

use flate2::{Compress, Compression, FlushCompress, Status};

/// Bytes of input that are compressed together.
pub(super) const BLOCK: usize = 256 << 10;

/// Bytes before a block that its matches may reach back to: deflate's window.
pub(super) const PRIME: usize = 32 << 10;

const LEVEL: u32 = 7;

/// Up to [`BLOCK`] bytes behind the bytes they are primed with.
#[derive(Debug)]
pub(super) struct Block {
    bytes: Vec<u8>,
    prime: usize,
}

impl Default for Block {
    /// The first block, primed with nothing. Memory that is not used is never touched, and what is will not move.
    fn default() -> Self {
        Self { bytes: Vec::with_capacity(PRIME + BLOCK), prime: 0 }
    }
}

impl Block {
    /// An empty block that follows this full one, in the memory of `spare`.
    pub(super) fn following(&self, spare: Option<Self>) -> Self {
        let mut bytes = spare.map_or_else(|| Vec::with_capacity(PRIME + BLOCK), |block| block.bytes);
        bytes.clear();
        bytes.extend_from_slice(&self.bytes[self.bytes.len() - PRIME..]);
        Self { bytes, prime: PRIME }
    }

    /// Becomes the block that follows.
    pub(super) fn slide(&mut self) {
        let kept = self.bytes.len() - PRIME;
        self.bytes.copy_within(kept.., 0);
        self.bytes.truncate(PRIME);
        self.prime = PRIME;
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

/// Compresses blocks, keeping only the memory for its output.
#[derive(Debug, Default)]
pub(super) struct Deflater {
    out: Vec<u8>,
}

impl Deflater {
    /// For many blocks, each of which needs a new compressor.
    ///
    /// A compressor's memory is aligned: what glibc cuts off at its ends, less than 100 bytes, it keeps aside for small
    /// requests, seven pieces of each size, and a hole between two such pieces is too small for the next compressor. Where these
    /// places are taken from the start, holes close again; that saves three mebibytes at the peak.
    pub(super) fn for_many() -> Self {
        for size in [24, 40, 56, 72, 88, 104] {
            let pieces: [Vec<u8>; 7] = std::array::from_fn(|_| Vec::with_capacity(size));
            std::hint::black_box(pieces);
        }
        Self::default()
    }

    /// The block's part of the stream, or its end.
    pub(super) fn deflate(&mut self, block: &Block, last: bool) -> io::Result<Vec<u8>> {
        let (prime, input) = block.bytes.split_at(block.prime);
        deflate(prime, input, last, &mut self.out)
    }
}

/// One call with an output that cannot run full, so that there is nothing for the compressor to depend on but the input.
pub(super) fn deflate(prime: &[u8], input: &[u8], last: bool, out: &mut Vec<u8>) -> io::Result<Vec<u8>> {
    // Stored blocks, the worst case, add five bytes for every 16 KiB at most.
    let bound = input.len() + input.len() / 1024 + 256;
    if out.len() < bound {
        // Zeros from the system: what the output does not reach is never touched.
        *out = vec![0; bound];
    }
    let mut state = Compress::new(Compression::new(LEVEL), false);
    if !prime.is_empty() {
        state.set_dictionary(prime).map_err(io::Error::other)?;
    }
    let flush = if last { FlushCompress::Finish } else { FlushCompress::Sync };
    let status = state.compress(input, out, flush).map_err(io::Error::other)?;
    let written = usize::try_from(state.total_out()).unwrap_or(usize::MAX);
    let complete = state.total_in() == input.len() as u64 && (status == Status::StreamEnd) == last;
    match out.get(..written) {
        // Copied while the compressor still has its memory: afterwards the copy would be made there, and the next compressor,
        // which needs as much in one piece, would take more from the system. Halves the peak.
        Some(bytes) if complete && written < bound => Ok(bytes.to_vec()),
        _ => Err(io::Error::other("deflate did not take a whole block")),
    }
}
