//! What is no package, and why; the preview.

use oci_chart_core::{
    CancelToken, Chart, Content, Error, ErrorKind, Limits, Reason,
    chart::{LoadOptions, Package, PackageOptions, SkipReason},
};

use super::{WEB, add, bytes_of, load, package, tree};
use crate::support::helm_tar::HelmTar;

fn kind(error: &Error) -> (ErrorKind, Option<Reason>) {
    (error.kind(), error.reason())
}

#[test]
fn missing_dependencies_are_named_as_helm_names_them() {
    let chart_yaml = "apiVersion: v2\nname: web\nversion: 0.1.0\ndependencies:\n\
                      - {name: d, version: 1.x, repository: oci://x, alias: one}\n\
                      - {name: beta, version: 1.x, repository: oci://x}\n\
                      - {name: d, version: 1.x, repository: oci://x, alias: two}\n\
                      - {name: e, version: 1.x, repository: oci://x}\n";
    let tree = tree(WEB);
    add(tree.path(), &[("Chart.yaml", chart_yaml)]);
    let error = package(tree.path()).unwrap_err();
    assert_eq!(kind(&error), (ErrorKind::InvalidChart, Some(Reason::DependenciesMissing)));
    assert_eq!(error.message(), "found in Chart.yaml, but missing in charts/ directory: d, d, e");
    assert_eq!((error.operation(), error.get("chart")), (Some("package"), Some("web")));
    let preview = load(tree.path()).preview(&PackageOptions::default()).unwrap_err();
    assert_eq!(kind(&preview), kind(&error));
}

#[test]
fn a_schema_is_json() {
    for bad in ["", "title: Values\n", "{\"a\": 1,}", "{} {}", "{// comment\n}"] {
        for inner in ["values.schema.json", "charts/z/values.schema.json"] {
            let tree = tree(WEB);
            add(tree.path(), &[(inner, bad)]);
            let error = package(tree.path()).unwrap_err();
            assert_eq!(
                kind(&error),
                (ErrorKind::InvalidChart, Some(Reason::SchemaNotJson)),
                "{inner}: {bad:?}"
            );
            assert_eq!(error.message(), "invalid JSON in values.schema.json");
        }
    }
}

#[test]
fn overrides_keep_the_rules() {
    let tree = tree(WEB);
    let chart = load(tree.path());
    for bad in ["x", "1.2.3.4", " 1.2.3", "1.2.3-01"] {
        let error = chart.package(&PackageOptions::default().with_version(bad)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidVersion, "{bad:?}");
    }
}

#[test]
fn overrides_go_into_the_package_and_nowhere_else() {
    let tree = tree(WEB);
    let before = contents(tree.path());
    let chart = load(tree.path());
    let options = PackageOptions::default().with_version("2.0.0-rc.1+b").with_app_version("9");
    let changed = chart.package(&options).unwrap();
    assert_eq!(changed.file_name().unwrap(), "web-2.0.0-rc.1+b.tgz");
    for metadata in [changed.metadata().unwrap(), changed.chart().unwrap().metadata()] {
        assert_eq!((metadata.version.as_str(), metadata.app_version.as_str()), ("2.0.0-rc.1+b", "9"));
    }
    assert_eq!(chart.metadata().version, "0.1.0");
    assert_eq!(load(tree.path()).metadata(), chart.metadata());
    assert_eq!(contents(tree.path()), before);
}

#[test]
fn empty_overrides_are_none() {
    let tree = tree(WEB);
    add(tree.path(), &[("Chart.yaml", "apiVersion: v2\nname: web\nversion: 0.1.0\nappVersion: '7'\n")]);
    let package =
        load(tree.path()).package(&PackageOptions::default().with_version("").with_app_version("")).unwrap();
    let metadata = package.metadata().unwrap();
    assert_eq!((metadata.version.as_str(), metadata.app_version.as_str()), ("0.1.0", "7"));
}

#[test]
fn a_file_that_changed_since_it_was_loaded_is_a_conflict() {
    for (path, text) in
        [("templates/a.yaml", "a: 1000\n"), ("README.md", ""), ("values.schema.json", "{\"title\": 1}\n")]
    {
        let tree = tree(WEB);
        let chart = load(tree.path());
        add(tree.path(), &[(path, text)]);
        let error = chart.package(&PackageOptions::default()).unwrap_err();
        assert_eq!(kind(&error), (ErrorKind::Conflict, Some(Reason::SourceChanged)), "{path}: {error}");
        let named = error.context().any(|(_, value)| value.ends_with(path));
        assert!(named, "{error:?}");
        // Loaded again it is another chart.
        package(tree.path()).unwrap();
    }
    let tree = tree(WEB);
    let chart = load(tree.path());
    fs_err::remove_file(tree.path().join("templates/a.yaml")).unwrap();
    let error = chart.package(&PackageOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(
        error.to_string().contains("a.yaml") || error.context().any(|(_, value)| value.contains("a.yaml"))
    );
}

#[test]
fn a_cancelled_packaging_stops() {
    let tree = tree(WEB);
    let cancel = CancelToken::new();
    cancel.cancel();
    let error = load(tree.path()).package(&PackageOptions::default().with_cancel(cancel)).unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Cancelled, Some("package")));
}

