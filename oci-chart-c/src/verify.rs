use std::ffi::c_char;

use oci_chart_core::{
    Digest, Result,
    chart::Timestamp,
    trust::{
        AttestationPolicy, BundleArtifact, BundleSigner, Policy, TrustRoot, VerifyOptions, verify_bundle,
    },
};

use crate::{
    call::{Caller, oci_chart_call},
    client::oci_chart_client,
    error::oci_chart_error,
    ffi::{Out, bytes, invalid, shared, text, text_or_none},
    guard::guard,
    json,
    options::{Growing, check_flags, growing},
    status::oci_chart_status,
    target::{Meant, place},
    verified::oci_chart_verified,
};

/// `now` is set.
pub const OCI_CHART_VERIFY_NOW: u32 = 1;

/// How signatures are looked for. Make it with OCI_CHART_VERIFY_OPTIONS_INIT.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct oci_chart_verify_options {
    /// sizeof(oci_chart_verify_options), set by OCI_CHART_VERIFY_OPTIONS_INIT.
    pub struct_size: usize,
    /// The target where the signatures lie; NULL for beside the chart.
    pub signatures: *const c_char,
    /// The time of the check, in seconds since 1970; read only with OCI_CHART_VERIFY_NOW.
    pub now: u64,
    /// OCI_CHART_VERIFY_... flags, or 0.
    pub flags: u32,
    /// Must be 0.
    pub reserved: u32,
}

impl Default for oci_chart_verify_options {
    fn default() -> Self {
        let none = std::ptr::null();
        Self { struct_size: size_of::<Self>(), signatures: none, now: 0, flags: 0, reserved: 0 }
    }
}

// SAFETY: numbers and pointers, the size first.
unsafe impl Growing for oci_chart_verify_options {}

/// Holds the signatures of the chart that is meant against `policy` (JSON), and fails where it is not satisfied
/// (OCI_CHART_STATUS_NOT_SIGNED, _SIGNATURE_INVALID, _POLICY_DENIED) or nobody can say (_COULD_NOT_CHECK); the error has the evidence then.
/// `version`, `options` and `call` may be NULL. `out` receives what was verified, which oci_chart_client_pull_verified() takes. Free it with
/// oci_chart_verified_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_verify(
    client: *const oci_chart_client,
    target: *const c_char,
    version: *const c_char,
    policy: *const c_char,
    options: *const oci_chart_verify_options,
    call: *const oci_chart_call,
    out: *mut *mut oci_chart_verified,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_verify", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        let (client, mut caller) = unsafe { (shared(client, "client")?, Caller::new(call)?) };
        // SAFETY: the same.
        let (meant, options) = unsafe { (Meant::new(target, version)?, verify_options(client, options)?) };
        // SAFETY: the same.
        let policy = Policy::from_json(unsafe { text(policy, "policy") }?)?;
        let verified = client.0.verify(&meant.location, &meant.selector, &policy, &options, &mut caller)?;
        out.give(oci_chart_verified::new(verified, meant.location));
        Ok(())
    })
}

/// Holds the signatures of the chart that is meant against `policy` (JSON) and tells what was found, as JSON, whatever it comes to.
/// `version`, `options` and `call` may be NULL. Free the text with oci_chart_string_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_examine(
    client: *const oci_chart_client,
    target: *const c_char,
    version: *const c_char,
    policy: *const c_char,
    options: *const oci_chart_verify_options,
    call: *const oci_chart_call,
    out: *mut *mut c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_examine", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        let (client, mut caller) = unsafe { (shared(client, "client")?, Caller::new(call)?) };
        // SAFETY: the same.
        let (meant, options) = unsafe { (Meant::new(target, version)?, verify_options(client, options)?) };
        // SAFETY: the same.
        let policy = Policy::from_json(unsafe { text(policy, "policy") }?)?;
        let evidence = client.0.examine(&meant.location, &meant.selector, &policy, &options, &mut caller)?;
        out.give_text(evidence.to_json());
        Ok(())
    })
}

/// Holds the attestations of the chart that is meant against `policy` (JSON, one of attestations), and fails as oci_chart_client_verify()
/// does. `version`, `options` and `call` may be NULL. `out` receives `{"value": [...], "evidence": ...}`. Free the text with
/// oci_chart_string_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_verify_attestation(
    client: *const oci_chart_client,
    target: *const c_char,
    version: *const c_char,
    policy: *const c_char,
    options: *const oci_chart_verify_options,
    call: *const oci_chart_call,
    out: *mut *mut c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_verify_attestation", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        let (client, mut caller) = unsafe { (shared(client, "client")?, Caller::new(call)?) };
        // SAFETY: the same.
        let (meant, options) = unsafe { (Meant::new(target, version)?, verify_options(client, options)?) };
        // SAFETY: the same.
        let policy = AttestationPolicy::from_json(unsafe { text(policy, "policy") }?)?;
        let found =
            client.0.verify_attestation(&meant.location, &meant.selector, &policy, &options, &mut caller)?;
        out.give_text(found.to_json());
        Ok(())
    })
}

