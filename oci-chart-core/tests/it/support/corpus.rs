//! Real inputs and golden answers, which are not part of this repository.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use super::{process::Sandbox, skip, tools};

/// The directory that `OCI_CHART_CORPUS` names. Without it the calling test says that it was skipped, except in CI, where that
/// is a failure.
pub(crate) fn corpus(test: &str) -> Option<PathBuf> {
    let place = std::env::var_os("OCI_CHART_CORPUS").map(PathBuf::from);
    if place.is_none() {
        skip(&format!("{test}: OCI_CHART_CORPUS is not set"));
    }
    place
}

/// The rows of one file of golden answers (`vectors/NAME.jsonl`).
pub(crate) fn vectors(test: &str, name: &str) -> Option<Vec<Value>> {
    let path = corpus(test)?.join("vectors").join(name).with_extension("jsonl");
    let text = fs_err::read_to_string(path).unwrap();
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(!rows.is_empty());
    Some(rows)
}

/// The charts in `directory`: those of its entries that hold a Chart.yaml, sorted.
pub(crate) fn charts(directory: &Path) -> Vec<PathBuf> {
    let mut charts: Vec<PathBuf> = fs_err::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("Chart.yaml").is_file())
        .collect();
    charts.sort();
    charts
}

/// Copies of all charts of the corpus with their dependencies packed, as `helm package` wants them; gone with the directory.
pub(crate) fn complete_charts(test: &str) -> Option<(TempDir, Vec<PathBuf>)> {
    let script = corpus(test)?.join("complete.py");
    let python = tools::system(test, "python3")?;
    let directory = TempDir::new().unwrap();
    let target = directory.path().join("charts");
    Sandbox::new().run(&python, [&script, &target]).success();
    let charts = charts(&target);
    Some((directory, charts))
}
