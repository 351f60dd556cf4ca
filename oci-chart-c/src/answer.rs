use std::ffi::c_char;

use oci_chart_core::auth::Credentials;

use crate::{
    error::oci_chart_error,
    ffi::{Exclusive, bytes, exclusive, text},
    guard::guard,
    status::oci_chart_status,
};

/// Takes what a callback has to say. Made by the library, valid until the callback returns. What is said last counts.
#[derive(Default)]
pub struct oci_chart_answer {
    pub(crate) credentials: Option<Credentials>,
    pub(crate) bytes: Option<Vec<u8>>,
    pub(crate) failure: Option<String>,
}

impl Exclusive for oci_chart_answer {}

/// Answers with a user and a password, which are copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_answer_set_login(
    answer: *mut oci_chart_answer,
    user: *const c_char,
    password: *const c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_answer_set_login", err, || {
        // SAFETY: the header's conventions.
        let (answer, user, password) =
            unsafe { (exclusive(answer, "answer")?, text(user, "user")?, text(password, "password")?) };
        answer.credentials = Some(Credentials::basic(user, password));
        Ok(())
    })
}

/// Answers with a token that the registry itself takes (`Authorization: Bearer`), which is copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_answer_set_token(
    answer: *mut oci_chart_answer,
    token: *const c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_answer_set_token", err, || {
        // SAFETY: the header's conventions.
        let (answer, token) = unsafe { (exclusive(answer, "answer")?, text(token, "token")?) };
        answer.credentials = Some(Credentials::bearer(token));
        Ok(())
    })
}

/// Answers with bytes, a signature for example, which are copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_answer_set_bytes(
    answer: *mut oci_chart_answer,
    data: *const u8,
    data_len: usize,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_answer_set_bytes", err, || {
        // SAFETY: the header's conventions.
        let (answer, data) = unsafe { (exclusive(answer, "answer")?, bytes(data, data_len, "data")?) };
        answer.bytes = Some(data.to_vec());
        Ok(())
    })
}

/// Stops the call: it fails with OCI_CHART_STATUS_CANCELLED and this message, whatever the callback returns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_answer_set_failure(
    answer: *mut oci_chart_answer,
    message: *const c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_answer_set_failure", err, || {
        // SAFETY: the header's conventions.
        let (answer, message) = unsafe { (exclusive(answer, "answer")?, text(message, "message")?) };
        answer.failure = Some(message.to_owned());
        Ok(())
    })
}
