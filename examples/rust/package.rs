//! Packages a chart directory: `package CHART_DIRECTORY [OUTPUT_DIRECTORY]`. Needs no network and no home directory.

use std::{env, path::PathBuf, process::ExitCode};

use oci_chart_core::{
    Chart, Result,
    chart::{LoadOptions, PackageOptions},
};

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1).map(PathBuf::from);
    let chart = arguments.next().unwrap_or_else(|| "examples/charts/platform".into());
    let output = arguments.next().unwrap_or_else(|| "target/packages".into());
    match package(chart, output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:?}");
            ExitCode::FAILURE
        }
    }
}

fn package(directory: PathBuf, output: PathBuf) -> Result<()> {
    let chart = Chart::from_dir(directory, &LoadOptions::default())?;
    let options = PackageOptions::default();
    let preview = chart.preview(&options)?;
    for entry in preview.entries() {
        println!("  + {:>9}  {}", entry.bytes, entry.path);
    }
    for skipped in preview.skipped() {
        println!("  - {:>9}  {}  ({})", "", skipped.path, skipped.why);
    }
    let package = chart.package(&options)?;
    let path = package.write_to_dir(&output)?;
    println!("{}  {} bytes  {}", path.display(), package.size(), package.digest());
    Ok(())
}
