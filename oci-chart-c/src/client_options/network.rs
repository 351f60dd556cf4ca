use std::{ffi::c_char, time::Duration};

use oci_chart_core::{
    name::Host,
    store::{Mirror, ProxyOptions, ProxyUrl, RegistriesYaml},
};

use super::{Source, oci_chart_client_options};
use crate::{
    error::oci_chart_error,
    ffi::{bytes, exclusive, text, text_or_none},
    guard::guard,
    status::oci_chart_status,
};

/// Trusts the authorities in `pem` beside those of the system, for every host. They are looked at when the client is made.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_options_add_root_certificate(
    options: *mut oci_chart_client_options,
    pem: *const u8,
    pem_len: usize,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_options_add_root_certificate", err, || {
        // SAFETY: the header's conventions.
        let (options, pem) = unsafe { (exclusive(options, "options")?, bytes(pem, pem_len, "pem")?) };
        options.connect(|connection| Ok(connection.with_root(pem)))
    })
}

/// Sends requests through `proxy` (`http://user:password@proxy.example:3128`) but for the hosts of `no_proxy` (as in NO_PROXY), whatever
/// the environment says. `proxy` and `no_proxy` may be NULL; without a proxy every request goes directly.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_options_set_proxy(
    options: *mut oci_chart_client_options,
    proxy: *const c_char,
    no_proxy: *const c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_options_set_proxy", err, || {
        // SAFETY: the header's conventions.
        let (options, proxy) = unsafe { (exclusive(options, "options")?, text_or_none(proxy, "proxy")?) };
        // SAFETY: the same.
        let but = unsafe { text_or_none(no_proxy, "no_proxy") }?.unwrap_or_default();
        let how = match proxy {
            Some(proxy) => ProxyOptions::through(ProxyUrl::parse(proxy)?).with_no_proxy(but),
            None => ProxyOptions::direct(),
        };
        options.connect(|connection| Ok(connection.with_proxy(how)))
    })
}

/// Reads content of `host` from the mirror at `endpoint` (`https://mirror.example/v2/path`) first. `host` may be NULL, for every host.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_options_add_mirror(
    options: *mut oci_chart_client_options,
    host: *const c_char,
    endpoint: *const c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_options_add_mirror", err, || {
        // SAFETY: the header's conventions.
        let (options, host) = unsafe { (exclusive(options, "options")?, text_or_none(host, "host")?) };
        // SAFETY: the same.
        let mirror = Mirror::parse(unsafe { text(endpoint, "endpoint") }?)?;
        let host = host.map(Host::parse).transpose()?;
        options.connect(|connection| {
            Ok(match host {
                Some(host) => connection.with_mirror(host, mirror),
                None => connection.with_mirror_of_all(mirror),
            })
        })
    })
}

/// Takes mirrors, certificates and logins from a `registries.yaml` of K3s and RKE2. Files that it names are read now.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_options_add_registries_yaml(
    options: *mut oci_chart_client_options,
    data: *const u8,
    data_len: usize,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_options_add_registries_yaml", err, || {
        // SAFETY: the header's conventions.
        let (options, data) = unsafe { (exclusive(options, "options")?, bytes(data, data_len, "data")?) };
        let file = RegistriesYaml::parse(data)?;
        options.connect(|connection| file.connection(connection))?;
        options.sources.push(Source::Known(file.credentials()));
        Ok(())
    })
}

/// Takes certificates from a directory as docker and containerd have it (`certs.d`, one folder a host). They are read now.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_options_add_certs_directory(
    options: *mut oci_chart_client_options,
    directory: *const c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_options_add_certs_directory", err, || {
        // SAFETY: the header's conventions.
        let (options, directory) = unsafe { (exclusive(options, "options")?, text(directory, "directory")?) };
        options.connect(|connection| connection.with_certs_dir(directory))
    })
}

/// How often a request is sent that fails in passing, and how long is waited in between: `attempts` with the first one (1 for never again),
/// the first wait, which grows, and the longest; 0 leaves each as it is.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_options_set_retry(
    options: *mut oci_chart_client_options,
    attempts: u32,
    first_wait_ms: u64,
    most_wait_ms: u64,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_options_set_retry", err, || {
        // SAFETY: the header's conventions.
        let options = unsafe { exclusive(options, "options") }?;
        options.connect(|mut connection| {
            let retry = &mut connection.retry;
            let wait = |ms: u64| (ms > 0).then_some(Duration::from_millis(ms));
            retry.attempts = Some(attempts).filter(|count| *count > 0).unwrap_or(retry.attempts);
            retry.first_wait = wait(first_wait_ms).unwrap_or(retry.first_wait);
            retry.most_wait = wait(most_wait_ms).unwrap_or(retry.most_wait);
            Ok(connection)
        })
    })
}

/// How long is waited for a connection, for the next byte of an answer, for a token, and for the whole of a request, in milliseconds; 0
/// leaves it as it is. For the first byte it is `connect_ms` and a second, where that is longer than `idle_ms`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_options_set_timeouts(
    options: *mut oci_chart_client_options,
    connect_ms: u64,
    idle_ms: u64,
    token_ms: u64,
    request_ms: u64,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_options_set_timeouts", err, || {
        // SAFETY: the header's conventions.
        let options = unsafe { exclusive(options, "options") }?;
        options.connect(|mut connection| {
            let set = |ms: u64| (ms > 0).then_some(Duration::from_millis(ms));
            connection.connect_timeout = set(connect_ms).unwrap_or(connection.connect_timeout);
            connection.idle_timeout = set(idle_ms).unwrap_or(connection.idle_timeout);
            connection.token_timeout = set(token_ms).unwrap_or(connection.token_timeout);
            connection.request_timeout = set(request_ms).or(connection.request_timeout);
            Ok(connection)
        })
    })
}
