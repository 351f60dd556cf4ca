//! One 512-byte header of a tar archive, read as Go's archive/tar (1.26) reads it: liberally, but never by guessing.

use super::ArchiveError;

/// The size of a header, and what contents are padded to.
pub(super) const BLOCK: usize = 512;

/// What a header says, as far as it matters for a chart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: u8,
    pub(super) name: Vec<u8>,
    pub(super) mode: i64,
    /// In bytes; may be negative in a malformed archive.
    pub(super) size: i64,
    /// Seconds since 1970, and nanoseconds that may count backwards.
    pub(super) modified: (i64, i32),
}

/// Kinds of entries (POSIX pax, and GNU's letters).
pub(super) mod kind {
    pub(in super::super) const OLD_FILE: u8 = 0;
    pub(in super::super) const HARD_LINK: u8 = b'1';
    pub(in super::super) const SYMLINK: u8 = b'2';
    pub(in super::super) const CHARACTER_DEVICE: u8 = b'3';
    pub(in super::super) const BLOCK_DEVICE: u8 = b'4';
    pub(in super::super) const DIRECTORY: u8 = b'5';
    pub(in super::super) const FIFO: u8 = b'6';
    pub(in super::super) const EXTENDED: u8 = b'x';
    pub(in super::super) const GLOBAL: u8 = b'g';
    pub(in super::super) const LONG_NAME: u8 = b'L';
    pub(in super::super) const LONG_LINK: u8 = b'K';
    pub(in super::super) const SPARSE: u8 = b'S';
}

impl Header {
    /// Reads a block that is not all zeros.
    pub(super) fn parse(block: &[u8; BLOCK]) -> Result<Self, ArchiveError> {
        check_sum(block)?;
        let mut header = Self {
            kind: block[156],
            name: text(&block[..100]).to_vec(),
            mode: number(&block[100..108])?,
            size: number(&block[124..136])?,
            modified: (number(&block[136..148])?, 0),
        };
        // The owners are not used, but a number that is none makes the header invalid.
        number(&block[108..116])?;
        number(&block[116..124])?;
        let prefix = match Format::of(block) {
            Format::V7 => return Ok(header),
            Format::Ustar => {
                devices(block)?;
                text(&block[345..500])
            }
            Format::Star => {
                devices(block)?;
                number(&block[476..488])?;
                number(&block[488..500])?;
                text(&block[345..476])
            }
            Format::Gnu => {
                devices(block)?;
                gnu_prefix(block)
            }
        };
        if !prefix.is_empty() {
            header.name = [prefix, b"/", &header.name].concat();
        }
        Ok(header)
    }

    /// Whether this kind of entry never has content, whatever its size says.
    pub(super) fn has_no_content(&self) -> bool {
        matches!(
            self.kind,
            kind::HARD_LINK
                | kind::SYMLINK
                | kind::CHARACTER_DEVICE
                | kind::BLOCK_DEVICE
                | kind::DIRECTORY
                | kind::FIFO
        )
    }

    /// Whether Helm takes it for a directory: by its kind or by the file type bits of its mode.
    pub(super) fn is_directory(&self) -> bool {
        const TYPE_BITS: i64 = !0o7777;
        const DIRECTORY: i64 = 0o040_000;
        self.kind == kind::DIRECTORY || self.mode & TYPE_BITS == DIRECTORY
    }
}

enum Format {
    V7,
    Ustar,
    Star,
    Gnu,
}

impl Format {
    fn of(block: &[u8; BLOCK]) -> Self {
        match (&block[257..263], &block[263..265]) {
            (b"ustar\0", _) if &block[508..] == b"tar\0" => Self::Star,
            (b"ustar\0", _) => Self::Ustar,
            (b"ustar ", b" \0") => Self::Gnu,
            _ => Self::V7,
        }
    }
}

fn devices(block: &[u8; BLOCK]) -> Result<(), ArchiveError> {
    number(&block[329..337])?;
    number(&block[337..345])?;
    Ok(())
}

/// GNU has times where others have a prefix. Go up to 1.7 wrote prefixes there all the same, so what is neither a time nor
/// anything but ASCII is taken for one.
fn gnu_prefix(block: &[u8; BLOCK]) -> &[u8] {
    let is_time = |field: &[u8]| field[0] == 0 || number(field).is_ok();
    let prefix = text(&block[345..500]);
    let both_times = is_time(&block[345..357]) && is_time(&block[357..369]);
    if both_times || !prefix.is_ascii() { b"" } else { prefix }
}

/// The sum of all bytes, the sum's own field read as blanks; old writers added signed bytes.
fn check_sum(block: &[u8; BLOCK]) -> Result<(), ArchiveError> {
    let (before, rest) = block.split_at(148);
    let (field, after) = rest.split_at(8);
    // So many bytes fit into 16 bits, which are added twice as fast as 32.
    let short = |part: &[u8]| part.iter().map(|byte| u16::from(*byte)).sum::<u16>();
    let sum = |part: &[u8]| part.chunks(256).map(|part| u32::from(short(part))).sum::<u32>();
    let unsigned = i64::from(sum(before) + sum(after)) + 8 * i64::from(b' ');
    let claimed = octal(field)?;
    if claimed == unsigned {
        return Ok(());
    }
    let negative = |part: &[u8]| part.iter().map(|byte| u32::from(*byte >> 7)).sum::<u32>();
    let signed = unsigned - 256 * i64::from(negative(before) + negative(after));
    if claimed == signed { Ok(()) } else { Err(ArchiveError::BadHeader) }
}

