//! Where programs keep their users' logins.

#[cfg(target_os = "linux")]
use std::path::Path;
use std::path::PathBuf;

/// The variable that names the user's home directory.
#[cfg(not(windows))]
pub(crate) const HOME: &str = "HOME";
/// The variable that names the user's home directory.
#[cfg(windows)]
pub(crate) const HOME: &str = "USERPROFILE";

/// Where Helm has its configuration, if no variable says so: `helm` below this.
#[cfg(all(not(windows), not(target_os = "macos")))]
pub(crate) fn helm_base(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    Some(variable(HOME)?.join(".config"))
}

/// Where Helm has its configuration, if no variable says so: `helm` below this.
#[cfg(target_os = "macos")]
pub(crate) fn helm_base(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    Some(variable(HOME)?.join("Library/Preferences"))
}

/// Where Helm has its configuration, if no variable says so: `helm` below this.
#[cfg(windows)]
pub(crate) fn helm_base(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    variable("APPDATA")
}

/// The directory of this user's that lasts until the machine is started again, where no variable names it.
#[cfg(target_os = "linux")]
pub(crate) fn runtime_directory() -> Option<PathBuf> {
    use std::os::unix::fs::MetadataExt;
    // Whose process this is, without asking the C library.
    let uid = fs_err::metadata("/proc/self").ok()?.uid();
    Some(Path::new("/run/containers").join(uid.to_string()))
}

/// Other systems have none.
#[cfg(not(target_os = "linux"))]
pub(crate) fn runtime_directory() -> Option<PathBuf> {
    None
}
