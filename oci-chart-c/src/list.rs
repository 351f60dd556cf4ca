use std::{ffi::c_char, ptr};

use oci_chart_core::{
    Result,
    blocking::Items,
    name::Tag,
    oci::{Descriptor, MediaType},
};

use crate::{
    call::{Caller, oci_chart_call},
    client::oci_chart_client,
    error::oci_chart_error,
    ffi::{Exclusive, Out, exclusive, shared, take, text_or_none},
    guard::{guard, guard_plain},
    json,
    status::oci_chart_status,
    target::{Meant, place},
};

/// A list that is taken page by page: a page is asked for when it is wanted. One thread at a time. Freed with oci_chart_list_free().
pub struct oci_chart_list(Pages);

enum Pages {
    Tags(Items<Tag>),
    Referrers(Items<Descriptor>),
}

impl Exclusive for oci_chart_list {}

/// All tags, page by page. Asks for nothing yet. Free the list with oci_chart_list_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_list_tags(
    client: *const oci_chart_client,
    target: *const c_char,
    out: *mut *mut oci_chart_list,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_list_tags", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        let (client, location) = unsafe { (shared(client, "client")?, place(target)?) };
        out.give(oci_chart_list(Pages::Tags(client.0.list_tags(&location)?)));
        Ok(())
    })
}

/// All manifests that name the one that is meant as their subject (signatures, attestations, bills of materials), page by page, as
/// descriptors; or those of one artifact type. `version`, `artifact_type` and `call` may be NULL. Free the list with oci_chart_list_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_list_referrers(
    client: *const oci_chart_client,
    target: *const c_char,
    version: *const c_char,
    artifact_type: *const c_char,
    call: *const oci_chart_call,
    out: *mut *mut oci_chart_list,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_list_referrers", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        let (client, mut caller) = unsafe { (shared(client, "client")?, Caller::new(call)?) };
        // SAFETY: the same.
        let (meant, wanted) =
            unsafe { (Meant::new(target, version)?, text_or_none(artifact_type, "artifact_type")?) };
        let wanted = wanted.map(MediaType::from);
        let subject = client.0.resolve(&meant.location, &meant.selector, &mut caller)?;
        let items = client.0.list_referrers(&meant.location, &subject, wanted.as_ref())?;
        out.give(oci_chart_list(Pages::Referrers(items)));
        Ok(())
    })
}

/// The next page as a JSON list that is not empty. Free the text with oci_chart_string_free(); it is set to NULL at the end, and after a
/// failure. `call` may be NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_list_next(
    list: *mut oci_chart_list,
    call: *const oci_chart_call,
    out: *mut *mut c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_list_next", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        let (list, mut caller) = unsafe { (exclusive(list, "list")?, Caller::new(call)?) };
        match list.0.next(&mut caller)? {
            Some(page) => out.give_text(page),
            None => out.put(ptr::null_mut()),
        }
        Ok(())
    })
}

/// Frees the list. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_list_free(list: *mut oci_chart_list) {
    // SAFETY: the caller's last use.
    guard_plain("oci_chart_list_free", (), || unsafe { take(list) });
}

impl Pages {
    fn next(&mut self, caller: &mut Caller) -> Result<Option<String>> {
        Ok(match self {
            Self::Tags(items) => items.next_page(caller)?.map(|page| json::text(&page)),
            Self::Referrers(items) => items.next_page(caller)?.map(|page| json::text(&page)),
        })
    }
}
