//! Why does it not work? Looks at a location step by step and tells what does and what does not, for people or as JSON.
//!
//! ```text
//! cargo run -p oci-chart-examples --bin diagnose -- oci://registry.example/charts/web
//! cargo run -p oci-chart-examples --bin diagnose -- --json oci://registry.example/charts/web
//! ```
//!
//! Without a location it looks at a layout that is not there, which is enough to see what it prints. Nothing is ever written.

use std::process::ExitCode;

use oci_chart_core::{
    Client, Location, Result,
    auth::cloud::{CloudLogins, CloudOptions},
    blocking,
};

fn main() -> Result<ExitCode> {
    let (flags, places): (Vec<_>, Vec<_>) = std::env::args().skip(1).partition(|word| word.starts_with("--"));
    let place = places.first().map_or("oci-layout:nowhere/charts", String::as_str);
    let location: Location = place.parse()?;

    // Registries of the clouds know us by what stands in the environment, in files, or by the machine.
    let client = Client::builder().credentials(CloudLogins::new(CloudOptions::default())?).build()?;
    let found = blocking::Client::new(client).diagnose(&location, &mut ())?;

    if flags.iter().any(|flag| flag == "--json") {
        println!("{}", serde_json::to_string_pretty(&found).unwrap_or_default());
    } else {
        println!("{found:#}");
    }
    // A registry that was asked about and fails is an answer, and a script wants to know it.
    Ok(if found.is_ok() || places.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
