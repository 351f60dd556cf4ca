//! A push with this library: `push HOST REPOSITORY FILE [stop|blocking]`.

#![allow(clippy::print_stderr, reason = "a program that tells its failure")]

use std::{env, process::ExitCode, sync::Arc};

use oci_chart_core::{
    ChartArtifact, Client, Context, Location, Result, blocking,
    chart::{LoadOptions, Package},
    name::Host,
    oci::ArtifactOptions,
    store::Store,
    transfer::{self, PushOptions},
};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [host, repository, file, rest @ ..] = arguments.as_slice() else {
        eprintln!("push HOST REPOSITORY FILE [stop|blocking]");
        return ExitCode::FAILURE;
    };
    match push(host, repository, file, rest.first().map(String::as_str)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:?}");
            ExitCode::FAILURE
        }
    }
}

fn push(host: &str, repository: &str, file: &str, how: Option<&str>) -> Result<()> {
    let package = Package::from_bytes(fs_err::read(file)?, &LoadOptions::default())?;
    let artifact = ChartArtifact::new(package, &ArtifactOptions::default())?;
    if how == Some("stop") {
        return Ok(());
    }
    let client = Client::builder().plain_http(Host::parse(host)?).build()?;
    let location: Location = format!("oci://{host}/{repository}").parse()?;
    let options = PushOptions::default();
    if how == Some("blocking") {
        let client = blocking::Client::new(client);
        return client.push(&artifact, &location, &options, &mut ()).map(drop);
    }
    let store: Arc<dyn Store> = client.open(&location)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(transfer::push(&Context::default(), &artifact, &store, &options)).map(drop)
}
