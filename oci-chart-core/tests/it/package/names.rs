//! Names and times that the oldest tar header cannot hold, beside Helm.

use std::{
    path::Path,
    time::{Duration, SystemTime},
};

use oci_chart_core::chart::{EntryTimes, PackageOptions};
use serde_json::json;

use super::{bytes_of, load, tree};
use crate::support::{helm_tar::HelmTar, oracle::Oracle, say};

/// Files whose paths differ in how they are written.
fn odd_names() -> Vec<String> {
    let mut names: Vec<String> = [
        "templates/ü.yaml",
        "templates/\u{1F680}.yaml",
        "a b/c'd\"e.txt",
        "files/=x=",
        "files/new\nline",
        "files/PaxHeaders.0/x",
        "files/a\u{300}",
    ]
    .map(str::to_owned)
    .to_vec();
    // Around every boundary: 100 bytes of name, 155 of prefix, 255 together.
    for length in [80, 94, 95, 96, 97, 100, 101, 150, 200, 255] {
        names.push(format!("files/{}", "n".repeat(length)));
    }
    for (directory, file) in [
        (150, 1),
        (150, 100),
        (151, 50),
        (152, 50),
        (146, 100),
        (147, 101),
        (149, 99),
        (100, 100),
        (255, 255),
        (60, 60),
    ] {
        names.push(format!("{}/{}", "d".repeat(directory), "f".repeat(file)));
        names.push(format!("{0}/{0}/{0}/{1}", "e".repeat(directory / 3), "f".repeat(file)));
    }
    // A cut in the middle of a character, and right behind a slash.
    names.push(format!("{}/{}", "d".repeat(95), "é".repeat(60)));
    names.push(format!("{}/{}", "é".repeat(47), "é".repeat(40)));
    names.push(format!("{}ü/{}", "d".repeat(94), "x".repeat(5)));
    names.sort();
    names.dedup();
    names
}

/// Seconds and nanoseconds since 1970.
const TIMES: [(i64, u32); 8] = [
    (1_700_000_000, 0),
    (1_700_000_000, 499_999_999),
    (1_700_000_000, 500_000_000),
    (1, 0),
    (0, 0),
    (-1, 0),
    (-100_000, 0),
    (8_589_934_591, 0),
];

#[test]
fn long_names_odd_names_and_odd_times_are_written_as_helm_does() {
    const TEST: &str = "package::names";
    let Some(oracle) = Oracle::find(TEST) else { return };
    let chart_yaml = ("Chart.yaml", "apiVersion: v2\nname: web\nversion: 0.1.0\n");
    let tree = tree(&[chart_yaml]);
    set_time(&tree.path().join(chart_yaml.0), TIMES[0]);
    let names = odd_names();
    for (number, name) in names.iter().enumerate() {
        super::add(tree.path(), &[(name, name)]);
        set_time(&tree.path().join(name), TIMES[number % TIMES.len()]);
    }
    let chart = load(tree.path());
    let package = chart.package(&PackageOptions::default().with_entry_times(EntryTimes::Source)).unwrap();
    let target = tempfile::tempdir().unwrap();
    let answer = oracle.ask(json!({"do": "package", "path": tree.path(), "dest": target.path()}));
    let theirs = Path::new(answer["path"].as_str().unwrap_or_else(|| panic!("{answer}")));
    let ours = HelmTar::read(&bytes_of(&package));
    assert_eq!(ours.entries.len(), names.len() + 1);
    ours.assert_same(&HelmTar::open(theirs), TEST);

    // And all of them come back.
    let back = package.chart().unwrap();
    let mut read: Vec<&str> =
        back.files().iter().chain(back.templates()).map(|file| file.path().as_str()).collect();
    let mut written: Vec<&str> = names.iter().map(String::as_str).collect();
    read.sort_unstable();
    written.sort_unstable();
    assert_eq!(read, written);
    for file in back.files().iter().chain(back.templates()) {
        assert_eq!(file.read(u64::MAX).unwrap(), file.path().as_str());
    }
    say(&format!("{TEST}: {} entries, equal", ours.entries.len()));
}

fn set_time(file: &Path, (seconds, nanos): (i64, u32)) {
    let whole = Duration::from_secs(seconds.unsigned_abs());
    let epoch = SystemTime::UNIX_EPOCH;
    let time = if seconds < 0 { epoch - whole } else { epoch + whole } + Duration::from_nanos(nanos.into());
    fs_err::OpenOptions::new().write(true).open(file).unwrap().set_modified(time).unwrap();
}
