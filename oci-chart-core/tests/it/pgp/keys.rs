//! Keys made by gpg, good and bad ones, in every form in which gpg gives them away.

use std::time::SystemTime;

use oci_chart_core::{
    Package,
    chart::Provenance,
    trust::pgp::{KeyExpiry, Keyring, PgpEvidence, PgpVerifier},
};

use super::{any_key, reason, tiny, verify_package};
use crate::support::gpg::Gpg;

const USER: &str = "Signer <signer@example.com>";

fn signed(gpg: &Gpg, package: &Package, more: &[&str]) -> Package {
    package.with_provenance(gpg.clearsign(&Provenance::message(package).unwrap(), more))
}

fn verify(package: &Package, policy: &PgpVerifier) -> Result<PgpEvidence, &'static str> {
    verify_package(package, policy, SystemTime::now()).map_err(|error| reason(&error))
}

#[test]
fn keys_of_today_in_every_form() {
    let Some(gpg) = Gpg::start("keys_of_today_in_every_form") else { return };
    let package = tiny("web", "1.2.3+build.1");
    let mut joined: Option<Keyring> = None;
    for (algorithm, name) in [
        ("rsa3072", "RSA-3072"),
        ("ed25519", "Ed25519"),
        ("nistp256", "P-256"),
        ("nistp384", "P-384"),
        ("nistp521", "P-521"),
    ] {
        let user = format!("{algorithm} <{algorithm}@example.com>");
        let fingerprint = gpg.key(&user, algorithm, "sign", &[]);
        let signed = signed(&gpg, &package, &["--local-user", &user]);
        let armored = gpg.exported(&["--armor", "--export", &user]);
        for ring in [gpg.public(&user), armored, gpg.secret(&user, &[])] {
            let ring = Keyring::read(&ring).unwrap();
            let policy = PgpVerifier::new(ring.clone(), [fingerprint.parse().unwrap()]).unwrap();
            let evidence = verify(&signed, &policy).unwrap();
            assert_eq!((evidence.signer.as_str(), evidence.algorithm.as_str()), (fingerprint.as_str(), name));
            assert_eq!(evidence.user_ids, [user.as_str()]);
            joined = Some(joined.as_ref().map_or(ring.clone(), |joined| joined.join(&ring)));
        }
        // The ring in gpg's own home, which holds all keys so far.
        let box_ = Keyring::from_file(gpg.home().join("pubring.kbx")).unwrap();
        assert!(verify(&signed, &PgpVerifier::any_key(box_)).is_ok());
    }
    assert_eq!(joined.unwrap().keys().len(), 5, "copies of a key are one");
}

