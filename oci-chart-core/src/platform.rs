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

/// Whether following symbolic links was given up because they never end. The standard library knows that kind of error on
/// every system, but has not made it stable: its name is all there is to compare.
pub(crate) fn is_link_loop(error: &io::Error) -> bool {
    format!("{:?}", error.kind()) == "FilesystemLoop"
}

/// Lets files made by `builder` have mode 0644 (less the umask) instead of 0600.
#[cfg(unix)]
pub(crate) fn readable_by_all(builder: &mut tempfile::Builder<'_, '_>) {
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
}

/// Windows takes the directory's permissions.
#[cfg(windows)]
pub(crate) fn readable_by_all(_: &mut tempfile::Builder<'_, '_>) {}
