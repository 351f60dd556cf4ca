use std::ffi::c_char;

use oci_chart_core::{
    Location,
    oci::Descriptor,
    trust::{Policy, Verified},
};

use crate::{
    call::{Caller, oci_chart_call},
    chart::oci_chart_chart,
    client::oci_chart_client,
    error::oci_chart_error,
    ffi::{Kept, Out, Shared, shared, take, text, text_of},
    guard::{guard, guard_plain},
    json,
    pull::oci_chart_pulled,
    status::oci_chart_status,
    target::place,
    verify::{oci_chart_verify_options, verify_options},
};

/// A chart that satisfied a policy, and why: the proof without which oci_chart_client_pull_verified() gives nothing. Only a check makes one.
/// Immutable: any number of threads may use it at once. Freed with oci_chart_verified_free().
pub struct oci_chart_verified {
    verified: Verified<Descriptor>,
    /// Where it was.
    location: Location,
    descriptor: Kept,
    digest: Kept,
    evidence: Kept,
}

impl Shared for oci_chart_verified {}

impl oci_chart_verified {
    pub(crate) fn new(verified: Verified<Descriptor>, location: Location) -> Self {
        let (descriptor, digest, evidence) = Default::default();
        Self { verified, location, descriptor, digest, evidence }
    }
}

/// The descriptor of the manifest that was verified, as JSON: `{"mediaType", "digest", "size"}`. Belongs to what was verified; NULL only for
/// NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_verified_get_descriptor(
    verified: *const oci_chart_verified,
) -> *const c_char {
    let make = |found: &oci_chart_verified| json::descriptor(found.verified.get());
    // SAFETY: NULL or valid for the call.
    unsafe {
        text_of("oci_chart_verified_get_descriptor", verified, |found| found.descriptor.text(|| make(found)))
    }
}

/// The digest of the manifest that was verified, `sha256:...`. Belongs to what was verified; NULL only for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_verified_get_digest(verified: *const oci_chart_verified) -> *const c_char {
    let make = |found: &oci_chart_verified| found.verified.get().digest.to_string();
    // SAFETY: NULL or valid for the call.
    unsafe { text_of("oci_chart_verified_get_digest", verified, |found| found.digest.text(|| make(found))) }
}

/// Why the chart is trusted, as JSON. Belongs to what was verified; NULL only for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_verified_get_evidence(
    verified: *const oci_chart_verified,
) -> *const c_char {
    let make = |found: &oci_chart_verified| found.verified.evidence().to_json();
    // SAFETY: NULL or valid for the call.
    unsafe {
        text_of("oci_chart_verified_get_evidence", verified, |found| found.evidence.text(|| make(found)))
    }
}

/// Checks that `subchart`, a chart inside a chart, is what its makers released in the repository `target`, file by file, and that the release
/// satisfies `policy` (JSON); fails as oci_chart_client_verify() does, with reason `other-subject` where it is another. `options` and `call` may
/// be NULL. `out` receives what was verified. Free it with oci_chart_verified_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_verify_subchart(
    client: *const oci_chart_client,
    subchart: *const oci_chart_chart,
    target: *const c_char,
    policy: *const c_char,
    options: *const oci_chart_verify_options,
    call: *const oci_chart_call,
    out: *mut *mut oci_chart_verified,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_verify_subchart", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        let (client, subchart) = unsafe { (shared(client, "client")?, shared(subchart, "subchart")?) };
        // SAFETY: the same.
        let (mut caller, from) = unsafe { (Caller::new(call)?, place(target)?) };
        // SAFETY: the same.
        let (options, policy) = unsafe { (verify_options(client, options)?, text(policy, "policy")?) };
        let policy = Policy::from_json(policy)?;
        let verified = client.0.verify_subchart(&subchart.chart, &from, &policy, &options, &mut caller)?;
        out.give(oci_chart_verified::new(verified, from));
        Ok(())
    })
}

/// Pulls what oci_chart_client_verify() has checked, for whoever looks at the evidence in between: by its digest, whatever became of its tag.
/// `target` may be NULL: where it was verified; else it is another repository that has the same. `call` may be NULL. Free what was pulled
/// with oci_chart_pulled_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_pull_verified(
    client: *const oci_chart_client,
    verified: *const oci_chart_verified,
    target: *const c_char,
    call: *const oci_chart_call,
    out: *mut *mut oci_chart_pulled,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_pull_verified", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        let (client, verified) = unsafe { (shared(client, "client")?, shared(verified, "verified")?) };
        // SAFETY: the same.
        let mut caller = unsafe { Caller::new(call) }?;
        let elsewhere = match target.is_null() {
            true => None,
            // SAFETY: the same.
            false => Some(unsafe { place(target) }?),
        };
        let limits = client.0.client().limits().clone();
        let from = elsewhere.as_ref().unwrap_or(&verified.location);
        out.give(client.0.pull_verified(from, &verified.verified, &limits, &mut caller)?.into());
        Ok(())
    })
}

/// Frees what was verified. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_verified_free(verified: *mut oci_chart_verified) {
    // SAFETY: the caller's last use.
    guard_plain("oci_chart_verified_free", (), || unsafe { take(verified) });
}
