//! The entries of a tar archive, one after the other, with extended headers merged into what they describe.

use std::io::Read;

use super::{
    ArchiveError, Fault,
    block::{self, BLOCK, Header, kind},
    inflate::Inflate,
    pax::Records,
};
use crate::{
    error::{Error, Reason},
    limits::Limits,
};

/// An extended header or a long name, in bytes: Go's bound.
const SPECIAL_BYTES: u64 = 1 << 20;

/// Reads headers and contents in turn.
pub(super) struct Entries<R> {
    inflate: Inflate<R>,
    /// What is left of the present entry's content, and of the zeros behind it.
    left: u64,
    padding: usize,
    seen: u32,
    max_entries: u32,
    /// Bytes that may still come without being a file's: extended headers, contents of directories.
    skippable: u64,
    max_skipped: u64,
}

impl<R: Read> Entries<R> {
    pub(super) fn new(inflate: Inflate<R>, limits: &Limits) -> Self {
        Self {
            inflate,
            left: 0,
            padding: 0,
            seen: 0,
            max_entries: limits.entries,
            skippable: limits.total_bytes,
            max_skipped: limits.total_bytes,
        }
    }

    /// The next entry that is no mere description of another one. A global header is returned as an entry, as in Go.
    pub(super) fn next(&mut self) -> Result<Option<Header>, Fault> {
        let mut records = Records::default();
        let mut long_name = Vec::new();
        loop {
            let Some(mut header) = self.header()? else { return Ok(None) };
            match header.kind {
                kind::EXTENDED => records = Records::parse(&self.special()?)?,
                kind::GLOBAL => {
                    Records::parse(&self.special()?)?;
                    return Ok(Some(header));
                }
                kind::LONG_NAME => long_name = block::text(&self.special()?).to_vec(),
                kind::LONG_LINK => {
                    self.special()?;
                }
                kind::SPARSE => return Err(ArchiveError::SparseFile.into()),
                _ => {
                    records.apply(&mut header)?;
                    if !long_name.is_empty() {
                        header.name = long_name;
                    }
                    if header.kind == kind::OLD_FILE && header.name.ends_with(b"/") {
                        header.kind = kind::DIRECTORY;
                    }
                    self.expect_content(&header)?;
                    return Ok(Some(header));
                }
            }
        }
    }

    /// What is left of the present entry's content, in bytes.
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    /// Fills `out` with content; the archive may not end before.
    pub(super) fn read_exact(&mut self, out: &mut [u8]) -> Result<(), Fault> {
        let count = self.inflate.read_up_to(out)?;
        self.left = self.left.saturating_sub(count as u64);
        if count < out.len() { Err(ArchiveError::Truncated.into()) } else { Ok(()) }
    }

    /// Passes over content that has been counted against the limits already.
    pub(super) fn pass(&mut self) -> Result<(), Fault> {
        let left = std::mem::take(&mut self.left);
        if self.inflate.skip_up_to(left)? < left { Err(ArchiveError::Truncated.into()) } else { Ok(()) }
    }

    /// The inflated bytes behind the end.
    pub(super) fn rest(&mut self) -> &mut Inflate<R> {
        &mut self.inflate
    }

    /// The next header; none at the end, which two blocks of zeros mark. Go also takes the end of the data for it, even in the
    /// middle of the zeros behind a content, and so do we.
    fn header(&mut self) -> Result<Option<Header>, Fault> {
        self.charge()?;
        self.pass()?;
        let padding = std::mem::take(&mut self.padding);
        if self.inflate.skip_up_to(padding as u64)? < padding as u64 {
            return Ok(None);
        }
        let Some(block) = self.block()? else { return Ok(None) };
        if is_zero(&block) {
            match self.block()? {
                None => return Ok(None),
                Some(second) if is_zero(&second) => return Ok(None),
                Some(_) => return Err(ArchiveError::BadHeader.into()),
            }
        }
        self.seen += 1;
        if self.seen > self.max_entries {
            return Err(Error::limit("entries", self.max_entries, "the archive has too many entries")
                .with_reason(Reason::TooManyEntries)
                .into());
        }
        let header = Header::parse(&block)?;
        self.expect_content(&header)?;
        Ok(Some(header))
    }

    /// Counts what is left of the present content as passed over: it may not be more than a chart may have.
    fn charge(&mut self) -> Result<(), Fault> {
        self.skippable = self.skippable.checked_sub(self.left).ok_or_else(|| {
            let message = format!("decompressed chart is larger than the maximum size {}", self.max_skipped);
            Error::limit("total_bytes", self.max_skipped, message).with_reason(Reason::ArchiveTooLarge)
        })?;
        Ok(())
    }

    fn block(&mut self) -> Result<Option<[u8; BLOCK]>, Fault> {
        let mut block = [0; BLOCK];
        match self.inflate.read_up_to(&mut block)? {
            0 => Ok(None),
            BLOCK => Ok(Some(block)),
            _ => Err(ArchiveError::Truncated.into()),
        }
    }

    fn expect_content(&mut self, header: &Header) -> Result<(), Fault> {
        let size = if header.has_no_content() { 0 } else { header.size };
        self.left = u64::try_from(size).map_err(|_| ArchiveError::BadHeader)?;
        // The block is a power of two, so this is the distance to the next multiple.
        self.padding = (self.left.wrapping_neg() % BLOCK as u64) as usize;
        Ok(())
    }

    /// The whole content of an entry that describes others.
    fn special(&mut self) -> Result<Vec<u8>, Fault> {
        if self.left > SPECIAL_BYTES {
            return Err(ArchiveError::FieldTooLong.into());
        }
        self.charge()?;
        let mut content = Vec::new();
        // The size is only a claim: memory grows with what comes.
        while self.left > 0 {
            let begin = content.len();
            let step = self.left.min(16 << 10) as usize;
            content.resize(begin + step, 0);
            self.read_exact(&mut content[begin..])?;
        }
        Ok(content)
    }
}

fn is_zero(block: &[u8; BLOCK]) -> bool {
    block[0] == 0 && *block == [0; BLOCK]
}
