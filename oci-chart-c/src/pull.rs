use std::{ffi::c_char, ptr};

use oci_chart_core::{
    Result,
    transfer::{PullOptions, Pulled},
    trust::{Evidence, Policy},
};

use crate::{
    call::{Caller, oci_chart_call},
    client::oci_chart_client,
    error::oci_chart_error,
    ffi::{Kept, Out, Shared, invalid, shared, take, text_of, text_or_none},
    guard::{guard, guard_plain},
    json,
    options::{Growing, check_flags, growing},
    package::oci_chart_package,
    status::oci_chart_status,
    string::oci_chart_bytes,
    target::Meant,
};

/// Take what the target names without asking who made it. Digests and sizes are checked all the same.
pub const OCI_CHART_PULL_WITHOUT_VERIFICATION: u32 = 1;
/// Fetch the provenance file too, where there is one.
pub const OCI_CHART_PULL_PROVENANCE: u32 = 2;

/// How a chart is pulled. Make it with OCI_CHART_PULL_OPTIONS_INIT, and say which trust is asked for: `policy` or
/// OCI_CHART_PULL_WITHOUT_VERIFICATION.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct oci_chart_pull_options {
    /// sizeof(oci_chart_pull_options), set by OCI_CHART_PULL_OPTIONS_INIT.
    pub struct_size: usize,
    /// A policy as JSON, which the chart's signatures must satisfy; NULL for none.
    pub policy: *const c_char,
    /// OCI_CHART_PULL_... flags.
    pub flags: u32,
    /// The largest package in bytes; 0 for 1 GiB.
    pub max_package_bytes: u64,
}

impl Default for oci_chart_pull_options {
    fn default() -> Self {
        Self { struct_size: size_of::<Self>(), policy: ptr::null(), flags: 0, max_package_bytes: 0 }
    }
}

// SAFETY: numbers and pointers, the size first.
unsafe impl Growing for oci_chart_pull_options {}

/// A chart that was taken out of a store. Immutable: any number of threads may use it at once. Freed with oci_chart_pulled_free().
pub struct oci_chart_pulled {
    pulled: Pulled,
    descriptor: Kept,
    digest: Kept,
    evidence: Kept,
}

impl Shared for oci_chart_pulled {}

impl From<Pulled> for oci_chart_pulled {
    fn from(pulled: Pulled) -> Self {
        Self { pulled, descriptor: Kept::default(), digest: Kept::default(), evidence: Kept::default() }
    }
}

/// Pulls a chart. `target` is `oci://HOST/REPOSITORY[:TAG][@DIGEST]` or `oci-layout:DIRECTORY[:TAG][@DIGEST]`; `version` may be NULL: the
/// target's own, or the newest release; else it is a version or a range (`^1.2`). `options` must say which trust is asked for. `call` may
/// be NULL. Free what was pulled with oci_chart_pulled_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_pull(
    client: *const oci_chart_client,
    target: *const c_char,
    version: *const c_char,
    options: *const oci_chart_pull_options,
    call: *const oci_chart_call,
    out: *mut *mut oci_chart_pulled,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_pull", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        let (client, mut caller) = unsafe { (shared(client, "client")?, Caller::new(call)?) };
        // SAFETY: the same.
        let (target, options) = unsafe { (Meant::new(target, version)?, pull_options(client, options)?) };
        out.give(client.0.pull(&target.location, &target.selector, &options, &mut caller)?.into());
        Ok(())
    })
}

/// The manifest's descriptor as JSON: `{"mediaType", "digest", "size"}`. Belongs to what was pulled; NULL only for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_pulled_get_descriptor(pulled: *const oci_chart_pulled) -> *const c_char {
    let make = |pulled: &oci_chart_pulled| json::descriptor(&pulled.pulled.descriptor);
    // SAFETY: NULL or valid for the call.
    unsafe {
        text_of("oci_chart_pulled_get_descriptor", pulled, |pulled| pulled.descriptor.text(|| make(pulled)))
    }
}

