//! What we push, others read; what others push, we read: both Helms, crane and regctl, over registries that nobody here wrote.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

use oci_chart_core::{
    Chart, ChartArtifact, Client, Location, blocking,
    chart::{LoadOptions, Package, PackageOptions, Timestamp},
    name::{Host, Selector},
    oci::ArtifactOptions,
    store::TagMode,
    transfer::{PullOptions, PushOptions},
};

use crate::support::{
    process::{Finished, Sandbox},
    say,
    servers::{Guards, Kind, Request, Server},
    tools,
};

const CREATED: u64 = 1_700_000_000;
const CHART_YAML: &str = "\
apiVersion: v2
name: web
version: 1.2.3+build.5
appVersion: \"1.10\"
description: a < b & c
keywords: [ключ]
maintainers:
- name: A
  email: a@b.example
annotations:
  org.opencontainers.image.vendor: Judges
";

/// A registry, a chart as a package on the disk, and the programs.
struct Stage {
    server: Server,
    sandbox: Sandbox,
    client: blocking::Client,
    package: Package,
    file: PathBuf,
    programs: [PathBuf; 4],
}

impl Stage {
    fn set(test: &str, kind: Kind) -> Option<Self> {
        let programs =
            ["helm4", "helm3", "crane", "regctl"].map(|name| tools::judge(test, name).unwrap_or_default());
        if programs.iter().any(|program| program.as_os_str().is_empty()) {
            return None;
        }
        let server = Server::start(test, kind, Guards::default())?;
        let sandbox = Sandbox::new();
        let chart = sandbox.path().join("web");
        fs_err::create_dir_all(chart.join("templates")).unwrap();
        fs_err::write(chart.join("Chart.yaml"), CHART_YAML).unwrap();
        fs_err::write(chart.join("values.yaml"), "replicas: 2\n").unwrap();
        fs_err::write(chart.join("README.md"), "# web\n").unwrap();
        fs_err::write(
            chart.join("templates/a.yaml"),
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
        )
        .unwrap();
        let chart = Chart::from_dir(&chart, &LoadOptions::default()).unwrap();
        let package = chart.package(&PackageOptions::default()).unwrap();
        let file = sandbox.path().join(package.file_name().unwrap());
        fs_err::write(&file, package.content().read(u64::MAX).unwrap()).unwrap();
        let created = std::time::UNIX_EPOCH + std::time::Duration::from_secs(CREATED);
        fs_err::File::open(&file).unwrap().set_modified(created).unwrap();
        let host = Host::parse(server.address()).unwrap();
        let client = blocking::Client::new(Client::builder().plain_http(host).build().unwrap());
        Some(Self { server, sandbox, client, package, file, programs })
    }

    fn location(&self, folder: &str) -> Location {
        format!("oci://{}/{folder}/web", self.server.address()).parse().unwrap()
    }

    fn base(&self, folder: &str) -> String {
        format!("oci://{}/{folder}", self.server.address())
    }

    /// Pushes with our own hands and gives the manifest's digest.
    fn push(&self, folder: &str) -> String {
        let options = ArtifactOptions::default().with_created(Timestamp::from_unix(CREATED).unwrap());
        let artifact = ChartArtifact::new(self.package.clone(), &options).unwrap();
        let options = PushOptions::default().with_mode(TagMode::Create);
        let pushed = self.client.push(&artifact, &self.location(folder), &options, &mut ()).unwrap();
        pushed.descriptor.digest.to_string()
    }

    fn run<const N: usize>(&self, program: &Path, arguments: [&str; N]) -> Finished {
        self.sandbox.run(program, arguments.map(OsStr::new))
    }

    fn bytes(&self) -> Vec<u8> {
        fs_err::read(&self.file).unwrap()
    }
}

#[test]
fn helm_pushes_what_we_push() {
    const TEST: &str = "foreign_clients::helm_pushes_what_we_push";
    for kind in Kind::ALL {
        let Some(stage) = Stage::set(TEST, kind) else { return };
        let ours = stage.push("ours");
        for (helm, folder) in stage.programs[..2].iter().zip(["four", "three"]) {
            let file = stage.file.to_str().unwrap();
            let said = stage.run(helm, ["push", file, &stage.base(folder), "--plain-http"]);
            // Helm 3 says it on standard error.
            let said = format!("{}{}", said.stderr.clone(), said.success());
            assert!(said.contains(&format!("Digest: {ours}")), "{kind:?} {folder}: {ours}, {said}");
            let pulled = stage
                .client
                .pull(
                    &stage.location(folder),
                    &Selector::for_version("1.2.3+build.5").unwrap(),
                    &PullOptions::without_verification(),
                    &mut (),
                )
                .unwrap();
            assert_eq!(pulled.descriptor.digest.to_string(), ours);
            assert_eq!(pulled.package.content().read(u64::MAX).unwrap(), stage.bytes());
        }
        say(&format!("{TEST}: {kind:?}: one digest from us and both Helms: {ours}"));
    }
}

