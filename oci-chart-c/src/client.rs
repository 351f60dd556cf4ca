use oci_chart_core::blocking;

use crate::{
    client_options::oci_chart_client_options,
    error::oci_chart_error,
    ffi::{Out, Shared, take},
    guard::{guard, guard_plain},
    status::oci_chart_status,
};

/// Registries and image layouts, and what is done with them. Owns connections, tokens and one thread, so make one and keep it. Any number of
/// threads may use it at once. Freed with oci_chart_client_free().
pub struct oci_chart_client(pub(crate) blocking::Client);

impl Shared for oci_chart_client {}

/// A client. Opens no connection and starts no thread: its first use does. `options` may be NULL: anonymous, over https, the proxies of the
/// environment; they are read and not kept. Free the client with oci_chart_client_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_new(
    options: *const oci_chart_client_options,
    out: *mut *mut oci_chart_client,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_new", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: NULL or valid for the call.
        let builder = match unsafe { options.as_ref() } {
            Some(options) => options.builder()?,
            None => oci_chart_client_options::default().builder()?,
        };
        out.give(oci_chart_client(blocking::Client::new(builder.build()?)));
        Ok(())
    })
}

/// Frees the client and its connections. NULL is fine. Not while a call runs with it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_free(client: *mut oci_chart_client) {
    // SAFETY: the caller's last use.
    guard_plain("oci_chart_client_free", (), || unsafe { take(client) });
}
