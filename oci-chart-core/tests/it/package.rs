//! Packages: the same bytes for the same tree, and what is refused, left out and written.

mod bytes;
mod corpus;
mod names;
mod places;
mod refusals;
mod same;

use std::path::Path;

use oci_chart_core::{
    Chart, Result,
    chart::{LoadOptions, Package, PackageOptions},
};
use tempfile::TempDir;

/// A chart with something of every kind.
const WEB: &[(&str, &str)] = &[
    ("Chart.yaml", "apiVersion: v2\nname: web\nversion: 0.1.0\nappVersion: \"1\"\n"),
    (
        "Chart.lock",
        "dependencies: []\ndigest: sha256:00\ngenerated: \"2026-11-21T03:43:25.914393931+01:00\"\n",
    ),
    ("values.yaml", "a: 1\n"),
    ("values.schema.json", "{\"title\": \"Values\"}\n"),
    ("templates/b.yaml", "b: 2\n"),
    ("templates/a.yaml", "a: 1\n"),
    ("templates/.hidden", "built-in rule\n"),
    ("README.md", "\u{feff}# Web\n"),
    ("crds/c.yaml", "c: 3\n"),
    ("notes/one.txt", "one\n"),
    ("notes/two.bak", "two\n"),
    (".helmignore", "*.bak\n/drafts/\n"),
    ("drafts/x.yaml", "x: 1\n"),
    ("charts/b/Chart.yaml", "apiVersion: v2\nname: beta\nversion: 1.0.0\n"),
    ("charts/z/Chart.yaml", "apiVersion: v2\nname: alpha\nversion: 1.0.0\n"),
    ("charts/z/templates/t.yaml", "t: 1\n"),
];

fn tree(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    add(directory.path(), files);
    directory
}

fn add(directory: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = directory.join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    }
}

fn load(directory: impl AsRef<Path>) -> Chart {
    Chart::from_dir(directory, &LoadOptions::default()).unwrap()
}

/// The directory's package, by default options.
fn package(directory: impl AsRef<Path>) -> Result<Package> {
    Chart::from_dir(directory, &LoadOptions::default())?.package(&PackageOptions::default())
}

fn bytes_of(package: &Package) -> Vec<u8> {
    package.content().read(u64::MAX).unwrap().to_vec()
}
