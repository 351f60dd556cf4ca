//! Helm provenance: who signed a `.prov` file, by rules of our own, and signing one.
//!
//! Helm takes every key of a ring for good, and with it SHA-1 and DSA, keys of 1024 bits and key expiry as of now only. A [`PgpPolicy`]
//! names the keys that may sign, by fingerprint; a [`PgpVerifier`] refuses what is weak, expired, revoked or not meant for signing, and says
//! where Helm would have accepted. Key rings are read as GnuPG writes them: packets, armored blocks, and `pubring.kbx`.
//!
//! Policies and evidence are data and always there; the rest comes with the feature `pgp`. The OpenPGP implementation underneath is not
//! part of any interface.
//!
//! # Examples
//!
//! ```
//! use std::time::SystemTime;
//!
//! use oci_chart_core::{
//!     chart::{Chart, LoadOptions, PackageOptions},
//!     trust::pgp::{Keyring, Passphrase, PgpSigner, PgpVerifier},
//! };
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! # std::fs::write(directory.path().join("Chart.yaml"), "apiVersion: v2\nname: web\nversion: 1.2.3\n")?;
//! # let ring_file = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/keys/signer.secret.asc");
//! let package = Chart::from_dir(directory.path(), &LoadOptions::default())?.package(&PackageOptions::default())?;
//!
//! // What `gpg --armor --export-secret-keys` wrote.
//! let keyring = Keyring::from_file(ring_file)?;
//! let signer = PgpSigner::from_keyring(&keyring, Some("signer@example.com"), Passphrase::none())?;
//! let signed = signer.sign(&package, SystemTime::now())?;
//!
//! let fingerprint = keyring.keys().next().unwrap().fingerprint;
//! let verifier = PgpVerifier::new(keyring, [fingerprint.clone()])?;
//! let evidence = verifier.verify_package(&signed, SystemTime::now())?;
//! assert_eq!(evidence.signer, fingerprint);
//! assert_eq!(evidence.file.as_deref(), Some("web-1.2.3.tgz"));
//! # Ok(())
//! # }
//! ```

mod evidence;
mod fingerprint;
mod policy;

#[cfg(feature = "pgp")]
mod algorithm;
#[cfg(feature = "pgp")]
mod certificate;
#[cfg(feature = "pgp")]
mod fault;
#[cfg(feature = "pgp")]
mod kbx;
#[cfg(feature = "pgp")]
mod keyring;
#[cfg(feature = "pgp")]
mod leaf;
#[cfg(feature = "pgp")]
mod packet;
#[cfg(feature = "pgp")]
mod passphrase;
#[cfg(feature = "pgp")]
mod secret;
#[cfg(feature = "pgp")]
mod sign;
#[cfg(feature = "pgp")]
mod validity;
#[cfg(feature = "pgp")]
mod verifier;
#[cfg(feature = "pgp")]
mod verify;

pub use evidence::PgpEvidence;
pub use fingerprint::{Fingerprint, ParseFingerprintError};
pub use policy::{KeyExpiry, PgpPolicy};

#[cfg(feature = "pgp")]
pub use {
    fault::PgpFault,
    keyring::{KeyInfo, Keyring, KeyringError},
    passphrase::Passphrase,
    sign::PgpSigner,
    verifier::PgpVerifier,
};

#[cfg(feature = "pgp")]
pub(super) use leaf::check;

/// A build without OpenPGP sees no more than whether there is something to look at.
#[cfg(not(feature = "pgp"))]
pub(super) fn check(examination: &super::examination::Examination<'_>, _: &PgpPolicy) -> super::Requirement {
    use super::{Outcome, PolicyKind, Requirement};
    use crate::error::{Error, ErrorKind, Reason};
    match examination.provenance {
        None => Requirement::new(PolicyKind::Pgp, Outcome::NotVerified),
        Some(Err(trouble)) => Requirement::unchecked(PolicyKind::Pgp, trouble.clone()),
        Some(Ok(_)) => {
            let error = Error::new(ErrorKind::Unsupported, "this build cannot check provenance files")
                .with_reason(Reason::FeatureMissing)
                .with_hint("build with the feature `pgp`");
            Requirement::unchecked(PolicyKind::Pgp, error)
        }
    }
}