/// The digest of the chart's manifest, `sha256:...`. Belongs to what was pulled; NULL only for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_pulled_get_digest(pulled: *const oci_chart_pulled) -> *const c_char {
    let make = |pulled: &oci_chart_pulled| pulled.pulled.descriptor.digest.to_string();
    // SAFETY: NULL or valid for the call.
    unsafe { text_of("oci_chart_pulled_get_digest", pulled, |pulled| pulled.digest.text(|| make(pulled))) }
}

/// The manifest, byte for byte. Free it with oci_chart_bytes_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_pulled_get_manifest(
    pulled: *const oci_chart_pulled,
    out: *mut *mut oci_chart_bytes,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_pulled_get_manifest", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        out.give(oci_chart_bytes(unsafe { shared(pulled, "pulled") }?.pulled.manifest.bytes().clone()));
        Ok(())
    })
}

/// The package. Free it with oci_chart_package_free(); it lives on when the rest is freed.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_pulled_get_package(
    pulled: *const oci_chart_pulled,
    out: *mut *mut oci_chart_package,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_pulled_get_package", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        out.give(unsafe { shared(pulled, "pulled") }?.pulled.package.clone().into());
        Ok(())
    })
}

/// Why the chart is trusted, as JSON. Belongs to what was pulled; NULL where no policy was asked for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_pulled_get_evidence(pulled: *const oci_chart_pulled) -> *const c_char {
    let make = |pulled: &oci_chart_pulled| pulled.pulled.evidence.as_ref().map(Evidence::to_json);
    // SAFETY: NULL or valid for the call.
    unsafe {
        text_of("oci_chart_pulled_get_evidence", pulled, |pulled| {
            pulled.evidence.text_or_null(|| make(pulled))
        })
    }
}

/// 1 if the chart's layer has the type that only very old clients pushed, of which Helm warns; else 0; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_pulled_is_legacy(pulled: *const oci_chart_pulled) -> i32 {
    guard_plain("oci_chart_pulled_is_legacy", 0, || {
        // SAFETY: NULL or valid for the call.
        unsafe { pulled.as_ref() }.map_or(0, |pulled| i32::from(pulled.pulled.legacy))
    })
}

/// Frees what was pulled. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_pulled_free(pulled: *mut oci_chart_pulled) {
    // SAFETY: the caller's last use.
    guard_plain("oci_chart_pulled_free", (), || unsafe { take(pulled) });
}

unsafe fn pull_options(
    client: &oci_chart_client,
    options: *const oci_chart_pull_options,
) -> Result<PullOptions> {
    // SAFETY: the header's conventions.
    let options = unsafe { growing(options, "options") }?;
    check_flags(
        options.flags,
        OCI_CHART_PULL_WITHOUT_VERIFICATION | OCI_CHART_PULL_PROVENANCE,
        "options.flags",
    )?;
    let unverified = options.flags & OCI_CHART_PULL_WITHOUT_VERIFICATION != 0;
    // SAFETY: the same.
    let with = match (unsafe { text_or_none(options.policy, "options.policy") }?, unverified) {
        (Some(policy), false) => PullOptions::verified_by(Policy::from_json(policy)?),
        (None, true) => PullOptions::without_verification(),
        (Some(_), true) => {
            return Err(invalid(
                "options",
                "a policy and OCI_CHART_PULL_WITHOUT_VERIFICATION exclude each other",
            ));
        }
        (None, false) => {
            return Err(invalid("options", "the options do not say which trust is asked for")
                .with_hint("set `policy`, or OCI_CHART_PULL_WITHOUT_VERIFICATION in `flags`"));
        }
    };
    let mut limits = client.0.client().limits().clone();
    if options.max_package_bytes > 0 {
        limits.package_bytes = options.max_package_bytes;
    }
    Ok(with.with_limits(limits).with_provenance(options.flags & OCI_CHART_PULL_PROVENANCE != 0))
}
