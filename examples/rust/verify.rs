//! Signs a chart and pulls it under a policy: `verify [PACKAGE_OR_DIRECTORY] [DIRECTORY]`.
//!
//! The key is made on the spot. A key of cosign's is read with `SigningKey::from_pem`, its public half with `PublicKey::from_pem`.

use std::{env, process::ExitCode, sync::Arc};

use oci_chart_core::{
    Chart, ChartArtifact, Client, ErrorKind, Location, Result, blocking,
    chart::{LoadOptions, PackageOptions},
    name::Selector,
    oci::ArtifactOptions,
    store::TagMode,
    transfer::{PullOptions, PushOptions},
    trust::{Evidence, KeyPolicy, Policy, SignOptions, Signer as _, SigningKey, Tlog, TrustedKey},
};

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let chart = arguments.next().unwrap_or_else(|| "examples/charts/greeter".to_owned());
    let directory = arguments.next().unwrap_or_else(|| "target/verify".to_owned());
    match story(&chart, &directory) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:?}");
            ExitCode::FAILURE
        }
    }
}

fn story(chart: &str, directory: &str) -> Result<()> {
    let location = Location::layout(directory);
    let client = blocking::Client::new(Client::builder().build()?);
    let package = Chart::from_path(chart, &LoadOptions::default())?.package(&PackageOptions::default())?;
    let artifact = ChartArtifact::new(package, &ArtifactOptions::default())?;
    let options = PushOptions::default().with_mode(TagMode::Ensure);
    let pushed = client.push(&artifact, &location, &options, &mut ())?;

    // What was pushed is signed by its digest; the chart itself does not change.
    let key = SigningKey::generate()?;
    let signed = client.sign(
        &location,
        &pushed.descriptor,
        Arc::new(key.clone()),
        &SignOptions::default(),
        &mut (),
    )?;
    println!("signed: {}", signed.subject.digest);

    // Nothing but signatures is fetched before the policy is satisfied.
    let trusted = TrustedKey::new(key.public_key().clone()).with_name("the release key");
    let policy = Policy::Keys(KeyPolicy::new([trusted], Tlog::IgnoreExplicitly));
    let version = Selector::Tag(pushed.tag);
    let pulled = client.pull(&location, &version, &PullOptions::verified_by(policy), &mut ())?;
    println!("pulled: {}", pulled.package.file_name()?);
    if let Some(evidence) = &pulled.evidence {
        println!("{}", evidence.to_json());
    }

    // Another key: the error says what was looked at, and why it does not count.
    let stranger = TrustedKey::new(SigningKey::generate()?.public_key().clone());
    let policy = Policy::Keys(KeyPolicy::new([stranger], Tlog::IgnoreExplicitly));
    match client.pull(&location, &version, &PullOptions::verified_by(policy), &mut ()) {
        Err(error) if error.kind() == ErrorKind::SignatureInvalid => {
            for candidate in Evidence::of(&error).map(Evidence::candidates).unwrap_or_default() {
                println!("refused: {}", candidate.message.as_deref().unwrap_or_default());
            }
            Ok(())
        }
        Err(error) => Err(error),
        Ok(_) => Err(oci_chart_core::Error::new(ErrorKind::Internal, "a stranger's key was trusted")),
    }
}
