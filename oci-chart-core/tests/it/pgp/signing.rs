//! Signing, with keys of gpg's in every state, and gpg judging the result.

use std::{
    sync::{Arc, Mutex},
    time::SystemTime,
};

use oci_chart_core::{
    Error, ErrorKind, Secret,
    chart::Provenance,
    trust::pgp::{Keyring, Passphrase, PgpSigner, PgpVerifier},
};

use super::{NOW, any_key, at, reason, tiny, verify_package};
use crate::support::{corpus::corpus, gpg::Gpg};

const USER: &str = "Signer <signer@example.com>";

/// What gpg says of a block: whether it exits well, and its status words.
fn gpg_says(gpg: &Gpg, prov: &[u8]) -> (bool, String) {
    let file = gpg.path().join("judged.prov");
    fs_err::write(&file, prov).unwrap();
    let said = gpg.run(&["--status-fd", "1", "--verify", file.to_str().unwrap()]);
    (said.code == Some(0), said.stdout)
}

#[test]
fn gpg_accepts_what_we_sign() {
    let Some(gpg) = Gpg::start("gpg_accepts_what_we_sign") else { return };
    let package = tiny("web", "1.2.3");
    for (algorithm, usage) in [
        ("rsa2048", "sign"),
        ("rsa3072", "default"),
        ("ed25519", "sign"),
        ("nistp256", "sign"),
        ("nistp384", "sign"),
        ("nistp521", "sign"),
    ] {
        let user = format!("{algorithm} <{algorithm}@example.com>");
        let fingerprint = gpg.key(&user, algorithm, usage, &[]);
        let ring = Keyring::read(&gpg.secret(&user, &[])).unwrap();
        let signer = PgpSigner::from_keyring(&ring, None, Passphrase::none()).unwrap();
        let now = SystemTime::now();
        let signed = signer.sign(&package, now).unwrap();
        // OpenPGP's largest curve is the one whose signatures are random here.
        if algorithm != "nistp521" {
            let again = signer.sign(&package, now).unwrap();
            assert_eq!(again.provenance(), signed.provenance(), "{algorithm}: one file");
        }
        let (good, status) = gpg_says(&gpg, signed.provenance().unwrap());
        assert!(
            good && status.contains("GOODSIG") && status.contains(&format!("VALIDSIG {fingerprint}")),
            "{algorithm}: {status}"
        );
        let public =
            PgpVerifier::new(Keyring::read(&gpg.public(&user)).unwrap(), [fingerprint.parse().unwrap()])
                .unwrap();
        assert_eq!(verify_package(&signed, &public, now).unwrap().signer.as_str(), fingerprint);
    }
}

#[test]
fn passphrases_come_from_everywhere() {
    let Some(gpg) = Gpg::start("passphrases_come_from_everywhere") else { return };
    let protected = ["--passphrase", "päss word"];
    let arguments = [&protected[..], &["--quick-generate-key", USER, "ed25519", "sign", "never"]].concat();
    assert_eq!(gpg.run(&arguments).code, Some(0));
    let fingerprint = gpg.fingerprint(USER);
    let ring = Keyring::read(&gpg.secret(USER, &protected)).unwrap();
    let package = tiny("web", "1.2.3");
    let sign = |passphrase| {
        let signer = PgpSigner::from_keyring(&ring, Some("signer@example.com"), passphrase).unwrap();
        let shown = format!("{signer:?}");
        assert!(!shown.contains("word"), "{shown}");
        signer.sign(&package, SystemTime::now())
    };
    let file = gpg.path().join("passphrase");
    fs_err::write(&file, "päss word\r\nanother line\n").unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let callback = Passphrase::from_callback(move |key| {
        seen.lock().unwrap().push(key.to_owned());
        Ok(Secret::new("päss word"))
    });
    for good in [Passphrase::new("päss word"), Passphrase::from_file(&file), callback] {
        let signed = sign(good).unwrap();
        assert!(gpg_says(&gpg, signed.provenance().unwrap()).0);
    }
    assert_eq!(*asked.lock().unwrap(), [format!("{fingerprint} \"{USER}\"")]);

    for bad in [Passphrase::none(), Passphrase::new("wrong"), Passphrase::new("")] {
        let shown = format!("{bad:?}");
        let error = sign(bad).unwrap_err();
        assert_eq!(
            (error.kind(), reason(&error)),
            (ErrorKind::InvalidInput, "wrong-passphrase"),
            "{error:?}"
        );
        assert!(!format!("{error:?}{shown}").contains("wrong\""), "{error:?}");
    }
    let missing = sign(Passphrase::from_file(gpg.path().join("nowhere"))).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    let unset = sign(Passphrase::from_environment("OCI_CHART_TEST_NO_SUCH_VARIABLE")).unwrap_err();
    assert_eq!(unset.get("variable"), Some("OCI_CHART_TEST_NO_SUCH_VARIABLE"));
    let own = sign(Passphrase::from_callback(|_| Err(Error::cancelled()))).unwrap_err();
    assert_eq!(own.kind(), ErrorKind::Cancelled);
    // A key without a passphrase does not mind one.
    gpg.key("Open <open@example.com>", "ed25519", "sign", &[]);
    let open = Keyring::read(&gpg.secret("Open <open@example.com>", &[])).unwrap();
    let signer = PgpSigner::from_keyring(&open, None, Passphrase::new("needless")).unwrap();
    assert!(signer.sign(&package, SystemTime::now()).is_ok());
}

