//! gzip as Go reads it: members one after the other are one stream, and a member's trailer counts only for those who read
//! beyond its content.

use std::io::{self, Read};

use flate2::{Decompress, FlushDecompress, Status};

use super::{ArchiveError, Fault};
use crate::{
    chart::{LoadOptions, gzip::Trailer},
    context::CancelToken,
    error::Error,
};

/// Inflates everything that `raw` gives, in pieces that the caller chooses.
pub(super) struct Inflate<R> {
    source: Source<R>,
    inflate: Decompress,
    trailer: Trailer,
    state: State,
    cancel: CancelToken,
    window: Vec<u8>,
    /// How often the window was filled.
    fills: usize,
    /// The part of the window that is not taken yet.
    ready: std::ops::Range<usize>,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Header,
    Body,
    Trailer,
    /// The compressed data is damaged here; what came before it has been given out.
    Damaged,
    End,
}

/// How much is inflated ahead, in bytes: less in the beginning, since memory has to be cleared before it is first used, and more
/// in the end, since deflate keeps a copy of the last 32 KiB whenever it is left.
const WINDOWS: [(usize, usize); 2] = [(0, 64 << 10), (8, 128 << 10)];

/// Content of this size and more is inflated to its place.
const LARGE: usize = 64 << 10;

/// How much is inflated between two looks at the cancel token, in bytes.
const SLICE: usize = 256 << 10;

impl<R: Read> Inflate<R> {
    /// Reads the first header.
    pub(super) fn new(raw: R, options: &LoadOptions) -> Result<Self, Fault> {
        let mut source = Source::new(raw, options.limits.package_bytes);
        member_header(&mut source)?;
        Ok(Self {
            source,
            inflate: Decompress::new(false),
            trailer: Trailer::default(),
            state: State::Body,
            cancel: options.cancel.clone(),
            window: Vec::new(),
            fills: 0,
            ready: 0..0,
        })
    }

    /// Fills `out` as far as there is content; fewer bytes mean that there is no more.
    pub(super) fn read_up_to(&mut self, out: &mut [u8]) -> Result<usize, Fault> {
        let mut filled = 0;
        while filled < out.len() {
            let rest = &mut out[filled..];
            let ready = self.ready.len().min(rest.len());
            if ready > 0 {
                rest[..ready].copy_from_slice(&self.window[self.ready.start..self.ready.start + ready]);
                self.ready.start += ready;
                filled += ready;
            } else if rest.len() >= LARGE {
                // Large content goes straight to its place.
                let slice = rest.len().min(SLICE);
                let count = self.inflate(&mut rest[..slice])?;
                filled += count;
                if count == 0 {
                    break;
                }
            } else if !self.fill()? {
                break;
            }
        }
        Ok(filled)
    }

    /// Passes over `count` bytes, or as many as there are.
    pub(super) fn skip_up_to(&mut self, count: u64) -> Result<u64, Fault> {
        let mut left = count;
        while left > 0 {
            if self.ready.is_empty() && !self.fill()? {
                break;
            }
            let step = self.ready.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            self.ready.start += step;
            left -= step as u64;
        }
        Ok(count - left)
    }

    /// Whether nothing but zeros follows, of which at most `bound` bytes are looked at. Reads every trailer.
    pub(super) fn only_zeros_follow(&mut self, bound: u64) -> Result<bool, Fault> {
        let mut seen = 0;
        loop {
            if self.window[self.ready.clone()].iter().any(|byte| *byte != 0) {
                return Ok(false);
            }
            seen += self.ready.len() as u64;
            if seen > bound {
                return Ok(false);
            }
            if !self.fill()? {
                return Ok(true);
            }
        }
    }

    /// Reads the compressed bytes to their end, without looking at them.
    pub(super) fn drain(&mut self) -> Result<(), Fault> {
        loop {
            self.cancel.check()?;
            if !self.source.refill()? {
                return Ok(());
            }
        }
    }

    fn fill(&mut self) -> Result<bool, Fault> {
        self.ready = 0..0;
        if let Some((_, size)) = WINDOWS.iter().find(|(fills, _)| *fills == self.fills) {
            self.window = vec![0; *size];
        }
        self.fills += 1;
        let mut window = std::mem::take(&mut self.window);
        let count = self.inflate(&mut window);
        self.window = window;
        self.ready = 0..count?;
        Ok(!self.ready.is_empty())
    }

