use std::{ffi::c_char, sync::Arc};

use oci_chart_core::{
    Error, ErrorKind, Reason, Secret,
    blocking::HostSigner,
    trust::{PublicKey, Signer, SigningKey},
};

use crate::{
    error::oci_chart_error,
    ffi::{Kept, Out, Shared, invalid, shared, take, text, text_of, text_or_none},
    guard::{guard, guard_plain},
    status::oci_chart_status,
};

/// Something that can sign. Immutable: any number of threads may use it at once. Freed with oci_chart_signer_free(), which wipes its key.
pub struct oci_chart_signer {
    pub(crate) signer: Arc<dyn Signer>,
    /// The key, where the signer has it.
    key: Option<Arc<SigningKey>>,
    public_key: Kept,
    algorithm: Kept,
}

impl Shared for oci_chart_signer {}

/// A signer with the private key in `pem`: `ENCRYPTED SIGSTORE PRIVATE KEY` and `ENCRYPTED COSIGN PRIVATE KEY` as cosign writes them, or
/// PKCS#8, SEC 1 and PKCS#1 without a password. `password` may be NULL, for a key without one. Free the signer with
/// oci_chart_signer_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_signer_new_key(
    pem: *const c_char,
    password: *const c_char,
    out: *mut *mut oci_chart_signer,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_signer_new_key", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        let (pem, password) = unsafe { (text(pem, "pem")?, text_or_none(password, "password")?) };
        let password = password.map(Secret::new);
        let key = SigningKey::from_pem(pem, || password.ok_or_else(no_password))?;
        out.give(oci_chart_signer::of_key(key));
        Ok(())
    })
}

/// A signer with a new key: ECDSA P-256. Free it with oci_chart_signer_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_signer_generate(
    out: *mut *mut oci_chart_signer,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_signer_generate", err, || {
        let out = Out::new(out, "out")?;
        out.give(oci_chart_signer::of_key(SigningKey::generate()?));
        Ok(())
    })
}

/// A signer that asks the `on_sign` of the call it is used in, for a key that only the caller can reach; `public_key` is its public half
/// (PEM), against which every signature is held. Free it with oci_chart_signer_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_signer_new_callback(
    public_key: *const c_char,
    out: *mut *mut oci_chart_signer,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_signer_new_callback", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        let key = PublicKey::from_pem(unsafe { text(public_key, "public_key") }?)?;
        out.give(oci_chart_signer::new(Arc::new(HostSigner::new(key)), None));
        Ok(())
    })
}

/// The public key as PEM, as cosign writes `cosign.pub`. Belongs to the signer; NULL only for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_signer_get_public_key(signer: *const oci_chart_signer) -> *const c_char {
    let make = |signer: &oci_chart_signer| signer.signer.public_key().to_pem();
    // SAFETY: NULL or valid for the call.
    unsafe {
        text_of("oci_chart_signer_get_public_key", signer, |signer| signer.public_key.text(|| make(signer)))
    }
}

/// What the key is for: `ecdsa-p256`, `ecdsa-p384`, `ecdsa-p521`, `ed25519`, `rsa`, as policies' documents have it. Belongs to the signer;
/// NULL only for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_signer_get_algorithm(signer: *const oci_chart_signer) -> *const c_char {
    let make = |signer: &oci_chart_signer| signer.signer.public_key().algorithm().as_str().to_owned();
    // SAFETY: NULL or valid for the call.
    unsafe {
        text_of("oci_chart_signer_get_algorithm", signer, |signer| signer.algorithm.text(|| make(signer)))
    }
}

/// The private key, encrypted with `password` as cosign does it, as PEM; a signer without a key of its own has none. Free the text with
/// oci_chart_string_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_signer_get_private_key(
    signer: *const oci_chart_signer,
    password: *const c_char,
    out: *mut *mut c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_signer_get_private_key", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        let (signer, password) = unsafe { (shared(signer, "signer")?, text(password, "password")?) };
        let key = signer.key.as_ref().ok_or_else(|| invalid("signer", "the signer has no key of its own"))?;
        out.give_text(key.to_encrypted_pem(&Secret::new(password))?.expose());
        Ok(())
    })
}

/// Frees the signer. NULL is fine, and so are publications that it was added to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_signer_free(signer: *mut oci_chart_signer) {
    // SAFETY: the caller's last use.
    guard_plain("oci_chart_signer_free", (), || unsafe { take(signer) });
}

impl oci_chart_signer {
    fn of_key(key: SigningKey) -> Self {
        let key = Arc::new(key);
        Self::new(Arc::clone(&key) as Arc<dyn Signer>, Some(key))
    }

    fn new(signer: Arc<dyn Signer>, key: Option<Arc<SigningKey>>) -> Self {
        Self { signer, key, public_key: Kept::default(), algorithm: Kept::default() }
    }
}

fn no_password() -> Error {
    Error::new(ErrorKind::InvalidInput, "the key is encrypted, and there is no password")
        .with_reason(Reason::WrongPassphrase)
        .with_context("argument", "password")
}
