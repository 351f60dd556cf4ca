use std::ffi::c_char;

use oci_chart_core::{
    Chart, Limits, Result,
    chart::{LoadOptions, PackageOptions, Timestamp},
};

use crate::{
    call::{Caller, oci_chart_call},
    error::oci_chart_error,
    ffi::{Kept, Out, Shared, bytes, invalid, shared, take, text, text_of, text_or_none},
    guard::{guard, guard_plain},
    options::{Growing, check_flags, growing},
    package::oci_chart_package,
    status::oci_chart_status,
};

/// Follow symbolic links that lead out of the chart's directory, as Helm does. Only for directories that are known.
pub const OCI_CHART_LOAD_FOLLOW_OUTSIDE_SYMLINKS: u32 = 1;
/// Refuse a package with something wrong behind its last file, where Helm never looks.
pub const OCI_CHART_LOAD_STRICT: u32 = 2;

/// How a chart or package is loaded. Make it with OCI_CHART_LOAD_OPTIONS_INIT.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct oci_chart_load_options {
    /// sizeof(oci_chart_load_options), set by OCI_CHART_LOAD_OPTIONS_INIT.
    pub struct_size: usize,
    /// OCI_CHART_LOAD_... flags, or 0.
    pub flags: u32,
    /// The largest file in bytes; 0 for Helm's 5 MiB.
    pub max_file_bytes: u64,
    /// The largest chart in bytes, unpacked; 0 for Helm's 100 MiB.
    pub max_total_bytes: u64,
}

impl Default for oci_chart_load_options {
    fn default() -> Self {
        Self { struct_size: size_of::<Self>(), flags: 0, max_file_bytes: 0, max_total_bytes: 0 }
    }
}

// SAFETY: numbers only, the size first.
unsafe impl Growing for oci_chart_load_options {}

/// How a chart is packaged. Make it with OCI_CHART_PACKAGE_OPTIONS_INIT.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct oci_chart_package_options {
    /// sizeof(oci_chart_package_options), set by OCI_CHART_PACKAGE_OPTIONS_INIT.
    pub struct_size: usize,
    /// Another version than Chart.yaml has, in the package only; NULL for that of Chart.yaml.
    pub version: *const c_char,
    /// Another `appVersion`; NULL for that of Chart.yaml.
    pub app_version: *const c_char,
    /// The time of every entry, in seconds since 1970; read only with OCI_CHART_PACKAGE_TIME. Without it `SOURCE_DATE_EPOCH` says it, else
    /// a constant.
    pub time: u64,
    /// OCI_CHART_PACKAGE_... flags, or 0.
    pub flags: u32,
    /// How many threads compress at most; 0 for two. The bytes do not depend on it.
    pub threads: u32,
}

/// `time` is set.
pub const OCI_CHART_PACKAGE_TIME: u32 = 1;

impl Default for oci_chart_package_options {
    fn default() -> Self {
        let none = std::ptr::null();
        Self {
            struct_size: size_of::<Self>(),
            version: none,
            app_version: none,
            time: 0,
            flags: 0,
            threads: 0,
        }
    }
}

// SAFETY: numbers and pointers, the size first.
unsafe impl Growing for oci_chart_package_options {}

/// A chart as Helm loads it. Immutable: any number of threads may use it at once. Freed with oci_chart_chart_free().
pub struct oci_chart_chart {
    pub(crate) chart: Chart,
    name: Kept,
    version: Kept,
    metadata: Kept,
}

impl Shared for oci_chart_chart {}

impl From<Chart> for oci_chart_chart {
    fn from(chart: Chart) -> Self {
        Self { chart, name: Kept::default(), version: Kept::default(), metadata: Kept::default() }
    }
}

/// Loads the chart at `path`: a directory with a Chart.yaml, or a package (`.tgz`). `options` and `call` may be NULL. Free the chart with oci_chart_chart_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_chart_load(
    path: *const c_char,
    options: *const oci_chart_load_options,
    call: *const oci_chart_call,
    out: *mut *mut oci_chart_chart,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_chart_load", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        let (path, options) = unsafe { (text(path, "path")?, load_options(options)?) };
        // SAFETY: the same.
        let mut caller = unsafe { Caller::new(call) }?;
        let chart = caller.work(|cancel| Chart::from_path(path, &options.with_cancel(cancel)))?;
        out.give(chart.into());
        Ok(())
    })
}

/// Loads the chart whose package (`.tgz`) is in memory. The bytes are read and not kept. `options` and `call` may be NULL. Free the chart with
/// oci_chart_chart_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_chart_load_bytes(
    data: *const u8,
    data_len: usize,
    options: *const oci_chart_load_options,
    call: *const oci_chart_call,
    out: *mut *mut oci_chart_chart,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_chart_load_bytes", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        let (data, options) = unsafe { (bytes(data, data_len, "data")?, load_options(options)?) };
        // SAFETY: the same.
        let mut caller = unsafe { Caller::new(call) }?;
        let chart = caller.work(|cancel| Chart::from_archive(data, &options.with_cancel(cancel)))?;
        out.give(chart.into());
        Ok(())
    })
}

