//! Charts out of directories and archives: what goes where, and what errors say.

use std::path::Path;

use oci_chart_core::{
    CancelToken, Error, ErrorKind, Limits, Package, Reason,
    chart::{Chart, ChartFile, LoadOptions, PackageOptions, read_archive, summarize_archive, unpack},
};
use tempfile::TempDir;

use crate::support::tarball::{Entry, gzip, tar};

const CHART: &str = "apiVersion: v2\nname: web\nversion: 1.2.3\n";

#[test]
fn files_find_their_places() {
    let tree = tree(&[
        ("Chart.yaml", CHART),
        ("Chart.lock", "dependencies: []\ndigest: sha256:0\ngenerated: 2020-01-01T00:00:00Z\n"),
        ("values.yaml", "a: 1\n"),
        ("values.schema.json", "{}"),
        ("templates/b.yaml", ""),
        ("templates/a/_x.tpl", ""),
        ("templates/.hidden", ""),
        ("crds/c.yaml", ""),
        ("README.md", ""),
        (".helmignore", "secret*\n"),
        ("secret.txt", ""),
        ("charts/x.tgz.prov", ""),
        ("charts/_off/Chart.yaml", "broken: ["),
        ("charts/.git/x", ""),
    ]);
    let chart = load(&tree).unwrap();
    assert_eq!(paths(chart.templates()), ["templates/a/_x.tpl", "templates/b.yaml"]);
    assert_eq!(paths(chart.files()), [".helmignore", "README.md", "charts/x.tgz.prov", "crds/c.yaml"]);
    assert_eq!(chart.values().unwrap().read(100).unwrap(), "a: 1\n");
    assert_eq!(chart.schema().unwrap().path().as_str(), "values.schema.json");
    assert_eq!(chart.lock().unwrap().digest(), "sha256:0");
    assert!(chart.dependencies().is_empty() && chart.modified().is_some());
    assert_eq!(chart.skipped().len(), 2);
}

#[test]
fn subcharts_are_sorted_by_their_own_names() {
    let packed = archive(&[("p/Chart.yaml", "apiVersion: v2\nname: b\nversion: 2.0.0\n")]);
    let tree = tree(&[
        (
            "Chart.yaml",
            &format!("{CHART}dependencies: [{{name: b}}, {{name: d}}, {{name: d, alias: e}}, {{name: c}}]\n"),
        ),
        ("charts/1/Chart.yaml", "name: c\nversion: 1.0.0\n"),
        ("charts/1/templates/x", ""),
        ("charts/1/charts/2/Chart.yaml", "name: a\nversion: 1.0.0\n"),
        ("charts/1/charts/2/crds/one.yml", "b: 1"),
        ("charts/3/Chart.yaml", "name: b\nversion: 1.0.0\n"),
        ("charts/1/crds/two.JSON", "---\n{}\n"),
        ("crds/three.yaml", "a: 1\n"),
        ("crds/readme.md", ""),
    ]);
    fs_err::write(tree.path().join("charts/0.tgz"), packed).unwrap();
    let chart = load(&tree).unwrap();
    let names: Vec<_> =
        chart.dependencies().iter().map(|chart| (chart.name(), chart.metadata().version.as_str())).collect();
    assert_eq!(names, [("b", "2.0.0"), ("b", "1.0.0"), ("c", "1.0.0")]);
    let inner = &chart.dependencies()[2];
    assert_eq!(
        (paths(inner.templates()), inner.metadata().api_version.as_str()),
        (vec!["templates/x"], "v1")
    );

    assert_eq!(chart.missing_dependencies(), ["d", "d"]);
    let error = chart.check_dependencies().unwrap_err();
    assert_eq!(error.message(), "found in Chart.yaml, but missing in charts/ directory: d, d");
    assert_eq!((error.kind(), error.reason()), (ErrorKind::InvalidChart, Some(Reason::DependenciesMissing)));

    let crds: Vec<_> = chart.crds().iter().map(|file| file.path().as_str()).collect();
    assert_eq!(crds, ["crds/three.yaml", "crds/two.JSON", "crds/one.yml"]);
    assert_eq!(chart.crds_yaml().unwrap(), b"---\na: 1\n\n---\n{}\n\n---\nb: 1\n");
}

