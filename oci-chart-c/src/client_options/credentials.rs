use std::ffi::c_char;

use oci_chart_core::{
    auth::{Credentials, PullSecretLogins},
    name::Host,
};

use super::{Source, oci_chart_client_options};
use crate::{
    error::oci_chart_error,
    ffi::{exclusive, shared, text},
    guard::guard,
    pull_secret::{key_rule, oci_chart_pull_secret},
    status::oci_chart_status,
};

/// The login at `host`. Wins over every source that is used.
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
        let (options, host) = unsafe { (exclusive(options, "options")?, Host::parse(text(host, "host")?)?) };
        // SAFETY: the same.
        let (user, password) = unsafe { (text(user, "user")?, text(password, "password")?) };
        options.know(host, Credentials::basic(user, password));
        Ok(())
    })
}

/// The token that the registry at `host` itself takes (`Authorization: Bearer`). Wins over every source that is used.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_options_add_token(
    options: *mut oci_chart_client_options,
    host: *const c_char,
    token: *const c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_options_add_token", err, || {
        // SAFETY: the header's conventions.
        let (options, host) = unsafe { (exclusive(options, "options")?, Host::parse(text(host, "host")?)?) };
        // SAFETY: the same.
        options.know(host, Credentials::bearer(unsafe { text(token, "token") }?));
        Ok(())
    })
}

/// The identity token (OAuth2 refresh token) that the token service of `host` takes. Wins over every source that is used.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_options_add_identity_token(
    options: *mut oci_chart_client_options,
    host: *const c_char,
    token: *const c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_options_add_identity_token", err, || {
        // SAFETY: the header's conventions.
        let (options, host) = unsafe { (exclusive(options, "options")?, Host::parse(text(host, "host")?)?) };
        // SAFETY: the same.
        options.know(host, Credentials::identity(unsafe { text(token, "token") }?));
        Ok(())
    })
}

/// Takes credentials from where Helm, docker and podman keep theirs, where no source before has any.
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

/// Asks the `on_credentials` of each call, where no source before has any.
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

/// Takes the logins of Amazon ECR, Google's registries and Azure's from the environment of this machine (keys, roles, metadata services),
/// where no source before has any.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_options_use_cloud_logins(
    options: *mut oci_chart_client_options,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_options_use_cloud_logins", err, || {
        // SAFETY: the header's conventions.
        unsafe { exclusive(options, "options") }?.sources.push(Source::Cloud);
        Ok(())
    })
}

/// Takes credentials from a pull secret under `rule` (an oci_chart_key_rule), where no source before has any. The secret is copied.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_options_use_pull_secret(
    options: *mut oci_chart_client_options,
    secret: *const oci_chart_pull_secret,
    rule: i32,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_options_use_pull_secret", err, || {
        // SAFETY: the header's conventions.
        let (options, secret) = unsafe { (exclusive(options, "options")?, shared(secret, "secret")?) };
        let logins = PullSecretLogins::new(secret.0.clone(), key_rule(rule)?);
        options.sources.push(Source::PullSecret(logins));
        Ok(())
    })
}
