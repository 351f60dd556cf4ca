use std::ffi::c_char;

use oci_chart_core::{
    Result,
    name::Host,
    store::{ClientCertificate, HostOptions},
};

use super::oci_chart_client_options;
use crate::{
    error::oci_chart_error,
    ffi::{bytes, exclusive, text},
    guard::guard,
    status::oci_chart_status,
};

/// Speaks plain HTTP to `host` (`localhost:5000`), and to no other.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_options_add_plain_http(
    options: *mut oci_chart_client_options,
    host: *const c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_options_add_plain_http", err, || {
        // SAFETY: the header's conventions.
        unsafe { change(options, host, |host| Ok(host.with_plain_http(true))) }
    })
}

/// Takes the certificate of `host` as it is, and of no other. Whoever can change the traffic can then read and change everything.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_options_add_unchecked_certificate(
    options: *mut oci_chart_client_options,
    host: *const c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_options_add_unchecked_certificate", err, || {
        // SAFETY: the header's conventions.
        unsafe { change(options, host, |host| Ok(host.with_unchecked_certificate(true))) }
    })
}

/// Trusts the authorities in `pem` for `host`, beside those for every host. They are looked at when the client is made.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_options_add_host_root_certificate(
    options: *mut oci_chart_client_options,
    host: *const c_char,
    pem: *const u8,
    pem_len: usize,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_options_add_host_root_certificate", err, || {
        // SAFETY: the header's conventions.
        let pem = unsafe { bytes(pem, pem_len, "pem") }?;
        // SAFETY: the same.
        unsafe { change(options, host, |host| Ok(host.with_root(pem))) }
    })
}

/// Shows a certificate where `host` asks for one: its chain and its private key (PKCS#8, SEC 1 or PKCS#1), both PEM.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_options_set_client_certificate(
    options: *mut oci_chart_client_options,
    host: *const c_char,
    chain: *const u8,
    chain_len: usize,
    key: *const u8,
    key_len: usize,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_options_set_client_certificate", err, || {
        // SAFETY: the header's conventions.
        let (chain, key) = unsafe { (bytes(chain, chain_len, "chain")?, bytes(key, key_len, "key")?) };
        let with =
            |host: HostOptions| Ok(host.with_client_certificate(ClientCertificate::from_pem(chain, key)?));
        // SAFETY: the same.
        unsafe { change(options, host, with) }
    })
}

/// Keeps a pace with `host`: so many requests under way at once, and so many beginning in a minute; 0 for no bound.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_options_set_pace(
    options: *mut oci_chart_client_options,
    host: *const c_char,
    concurrency: u32,
    requests_per_minute: u32,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_options_set_pace", err, || {
        let with = |mut host: HostOptions| {
            host.concurrency = Some(concurrency as usize).filter(|most| *most > 0);
            host.requests_per_second = Some(f64::from(requests_per_minute) / 60.0).filter(|pace| *pace > 0.0);
            Ok(host)
        };
        // SAFETY: the header's conventions.
        unsafe { change(options, host, with) }
    })
}

/// Changes how one host is reached.
unsafe fn change(
    options: *mut oci_chart_client_options,
    host: *const c_char,
    change: impl FnOnce(HostOptions) -> Result<HostOptions>,
) -> Result<()> {
    // SAFETY: the header's conventions.
    let (options, host) = unsafe { (exclusive(options, "options")?, Host::parse(text(host, "host")?)?) };
    options.connect(|connection| {
        let now = connection.hosts.get(&host).cloned().unwrap_or_default();
        Ok(connection.with_host(host, change(now)?))
    })
}
