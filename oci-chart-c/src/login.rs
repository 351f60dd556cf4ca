use std::{ffi::c_char, path::PathBuf};

use oci_chart_core::{
    Result,
    auth::{Credentials, LoginOptions, LoginPlace, StoredLogins, login_host},
};

use crate::{
    call::{Caller, oci_chart_call},
    client::oci_chart_client,
    error::oci_chart_error,
    ffi::{Out, invalid, shared, text, text_or_none},
    guard::guard,
    json,
    options::{Growing, check_flags, growing},
    status::oci_chart_status,
};

/// Which file a login is kept in; where that file names a credential helper, the helper keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
#[non_exhaustive]
pub enum oci_chart_login_place {
    /// Helm's `registry/config.json`, as `helm registry login` does.
    Helm = 0,
    /// Docker's `config.json`, as docker, crane, regctl and oras do.
    Docker = 1,
    /// Podman's `auth.json`, as podman, buildah and skopeo do.
    Podman = 2,
    /// The `file` of the options, of docker's form.
    File = 3,
}

/// Keep the login without asking the registry whether it takes it.
pub const OCI_CHART_LOGIN_UNVERIFIED: u32 = 1;
/// Keep an identity token instead of the password, where the registry's token service gives one.
pub const OCI_CHART_LOGIN_IDENTITY_TOKEN: u32 = 2;

/// How a login is made. Make it with OCI_CHART_LOGIN_OPTIONS_INIT.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct oci_chart_login_options {
    /// sizeof(oci_chart_login_options), set by OCI_CHART_LOGIN_OPTIONS_INIT.
    pub struct_size: usize,
    /// An oci_chart_login_place.
    pub place: i32,
    /// OCI_CHART_LOGIN_... flags, or 0.
    pub flags: u32,
    /// The path for OCI_CHART_LOGIN_PLACE_FILE; else NULL.
    pub file: *const c_char,
}

impl Default for oci_chart_login_options {
    fn default() -> Self {
        Self { struct_size: size_of::<Self>(), place: 0, flags: 0, file: std::ptr::null() }
    }
}

// SAFETY: numbers and pointers, the size first.
unsafe impl Growing for oci_chart_login_options {}

/// Shows a user and a password to a registry and, if it takes them, keeps them where other programs find them too. `host` may have a scheme
/// and a path. `options` and `call` may be NULL. `out` may be NULL; else it receives `{"storedIn", "verified", "expiry"}`, to be freed with
/// oci_chart_string_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_login(
    client: *const oci_chart_client,
    host: *const c_char,
    user: *const c_char,
    password: *const c_char,
    options: *const oci_chart_login_options,
    call: *const oci_chart_call,
    out: *mut *mut c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_login", err, || {
        let out = Out::optional(out);
        // SAFETY: the header's conventions.
        let (client, mut caller) = unsafe { (shared(client, "client")?, Caller::new(call)?) };
        // SAFETY: the same.
        let (host, user) = unsafe { (login_host(text(host, "host")?)?, text(user, "user")?) };
        // SAFETY: the same.
        let (password, options) = unsafe { (text(password, "password")?, login_options(options)?) };
        let credentials = Credentials::basic(user, password);
        out.give_text(json::text(&client.0.login(&host, &credentials, &options, &mut caller)?));
        Ok(())
    })
}

/// Forgets a login that this or another program has left. `options` and `call` may be NULL. `out` may be NULL; else it receives
/// `{"removed", "remaining"}`: where it was taken away, and where one would still be found. Free the text with oci_chart_string_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_logout(
    client: *const oci_chart_client,
    host: *const c_char,
    options: *const oci_chart_login_options,
    call: *const oci_chart_call,
    out: *mut *mut c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_logout", err, || {
        let out = Out::optional(out);
        // SAFETY: the header's conventions.
        let (client, mut caller) = unsafe { (shared(client, "client")?, Caller::new(call)?) };
        // SAFETY: the same.
        let (host, options) = unsafe { (login_host(text(host, "host")?)?, login_options(options)?) };
        out.give_text(json::text(&client.0.logout(&host, &options, &mut caller)?));
        Ok(())
    })
}

/// Whose name the client uses at a registry, where the credentials come from, and when they and the tokens made of them end, as JSON.
/// `call` may be NULL. Free the text with oci_chart_string_free(); it is set to NULL where the client is anonymous.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_login_status(
    client: *const oci_chart_client,
    host: *const c_char,
    call: *const oci_chart_call,
    out: *mut *mut c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_login_status", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        let (client, mut caller) = unsafe { (shared(client, "client")?, Caller::new(call)?) };
        // SAFETY: the same.
        let host = login_host(unsafe { text(host, "host") }?)?;
        match client.0.login_status(&host, &mut caller)? {
            Some(status) => out.give_text(json::text(&status)),
            None => out.put(std::ptr::null_mut()),
        }
        Ok(())
    })
}

/// The logins that Helm, docker and podman keep on this machine, without their secrets, as a JSON list of `{"key", "username", "origin"}`.
/// `call` may be NULL. Free the text with oci_chart_string_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_stored_logins(
    client: *const oci_chart_client,
    call: *const oci_chart_call,
    out: *mut *mut c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_stored_logins", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        let (client, mut caller) = unsafe { (shared(client, "client")?, Caller::new(call)?) };
        out.give_text(json::text(&client.0.stored_logins(&StoredLogins::standard(), &mut caller)?));
        Ok(())
    })
}

unsafe fn login_options(options: *const oci_chart_login_options) -> Result<LoginOptions> {
    // SAFETY: the header's conventions.
    let options = unsafe { growing(options, "options") }?;
    check_flags(options.flags, OCI_CHART_LOGIN_UNVERIFIED | OCI_CHART_LOGIN_IDENTITY_TOKEN, "options.flags")?;
    // SAFETY: the same.
    let place = match (options.place, unsafe { text_or_none(options.file, "options.file") }?) {
        (0, None) => LoginPlace::Helm,
        (1, None) => LoginPlace::Docker,
        (2, None) => LoginPlace::Podman,
        (3, Some(file)) => LoginPlace::File(PathBuf::from(file)),
        (3, None) => return Err(invalid("options.file", "no file is named")),
        (0..=2, Some(_)) => {
            return Err(invalid("options.file", "a file is named, and another place is asked for"));
        }
        (place, _) => return Err(invalid("options.place", format!("no place has the number {place}"))),
    };
    Ok(LoginOptions::default()
        .with_place(place)
        .with_verify(options.flags & OCI_CHART_LOGIN_UNVERIFIED == 0)
        .with_identity_token(options.flags & OCI_CHART_LOGIN_IDENTITY_TOKEN != 0))
}
