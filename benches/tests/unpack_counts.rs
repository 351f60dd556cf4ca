//! What unpacking costs in system calls, counted exactly. Every chart of the corpus.

#![allow(clippy::print_stdout, reason = "a program that reports")]

use std::process::{Command, ExitCode};

use oci_chart_benches::{Outcome, Report, complete_charts, system_calls};
use oci_chart_core::chart::{Chart, LoadOptions, PackageOptions, summarize_archive};

/// For each file; what is made besides, directories and all, has to fit.
const A_FILE: u64 = 4;
/// For a package: reading it, its place, memory.
const A_PACKAGE: u64 = 40;

fn main() -> Outcome<ExitCode> {
    let mut report = Report::default();
    let Some((_directory, charts)) = complete_charts("unpack_counts")? else { return Ok(ExitCode::SUCCESS) };
    let mut worst = (0.0, String::new());
    for chart in &charts {
        let place = tempfile::tempdir()?;
        let package = Chart::from_dir(chart, &LoadOptions::default())?.package(&PackageOptions::default())?;
        let file = package.write_to_dir(place.path())?;
        let files = summarize_archive(fs_err::File::open(&file)?, &LoadOptions::default())?.files;
        let mut program = Command::new(env!("CARGO_BIN_EXE_measure-unpack"));
        program.arg(&file).arg(place.path());
        let Some(calls) = system_calls(&program, &file)? else { return Ok(ExitCode::SUCCESS) };
        let share = calls as f64 / (A_FILE * files + A_PACKAGE) as f64;
        if share > worst.0 {
            worst = (share, format!("{calls} calls for {files} files of {}", chart.display()));
        }
    }
    println!("{} charts", charts.len());
    report.bound(
        &format!("system calls / ({A_FILE} a file + {A_PACKAGE}), at worst {}", worst.1),
        worst.0,
        1.0,
    );
    Ok(report.end())
}
