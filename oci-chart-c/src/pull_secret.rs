use std::ffi::c_char;

use oci_chart_core::{
    Result,
    kube::{KeyRule, PullSecret},
    name::{Host, RepositoryName},
};

use crate::{
    error::oci_chart_error,
    ffi::{Exclusive, Out, Shared, bytes, exclusive, invalid, shared, take, text, text_or_none},
    guard::{guard, guard_plain},
    status::oci_chart_status,
};

/// How the keys of a pull secret are held against a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
#[non_exhaustive]
pub enum oci_chart_key_rule {
    /// Docker's, which Helm and Flux's HelmRepository share: a key means its host, whatever path follows.
    Docker = 0,
    /// Podman's: a key with a path means the repositories below it and no others.
    Podman = 1,
    /// The kubelet's, which Flux's OCIRepository shares: stars within the parts of the host, equal ports, the path as a plain prefix.
    Kubelet = 2,
}

/// Logins as Kubernetes keeps them for registries. Read by any number of threads at once, changed by one. Freed with
/// oci_chart_pull_secret_free(), which wipes it.
pub struct oci_chart_pull_secret(pub(crate) PullSecret);

impl Exclusive for oci_chart_pull_secret {}
impl Shared for oci_chart_pull_secret {}

/// A secret without logins. Free it with oci_chart_pull_secret_free().
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn oci_chart_pull_secret_new() -> *mut oci_chart_pull_secret {
    guard_plain("oci_chart_pull_secret_new", std::ptr::null_mut(), || {
        Box::into_raw(Box::new(oci_chart_pull_secret(PullSecret::new())))
    })
}

/// Reads a Secret as a manifest, YAML or JSON: a docker configuration, or `username` and `password`. Free it with oci_chart_pull_secret_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_pull_secret_parse(
    manifest: *const u8,
    manifest_len: usize,
    out: *mut *mut oci_chart_pull_secret,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_pull_secret_parse", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        let manifest = unsafe { bytes(manifest, manifest_len, "manifest") }?;
        out.give(oci_chart_pull_secret(PullSecret::from_manifest(manifest)?));
        Ok(())
    })
}

/// Adds a login for `host`, or replaces the one that is there.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_pull_secret_add_login(
    secret: *mut oci_chart_pull_secret,
    host: *const c_char,
    user: *const c_char,
    password: *const c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_pull_secret_add_login", err, || {
        // SAFETY: the header's conventions.
        let (secret, host) = unsafe { (exclusive(secret, "secret")?, Host::parse(text(host, "host")?)?) };
        // SAFETY: the same.
        let (user, password) = unsafe { (text(user, "user")?, text(password, "password")?) };
        secret.0 = std::mem::take(&mut secret.0).with_login(&host, user, password);
        Ok(())
    })
}

/// The user's name that the secret holds for a repository, under `rule` (an oci_chart_key_rule). `repository` may be NULL, for the host
/// alone. Free the text with oci_chart_string_free(); it is set to NULL where the secret has none.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_pull_secret_get_user(
    secret: *const oci_chart_pull_secret,
    host: *const c_char,
    repository: *const c_char,
    rule: i32,
    out: *mut *mut c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_pull_secret_get_user", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        let (secret, host) = unsafe { (shared(secret, "secret")?, Host::parse(text(host, "host")?)?) };
        // SAFETY: the same.
        let repository = unsafe { text_or_none(repository, "repository") }?;
        let repository = repository.map(RepositoryName::parse).transpose()?;
        match secret.0.username(&host, repository.as_ref(), key_rule(rule)?)? {
            Some(name) => out.give_text(name),
            None => out.put(std::ptr::null_mut()),
        }
        Ok(())
    })
}

/// The manifest of a Secret called `name`, for `imagePullSecrets` and for the sources of Flux and Argo CD, with its logins in clear.
/// `in_namespace` may be NULL. Free the text with oci_chart_string_free(), which wipes it.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_pull_secret_to_manifest(
    secret: *const oci_chart_pull_secret,
    name: *const c_char,
    in_namespace: *const c_char,
    out: *mut *mut c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_pull_secret_to_manifest", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        let (secret, name) = unsafe { (shared(secret, "secret")?, text(name, "name")?) };
        // SAFETY: the same.
        let manifest = secret.0.to_manifest(name, unsafe { text_or_none(in_namespace, "in_namespace") }?);
        out.give_text(manifest.as_str());
        Ok(())
    })
}

/// The docker configuration in the secret, as `.dockerconfigjson` holds it, with its logins in clear. Free the text with
/// oci_chart_string_free(), which wipes it.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_pull_secret_to_docker_config(
    secret: *const oci_chart_pull_secret,
    out: *mut *mut c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_pull_secret_to_docker_config", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        out.give_text(unsafe { shared(secret, "secret") }?.0.to_docker_config().as_str());
        Ok(())
    })
}

/// Frees the secret. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_pull_secret_free(secret: *mut oci_chart_pull_secret) {
    // SAFETY: the caller's last use.
    guard_plain("oci_chart_pull_secret_free", (), || unsafe { take(secret) });
}

/// A rule out of its number.
pub(crate) fn key_rule(rule: i32) -> Result<KeyRule> {
    match rule {
        0 => Ok(KeyRule::Docker),
        1 => Ok(KeyRule::Podman),
        2 => Ok(KeyRule::Kubelet),
        _ => Err(invalid("rule", format!("no rule has the number {rule}"))),
    }
}
