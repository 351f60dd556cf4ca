use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use oci_chart_core::chart::{Chart, LoadOptions, PackageOptions};
use tempfile::TempDir;

use crate::{Outcome, skip};

/// Copies of all charts of the corpus with their dependencies packed, gone with the directory; none where `OCI_CHART_CORPUS` is
/// not set.
///
/// # Errors
///
/// When the corpus is not what it should be.
pub fn complete_charts(what: &str) -> Outcome<Option<(TempDir, Vec<PathBuf>)>> {
    let Some(corpus) = env::var_os("OCI_CHART_CORPUS").map(PathBuf::from) else {
        skip(&format!("{what}: OCI_CHART_CORPUS is not set"));
        return Ok(None);
    };
    let directory = tempfile::tempdir()?;
    let target = directory.path().join("charts");
    let output = Command::new("python3").arg(corpus.join("complete.py")).arg(&target).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let mut charts = Vec::new();
    for entry in fs_err::read_dir(target)? {
        charts.push(entry?.path());
    }
    charts.sort();
    Ok(Some((directory, charts)))
}

/// Unpacks the package of the chart in `directory` below `place`, so that there are files and directories only, no packed subcharts.
///
/// # Errors
///
/// When there is no chart in the directory.
pub fn unpacked(directory: &Path, place: &Path) -> Outcome<PathBuf> {
    let chart = Chart::from_dir(directory, &LoadOptions::default())?;
    Ok(chart.package(&PackageOptions::default())?.unpack(place)?.path)
}
