//! Provenance files and who signed them: real files with the verdicts of Helm and gpg, keys made by gpg, and both judging ours.

mod corpus;
mod helm;
mod keys;
mod limits;
mod policy;
mod signing;

use std::time::{Duration, SystemTime};

use oci_chart_core::{
    Digest, Error, Package,
    chart::LoadOptions,
    trust::pgp::{KeyInfo, Keyring, Passphrase, PgpEvidence, PgpFault, PgpSigner, PgpVerifier},
};

/// Who signs and who verifies may cross threads.
const _: () = {
    const fn crosses_threads<T: Send + Sync>() {}
    crosses_threads::<Keyring>();
    crosses_threads::<KeyInfo>();
    crosses_threads::<PgpVerifier>();
    crosses_threads::<PgpSigner>();
    crosses_threads::<PgpFault>();
    crosses_threads::<Passphrase>();
};

/// Noon of the day on which the files of the corpus were made.
const NOW: u64 = 1_795_262_400;

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn any_key(bytes: &[u8]) -> PgpVerifier {
    PgpVerifier::any_key(Keyring::read(bytes).unwrap())
}

fn reason(error: &Error) -> &'static str {
    error.reason().map_or("none", |reason| reason.as_str())
}

/// A package of nothing but a Chart.yaml.
fn tiny(name: &str, version: &str) -> Package {
    use oci_chart_core::chart::{Chart, PackageOptions};
    let directory = tempfile::tempdir().unwrap();
    let yaml = format!("apiVersion: v2\nname: {name}\nversion: {version}\nkeywords:\n- a\n- \"- b\"\n");
    fs_err::write(directory.path().join("Chart.yaml"), yaml).unwrap();
    let chart = Chart::from_dir(directory.path(), &LoadOptions::default()).unwrap();
    let package = chart.package(&PackageOptions::default()).unwrap();
    // In memory, so that the directory may go.
    Package::from_bytes(package.content().read(1 << 20).unwrap(), &LoadOptions::default()).unwrap()
}

/// [`PgpVerifier::verify_package`].
fn verify_package(package: &Package, verifier: &PgpVerifier, now: SystemTime) -> Result<PgpEvidence, Error> {
    verifier.verify_package(package, now)
}

/// [`PgpVerifier::verify_provenance`].
fn verify_provenance(
    prov: &[u8],
    digest: &Digest,
    file: &str,
    verifier: &PgpVerifier,
    now: SystemTime,
) -> Result<PgpEvidence, Error> {
    verifier.verify_provenance(prov, digest, Some(file), now)
}