/// What Flux is told to verify, as a policy: `object` is an `OCIRepository`, `HelmChart` or `HelmRelease`, YAML or JSON, and `secrets` a JSON list
/// with the manifests of the Secrets that it names, each a text. `secrets` may be NULL. `out` receives the policy as JSON. Free the text with
/// oci_chart_string_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_policy_from_flux(
    object: *const c_char,
    secrets: *const c_char,
    out: *mut *mut c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    // SAFETY: the header's conventions.
    guard("oci_chart_policy_from_flux", err, || unsafe { import(Policy::from_flux, object, secrets, out) })
}

/// What a `ClusterImagePolicy` of Sigstore's policy-controller demands, as a policy: `object` is its manifest, YAML or JSON, and `secrets` a JSON list
/// with the manifests of the Secrets that it names, each a text; a `trustRootRef` names a Secret with the key `trusted_root.json`. `secrets` may be NULL.
/// Attestations, CUE and Rego are OCI_CHART_STATUS_UNSUPPORTED. `out` receives the policy as JSON. Free the text with oci_chart_string_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_policy_from_cluster_image_policy(
    object: *const c_char,
    secrets: *const c_char,
    out: *mut *mut c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    // SAFETY: the header's conventions.
    guard("oci_chart_policy_from_cluster_image_policy", err, || unsafe {
        import(Policy::from_cluster_image_policy, object, secrets, out)
    })
}

/// # Safety
///
/// As in the header: texts or NULL, and a place for the policy.
unsafe fn import(
    read: impl Fn(&[u8], &[&[u8]]) -> Result<Policy>,
    object: *const c_char,
    secrets: *const c_char,
    out: *mut *mut c_char,
) -> Result<()> {
    let out = Out::new(out, "out")?;
    // SAFETY: the caller's promise.
    let (object, secrets) = unsafe { (text(object, "object")?, text_or_none(secrets, "secrets")?) };
    let secrets: Vec<String> = serde_json::from_str(secrets.unwrap_or("[]"))
        .map_err(|error| invalid("secrets", format!("not a list of texts: {error}")))?;
    let secrets: Vec<&[u8]> = secrets.iter().map(String::as_bytes).collect();
    out.give_text(read(object.as_bytes(), &secrets)?.to_json());
    Ok(())
}

/// Checks a Sigstore bundle that lies beside any artifact, without a network, as `cosign verify-blob` does. The artifact is `data`, or
/// `digest` alone; either is given. `signer` is JSON: `{"key": PEM}` or `{"identities": [...]}`; `trust_root` is a `trusted_root.json`.
/// `data`, `digest` and `trust_root` may be NULL; without a root the one in the library counts. `out` receives who signed, and when, as
/// JSON. Free the text with oci_chart_string_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_verify_bundle(
    bundle: *const u8,
    bundle_len: usize,
    data: *const u8,
    data_len: usize,
    digest: *const c_char,
    signer: *const c_char,
    trust_root: *const c_char,
    out: *mut *mut c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_verify_bundle", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        let (bundle, data) =
            unsafe { (bytes(bundle, bundle_len, "bundle")?, bytes(data, data_len, "data")?) };
        // SAFETY: the same.
        let (digest, signer) = unsafe { (text_or_none(digest, "digest")?, text(signer, "signer")?) };
        // SAFETY: the same.
        let trust_root = unsafe { text_or_none(trust_root, "trust_root") }?;
        let digest: Option<Digest> = digest.map(str::parse).transpose()?;
        let artifact = match &digest {
            Some(digest) if data.is_empty() => BundleArtifact::Digest(digest),
            Some(_) => return Err(invalid("digest", "there are both bytes and a digest")),
            None => BundleArtifact::Bytes(data),
        };
        let signer: BundleSigner = serde_json::from_str(signer)
            .map_err(|error| invalid("signer", format!("not a signer of a bundle: {error}")))?;
        let root = match trust_root {
            Some(text) => TrustRoot::from_json(text)?,
            None => TrustRoot::embedded(),
        };
        out.give_text(json::text(&verify_bundle(bundle, artifact, &signer, &root)?));
        Ok(())
    })
}

pub(crate) unsafe fn verify_options(
    client: &oci_chart_client,
    options: *const oci_chart_verify_options,
) -> Result<VerifyOptions> {
    // SAFETY: the header's conventions.
    let options = unsafe { growing(options, "options") }?;
    check_flags(options.flags, OCI_CHART_VERIFY_NOW, "options.flags")?;
    check_flags(options.reserved, 0, "options.reserved")?;
    let mut with = VerifyOptions::default().with_limits(client.0.client().limits().clone());
    if options.flags & OCI_CHART_VERIFY_NOW != 0 {
        with = with.with_now(Timestamp::from_unix(options.now)?);
    } else if options.now != 0 {
        return Err(invalid("options.now", "a time without OCI_CHART_VERIFY_NOW in `flags`"));
    }
    if !options.signatures.is_null() {
        // SAFETY: the same.
        with = with.with_signatures(client.0.client().open(&unsafe { place(options.signatures) }?)?);
    }
    Ok(with)
}
