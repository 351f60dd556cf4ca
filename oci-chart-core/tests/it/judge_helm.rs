//! The real programs beside us, over a real registry: what one pushes the other pulls.

mod indexes;

use std::path::{Path, PathBuf};

use oci_chart_core::{
    ChartArtifact, Client, Location, Package, blocking,
    chart::{Chart, LoadOptions, PackageOptions, Timestamp},
    name::{Host, Selector},
    oci::ArtifactOptions,
    store::TagMode,
    transfer::{Action, PullOptions, PushOptions},
};

use crate::{
    judge_artifact::examples,
    support::{
        corpus::complete_charts,
        process::Sandbox,
        say,
        servers::{Guards, Kind, Server},
        tools::judge,
    },
};

const TIME: u64 = 1_700_000_000;

/// A registry, both Helms, and a client of ours.
struct Stage {
    server: Server,
    helms: [PathBuf; 2],
    sandbox: Sandbox,
    client: blocking::Client,
}

impl Stage {
    fn set(test: &str) -> Option<Self> {
        let helms = [judge(test, "helm4")?, judge(test, "helm3")?];
        let server = Server::start(test, Kind::Distribution3, Guards::default())?;
        let client = Client::builder().plain_http(Host::parse(server.address()).unwrap()).build().unwrap();
        Some(Self { server, helms, sandbox: Sandbox::new(), client: blocking::Client::new(client) })
    }

    fn location(&self, path: &str) -> Location {
        format!("oci://{}/{path}", self.server.address()).parse().unwrap()
    }

    fn helm(&self, helm: &Path, arguments: &[&str]) -> String {
        let plain = ["--plain-http"];
        let finished = self.sandbox.run(helm, arguments.iter().chain(&plain));
        // Helm 4 says it on one stream, Helm 3 on the other.
        let stderr = finished.stderr.clone();
        finished.success() + &stderr
    }

    /// The chart packaged with a known time of its file.
    fn package(&self, chart: &Path) -> (PathBuf, Package) {
        let chart = Chart::from_path(chart, &LoadOptions::default()).unwrap();
        let package = chart.package(&PackageOptions::default()).unwrap();
        let path = package.write_to_dir(self.sandbox.path()).unwrap();
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(TIME);
        fs_err::File::options().write(true).open(&path).unwrap().file().set_modified(time).unwrap();
        (path, package)
    }

    fn artifact(package: &Package) -> ChartArtifact {
        let created = Timestamp::from_unix(TIME).unwrap();
        ChartArtifact::new(package.clone(), &ArtifactOptions::default().with_created(created)).unwrap()
    }

    fn push(&self, package: &Package, path: &str, mode: TagMode) -> (String, Action) {
        let options = PushOptions::default().with_mode(mode);
        let pushed =
            self.client.push(&Self::artifact(package), &self.location(path), &options, &mut ()).unwrap();
        (pushed.descriptor.digest.to_string(), pushed.action)
    }
}

#[test]
fn helm_s_push_and_ours_give_one_digest() {
    const TEST: &str = "helm_s_push_and_ours_give_one_digest";
    let (Some(stage), Some((_kept, charts))) = (Stage::set(TEST), complete_charts(TEST)) else { return };
    let mut all: Vec<PathBuf> = charts.into_iter().step_by(5).collect();
    all.extend(examples());
    for chart in &all {
        let (path, package) = stage.package(chart);
        let name = package.metadata().unwrap().name.clone();
        let (ours, _) = stage.push(&package, &format!("ours/{name}"), TagMode::Create);
        for (helm, folder) in stage.helms.iter().zip(["helm4", "helm3"]) {
            let target = format!("oci://{}/{folder}", stage.server.address());
            let said = stage.helm(helm, &["push", path.to_str().unwrap(), &target]);
            assert!(said.contains(&format!("Digest: {ours}")), "{folder} {name}: {said}\nours: {ours}");
            // And what they pushed is nothing new to us, byte for byte.
            let (theirs, action) = stage.push(&package, &format!("{folder}/{name}"), TagMode::Ensure);
            assert_eq!((theirs, action), (ours.clone(), Action::Unchanged));
            let selector = Selector::for_version(&package.metadata().unwrap().version).unwrap();
            let location = stage.location(&format!("{folder}/{name}"));
            let pulled = stage
                .client
                .pull(&location, &selector, &PullOptions::without_verification(), &mut ())
                .unwrap();
            assert_eq!(pulled.package.digest(), package.digest());
        }
    }
    say(&format!("{TEST}: {} charts", all.len()));
}

