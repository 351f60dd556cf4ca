//! Known bytes.

use std::path::Path;

use oci_chart_core::{
    Chart, Digest,
    chart::{EntryTimes, LoadOptions, PackageOptions, Timestamp},
};

use super::{WEB, bytes_of, package, tree};
use crate::support::{
    helm_tar::HelmTar,
    tarball::{Entry, gzip, tar},
};

/// The charts of Helm's own test `TestRepeatableSave`, and what its tar archives hash to (helm 4.2.4, `pkg/chart/v2/util/save_test.go`).
#[test]
fn helm_s_own_vectors() {
    let shahryar = ("scheherazade/shahryar.txt", "1,001 Nights");
    let dunyazad = ("scheherazade/dunyazad.txt", "1,001 Nights again");
    for (files, length, digest) in [
        (&[shahryar][..], 5120, "a631bdf101686efb04c7c5bffd0b9353e926420845857f078fcd399bc123bbe2"),
        (&[shahryar, dunyazad], 6144, "b50688310e847e005ca25dfdd32ee2f8ea639cb6a93543567cb2625945789381"),
    ] {
        // Helm's file times have fractions, which its writer rounds: 58.65 seconds past the minute.
        let lock = "digest: testdigest\ngenerated: \"2021-09-01T20:34:58.651387237Z\"\n";
        let entry = |(path, text): (&str, &str)| Entry {
            modified: format!("{:011o}\0", 1_630_528_499).into_bytes(),
            ..Entry::file(format!("ahab/{path}"), text)
        };
        let special = [
            ("Chart.yaml", "apiVersion: v2\nname: ahab\nversion: 1.2.3\n"),
            ("Chart.lock", lock),
            ("values.schema.json", "{\n  \"title\": \"Values\"\n}"),
        ];
        let entries: Vec<Entry> = special.into_iter().chain(files.iter().copied()).map(entry).collect();
        let source = gzip(&tar(&entries, 2));
        let chart = Chart::from_archive(&source[..], &LoadOptions::default()).unwrap();
        let options = PackageOptions::default().with_entry_times(EntryTimes::Source);
        let tar = HelmTar::read(&bytes_of(&chart.package(&options).unwrap())).bytes();
        assert_eq!((tar.len(), Digest::of(&tar).hex()), (length, digest.to_owned()));
    }
}

/// These change only with what Helm would change too, or with the example charts: a changed deflate or tar writer changes the digest of every
/// package that was ever made.
#[test]
fn digests_of_the_example_charts() {
    let charts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/charts");
    let digests =
        ["greeter", "inbox", "platform"].map(|name| package(charts.join(name)).unwrap().digest().hex());
    assert_eq!(
        digests,
        [
            "1952ab97eec2eca2d5e478d3bc51dde2d36f96d4f15c62fb12dfb210caf41658",
            "53d70044d6a7cd8c0b921698487b693caff593add353e8a5fe47b3889392f304",
            "b5a8e74920b23b7baff59f1011354c9cad5ccee6d0130b8bc1ef0122c1da0d3f",
        ]
    );
}

#[test]
fn one_time_stamps_everything_and_the_lock_stays() {
    let tree = tree(WEB);
    let chart = super::load(tree.path());
    let expect = |options: &PackageOptions, time: u64| {
        let tar = HelmTar::read(&bytes_of(&chart.package(options).unwrap()));
        for (path, bytes) in &tar.entries {
            assert_eq!(bytes[136..148], *format!("{time:011o}\0").as_bytes(), "{path}");
        }
        let (_, lock) = tar.entries.iter().find(|(path, _)| path == "web/Chart.lock").unwrap();
        let lock = String::from_utf8_lossy(&lock[512..]);
        assert!(lock.contains("generated: \"2026-11-21T03:43:25.914393931+01:00\"\n"), "{lock}");
    };
    let time = |seconds| PackageOptions::default().with_time(Timestamp::from_unix(seconds).unwrap());
    expect(&time(1_700_000_000), 1_700_000_000);
    expect(&time(0), 0);
    // 1980-01-01, whenever this runs.
    expect(&time(Timestamp::FIXED.unix()), 315_532_800);
}

#[test]
fn order_is_helm_s() {
    let package = package(tree(WEB).path()).unwrap();
    let paths: Vec<String> =
        HelmTar::read(&bytes_of(&package)).entries.into_iter().map(|(path, _)| path).collect();
    assert_eq!(
        paths,
        [
            "web/Chart.yaml",
            "web/Chart.lock",
            "web/values.yaml",
            "web/values.schema.json",
            "web/templates/a.yaml",
            "web/templates/b.yaml",
            "web/.helmignore",
            "web/README.md",
            "web/crds/c.yaml",
            "web/notes/one.txt",
            "web/charts/alpha/Chart.yaml",
            "web/charts/alpha/templates/t.yaml",
            "web/charts/beta/Chart.yaml",
        ]
    );
}
