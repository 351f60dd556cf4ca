//! Reading values files into a tree: our reader beside `serde_yaml`, in one run, round about.
//!
//! The files are the largest of the corpus (`OCI_CHART_CORPUS`). The target is a ratio of at most 1.0; the numbers of a
//! machine are in `README.md`.

#![allow(clippy::print_stdout, clippy::print_stderr, clippy::expect_used, reason = "a program that reports")]

use std::{
    hint::black_box,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use oci_chart_core::yaml::{Bounds, Document};

const FILES: usize = 6;
const ROUNDS: usize = 60;
const TARGET: f64 = 1.0;

fn main() -> ExitCode {
    let Some(corpus) = std::env::var_os("OCI_CHART_CORPUS").map(PathBuf::from) else {
        eprintln!("SKIPPED: OCI_CHART_CORPUS is not set");
        return ExitCode::SUCCESS;
    };
    let mut slowest = 0.0_f64;
    for (name, text) in largest(&corpus) {
        let (ours, theirs) = race(text.as_bytes());
        let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
        slowest = slowest.max(ratio);
        let speed = |time: Duration| text.len() as f64 / time.as_secs_f64() / 1e6;
        println!(
            "yaml/read {name}: {} bytes, {:.0} MB/s, serde_yaml {:.0} MB/s, ratio {ratio:.2}",
            text.len(),
            speed(ours),
            speed(theirs)
        );
    }
    println!("yaml/read: worst ratio {slowest:.2}, target {TARGET:.2}");
    if slowest <= TARGET { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The median times of both, taken in turns so that both see the same machine.
fn race(text: &[u8]) -> (Duration, Duration) {
    let bounds = Bounds::default();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(time(|| Document::parse(black_box(text), &bounds).is_ok()));
        theirs.push(time(|| serde_yaml::from_slice::<serde_yaml::Value>(black_box(text)).is_ok()));
    }
    (median(&mut ours), median(&mut theirs))
}

/// Building and dropping.
fn time(read: impl FnOnce() -> bool) -> Duration {
    let start = Instant::now();
    assert!(black_box(read()), "the file is read");
    start.elapsed()
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// The largest values files, largest first, with the names of their charts.
fn largest(corpus: &Path) -> Vec<(String, String)> {
    let charts = fs_err::read_dir(corpus.join("charts")).expect("the corpus has charts");
    let mut files: Vec<(String, String)> = charts
        .filter_map(|chart| {
            let chart = chart.ok()?;
            let text = fs_err::read_to_string(chart.path().join("values.yaml")).ok()?;
            Some((chart.file_name().to_string_lossy().into_owned(), text))
        })
        .collect();
    files.sort_by_key(|(name, text)| (std::cmp::Reverse(text.len()), name.clone()));
    files.truncate(FILES);
    files
}
