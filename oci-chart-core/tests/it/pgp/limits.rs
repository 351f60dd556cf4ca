//! Rubbish, and too much of it.

use std::time::{Duration, Instant, SystemTime};

use oci_chart_core::{
    Digest, Error, ErrorKind,
    chart::Provenance,
    trust::pgp::{Keyring, KeyringError, PgpVerifier},
};

use super::{reason, verify_provenance};
use crate::support::{corpus::corpus, rng::Rng};

#[test]
fn rings_that_are_none() {
    for (bytes, error) in [
        (&b""[..], KeyringError::NoKeys),
        (b"hello", KeyringError::NoKeys),
        (b"\xef\xbb\xbf-----BEGIN PGP PUBLIC KEY BLOCK-----\n", KeyringError::Armor { line: 2 }),
        (b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n!\n", KeyringError::Armor { line: 4 }),
        (b"text\n-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA", KeyringError::Armor { line: 4 }),
        (
            b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----",
            KeyringError::Packets { offset: 0 },
        ),
        (b"\x99", KeyringError::Packets { offset: 0 }),
        (b"\xb4\x00\x99\x01", KeyringError::Packets { offset: 2 }),
        (b"\x99\x00\x01\x04", KeyringError::NoKeys),
        (
            b"\0\0\0\x20\x01\x01\0\0KBXf\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x09",
            KeyringError::KeyBox { offset: 32 },
        ),
    ] {
        assert_eq!(Keyring::read(bytes).unwrap_err(), error, "{}", bytes.escape_ascii());
        let error = Error::from(error);
        assert_eq!((error.kind(), reason(&error)), (ErrorKind::InvalidInput, "keyring-malformed"));
        assert!(error.hint().is_some());
    }
    let large = Error::from(Keyring::read(&vec![0x80; Keyring::MAX_BYTES as usize + 1]).unwrap_err());
    assert_eq!(large.kind(), ErrorKind::LimitExceeded);
    // Millions of empty packets.
    let many = Error::from(Keyring::read(&[0xb4, 0].repeat(2_000_000)).unwrap_err());
    assert_eq!(many.kind(), ErrorKind::LimitExceeded);
}

#[test]
fn nothing_takes_long_or_panics() {
    const TEST: &str = "nothing_takes_long_or_panics";
    let Some(folder) = corpus(TEST).map(|corpus| corpus.join("signing/helm")) else { return };
    let prov = fs_err::read(folder.join("prov/helm4-ed.prov")).unwrap();
    let ring = fs_err::read(folder.join("keyrings/ed.gpg")).unwrap();
    let mut rng = Rng::new(7);
    let digest = Digest::of(b"");
    for round in 0..3_000 {
        let (mut prov, mut ring) = (prov.clone(), ring.clone());
        let target = if round % 2 == 0 { &mut prov } else { &mut ring };
        let at = rng.below(target.len());
        target[at] = rng.below(256) as u8;
        let Ok(ring) = Keyring::read(&ring) else { continue };
        // Not the package's digest, so that nothing is ever good.
        let policy = PgpVerifier::any_key(ring);
        assert!(verify_provenance(&prov, &digest, "demo-1.2.3.tgz", &policy, SystemTime::now()).is_err());
    }
}

#[test]
fn a_thousand_copies_cost_no_more_than_the_bounds() {
    const TEST: &str = "a_thousand_copies_cost_no_more_than_the_bounds";
    let Some(folder) = corpus(TEST).map(|corpus| corpus.join("signing/helm")) else { return };
    let started = Instant::now();
    let prov = fs_err::read(folder.join("prov/helm4-ed.prov")).unwrap();
    let parsed = Provenance::parse(&prov).unwrap();
    let many = Provenance::assemble(parsed.text(), "SHA512", &parsed.signature().repeat(1_000)).unwrap();
    let ring = fs_err::read(folder.join("keyrings/ed.gpg")).unwrap();
    let policy = PgpVerifier::any_key(Keyring::read(&ring.repeat(1_000)).unwrap());
    assert_eq!(policy.keyring().keys().len(), 1);
    let error = verify_provenance(&many, &Digest::of(b""), "x", &policy, SystemTime::now()).unwrap_err();
    assert_eq!(reason(&error), "provenance-malformed");
    // A hundred thousand lines, and one line of four megabytes.
    let lines = format!("{}\n...\nfiles:\n", "a: 1\n".repeat(100_000));
    let _ = Provenance::assemble(&lines, "SHA512", &[]);
    let long = format!("a: {}\n...\nfiles: {{}}\n", "x".repeat(4 << 20));
    let large = Error::from(Provenance::assemble(&long, "SHA512", &[]).unwrap_err());
    assert_eq!(large.kind(), ErrorKind::LimitExceeded);
    assert!(started.elapsed() < Duration::from_secs(30));
}
