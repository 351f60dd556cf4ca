//! What Python costs: a call beside the same call in Rust, the import, a push as a whole process beside Helm's, and many pushes in one
//! process beside the same in Rust.
//!
//! `PROFILE=dist .ci/python` installs the wheel into `target/python`; another interpreter that has it is named by `OCI_CHART_PYTHON`. Then
//! `cargo bench --profile dist -p oci-chart-benches --bench python`: both sides are the same code, compiled alike.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that reports")]

use std::{
    env,
    hint::black_box,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::Instant,
};

use oci_chart_benches::{Cost, Outcome, Report, is_busy, paired, skip};
use oci_chart_core::{
    Chart,
    chart::{LoadOptions, PackageOptions},
    name::{ChartVersion, Reference, VersionReq},
};
use oci_chart_testkit::Registry;

const ROUNDS: usize = 11;
const CALLS: u32 = 20_000;
const IMPORTS: usize = 21;
/// A tenth of a second each, of which the processor's own whims are a part.
const MANY_ROUNDS: usize = 35;
const CHARTS: &str = "200";
const THREADS: &str = "8";

/// Milliseconds.
const IMPORT: f64 = 10.0;
/// Nanoseconds of a call that does nothing.
const NOTHING: f64 = 150.0;
/// Of the same call in Rust.
const CALL: f64 = 3.0;
/// Wall time of `helm push`.
const PUSH: f64 = 1.0;
/// Processor time of the same pushes in Rust.
const MANY: f64 = 1.2;

fn main() -> Outcome<ExitCode> {
    let mut report = Report::default();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = env::var_os("OCI_CHART_PYTHON")
        .map_or_else(|| here.join("../target/python/bin/python"), PathBuf::from);
    if !works(&python) {
        skip("python: an interpreter with the wheel (.ci/python, OCI_CHART_PYTHON)");
        return Ok(report.end());
    }
    if is_busy() {
        println!("others are busy on this machine: what follows is no measurement");
    }
    let place = tempfile::tempdir()?;
    let registry = Registry::start()?;
    let package = package(place.path())?;
    let bench =
        Bench { python, scripts: here.join("python"), place: place.path(), package, host: registry.host() };
    bench.calls(&mut report)?;
    bench.import(&mut report)?;
    bench.push(&mut report)?;
    bench.many(&mut report)?;
    Ok(report.end())
}

struct Bench<'a> {
    python: PathBuf,
    scripts: PathBuf,
    place: &'a Path,
    package: PathBuf,
    host: &'a str,
}