#[test]
fn the_first_readme_is_shown() {
    for (files, readme) in [
        (&["README.md", "docs/readme.md"][..], Some("README.md")),
        (&["ReadMe", "readme.txt"], Some("ReadMe")),
        (&["readme.rst", "templates/readme.md"], None),
    ] {
        let mut entries = vec![("Chart.yaml", CHART)];
        entries.extend(files.iter().map(|file| (*file, "")));
        let chart = load(&tree(&entries)).unwrap();
        assert_eq!(chart.readme().map(|file| file.path().as_str()), readme);
    }
}

#[test]
fn old_requirements_override_chart_yaml() {
    let files = |version: &str| {
        tree(&[
            (
                "Chart.yaml",
                &format!(
                    "apiVersion: {version}\nname: web\nversion: 1.0.0\ndependencies:\n- name: a\n  version: '1'\n"
                ),
            ),
            ("requirements.yaml", "version: 2.0.0\ndependencies:\n- name: b\n- name: c\n"),
            ("requirements.lock", "digest: x\n"),
        ])
    };
    for (version, kept) in [("v1", &["requirements.lock", "requirements.yaml"][..]), ("v2", &[])] {
        let chart = load(&files(version)).unwrap();
        let metadata = chart.metadata();
        assert_eq!(metadata.version, "2.0.0");
        let dependencies: Vec<_> =
            metadata.dependencies.iter().map(|d| (d.name.as_str(), d.version.as_str())).collect();
        // Go decodes into the entries that are there.
        assert_eq!(dependencies, [("b", "1"), ("c", "")]);
        assert_eq!(paths(chart.files()), kept);
        assert_eq!(chart.lock().unwrap().digest(), "x");
        assert_eq!(metadata.to_packaged_yaml().unwrap().contains("dependencies"), version == "v2");
    }
}

#[test]
fn errors_name_chart_file_field_and_place() {
    type Case<'a> = (Pairs<'a>, Reason, &'a str, Pairs<'a>);
    let cases: [Case<'_>; 9] = [
        (&[("x", "")], Reason::ChartYamlMissing, "Chart.yaml file is missing", &[("file", "Chart.yaml")]),
        (
            &[("Chart.yaml", "apiVersion: v2\nname: web\nversion: one\n")],
            Reason::FieldInvalid,
            "validation: chart.metadata.version \"one\" is invalid",
            &[("file", "Chart.yaml"), ("field", "version"), ("line", "3"), ("column", "10")],
        ),
        (
            &[("Chart.yaml", "apiVersion: v2\nname: web\n")],
            Reason::FieldMissing,
            "validation: chart.metadata.version is required",
            &[("file", "Chart.yaml"), ("field", "version")],
        ),
        (
            &[("Chart.yaml", CHART), ("requirements.yaml", "dependencies:\n- name: a\n- alias: 'a b'\n")],
            Reason::FieldInvalid,
            "validation: dependency \"\" has disallowed characters in the alias",
            &[
                ("file", "requirements.yaml"),
                ("field", "dependencies[1].alias"),
                ("line", "3"),
                ("column", "10"),
            ],
        ),
        (
            &[("Chart.yaml", &format!("{CHART}keywords: a\n"))],
            Reason::FieldType,
            "cannot load Chart.yaml: cannot unmarshal string into Go struct field Metadata.keywords of type []string",
            &[("field", "keywords"), ("line", "4"), ("column", "11")],
        ),
        (
            &[("Chart.yaml", "apiVersion: v9\nname: web\nversion: 1.0.0\n")],
            Reason::FieldInvalid,
            "unsupported chart version",
            &[("field", "apiVersion"), ("value", "\"v9\""), ("line", "1")],
        ),
        (
            &[("Chart.yaml", CHART), ("values.yaml", "a: 1\n---\n- b\n")],
            Reason::FieldType,
            "cannot load values.yaml: cannot unmarshal array into Go value of type map[string]interface {}",
            &[("file", "values.yaml"), ("line", "3")],
        ),
        (
            &[
                ("Chart.yaml", CHART),
                ("charts/s/Chart.yaml", "name: sub\nversion: 1\n"),
                ("charts/s/charts/t/Chart.yaml", "name: t\n"),
            ],
            Reason::FieldMissing,
            "error unpacking subchart s in web: error unpacking subchart t in sub: validation: chart.metadata.version is required",
            &[("file", "charts/s/charts/t/Chart.yaml"), ("field", "version")],
        ),
        (
            &[("Chart.yaml", CHART), ("charts/s.tgz/Chart.yaml", CHART)],
            Reason::IrregularFile,
            "error unpacking subchart tar in web: expected s.tgz, got s.tgz/Chart.yaml",
            &[],
        ),
    ];
    for (files, reason, message, context) in cases {
        let tree = tree(files);
        let error = load(&tree).unwrap_err();
        assert!(error.message().ends_with(message), "{error}");
        assert_eq!((error.kind(), error.reason()), (ErrorKind::InvalidChart, Some(reason)), "{error}");
        assert_eq!((error.operation(), error.get("chart")), (Some("load"), tree.path().to_str()));
        for (key, value) in context {
            assert_eq!(error.get(key), Some(*value), "{error}");
        }
        assert!(error.hint().is_some(), "{error}");
    }
}

