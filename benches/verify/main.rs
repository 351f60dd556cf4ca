//! What a check of one keyed signature costs beside the one thing that it cannot do without: the P-256 verification.

#![allow(clippy::print_stdout, reason = "a program that reports")]

use std::process::ExitCode;

use oci_chart_benches::{Outcome, Report, instructions, skip};

/// Of the instructions of the raw verification.
const MOST: f64 = 3.0;
const FEW: u64 = 10;
const MANY: u64 = 60;

fn main() -> Outcome<ExitCode> {
    let mut report = Report::default();
    let Some(raw) = each("raw")? else {
        skip("verify: no valgrind, which counts instructions");
        return Ok(report.end());
    };
    println!("raw P-256: {raw:.0} instructions");
    for way in ["bundle", "signature-tag"] {
        if let Some(ours) = each(way)? {
            report.bound(
                &format!("{way}: {ours:.0} instructions, of the raw verification's"),
                ours / raw,
                MOST,
            );
        }
    }
    Ok(report.end())
}

/// Instructions of one check: what more of them take, so that starting and signing do not count.
fn each(way: &str) -> Outcome<Option<f64>> {
    let count = |times: u64| instructions(env!("CARGO_BIN_EXE_measure-verify"), &[way, &times.to_string()]);
    let (Some(few), Some(many)) = (count(FEW)?, count(MANY)?) else { return Ok(None) };
    Ok(Some((many.saturating_sub(few)) as f64 / (MANY - FEW) as f64))
}
