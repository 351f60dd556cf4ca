use oci_chart_core::CancelToken;

use crate::{
    error::oci_chart_error,
    ffi::{Shared, shared, take},
    guard::{guard, guard_plain},
    status::oci_chart_status,
};

/// Stops calls from any thread. One token may serve many calls, at once and one after another. It may be freed while calls that were given it
/// still run; then nobody can stop them by it any more.
pub struct oci_chart_cancel_token(pub(crate) CancelToken);

impl Shared for oci_chart_cancel_token {}

/// A token that nobody has used. Free it with oci_chart_cancel_token_free().
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn oci_chart_cancel_token_new() -> *mut oci_chart_cancel_token {
    guard_plain("oci_chart_cancel_token_new", std::ptr::null_mut(), || {
        Box::into_raw(Box::new(oci_chart_cancel_token(CancelToken::new())))
    })
}

/// Stops every call that was or will be given this token: for good. Returns at once; the calls end within about 50 ms with
/// OCI_CHART_STATUS_CANCELLED. Twice is once. Not for signal handlers, which may only set a flag that a callback looks at.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_cancel_token_cancel(
    token: *const oci_chart_cancel_token,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_cancel_token_cancel", err, || {
        // SAFETY: the header's conventions.
        unsafe { shared(token, "token") }?.0.cancel();
        Ok(())
    })
}

/// 1 if the token was used, 0 if not; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_cancel_token_is_cancelled(token: *const oci_chart_cancel_token) -> i32 {
    guard_plain("oci_chart_cancel_token_is_cancelled", 0, || {
        // SAFETY: NULL or valid for the call.
        unsafe { token.as_ref() }.map_or(0, |token| i32::from(token.0.is_cancelled()))
    })
}

/// Frees the token. NULL is fine, and so are calls that still run with it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_cancel_token_free(token: *mut oci_chart_cancel_token) {
    // SAFETY: the caller's last use.
    guard_plain("oci_chart_cancel_token_free", (), || unsafe { take(token) });
}