impl Bench<'_> {
    fn calls(&self, report: &mut Report) -> Outcome<()> {
        let output = self.said(self.script("calls.py"))?;
        for line in output.lines() {
            let (name, python) = line.split_once(' ').ok_or("not NAME NANOSECONDS")?;
            let python: f64 = python.parse()?;
            let rust = match name {
                "matches" => nanoseconds(|| {
                    let (wanted, version) = (black_box("^1.2"), black_box("1.9.0"));
                    let version = ChartVersion::parse(version).ok();
                    let wanted = VersionReq::parse(wanted).ok();
                    wanted.zip(version).is_some_and(|(wanted, version)| wanted.matches(&version))
                }),
                "reference" => nanoseconds(|| {
                    black_box("oci://registry.example/charts/web:1.0.0").parse::<Reference>().is_ok()
                }),
                _ => {
                    report.bound(&format!("{name}, nanoseconds"), python, NOTHING);
                    continue;
                }
            };
            let what = format!("{name}, of Rust's ({python:.0} to {rust:.0} ns)");
            report.bound(&what, python / rust, CALL);
        }
        Ok(())
    }

    fn import(&self, report: &mut Report) -> Outcome<()> {
        let script = "from time import perf_counter as now; began = now(); import oci_chart; print((now() - began) * 1e3)";
        let mut times = Vec::new();
        for _ in 0..IMPORTS {
            let mut command = Command::new(&self.python);
            command.args(["-I", "-c", script]);
            times.push(self.said(command)?.trim().parse::<f64>()?);
        }
        times.sort_by(f64::total_cmp);
        report.bound("import, milliseconds", times.get(IMPORTS / 2).copied().unwrap_or(f64::NAN), IMPORT);
        Ok(())
    }

    /// Whole processes, each into a repository of its own.
    fn push(&self, report: &mut Report) -> Outcome<()> {
        let judges = env::var_os("OCI_CHART_JUDGES_BIN")
            .map_or_else(|| self.scripts.join("../../oci-chart-core/testkit/judges/bin"), PathBuf::from);
        let helm = judges.join("helm4");
        if !helm.exists() {
            skip("python: helm4 (oci-chart-core/testkit/judges/install.sh)");
            return Ok(());
        }
        let number = std::cell::Cell::new(0);
        let target = |who: &str| {
            number.set(number.get() + 1);
            format!("oci://{}/one/{who}{}", self.host, number.get())
        };
        let ours = || {
            let mut command = Command::new(&self.python);
            command
                .args(["-I", "-m", "oci_chart", "push", "--plain-http"])
                .arg(&self.package)
                .arg(target("ours"));
            Cost::of_process(command.env("HOME", self.place))
        };
        let theirs = || {
            let mut command = Command::new(&helm);
            command.args(["push", "--plain-http"]).arg(&self.package).arg(target("helm"));
            Cost::of_process(command.env("HOME", self.place))
        };
        let ratio = paired(ROUNDS, ours, theirs)?;
        let (one, other) = (ratio.one.wall.as_secs_f64() * 1e3, ratio.other.wall.as_secs_f64() * 1e3);
        report.bound(&format!("push, of helm's, wall ({one:.0} to {other:.0} ms)"), ratio.wall, PUSH);
        println!("push, of helm's, CPU: {:.3}", ratio.cpu);
        Ok(())
    }

    fn many(&self, report: &mut Report) -> Outcome<()> {
        let mut ratios = Vec::new();
        for round in 0..MANY_ROUNDS {
            // Repositories are new in each round: another registry.
            let registry = Registry::start()?;
            let cpu = |mut command: Command| -> Outcome<f64> {
                command.arg(registry.host()).arg(&self.package).args([CHARTS, THREADS]);
                Ok(self.said(command)?.trim().parse()?)
            };
            let (rust, python) = (Command::new(env!("CARGO_BIN_EXE_measure-many")), self.script("many.py"));
            let (rust, python) = if round % 2 == 0 {
                let rust = cpu(rust)?;
                (rust, cpu(python)?)
            } else {
                let python = cpu(python)?;
                (cpu(rust)?, python)
            };
            println!(
                "{CHARTS} pushes, {THREADS} threads: Rust {:.0} ms CPU, Python {:.0}",
                rust * 1e3,
                python * 1e3
            );
            ratios.push(python / rust);
        }
        ratios.sort_by(f64::total_cmp);
        let median = ratios.get(ratios.len() / 2).copied().unwrap_or(f64::NAN);
        report.bound("many pushes, CPU, of Rust's", median, MANY);
        Ok(())
    }

    fn script(&self, name: &str) -> Command {
        let mut command = Command::new(&self.python);
        command.arg(self.scripts.join(name));
        command
    }

    fn said(&self, mut command: Command) -> Outcome<String> {
        let output = command.env("HOME", self.place).output()?;
        if !output.status.success() {
            return Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)).into());
        }
        Ok(String::from_utf8(output.stdout)?)
    }
}

fn works(python: &Path) -> bool {
    Command::new(python).args(["-c", "import oci_chart"]).output().is_ok_and(|output| output.status.success())
}

/// The median of some runs.
fn nanoseconds(call: impl Fn() -> bool) -> f64 {
    let mut runs: Vec<f64> = (0..7)
        .map(|_| {
            let began = Instant::now();
            for _ in 0..CALLS {
                black_box(call());
            }
            began.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS)
        })
        .collect();
    runs.sort_by(f64::total_cmp);
    runs.get(runs.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A chart of about 100 KB that does not shrink much.
fn package(place: &Path) -> Outcome<PathBuf> {
    let source = place.join("bench");
    fs_err::create_dir_all(&source)?;
    fs_err::write(source.join("Chart.yaml"), "apiVersion: v2\nname: bench\nversion: 1.0.0\n")?;
    let mut state = 1u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        b'0' + (state >> 58) as u8
    })
    .take(130_000)
    .collect();
    fs_err::write(source.join("noise.txt"), noise)?;
    let chart = Chart::from_path(&source, &LoadOptions::default())?;
    Ok(chart.package(&PackageOptions::default())?.write_to_dir(place)?)
}
