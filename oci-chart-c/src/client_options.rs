use std::{ffi::c_char, sync::Arc};

use oci_chart_core::{
    Client, ClientBuilder, Limits,
    auth::{Chain, Credentials, StaticCredentials, StoredLogins},
    blocking::HostCredentials,
    name::Host,
    store::{Cache, ConnectionOptions},
    trust::Policy,
};

use crate::{
    error::oci_chart_error,
    ffi::{Exclusive, bytes, exclusive, take, text},
    guard::{guard, guard_plain},
    status::oci_chart_status,
};

/// How a client is made: set what is to be other than the default, give it to oci_chart_client_new(), and free it with
/// oci_chart_client_options_free(). One thread at a time.
#[derive(Default)]
pub struct oci_chart_client_options {
    pub(crate) connection: ConnectionOptions,
    pub(crate) limits: Limits,
    pub(crate) policy: Option<Arc<Policy>>,
    pub(crate) cache: Option<Cache>,
    pub(crate) known: StaticCredentials,
    pub(crate) sources: Vec<Source>,
}

/// Where credentials come from, beside what is known for a host.
#[derive(Clone)]
pub(crate) enum Source {
    Call,
    Stored,
}

impl Exclusive for oci_chart_client_options {}

impl oci_chart_client_options {
    pub(crate) fn builder(&self) -> ClientBuilder {
        let mut chain = Chain::default().then(self.known.clone());
        for source in &self.sources {
            chain = match source {
                Source::Call => chain.then(HostCredentials::default()),
                Source::Stored => chain.then(StoredLogins::standard()),
            };
        }
        let mut builder = Client::builder().limits(self.limits.clone());
        builder = builder.connection(self.connection.clone()).credentials(chain);
        if let Some(policy) = &self.policy {
            builder = builder.policy(Arc::clone(policy));
        }
        if let Some(cache) = &self.cache {
            builder = builder.cache(cache.clone());
        }
        builder
    }
}

/// Options with every default. Free them with oci_chart_client_options_free().
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn oci_chart_client_options_new() -> *mut oci_chart_client_options {
    guard_plain("oci_chart_client_options_new", std::ptr::null_mut(), || {
        Box::into_raw(Box::new(oci_chart_client_options::default()))
    })
}

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
        options.connection = options.connection.clone().with_user_agent(suffix);
        Ok(())
    })
}

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
        let (options, host) = unsafe { (exclusive(options, "options")?, text(host, "host")?) };
        options.connection = options.connection.clone().with_plain_http(Host::parse(host)?);
        Ok(())
    })
}

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
        options.connection = options.connection.clone().with_root(pem);
        Ok(())
    })
}

/// The login at `host`. It wins over every other source.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_options_add_login(
    options: *mut oci_chart_client_options,
    host: *const c_char,
    user: *const c_char,
    password: *const c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_options_add_login", err, || {
        // SAFETY: the header's conventions.
        let (options, host) = unsafe { (exclusive(options, "options")?, text(host, "host")?) };
        // SAFETY: the same.
        let (user, password) = unsafe { (text(user, "user")?, text(password, "password")?) };
        options.known = options.known.clone().with(Host::parse(host)?, Credentials::basic(user, password));
        Ok(())
    })
}

/// Takes credentials from where Helm, docker and podman keep theirs, where nothing before has any.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_options_use_stored_logins(
    options: *mut oci_chart_client_options,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_options_use_stored_logins", err, || {
        // SAFETY: the header's conventions.
        unsafe { exclusive(options, "options") }?.sources.push(Source::Stored);
        Ok(())
    })
}

/// Asks the `on_credentials` of each call, where nothing before has any.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_options_use_call_credentials(
    options: *mut oci_chart_client_options,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_options_use_call_credentials", err, || {
        // SAFETY: the header's conventions.
        unsafe { exclusive(options, "options") }?.sources.push(Source::Call);
        Ok(())
    })
}

/// Frees the options. NULL is fine, and so are clients that were made with them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_options_free(options: *mut oci_chart_client_options) {
    // SAFETY: the caller's last use.
    guard_plain("oci_chart_client_options_free", (), || unsafe { take(options) });
}
