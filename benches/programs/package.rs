//! `package DIRECTORY PLACE [peak]`: packages a chart, nothing else. Prints the digest and, if asked, the most memory that was in
//! use, in KiB.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that reports")]

use std::{env, error::Error};

use oci_chart_core::chart::{Chart, LoadOptions, PackageOptions};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [directory, place, rest @ ..] = arguments.as_slice() else {
        return Err("package DIRECTORY PLACE [peak]".into());
    };
    let chart = Chart::from_dir(directory, &LoadOptions::default())?;
    let package = chart.package(&PackageOptions::default())?;
    package.write_to_dir(place)?;
    println!("{}", package.digest());
    if !rest.is_empty() {
        let status = fs_err::read_to_string("/proc/self/status")?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
        println!("{}", peak.trim().trim_end_matches(" kB"));
    }
    Ok(())
}
