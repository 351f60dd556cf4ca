//! Signs a chart as `helm package --sign` does, pushes it, and pulls it only because of that signature:
//! `provenance [CHART] [SECRET_KEYRING] [PUBLIC_KEYRING] [LOCATION]`.
//!
//! The key rings are what gpg exports, armored or not. A passphrase is taken from `KEY_PASSPHRASE`. The rings that come with the examples
//! hold a throw-away key.

use std::{env, process::ExitCode, time::SystemTime};

use oci_chart_core::{
    Chart, ChartArtifact, Client, Location, Result, blocking,
    chart::{LoadOptions, PackageOptions},
    name::Selector,
    oci::ArtifactOptions,
    store::TagMode,
    transfer::{PullOptions, PushOptions},
    trust::{
        Policy,
        pgp::{Keyring, Passphrase, PgpPolicy, PgpSigner},
    },
};

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let mut argument = |default: &str| arguments.next().unwrap_or_else(|| default.to_owned());
    let chart = argument("examples/charts/greeter");
    let secret = argument("examples/keys/signer.secret.asc");
    let public = argument("examples/keys/signer.asc");
    let location = argument("oci-layout:target/provenance");
    match provenance(&chart, &secret, &public, &location) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:?}");
            ExitCode::FAILURE
        }
    }
}

fn provenance(chart: &str, secret: &str, public: &str, location: &str) -> Result<()> {
    let location: Location = location.parse()?;
    let client = blocking::Client::new(Client::builder().build()?);
    let package = Chart::from_path(chart, &LoadOptions::default())?.package(&PackageOptions::default())?;

    let passphrase = match env::var_os("KEY_PASSPHRASE") {
        Some(_) => Passphrase::from_environment("KEY_PASSPHRASE"),
        None => Passphrase::none(),
    };
    let keyring = Keyring::from_file(secret)?;
    let signed = PgpSigner::from_keyring(&keyring, None, passphrase)?.sign(&package, SystemTime::now())?;
    let artifact = ChartArtifact::new(signed, &ArtifactOptions::default())?;
    let pushed =
        client.push(&artifact, &location, &PushOptions::default().with_mode(TagMode::Replace), &mut ())?;
    println!("{}: {location}:{}@{}", pushed.action.as_str(), pushed.tag, pushed.descriptor.digest);

    // Whoever pulls names the keys that may sign; every other signature is none.
    let fingerprints = keyring.keys().map(|key| key.fingerprint);
    let policy = Policy::Pgp(PgpPolicy::new(fs_err::read(public)?, fingerprints));
    let selector = Selector::Digest(pushed.descriptor.digest);
    let pulled = client.pull(&location, &selector, &PullOptions::verified_by(policy), &mut ())?;
    for signed in pulled.evidence.iter().flat_map(|evidence| evidence.provenances()) {
        println!("signed by: {} ({}), {}", signed.user_ids.join(", "), signed.signer, signed.signed_at);
    }
    let path = pulled.package.write_to_dir("target/pulled")?;
    println!("pulled: {}  {}", path.display(), pulled.package.digest());
    Ok(())
}
