use std::{
    ffi::{CString, c_char},
    hint::black_box,
};

use bytes::Bytes;

use crate::{
    ffi::{Shared, take},
    guard::guard_plain,
};

/// Frees a text that a function of this library gave through an out-parameter, and wipes it. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_string_free(text: *mut c_char) {
    guard_plain("oci_chart_string_free", (), || {
        if !text.is_null() {
            // SAFETY: the caller got it from this library and does not use it again.
            let mut bytes = unsafe { CString::from_raw(text) }.into_bytes_with_nul();
            // At once, where wiping byte by byte would cost more than making the text did; what is looked at is not left out as useless.
            bytes.fill(0);
            black_box(&bytes);
        }
    });
}

/// Bytes that a function of this library gave: a file, a document, a signature. Freed with oci_chart_bytes_free(). Any number of threads may
/// read it at once.
pub struct oci_chart_bytes(pub(crate) Bytes);

impl Shared for oci_chart_bytes {}

/// The first of the bytes; they live as long as the object. NULL for NULL; where there are no bytes, not to be read from.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_bytes_get_data(bytes: *const oci_chart_bytes) -> *const u8 {
    guard_plain("oci_chart_bytes_get_data", std::ptr::null(), || {
        // SAFETY: NULL or valid for the call.
        unsafe { bytes.as_ref() }.map_or(std::ptr::null(), |bytes| bytes.0.as_ptr())
    })
}

/// How many bytes; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_bytes_get_size(bytes: *const oci_chart_bytes) -> usize {
    guard_plain("oci_chart_bytes_get_size", 0, || {
        // SAFETY: NULL or valid for the call.
        unsafe { bytes.as_ref() }.map_or(0, |bytes| bytes.0.len())
    })
}

/// Frees the bytes. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_bytes_free(bytes: *mut oci_chart_bytes) {
    // SAFETY: the caller's last use.
    guard_plain("oci_chart_bytes_free", (), || unsafe { take(bytes) });
}
