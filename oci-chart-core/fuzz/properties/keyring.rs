//! No bytes make the readers of key rings panic, in whichever form, and nothing that they read verifies what it did not sign.

use std::time::{Duration, SystemTime};

use oci_chart_core::{
    Digest,
    trust::pgp::{Keyring, PgpVerifier},
};

/// Signed by the key of the seeds, but about nothing that is asked for.
const PROVENANCE: &[u8] = include_bytes!("../seeds/provenance/gpg.prov");

pub(crate) fn check(bytes: &[u8]) {
    let Ok(keyring) = Keyring::read(bytes) else { return };
    assert!(keyring.keys().len() > 0);
    let twice = keyring.join(&keyring);
    assert_eq!(twice.keys().len(), keyring.keys().len());
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let verifier = PgpVerifier::any_key(keyring);
    assert!(verifier.verify_provenance(PROVENANCE, &Digest::of(b"something else"), None, now).is_err());
}
