//! Where the judges are.

use std::path::{Path, PathBuf};

use super::skip;

/// A program that `testkit/judges/install.sh` installs, or a word that the test was skipped.
pub(crate) fn judge(test: &str, name: &str) -> Option<PathBuf> {
    let directory = std::env::var_os("OCI_CHART_JUDGES_BIN")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("testkit/judges/bin"), PathBuf::from);
    let program = directory.join(name);
    if program.exists() {
        return Some(program);
    }
    skip(&format!("{test}: no {}; run testkit/judges/install.sh", program.display()));
    None
}

/// A program of the system, found as a shell finds it.
pub(crate) fn system(test: &str, name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found =
        std::env::split_paths(&path).map(|directory| directory.join(name)).find(|program| program.is_file());
    if found.is_none() {
        skip(&format!("{test}: no {name} in PATH"));
    }
    found
}
