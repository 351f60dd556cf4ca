use std::ffi::c_char;

use oci_chart_core::{
    ChartArtifact, Digest, Location, Package, Result,
    chart::Timestamp,
    name::{Tag, Target},
    oci::{ArtifactOptions, LayerOrder},
    store::TagMode,
    transfer::{PushOptions, PushOutcome},
};

use crate::{
    call::{Caller, oci_chart_call},
    client::oci_chart_client,
    error::oci_chart_error,
    ffi::{Out, invalid, shared, text, text_or_none},
    guard::guard,
    options::{Growing, check_flags, growing},
    package::oci_chart_package,
    status::oci_chart_status,
};

/// What may happen to a tag that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
#[non_exhaustive]
pub enum oci_chart_tag_mode {
    /// The tag must be new.
    Create = 0,
    /// The tag must be new, or point at the same content already, which is fine.
    Ensure = 1,
    /// The tag is moved, wherever it points.
    Replace = 2,
    /// The tag must point at the digest that is expected.
    Expect = 3,
}

/// `created` is set.
pub const OCI_CHART_PUSH_CREATED: u32 = 1;
/// Order the layers by digest, as Helm does; it only matters beside a provenance file.
pub const OCI_CHART_PUSH_HELM_LAYER_ORDER: u32 = 2;

/// How a package is pushed. Make it with OCI_CHART_PUSH_OPTIONS_INIT.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct oci_chart_push_options {
    /// sizeof(oci_chart_push_options), set by OCI_CHART_PUSH_OPTIONS_INIT.
    pub struct_size: usize,
    /// An oci_chart_tag_mode: what may happen if the version exists.
    pub mode: i32,
    /// OCI_CHART_PUSH_... flags, or 0.
    pub flags: u32,
    /// The digest that the tag must have now, for OCI_CHART_TAG_MODE_EXPECT; else NULL.
    pub expected_digest: *const c_char,
    /// The annotation `org.opencontainers.image.created`, in seconds since 1970; read only with OCI_CHART_PUSH_CREATED. Without it
    /// `SOURCE_DATE_EPOCH` says it, else there is none.
    pub created: u64,
    /// More tags for the same manifest, moved wherever they point, separated by commas; NULL for none.
    pub channels: *const c_char,
}

impl Default for oci_chart_push_options {
    fn default() -> Self {
        let none = std::ptr::null();
        Self {
            struct_size: size_of::<Self>(),
            mode: 0,
            flags: 0,
            expected_digest: none,
            created: 0,
            channels: none,
        }
    }
}

// SAFETY: numbers and pointers, the size first.
unsafe impl Growing for oci_chart_push_options {}

/// Pushes the package to `target` under its version's tag. `target` is `oci://HOST[/PATH]`, below which the chart's name is the repository,
/// or `oci-layout:DIRECTORY`. `options` and `call` may be NULL. `out` may be NULL; else it receives what was done as JSON, to be freed with
/// oci_chart_string_free(): `{"location", "tag", "action", "descriptor": {"mediaType", "digest", "size"}}`, where `action` is `pushed`,
/// `unchanged` or `same-chart`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_push(
    client: *const oci_chart_client,
    package: *const oci_chart_package,
    target: *const c_char,
    options: *const oci_chart_push_options,
    call: *const oci_chart_call,
    out: *mut *mut c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_push", err, || {
        let out = Out::optional(out);
        // SAFETY: the header's conventions.
        let (client, package) = unsafe { (shared(client, "client")?, shared(package, "package")?) };
        // SAFETY: the same.
        let (target, mut caller) = unsafe { (text(target, "target")?, Caller::new(call)?) };
        // SAFETY: the same.
        let wanted = unsafe { Wanted::new(options) }?;
        let (location, artifact) = wanted.artifact(&package.package, target)?;
        let pushed = client.0.push(&artifact, &location, &wanted.push, &mut caller)?;
        out.give_text(outcome(&location, &pushed));
        Ok(())
    })
}

/// Options of a push in the core's words.
pub(crate) struct Wanted {
    artifact: ArtifactOptions,
    pub(crate) push: PushOptions,
}

impl Wanted {
    pub(crate) unsafe fn new(options: *const oci_chart_push_options) -> Result<Self> {
        // SAFETY: the header's conventions.
        let options = unsafe { growing(options, "options") }?;
        check_flags(
            options.flags,
            OCI_CHART_PUSH_CREATED | OCI_CHART_PUSH_HELM_LAYER_ORDER,
            "options.flags",
        )?;
        // SAFETY: the same.
        let mode = unsafe { tag_mode(options.mode, options.expected_digest) }?;
        let mut push = PushOptions::default().with_mode(mode);
        // SAFETY: the same.
        let channels = unsafe { text_or_none(options.channels, "options.channels") }?;
        for channel in channels.into_iter().flat_map(|channels| channels.split(',')) {
            push = push.with_channel(Tag::parse(channel)?);
        }
        let mut artifact = ArtifactOptions::default();
        if options.flags & OCI_CHART_PUSH_CREATED != 0 {
            artifact = artifact.with_created(Timestamp::from_unix(options.created)?);
        } else if options.created != 0 {
            return Err(invalid("options.created", "a time without OCI_CHART_PUSH_CREATED in `flags`"));
        }
        if options.flags & OCI_CHART_PUSH_HELM_LAYER_ORDER != 0 {
            artifact = artifact.with_layer_order(LayerOrder::Helm);
        }
        Ok(Self { artifact, push })
    }

    pub(crate) fn artifact(&self, package: &Package, target: &str) -> Result<(Location, ChartArtifact)> {
        let location = Target::of_push(target, &package.metadata()?.name)?;
        Ok((location, ChartArtifact::new(package.clone(), &self.artifact)?))
    }
}

/// A tag mode out of its number.
pub(crate) unsafe fn tag_mode(mode: i32, expected: *const c_char) -> Result<TagMode> {
    // SAFETY: the header's conventions.
    let expected = unsafe { text_or_none(expected, "expected_digest") }?;
    let found = match mode {
        0 => TagMode::Create,
        1 => TagMode::Ensure,
        2 => TagMode::Replace,
        3 => {
            let digest = expected.ok_or_else(|| invalid("expected_digest", "no digest to expect"))?;
            return Ok(TagMode::Expect(digest.parse::<Digest>()?));
        }
        _ => return Err(invalid("mode", format!("no tag mode has the number {mode}"))),
    };
    match expected {
        None => Ok(found),
        Some(_) => Err(invalid("expected_digest", "a digest is expected in OCI_CHART_TAG_MODE_EXPECT only")),
    }
}

fn outcome(location: &Location, pushed: &PushOutcome) -> String {
    serde_json::json!({
        "location": location.to_string(),
        "tag": pushed.tag.as_str(),
        "action": pushed.action.as_str(),
        "descriptor": pushed.descriptor,
    })
    .to_string()
}
