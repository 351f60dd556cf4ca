//! What a caller names.

use std::ffi::c_char;

use oci_chart_core::{
    Location, Result,
    name::{Selector, Target},
};

use crate::ffi::{text, text_or_none};

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