#[test]
fn an_infinity_is_text_in_the_api_version_alone() {
    // Helm reads that field before everything else, and the other spelling wins.
    let passes = tree(&[("Chart.yaml", &format!("{CHART}APIVERSION: -.inf\n"))]);
    assert_eq!(load(&passes).unwrap().metadata().api_version, "v2");
    let fails = tree(&[("Chart.yaml", &format!("{CHART}appVersion: -.inf\n"))]);
    assert_eq!(load(&fails).unwrap_err().reason(), Some(Reason::YamlSyntax));
}

#[test]
fn nesting_and_packed_bytes_are_bounded() {
    let mut files = vec![("Chart.yaml".to_owned(), CHART)];
    for depth in 1..=5 {
        files.push((format!("{}Chart.yaml", "charts/s/".repeat(depth)), CHART));
    }
    let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    let tree = tree(&files);
    let mut limits = Limits::default();
    limits.depth = 5;
    let options = LoadOptions::default().with_limits(limits.clone());
    assert!(Chart::from_dir(tree.path(), &options).is_ok());
    limits.depth = 4;
    let error = Chart::from_dir(tree.path(), &options.with_limits(limits)).unwrap_err();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::LimitExceeded, Some(Reason::TooDeep)));

    // Each of these is within its own bound; Helm unpacks any number of them.
    let zeros = "0".repeat(60_000);
    let inner = archive(&[("s/Chart.yaml", CHART), ("s/zeros", &zeros)]);
    let tree = self::tree(&[("Chart.yaml", CHART)]);
    fs_err::create_dir(tree.path().join("charts")).unwrap();
    let mut limits = Limits::default();
    limits.total_bytes = 100_000;
    let options = LoadOptions::default().with_limits(limits);
    for n in 0..8 {
        fs_err::write(tree.path().join(format!("charts/{n}.tgz")), &inner).unwrap();
        let loaded = Chart::from_dir(tree.path(), &options);
        assert_eq!(
            loaded.as_ref().map_err(Error::kind).map(|_| ()),
            if n < 6 { Ok(()) } else { Err(ErrorKind::LimitExceeded) }
        );
    }
}

