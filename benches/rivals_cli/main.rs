//! Whole processes that push and pull one chart: ours, Helm, regctl, a program over oras-go and, for the pull, crane; in turns, over
//! one real registry, on the loopback interface and with 20 ms of latency.
//!
//! `cargo bench -p oci-chart-benches --bench rivals_cli`, on a machine that does nothing else; with `check` as argument every program
//! runs once or twice, and nothing is judged.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that reports")]

mod programs;
mod server;

use std::{env, process::ExitCode, time::Duration};

use oci_chart_benches::{Cost, Outcome, Report, is_busy, paired, skip};
use oci_chart_testkit::Relay;
use programs::{Bench, Deed, Rival};
use server::Server;

/// Rounds of each pair, and runs of each program in one round.
const ROUNDS: usize = 11;
const RUNS: u32 = 5;
/// Each way, through a relay; a connection costs a round trip on top.
const ONE_WAY: Duration = Duration::from_millis(10);

/// Of oras-go's wall time at 20 ms.
const PUSH_AT_20_MS: f64 = 0.85;
const PULL_AT_20_MS: f64 = 0.95;
/// Of its processor time on the loopback interface.
const CPU: f64 = 0.6;

fn main() -> Outcome<ExitCode> {
    let mut report = Report::default();
    let directory = tempfile::tempdir()?;
    let Some(programs) = Bench::find(directory.path())? else {
        skip("rivals_cli: judges (oci-chart-core/testkit/judges/install.sh)");
        return Ok(report.end());
    };
    if is_busy() {
        println!("others are busy on this machine: what follows is no measurement");
    }
    let server = Server::start(programs.registry(), directory.path())?;
    programs.stock(server.address())?;
    let relay = Relay::builder(server.address()).latency(ONE_WAY).start_blocking()?;
    for (place, address) in [("loopback", server.address()), ("20 ms", relay.host())] {
        programs.prepare(address)?;
        for deed in [Deed::Push, Deed::Pull] {
            for rival in Rival::of(deed) {
                judge(&programs, place, address, deed, rival, &mut report)?;
            }
        }
    }
    Ok(report.end())
}

fn judge(
    programs: &Bench,
    place: &str,
    address: &str,
    deed: Deed,
    rival: Rival,
    report: &mut Report,
) -> Outcome<()> {
    let cost = |rival: Rival| several(|| programs.run(rival, deed, address));
    if env::args().any(|argument| argument == "check") {
        let (ours, theirs) = (programs.run(Rival::Ours, deed, address)?, programs.run(rival, deed, address)?);
        println!("{deed:?} {place}: ours {:.1?}, {rival:?}'s {:.1?}", ours.wall, theirs.wall);
        return Ok(());
    }
    let ratio = paired(ROUNDS, || cost(Rival::Ours), || cost(rival))?;
    let what = format!("{deed:?} {place}, of {rival:?}'s");
    let scale = |one: Duration, other: Duration| {
        format!("({:.1} to {:.1} ms)", one.as_secs_f64() * 1e3, other.as_secs_f64() * 1e3)
    };
    let far = place != "loopback";
    let wall = match (rival, deed) {
        (Rival::OrasGo, Deed::Push) if far => PUSH_AT_20_MS,
        (Rival::OrasGo, Deed::Pull) if far => PULL_AT_20_MS,
        _ => 1.0,
    };
    report.bound(&format!("{what} wall {}", scale(ratio.one.wall, ratio.other.wall)), ratio.wall, wall);
    let cpu = if rival == Rival::OrasGo && !far { CPU } else { 1.0 };
    report.bound(&format!("{what} CPU {}", scale(ratio.one.cpu, ratio.other.cpu)), ratio.cpu, cpu);
    Ok(())
}

/// The mean of some runs: the clock of a single short process is too coarse.
fn several(run: impl Fn() -> Outcome<Cost>) -> Outcome<Cost> {
    let mut sum = Cost::default();
    for _ in 0..RUNS {
        let cost = run()?;
        sum =
            Cost { cpu: sum.cpu + cost.cpu, wall: sum.wall + cost.wall, busiest: sum.busiest + cost.busiest };
    }
    Ok(sum / RUNS)
}
