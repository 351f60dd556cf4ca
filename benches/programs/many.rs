//! Pushes that many charts with that many threads: `many HOST PACKAGE COUNT THREADS`. Prints the processor time of the pushes in seconds.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that reports")]

use std::{
    env,
    process::ExitCode,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use oci_chart_benches::{Cost, Outcome};
use oci_chart_core::{
    ChartArtifact, Client, Location, blocking,
    chart::{LoadOptions, Package},
    name::Host,
    oci::ArtifactOptions,
    transfer::PushOptions,
};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [host, file, count, threads] = arguments.as_slice() else {
        eprintln!("many HOST PACKAGE COUNT THREADS");
        return ExitCode::FAILURE;
    };
    match many(host, file, count, threads) {
        Ok(cost) => {
            println!("{}", cost.cpu.as_secs_f64());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn many(host: &str, file: &str, count: &str, threads: &str) -> Outcome<Cost> {
    let (count, threads): (usize, usize) = (count.parse()?, threads.parse()?);
    let package = Package::from_file(file, &LoadOptions::default())?;
    let client = blocking::Client::new(Client::builder().plain_http(Host::parse(host)?).build()?);
    let next = AtomicUsize::new(0);
    Cost::of(|| {
        thread::scope(|scope| {
            let work = || -> oci_chart_core::Result<()> {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return Ok(());
                    }
                    // As a binding does it, for each push.
                    let artifact = ChartArtifact::new(package.clone(), &ArtifactOptions::default())?;
                    let location: Location = format!("oci://{host}/many/rust{number}/bench").parse()?;
                    client.push(&artifact, &location, &PushOptions::default(), &mut ())?;
                }
            };
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            for worker in workers {
                worker.join().map_err(|_| "a thread panicked")??;
            }
            Ok(())
        })
    })
}