#[test]
fn keys_are_found_as_helm_finds_them_and_by_fingerprint() {
    let Some(gpg) = Gpg::start("keys_are_found_as_helm_finds_them_and_by_fingerprint") else { return };
    let users = ["Ann <ann@example.com>", "Joann <joann@example.com>", "Ann <ann@example.com> (old)"];
    let fingerprints = users.map(|user| {
        let said = gpg.run(&["--passphrase", "", "--quick-generate-key", user, "ed25519", "sign", "never"]);
        assert_eq!(said.code, Some(0), "{said:?}");
        gpg.fingerprint(&format!("={user}"))
    });
    let ring = Keyring::read(&gpg.exported(&["--export-secret-keys"])).unwrap();
    let chosen = |choice| {
        let signer = PgpSigner::from_keyring(&ring, choice, Passphrase::none())?;
        Ok::<_, Error>(format!("{signer:?}"))
    };
    let lower = fingerprints[2].to_lowercase();
    for (choice, wanted) in
        [(users[0], 0), ("Joann", 1), ("(old)", 2), (fingerprints[1].as_str(), 1), (lower.as_str(), 2)]
    {
        assert_eq!(chosen(Some(choice)).unwrap(), format!("PgpSigner({})", fingerprints[wanted]), "{choice}");
    }
    for choice in [None, Some("ann@example.com"), Some("nobody"), Some(&fingerprints[0][24..]), Some("")] {
        assert_eq!(chosen(choice).unwrap_err().kind(), ErrorKind::InvalidInput, "{choice:?}");
    }
}

