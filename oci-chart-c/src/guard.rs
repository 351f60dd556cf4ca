//! The border: no panic leaves it.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

use oci_chart_core::{Error, ErrorKind, Result};

use crate::{error::oci_chart_error, status::oci_chart_status};

/// Runs the body of the function called `name` and hands its failure out, a panic included.
pub(crate) fn guard(
    name: &'static str,
    err: *mut *mut oci_chart_error,
    body: impl FnOnce() -> Result<()>,
) -> oci_chart_status {
    match caught(name, body).unwrap_or_else(|panic| Err(panicked(name, panic))) {
        Ok(()) => oci_chart_status::Ok,
        Err(error) => {
            let status = oci_chart_status::from(error.kind());
            if !err.is_null() {
                // SAFETY: not NULL, so a place for a pointer.
                unsafe { err.write(Box::into_raw(Box::new(oci_chart_error::from(error)))) };
            }
            status
        }
    }
}

/// Runs the body of a function that cannot fail; `fallback` is what it gives should it panic all the same.
pub(crate) fn guard_plain<T>(name: &'static str, fallback: T, body: impl FnOnce() -> T) -> T {
    caught(name, body).unwrap_or_else(|panic| {
        discard(panic);
        fallback
    })
}

fn caught<T>(name: &'static str, body: impl FnOnce() -> T) -> Result<T, Box<dyn Any + Send>> {
    // A panic leaves nothing half written: out-parameters are written last, and what the library keeps of its own is the core's, which says
    // so itself (`UnwindSafe`).
    catch_unwind(AssertUnwindSafe(|| {
        #[cfg(feature = "testing")]
        crate::testing::trip(name);
        #[cfg(not(feature = "testing"))]
        let _ = name;
        body()
    }))
}

fn panicked(name: &'static str, panic: Box<dyn Any + Send>) -> Error {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    discard(panic);
    Error::new(ErrorKind::Internal, "the library panicked")
        .with_context("function", name)
        .with_context("panic", text.as_deref().unwrap_or("(no text)"))
}

/// Drops what a panic carried, which may panic again, and that again. After a few times it is left alone.
fn discard(mut panic: Box<dyn Any + Send>) {
    for _ in 0..3 {
        match catch_unwind(AssertUnwindSafe(|| drop(panic))) {
            Ok(()) => return,
            Err(again) => panic = again,
        }
    }
    std::mem::forget(panic);
}
