//! A panic in any function is an error, or nothing, and never the end of the process; not even one whose payload panics when it is dropped.

#![cfg(all(feature = "testing", target_os = "linux", target_pointer_width = "64"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod c_header;
#[path = "sweep/functions.rs"]
mod functions;

use std::{
    ffi::{CStr, CString},
    ptr,
};

use c_header::Header;
use oci_chart::*;

type Raw = unsafe extern "C" fn(
    usize,
    usize,
    usize,
    usize,
    usize,
    usize,
    usize,
    usize,
    usize,
    usize,
    usize,
    usize,
) -> usize;

#[test]
fn no_panic_leaves_the_library() {
    // The panics that are asked for are not worth reading.
    std::panic::set_hook(Box::new(|_| {}));
    let mut caught = 0;
    for function in &Header::committed().functions {
        let name = function.name.as_str();
        if name.starts_with("oci_chart_testing_") {
            continue;
        }
        let mut err: *mut oci_chart_error = ptr::null_mut();
        let mut arguments = [0; 12];
        if function.returns_status() {
            arguments[function.parameters.len() - 1] = (&raw mut err) as usize;
        }
        arm(name);
        let [a, b, c, d, e, f, g, h, i, j, k, l] = arguments;
        // SAFETY: as in the sweep of arguments.
        let answer = unsafe {
            let function = std::mem::transmute::<*const (), Raw>(functions::address(name));
            function(a, b, c, d, e, f, g, h, i, j, k, l)
        };
        assert!(!disarm(), "{name} has no guard of its own name");
        caught += 1;
        if !function.returns_status() {
            assert!(err.is_null());
            continue;
        }
        assert_eq!(answer as i32, oci_chart_status::Internal as i32, "{name}");
        // SAFETY: an error that the call made.
        let message =
            unsafe { CStr::from_ptr(oci_chart_error_get_message(err)) }.to_str().unwrap().to_owned();
        assert!(message.contains(&format!("function: {name}")), "{message}");
        // SAFETY: the same.
        unsafe { oci_chart_error_free(err) };
    }
    assert!(caught > 120, "only {caught}");
}

#[test]
fn what_an_error_knows_comes_out() {
    let mut err: *mut oci_chart_error = ptr::null_mut();
    // SAFETY: good arguments.
    unsafe {
        assert_eq!(oci_chart_testing_fail(20, &raw mut err), oci_chart_status::NotFound);
        assert_eq!(oci_chart_error_get_http_status(err), 418);
        oci_chart_error_free(err);
    }
}

fn arm(name: &str) {
    let name = CString::new(name).unwrap();
    // SAFETY: a good text.
    assert_eq!(unsafe { oci_chart_testing_panic_in(name.as_ptr(), ptr::null_mut()) }, oci_chart_status::Ok);
}

/// Whether the trap was still there.
fn disarm() -> bool {
    oci_chart_testing_is_armed() != 0
}
