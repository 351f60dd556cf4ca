use std::ffi::c_char;

use oci_chart_core::{Result, trust::Attestation};

use crate::{
    call::{Caller, oci_chart_call},
    client::oci_chart_client,
    error::oci_chart_error,
    ffi::{Out, shared, text, text_or_none},
    guard::guard,
    json,
    sign::{oci_chart_sign_options, sign_options},
    signer::oci_chart_signer,
    status::oci_chart_status,
    target::Meant,
};

/// Signs a statement about the chart that is meant and attaches it as a bundle. `predicate_type` is a URI or cosign's short name
/// (`slsaprovenance1`); where it is NULL, `predicate` is a bill of materials (SPDX, CycloneDX, as JSON) and tells itself. `predicate` is
/// JSON and goes into the statement as it stands. `version`, `predicate_type`, `options` and `call` may be NULL. `out` may be NULL; else it
/// receives the attestation's descriptor as JSON, to be freed with oci_chart_string_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_attest(
    client: *const oci_chart_client,
    target: *const c_char,
    version: *const c_char,
    predicate_type: *const c_char,
    predicate: *const c_char,
    signer: *const oci_chart_signer,
    options: *const oci_chart_sign_options,
    call: *const oci_chart_call,
    out: *mut *mut c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_attest", err, || {
        let out = Out::optional(out);
        // SAFETY: the header's conventions.
        let (client, mut caller) = unsafe { (shared(client, "client")?, Caller::new(call)?) };
        // SAFETY: the same.
        let (meant, signer) = unsafe { (Meant::new(target, version)?, shared(signer, "signer")?) };
        // SAFETY: the same.
        let statement = unsafe { attestation(predicate_type, predicate) }?;
        // SAFETY: the same.
        let options = unsafe { sign_options(client, options) }?;
        let subject = client.0.resolve(&meant.location, &meant.selector, &mut caller)?;
        let signer = signer.signer.clone();
        let made = client.0.attest(&meant.location, &subject, &statement, signer, &options, &mut caller)?;
        out.give_text(json::descriptor(&made));
        Ok(())
    })
}

/// What is to be said, in the core's words.
pub(crate) unsafe fn attestation(kind: *const c_char, predicate: *const c_char) -> Result<Attestation> {
    // SAFETY: the header's conventions.
    let (kind, predicate) = unsafe { (text_or_none(kind, "predicate_type")?, text(predicate, "predicate")?) };
    match kind {
        Some(kind) => Attestation::new(kind.parse()?, predicate),
        None => Attestation::sbom(predicate),
    }
}
