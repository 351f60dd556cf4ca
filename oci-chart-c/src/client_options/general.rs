use std::{ffi::c_char, sync::Arc};

use oci_chart_core::{store::Cache, trust::Policy};

use super::oci_chart_client_options;
use crate::{
    error::oci_chart_error,
    ffi::{exclusive, text},
    guard::guard,
    status::oci_chart_status,
};

/// Says who calls: goes behind `oci-chart/VERSION` in the header `User-Agent`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_options_set_user_agent(
    options: *mut oci_chart_client_options,
    suffix: *const c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_options_set_user_agent", err, || {
        // SAFETY: the header's conventions.
        let (options, suffix) = unsafe { (exclusive(options, "options")?, text(suffix, "suffix")?) };
        options.connect(|connection| Ok(connection.with_user_agent(suffix)))
    })
}

/// Bounds what is read: `name` is one of `file_bytes`, `total_bytes`, `package_bytes`, `entries`, `depth`, `manifest_bytes`,
/// `answer_bytes`, `yaml_bytes`, `tags`, `referrers`, `candidates`, `signature_bytes`, `attestation_bytes`, `signature_layers`,
/// `log_entries`, `timestamps`, `subjects`, `keyless_memory`, `verify_bytes` and `verify_time` (milliseconds).
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_options_set_limit(
    options: *mut oci_chart_client_options,
    name: *const c_char,
    value: u64,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_options_set_limit", err, || {
        // SAFETY: the header's conventions.
        let (options, name) = unsafe { (exclusive(options, "options")?, text(name, "name")?) };
        options.limits.set(name, value)
    })
}

/// Lets only charts out of the stores that satisfy `policy` (JSON), whatever the options of a pull say.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_options_set_policy(
    options: *mut oci_chart_client_options,
    policy: *const c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_options_set_policy", err, || {
        // SAFETY: the header's conventions.
        let (options, policy) = unsafe { (exclusive(options, "options")?, text(policy, "policy")?) };
        options.policy = Some(Arc::new(Policy::from_json(policy)?));
        Ok(())
    })
}

/// Keeps what is read from registries in `directory`, which is made when it is needed, up to `max_bytes`; 0 for 1 GiB. Content asked for by
/// digest a second time costs no request.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_options_set_cache(
    options: *mut oci_chart_client_options,
    directory: *const c_char,
    max_bytes: u64,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_options_set_cache", err, || {
        // SAFETY: the header's conventions.
        let (options, directory) = unsafe { (exclusive(options, "options")?, text(directory, "directory")?) };
        let bound = if max_bytes == 0 { Cache::BOUND } else { max_bytes };
        options.cache = Some(Cache::new(directory).with_bound(bound));
        Ok(())
    })
}