    /// Inflates at least one byte, unless there is no more.
    fn inflate(&mut self, out: &mut [u8]) -> Result<usize, Fault> {
        loop {
            // Also where much goes in and nothing comes out: empty members, empty blocks.
            self.cancel.check()?;
            match self.state {
                State::End => return Ok(0),
                State::Damaged => return Err(ArchiveError::BadDeflate.into()),
                State::Header => {
                    if self.source.is_at_end()? {
                        self.state = State::End;
                        continue;
                    }
                    member_header(&mut self.source)?;
                    self.inflate.reset(false);
                    self.trailer = Trailer::default();
                    self.state = State::Body;
                }
                State::Trailer => {
                    if self.source.bytes::<8>()? != self.trailer.bytes() {
                        return Err(ArchiveError::BadChecksum.into());
                    }
                    self.state = State::Header;
                }
                State::Body => {
                    let before = (self.inflate.total_in(), self.inflate.total_out());
                    let (input, how) = (self.source.buffered(), FlushDecompress::None);
                    let status = self.inflate.decompress(input, out, how);
                    let taken = self.inflate.total_in() - before.0;
                    let made = usize::try_from(self.inflate.total_out() - before.1).unwrap_or(0);
                    self.source.consume(usize::try_from(taken).unwrap_or(0));
                    self.trailer.add(&out[..made]);
                    match status {
                        Ok(Status::StreamEnd) => self.state = State::Trailer,
                        Ok(_) => {}
                        Err(_) => self.state = State::Damaged,
                    }
                    if made > 0 {
                        return Ok(made);
                    }
                    if self.state == State::Body && taken == 0 {
                        if !self.source.buffered().is_empty() {
                            return Err(ArchiveError::BadDeflate.into());
                        }
                        if !self.source.refill()? {
                            return Err(ArchiveError::Truncated.into());
                        }
                    }
                }
            }
        }
    }
}

/// How much is read at once, in bytes: most packages need no more than the first one.
const FIRST_READ: usize = 16 << 10;
const READ: usize = 64 << 10;

/// The compressed bytes.
struct Source<R> {
    raw: R,
    buffer: Vec<u8>,
    unread: std::ops::Range<usize>,
    total: u64,
    limit: u64,
}

impl<R: Read> Source<R> {
    fn new(raw: R, limit: u64) -> Self {
        Self { raw, buffer: vec![0; FIRST_READ], unread: 0..0, total: 0, limit }
    }

    fn buffered(&self) -> &[u8] {
        &self.buffer[self.unread.clone()]
    }

    fn consume(&mut self, count: usize) {
        self.unread.start += count;
    }

    /// Reads more, over what is left; false at the end.
    fn refill(&mut self) -> Result<bool, Fault> {
        if self.total >= FIRST_READ as u64 && self.buffer.len() < READ {
            self.buffer = vec![0; READ];
        }
        let count = loop {
            match self.raw.read(&mut self.buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other.map_err(Error::from)?,
            }
        };
        self.unread = 0..count;
        self.total = self.total.saturating_add(count as u64);
        if self.total > self.limit {
            return Err(Error::limit("package_bytes", self.limit, "the package is too large").into());
        }
        Ok(count > 0)
    }

    fn is_at_end(&mut self) -> Result<bool, Fault> {
        Ok(self.unread.is_empty() && !self.refill()?)
    }

    fn byte(&mut self) -> Result<u8, Fault> {
        if self.is_at_end()? {
            return Err(ArchiveError::Truncated.into());
        }
        let byte = self.buffer[self.unread.start];
        self.unread.start += 1;
        Ok(byte)
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let mut bytes = [0; N];
        for byte in &mut bytes {
            *byte = self.byte()?;
        }
        Ok(bytes)
    }
}

/// Passes over the header of a member (RFC 1952, section 2.3) with the checks that Go makes.
fn member_header<R: Read>(source: &mut Source<R>) -> Result<(), Fault> {
    const HEADER_CHECKSUM: u8 = 1 << 1;
    const EXTRA: u8 = 1 << 2;
    const NAME: u8 = 1 << 3;
    const COMMENT: u8 = 1 << 4;
    /// Name and comment with their NUL: Go's buffer.
    const TEXT_BYTES: usize = 512;
    /// Of Helm's packages and a little more.
    const HEADER_BYTES: usize = 96;

    if source.is_at_end()? {
        return Err(ArchiveError::NotGzip.into());
    }
    let mut header = Vec::with_capacity(HEADER_BYTES);
    let mut next = |source: &mut Source<R>| {
        let byte = source.byte()?;
        header.push(byte);
        Ok::<u8, Fault>(byte)
    };
    for magic in [0x1f, 0x8b, 8] {
        if next(source)? != magic {
            return Err(ArchiveError::NotGzip.into());
        }
    }
    let flags = next(source)?;
    // Time, compression level, operating system.
    for _ in 0..6 {
        next(source)?;
    }
    if flags & EXTRA != 0 {
        for _ in 0..u16::from_le_bytes([next(source)?, next(source)?]) {
            next(source)?;
        }
    }
    for flag in [NAME, COMMENT] {
        if flags & flag == 0 {
            continue;
        }
        let mut length = 1;
        while next(source)? != 0 {
            length += 1;
            if length > TEXT_BYTES {
                return Err(ArchiveError::NotGzip.into());
            }
        }
    }
    if flags & HEADER_CHECKSUM != 0 {
        let sum = crc32fast::hash(&header).to_le_bytes();
        if source.bytes::<2>()? != sum[..2] {
            return Err(ArchiveError::NotGzip.into());
        }
    }
    Ok(())
}
