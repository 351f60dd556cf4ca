//! Unpacking beside `tar::Archive::unpack`, and reading a package through, its digest included, beside inflating alone.

#![allow(clippy::print_stdout, reason = "a program that reports")]

mod synthetic;

use std::{
    hint::black_box,
    io::Read,
    path::Path,
    process::{Command, ExitCode},
    time::Duration,
};

use flate2::read::GzDecoder;
use fs_err::File;
use oci_chart_benches::{Cost, Outcome, Report, complete_charts, paired, system_calls};
use oci_chart_core::{
    Digest,
    chart::{Chart, LoadOptions, PackageOptions, summarize_archive, unpack, unpack_verified},
};

/// Odd, so that there is a middle one.
const ROUNDS: usize = 41;
/// Fewer, since all that is unpacked stays until the end.
const UNPACKED: usize = 21;
/// Of `tar::Archive::unpack`.
const UNPACK: f64 = 0.80;
/// Of inflating alone.
const VERIFY: f64 = 1.10;
/// What one round lasts, about: shorter ones tell more of the clock than of the work.
const ROUND: Duration = Duration::from_millis(10);

fn main() -> Outcome<ExitCode> {
    let mut report = Report::default();
    let Some((directory, mut charts)) = complete_charts("unpack")? else { return Ok(report.end()) };
    let place = tempfile::tempdir()?;
    charts.retain(|chart| {
        ["prometheus-adapter", "nginx", "kube-prometheus-stack"].iter().any(|name| chart.ends_with(name))
    });
    charts.push(synthetic::chart(directory.path())?);
    for chart in &charts {
        let name = chart.file_name().unwrap_or_default().to_string_lossy();
        let package = Chart::from_dir(chart, &LoadOptions::default())?.package(&PackageOptions::default())?;
        let file = package.write_to_dir(place.path())?;
        let found = summarize_archive(File::open(&file)?, &LoadOptions::default())?;
        println!(
            "{name}: {} files of {} bytes, package of {} bytes",
            found.files, found.file_bytes, found.package_bytes
        );
        verifying(&fs_err::read(&file)?, &mut report)?;
        unpacking(&file, (found.digest, found.package_bytes), place.path(), &mut report)?;
        calls(&file, found.files, place.path())?;
    }
    Ok(report.end())
}

/// In memory, so that nothing but the work counts.
fn verifying(package: &[u8], report: &mut Report) -> Outcome<()> {
    let through = || {
        black_box(summarize_archive(package, &LoadOptions::default())?);
        Ok(())
    };
    let to_memory = || {
        let mut content = Vec::new();
        GzDecoder::new(package).read_to_end(&mut content)?;
        black_box(content);
        Ok(())
    };
    // Nobody can do with what comes out this way, but it is the least that inflating costs.
    let to_nowhere = || {
        let mut buffer = [0; 32 << 10];
        let mut inflate = GzDecoder::new(package);
        while inflate.read(&mut buffer)? > 0 {
            black_box(&buffer);
        }
        Ok(())
    };
    let times = u32::try_from(ROUND.as_nanos() / Cost::of(through)?.wall.as_nanos().max(1))?.max(1);
    let beside = |alone: &dyn Fn() -> Outcome<()>| {
        paired(
            ROUNDS,
            || Cost::of(|| (0..times).try_for_each(|_| through())),
            || Cost::of(|| (0..times).try_for_each(|_| alone())),
        )
    };
    let ratio = beside(&to_memory)?;
    let scale = format!("{:.1?} to {:.1?}", ratio.one.cpu / times, ratio.other.cpu / times);
    report.bound(&format!("  verify: processor time of inflating to memory ({scale})"), ratio.cpu, VERIFY);
    println!("  verify: wall time of the same: {:.3}", ratio.wall);
    let ratio = beside(&to_nowhere)?;
    println!(
        "  verify: processor time of inflating to nowhere ({:.1?}): {:.3}",
        ratio.other.cpu / times,
        ratio.cpu
    );
    Ok(())
}

/// Unpacking into a directory.
type Work<'a> = &'a dyn Fn(&Path) -> Outcome<()>;

/// On one disk, each time into an empty directory. None is removed before all is measured: ext4 searches long for inodes that
/// were not deleted a moment ago, which then costs more than everything else.
fn unpacking(file: &Path, expected: (Digest, u64), place: &Path, report: &mut Report) -> Outcome<()> {
    let into = |work: Work<'_>| {
        let directory = tempfile::tempdir_in(place)?.keep();
        Cost::of(|| work(&directory))
    };
    let options = LoadOptions::default();
    let plain = |to: &Path| {
        unpack(File::open(file)?, to, &options)?;
        Ok(())
    };
    let verified = |to: &Path| {
        unpack_verified(File::open(file)?, to, expected, &options)?;
        Ok(())
    };
    let tar = |to: &Path| Ok(tar::Archive::new(GzDecoder::new(File::open(file)?)).unpack(to)?);
    let ours: [(&str, Work<'_>); 2] = [("unpack", &plain), ("unpack_verified", &verified)];
    for (what, ours) in ours {
        let ratio = paired(UNPACKED, || into(ours), || into(&tar))?;
        let scale = format!("{:.1?} to {:.1?}", ratio.one.wall, ratio.other.wall);
        report.bound(&format!("  {what}: wall time of tar::Archive::unpack ({scale})"), ratio.wall, UNPACK);
        let scale = format!("{:.1?} to {:.1?}", ratio.one.cpu, ratio.other.cpu);
        println!("  {what}: processor time of the same ({scale}): {:.3}", ratio.cpu);
    }
    Ok(())
}

/// Of programs, from where they open the package; what is exact about them, `tests/unpack_counts.rs` asserts.
fn calls(file: &Path, files: u64, place: &Path) -> Outcome<()> {
    for how in [&[][..], &["tar"]] {
        let to = tempfile::tempdir_in(place)?;
        let mut program = Command::new(env!("CARGO_BIN_EXE_measure-unpack"));
        program.arg(file).arg(to.path()).args(how);
        if let Some(calls) = system_calls(&program, file)? {
            let who = how.first().copied().unwrap_or("ours");
            println!("  system calls, {who}: {calls}, {:.1} a file", calls as f64 / files as f64);
        }
    }
    Ok(())
}
