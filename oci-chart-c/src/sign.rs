use std::{collections::BTreeMap, ffi::c_char};

use oci_chart_core::{
    Result,
    chart::Timestamp,
    trust::{Format, SignOptions},
};

use crate::{
    call::{Caller, oci_chart_call},
    client::oci_chart_client,
    error::oci_chart_error,
    ffi::{Out, invalid, shared, text_or_none},
    guard::guard,
    options::{Growing, check_flags, growing},
    signer::oci_chart_signer,
    status::oci_chart_status,
    target::{Meant, place},
};

/// A Sigstore bundle among the referrers: what cosign 3, Flux and Artifact Hub read.
pub const OCI_CHART_SIGN_BUNDLE: u32 = 1;
/// A layer behind the tag `sha256-HEX.sig`: what cosign 1 and 2, podman and older Flux read.
pub const OCI_CHART_SIGN_TAG: u32 = 2;
/// `created` is set.
pub const OCI_CHART_SIGN_CREATED: u32 = 4;
/// Add a signature though a good one of the same key over the same words is there.
pub const OCI_CHART_SIGN_ANYWAY: u32 = 8;

/// How a chart is signed. Make it with OCI_CHART_SIGN_OPTIONS_INIT.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct oci_chart_sign_options {
    /// sizeof(oci_chart_sign_options), set by OCI_CHART_SIGN_OPTIONS_INIT.
    pub struct_size: usize,
    /// What is signed beside the digest, as a JSON object of texts; NULL for nothing.
    pub annotations: *const c_char,
    /// The repository that the payload of OCI_CHART_SIGN_TAG names, as `host/path`; NULL for the chart's own.
    pub identity: *const c_char,
    /// The target where the signatures go; NULL for beside the chart.
    pub signatures: *const c_char,
    /// The bundle's annotation `org.opencontainers.image.created`, in seconds since 1970; read only with OCI_CHART_SIGN_CREATED.
    pub created: u64,
    /// OCI_CHART_SIGN_... flags; with neither BUNDLE nor TAG it is a bundle.
    pub flags: u32,
    /// Must be 0.
    pub reserved: u32,
}

impl Default for oci_chart_sign_options {
    fn default() -> Self {
        let none = std::ptr::null();
        let struct_size = size_of::<Self>();
        Self {
            struct_size,
            annotations: none,
            identity: none,
            signatures: none,
            created: 0,
            flags: 0,
            reserved: 0,
        }
    }
}

// SAFETY: numbers and pointers, the size first.
unsafe impl Growing for oci_chart_sign_options {}

/// Signs the manifest that is meant and puts the signature beside it; the chart is untouched. `version`, `options` and `call` may be NULL.
/// `out` may be NULL; else it receives what the signature is kept in, as JSON, to be freed with oci_chart_string_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_sign(
    client: *const oci_chart_client,
    target: *const c_char,
    version: *const c_char,
    signer: *const oci_chart_signer,
    options: *const oci_chart_sign_options,
    call: *const oci_chart_call,
    out: *mut *mut c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_sign", err, || {
        let out = Out::optional(out);
        // SAFETY: the header's conventions.
        let (client, mut caller) = unsafe { (shared(client, "client")?, Caller::new(call)?) };
        // SAFETY: the same.
        let (meant, signer) = unsafe { (Meant::new(target, version)?, shared(signer, "signer")?) };
        // SAFETY: the same.
        let options = unsafe { sign_options(client, options) }?;
        let subject = client.0.resolve(&meant.location, &meant.selector, &mut caller)?;
        let signed =
            client.0.sign(&meant.location, &subject, signer.signer.clone(), &options, &mut caller)?;
        out.give_text(signed.to_json());
        Ok(())
    })
}

/// Sign options in the core's words.
pub(crate) unsafe fn sign_options(
    client: &oci_chart_client,
    options: *const oci_chart_sign_options,
) -> Result<SignOptions> {
    // SAFETY: the header's conventions.
    let (with, signatures) = unsafe { unopened_sign_options(options) }?;
    let mut with = match signatures {
        Some(location) => with.with_signatures(client.0.client().open(&location)?),
        None => with,
    };
    with.limits = client.0.client().limits().clone();
    Ok(with)
}

/// The same, with the place of the signatures, which nobody has opened yet.
pub(crate) unsafe fn unopened_sign_options(
    options: *const oci_chart_sign_options,
) -> Result<(SignOptions, Option<oci_chart_core::Location>)> {
    // SAFETY: the header's conventions.
    let options = unsafe { growing(options, "options") }?;
    let known = OCI_CHART_SIGN_BUNDLE | OCI_CHART_SIGN_TAG | OCI_CHART_SIGN_CREATED | OCI_CHART_SIGN_ANYWAY;
    check_flags(options.flags, known, "options.flags")?;
    check_flags(options.reserved, 0, "options.reserved")?;
    let is_set = |flag| options.flags & flag != 0;
    let mut with = SignOptions::default().with_keep_existing(!is_set(OCI_CHART_SIGN_ANYWAY));
    let formats: Vec<_> =
        [(OCI_CHART_SIGN_BUNDLE, Format::Bundle), (OCI_CHART_SIGN_TAG, Format::SignatureTag)]
            .into_iter()
            .filter_map(|(flag, format)| is_set(flag).then_some(format))
            .collect();
    if !formats.is_empty() {
        with = with.with_formats(formats);
    }
    // SAFETY: the same.
    for (key, value) in unsafe { annotations(options.annotations, "options.annotations") }? {
        with = with.with_annotation(key, value);
    }
    // SAFETY: the same.
    if let Some(identity) = unsafe { text_or_none(options.identity, "options.identity") }? {
        with = with.with_identity(identity);
    }
    if is_set(OCI_CHART_SIGN_CREATED) {
        with = with.with_created(Timestamp::from_unix(options.created)?);
    } else if options.created != 0 {
        return Err(invalid("options.created", "a time without OCI_CHART_SIGN_CREATED in `flags`"));
    }
    let signatures = match options.signatures.is_null() {
        true => None,
        // SAFETY: the same.
        false => Some(unsafe { place(options.signatures) }?),
    };
    Ok((with, signatures))
}

/// Annotations as a JSON object of texts.
pub(crate) unsafe fn annotations(
    text: *const c_char,
    name: &'static str,
) -> Result<BTreeMap<String, String>> {
    // SAFETY: the header's conventions.
    match unsafe { text_or_none(text, name) }? {
        None => Ok(BTreeMap::new()),
        Some(text) => serde_json::from_str(text)
            .map_err(|error| invalid(name, format!("`{name}` is no JSON object of texts: {error}"))),
    }
}