#[test]
fn others_read_what_we_push() {
    const TEST: &str = "foreign_clients::others_read_what_we_push";
    for kind in Kind::ALL {
        let Some(stage) = Stage::set(TEST, kind) else { return };
        let digest = stage.push("ours");
        let chart = format!("{}/web", stage.base("ours"));
        for helm in &stage.programs[..2] {
            let target = stage.sandbox.path().join(helm.file_name().unwrap());
            fs_err::create_dir(&target).unwrap();
            let target = target.to_str().unwrap();
            stage
                .run(helm, ["pull", &chart, "--version", "1.2.3+build.5", "--plain-http", "-d", target])
                .success();
            let pulled = fs_err::read(Path::new(target).join("web-1.2.3+build.5.tgz")).unwrap();
            assert_eq!(pulled, stage.bytes(), "{helm:?}");
            let range = ["show", "chart", &chart, "--version", "^1.2", "--plain-http"];
            // Helm 4 says first what it pulled.
            let shown = stage.run(helm, range).success();
            let expected = stage.package.metadata().unwrap().to_yaml().unwrap();
            assert!(shown.trim_end().ends_with(expected.trim_end()), "{helm:?}: {shown}");
            let values = stage.run(helm, ["show", "values", &chart, "--version", "1.x", "--plain-http"]);
            assert!(values.success().trim_end().ends_with("replicas: 2"));
            stage.run(helm, ["lint", "--strict", stage.file.to_str().unwrap()]).success();
            stage.run(helm, ["template", stage.file.to_str().unwrap()]).success();
        }
        let [_, _, crane, regctl] = &stage.programs;
        let image = format!("{}/ours/web:1.2.3_build.5", stage.server.address());
        assert_eq!(stage.run(crane, ["digest", "--insecure", &image]).success().trim(), digest);
        let manifest = stage.run(crane, ["manifest", "--insecure", &image]).success();
        let regctl = |arguments: &[&str]| stage.sandbox.run(regctl, arguments).success();
        regctl(&["registry", "set", stage.server.address(), "--tls", "disabled"]);
        assert_eq!(regctl(&["image", "digest", &image]).trim(), digest);
        assert_eq!(regctl(&["manifest", "get", "--format", "raw-body", &image]).trim(), manifest.trim());
        let copy = |folder: &str| format!("{}/{folder}/web:1.2.3_build.5", stage.server.address());
        regctl(&["image", "copy", &image, &copy("regctl")]);
        stage.run(crane, ["copy", "--insecure", &image, &copy("crane")]).success();
        for folder in ["regctl", "crane"] {
            let newest = Selector::for_version("").unwrap();
            let options = PullOptions::without_verification();
            let pulled = stage.client.pull(&stage.location(folder), &newest, &options, &mut ()).unwrap();
            assert_eq!(pulled.descriptor.digest.to_string(), digest, "{folder}");
        }
        say(&format!("{TEST}: {kind:?}: both Helms, crane and regctl read {digest}"));
    }
}

#[test]
fn requests_beside_helm() {
    const TEST: &str = "foreign_clients::requests_beside_helm";
    let Some(stage) = Stage::set(TEST, Kind::Distribution3) else { return };
    let count = |what: &str, work: &dyn Fn()| {
        let before = stage.server.requests().len();
        work();
        let all = stage.server.requests();
        let seen: Vec<&Request> = all[before..].iter().collect();
        say(&format!("{TEST}: {what}: {}", seen.len()));
        (seen.len(), format!("{what}: {seen:#?}"))
    };
    let (fresh, story) = count("push", &|| drop(stage.push("a")));
    assert!(fresh <= 6, "{story}");
    let version = Selector::for_version("1.2.3+build.5").unwrap();
    let (pull, story) = count("pull", &|| {
        let options = PullOptions::without_verification();
        stage.client.pull(&stage.location("a"), &version, &options, &mut ()).unwrap();
    });
    assert!(pull <= 2, "{story}");

    let helm = &stage.programs[0];
    let file = stage.file.to_str().unwrap();
    let push = || drop(stage.run(helm, ["push", file, &stage.base("b"), "--plain-http"]).success());
    let (helm_fresh, story) = count("helm push", &push);
    assert!(fresh < helm_fresh, "{story}");
    let (helm_again, _) = count("helm push again", &push);
    let (again, story) = count("push again", &|| {
        let options = ArtifactOptions::default().with_created(Timestamp::from_unix(CREATED).unwrap());
        let artifact = ChartArtifact::new(stage.package.clone(), &options).unwrap();
        let options = PushOptions::default().with_mode(TagMode::Ensure);
        stage.client.push(&artifact, &stage.location("a"), &options, &mut ()).unwrap();
    });
    assert!(again <= 1 && again < helm_again, "{story}");
    let target = stage.sandbox.path().to_str().unwrap();
    let chart = format!("{}/web", stage.base("b"));
    let (helm_pull, _) = count("helm pull", &|| {
        let arguments = ["pull", &chart, "--version", "1.2.3+build.5", "--plain-http", "-d", target];
        drop(stage.run(helm, arguments).success());
    });
    assert!(pull < helm_pull);
}
