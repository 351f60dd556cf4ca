use std::ffi::c_char;

use oci_chart_core::{ErrorKind, Location, name::Tag};

use crate::{
    call::{Caller, oci_chart_call},
    client::oci_chart_client,
    error::oci_chart_error,
    ffi::{Out, shared, text},
    guard::guard,
    json,
    push::tag_mode,
    status::oci_chart_status,
    string::oci_chart_bytes,
    target::{Meant, place},
};

/// The descriptor of the manifest that is meant, as JSON: `{"mediaType", "digest", "size"}`. `version` and `call` may be NULL. Free the
/// text with oci_chart_string_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_resolve(
    client: *const oci_chart_client,
    target: *const c_char,
    version: *const c_char,
    call: *const oci_chart_call,
    out: *mut *mut c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_resolve", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        let (client, mut caller) = unsafe { (shared(client, "client")?, Caller::new(call)?) };
        // SAFETY: the same.
        let meant = unsafe { Meant::new(target, version) }?;
        out.give_text(json::descriptor(&client.0.resolve(&meant.location, &meant.selector, &mut caller)?));
        Ok(())
    })
}

/// What Chart.yaml says of the chart that is meant, as JSON, without fetching the chart. `version` and `call` may be NULL. Free the text with
/// oci_chart_string_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_fetch_metadata(
    client: *const oci_chart_client,
    target: *const c_char,
    version: *const c_char,
    call: *const oci_chart_call,
    out: *mut *mut c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_fetch_metadata", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        let (client, mut caller) = unsafe { (shared(client, "client")?, Caller::new(call)?) };
        // SAFETY: the same.
        let meant = unsafe { Meant::new(target, version) }?;
        out.give_text(client.0.fetch_metadata(&meant.location, &meant.selector, &mut caller)?.to_json());
        Ok(())
    })
}

/// The manifest that is meant, byte for byte and checked, and its descriptor as JSON. `version` and `call` may be NULL. `descriptor` may be
/// NULL; else free the text with oci_chart_string_free(). Free the bytes with oci_chart_bytes_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_fetch_manifest(
    client: *const oci_chart_client,
    target: *const c_char,
    version: *const c_char,
    call: *const oci_chart_call,
    out: *mut *mut oci_chart_bytes,
    descriptor: *mut *mut c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_fetch_manifest", err, || {
        let (out, descriptor) = (Out::new(out, "out")?, Out::optional(descriptor));
        // SAFETY: the header's conventions.
        let (client, mut caller) = unsafe { (shared(client, "client")?, Caller::new(call)?) };
        // SAFETY: the same.
        let meant = unsafe { Meant::new(target, version) }?;
        let (found, bytes) = client.0.fetch_manifest(&meant.location, &meant.selector, &mut caller)?;
        descriptor.give_text(json::descriptor(&found));
        out.give(oci_chart_bytes(bytes));
        Ok(())
    })
}

/// Whether there is what is meant: sets `out` to 1 or 0. That it cannot be said is a failure. `version` and `call` may be NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_exists(
    client: *const oci_chart_client,
    target: *const c_char,
    version: *const c_char,
    call: *const oci_chart_call,
    out: *mut i32,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_exists", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        let (client, mut caller) = unsafe { (shared(client, "client")?, Caller::new(call)?) };
        // SAFETY: the same.
        let meant = unsafe { Meant::new(target, version) }?;
        match client.0.resolve(&meant.location, &meant.selector, &mut caller) {
            Ok(_) => out.put(1),
            Err(error) if error.kind() == ErrorKind::NotFound => out.put(0),
            Err(error) => return Err(error),
        }
        Ok(())
    })
}

/// All tags, as a JSON list in the store's order. For very many, oci_chart_client_list_tags() gives them page by page. `call` may be NULL.
/// Free the text with oci_chart_string_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_tags(
    client: *const oci_chart_client,
    target: *const c_char,
    call: *const oci_chart_call,
    out: *mut *mut c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_tags", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        let (client, location, mut caller) = unsafe { at(client, target, call) }?;
        out.give_text(json::text(&client.0.tags(&location, &mut caller)?));
        Ok(())
    })
}

/// Lets `tag` point at what is meant, under `mode` (an oci_chart_tag_mode), with `expected_digest` for OCI_CHART_TAG_MODE_EXPECT. `version`,
/// `expected_digest` and `call` may be NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_tag(
    client: *const oci_chart_client,
    target: *const c_char,
    version: *const c_char,
    tag: *const c_char,
    mode: i32,
    expected_digest: *const c_char,
    call: *const oci_chart_call,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_tag", err, || {
        // SAFETY: the header's conventions.
        let (client, mut caller) = unsafe { (shared(client, "client")?, Caller::new(call)?) };
        // SAFETY: the same.
        let (meant, tag) = unsafe { (Meant::new(target, version)?, text(tag, "tag")?) };
        // SAFETY: the same.
        let mode = unsafe { tag_mode(mode, expected_digest) }?;
        let tag = Tag::parse(&tag.replace('+', "_"))?;
        let found = client.0.resolve(&meant.location, &meant.selector, &mut caller)?;
        client.0.tag(&meant.location, &found, &tag, &mode, &mut caller)
    })
}

/// Removes what is meant: a tag, or by digest a manifest. `version` and `call` may be NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_delete(
    client: *const oci_chart_client,
    target: *const c_char,
    version: *const c_char,
    call: *const oci_chart_call,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_delete", err, || {
        // SAFETY: the header's conventions.
        let (client, mut caller) = unsafe { (shared(client, "client")?, Caller::new(call)?) };
        // SAFETY: the same.
        let meant = unsafe { Meant::new(target, version) }?;
        client.0.delete(&meant.location, &meant.selector, &mut caller)
    })
}

/// Looks at `target` step by step, and tells as JSON what works there and what does not. Nothing is written. A registry that fails is an
/// answer, and no failure. `call` may be NULL. Free the text with oci_chart_string_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_diagnose(
    client: *const oci_chart_client,
    target: *const c_char,
    call: *const oci_chart_call,
    out: *mut *mut c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_diagnose", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        let (client, location, mut caller) = unsafe { at(client, target, call) }?;
        out.give_text(json::text(&client.0.diagnose(&location, &mut caller)?));
        Ok(())
    })
}

/// What calls about a whole repository are given.
pub(crate) unsafe fn at<'a>(
    client: *const oci_chart_client,
    target: *const c_char,
    call: *const oci_chart_call,
) -> oci_chart_core::Result<(&'a oci_chart_client, Location, Caller)> {
    // SAFETY: the header's conventions.
    unsafe { Ok((shared(client, "client")?, place(target)?, Caller::new(call)?)) }
}
