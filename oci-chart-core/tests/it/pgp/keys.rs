//! Keys made by gpg, good and bad ones, in every form in which gpg gives them away.

use std::time::SystemTime;

use oci_chart_core::{
    ErrorKind, Package,
    chart::Provenance,
    trust::pgp::{KeyExpiry, Keyring, Passphrase, PgpEvidence, PgpSigner, PgpVerifier},
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
fn kinds_of_keys_that_are_not_taken_are_named() {
    let Some(gpg) = Gpg::start("kinds_of_keys_that_are_not_taken_are_named") else { return };
    let package = tiny("web", "1.2.3");
    for (algorithm, kind, reason, name) in [
        ("rsa1024", ErrorKind::PolicyDenied, "weak-algorithm", "RSA-1024"),
        ("dsa2048", ErrorKind::PolicyDenied, "weak-algorithm", "DSA"),
        ("brainpoolP256r1", ErrorKind::SignatureInvalid, "unsupported-key", "brainpoolP256r1"),
        ("brainpoolP512r1", ErrorKind::SignatureInvalid, "unsupported-key", "brainpoolP512r1"),
        ("secp256k1", ErrorKind::SignatureInvalid, "unsupported-key", "secp256k1"),
    ] {
        let user = format!("{algorithm} <{algorithm}@example.com>");
        let fingerprint = gpg.key(&user, algorithm, "sign", &[]);
        let signed = signed(&gpg, &package, &["--local-user", &user, "--digest-algo", "SHA512"]);
        let policy = any_key(&gpg.public(&user));
        let error = verify_package(&signed, &policy, SystemTime::now()).unwrap_err();
        assert_eq!((error.kind(), super::reason(&error)), (kind, reason), "{algorithm}: {error:?}");
        for said in [name, &fingerprint] {
            assert!(error.message().contains(said), "{algorithm}: {error}");
        }
        // Both Helms take all of them.
        assert!(error.hint().unwrap().contains("Helm would accept"), "{algorithm}: {error:?}");
        // Nor do we sign with one.
        let ring = Keyring::read(&gpg.secret(&user, &[])).unwrap();
        let error = PgpSigner::from_keyring(&ring, None, Passphrase::none())
            .and_then(|signer| signer.sign(&package, SystemTime::now()))
            .unwrap_err();
        assert!(error.message().contains(name), "{algorithm}: {error:?}");
    }
}

#[test]
fn kinds_of_subkeys_that_are_not_taken_are_named() {
    let Some(gpg) = Gpg::start("kinds_of_subkeys_that_are_not_taken_are_named") else { return };
    let package = tiny("web", "1.2.3");
    for (algorithm, reason, name) in [
        ("rsa1024", "weak-algorithm", "RSA-1024"),
        ("brainpoolP256r1/ecdsa", "unsupported-key", "brainpoolP256r1"),
    ] {
        let user = format!("{name} <{name}@example.com>");
        let fingerprint = gpg.key(&user, "ed25519", "cert", &[]);
        let said =
            gpg.run(&["--passphrase", "", "--quick-add-key", &fingerprint, algorithm, "sign", "never"]);
        assert_eq!(said.code, Some(0), "{said:?}");
        let signed = signed(&gpg, &package, &["--local-user", &user, "--digest-algo", "SHA512"]);
        let error = verify_package(&signed, &any_key(&gpg.public(&user)), SystemTime::now()).unwrap_err();
        assert_eq!(super::reason(&error), reason, "{algorithm}: {error:?}");
        assert!(error.message().contains(name) && !error.message().contains(&fingerprint), "{error}");
    }
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

    // Of two signatures the one of a known key is told of, whoever signed first.
    gpg.key("Stranger <stranger@example.com>", "ed25519", "sign", &then);
    let stranger = any_key(&gpg.public("stranger@example.com"));
    for [one, two] in
        [["stranger@example.com", "signer@example.com"], ["signer@example.com", "stranger@example.com"]]
    {
        let users = ["--local-user", one, "--local-user", two, "--faked-system-time", "20200601T000000"];
        let both = signed(&gpg, &package, &users);
        assert_eq!(verify(&both, &strict), Err("key-expired"), "{one}");
        assert!(verify(&both, &lenient).is_ok() && verify(&both, &stranger).is_ok(), "{one}");
    }

    let short_lived = strict.keyring().clone();
    // Its owner extends it, and what was signed before is good again.
    let fingerprint = gpg.fingerprint(USER);
    let said = gpg.run(&["--passphrase", "", "--quick-set-expire", &fingerprint, "0"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let extended = any_key(&gpg.public(USER));
    assert!(verify(&old, &extended).is_ok());
    // The last word counts, in whatever order the words come: an old ring beside the new one changes nothing.
    for ring in [short_lived.join(extended.keyring()), extended.keyring().join(&short_lived)] {
        assert!(verify(&old, &PgpVerifier::any_key(ring)).is_ok());
    }

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
fn why_and_when_a_key_was_revoked() {
    let Some(gpg) = Gpg::start("why_and_when_a_key_was_revoked") else { return };
    let package = tiny("web", "1.2.3");
    for (reason, is_soft) in [(0, false), (1, false), (2, true), (3, true)] {
        let user = format!("Reason {reason} <reason{reason}@example.com>");
        gpg.key(&user, "ed25519", "sign", &["--faked-system-time", "20200101T000000"]);
        let then = |time| signed(&gpg, &package, &["--faked-system-time", time, "--local-user", &user]);
        let (early, late) = (then("20200601T000000"), then("20210601T000000"));
        gpg.revoke_for(&user, reason, "20210101T000000");
        let strict = any_key(&gpg.public(&user));
        let lenient = strict.clone().with_expiry(KeyExpiry::AtSigning);
        for signed in [&early, &late] {
            assert_eq!(verify(signed, &strict), Err("key-revoked"), "{user}");
        }
        // Where nobody else has the key, what it signed before that day is good to those who say so.
        assert_eq!(
            verify(&early, &lenient).map(drop),
            if is_soft { Ok(()) } else { Err("key-revoked") },
            "{user}"
        );
        assert_eq!(verify(&late, &lenient), Err("key-revoked"), "{user}");
    }
}

#[test]
fn what_a_key_says_of_itself_is_held_against_it() {
    let Some(gpg) = Gpg::start("what_a_key_says_of_itself_is_held_against_it") else { return };
    let package = tiny("web", "1.2.3");
    gpg.key(USER, "ed25519", "sign", &[]);
    let (signed, mut public) = (signed(&gpg, &package, &[]), gpg.public(USER));
    assert!(verify(&signed, &any_key(&public)).is_ok());
    let own = signature_of_type(&public, 0x13).unwrap();
    public[own.end - 1] ^= 1;
    assert_eq!(verify(&signed, &any_key(&public)), Err("key-unusable"));
}

#[test]
fn a_signature_over_bytes_is_none_over_a_text() {
    let Some(gpg) = Gpg::start("a_signature_over_bytes_is_none_over_a_text") else { return };
    let package = tiny("web", "1.2.3");
    gpg.key(USER, "ed25519", "sign", &[]);
    let ring = any_key(&gpg.public(USER));
    let message = Provenance::message(&package).unwrap();
    let file = gpg.path().join("bytes");
    fs_err::write(&file, Provenance::bytes_to_sign(&message)).unwrap();
    let file = file.to_str().unwrap();
    for (mode, verdict) in [(&["--textmode"][..], Ok(())), (&[], Err("provenance-malformed"))] {
        let signature = gpg.exported(&[mode, &["--digest-algo", "SHA512", "--detach-sign", file]].concat());
        let prov = Provenance::assemble(&message, "SHA512", &signature).unwrap();
        assert_eq!(verify(&package.with_provenance(prov), &ring).map(drop), verdict, "{mode:?}");
    }
}

#[test]
fn a_condition_that_must_be_understood_and_is_not() {
    let Some(gpg) = Gpg::start("a_condition_that_must_be_understood_and_is_not") else { return };
    let package = tiny("web", "1.2.3");
    gpg.key(USER, "ed25519", "sign", &[]);
    let ring = any_key(&gpg.public(USER));
    let noted = |notation| signed(&gpg, &package, &["--sig-notation", notation]);
    assert!(verify(&noted("only@example.com=on mondays"), &ring).is_ok());
    assert_eq!(verify(&noted("!only@example.com=on mondays"), &ring), Err("provenance-malformed"));
}

#[test]
fn a_revocation_that_cannot_be_read_is_one() {
    let Some(gpg) = Gpg::start("a_revocation_that_cannot_be_read_is_one") else { return };
    let package = tiny("web", "1.2.3");
    gpg.key(USER, "ed25519", "sign", &[]);
    let (signed, public) = (signed(&gpg, &package, &[]), gpg.public(USER));
    assert!(verify(&signed, &any_key(&public)).is_ok());
    // Right behind the key, where its revocations are: damaged, and of a version that nobody knows.
    let (key, rest) = public.split_at(packet_end(&public));
    for revocation in [[4, 0x20, 22, 10, 0xff, 0xff], [9, 0x20, 0, 0, 0, 0]] {
        let ring = [key, &[0xc2, 6], &revocation, rest].concat();
        assert_eq!(verify(&signed, &any_key(&ring)), Err("key-revoked"), "{revocation:?}");
    }
}

#[test]
fn a_subkey_that_has_expired() {
    let Some(gpg) = Gpg::start("a_subkey_that_has_expired") else { return };
    let package = tiny("web", "1.2.3");
    let fingerprint = gpg.key(USER, "ed25519", "cert", &["--faked-system-time", "20200101T000000"]);
    let then = ["--faked-system-time", "20200102T000000", "--passphrase", ""];
    let said = gpg.run(&[&then[..], &["--quick-add-key", &fingerprint, "ed25519", "sign", "1y"]].concat());
    assert_eq!(said.code, Some(0), "{said:?}");
    let signed = signed(&gpg, &package, &["--faked-system-time", "20200601T000000"]);
    let strict = any_key(&gpg.public(USER));
    assert_eq!(verify(&signed, &strict), Err("key-expired"), "its primary key never expires");
    assert!(verify(&signed, &strict.with_expiry(KeyExpiry::AtSigning)).is_ok());
}

#[test]
fn a_signature_from_before_there_was_the_subkey() {
    let Some(gpg) = Gpg::start("a_signature_from_before_there_was_the_subkey") else { return };
    let package = tiny("web", "1.2.3");
    let fingerprint = gpg.key(USER, "ed25519", "cert", &["--faked-system-time", "20200101T000000"]);
    let then = ["--faked-system-time", "20210101T000000", "--passphrase", ""];
    let said = gpg.run(&[&then[..], &["--quick-add-key", &fingerprint, "ed25519", "sign", "never"]].concat());
    assert_eq!(said.code, Some(0), "{said:?}");
    for (time, verdict) in [("20200601T000000", Err("signature-time")), ("20210601T000000", Ok(()))] {
        let when = ["--faked-system-time", time, "--ignore-time-conflict", "--ignore-valid-from"];
        let signed = signed(&gpg, &package, &when);
        assert_eq!(verify(&signed, &any_key(&gpg.public(USER))).map(drop), verdict, "{time}");
    }
}

#[test]
fn hashes_that_are_announced_are_those_that_are_used() {
    let Some(gpg) = Gpg::start("hashes_that_are_announced_are_those_that_are_used") else { return };
    let package = tiny("web", "1.2.3");
    gpg.key(USER, "ed25519", "sign", &[]);
    let ring = any_key(&gpg.public(USER));
    let prov = gpg.clearsign(&Provenance::message(&package).unwrap(), &["--digest-algo", "SHA512"]);
    let prov = String::from_utf8(prov).unwrap();
    for (headers, verdict) in [
        ("Hash: SHA512", Ok(())),
        ("Hash: SHA512\nHash: SHA256", Err("provenance-malformed")),
        ("Hash: SHA256", Err("provenance-malformed")),
    ] {
        let prov = prov.replacen("Hash: SHA512", headers, 1);
        assert_eq!(verify(&package.with_provenance(prov), &ring).map(drop), verdict, "{headers}");
    }
}

#[test]
fn a_user_id_that_was_taken_back() {
    let Some(gpg) = Gpg::start("a_user_id_that_was_taken_back") else { return };
    let package = tiny("web", "1.2.3");
    let fingerprint = gpg.key(USER, "ed25519", "sign", &[]);
    const OTHER: &str = "Former <former@example.com>";
    let done = |said: crate::support::process::Finished| assert_eq!(said.code, Some(0), "{said:?}");
    done(gpg.run(&["--passphrase", "", "--quick-add-uid", &fingerprint, OTHER]));
    let signed = signed(&gpg, &package, &[]);
    let both = verify(&signed, &any_key(&gpg.public(USER))).unwrap();
    assert_eq!(both.user_ids.len(), 2, "{both:?}");
    done(gpg.run(&["--passphrase", "", "--quick-revoke-uid", &fingerprint, OTHER]));
    let evidence = verify(&signed, &any_key(&gpg.public(USER))).unwrap();
    assert_eq!(evidence.user_ids, [USER], "the key is good, and nobody's former name is told");
    // Its first name goes as well; the one that stays says what the key is for.
    done(gpg.run(&["--passphrase", "", "--quick-add-uid", &fingerprint, "Third <third@example.com>"]));
    done(gpg.run(&["--passphrase", "", "--quick-revoke-uid", &fingerprint, USER]));
    let evidence = verify(&signed, &any_key(&gpg.public(&fingerprint))).unwrap();
    assert_eq!(evidence.user_ids, ["Third <third@example.com>"]);
}

#[test]
fn whom_a_key_lets_revoke_it() {
    let Some(gpg) = Gpg::start("whom_a_key_lets_revoke_it") else { return };
    let package = tiny("web", "1.2.3");
    const REVOKER: &str = "Revoker <revoker@example.com>";
    let (fingerprint, revoker) =
        (gpg.key(USER, "ed25519", "sign", &[]), gpg.key(REVOKER, "ed25519", "sign", &[]));
    let commands = |text: &str| {
        let file = gpg.path().join("commands");
        fs_err::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let file = commands(&format!("addrevoker\n{revoker}\ny\nsave\n"));
    let said =
        gpg.run(&["--no-batch", "--passphrase", "", "--command-file", &file, "--edit-key", &fingerprint]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let signed = signed(&gpg, &package, &["--local-user", &fingerprint]);
    let before = gpg.exported(&["--export", &fingerprint, &revoker]);
    verify(&signed, &any_key(&before)).unwrap();

    let file = commands("y\n0\n\ny\n");
    let certificate = gpg.path().join("certificate");
    let output = certificate.to_str().unwrap();
    let said = gpg.run(&[
        "--no-batch",
        "--passphrase",
        "",
        "--command-file",
        &file,
        "--output",
        output,
        "--desig-revoke",
        &fingerprint,
    ]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let said = gpg.run(&["--import", output]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let alone = gpg.public(&fingerprint);
    let both = gpg.exported(&["--export", &fingerprint, &revoker]);
    for ring in [&both, &alone] {
        // With the revoker in the ring it is proven, without it nobody can say that it is not so.
        let strict = any_key(ring);
        assert_eq!(verify(&signed, &strict), Err("key-revoked"));
        assert_eq!(verify(&signed, &strict.with_expiry(KeyExpiry::AtSigning)), Err("key-revoked"));
    }
    // What only says to be the revoker's is known for what it is where the revoker is in the ring.
    let mut forged = both.clone();
    let revocation = signature_of_type(&forged, 0x20).unwrap();
    forged[revocation.end - 1] ^= 1;
    assert!(verify(&signed, &any_key(&forged)).is_ok());
    // Somebody whom the key does not name revokes nothing: the same packets under a key that appointed nobody.
    let stranger = gpg.key("Stranger <stranger@example.com>", "ed25519", "sign", &[]);
    let theirs = tiny("web", "1.2.4");
    let theirs = theirs
        .with_provenance(gpg.clearsign(&Provenance::message(&theirs).unwrap(), &["--local-user", &stranger]));
    let foreign = alone[signature_of_type(&alone, 0x20).unwrap()].to_vec();
    let mut ring = gpg.public(&stranger);
    let behind_key = packet_end(&ring);
    ring.splice(behind_key..behind_key, foreign);
    assert!(verify(&theirs, &any_key(&ring)).is_ok());
}

/// Where the first packet of a binary export ends.
fn packet_end(bytes: &[u8]) -> usize {
    match bytes[0] & 3 {
        _ if bytes[0] & 0x40 != 0 => 2 + usize::from(bytes[1]),
        0 => 2 + usize::from(bytes[1]),
        _ => 3 + usize::from(bytes[1]) * 256 + usize::from(bytes[2]),
    }
}

/// Where the first signature of this type is among the packets.
fn signature_of_type(bytes: &[u8], kind: u8) -> Option<std::ops::Range<usize>> {
    let mut start = 0;
    while start < bytes.len() {
        let packet = &bytes[start..start + packet_end(&bytes[start..])];
        let head = if packet[0] & 0x40 == 0 && packet[0] & 3 == 1 { 3 } else { 2 };
        if packet[head] == 4 && packet[head + 1] == kind {
            return Some(start..start + packet.len());
        }
        start += packet.len();
    }
    None
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

    // Nor without that of the primary key.
    let binding = signature_of_type(&public, 0x18).unwrap();
    let mut broken = public.clone();
    broken[binding.end - 1] ^= 1;
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
    assert_eq!(error.kind(), ErrorKind::NotSigned);
    // Another package's file does not help.
    let other = signed(&gpg, &tiny("web", "1.2.4"), &[]);
    let swapped = tiny("web", "1.2.3").with_provenance(other.provenance().unwrap().clone());
    assert_eq!(verify(&swapped, &policy), Err("provenance-mismatch"));
}
