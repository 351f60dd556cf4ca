//! What a push costs: instructions beside a raw client, time and CPU beside `true`, Helm and oci-client.
//!
//! `cargo bench -p oci-chart-benches --bench push`; with `check` as argument, what is exact is asserted and nothing is timed.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program of ours for ourselves"
)]

mod chart;
mod child;

use std::{env, process::ExitCode};

use child::{Program, Round};
use oci_chart_testkit::Registry;

const RAW: &str = env!("CARGO_BIN_EXE_measure-push-raw");
const OURS: &str = env!("CARGO_BIN_EXE_measure-push");

/// Of the raw client's instructions.
const MOST_INSTRUCTIONS: f64 = 1.15;
/// CPU of the whole process, of that of `true`.
const MOST_CPU: f64 = 5.0;

fn main() -> ExitCode {
    let check = env::args().any(|argument| argument == "check");
    let directory = tempfile::tempdir().expect("a temporary directory");
    let chart = chart::package(directory.path());
    let registry = Registry::start().expect("a registry");
    let host = registry.host().to_owned();
    let chart = chart.to_str().expect("a path of ours");
    let mut fine = true;
    let mut judge = |name: &str, value: f64, most: f64| {
        let verdict = if value <= most { "ok" } else { "TOO MUCH" };
        println!("{name}: {value:.3} (at most {most}) {verdict}");
        fine &= value <= most;
    };

    let mut run = 0;
    let mut instructions = |program: &str, how: &[&str]| {
        run += 1;
        let repository = format!("counted/r{run}");
        let arguments: Vec<&str> = [&[host.as_str(), &repository, chart], how].concat();
        oci_chart_benches::instructions(program, &arguments).expect("callgrind")
    };
    let counted = instructions(RAW, &[]);
    if counted.is_none() {
        oci_chart_benches::skip("instructions: no valgrind");
    }
    if let Some(raw) = counted {
        let mut count = |program, how: &[&str]| instructions(program, how).unwrap_or(u64::MAX);
        let (raw_stop, ours, ours_stop) = (count(RAW, &["stop"]), count(OURS, &[]), count(OURS, &["stop"]));
        println!(
            "instructions: raw {raw} (before the push {raw_stop}), ours {ours} (before the push {ours_stop})"
        );
        // The raw program with its push taken out and ours put in: reading a package is no part of pushing it.
        let replaced = raw_stop + (ours - ours_stop);
        judge("instructions of a push, to the raw client's", replaced as f64 / raw as f64, MOST_INSTRUCTIONS);
    }
    if check {
        return if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }

    let repository = |arguments: &[&str]| arguments.iter().map(ToString::to_string).collect::<Vec<_>>();
    let mut programs = vec![
        Program::new("true", "/bin/true", vec![]),
        Program::new("raw", RAW, repository(&[&host, "REPOSITORY", chart])),
        Program::new("ours", OURS, repository(&[&host, "REPOSITORY", chart])),
        Program::new("ours, blocking", OURS, repository(&[&host, "REPOSITORY", chart, "blocking"])),
    ];
    programs.extend(child::oci_client(&host, chart));
    programs.extend(child::helm(directory.path(), &host, chart));
    let rounds = child::measure(&programs);
    let of = |name: &str| rounds.iter().find(|round| round.name == name).copied();
    for Round { name, wall, cpu } in &rounds {
        println!("{name}: wall {wall:.2} ms, CPU {cpu:.2} ms");
    }
    if let (Some(ours), Some(nothing)) = (of("ours"), of("true")) {
        judge("CPU, to that of `true`", ours.cpu / nothing.cpu, MOST_CPU);
    }
    if let (Some(ours), Some(helm)) = (of("ours"), of("helm 4")) {
        judge("wall, to that of `helm push`", ours.wall / helm.wall, 0.25);
        judge("CPU, to that of `helm push`", ours.cpu / helm.cpu, 0.15);
    }
    if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
