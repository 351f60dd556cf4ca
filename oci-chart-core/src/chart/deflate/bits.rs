//! Bits in deflate's order: the first is the lowest of its byte.

/// Appends bits to bytes.
#[derive(Debug)]
pub(super) struct Bits<'a> {
    bytes: &'a mut Vec<u8>,
    held: u64,
    /// Bits of `held`, fewer than 32 between calls.
    count: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a mut Vec<u8>) -> Self {
        Self { bytes, held: 0, count: 0 }
    }

    /// The `count` lowest bits, at most 32. Those above are zero.
    #[inline]
    pub(super) fn put(&mut self, bits: u32, count: u32) {
        self.held |= u64::from(bits) << self.count;
        self.count += count;
        if self.count >= 32 {
            self.bytes.extend_from_slice(&(self.held as u32).to_le_bytes());
            self.held >>= 32;
            self.count -= 32;
        }
    }

    /// How many bits the next byte would begin after.
    pub(super) fn short_of_a_byte(&self) -> u32 {
        self.count.wrapping_neg() % 8
    }

    /// Zeros up to the next byte.
    pub(super) fn align(&mut self) {
        let held = self.held.to_le_bytes();
        self.bytes.extend_from_slice(&held[..self.count.div_ceil(8) as usize]);
        (self.held, self.count) = (0, 0);
    }

    /// Whole bytes, from the next one on.
    pub(super) fn put_bytes(&mut self, bytes: &[u8]) {
        self.align();
        self.bytes.extend_from_slice(bytes);
    }
}