#[test]
fn helm_pulls_shows_and_lints_what_we_pushed() {
    const TEST: &str = "helm_pulls_shows_and_lints_what_we_pushed";
    let Some(stage) = Stage::set(TEST) else { return };
    for chart in examples() {
        let (path, package) = stage.package(&chart);
        let metadata = package.metadata().unwrap().clone();
        stage.push(&package, &format!("charts/{}", metadata.name), TagMode::Create);
        let reference = format!("oci://{}/charts/{}", stage.server.address(), metadata.name);
        for (n, helm) in stage.helms.iter().enumerate() {
            let version = ["--version", metadata.version.as_str()];
            let folder = stage.sandbox.path().join(format!("pulled-{n}-{}", metadata.name));
            fs_err::create_dir(&folder).unwrap();
            let to = ["-d", folder.to_str().unwrap()];
            stage.helm(helm, &[&["pull", reference.as_str()], &version[..], &to[..]].concat());
            let file = folder.join(package.file_name().unwrap());
            assert_eq!(fs_err::read(&file).unwrap(), fs_err::read(&path).unwrap(), "{}", metadata.name);

            let show = |what| stage.sandbox.run(helm, ["show", what, file.to_str().unwrap()]).success();
            assert_eq!(show("chart"), metadata.to_yaml().unwrap() + "\n");
            let chart = package.chart().unwrap();
            let values = String::from_utf8(chart.values().unwrap().read(1 << 20).unwrap().to_vec()).unwrap();
            assert_eq!(show("values"), values + "\n");
            let readme =
                chart.readme().map(|file| String::from_utf8(file.read(1 << 20).unwrap().to_vec()).unwrap());
            assert_eq!(show("readme").trim_end(), readme.unwrap_or_default().trim_end());
            // Helm 3 leaves the separator in front of the first document out.
            let crds = String::from_utf8(chart.crds_yaml().unwrap()).unwrap();
            let same = |text: &str| {
                text.trim_start_matches(
                    "---
",
                )
                .trim()
                .to_owned()
            };
            assert_eq!(same(&show("crds")), same(&crds));
            assert!(n != 0 || show("crds") == crds, "Helm 4 to the byte: {crds:?}");
            stage.sandbox.run(helm, ["lint", file.to_str().unwrap()]).success();
        }
    }
}

#[test]
fn helm_and_we_choose_the_same_version() {
    const TEST: &str = "helm_and_we_choose_the_same_version";
    let Some(stage) = Stage::set(TEST) else { return };
    let chart = Chart::from_path(&examples()[0], &LoadOptions::default()).unwrap();
    let name = chart.name().to_owned();
    let location = stage.location(&format!("charts/{name}"));
    for version in ["1.2.0", "1.2.9", "1.10.0-rc.1", "1.10.0+build.2", "2.0.0-alpha", "0.9.0", "3.0.0-rc.1"] {
        let package = chart.package(&PackageOptions::default().with_version(version)).unwrap();
        stage.client.push(&Stage::artifact(&package), &location, &PushOptions::default(), &mut ()).unwrap();
    }
    let reference = format!("oci://{}/charts/{name}", stage.server.address());
    let mut checked = 0;
    for wanted in [
        "1.2.x",
        "^1",
        "~1.2",
        ">=1.10.0-0",
        "*",
        ">0.0.0-0",
        "<1",
        "1.2.0 - 1.2.9",
        "^9",
        "1.10.0+build.2",
        "2.0.0-alpha",
    ] {
        let ours = stage
            .client
            .pull(
                &location,
                &Selector::for_version(wanted).unwrap(),
                &PullOptions::without_verification(),
                &mut (),
            )
            .map(|pulled| pulled.package.metadata().unwrap().version.clone());
        let folder = stage.sandbox.path().join(format!("chosen-{checked}"));
        fs_err::create_dir(&folder).unwrap();
        let arguments =
            ["pull", &reference, "--version", wanted, "-d", folder.to_str().unwrap(), "--plain-http"];
        let theirs = stage.sandbox.run(&stage.helms[0], arguments);
        let file = fs_err::read_dir(&folder).unwrap().next().map(|entry| entry.unwrap().path());
        assert_eq!(theirs.code == Some(0), ours.is_ok(), "{wanted}: {theirs:?} {ours:?}");
        let theirs = file.map(|file| {
            let package = Package::from_file(file, &LoadOptions::default()).unwrap();
            package.metadata().unwrap().version.clone()
        });
        assert_eq!(ours.ok(), theirs, "{wanted}");
        checked += 1;
    }
    say(&format!("{TEST}: {checked} wishes"));
}

#[test]
fn our_requests_beside_helm_s() {
    const TEST: &str = "our_requests_beside_helm_s";
    let Some(stage) = Stage::set(TEST) else { return };
    let (path, package) = stage.package(&examples()[0]);
    let metadata = package.metadata().unwrap().clone();
    let count = |work: &mut dyn FnMut()| {
        let before = stage.server.requests().len();
        work();
        stage.server.requests().len() - before
    };
    let options = PullOptions::without_verification();
    let selector = Selector::for_version(&metadata.version).unwrap();
    let place = format!("ours/{}", metadata.name);
    let ours = [
        count(&mut || drop(stage.push(&package, &place, TagMode::Ensure))),
        count(&mut || drop(stage.push(&package, &place, TagMode::Ensure))),
        count(&mut || {
            drop(stage.client.pull(&stage.location(&place), &selector, &options, &mut ()).unwrap());
        }),
    ];
    let (target, reference) = (
        format!("oci://{}/helm", stage.server.address()),
        format!("oci://{}/helm/{}", stage.server.address(), metadata.name),
    );
    let helm = &stage.helms[0];
    let theirs =
        [
            count(&mut || drop(stage.helm(helm, &["push", path.to_str().unwrap(), &target]))),
            count(&mut || drop(stage.helm(helm, &["push", path.to_str().unwrap(), &target]))),
            count(&mut || {
                drop(stage.helm(
                    helm,
                    &["pull", &reference, "--version", &metadata.version, "-d", "out", "--untar"],
                ));
            }),
        ];
    say(&format!("{TEST}: push, again, pull: ours {ours:?}, Helm {theirs:?}"));
    assert_eq!(ours, [6, 1, 2]);
    assert!(ours.iter().zip(theirs).all(|(ours, theirs)| *ours < theirs), "{theirs:?}");
}
