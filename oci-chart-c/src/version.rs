use std::ffi::c_char;

use crate::guard::guard_plain;

/// The header's major version.
pub const OCI_CHART_VERSION_MAJOR: u32 = 0;
/// The header's minor version. While the major version is 0, another one may break its callers.
pub const OCI_CHART_VERSION_MINOR: u32 = 1;
/// The header's patch version.
pub const OCI_CHART_VERSION_PATCH: u32 = 0;
/// The header's version as one number that grows: major * 1000000 + minor * 1000 + patch.
pub const OCI_CHART_VERSION_NUMBER: u32 = 1000;

/// The library's version as text, `0.1.0`. Never NULL; lives for ever.
#[unsafe(no_mangle)]
pub extern "C" fn oci_chart_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    guard_plain("oci_chart_version", c"".as_ptr(), || VERSION.as_ptr().cast())
}

/// The library's version as a number, made like OCI_CHART_VERSION_NUMBER.
#[unsafe(no_mangle)]
pub extern "C" fn oci_chart_version_number() -> u32 {
    guard_plain("oci_chart_version_number", 0, || OCI_CHART_VERSION_NUMBER)
}

const _: () = assert!(
    OCI_CHART_VERSION_NUMBER
        == OCI_CHART_VERSION_MAJOR * 1_000_000 + OCI_CHART_VERSION_MINOR * 1000 + OCI_CHART_VERSION_PATCH
);