/// Everything before the first NUL.
pub(super) fn text(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or(field)
}

/// A number in octal digits, or, where the first bit is set, in two's complement.
fn number(field: &[u8]) -> Result<i64, ArchiveError> {
    let Some(first) = field.first().filter(|byte| **byte & 0x80 != 0) else { return octal(field) };
    let invert = if first & 0x40 == 0 { 0 } else { 0xff };
    let mut value: u64 = 0;
    for (at, byte) in field.iter().enumerate() {
        let byte = byte ^ invert;
        let byte = if at == 0 { byte & 0x7f } else { byte };
        if value >> 56 != 0 {
            return Err(ArchiveError::BadHeader);
        }
        value = value << 8 | u64::from(byte);
    }
    let value = i64::try_from(value).map_err(|_| ArchiveError::BadHeader)?;
    Ok(if invert == 0 { value } else { !value })
}

/// Octal digits among blanks and NULs; nothing at all is zero.
fn octal(field: &[u8]) -> Result<i64, ArchiveError> {
    if let Some(value) = plain_octal(field) {
        return Ok(value);
    }
    let is_filler = |byte: &u8| matches!(byte, b' ' | 0);
    let Some(begin) = field.iter().position(|byte| !is_filler(byte)) else { return Ok(0) };
    let end = field.iter().rposition(|byte| !is_filler(byte)).map_or(begin, |last| last + 1);
    let mut value: u64 = 0;
    for byte in text(&field[begin..end]) {
        if !(b'0'..=b'7').contains(byte) || value >> 61 != 0 {
            return Err(ArchiveError::BadHeader);
        }
        value = value << 3 | u64::from(byte - b'0');
    }
    Ok(value.cast_signed())
}

/// The usual field: digits up to its end but for one NUL or blank, or both, and eight bytes long or twelve.
fn plain_octal(field: &[u8]) -> Option<i64> {
    let (first, last) = field.split_last_chunk::<8>()?;
    let text = u64::from_be_bytes(*last);
    let (low, count) = match last {
        [.., 0, b' '] => (digits(text >> 16, 0x3030_3030_3030)?, 6),
        [.., 0 | b' '] => (digits(text >> 8, 0x30_3030_3030_3030)?, 7),
        _ => return None,
    };
    let high = match first {
        [] => 0,
        _ => digits(u32::from_be_bytes(first.try_into().ok()?).into(), 0x3030_3030)?,
    };
    Some(high << (3 * count) | low)
}

/// The number of up to eight octal digits, of which each is a byte of `text`; `zeros` is as many times the digit zero.
fn digits(text: u64, zeros: u64) -> Option<i64> {
    let digits = text ^ zeros;
    if digits & 0xf8f8_f8f8_f8f8_f8f8 != 0 {
        return None;
    }
    // Neighbours join: digits, pairs, fours.
    let pairs = (digits | digits >> 5) & 0x003f_003f_003f_003f;
    let fours = (pairs | pairs >> 10) & 0x0000_0fff_0000_0fff;
    Some(((fours | fours >> 20) & 0x00ff_ffff).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for (field, expected) in [
            (&b"0000644\0"[..], Ok(0o644)),
            (b"   644 \0", Ok(0o644)),
            (b"\0\0\0\0\0\0\0\0", Ok(0)),
            (b"77777777", Ok(0o7777_7777)),
            (b"1234\x00567", Ok(0o1234)),
            (b"12 34", Err(ArchiveError::BadHeader)),
            (b"8", Err(ArchiveError::BadHeader)),
            (b"-1", Err(ArchiveError::BadHeader)),
            (b"\x80\0\0\0\0\0\0\0\0\0\x02\0", Ok(512)),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", Ok(-1)),
            (b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", Ok(i64::MAX)),
            (b"\x80\0\0\0\x80\0\0\0\0\0\0\0", Err(ArchiveError::BadHeader)),
            (b"\x80\0\0\x01\0\0\0\0\0\0\0\0", Err(ArchiveError::BadHeader)),
        ] {
            assert_eq!(number(field), expected, "{field:?}");
        }
    }

    #[test]
    fn plain_numbers() {
        for value in (0..64).map(|n| 0o12_3456_7012_3456_7012_3456_u64.rotate_left(n) & 0o77_777_777_777) {
            let fields = [
                (format!("{value:011o}\0"), value),
                (format!("{:010o}\0 ", value >> 3), value >> 3),
                (format!("{:07o} ", value >> 12), value >> 12),
                (format!("{:06o}\0 ", value >> 15), value >> 15),
            ];
            for (field, value) in fields {
                assert_eq!(plain_octal(field.as_bytes()), i64::try_from(value).ok(), "{field:?}");
                for at in 0..field.len() {
                    for strange in
                        [b'8', b'/', b'0' | 0x80, b'p', if at + 1 == field.len() { b'0' } else { b' ' }]
                    {
                        let mut field = field.clone().into_bytes();
                        field[at] = strange;
                        assert_eq!(plain_octal(&field), None, "{field:?}");
                    }
                }
            }
        }
        assert_eq!([plain_octal(b"644\0"), plain_octal(b"00000000644\0\0\0\0\0")], [None; 2]);
    }

    #[test]
    fn sums_of_the_largest_bytes() {
        let mut block = [0xff; BLOCK];
        block[148..156].copy_from_slice(b"0373410\0");
        assert_eq!(check_sum(&block), Ok(()));
    }
}
