//! Artifacts against Helm's own push: configuration, annotations, manifest and digest of every chart.

use std::path::{Path, PathBuf};

use oci_chart_core::{
    ChartArtifact, Package,
    chart::{Chart, LoadOptions, PackageOptions, Timestamp},
    oci::{ArtifactOptions, LayerOrder},
};
use serde_json::{Value, json};

use crate::support::{
    corpus::{complete_charts, corpus, vectors},
    oracle::Oracle,
    process::Sandbox,
    say,
    tarball::{Entry, gzip, tar},
};

/// What Helm takes as the time of the manifest: that of the archive file.
const TIME: u64 = 1_700_000_000;

#[test]
fn the_manifests_of_all_charts_are_helm_s() {
    const TEST: &str = "the_manifests_of_all_charts_are_helm_s";
    let (Some(oracle), Some((_kept, mut charts))) = (Oracle::find(TEST), complete_charts(TEST)) else {
        return;
    };
    charts.extend(examples());
    let scratch = Sandbox::new();
    let packages: Vec<(PathBuf, Package)> =
        charts.iter().map(|chart| package(chart, scratch.path())).collect();
    let answers = oracle.ask_many(
        packages.iter().map(|(path, _)| json!({"do": "push", "path": path, "target": "oci://h/t"})),
    );
    for ((path, package), answer) in packages.iter().zip(&answers) {
        compare(&artifact(package, LayerOrder::ChartFirst), answer, path);
    }
    say(&format!("{TEST}: {} charts, one manifest each", packages.len()));
}

#[test]
fn with_provenance_helm_s_order_gives_helm_s_manifest() {
    const TEST: &str = "with_provenance_helm_s_order_gives_helm_s_manifest";
    let Some(oracle) = Oracle::find(TEST) else { return };
    let scratch = Sandbox::new();
    let (mut alike, cases) = (0, 24);
    for n in 0..cases {
        // The order depends on the digests, so that many texts give both orders.
        let (path, package) = package(&examples()[0], scratch.path());
        let text = format!("-----BEGIN PGP SIGNED MESSAGE-----\n{n}\n");
        fs_err::write(path.with_extension("tgz.prov"), &text).unwrap();
        let answer = oracle.ask(json!({"do": "push", "path": path, "target": "oci://h/t"}));
        let package = package.with_provenance(text);
        compare(&artifact(&package, LayerOrder::Helm), &answer, &path);
        let first = artifact(&package, LayerOrder::ChartFirst);
        assert_eq!(first.manifest().layers()[0].digest, package.digest());
        alike += usize::from(answer["manifest_digest"] == first.manifest().descriptor().digest.to_string());
    }
    assert!(alike > 0 && alike < cases, "{alike} of {cases}");
    say(&format!("{TEST}: {cases} provenance files, in {alike} of them Helm has the chart first as well"));
}

#[test]
fn annotations_and_tags_are_those_of_the_vectors() {
    const TEST: &str = "annotations_and_tags_are_those_of_the_vectors";
    let Some(rows) = vectors(TEST, "chart-metadata.jsonl") else { return };
    let mut checked = 0;
    for row in &rows {
        let (Some(text), Some(annotations)) = (row["text"].as_str(), row["annotations_json"].as_str()) else {
            continue;
        };
        let tar = gzip(&tar(&[Entry::file("foo/Chart.yaml", text)], 2));
        // Some rows can be pushed and not packaged; what pushes loads as an archive.
        let Ok(package) = Package::from_bytes(tar, &LoadOptions::default()) else { continue };
        let Ok(artifact) = ChartArtifact::new(package, &options(LayerOrder::ChartFirst)) else {
            assert!(row["ref"].is_null(), "{row}");
            continue;
        };
        let manifest = String::from_utf8(artifact.manifest().bytes().to_vec()).unwrap();
        let ours = manifest.split_once(",\"annotations\":").map(|(_, rest)| rest.trim_end_matches('}'));
        assert_eq!(ours, Some(annotations.trim_end_matches('}')), "{text}");
        assert_eq!(Some(&artifact.config().1[..]), row["config"].as_str().map(str::as_bytes), "{text}");
        let name = &artifact.package().metadata().unwrap().name;
        assert_eq!(row["ref"], format!("{name}:{}", artifact.tag()), "{text}");
        checked += 1;
    }
    assert!(checked > 250, "{checked}");
    say(&format!("{TEST}: {checked} of {} rows have annotations", rows.len()));
}

#[test]
fn helm_s_published_digests_come_out() {
    const TEST: &str = "helm_s_published_digests_come_out";
    let Some(corpus) = corpus(TEST) else { return };
    let package =
        Package::from_file(corpus.join("helm/downloader/signtest-0.1.0.tgz"), &LoadOptions::default())
            .unwrap();
    assert!(package.provenance().is_some(), "the file beside it");
    let created = Timestamp::from_unix(242_085_845).unwrap();
    assert_eq!(created.to_string(), "1977-09-02T22:04:05Z");
    let options = ArtifactOptions::default().with_created(created).with_layer_order(LayerOrder::Helm);
    let artifact = ChartArtifact::new(package, &options).unwrap();
    let manifest = artifact.manifest();
    assert_eq!(
        (manifest.descriptor().digest.to_string().as_str(), manifest.descriptor().size),
        ("sha256:fbbade96da6050f68f94f122881e3b80051a18f13ab5f4081868dd494538f5c2", 742),
        "what Helm 3.13 and later write"
    );
    let config = artifact.config().0;
    assert_eq!(
        (config.digest.to_string().as_str(), config.size),
        ("sha256:8d17cb6bf6ccd8c29aace9a658495cbd5e2e87fc267876e86117c7db681c9580", 99)
    );
}

fn compare(artifact: &ChartArtifact, answer: &Value, path: &Path) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    assert_eq!(answer["config"], text(artifact.config().1), "{}", path.display());
    assert_eq!(answer["manifest"], text(artifact.manifest().bytes()), "{}", path.display());
    assert_eq!(answer["manifest_digest"], artifact.manifest().descriptor().digest.to_string());
    assert_eq!(answer["tag"], artifact.tag().as_str());
}

fn options(order: LayerOrder) -> ArtifactOptions {
    ArtifactOptions::default().with_created(Timestamp::from_unix(TIME).unwrap()).with_layer_order(order)
}

fn artifact(package: &Package, order: LayerOrder) -> ChartArtifact {
    ChartArtifact::new(package.clone(), &options(order)).unwrap()
}

/// The chart packaged in `scratch`, with the time that Helm will look at.
fn package(chart: &Path, scratch: &Path) -> (PathBuf, Package) {
    let package = Chart::from_path(chart, &LoadOptions::default())
        .unwrap()
        .package(&PackageOptions::default())
        .unwrap();
    let path = package.write_to_dir(scratch).unwrap();
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(TIME);
    fs_err::File::options().write(true).open(&path).unwrap().file().set_modified(time).unwrap();
    (path, package)
}

pub(crate) fn examples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/charts");
    let mut charts: Vec<_> = fs_err::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    charts.sort();
    charts
}
