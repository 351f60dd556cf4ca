//! Packaging beside Go's `archive/tar` and `compress/gzip`, and beside `helm package`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that reports")]

use std::{
    env,
    io::{BufRead, BufReader, Write},
    num::NonZeroUsize,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio},
    time::Duration,
};

use oci_chart_benches::{Cost, Outcome, Report, complete_charts, is_busy, paired, skip, unpacked};
use oci_chart_core::chart::{Chart, LoadOptions, PackageOptions};

const ROUNDS: usize = 15;
/// Processor time of Go in one round.
const ROUND: Duration = Duration::from_millis(30);
/// Of Go's processor time, on one thread, for tars above and below [`SMALL`]: the median of these charts.
const CPU: (f64, f64) = (0.75, 0.60);
const SMALL: u64 = 500_000;
/// Of Go's wall time, on two threads, for tars above [`LARGE`].
const WALL: f64 = 0.50;
const LARGE: u64 = 1 << 20;
/// Of the processor time of `helm package`, whole processes.
const HELM: [(&str, f64); 3] =
    [("prometheus-adapter", 0.06), ("nginx", 0.15), ("kube-prometheus-stack", 0.50)];

fn main() -> Outcome<ExitCode> {
    let mut report = Report::default();
    let Some((_directory, charts)) = complete_charts("package")? else { return Ok(report.end()) };
    beside_helm(&charts, &mut report)?;
    beside_go(&charts, &mut report)?;
    Ok(report.end())
}

/// Whole processes: a program that loads a chart's directory, packages it and writes the package, and Helm.
fn beside_helm(charts: &[PathBuf], report: &mut Report) -> Outcome<()> {
    let bin = env::var_os("OCI_CHART_JUDGES_BIN").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../oci-chart-core/testkit/judges/bin"),
        PathBuf::from,
    );
    let helm = bin.join("helm4");
    if !helm.exists() {
        skip(&format!("package: no {} (oci-chart-core/testkit/judges/install.sh)", helm.display()));
        return Ok(());
    }
    let place = tempfile::tempdir()?;
    for (name, most) in HELM {
        let Some(chart) = charts.iter().find(|chart| chart.ends_with(name)) else {
            return Err(format!("no {name} in the corpus").into());
        };
        let ours = || {
            Cost::of_process(Command::new(env!("CARGO_BIN_EXE_measure-package")).arg(chart).arg(place.path()))
        };
        let theirs = || {
            let mut helm = Command::new(&helm);
            for key in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
                helm.env(key, place.path());
            }
            Cost::of_process(helm.arg("package").arg(chart).arg("-d").arg(place.path()))
        };
        let ratio = paired(ROUNDS, ours, theirs)?;
        let scale = format!("{:.1?} to {:.1?}", ratio.one.cpu, ratio.other.cpu);
        report.bound(&format!("{name}: processor time of helm package ({scale})"), ratio.cpu, most);
    }
    Ok(())
}

/// Packaging alone, of charts that are loaded, in processes that do it many times.
fn beside_go(charts: &[PathBuf], report: &mut Report) -> Outcome<()> {
    let Some(mut go) = Go::build()? else { return Ok(()) };
    let wanted: Vec<String> = env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let busy = is_busy();
    let (mut ours, mut theirs) = (0, 0);
    let (mut small, mut large) = (Vec::new(), Vec::new());
    for packed in charts {
        let name = packed.file_name().unwrap_or_default().to_string_lossy();
        if !wanted.is_empty() && !wanted.iter().any(|wanted| *wanted == name) {
            continue;
        }
        let place = tempfile::tempdir()?;
        let directory = unpacked(packed, place.path())?;
        let chart = Chart::from_dir(&directory, &LoadOptions::default())?;
        let list = place.path().join("list");
        let tar = write_list(&chart, &directory, &list)?;

        let package = |threads| chart.package(&PackageOptions::default().with_threads(threads));
        ours += package(ONE)?.size();
        let (cost, size) = go.package(&list, 1)?;
        theirs += size;
        let times = u32::try_from(ROUND.as_nanos() / cost.cpu.as_nanos().max(1))?.max(1);
        let round = |threads| {
            Cost::of(|| (0..times).try_for_each(|_| package(threads).map(drop)).map_err(Into::into))
        };

        let ratio = paired(ROUNDS, || round(ONE), || Ok(go.package(&list, times)?.0))?;
        let scale = format!("{:.2?} to {:.2?}", ratio.one.cpu / times, ratio.other.cpu / times);
        println!("{name}: processor time of Go, one thread: {:.3} (tar of {tar} bytes, {scale})", ratio.cpu);
        if tar < SMALL { &mut small } else { &mut large }.push(ratio.cpu);
        if tar > LARGE {
            let ratio = paired(ROUNDS, || round(TWO), || Ok(go.package(&list, times)?.0))?;
            report.bound(&format!("{name}: busiest of two threads, of Go's time"), ratio.busiest, WALL);
            if busy {
                skip(&format!("{name}: wall time: others use this machine"));
            } else {
                report.bound(&format!("{name}: wall time of Go, two threads"), ratio.wall, WALL);
            }
        }
    }
    for (ratios, what, most) in [(&mut large, "large", CPU.0), (&mut small, "small", CPU.1)] {
        ratios.sort_by(f64::total_cmp);
        if let (Some(median), Some(most_of_all)) = (ratios.get(ratios.len() / 2), ratios.last()) {
            let scale = format!("{} charts, at worst {most_of_all:.3}", ratios.len());
            report.bound(&format!("{what} charts: processor time of Go ({scale})"), *median, most);
        }
    }
    report.bound("size of all packages, of Go's", ours as f64 / theirs as f64, 1.0);
    Ok(())
}

const ONE: NonZeroUsize = NonZeroUsize::MIN;
const TWO: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1);

/// Tells Go which files to pack, in our order, and the size of their tar.
fn write_list(chart: &Chart, directory: &Path, list: &Path) -> Outcome<u64> {
    let (mut text, mut tar) = (String::new(), 1024);
    for entry in chart.preview(&PackageOptions::default())?.entries() {
        let (_, path) = entry.path.split_once('/').ok_or("no file of a chart")?;
        text.push_str(&format!("{}\t{}\n", entry.path, directory.join(path).display()));
        tar += 512 + entry.bytes.next_multiple_of(512);
    }
    fs_err::write(list, text)?;
    Ok(tar)
}

/// The program in `versus/go`, waiting for orders.
struct Go {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Go {
    fn build() -> Outcome<Option<Self>> {
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("versus-go");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("versus/go");
        let built =
            Command::new("go").args(["build", "-o"]).arg(&program).arg(".").current_dir(source).status();
        match built {
            Ok(status) if status.success() => {}
            Ok(status) => return Err(format!("go build: {status}").into()),
            Err(_) => {
                skip("package: no go");
                return Ok(None);
            }
        }
        let mut child = Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (Some(orders), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("no pipes".into());
        };
        Ok(Some(Self { child, orders, answers: BufReader::new(answers) }))
    }

    /// The cost of packaging so many times, and the size of the package.
    fn package(&mut self, list: &Path, times: u32) -> Outcome<(Cost, u64)> {
        writeln!(self.orders, "{} {times}", list.display())?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        let numbers: Vec<u64> = answer.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
        let [cpu, wall, size] = numbers.as_slice() else { return Err("the Go program is gone".into()) };
        let cpu = Duration::from_nanos(*cpu);
        Ok((Cost { cpu, wall: Duration::from_nanos(*wall), busiest: cpu }, *size))
    }
}

impl Drop for Go {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
