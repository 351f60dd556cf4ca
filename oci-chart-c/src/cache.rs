use std::ffi::c_char;

use oci_chart_core::store::Cache;

use crate::{
    error::oci_chart_error,
    ffi::{Out, text},
    guard::guard,
    json,
    status::oci_chart_status,
};

/// How much is in the cache at `directory`, as JSON: `{"entries", "bytes"}`. A directory that is not there is empty. Free the text with
/// oci_chart_string_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_cache_usage(
    directory: *const c_char,
    out: *mut *mut c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_cache_usage", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        out.give_text(json::text(&Cache::new(unsafe { text(directory, "directory") }?).usage()?));
        Ok(())
    })
}

/// Removes from the cache at `directory` what was not used for longest, until at most `bytes` are left. Others may go on using it. `out`
/// may be NULL; else it receives what was removed, as JSON, to be freed with oci_chart_string_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_cache_prune(
    directory: *const c_char,
    bytes: u64,
    out: *mut *mut c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_cache_prune", err, || {
        let out = Out::optional(out);
        // SAFETY: the header's conventions.
        out.give_text(json::text(&Cache::new(unsafe { text(directory, "directory") }?).prune(bytes)?));
        Ok(())
    })
}
