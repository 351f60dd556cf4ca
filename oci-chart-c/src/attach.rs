use std::ffi::c_char;

use bytes::Bytes;
use oci_chart_core::{Result, chart::Timestamp, name::Selector, oci::MediaType, trust::Attachment};
use serde_json::json;

use crate::{
    call::{Caller, oci_chart_call},
    client::oci_chart_client,
    error::oci_chart_error,
    ffi::{Out, bytes, invalid, shared, text, text_or_none},
    guard::guard,
    json,
    options::{Growing, check_flags, growing},
    reader::oci_chart_reader,
    repository::at,
    sign::annotations,
    status::oci_chart_status,
    target::Meant,
};

/// `created` is set.
pub const OCI_CHART_ATTACH_CREATED: u32 = 1;

/// How something is attached. Make it with OCI_CHART_ATTACH_OPTIONS_INIT.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct oci_chart_attach_options {
    /// sizeof(oci_chart_attach_options), set by OCI_CHART_ATTACH_OPTIONS_INIT.
    pub struct_size: usize,
    /// A file name, under which `oras pull` stores it; NULL for none.
    pub title: *const c_char,
    /// The type of the layer, if it is another than that of the artifact; NULL for the same.
    pub layer_type: *const c_char,
    /// Annotations of its manifest, as a JSON object of texts; NULL for none.
    pub annotations: *const c_char,
    /// The annotation `org.opencontainers.image.created`, in seconds since 1970; read only with OCI_CHART_ATTACH_CREATED.
    pub created: u64,
    /// OCI_CHART_ATTACH_... flags, or 0.
    pub flags: u32,
    /// Must be 0.
    pub reserved: u32,
}

impl Default for oci_chart_attach_options {
    fn default() -> Self {
        let none = std::ptr::null();
        let struct_size = size_of::<Self>();
        Self {
            struct_size,
            title: none,
            layer_type: none,
            annotations: none,
            created: 0,
            flags: 0,
            reserved: 0,
        }
    }
}

// SAFETY: numbers and pointers, the size first.
unsafe impl Growing for oci_chart_attach_options {}

/// Attaches a document to the chart that is meant, unsigned: a bill of materials, the result of a scan, anything. `artifact_type` says what
/// it is; where it is NULL, the document is a bill of materials (SPDX, CycloneDX) and tells itself. The chart is untouched. `version`,
/// `artifact_type`, `options` and `call` may be NULL. `out` may be NULL; else it receives the attachment's descriptor and whether it had to
/// be written, as JSON, to be freed with oci_chart_string_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_attach(
    client: *const oci_chart_client,
    target: *const c_char,
    version: *const c_char,
    artifact_type: *const c_char,
    data: *const u8,
    data_len: usize,
    options: *const oci_chart_attach_options,
    call: *const oci_chart_call,
    out: *mut *mut c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_attach", err, || {
        let out = Out::optional(out);
        // SAFETY: the header's conventions.
        let (client, mut caller) = unsafe { (shared(client, "client")?, Caller::new(call)?) };
        // SAFETY: the same.
        let meant = unsafe { Meant::new(target, version) }?;
        // SAFETY: the same.
        let attachment = unsafe { attachment(artifact_type, data, data_len, options) }?;
        let subject = client.0.resolve(&meant.location, &meant.selector, &mut caller)?;
        out.give_text(client.0.attach(&meant.location, &subject, &attachment, &mut caller)?.to_json());
        Ok(())
    })
}

/// All that is attached to what is meant, and what is attached to that, as JSON. Nobody has checked what it claims to be. `version` and
/// `call` may be NULL. Free the text with oci_chart_string_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_tree(
    client: *const oci_chart_client,
    target: *const c_char,
    version: *const c_char,
    call: *const oci_chart_call,
    out: *mut *mut c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_tree", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        let (client, mut caller) = unsafe { (shared(client, "client")?, Caller::new(call)?) };
        // SAFETY: the same.
        let meant = unsafe { Meant::new(target, version) }?;
        let limits = client.0.client().limits().clone();
        out.give_text(json::text(&client.0.tree(&meant.location, &meant.selector, &limits, &mut caller)?));
        Ok(())
    })
}

/// Takes an attachment out by the digest of its manifest. `info` may be NULL; else it receives `{"artifactType", "layerType", "title",
/// "annotations", "bytes"}`, to be freed with oci_chart_string_free(); a title is what a stranger wrote, and no path to be written to
/// unseen. `call` may be NULL. `out` gives the content; free it with oci_chart_reader_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_fetch_attachment(
    client: *const oci_chart_client,
    target: *const c_char,
    digest: *const c_char,
    call: *const oci_chart_call,
    out: *mut *mut oci_chart_reader,
    info: *mut *mut c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_fetch_attachment", err, || {
        let (out, info) = (Out::new(out, "out")?, Out::optional(info));
        // SAFETY: the header's conventions.
        let (client, location, mut caller) = unsafe { at(client, target, call) }?;
        // SAFETY: the same.
        let digest = unsafe { text(digest, "digest") }?.parse()?;
        let referrer = client.0.resolve(&location, &Selector::Digest(digest), &mut caller)?;
        let limits = client.0.client().limits().clone();
        let found = client.0.fetch_attachment(&location, &referrer, &limits, &mut caller)?;
        let content = oci_chart_reader::local(found.content())?;
        info.give_text(about(&found));
        out.give(content);
        Ok(())
    })
}

/// What is to be attached, in the core's words.
pub(crate) unsafe fn attachment(
    artifact_type: *const c_char,
    data: *const u8,
    data_len: usize,
    options: *const oci_chart_attach_options,
) -> Result<Attachment> {
    // SAFETY: the header's conventions.
    let (kind, data) =
        unsafe { (text_or_none(artifact_type, "artifact_type")?, bytes(data, data_len, "data")?) };
    // SAFETY: the same.
    let options = unsafe { growing(options, "options") }?;
    check_flags(options.flags, OCI_CHART_ATTACH_CREATED, "options.flags")?;
    check_flags(options.reserved, 0, "options.reserved")?;
    let data = Bytes::copy_from_slice(data);
    let mut found = match kind {
        Some(kind) => Attachment::new(MediaType::from(kind), data),
        None => Attachment::sbom(data)?,
    };
    // SAFETY: the same.
    let (title, layer) = unsafe {
        (
            text_or_none(options.title, "options.title")?,
            text_or_none(options.layer_type, "options.layer_type")?,
        )
    };
    if let Some(title) = title {
        found = found.with_title(title);
    }
    if let Some(layer) = layer {
        found = found.with_layer_type(MediaType::from(layer));
    }
    // SAFETY: the same.
    for (key, value) in unsafe { annotations(options.annotations, "options.annotations") }? {
        found = found.with_annotation(key, value);
    }
    if options.flags & OCI_CHART_ATTACH_CREATED != 0 {
        found = found.with_created(Timestamp::from_unix(options.created)?);
    } else if options.created != 0 {
        return Err(invalid("options.created", "a time without OCI_CHART_ATTACH_CREATED in `flags`"));
    }
    Ok(found)
}

fn about(found: &Attachment) -> String {
    let mut all = json!({
        "artifactType": found.artifact_type(),
        "layerType": found.layer_type(),
        "bytes": found.content().len(),
    });
    if let Some(members) = all.as_object_mut() {
        if let Some(title) = found.title() {
            members.insert("title".into(), title.into());
        }
        if !found.annotations().is_empty() {
            members.insert("annotations".into(), json!(found.annotations()));
        }
    }
    all.to_string()
}