#[test]
fn packages_are_read_within_limits() {
    let tree = tree(WEB);
    let package = package(tree.path()).unwrap();
    let file = tree.path().join("web.tgz");
    package.write_to(&file).unwrap();
    let limited = |change: fn(&mut Limits)| {
        let mut limits = Limits::default();
        change(&mut limits);
        LoadOptions::default().with_limits(limits)
    };
    for options in [
        limited(|limits| limits.package_bytes = 100),
        limited(|limits| limits.total_bytes = 100),
        limited(|limits| limits.file_bytes = 10),
        limited(|limits| limits.entries = 3),
    ] {
        for result in [Package::from_file(&file, &options), Package::from_bytes(bytes_of(&package), &options)]
        {
            assert_eq!(result.unwrap_err().kind(), ErrorKind::LimitExceeded, "{:?}", options.limits);
        }
    }
    let options = limited(|limits| limits.package_bytes = 1);
    assert_eq!(
        package.content().read(options.limits.package_bytes).is_ok(),
        package.content().as_bytes().is_some()
    );
    // A directory, too, has a limit per file, before anything is packaged.
    let error = Chart::from_dir(tree.path(), &limited(|limits| limits.file_bytes = 10)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
}

#[test]
fn a_preview_is_what_is_packed() {
    let tree = tree(WEB);
    fs_err::create_dir(tree.path().join("empty")).unwrap();
    let chart = load(tree.path());
    for options in [PackageOptions::default(), PackageOptions::default().with_version("10.20.30")] {
        let preview = chart.preview(&options).unwrap();
        let previewed: Vec<(String, u64)> =
            preview.entries().iter().map(|entry| (entry.path.clone(), entry.bytes)).collect();
        let bytes = bytes_of(&chart.package(&options).unwrap());
        let packed: Vec<(String, u64)> = HelmTar::read(&bytes)
            .entries
            .iter()
            .map(|(path, bytes)| {
                (
                    path.clone(),
                    u64::from_str_radix(std::str::from_utf8(&bytes[124..135]).unwrap(), 8).unwrap(),
                )
            })
            // The byte order mark of the readme is still counted by the preview, which does not open it.
            .map(|(path, bytes)| if path == "web/README.md" { (path, bytes + 3) } else { (path, bytes) })
            .collect();
        assert_eq!(previewed, packed);
    }
    let preview = chart.preview(&PackageOptions::default()).unwrap();
    let skipped: Vec<(&str, bool, String)> = preview
        .skipped()
        .iter()
        .map(|skipped| (skipped.path.as_str(), skipped.is_directory, skipped.why.to_string()))
        .collect();
    let ignored = |line: &str| {
        skipped.iter().find(|(path, ..)| *path == line).map(|(_, directory, why)| (*directory, why.as_str()))
    };
    assert_eq!(skipped.len(), 4, "{skipped:?}");
    assert!(
        ignored("notes/two.bak").is_some_and(|(directory, why)| !directory && why.contains("*.bak")),
        "{skipped:?}"
    );
    assert!(
        ignored("drafts").is_some_and(|(directory, why)| directory && why.contains("/drafts/")),
        "{skipped:?}"
    );
    assert!(
        ignored("templates/.hidden").is_some_and(|(_, why)| why.contains("templates/.?*")),
        "{skipped:?}"
    );
    assert_eq!(ignored("empty"), Some((true, "an empty directory")));
    assert!(
        preview.skipped().iter().filter(|skipped| matches!(skipped.why, SkipReason::Ignored(_))).count() == 3
    );
}

/// Every file below a directory, and what is in it.
fn contents(directory: &std::path::Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    let mut left = vec![directory.to_owned()];
    while let Some(next) = left.pop() {
        if next.is_dir() {
            left.extend(fs_err::read_dir(next).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            let bytes = Content::from_path(&next).unwrap().read(u64::MAX).unwrap().to_vec();
            all.push((next, bytes));
        }
    }
    all.sort();
    all
}