#[test]
fn expired_keys_and_signatures() {
    let Some(gpg) = Gpg::start("expired_keys_and_signatures") else { return };
    let package = tiny("web", "1.2.3");
    let then = ["--faked-system-time", "20200101T000000"];
    let arguments =
        [&then[..], &["--passphrase", "", "--quick-generate-key", USER, "ed25519", "sign", "1y"]].concat();
    assert_eq!(gpg.run(&arguments).code, Some(0));
    let old = signed(&gpg, &package, &["--faked-system-time", "20200601T000000"]);
    let strict = any_key(&gpg.public(USER));
    let lenient = strict.clone().with_expiry(KeyExpiry::AtSigning);
    assert_eq!(verify(&old, &strict), Err("key-expired"));
    assert!(verify(&old, &lenient).is_ok());

    // Its owner extends it, and what was signed before is good again.
    let fingerprint = gpg.fingerprint(USER);
    let said = gpg.run(&["--passphrase", "", "--quick-set-expire", &fingerprint, "0"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let extended = any_key(&gpg.public(USER));
    assert!(verify(&old, &extended).is_ok());

    let short =
        signed(&gpg, &package, &["--faked-system-time", "20200601T000000", "--default-sig-expire", "30d"]);
    for policy in [&extended, &extended.clone().with_expiry(KeyExpiry::AtSigning)] {
        assert_eq!(verify(&short, policy), Err("signature-time"));
    }
    let long = signed(&gpg, &package, &["--default-sig-expire", "30d"]);
    assert!(verify(&long, &extended).unwrap().expires_at.is_some());
    let early =
        gpg.clearsign(&Provenance::message(&package).unwrap(), &["--faked-system-time", "20300101T000000"]);
    assert_eq!(verify(&package.with_provenance(early), &extended), Err("signature-time"));
}

#[test]
fn revoked_keys() {
    let Some(gpg) = Gpg::start("revoked_keys") else { return };
    let package = tiny("web", "1.2.3");
    let fingerprint = gpg.key(USER, "ed25519", "sign", &[]);
    let signed = signed(&gpg, &package, &[]);
    let before = Keyring::read(&gpg.public(USER)).unwrap();
    assert!(verify(&signed, &PgpVerifier::any_key(before.clone())).is_ok());
    gpg.revoke(&fingerprint);
    let after = Keyring::read(&gpg.public(USER)).unwrap();
    // Without a reason nobody knows since when: the key is bad for all times.
    for ring in [after.clone(), before.join(&after), after.join(&before)] {
        let strict = PgpVerifier::any_key(ring);
        assert_eq!(verify(&signed, &strict), Err("key-revoked"));
        assert_eq!(verify(&signed, &strict.with_expiry(KeyExpiry::AtSigning)), Err("key-revoked"));
    }
}

#[test]
fn signing_subkeys() {
    let Some(gpg) = Gpg::start("signing_subkeys") else { return };
    let package = tiny("web", "1.2.3");
    let fingerprint = gpg.key(USER, "ed25519", "cert", &[]);
    for (algorithm, usage) in [("ed25519", "sign"), ("cv25519", "encr")] {
        let said = gpg.run(&["--passphrase", "", "--quick-add-key", &fingerprint, algorithm, usage, "never"]);
        assert_eq!(said.code, Some(0), "{said:?}");
    }
    let signed = signed(&gpg, &package, &[]);
    let public = gpg.public(USER);
    let ring = Keyring::read(&public).unwrap();
    let key = ring.keys().next().unwrap();
    let evidence = verify(&signed, &any_key(&public)).unwrap();
    assert_eq!((evidence.primary.as_str(), &evidence.signer), (fingerprint.as_str(), &key.subkeys[0]));

    // Without the signature by which the subkey agrees it could be anybody's, claimed by this key.
    let binding = find(&public, &[0x19]).expect("an embedded signature of type 0x19");
    let mut broken = public.clone();
    broken[binding + 60] ^= 1;
    assert_eq!(verify(&signed, &any_key(&broken)), Err("key-unusable"));

    let command = gpg.path().join("commands");
    fs_err::write(&command, "key 1\nrevkey\ny\n0\n\ny\nsave\n").unwrap();
    let said = gpg.run(&[
        "--passphrase",
        "",
        "--command-file",
        command.to_str().unwrap(),
        "--edit-key",
        &fingerprint,
    ]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(verify(&signed, &any_key(&gpg.public(USER))), Err("key-revoked"));
}

/// Where in a certificate a version 4 signature with this type begins, inside another one.
fn find(bytes: &[u8], kind: &[u8]) -> Option<usize> {
    bytes.windows(3).position(|window| window[0] == 32 && window[1] == 4 && window[2] == kind[0])
}

#[test]
fn a_package_without_provenance_is_not_signed() {
    let Some(gpg) = Gpg::start("a_package_without_provenance_is_not_signed") else { return };
    gpg.key(USER, "ed25519", "sign", &[]);
    let policy = any_key(&gpg.public(USER));
    let error = verify_package(&tiny("web", "1.2.3"), &policy, SystemTime::now()).unwrap_err();
    assert_eq!(error.kind(), oci_chart_core::ErrorKind::NotSigned);
    // Another package's file does not help.
    let other = signed(&gpg, &tiny("web", "1.2.4"), &[]);
    let swapped = tiny("web", "1.2.3").with_provenance(other.provenance().unwrap().clone());
    assert_eq!(verify(&swapped, &policy), Err("provenance-mismatch"));
}
