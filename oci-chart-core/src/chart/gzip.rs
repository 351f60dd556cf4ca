//! The gzip frame (RFC 1952) as Helm 4.2.4 writes it.

use std::{
    io::{self, Write},
    num::NonZeroUsize,
};

use crc32fast::Hasher;

use super::deflate::BlockDeflate;
use crate::context::CancelToken;

/// Deflate with an extra field and a comment, no time, no file name, unknown system. Helm marks its packages with one extra
/// subfield, `rr`, of 40 bytes, and the comment `Helm`.
const HEADER: &[u8] =
    b"\x1f\x8b\x08\x14\0\0\0\0\0\xff\x2c\0rr\x28\0aHR0cHM6Ly95b3V0dS5iZS96OVV6MWljandyTQo=Helm\0";

/// Compresses what is written to it into a gzip file whose bytes depend on nothing else.
#[derive(Debug)]
pub(crate) struct GzipWriter<W> {
    deflate: BlockDeflate<W>,
    trailer: Trailer,
}

impl<W: Write> GzipWriter<W> {
    /// See [`BlockDeflate::new`].
    pub(crate) fn new(mut out: W, threads: Option<NonZeroUsize>, cancel: CancelToken) -> io::Result<Self> {
        out.write_all(HEADER)?;
        Ok(Self { deflate: BlockDeflate::new(out, threads, cancel), trailer: Trailer::default() })
    }

    /// Ends the file.
    pub(crate) fn finish(self) -> io::Result<W> {
        let mut out = self.deflate.finish()?;
        out.write_all(&self.trailer.bytes())?;
        Ok(out)
    }
}

impl<W: Write> Write for GzipWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.deflate.write(bytes)?;
        self.trailer.add(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.deflate.flush()
    }
}

/// What a gzip file says in its end about its content.
#[derive(Debug, Default)]
pub(super) struct Trailer {
    sum: Hasher,
    /// Modulo 2^32.
    size: u32,
}

impl Trailer {
    /// Content goes on with `bytes`.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.sum.update(bytes);
        self.size = self.size.wrapping_add(bytes.len() as u32);
    }

    pub(super) fn bytes(&self) -> [u8; 8] {
        let both = u64::from(self.sum.clone().finalize()) | u64::from(self.size) << 32;
        both.to_le_bytes()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn another_reader_sees_helm_s_header_and_the_content() {
        for input in [Vec::new(), b"hello".to_vec(), vec![7; 1 << 20]] {
            let mut gzip = GzipWriter::new(Vec::new(), NonZeroUsize::new(2), CancelToken::new()).unwrap();
            gzip.write_all(&input).unwrap();
            let bytes = gzip.finish().unwrap();
            let mut reader = flate2::read::GzDecoder::new(&bytes[..]);
            let mut content = Vec::new();
            reader.read_to_end(&mut content).unwrap();
            assert!(content == input);
            let header = reader.header().unwrap();
            assert_eq!((header.mtime(), header.operating_system()), (0, 255));
            assert_eq!((header.comment(), header.filename()), (Some(&b"Helm"[..]), None));
            let extra = header.extra().unwrap();
            assert_eq!((extra.len(), &extra[..4]), (44, &b"rr\x28\0"[..]));
        }
    }
}
