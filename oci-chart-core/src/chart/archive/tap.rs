//! Looking at bytes while somebody else reads them.

use std::io::{self, Read};

use crate::error::Result;

/// A reader that shows every piece to `look` before it gives it on. What `look` fails with, reading fails with.
pub(crate) struct Tap<R, F> {
    reader: R,
    look: F,
}

impl<R: Read, F: FnMut(&[u8]) -> Result<()>> Tap<R, F> {
    pub(crate) fn new(reader: R, look: F) -> Self {
        Self { reader, look }
    }
}

impl<R: Read, F: FnMut(&[u8]) -> Result<()>> Read for Tap<R, F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        (self.look)(&buffer[..count])?;
        Ok(count)
    }
}
