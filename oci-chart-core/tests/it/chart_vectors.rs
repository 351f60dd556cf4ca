//! Chart.yaml and whole archives against the golden answers of Helm.

use base64::{Engine, prelude::BASE64_STANDARD};
use oci_chart_core::{
    ErrorKind,
    chart::{Chart, ChartFile, LoadOptions, Metadata},
};
use serde_json::Value;

use crate::support::{corpus, disagreements, say};

/// Names that Helm loads and packages into something that nobody, Helm included, can load or push: the tar entry of `/` is absolute,
/// and a backslash is a separator when the archive is read.
const REFUSED_NAMES: [&str; 2] = ["name \"/\"", "name \"a\\\\b\""];

#[test]
fn every_row() {
    let Some(rows) = corpus::vectors("chart_vectors", "chart-metadata") else { return };
    let (mut accepted, mut refused) = (0, 0);
    for row in &rows {
        let note = text(row, "note").unwrap();
        let yaml = input(row);
        let metadata = Metadata::from_yaml(&yaml);
        // What concerns the push alone says nothing about the chart.
        let error = text(row, "error")
            .filter(|error| error.starts_with("cannot load") || error.starts_with("validation: "));
        if error.is_some() || REFUSED_NAMES.contains(&note) {
            let found = metadata.expect_err(note);
            assert_eq!(found.kind(), ErrorKind::InvalidChart, "{note}: {found}");
            if let Some(error) = error.filter(|error| error.starts_with("validation: ")) {
                assert_eq!(found.message(), error, "{note}");
            }
            refused += 1;
            continue;
        }
        let metadata = metadata.unwrap_or_else(|error| panic!("{note}: {error:?}"));
        if let Some(config) = text(row, "config") {
            assert_eq!(metadata.to_json(), config, "{note}");
            assert_eq!(Metadata::from_json(config.as_bytes()).unwrap().to_json(), config, "{note}");
        }
        if let Some(packaged) = text(row, "packaged") {
            assert_eq!(metadata.to_packaged_yaml().unwrap(), packaged, "{note}");
            assert_eq!(Metadata::from_yaml(packaged.as_bytes()).unwrap().name, metadata.name, "{note}");
        }
        accepted += 1;
    }
    say(&format!("chart_vectors: {} rows: {accepted} accepted, {refused} refused", rows.len()));
    assert_eq!(accepted + refused, rows.len());
}

#[test]
fn what_the_package_command_adds() {
    let Some(rows) = corpus::vectors("chart_vectors", "chart-metadata") else { return };
    let directory = tempfile::tempdir().unwrap();
    let (mut loads, mut dependencies, mut writes) = (0, 0, 0);
    for row in &rows {
        let note = text(row, "note").unwrap();
        if REFUSED_NAMES.contains(&note) {
            continue;
        }
        fs_err::write(directory.path().join("Chart.yaml"), input(row)).unwrap();
        let chart = Chart::from_dir(directory.path(), &LoadOptions::default());
        let error = text(row, "package_error").or(text(row, "error")).unwrap_or_default();
        if ["cannot load", "validation: ", "unsupported"].iter().any(|start| error.starts_with(start)) {
            let found = chart.expect_err(note);
            assert_eq!(found.kind(), ErrorKind::InvalidChart, "{note}: {found}");
            assert_eq!(found.get("file"), Some("Chart.yaml"), "{note}: {found}");
            loads += 1;
            continue;
        }
        let chart = chart.unwrap_or_else(|error| panic!("{note}: {error:?}"));
        if error.starts_with("found in Chart.yaml") {
            assert_eq!(
                chart.check_dependencies().unwrap_err().message().trim_end(),
                error.trim_end(),
                "{note}"
            );
            dependencies += 1;
        } else {
            chart.check_dependencies().unwrap();
        }
        let written = chart.metadata().to_packaged_yaml();
        assert_eq!(written.is_err(), error.starts_with("failed to save: yaml"), "{note}: {written:?}");
        writes += usize::from(written.is_err());
    }
    say(&format!(
        "chart_vectors: {loads} not loaded, {dependencies} without dependencies, {writes} not writable"
    ));
    assert!(loads > 0 && dependencies > 0 && writes > 0);
}

#[test]
fn every_archive() {
    let Some(rows) = corpus::vectors("chart_vectors", "archive-errors") else { return };
    let (mut accepted, mut refused, mut on_purpose) = (0, 0, 0);
    for row in &rows {
        let note = text(row, "note").unwrap();
        let Some(archive) = text(row, "tgz") else { continue };
        let archive = BASE64_STANDARD.decode(archive).unwrap();
        let error = text(row, "error").or(text(row, "files_error"));
        let chart = match Chart::from_archive(archive.as_slice(), &LoadOptions::default()) {
            Err(ours) => {
                let allowed = ours.reason().and_then(|reason| disagreements::allowed(reason.as_str()));
                assert!(error.is_some() || allowed.is_some(), "{note}: {ours:?}");
                let known = [ErrorKind::InvalidChart, ErrorKind::InvalidArchive, ErrorKind::LimitExceeded];
                assert!(known.contains(&ours.kind()), "{note}: {ours:?}");
                *if error.is_some() { &mut refused } else { &mut on_purpose } += 1;
                continue;
            }
            Ok(chart) => chart,
        };
        assert_eq!(error, None, "{note}");
        assert_eq!(Some(chart.name()), text(row, "name"), "{note}");
        assert_eq!(Some(chart.metadata().version.as_str()), text(row, "version"), "{note}");
        assert_eq!(paths(chart.templates()), texts(row, "templates"), "{note}");
        assert_eq!(paths(chart.files()), texts(row, "other_files"), "{note}");
        let version = |chart: &Chart| format!("{}-{}", chart.name(), chart.metadata().version);
        let dependencies: Vec<_> = chart.dependencies().iter().map(version).collect();
        assert_eq!(dependencies, texts(row, "dependencies"), "{note}");
        accepted += 1;
    }
    say(&format!(
        "chart_vectors: {accepted} accepted, {refused} refused as in Helm, {on_purpose} on purpose"
    ));
    assert!(accepted > 50 && refused > 30);
}

fn paths(files: &[ChartFile]) -> Vec<&str> {
    files.iter().map(|file| file.path().as_str()).collect()
}

fn texts<'a>(row: &'a Value, column: &str) -> Vec<&'a str> {
    let list = row.get(column).and_then(Value::as_array);
    list.into_iter().flatten().map(|text| text.as_str().unwrap()).collect()
}

fn text<'a>(row: &'a Value, column: &str) -> Option<&'a str> {
    row.get(column).and_then(Value::as_str)
}

fn input(row: &Value) -> Vec<u8> {
    match text(row, "text_b64") {
        Some(encoded) => BASE64_STANDARD.decode(encoded).unwrap(),
        None => text(row, "text").unwrap().into(),
    }
}
