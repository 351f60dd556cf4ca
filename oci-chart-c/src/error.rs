use std::ffi::c_char;

use oci_chart_core::{Error, trust::Evidence};

use crate::{
    ffi::{Kept, Out, Shared, shared, take, text_of},
    guard::{guard, guard_plain},
    json,
    status::oci_chart_status,
};

/// What went wrong, where, and what to do about it. Freed with oci_chart_error_free(). Any number of threads may read it at once. Its texts
/// have no passwords, tokens or keys in them.
pub struct oci_chart_error {
    error: Error,
    texts: Texts,
}

#[derive(Default)]
struct Texts {
    message: Kept,
    reason: Kept,
    operation: Kept,
    hint: Kept,
    context: Kept,
    evidence: Kept,
}

impl Shared for oci_chart_error {}

impl From<Error> for oci_chart_error {
    fn from(error: Error) -> Self {
        Self { error, texts: Texts::default() }
    }
}

/// The status of the call that failed; OCI_CHART_STATUS_OK for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_error_get_status(error: *const oci_chart_error) -> oci_chart_status {
    guard_plain("oci_chart_error_get_status", oci_chart_status::Internal, || {
        // SAFETY: NULL or valid for the call.
        unsafe { error.as_ref() }.map_or(oci_chart_status::Ok, |error| error.error.kind().into())
    })
}

/// What failed: one line with the operation and the context. Belongs to the error; NULL only for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_error_get_message(error: *const oci_chart_error) -> *const c_char {
    // SAFETY: NULL or valid for the call.
    unsafe {
        text_of("oci_chart_error_get_message", error, |error| {
            error.texts.message.text(|| error.error.to_string())
        })
    }
}

/// The cause below the status, as a stable word: `tag-exists`, `plain-http-on-https`, ... Belongs to the error; NULL where there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_error_get_reason(error: *const oci_chart_error) -> *const c_char {
    // SAFETY: NULL or valid for the call.
    unsafe {
        text_of("oci_chart_error_get_reason", error, |error| {
            error.texts.reason.text_or_null(|| error.error.reason().map(|reason| reason.as_str().to_owned()))
        })
    }
}

/// The verb that failed: `push`, `load`, ... Belongs to the error; NULL where none is known.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_error_get_operation(error: *const oci_chart_error) -> *const c_char {
    // SAFETY: NULL or valid for the call.
    unsafe {
        text_of("oci_chart_error_get_operation", error, |error| {
            error.texts.operation.text_or_null(|| error.error.operation().map(str::to_owned))
        })
    }
}

/// What a person can do about it. Belongs to the error; NULL where nobody knows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_error_get_hint(error: *const oci_chart_error) -> *const c_char {
    // SAFETY: NULL or valid for the call.
    unsafe {
        text_of("oci_chart_error_get_hint", error, |error| {
            error.texts.hint.text_or_null(|| error.error.hint().map(str::to_owned))
        })
    }
}

/// Where it failed, as a JSON object of texts in the order in which they were learnt: `{"repository": "...", "tag": "..."}`. Belongs to the
/// error; NULL only for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_error_get_context_json(error: *const oci_chart_error) -> *const c_char {
    // SAFETY: NULL or valid for the call.
    unsafe {
        text_of("oci_chart_error_get_context_json", error, |error| {
            error.texts.context.text(|| json::object(error.error.context()))
        })
    }
}

/// 1 if the same call may succeed later without any change, else 0; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_error_is_retryable(error: *const oci_chart_error) -> i32 {
    guard_plain("oci_chart_error_is_retryable", 0, || {
        // SAFETY: NULL or valid for the call.
        unsafe { error.as_ref() }.map_or(0, |error| i32::from(error.error.is_retryable()))
    })
}

/// For how many milliseconds the other side asked to be left alone; 0 where it did not, and for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_error_get_retry_after_ms(error: *const oci_chart_error) -> u64 {
    guard_plain("oci_chart_error_get_retry_after_ms", 0, || {
        // SAFETY: NULL or valid for the call.
        let wait = unsafe { error.as_ref() }.and_then(|error| error.error.retry_after());
        wait.map_or(0, |wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX))
    })
}

/// The status of the HTTP answer that said no, 401 for example; 0 where it was no answer, and for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_error_get_http_status(error: *const oci_chart_error) -> i32 {
    guard_plain("oci_chart_error_get_http_status", 0, || {
        // SAFETY: NULL or valid for the call.
        let error = unsafe { error.as_ref() };
        error.and_then(|error| error.error.get("status")?.parse().ok()).unwrap_or(0)
    })
}

/// The operating system's number (errno) of what failed in it; 0 where nothing did, and for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_error_get_os_error(error: *const oci_chart_error) -> i32 {
    guard_plain("oci_chart_error_get_os_error", 0, || {
        // SAFETY: NULL or valid for the call.
        unsafe { error.as_ref() }.and_then(|error| os_error(&error.error)).unwrap_or(0)
    })
}

/// Everything about the error as one JSON object with the members `kind`, `code`, `message`, `reason`, `operation`, `context`, `hint`,
/// `retryable`, `retryAfterMs` and `causes`; what is not known is missing. Free the text with oci_chart_string_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_error_to_json(
    error: *const oci_chart_error,
    out: *mut *mut c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_error_to_json", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        out.give_text(json::error(&unsafe { shared(error, "error") }?.error));
        Ok(())
    })
}

/// What was looked at before a signature or policy was found wanting, as JSON: the same document that a successful check gives. Belongs to
/// the error; NULL for an error that is no answer of a check.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_error_get_evidence(error: *const oci_chart_error) -> *const c_char {
    let make = |error: &oci_chart_error| Evidence::of(&error.error).map(Evidence::to_json);
    // SAFETY: NULL or valid for the call.
    unsafe {
        text_of("oci_chart_error_get_evidence", error, |error| {
            error.texts.evidence.text_or_null(|| make(error))
        })
    }
}

/// Frees the error. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_error_free(error: *mut oci_chart_error) {
    // SAFETY: the caller's last use.
    guard_plain("oci_chart_error_free", (), || unsafe { take(error) });
}

fn os_error(error: &Error) -> Option<i32> {
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        let io = cause.downcast_ref::<std::io::Error>();
        if let Some(number) = io.and_then(std::io::Error::raw_os_error) {
            return Some(number);
        }
        next = cause.source();
    }
    None
}
