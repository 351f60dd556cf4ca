//! Real inputs and golden answers, which are not part of this repository.

use std::path::PathBuf;

use serde_json::Value;

/// The directory that `OCI_CHART_CORPUS` names. Without it the calling test says that it was skipped, except in CI, where that
/// is a failure.
pub(crate) fn corpus(test: &str) -> Option<PathBuf> {
    let place = std::env::var_os("OCI_CHART_CORPUS").map(PathBuf::from);
    if place.is_none() {
        assert!(std::env::var_os("CI").is_none(), "{test}: OCI_CHART_CORPUS is not set");
        eprintln!("SKIPPED: {test}: OCI_CHART_CORPUS is not set");
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