/// The chart's name. Belongs to the chart; NULL only for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_chart_get_name(chart: *const oci_chart_chart) -> *const c_char {
    // SAFETY: NULL or valid for the call.
    unsafe {
        text_of("oci_chart_chart_get_name", chart, |chart| chart.name.text(|| chart.chart.name().to_owned()))
    }
}

/// The chart's version. Belongs to the chart; NULL only for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_chart_get_version(chart: *const oci_chart_chart) -> *const c_char {
    let make = |chart: &oci_chart_chart| chart.chart.metadata().version.clone();
    // SAFETY: NULL or valid for the call.
    unsafe { text_of("oci_chart_chart_get_version", chart, |chart| chart.version.text(|| make(chart))) }
}

/// What Chart.yaml says, as the JSON that Helm stores beside a chart. Belongs to the chart; NULL only for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_chart_get_metadata(chart: *const oci_chart_chart) -> *const c_char {
    let make = |chart: &oci_chart_chart| chart.chart.metadata().to_json();
    // SAFETY: NULL or valid for the call.
    unsafe { text_of("oci_chart_chart_get_metadata", chart, |chart| chart.metadata.text(|| make(chart))) }
}

/// What Chart.yaml says, as `helm show chart` prints it. Free the text with oci_chart_string_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_chart_get_metadata_yaml(
    chart: *const oci_chart_chart,
    out: *mut *mut c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_chart_get_metadata_yaml", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        out.give_text(unsafe { shared(chart, "chart") }?.chart.metadata().to_yaml()?);
        Ok(())
    })
}

/// The charts inside the chart, as a JSON list of `{"name", "version"}`, sorted by name. Free the text with oci_chart_string_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_chart_get_dependencies(
    chart: *const oci_chart_chart,
    out: *mut *mut c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_chart_get_dependencies", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        let chart = unsafe { shared(chart, "chart") }?;
        let dependency =
            |chart: &Chart| serde_json::json!({ "name": chart.name(), "version": chart.metadata().version });
        let all: serde_json::Value = chart.chart.dependencies().iter().map(dependency).collect();
        out.give_text(all.to_string());
        Ok(())
    })
}

/// Packs the chart: the same bytes for the same chart and options, on every machine. `options` and `call` may be NULL. Free the
/// package with oci_chart_package_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_chart_package(
    chart: *const oci_chart_chart,
    options: *const oci_chart_package_options,
    call: *const oci_chart_call,
    out: *mut *mut oci_chart_package,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_chart_package", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        let (chart, options) = unsafe { (shared(chart, "chart")?, package_options(options)?) };
        // SAFETY: the same.
        let mut caller = unsafe { Caller::new(call) }?;
        let package = caller.work(|cancel| chart.chart.package(&options.with_cancel(cancel)))?;
        out.give(package.into());
        Ok(())
    })
}

/// Frees the chart. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_chart_free(chart: *mut oci_chart_chart) {
    // SAFETY: the caller's last use.
    guard_plain("oci_chart_chart_free", (), || unsafe { take(chart) });
}

pub(crate) unsafe fn load_options(options: *const oci_chart_load_options) -> Result<LoadOptions> {
    // SAFETY: the header's conventions.
    let options = unsafe { growing(options, "options") }?;
    let known = OCI_CHART_LOAD_FOLLOW_OUTSIDE_SYMLINKS | OCI_CHART_LOAD_STRICT;
    check_flags(options.flags, known, "options.flags")?;
    let mut limits = Limits::default();
    if options.max_file_bytes > 0 {
        limits.file_bytes = options.max_file_bytes;
    }
    if options.max_total_bytes > 0 {
        limits.total_bytes = options.max_total_bytes;
    }
    Ok(LoadOptions::default()
        .with_limits(limits)
        .with_outside_symlinks(options.flags & OCI_CHART_LOAD_FOLLOW_OUTSIDE_SYMLINKS != 0)
        .with_strict(options.flags & OCI_CHART_LOAD_STRICT != 0))
}

unsafe fn package_options(options: *const oci_chart_package_options) -> Result<PackageOptions> {
    // SAFETY: the header's conventions.
    let options = unsafe { growing(options, "options") }?;
    check_flags(options.flags, OCI_CHART_PACKAGE_TIME, "options.flags")?;
    let mut with = PackageOptions::default();
    // SAFETY: the header's conventions.
    let texts = unsafe {
        (
            text_or_none(options.version, "options.version")?,
            text_or_none(options.app_version, "options.app_version")?,
        )
    };
    if let Some(version) = texts.0 {
        with = with.with_version(version);
    }
    if let Some(version) = texts.1 {
        with = with.with_app_version(version);
    }
    if options.flags & OCI_CHART_PACKAGE_TIME != 0 {
        with = with.with_time(Timestamp::from_unix(options.time)?);
    } else if options.time != 0 {
        return Err(invalid("options.time", "a time without OCI_CHART_PACKAGE_TIME in `flags`"));
    }
    with.threads = std::num::NonZeroUsize::new(options.threads as usize);
    Ok(with)
}
