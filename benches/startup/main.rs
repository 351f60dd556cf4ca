//! How long a program takes from its start to its first request: one in C over the installed library, Helm, and one over oras-go, in
//! turns, against a listener that answers nobody.
//!
//! `make PREFIX=DIR install`, then `OCI_CHART_PREFIX=DIR cargo bench -p oci-chart-benches --bench startup`. `-- check` starts each once and judges
//! nothing: that it works.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that reports")]

use std::{
    env,
    io::Read as _,
    net::TcpListener,
    os::fd::AsFd as _,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    time::Instant,
};

use nix::poll::{PollFd, PollFlags, poll};
use oci_chart_benches::{Cost, Outcome, Report, is_busy, paired, skip};

const ROUNDS: usize = 21;
/// Of the time that each rival needs.
const MOST: f64 = 0.5;
/// In milliseconds, for a program that never asks.
const PATIENCE: u16 = 20_000;

fn main() -> Outcome<ExitCode> {
    let mut report = Report::default();
    let Some(prefix) = env::var_os("OCI_CHART_PREFIX").map(PathBuf::from) else {
        skip("startup: OCI_CHART_PREFIX, where `make install` was told to install");
        return Ok(report.end());
    };
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let judges = env::var_os("OCI_CHART_JUDGES_BIN")
        .map_or_else(|| here.join("../oci-chart-core/testkit/judges/bin"), PathBuf::from);
    let place = tempfile::tempdir()?;
    let is_check = env::args().any(|argument| argument == "check");
    if is_busy() && !is_check {
        println!("others are busy on this machine: what follows is no measurement");
    }
    let ours = compiled(&here.join("startup/first.c"), &prefix, place.path())?;
    let home = place.path();
    let our_program = |address: &str| {
        let mut command = Command::new(&ours);
        command.args([address, &format!("oci://{address}/charts/web")]);
        command
    };
    for rival in ["helm4", "orasgo"] {
        let program = judges.join(rival);
        if !program.exists() {
            skip(&format!("startup: {rival} (oci-chart-core/testkit/judges/install.sh)"));
            continue;
        }
        let their_program = |address: &str| {
            let chart = format!("{address}/charts/web");
            let mut command = Command::new(&program);
            if rival == "helm4" {
                command.args(["pull", "--plain-http", "--version", "1.0.0", &format!("oci://{chart}"), "-d"]);
                command.arg(home).env("HOME", home);
            } else {
                command.args(["pull", &format!("{chart}:1.0.0")]).arg(home.join("web.tgz")).env("HOME", home);
            }
            command
        };
        if is_check {
            first_request(our_program)?;
            first_request(their_program)?;
            println!("startup: {rival} and ours ask for something");
            continue;
        }
        let ratio = paired(ROUNDS, || first_request(our_program), || first_request(their_program))?;
        let scale = |cost: Cost| cost.wall.as_secs_f64() * 1e3;
        let what = format!(
            "start to first request, of {rival}'s ({:.1} to {:.1} ms)",
            scale(ratio.one),
            scale(ratio.other)
        );
        report.bound(&what, ratio.wall, MOST);
    }
    Ok(report.end())
}

/// The program in C, linked with the installed library.
fn compiled(source: &Path, prefix: &Path, place: &Path) -> Outcome<PathBuf> {
    let program = place.join("first");
    let flags = Command::new("pkg-config")
        .args(["--cflags", "--libs", "oci_chart"])
        .env("PKG_CONFIG_PATH", prefix.join("lib/pkgconfig"))
        .output()?;
    let flags = String::from_utf8(flags.stdout)?;
    let run_path = format!("-Wl,-rpath,{}", prefix.join("lib").display());
    let mut compiler = Command::new("cc");
    compiler.args(["-O2", "-o"]).arg(&program).arg(source).args(flags.split_whitespace()).arg(run_path);
    Cost::of_process(&mut compiler)?;
    Ok(program)
}

/// From the start of a program until its first request has come. Each has a listener of its own, so that none hears another's.
fn first_request(program: impl Fn(&str) -> Command) -> Outcome<Cost> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut command = program(&listener.local_addr()?.to_string());
    let began = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let asked = poll(&mut [PollFd::new(listener.as_fd(), PollFlags::POLLIN)], PATIENCE)? > 0;
    let first = if asked { listener.accept()?.0.read(&mut [0; 1])? } else { 0 };
    let wall = began.elapsed();
    child.kill()?;
    child.wait()?;
    if first == 0 {
        return Err(format!("{command:?} asks for nothing").into());
    }
    Ok(Cost { wall, ..Cost::default() })
}
