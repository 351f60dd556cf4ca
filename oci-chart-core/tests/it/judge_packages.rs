//! Packages, byte by byte, against those of both majors of Helm: every chart of the corpus.

use std::{
    path::{Path, PathBuf},
    thread,
    time::{Duration, SystemTime},
};

use oci_chart_core::{
    Chart, ErrorKind,
    chart::{EntryTimes, LoadOptions, Package, PackageOptions, Timestamp},
};
use serde_json::json;

use crate::support::{
    corpus,
    helm_tar::{HelmTar, Times},
    oracle::{Oracle, accepted},
    process::Sandbox,
    say, tools,
};

/// What all files of the charts are set to: Helm 4 writes it into the archives.
const MODIFIED: u64 = 1_700_000_000;

#[test]
fn tar_bytes_are_those_of_both_helms() {
    const TEST: &str = "judge_packages::tar_bytes_are_those_of_both_helms";
    let Some(helm4) = tools::judge(TEST, "helm4") else { return };
    let Some(helm3) = tools::judge(TEST, "helm3") else { return };
    let Some((_directory, charts)) = corpus::complete_charts(TEST) else { return };
    let sandbox = Sandbox::new();
    let (mut entries, mut bytes) = (0, 0);
    for path in &charts {
        set_times(path);
        let [four, three] = thread::scope(|scope| {
            // The programs are what takes the time here.
            let [four, three] =
                [&helm4, &helm3].map(|helm| scope.spawn(|| helm_package(&sandbox, helm, path)));
            [four, three].map(|package| fs_err::read(package.join().unwrap()).unwrap())
        });
        let chart = Chart::from_dir(path, &LoadOptions::default()).unwrap();
        let options = |times| {
            PackageOptions::default()
                .with_time(Timestamp::from_unix(MODIFIED).unwrap())
                .with_entry_times(times)
        };
        let ours = bytes_of(&chart.package(&options(EntryTimes::Source)).unwrap());
        let name = path.display().to_string();
        let tar = HelmTar::read(&ours);
        tar.assert_same(&HelmTar::read(&four).comparable(Times::All), &format!("{name}, helm 4"));
        entries += tar.entries.len();
        bytes += ours.len();
        tar.comparable(Times::None)
            .assert_same(&HelmTar::read(&three).comparable(Times::None), &format!("{name}, helm 3"));
        // Extra field, comment and all.
        assert_eq!(ours[..GZIP_HEADER], four[..GZIP_HEADER], "{name}");

        // With one time, all that differs from Helm 4 is a time: the lock's, and those of packed subcharts.
        let one = HelmTar::read(&bytes_of(&chart.package(&options(EntryTimes::One)).unwrap()));
        let packed = fs_err::read_dir(path.join("charts")).is_ok_and(|mut charts| charts.next().is_some());
        let times = if packed { Times::None } else { Times::ButLocks };
        one.comparable(times).assert_same(&HelmTar::read(&four).comparable(times), &name);
    }
    say(&format!("{TEST}: {} charts, {entries} entries, {bytes} bytes, equal", charts.len()));
}

/// Ten bytes, the extra field with its length, the comment `Helm`.
const GZIP_HEADER: usize = 10 + 2 + 44 + 5;

#[test]
fn what_helm_refuses_is_refused_in_its_words() {
    const TEST: &str = "judge_packages::what_helm_refuses_is_refused_in_its_words";
    let Some(oracle) = Oracle::find(TEST) else { return };
    let Some(source) = corpus::corpus(TEST).map(|corpus| corpus.join("charts")) else { return };
    let charts = corpus::charts(&source);
    let target = Sandbox::new();
    let answers = oracle
        .ask_many(charts.iter().map(|path| json!({"do": "package", "path": path, "dest": target.path()})));
    let mut refused = 0;
    for (path, answer) in charts.iter().zip(&answers) {
        let ours = Chart::from_dir(path, &LoadOptions::default())
            .and_then(|chart| chart.package(&PackageOptions::default()));
        match ours {
            Ok(_) => assert!(accepted(answer), "{}: {answer}", path.display()),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::InvalidChart, "{error}");
                assert_eq!(error.message(), answer["error"], "{}", path.display());
                refused += 1;
            }
        }
    }
    assert!(refused > 10 && refused < charts.len());
    say(&format!("{TEST}: {refused} of {} charts, refused alike", charts.len()));
}

#[test]
fn overrides_are_those_of_helm() {
    const TEST: &str = "judge_packages::overrides_are_those_of_helm";
    let Some(oracle) = Oracle::find(TEST) else { return };
    let directory = tempfile::TempDir::new().unwrap();
    let chart = directory.path().join("web");
    fs_err::create_dir_all(chart.join("templates")).unwrap();
    fs_err::write(chart.join("templates/a.yaml"), "a: 1\n").unwrap();
    fs_err::write(chart.join("Chart.yaml"), "apiVersion: v2\nname: web\nversion: 0.1.0\nappVersion: 1.10\n")
        .unwrap();
    set_times(&chart);
    let loaded = Chart::from_dir(&chart, &LoadOptions::default()).unwrap();
    let versions = ["", "1.2.3", "v1.2", "1.2.3-rc.1+b", "01.2.3", "1", "x", "1.2.3.4", " 1.2.3", "1.2.3\n"];
    let app_versions = ["", "1.10", "latest", "two\nlines", "  blank ", "\u{1F680}", "yes", "a: b #c"];
    let cases: Vec<(&str, &str)> =
        versions.iter().flat_map(|version| app_versions.map(|app_version| (*version, app_version))).collect();
    let (mut equal, mut refused) = (0, 0);
    // One question at a time: the same version makes the same file.
    for (version, app_version) in cases {
        let answer = oracle.ask(json!({
            "do": "package", "path": chart, "dest": directory.path(), "version": version, "app_version": app_version,
        }));
        let options = PackageOptions::default()
            .with_entry_times(EntryTimes::Source)
            .with_version(version)
            .with_app_version(app_version);
        let ours = loaded.package(&options);
        assert_eq!(ours.is_ok(), accepted(&answer), "{version:?} {app_version:?}: {ours:?}, Helm: {answer}");
        let Ok(ours) = ours else {
            refused += 1;
            continue;
        };
        let theirs = Path::new(answer["path"].as_str().unwrap());
        let what = format!("{version:?} {app_version:?}");
        assert_eq!(Some(ours.file_name().unwrap().as_ref()), theirs.file_name(), "{what}");
        HelmTar::read(&bytes_of(&ours)).assert_same(&HelmTar::open(theirs), &what);
        equal += 1;
    }
    say(&format!("{TEST}: {equal} packages equal, {refused} refused by both"));
}

fn helm_package(sandbox: &Sandbox, helm: &Path, chart: &Path) -> PathBuf {
    let target = sandbox.path().join(helm.file_name().unwrap());
    let arguments = ["package".as_ref(), chart.as_os_str(), "-d".as_ref(), target.as_os_str()];
    let said = sandbox.run(helm, arguments).success();
    said.trim().rsplit(": ").next().unwrap().into()
}

fn bytes_of(package: &Package) -> Vec<u8> {
    package.content().read(u64::MAX).unwrap().to_vec()
}

fn set_times(directory: &Path) {
    for entry in fs_err::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { set_times(&path) } else { set_time(&path) }
    }
}

fn set_time(file: &Path) {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(MODIFIED);
    fs_err::File::open(file).unwrap().set_modified(time).unwrap();
}
