//! A pull with this library: `pull HOST REPOSITORY TAG DIRECTORY` writes the package there.

#![allow(clippy::print_stderr, reason = "a program that tells its failure")]

use std::{env, process::ExitCode};

use oci_chart_core::{
    Client, Context, Location, Result,
    name::{Host, Selector, Tag},
    transfer::{self, PullOptions},
};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [host, repository, tag, directory] = arguments.as_slice() else {
        eprintln!("pull HOST REPOSITORY TAG DIRECTORY");
        return ExitCode::FAILURE;
    };
    match pull(host, repository, tag, directory) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:?}");
            ExitCode::FAILURE
        }
    }
}

fn pull(host: &str, repository: &str, tag: &str, directory: &str) -> Result<()> {
    let client = Client::builder().plain_http(Host::parse(host)?).build()?;
    let location: Location = format!("oci://{host}/{repository}").parse()?;
    let store = client.open(&location)?;
    let selector = Selector::Tag(tag.parse::<Tag>()?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let options = PullOptions::without_verification();
    let pulled = runtime.block_on(transfer::pull(&Context::default(), &store, &selector, &options))?;
    pulled.package.write_to_dir(directory).map(drop)
}
