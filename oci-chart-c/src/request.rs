use std::{
    ffi::{CString, c_char},
    ptr,
};

use oci_chart_core::store::LoggedRequest;

use crate::ffi::c_text;

/// A request that is done. The library makes it; later versions add fields at the end, as they do to oci_chart_event. Nothing in it is secret.
#[repr(C)]
pub struct oci_chart_request {
    /// How large the library's struct is.
    pub struct_size: usize,
    /// `GET`, `HEAD`, ...
    pub method: *const c_char,
    /// Where it went.
    pub url: *const c_char,
    /// What happened instead of an answer; NULL where there is one.
    pub error: *const c_char,
    /// How many milliseconds it took until the answer began, its wait for its turn included.
    pub time_ms: u64,
    /// The status of the answer; 0 where there is none.
    pub status: i32,
    /// Which try it was, counted from 1.
    pub attempt: u32,
}

/// A request with the texts that it points to.
pub(crate) struct Told {
    pub(crate) request: oci_chart_request,
    _texts: [Option<CString>; 3],
}

impl Told {
    pub(crate) fn new(request: &LoggedRequest) -> Self {
        let error = request.error.clone().filter(|_| request.status.is_none());
        let texts =
            [Some(c_text(request.method.as_str())), Some(c_text(request.url.to_string())), error.map(c_text)];
        // The text's bytes do not move with the array.
        let [method, url, error] =
            texts.each_ref().map(|text| text.as_ref().map_or(ptr::null(), |text| text.as_ptr()));
        let request = oci_chart_request {
            struct_size: size_of::<oci_chart_request>(),
            method,
            url,
            error,
            time_ms: u64::try_from(request.time.as_millis()).unwrap_or(u64::MAX),
            status: request.status.map_or(0, i32::from),
            attempt: request.attempt,
        };
        Self { request, _texts: texts }
    }
}
