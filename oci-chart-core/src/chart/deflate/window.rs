//! How far deflate looks back, and how bytes are read there.

/// Bytes that a match may reach back (RFC 1951, section 2).
pub(super) const WINDOW: usize = 32 << 10;

/// Zeros behind the input, so that eight bytes can be read at each of its positions.
pub(super) const PAD: usize = 8;

/// The number in the four bytes there, zero where they are not all there.
#[inline]
pub(super) fn load4(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |four| u32::from_le_bytes(*four))
}

/// The number in the eight bytes there, zero where they are not all there.
#[inline]
pub(super) fn load8(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |eight| u64::from_le_bytes(*eight))
}
