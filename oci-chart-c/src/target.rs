//! What a caller names.

use std::ffi::c_char;

use oci_chart_core::{
    Location, Result,
    name::{Selector, Target},
};

use crate::ffi::{invalid, text, text_or_none};

/// Where a chart is, and which one is meant.
pub(crate) struct Meant {
    pub(crate) location: Location,
    pub(crate) selector: Selector,
}

impl Meant {
    /// A target, and the version beside it where there is one.
    pub(crate) unsafe fn new(target: *const c_char, version: *const c_char) -> Result<Self> {
        // SAFETY: the header's conventions.
        let (target, version) = unsafe { (text(target, "target")?, text_or_none(version, "version")?) };
        let target = Target::parse(target)?;
        let selector = target.selector(version)?;
        Ok(Self { location: target.into_location(), selector })
    }
}

/// A target that names a whole repository: a tag or digest is refused.
pub(crate) unsafe fn place(target: *const c_char) -> Result<Location> {
    // SAFETY: the header's conventions.
    let target = unsafe { text(target, "target") }?;
    let parsed = Target::parse(target)?;
    match (parsed.tag(), parsed.digest()) {
        (None, None) => Ok(parsed.into_location()),
        _ => Err(invalid("target", "a repository is asked for, without tag and digest")
            .with_context("target", target)),
    }
}
