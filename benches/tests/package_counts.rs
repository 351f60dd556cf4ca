//! What packaging costs, as far as it can be counted exactly: system calls, allocations, peak memory. Every chart of the corpus.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that reports")]

use std::{
    alloc::System,
    path::Path,
    process::{Command, ExitCode},
};

use oci_chart_benches::{Outcome, Report, complete_charts, system_calls, unpacked};
use oci_chart_core::chart::{Chart, LoadOptions, PackageOptions};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const PROGRAM: &str = env!("CARGO_BIN_EXE_measure-package");

/// KiB. Of an unoptimised program more is in memory.
const PEAK: f64 = if cfg!(debug_assertions) { 11_264.0 } else { 8192.0 };

fn main() -> Outcome<ExitCode> {
    let mut report = Report::default();
    let Some((_directory, charts)) = complete_charts("package_counts")? else { return Ok(ExitCode::SUCCESS) };
    let (mut calls, mut allocations, mut peak) = (Worst::default(), Worst::default(), Worst::default());
    for packed in &charts {
        // Packed subcharts are unpacked first: what costs a call is a file.
        let place = tempfile::tempdir()?;
        let chart = unpacked(packed, place.path())?;
        let (files, directories) = count(&chart)?;
        let name = packed.file_name().unwrap_or_default().to_string_lossy().into_owned();

        allocations.see(&name, allocations_of(&chart)? as f64 / (20 * files + 150) as f64);
        let mut program = Command::new(PROGRAM);
        program.arg(&chart).arg(place.path());
        if let Some(count) = system_calls(&program, &chart)? {
            calls.see(&name, count as f64 / (5 * files + 5 * directories + 120) as f64);
        }
        for chart in [&chart, packed] {
            peak.see(&name, peak_of(chart, place.path())?);
        }
    }
    println!("{} charts, the worst of each:", charts.len());
    allocations.report("allocations of Chart::package / (20 a file + 150)", 1.0, &mut report);
    calls.report("system calls of a program / (5 a file + 5 a directory + 120)", 1.0, &mut report);
    peak.report("peak memory of a program, KiB", PEAK, &mut report);
    Ok(report.end())
}

#[derive(Default)]
struct Worst(f64, String);

impl Worst {
    fn see(&mut self, name: &str, value: f64) {
        if value > self.0 {
            *self = Self(value, name.to_owned());
        }
    }

    fn report(&self, what: &str, most: f64, report: &mut Report) {
        if self.0 > 0.0 {
            report.bound(&format!("{what} ({})", self.1), self.0, most);
        }
    }
}

/// Allocations of packaging a loaded chart, in all threads, growing and moving included.
fn allocations_of(directory: &Path) -> Outcome<usize> {
    let chart = Chart::from_dir(directory, &LoadOptions::default())?;
    let region = Region::new(ALLOCATOR);
    let package = chart.package(&PackageOptions::default())?;
    let change = region.change();
    drop(package);
    Ok(change.allocations + change.reallocations)
}

fn peak_of(chart: &Path, place: &Path) -> Outcome<f64> {
    let output = Command::new(PROGRAM).arg(chart).arg(place).arg("peak").output()?;
    let said = String::from_utf8(output.stdout)?;
    let peak =
        said.split_whitespace().nth(1).ok_or_else(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    Ok(peak.parse()?)
}

/// Files and directories.
fn count(root: &Path) -> Outcome<(usize, usize)> {
    let (mut files, mut directories) = (0, 0);
    let mut left = vec![root.to_owned()];
    while let Some(directory) = left.pop() {
        directories += 1;
        for entry in fs_err::read_dir(directory)? {
            let path = entry?.path();
            if path.is_dir() { left.push(path) } else { files += 1 }
        }
    }
    Ok((files, directories))
}
