use std::{
    ffi::c_char,
    time::{Duration, SystemTime},
};

use oci_chart_core::{
    Secret,
    chart::Timestamp,
    trust::{
        Policy,
        pgp::{Keyring, Passphrase, PgpSigner, PgpVerifier},
    },
};

use crate::{
    error::oci_chart_error,
    ffi::{Out, bytes, invalid, shared, text, text_or_none},
    guard::guard,
    json,
    package::oci_chart_package,
    status::oci_chart_status,
};

/// The package with a provenance file that says what `helm package --sign` says, signed by an OpenPGP key. `keyring` holds the secret key
/// as GnuPG exports it, armored or not; `key` chooses one by fingerprint, user id or a part of it; `time` is in seconds since 1970, 0 for
/// now. `key` and `passphrase` may be NULL, for the only secret key of the ring, and one without a passphrase. Free the package with
/// oci_chart_package_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_package_sign_provenance(
    package: *const oci_chart_package,
    keyring: *const u8,
    keyring_len: usize,
    key: *const c_char,
    passphrase: *const c_char,
    time: u64,
    out: *mut *mut oci_chart_package,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_package_sign_provenance", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        let (package, ring) =
            unsafe { (shared(package, "package")?, bytes(keyring, keyring_len, "keyring")?) };
        // SAFETY: the same.
        let (key, passphrase) =
            unsafe { (text_or_none(key, "key")?, text_or_none(passphrase, "passphrase")?) };
        let passphrase = passphrase.map_or_else(Passphrase::none, |text| Passphrase::new(Secret::new(text)));
        let signer = PgpSigner::from_keyring(&Keyring::read(ring)?, key, passphrase)?;
        out.give(signer.sign(&package.package, at(time)?)?.into());
        Ok(())
    })
}

/// Holds the package's provenance file against `policy`, JSON of the form `{"pgp": ...}`; `time` is that of the check in seconds since
/// 1970, 0 for now. `out` receives who signed and what was signed, as JSON. Free the text with oci_chart_string_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_package_verify_provenance(
    package: *const oci_chart_package,
    policy: *const c_char,
    time: u64,
    out: *mut *mut c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_package_verify_provenance", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        let (package, policy) = unsafe { (shared(package, "package")?, text(policy, "policy")?) };
        let Policy::Pgp(policy) = Policy::from_json(policy)? else {
            return Err(invalid(
                "policy",
                "a provenance file is held against a policy of the form {\"pgp\": ...}",
            ));
        };
        let evidence = PgpVerifier::from_policy(&policy)?.verify_package(&package.package, at(time)?)?;
        out.give_text(json::text(&evidence));
        Ok(())
    })
}

fn at(time: u64) -> oci_chart_core::Result<SystemTime> {
    match time {
        0 => Ok(SystemTime::now()),
        time => Ok(SystemTime::UNIX_EPOCH + Duration::from_secs(Timestamp::from_unix(time)?.unix())),
    }
}
