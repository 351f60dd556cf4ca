//! What differs between operating systems, all of it.

#[cfg(feature = "registry")]
mod logins;

use std::{fmt, io, path::Path};

use fs_err::File;

#[cfg(feature = "registry")]
pub(crate) use logins::{HOME, helm_base, runtime_directory};

/// What the system said, under a text that names the path, as errors of `fs_err` are. `tempfile` has the system's number in its text alone.
pub(crate) fn named(what: &str, path: &Path, error: io::Error) -> io::Error {
    let number = error.raw_os_error().or_else(|| {
        let text = error.to_string();
        let (_, behind) = text.split_once("(os error ")?;
        behind.split_once(')')?.0.parse().ok()
    });
    match number.map(io::Error::from_raw_os_error) {
        Some(source) => {
            let text = format!("failed to {what} `{}`", path.display());
            io::Error::new(source.kind(), Named { text, source })
        }
        None => error,
    }
}

#[derive(Debug)]
struct Named {
    text: String,
    source: io::Error,
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Named {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

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

/// Makes a directory of mode 0755 (less the umask).
#[cfg(unix)]
pub(crate) fn create_dir(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .mode(0o755)
        .create(path)
        .map_err(|error| named("create directory", path, error))
}

/// Makes a directory with the permissions of the one above it.
#[cfg(windows)]
pub(crate) fn create_dir(path: &Path) -> io::Result<()> {
    fs_err::create_dir(path)
}

/// Makes a file of mode 0644 (less the umask) that was not there, and follows no link to do so.
#[cfg(unix)]
pub(crate) fn create_file(path: &Path) -> io::Result<File> {
    use fs_err::os::unix::fs::OpenOptionsExt;
    fs_err::OpenOptions::new().write(true).create_new(true).mode(0o644).open(path)
}

/// Makes a file that was not there.
#[cfg(windows)]
pub(crate) fn create_file(path: &Path) -> io::Result<File> {
    fs_err::OpenOptions::new().write(true).create_new(true).open(path)
}

/// Lets directories made by `builder` have mode 0755 (less the umask).
#[cfg(unix)]
pub(crate) fn writable_by_owner(builder: &mut tempfile::Builder<'_, '_>) {
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755));
}

/// Windows takes the permissions of the directory above.
#[cfg(windows)]
pub(crate) fn writable_by_owner(_: &mut tempfile::Builder<'_, '_>) {}

/// Makes a directory, and those above it, that nobody else can look into.
#[cfg(unix)]
pub(crate) fn create_private_dir(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| named("create directory", path, error))
}

/// Makes a directory, and those above it, with the permissions of what is there.
#[cfg(windows)]
pub(crate) fn create_private_dir(path: &Path) -> io::Result<()> {
    fs_err::create_dir_all(path)
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    #[test]
    fn what_tempfile_hides_is_found() {
        let absent = Path::new("/no/such (os error 5) directory");
        let hidden = tempfile::Builder::new().tempfile_in(absent).unwrap_err();
        assert!(hidden.raw_os_error().is_none());
        let found = named("create a file in", absent, hidden);
        assert_eq!(found.kind(), io::ErrorKind::NotFound);
        assert_eq!(found.to_string(), "failed to create a file in `/no/such (os error 5) directory`");
        let source = found.source().and_then(|source| source.downcast_ref::<io::Error>());
        assert_eq!(source.map(io::Error::kind), Some(io::ErrorKind::NotFound));
        assert!(source.and_then(io::Error::raw_os_error).is_some());
        assert_eq!(named("do it to", absent, io::Error::other("odd")).to_string(), "odd");
    }
}
