use std::ffi::c_char;

use oci_chart_core::{Chart, Error, ErrorKind, Result, chart::ChartFile};
use serde_json::{Value, json};

use crate::{
    chart::oci_chart_chart,
    error::oci_chart_error,
    ffi::{Out, shared, text},
    guard::guard,
    status::oci_chart_status,
    string::oci_chart_bytes,
};

/// The chart's own files but Chart.yaml and Chart.lock, as a JSON list of `{"path", "bytes"}`: values, schema, templates, then everything else, in
/// load order. Those of the charts inside it are not among them. Free the text with oci_chart_string_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_chart_get_files(
    chart: *const oci_chart_chart,
    out: *mut *mut c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_chart_get_files", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        let chart = &unsafe { shared(chart, "chart") }?.chart;
        let file = |file: &ChartFile| json!({ "path": file.path().as_str(), "bytes": file.content().len() });
        out.give_text(files(chart).map(file).collect::<Value>().to_string());
        Ok(())
    })
}

/// One of the files that oci_chart_chart_get_files() lists, byte for byte. Free it with oci_chart_bytes_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_chart_read_file(
    chart: *const oci_chart_chart,
    path: *const c_char,
    out: *mut *mut oci_chart_bytes,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_chart_read_file", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        let (chart, path) = unsafe { (&shared(chart, "chart")?.chart, text(path, "path")?) };
        let found =
            files(chart).find(|file| file.path().as_str() == path).ok_or_else(|| missing(chart, path))?;
        out.give(whole(found)?);
        Ok(())
    })
}

/// values.yaml, byte for byte. Free it with oci_chart_bytes_free(); it is set to NULL where the chart has none.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_chart_get_values(
    chart: *const oci_chart_chart,
    out: *mut *mut oci_chart_bytes,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_chart_get_values", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        give_file(out, unsafe { shared(chart, "chart") }?.chart.values())
    })
}

/// values.schema.json, byte for byte. Free it with oci_chart_bytes_free(); it is set to NULL where the chart has none.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_chart_get_schema(
    chart: *const oci_chart_chart,
    out: *mut *mut oci_chart_bytes,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_chart_get_schema", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        give_file(out, unsafe { shared(chart, "chart") }?.chart.schema())
    })
}

/// The readme, byte for byte. Free it with oci_chart_bytes_free(); it is set to NULL where the chart has none.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_chart_get_readme(
    chart: *const oci_chart_chart,
    out: *mut *mut oci_chart_bytes,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_chart_get_readme", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        give_file(out, unsafe { shared(chart, "chart") }?.chart.readme())
    })
}

/// All custom resource definitions, those of dependencies included, as one YAML stream. Free it with oci_chart_bytes_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_chart_get_crds(
    chart: *const oci_chart_chart,
    out: *mut *mut oci_chart_bytes,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_chart_get_crds", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        out.give(oci_chart_bytes(unsafe { shared(chart, "chart") }?.chart.crds_yaml()?.into()));
        Ok(())
    })
}

fn files(chart: &Chart) -> impl Iterator<Item = &ChartFile> {
    chart.values().into_iter().chain(chart.schema()).chain(chart.templates()).chain(chart.files())
}

fn give_file(out: Out<*mut oci_chart_bytes>, file: Option<&ChartFile>) -> Result<()> {
    match file {
        Some(file) => out.give(whole(file)?),
        None => out.put(std::ptr::null_mut()),
    }
    Ok(())
}

/// All of a file whose size was judged when the chart was loaded.
fn whole(file: &ChartFile) -> Result<oci_chart_bytes> {
    Ok(oci_chart_bytes(file.read(file.content().len())?))
}

fn missing(chart: &Chart, path: &str) -> Error {
    Error::new(ErrorKind::NotFound, "the chart has no such file")
        .with_context("chart", chart.name())
        .with_context("path", path)
}