#[test]
fn subkeys_sign_and_stubs_are_understood() {
    let Some(gpg) = Gpg::start("subkeys_sign_and_stubs_are_understood") else { return };
    let fingerprint = gpg.key(USER, "ed25519", "cert", &[]);
    let package = tiny("web", "1.2.3");
    let certify_only = Keyring::read(&gpg.secret(USER, &[])).unwrap();
    let signer = PgpSigner::from_keyring(&certify_only, None, Passphrase::none()).unwrap();
    // Helm signs with such a key, and refuses the result.
    assert_eq!(reason(&signer.sign(&package, SystemTime::now()).unwrap_err()), "key-unusable");

    let said = gpg.run(&["--passphrase", "", "--quick-add-key", &fingerprint, "rsa2048", "sign", "never"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    // With the primary key, and with a stub in its place, as it is kept on another machine.
    for export in ["--export-secret-keys", "--export-secret-subkeys"] {
        let ring = Keyring::read(&gpg.exported(&[export, USER])).unwrap();
        let key = ring.keys().next().unwrap();
        assert!(key.secret && key.fingerprint.as_str() == fingerprint);
        for choice in [None, Some(key.subkeys[0].as_str()), Some(fingerprint.as_str())] {
            let signer = PgpSigner::from_keyring(&ring, choice, Passphrase::none()).unwrap();
            let signed = signer.sign(&package, SystemTime::now()).unwrap();
            assert!(gpg_says(&gpg, signed.provenance().unwrap()).0);
            let evidence = verify_package(&signed, &any_key(&gpg.public(USER)), SystemTime::now()).unwrap();
            assert_eq!(evidence.signer, key.subkeys[0]);
        }
    }
    let public = Keyring::read(&gpg.public(USER)).unwrap();
    let error = PgpSigner::from_keyring(&public, None, Passphrase::none()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
fn a_key_that_may_not_sign_any_more_does_not() {
    let Some(gpg) = Gpg::start("a_key_that_may_not_sign_any_more_does_not") else { return };
    let arguments = [
        "--faked-system-time",
        "20200101T000000",
        "--passphrase",
        "",
        "--quick-generate-key",
        USER,
        "ed25519",
        "sign",
        "1y",
    ];
    assert_eq!(gpg.run(&arguments).code, Some(0));
    let signer =
        PgpSigner::from_keyring(&Keyring::read(&gpg.secret(USER, &[])).unwrap(), None, Passphrase::none())
            .unwrap();
    let package = tiny("web", "1.2.3");
    let error = signer.sign(&package, SystemTime::now()).unwrap_err();
    assert_eq!((error.kind(), reason(&error)), (ErrorKind::PolicyDenied, "key-expired"));
    assert!(signer.sign(&package, at(1_590_000_000)).is_ok());
    assert_eq!(reason(&signer.sign(&package, at(1_500_000_000)).unwrap_err()), "key-unusable");
    for time in [SystemTime::UNIX_EPOCH - std::time::Duration::from_secs(1), at(1 << 40)] {
        assert!(signer.sign(&package, time).is_err());
    }
}

#[test]
fn gpg_signs_for_us_through_a_callback() {
    const TEST: &str = "gpg_signs_for_us_through_a_callback";
    let Some(gpg) = Gpg::start(TEST).map(Arc::new) else { return };
    gpg.key(USER, "ed25519", "sign", &[]);
    let policy = any_key(&gpg.public(USER));
    let package = tiny("web", "1.2.3");
    let sign = |more: &'static [&'static str], change: fn(Vec<u8>) -> Vec<u8>| {
        let gpg = Arc::clone(&gpg);
        let signer = PgpSigner::from_callback(move |bytes| {
            let file = gpg.path().join("to-sign");
            fs_err::write(&file, bytes).unwrap();
            let arguments = [more, &["--detach-sign", file.to_str().unwrap()]].concat();
            Ok(change(gpg.exported(&arguments)))
        });
        signer.sign(&package, SystemTime::now())
    };
    for good in [&["--armor", "--textmode"][..], &["--textmode", "--digest-algo", "SHA256"]] {
        let signed = sign(good, |given| given).unwrap();
        assert!(verify_package(&signed, &policy, SystemTime::now()).is_ok(), "{good:?}");
        assert!(gpg_says(&gpg, signed.provenance().unwrap()).0, "{good:?}");
    }
    for (bad, change) in [
        (&["--armor"][..], (|given| given) as fn(Vec<u8>) -> Vec<u8>),
        (&["--textmode", "--digest-algo", "SHA1"], |given| given),
        (&["--textmode"], |given| [given.clone(), given].concat()),
        (&["--textmode"], |_| Vec::new()),
        (&["--armor", "--textmode"], |given| given[..given.len() / 2].to_vec()),
        (&["--textmode"], |mut given| {
            // The two bytes of the hash stand in front of the numbers.
            let end = given.len() - 70;
            given[end] ^= 1;
            given[end + 1] ^= 1;
            given
        }),
    ] {
        let error = sign(bad, change).unwrap_err();
        assert_eq!(
            (error.kind(), reason(&error)),
            (ErrorKind::SignatureInvalid, "signature-mismatch"),
            "{bad:?}: {error:?}"
        );
    }
}

#[test]
fn helm_s_password_key_signs() {
    const TEST: &str = "helm_s_password_key_signs";
    let Some(folder) = corpus(TEST).map(|corpus| corpus.join("helm/provenance")) else { return };
    let ring = Keyring::from_file(folder.join("helm-password-key.secret")).unwrap();
    let package = tiny("web", "1.2.3");
    let sign = |passphrase| {
        PgpSigner::from_keyring(&ring, Some("fake@helm.sh"), passphrase).unwrap().sign(&package, at(NOW))
    };
    let signed = sign(Passphrase::new("secret")).unwrap();
    assert!(verify_package(&signed, &PgpVerifier::any_key(ring.clone()), at(NOW)).is_ok());
    assert_eq!(reason(&sign(Passphrase::new("Secret")).unwrap_err()), "wrong-passphrase");
}

#[test]
fn what_cannot_be_written_as_a_text_is_not_signed() {
    let Some(gpg) = Gpg::start("what_cannot_be_written_as_a_text_is_not_signed") else { return };
    gpg.key(USER, "ed25519", "sign", &[]);
    let ring = Keyring::read(&gpg.secret(USER, &[])).unwrap();
    let signer = PgpSigner::from_keyring(&ring, None, Passphrase::none()).unwrap();
    for message in ["name: a\u{7}\n\n...\nfiles: {}\n", "name: a\n", "name: a\n\n...\nfiles: {}\n...\nx\n"] {
        let error = signer.sign_message(message, SystemTime::now()).unwrap_err();
        assert_eq!(reason(&error), "provenance-malformed", "{message:?}");
    }
    let text = "name: a\n\n...\nfiles: {}\n";
    let prov = signer.sign_message(text, SystemTime::now()).unwrap();
    assert_eq!(Provenance::parse(&prov).unwrap().text(), text);
}
