//! A release in one go: package a chart, push it, read it back by digest, check every digest, print the receipt.
//!
//! `publish [--json] [CHART_DIRECTORY] [DESTINATION]`; the destination is `oci-layout:DIRECTORY` or the `oci://HOST/PATH` above the chart's repository.

use std::{
    collections::HashMap,
    env,
    io::{IsTerminal as _, stderr, stdout},
    ops::ControlFlow,
    process::ExitCode,
};

use oci_chart_core::{
    Chart, ChartArtifact, Client, Digest, Event, Location, Result,
    blocking::{self, Host},
    chart::{LoadOptions, PackageOptions},
    name::BaseAddress,
    oci::ArtifactOptions,
    store::TagMode,
    transfer::{PullOptions, PushOptions},
};
use serde_json::{Value, json};

const CHART: &str = "examples/charts/platform";
const DESTINATION: &str = "oci-layout:target/published";

fn main() -> ExitCode {
    let (flags, arguments): (Vec<_>, Vec<_>) =
        env::args().skip(1).partition(|argument| argument.starts_with("--"));
    let argument = |n: usize, default| arguments.get(n).map_or(default, String::as_str);
    let receipt = match publish(argument(0, CHART), argument(1, DESTINATION)) {
        Ok(receipt) => receipt,
        Err(error) => {
            eprintln!("{error:?}");
            return ExitCode::FAILURE;
        }
    };
    if flags.iter().any(|flag| flag == "--json") {
        println!("{receipt:#}")
    } else {
        print(&receipt)
    }
    if receipt["verified"] == true { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn publish(directory: &str, destination: &str) -> Result<Value> {
    let chart = Chart::from_dir(directory, &LoadOptions::default())?;
    let location = locate(destination, &chart.metadata().name)?;
    let package = chart.package(&PackageOptions::default())?;
    let (digest, size) = (package.digest(), package.size());
    let artifact = ChartArtifact::new(package, &ArtifactOptions::default())?;

    let client = blocking::Client::new(client(&location)?);
    let mut screen = Screen::default();
    let options = PushOptions::default().with_mode(TagMode::Ensure);
    let pushed = client.push(&artifact, &location, &options, &mut screen)?;

    // Back by digest: nobody can have put something else there meanwhile.
    let wanted = pushed.descriptor.digest.into();
    let pulled = client.pull(&location, &wanted, &PullOptions::without_verification(), &mut screen)?;
    let read_back = Digest::of(pulled.package.content().read(u64::MAX)?);
    Ok(json!({
        "chart": chart.metadata().name,
        "version": chart.metadata().version,
        "location": location.to_string(),
        "tag": pushed.tag.to_string(),
        "action": pushed.action.as_str(),
        "manifest": pushed.descriptor.digest.to_string(),
        "package": { "digest": digest.to_string(), "bytes": size },
        "verified": pulled.descriptor == pushed.descriptor && read_back == digest,
    }))
}

/// A directory is the repository itself; in a registry the chart's name is added to the path.
fn locate(destination: &str, chart: &str) -> Result<Location> {
    if destination.starts_with("oci://") {
        return Ok(destination.parse::<BaseAddress>()?.repository(chart)?.into());
    }
    Ok(format!("{destination}/{chart}").parse()?)
}

/// Plain HTTP only where the caller says so with `PLAIN_HTTP=1`, as a registry on a laptop needs it.
fn client(location: &Location) -> Result<Client> {
    let builder = Client::builder().user_agent("publish-example/1");
    match (location, env::var_os("PLAIN_HTTP")) {
        (Location::Registry(address), Some(_)) => builder.plain_http(address.host().clone()).build(),
        _ => builder.build(),
    }
}

/// Progress on a terminal; silence where there is none.
#[derive(Default)]
struct Screen(HashMap<u64, u64>);

impl Host for Screen {
    fn event(&mut self, event: Event) -> ControlFlow<()> {
        match event {
            Event::Started(transfer) => drop(self.0.insert(transfer.id, transfer.bytes)),
            Event::Progress { id, bytes } if stderr().is_terminal() => {
                let total = self.0.get(&id).copied().unwrap_or(bytes).max(1);
                eprint!("\r\x1b[2m{:>4} %\x1b[0m", bytes * 100 / total);
            }
            Event::Finished { .. } if stderr().is_terminal() => eprint!("\r\x1b[K"),
            Event::Warning(text) => eprintln!("warning: {text}"),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

fn print(receipt: &Value) {
    let (bold, green, plain) =
        if stdout().is_terminal() { ("\x1b[1m", "\x1b[32m", "\x1b[0m") } else { ("", "", "") };
    let package = &receipt["package"];
    let text = |key: &str| receipt[key].as_str().unwrap_or_default();
    println!("{bold}{} {}{plain}  {}", text("chart"), text("version"), text("action"));
    println!("  location  {}:{}\n  manifest  {}", text("location"), text("tag"), text("manifest"));
    println!("  package   {}  {} bytes", package["digest"].as_str().unwrap_or_default(), package["bytes"]);
    println!("  verified  {green}{}{plain}", receipt["verified"]);
}
