//! What we push, others read and copy: both Helms, crane and regctl, over registries that nobody here wrote.

use std::path::{Path, PathBuf};

use oci_chart_core::{
    Chart, ChartArtifact, Client, Location, blocking,
    chart::{LoadOptions, PackageOptions},
    name::{Host, Selector},
    oci::ArtifactOptions,
    transfer::{PullOptions, PushOptions},
};

use crate::support::{
    process::Sandbox,
    say,
    servers::{Guards, Kind, Server},
    tools,
};

#[test]
fn every_client_reads_what_we_push_to_every_registry() {
    const TEST: &str = "every_client_reads_what_we_push_to_every_registry";
    let mut programs = Vec::new();
    for name in ["helm4", "helm3", "crane", "regctl"] {
        let Some(program) = tools::judge(TEST, name) else { return };
        programs.push(program);
    }
    for kind in Kind::ALL {
        let Some(server) = Server::start(TEST, kind, Guards::default()) else { return };
        read_everywhere(&server, &programs);
        say(&format!("{TEST}: {kind:?}: both Helms, crane and regctl"));
    }
}

/// A version with build metadata, whose tag is another text, and every character that JSON may escape.
const CHART_YAML: &str = "\
apiVersion: v2
name: web
version: 1.2.3+build.5
description: a < b & c
keywords: [ключ]
annotations:
  org.opencontainers.image.vendor: Judges
";

fn read_everywhere(server: &Server, programs: &[PathBuf]) {
    let [helm4, helm3, crane, regctl] = programs else { panic!("four programs") };
    let sandbox = Sandbox::new();
    let chart = sandbox.path().join("web");
    fs_err::create_dir_all(chart.join("templates")).unwrap();
    fs_err::write(chart.join("Chart.yaml"), CHART_YAML).unwrap();
    fs_err::write(chart.join("templates/a.yaml"), "a: 1\n").unwrap();

    let host = Host::parse(server.address()).unwrap();
    let client = blocking::Client::new(Client::builder().plain_http(host).build().unwrap());
    let chart = Chart::from_dir(&chart, &LoadOptions::default()).unwrap();
    let package = chart.package(&PackageOptions::default()).unwrap();
    let artifact = ChartArtifact::new(package.clone(), &ArtifactOptions::default()).unwrap();
    let location =
        |folder: &str| -> Location { format!("oci://{}/{folder}/web", server.address()).parse().unwrap() };
    let pushed = client.push(&artifact, &location("ours"), &PushOptions::default(), &mut ()).unwrap();
    let digest = pushed.descriptor.digest.to_string();

    for helm in [helm4, helm3] {
        let target = sandbox.path().join(helm.file_name().unwrap());
        fs_err::create_dir(&target).unwrap();
        let reference = location("ours").to_string();
        let arguments = ["pull", &reference, "--version", "1.2.3+build.5", "--plain-http", "-d"];
        sandbox.run(helm, arguments.iter().map(Path::new).chain([target.as_path()])).success();
        let pulled = fs_err::read(target.join("web-1.2.3+build.5.tgz")).unwrap();
        assert_eq!(package.content().read(u64::MAX).unwrap(), pulled, "{helm:?}");
    }

    let image = |folder: &str| format!("{}/{folder}/web:1.2.3_build.5", server.address());
    let crane = |arguments: &[&str]| sandbox.run(crane, ["--insecure"].iter().chain(arguments)).success();
    let regctl = |arguments: &[&str]| sandbox.run(regctl, arguments).success();
    regctl(&["registry", "set", server.address(), "--tls", "disabled"]);
    let manifest = str::from_utf8(artifact.manifest().bytes()).unwrap();
    assert_eq!(crane(&["digest", &image("ours")]).trim(), digest);
    assert_eq!(crane(&["manifest", &image("ours")]).trim_end(), manifest);
    assert_eq!(regctl(&["image", "digest", &image("ours")]).trim(), digest);
    assert_eq!(regctl(&["manifest", "get", "--format", "raw-body", &image("ours")]).trim_end(), manifest);

    crane(&["copy", &image("ours"), &image("crane")]);
    regctl(&["image", "copy", &image("ours"), &image("regctl")]);
    for folder in ["crane", "regctl"] {
        let newest = Selector::for_version("").unwrap();
        let options = PullOptions::without_verification();
        let pulled = client.pull(&location(folder), &newest, &options, &mut ()).unwrap();
        assert_eq!(pulled.descriptor.digest.to_string(), digest, "{folder}");
        assert_eq!(pulled.package.digest(), package.digest(), "{folder}");
    }
}
