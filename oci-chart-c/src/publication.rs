use std::ffi::c_char;

use oci_chart_core::{Location, trust::PublishOptions};

use crate::{
    attach::{attachment, oci_chart_attach_options},
    attest::attestation,
    call::{Caller, oci_chart_call},
    client::oci_chart_client,
    error::oci_chart_error,
    ffi::{Exclusive, Out, Shared, exclusive, shared, take, text},
    guard::{guard, guard_plain},
    package::oci_chart_package,
    push::{Wanted, oci_chart_push_options},
    sign::{oci_chart_sign_options, unopened_sign_options},
    signer::oci_chart_signer,
    status::oci_chart_status,
};

/// What a chart is published with: signatures, attestations, attachments. Filled by one thread at a time; then any number may publish with
/// it at once, which changes nothing in it. Freed with oci_chart_publication_free().
#[derive(Default)]
pub struct oci_chart_publication {
    options: PublishOptions,
    signatures: Option<Location>,
}

impl Exclusive for oci_chart_publication {}
impl Shared for oci_chart_publication {}

/// A publication of the chart alone: as it is, it is a push. Free it with oci_chart_publication_free().
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn oci_chart_publication_new() -> *mut oci_chart_publication {
    guard_plain("oci_chart_publication_new", std::ptr::null_mut(), || {
        Box::into_raw(Box::new(oci_chart_publication::default()))
    })
}

/// Adds a signature of `signer`, which may be freed afterwards.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_publication_add_signer(
    publication: *mut oci_chart_publication,
    signer: *const oci_chart_signer,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_publication_add_signer", err, || {
        // SAFETY: the header's conventions.
        let (publication, signer) =
            unsafe { (exclusive(publication, "publication")?, shared(signer, "signer")?) };
        publication.options.signers.push(signer.signer.clone());
        Ok(())
    })
}

/// Says how it is signed. `options` may be NULL, for the defaults.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_publication_set_sign_options(
    publication: *mut oci_chart_publication,
    options: *const oci_chart_sign_options,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_publication_set_sign_options", err, || {
        // SAFETY: the header's conventions.
        let publication = unsafe { exclusive(publication, "publication") }?;
        // SAFETY: the same.
        (publication.options.sign, publication.signatures) = unsafe { unopened_sign_options(options) }?;
        Ok(())
    })
}

/// Adds something to be attached, as oci_chart_client_attach() does; the bytes are copied. `artifact_type` and `options` may be NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_publication_add_attachment(
    publication: *mut oci_chart_publication,
    artifact_type: *const c_char,
    data: *const u8,
    data_len: usize,
    options: *const oci_chart_attach_options,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_publication_add_attachment", err, || {
        // SAFETY: the header's conventions.
        let publication = unsafe { exclusive(publication, "publication") }?;
        // SAFETY: the same.
        publication.options.attachments.push(unsafe { attachment(artifact_type, data, data_len, options) }?);
        Ok(())
    })
}

/// Adds something to be said and signed by each signer, as oci_chart_client_attest() does. `predicate_type` may be NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_publication_add_attestation(
    publication: *mut oci_chart_publication,
    predicate_type: *const c_char,
    predicate: *const c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_publication_add_attestation", err, || {
        // SAFETY: the header's conventions.
        let publication = unsafe { exclusive(publication, "publication") }?;
        // SAFETY: the same.
        publication.options.attestations.push(unsafe { attestation(predicate_type, predicate) }?);
        Ok(())
    })
}

/// Pushes the package to `target` (as oci_chart_client_push() has it) with all that belongs to it, so that nobody who looks at the tag ever
/// sees less. Run again after a failure it does what is missing. `options` and `call` may be NULL. `out` may be NULL; else it receives what
/// was done as JSON, to be freed with oci_chart_string_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_publish(
    client: *const oci_chart_client,
    package: *const oci_chart_package,
    target: *const c_char,
    publication: *const oci_chart_publication,
    options: *const oci_chart_push_options,
    call: *const oci_chart_call,
    out: *mut *mut c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_publish", err, || {
        let out = Out::optional(out);
        // SAFETY: the header's conventions.
        let (client, package) = unsafe { (shared(client, "client")?, shared(package, "package")?) };
        // SAFETY: the same.
        let (target, publication) = unsafe { (text(target, "target")?, shared(publication, "publication")?) };
        // SAFETY: the same.
        let (wanted, mut caller) = unsafe { (Wanted::new(options)?, Caller::new(call)?) };
        let (location, artifact) = wanted.artifact(&package.package, target)?;
        let mut how = publication.options.clone().with_push(wanted.push);
        how.sign.limits = client.0.client().limits().clone();
        if let Some(place) = &publication.signatures {
            how.sign = how.sign.with_signatures(client.0.client().open(place)?);
        }
        out.give_text(client.0.publish(&artifact, &location, &how, &mut caller)?.to_json());
        Ok(())
    })
}

/// Frees the publication. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_publication_free(publication: *mut oci_chart_publication) {
    // SAFETY: the caller's last use.
    guard_plain("oci_chart_publication_free", (), || unsafe { take(publication) });
}
