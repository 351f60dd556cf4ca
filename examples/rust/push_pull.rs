//! Pushes a package and pulls it back by version range: `push-pull [PACKAGE_OR_DIRECTORY] [LOCATION]`.
//!
//! LOCATION is `oci-layout:DIRECTORY` or `oci://HOST/REPOSITORY`; a name and a password for the host are taken from
//! `REGISTRY_USERNAME` and `REGISTRY_PASSWORD`. Plain HTTP is spoken to hosts named in `REGISTRY_PLAIN_HTTP` only.

use std::{env, process::ExitCode};

use oci_chart_core::{
    Chart, ChartArtifact, Client, Location, Result,
    auth::{Credentials, StaticCredentials},
    blocking,
    chart::{LoadOptions, PackageOptions},
    name::{Host, Selector},
    oci::ArtifactOptions,
    store::TagMode,
    transfer::{PullOptions, PushOptions},
};

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let chart = arguments.next().unwrap_or_else(|| "examples/charts/greeter".to_owned());
    let location = arguments.next().unwrap_or_else(|| "oci-layout:target/push-pull".to_owned());
    match push_pull(&chart, &location) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:?}");
            ExitCode::FAILURE
        }
    }
}

fn push_pull(chart: &str, location: &str) -> Result<()> {
    let location: Location = location.parse()?;
    let client = blocking::Client::new(client(&location)?);
    let package = Chart::from_path(chart, &LoadOptions::default())?.package(&PackageOptions::default())?;
    let artifact = ChartArtifact::new(package, &ArtifactOptions::default())?;
    // The same chart again is fine; another chart under the same version is refused, naming both digests.
    let options = PushOptions::default().with_mode(TagMode::Ensure);
    let pushed = client.push(&artifact, &location, &options, &mut ())?;
    println!("{}: {location}:{}@{}", pushed.action.as_str(), pushed.tag, pushed.descriptor.digest);

    let newest = Selector::for_version(">0.0.0-0")?;
    let pulled = client.pull(&location, &newest, &PullOptions::without_verification(), &mut ())?;
    let path = pulled.package.write_to_dir("target/pulled")?;
    println!("pulled: {}  {}", path.display(), pulled.package.digest());
    Ok(())
}

fn client(location: &Location) -> Result<Client> {
    let mut builder = Client::builder();
    if let Ok(host) = env::var("REGISTRY_PLAIN_HTTP") {
        builder = builder.plain_http(Host::parse(&host)?);
    }
    if let (Location::Registry(address), Ok(name), Ok(password)) =
        (location, env::var("REGISTRY_USERNAME"), env::var("REGISTRY_PASSWORD"))
    {
        let known =
            StaticCredentials::default().with(address.host().clone(), Credentials::basic(name, password));
        builder = builder.credentials(known);
    }
    builder.build()
}
