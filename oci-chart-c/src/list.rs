use std::{ffi::c_char, ptr};

use oci_chart_core::{
    Error, ErrorKind, Result,
    blocking::Items,
    name::{Host, RepositoryName, Tag},
    oci::{Descriptor, MediaType},
};

use crate::{
    call::{Caller, oci_chart_call},
    client::oci_chart_client,
    error::oci_chart_error,
    ffi::{Exclusive, Out, exclusive, shared, take, text, text_or_none},
    guard::{guard, guard_plain},
    json,
    status::oci_chart_status,
    target::{Meant, place},
};

/// A list that is taken page by page: a page is asked for when it is wanted. One thread at a time. Freed with oci_chart_list_free().
pub struct oci_chart_list {
    pages: Pages,
    /// What a page failed with: no failure can be taken for the end.
    failed: Option<ErrorKind>,
}

enum Pages {
    Tags(Items<Tag>),
    Referrers(Items<Descriptor>),
    Repositories(Items<RepositoryName>),
}

impl From<Pages> for oci_chart_list {
    fn from(pages: Pages) -> Self {
        Self { pages, failed: None }
    }
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
        out.give(Pages::Tags(client.0.list_tags(&location)?).into());
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
        out.give(Pages::Referrers(items).into());
        Ok(())
    })
}

/// The names of all repositories of the registry at `host`, page by page; not every registry tells them. Asks for nothing yet. Free the list
/// with oci_chart_list_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_list_repositories(
    client: *const oci_chart_client,
    host: *const c_char,
    out: *mut *mut oci_chart_list,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_list_repositories", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        let (client, host) = unsafe { (shared(client, "client")?, Host::parse(text(host, "host")?)?) };
        out.give(Pages::Repositories(client.0.list_repositories(&host)?).into());
        Ok(())
    })
}

/// The next page as a JSON list that is not empty. Free the text with oci_chart_string_free(); it is set to NULL at the end. After a failure
/// every further call fails with the same status. `call` may be NULL.
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
        match list.next(&mut caller)? {
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

impl oci_chart_list {
    fn next(&mut self, caller: &mut Caller) -> Result<Option<String>> {
        if let Some(kind) = self.failed {
            return Err(Error::new(kind, "an earlier page of this list failed"));
        }
        let page = match &mut self.pages {
            Pages::Tags(items) => items.next_page(caller).map(|page| page.map(|page| json::text(&page))),
            Pages::Referrers(items) => items.next_page(caller).map(|page| page.map(|page| json::text(&page))),
            Pages::Repositories(items) => {
                items.next_page(caller).map(|page| page.map(|page| json::text(&page)))
            }
        };
        page.inspect_err(|error| self.failed = Some(error.kind()))
    }
}
