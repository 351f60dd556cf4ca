use std::{
    cell::Cell,
    env,
    path::{Path, PathBuf},
    process::Command,
};

use oci_chart_benches::{Cost, Outcome};
use oci_chart_core::{
    Chart, ChartArtifact,
    chart::{LoadOptions, PackageOptions},
    oci::ArtifactOptions,
};

const CONFIG: &str = "application/vnd.cncf.helm.config.v1+json";
const CHART: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
const VERSION: &str = "1.0.0";

/// Who is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rival {
    Ours,
    Helm,
    Regctl,
    OrasGo,
    Crane,
}

/// At what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Into a repository that is not there yet.
    Push,
    Pull,
}

impl Rival {
    /// Those we are held against.
    pub(crate) fn of(deed: Deed) -> Vec<Self> {
        let mut all = vec![Self::Helm, Self::Regctl, Self::OrasGo];
        // crane pushes images alone.
        if deed == Deed::Pull {
            all.push(Self::Crane);
        }
        all
    }
}

/// The programs and the chart.
pub(crate) struct Bench {
    bin: PathBuf,
    place: PathBuf,
    chart: PathBuf,
    config: PathBuf,
    runs: Cell<u32>,
}

impl Bench {
    /// None where a program is missing.
    pub(crate) fn find(place: &Path) -> Outcome<Option<Self>> {
        let bin = env::var_os("OCI_CHART_JUDGES_BIN").map_or_else(
            || Path::new(env!("CARGO_MANIFEST_DIR")).join("../oci-chart-core/testkit/judges/bin"),
            PathBuf::from,
        );
        let names = ["helm4", "regctl", "orasgo", "crane", "registry3"];
        if names.iter().any(|name| !bin.join(name).exists()) {
            return Ok(None);
        }
        let package = package(place)?;
        let artifact = ChartArtifact::new(package, &ArtifactOptions::default())?;
        let chart = artifact.package().write_to_dir(place)?;
        let config = place.join("config.json");
        fs_err::write(&config, artifact.config().1)?;
        Ok(Some(Self { bin, place: place.to_owned(), chart, config, runs: Cell::new(0) }))
    }

    pub(crate) fn registry(&self) -> PathBuf {
        self.bin.join("registry3")
    }

    /// Puts the chart there that is pulled.
    pub(crate) fn stock(&self, address: &str) -> Outcome<()> {
        let mut push = Command::new(env!("CARGO_BIN_EXE_measure-push"));
        Cost::of_process(push.args([address, "pulled/bench"]).arg(&self.chart))?;
        Ok(())
    }

    /// Tells regctl that the registry speaks plain HTTP.
    pub(crate) fn prepare(&self, address: &str) -> Outcome<()> {
        let mut set = self.command("regctl");
        Cost::of_process(set.args(["registry", "set", address, "--tls", "disabled"]))?;
        Ok(())
    }

    /// One run of one program, each push to a repository of its own and each pull into a directory of its own.
    pub(crate) fn run(&self, rival: Rival, deed: Deed, address: &str) -> Outcome<Cost> {
        let number = self.runs.get() + 1;
        self.runs.set(number);
        let (chart, config) = (text(&self.chart)?, text(&self.config)?);
        let folder = format!("{address}/pushed/r{number}");
        let (pushed, pulled) =
            (format!("{folder}/bench:{VERSION}"), format!("{address}/pulled/bench:{VERSION}"));
        let target = self.place.join(format!("pulled-{number}"));
        if deed == Deed::Pull && rival != Rival::Crane {
            fs_err::create_dir(&target)?;
        }
        let to = text(&target)?;
        let file = format!("{to}/bench.tgz");
        let repository = format!("pushed/r{number}/bench");
        let (program, arguments): (&str, Vec<&str>) = match (rival, deed) {
            (Rival::Ours, Deed::Push) => {
                (env!("CARGO_BIN_EXE_measure-push"), vec![address, &repository, chart])
            }
            (Rival::Ours, Deed::Pull) => {
                (env!("CARGO_BIN_EXE_measure-pull"), vec![address, "pulled/bench", VERSION, to])
            }
            (Rival::Helm, Deed::Push) => {
                return self.helm(&["push", "--plain-http", chart, &format!("oci://{folder}")]);
            }
            (Rival::Helm, Deed::Pull) => {
                let place = format!("oci://{address}/pulled/bench");
                return self.helm(&["pull", "--plain-http", &place, "--version", VERSION, "-d", to]);
            }
            (Rival::Regctl, Deed::Push) => (
                "regctl",
                vec![
                    "artifact",
                    "put",
                    &pushed,
                    "--config-type",
                    CONFIG,
                    "--config-file",
                    config,
                    "--file-media-type",
                    CHART,
                    "--file",
                    chart,
                ],
            ),
            (Rival::Regctl, Deed::Pull) => ("regctl", vec!["artifact", "get", "--output", to, &pulled]),
            (Rival::OrasGo, Deed::Push) => ("orasgo", vec!["push", &pushed, chart, config]),
            (Rival::OrasGo, Deed::Pull) => ("orasgo", vec!["pull", &pulled, &file]),
            (Rival::Crane, Deed::Pull) => {
                ("crane", vec!["pull", "--insecure", "--format", "oci", &pulled, to])
            }
            (Rival::Crane, Deed::Push) => return Err("crane pushes images alone".into()),
        };
        let cost = Cost::of_process(self.command(program).args(arguments))?;
        if deed == Deed::Pull {
            fs_err::remove_dir_all(&target)?;
        }
        Ok(cost)
    }

    fn helm(&self, arguments: &[&str]) -> Outcome<Cost> {
        Cost::of_process(self.command("helm4").args(arguments))
    }

    /// A program with a home of its own; one by its path is ours.
    fn command(&self, program: &str) -> Command {
        let path = if program.contains('/') { PathBuf::from(program) } else { self.bin.join(program) };
        let mut command = Command::new(path);
        command.env("HOME", &self.place).env("DOCKER_CONFIG", self.place.join("docker"));
        command.env("REGCTL_CONFIG", self.place.join("regctl.json"));
        for key in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
            command.env(key, self.place.join(key));
        }
        command
    }
}

/// A chart of about 70 KB.
fn package(place: &Path) -> Outcome<oci_chart_core::Package> {
    let source = place.join("source/bench");
    fs_err::create_dir_all(source.join("templates"))?;
    fs_err::write(source.join("Chart.yaml"), format!("apiVersion: v2\nname: bench\nversion: {VERSION}\n"))?;
    fs_err::write(source.join("values.yaml"), "replicas: 1\n")?;
    let mut state = 1u64;
    let noise: String = (0..94_000)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from(b'0' + (state >> 58) as u8)
        })
        .collect();
    fs_err::write(source.join("noise.txt"), noise)?;
    Ok(Chart::from_path(&source, &LoadOptions::default())?.package(&PackageOptions::default())?)
}

fn text(path: &Path) -> Outcome<&str> {
    path.to_str().ok_or_else(|| "a path that is no text".into())
}