#[test]
fn fields_that_helm_does_not_know_are_kept_and_stay_out_of_packages() {
    let tree = tree(&[(
        "Chart.yaml",
        &format!(
            "{CHART}x-owner: {{team: [a, 1.10]}}\nbuild: 007\nbuild2: ~\nKubeversion: '>1'\nbuild: 010\n"
        ),
    )]);
    let chart = load(&tree).unwrap();
    let extra: Vec<(&str, &str)> =
        chart.metadata().extra.iter().map(|(key, json)| (key.as_str(), json.as_str())).collect();
    // As Helm's reader sees them: numbers by YAML 1.1, the last of two, and case decides nothing about fields that it knows.
    assert_eq!(extra, [("build", "8"), ("build2", "null"), ("x-owner", r#"{"team":["a",1.1]}"#)]);
    assert_eq!(chart.metadata().kube_version, ">1");
    let packed = chart.package(&PackageOptions::default()).unwrap();
    assert_eq!(packed.chart().unwrap().metadata().extra, []);
}

#[test]
fn what_loads_and_cannot_be_packaged() {
    for (files, reason) in [
        (vec![("Chart.yaml", "apiVersion: v3\nname: web\nversion: 1.0.0\n")], Reason::FieldInvalid),
        (
            vec![("Chart.yaml", CHART), ("charts/a/Chart.yaml", CHART), ("charts/b/Chart.yaml", CHART)],
            Reason::DuplicatePath,
        ),
        (
            vec![("Chart.yaml", "name: web\nversion: 1.0.0\ndependencies: [{name: a}]\n")],
            Reason::DependenciesMissing,
        ),
    ] {
        let chart = load(&tree(&files)).unwrap();
        let error = chart.package(&PackageOptions::default()).unwrap_err();
        assert_eq!((error.kind(), error.reason()), (ErrorKind::InvalidChart, Some(reason)), "{error}");
        assert!(error.hint().is_some());
    }
}

#[test]
fn links_and_second_files_of_one_name_are_refused_wherever_a_package_is_read() {
    let chart = || Entry::file("web/Chart.yaml", CHART);
    let link = |kind| Entry { kind, link: b"Chart.yaml".to_vec(), ..Entry::file("web/link", "") };
    for (second, reason) in [
        (link(b'1'), Reason::LinkEntry),
        (link(b'2'), Reason::LinkEntry),
        (chart(), Reason::DuplicatePath),
        (Entry::file("other/Chart.yaml", CHART), Reason::DuplicatePath),
    ] {
        let packed = gzip(&tar(&[chart(), second], 2));
        let (options, place) = (LoadOptions::default(), TempDir::new().unwrap());
        let errors = [
            Chart::from_archive(&packed[..], &options).map(drop),
            Package::from_bytes(packed.clone(), &options).map(drop),
            read_archive(&packed[..], &options).map(drop),
            summarize_archive(&packed[..], &options).map(drop),
            unpack(&packed[..], place.path(), &options).map(drop),
        ];
        for (way, error) in errors.into_iter().enumerate() {
            let error = error.unwrap_err();
            assert_eq!(
                (error.kind(), error.reason()),
                (ErrorKind::InvalidArchive, Some(reason)),
                "{way}: {error}"
            );
        }
        assert_eq!(fs_err::read_dir(place.path()).unwrap().count(), 0);
    }
}

#[test]
fn a_cancelled_load_stops() {
    let token = CancelToken::new();
    token.cancel();
    let options = LoadOptions::default().with_cancel(token);
    let tree = tree(&[("Chart.yaml", CHART), ("charts/s/Chart.yaml", CHART)]);
    assert_eq!(Chart::from_path(tree.path(), &options).unwrap_err().kind(), ErrorKind::Cancelled);
    let packed = archive(&[("web/Chart.yaml", CHART)]);
    assert_eq!(Chart::from_archive(packed.as_slice(), &options).unwrap_err().kind(), ErrorKind::Cancelled);
}

#[test]
fn a_path_may_be_either() {
    let tree = tree(&[("web/Chart.yaml", CHART), ("web/values.yaml", "\u{feff}a: 1\n")]);
    let package = tree.path().join("x.tgz");
    fs_err::write(&package, archive(&[("web/Chart.yaml", CHART), ("web/values.yaml", "\u{feff}a: 1\n")]))
        .unwrap();
    for path in [package, tree.path().join("web")] {
        let chart = Chart::from_path(path, &LoadOptions::default()).unwrap();
        assert_eq!(chart.values().unwrap().read(100).unwrap(), "a: 1\n");
    }
    for (path, kind) in [("none", ErrorKind::NotFound), ("web/values.yaml", ErrorKind::InvalidArchive)] {
        let error = Chart::from_path(tree.path().join(path), &LoadOptions::default()).unwrap_err();
        assert_eq!((error.kind(), error.operation()), (kind, Some("load")), "{error}");
        assert!(error.get("chart").is_some());
    }
}

type Pairs<'a> = &'a [(&'a str, &'a str)];

/// A directory with these files.
fn tree(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = directory.path().join(path);
        fs_err::create_dir_all(path.parent().unwrap_or(Path::new(""))).unwrap();
        fs_err::write(path, text).unwrap();
    }
    directory
}

/// A package with these files.
fn archive(files: &[(&str, &str)]) -> Vec<u8> {
    let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    let mut tar = tar::Builder::new(gzip);
    for (path, text) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, path, text.as_bytes()).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

fn load(tree: &TempDir) -> Result<Chart, Error> {
    Chart::from_dir(tree.path(), &LoadOptions::default())
}

fn paths(files: &[ChartFile]) -> Vec<&str> {
    files.iter().map(|file| file.path().as_str()).collect()
}
