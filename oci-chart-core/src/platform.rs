//! What differs between operating systems, all of it.

use std::io;

use fs_err::File;

/// Reads at `offset` without moving the file's own position, so that one open file serves many readers.
#[cfg(unix)]
pub(crate) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file.file(), buffer, offset)
}

/// Reads at `offset`. Windows moves the position as well, which no reader here relies on.
#[cfg(windows)]
pub(crate) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file.file(), buffer, offset)
}
