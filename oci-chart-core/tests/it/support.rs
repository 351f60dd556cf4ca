//! What several tests need.

pub(crate) mod clock;
pub(crate) mod corpus;
pub(crate) mod disagreements;
#[cfg(feature = "pgp")]
pub(crate) mod gpg;
pub(crate) mod helm_tar;
pub(crate) mod oracle;
pub(crate) mod process;
pub(crate) mod rng;
pub(crate) mod servers;
pub(crate) mod tarball;
pub(crate) mod tools;

use std::io::Write;

/// Tells that a test could not run for want of `what`; in CI, where nothing may be missing, that is a failure.
pub(crate) fn skip(what: &str) {
    assert!(std::env::var_os("CI").is_none(), "missing in CI: {what}");
    say(&format!("SKIPPED: {what}"));
}

/// Writes a line past the test harness, which swallows what a passing test prints.
pub(crate) fn say(line: &str) {
    // A closed standard error is no reason to fail.
    let _ = writeln!(std::io::stderr(), "{line}");
}
