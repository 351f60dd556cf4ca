//! Mischief for tests.

use std::{
    ffi::c_char,
    sync::{Mutex, PoisonError},
};

use oci_chart_core::{Error, ErrorKind, Result};

use crate::{error::oci_chart_error, ffi::text_or_none, guard::guard, status::oci_chart_status};

/// Where the next panic happens.
static TRAP: Mutex<Option<String>> = Mutex::new(None);

/// Lets the next call of the function called `function` panic, once. NULL sets nothing, and takes back what was set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_testing_panic_in(
    function: *const c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_testing_panic_in", err, || {
        // SAFETY: the header's conventions.
        let function = unsafe { text_or_none(function, "function") }?;
        *TRAP.lock().unwrap_or_else(PoisonError::into_inner) = function.map(str::to_owned);
        Ok(())
    })
}

/// 1 if a panic is still to come, else 0; takes it back.
#[unsafe(no_mangle)]
pub extern "C" fn oci_chart_testing_is_armed() -> i32 {
    i32::from(TRAP.lock().unwrap_or_else(PoisonError::into_inner).take().is_some())
}

/// Fails with an error of every kind: `status` chooses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_testing_fail(
    status: i32,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_testing_fail", err, || fail(status))
}

pub(crate) fn trip(name: &'static str) {
    let mut trap = TRAP.lock().unwrap_or_else(PoisonError::into_inner);
    if trap.as_deref() == Some(name) {
        *trap = None;
        drop(trap);
        // What it carries panics when it is dropped, as badly as a panic can.
        std::panic::resume_unwind(Box::new(Bomb));
    }
}

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        std::panic::resume_unwind(Box::new("the second panic"));
    }
}

fn fail(status: i32) -> Result<()> {
    let kind = ErrorKind::ALL.iter().find(|kind| kind.code() as i32 == status).copied();
    Err(Error::new(kind.unwrap_or(ErrorKind::Internal), "asked for").with_context("status", 418))
}
