//! Key files of cosign and OpenSSL: which are read, and which are refused and why.

use oci_chart_core::{
    ErrorKind, Reason, Result, Secret,
    trust::{KeyAlgorithm, PublicKey, Signer as _, SigningKey},
};

use super::support::{fixtures, public};
use crate::{
    remote::block,
    support::{process::Sandbox, say, tools},
};

fn open(path: &std::path::Path, password: &str) -> Result<SigningKey> {
    SigningKey::from_pem(&fs_err::read_to_string(path).unwrap(), || Ok(Secret::new(password)))
}

#[test]
fn cosign_s_key_files_open_and_sign() {
    const TEST: &str = "cosign_s_key_files_open_and_sign";
    let Some(keys) = fixtures(TEST).map(|fixtures| fixtures.join("keys")) else { return };
    for (name, algorithm) in [
        ("cosign2", KeyAlgorithm::EcdsaP256),
        ("cosign3", KeyAlgorithm::EcdsaP256),
        ("rsa2048", KeyAlgorithm::Rsa),
        ("p384", KeyAlgorithm::EcdsaP384),
        ("p521", KeyAlgorithm::EcdsaP521),
        ("ed25519", KeyAlgorithm::Ed25519),
    ] {
        let key = open(&keys.join(name).with_extension("key"), "test").unwrap();
        assert_eq!(key.public_key(), &public(TEST, &format!("{name}.pub")).unwrap(), "{name}");
        assert_eq!(key.public_key().algorithm(), algorithm);
        let signature = block(key.sign(b"message")).unwrap();
        assert!(key.public_key().verifies(b"message", &signature), "{name}");
        assert!(!key.public_key().verifies(b"massage", &signature), "{name}");
        let pem = fs_err::read_to_string(keys.join(name).with_extension("pub")).unwrap();
        assert_eq!(key.public_key().to_pem(), pem, "{name}");
    }
    let empty = open(&keys.join("empty-password.key"), "").unwrap();
    assert_eq!(empty.public_key(), &public(TEST, "empty-password.pub").unwrap());
    let pkcs1 = public(TEST, "rsa2048.pkcs1.pub").unwrap();
    assert_eq!(pkcs1, public(TEST, "rsa2048.pub").unwrap());
}

#[test]
fn plain_keys_of_openssl_are_imported() {
    const TEST: &str = "plain_keys_of_openssl_are_imported";
    let Some(keys) = fixtures(TEST).map(|fixtures| fixtures.join("keys")) else { return };
    for (name, same) in [
        ("rsa2048.pkcs1.pem", "rsa2048.pub"),
        ("p384.sec1.pem", "p384.pub"),
        ("p521.sec1.pem", "p521.pub"),
        ("ed25519.pkcs8.pem", "ed25519.pub"),
    ] {
        let key = SigningKey::from_pem(&fs_err::read_to_string(keys.join(name)).unwrap(), || unreachable!());
        assert_eq!(key.unwrap().public_key(), &public(TEST, same).unwrap(), "{name}");
    }
    for name in ["p256.sec1.pem", "p256.pkcs8.pem"] {
        assert!(open(&keys.join(name), "").is_ok(), "{name}");
    }
    let error = open(&keys.join("p256.ecparams-first.pem"), "").unwrap_err();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::InvalidInput, Some(Reason::BadKey)));
    assert!(error.hint().unwrap().contains("EC PARAMETERS"));
}

#[test]
fn variants_are_read_as_cosign_reads_them() {
    const TEST: &str = "variants_are_read_as_cosign_reads_them";
    let Some(variants) = fixtures(TEST).map(|fixtures| fixtures.join("keys/variants")) else { return };
    let same = public(TEST, "cosign3.pub").unwrap();
    let mut seen = 0;
    for entry in fs_err::read_dir(variants).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let expected = match &*name {
            "n32768-SIGSTORE" | "n131072-SIGSTORE" | "n65536-COSIGN" | "crlf" | "oneline" | "lead"
            | "trail" => None,
            // The last calls itself encrypted PKCS#8, as OpenSSL's keys do.
            "n16384-SIGSTORE" | "n262144-SIGSTORE" | "p2" | "r4" | "wrong-pem-type" => {
                Some(Reason::UnsupportedKey)
            }
            "sec1inside" => Some(Reason::BadKey),
            name => panic!("what is {name}?"),
        };
        match (open(&path, "test"), expected) {
            (Ok(key), None) => assert_eq!(key.public_key(), &same, "{name}"),
            (Err(error), Some(reason)) => assert_eq!(error.reason(), Some(reason), "{name}: {error:?}"),
            (result, _) => panic!("{name}: {result:?}"),
        }
        seen += 1;
    }
    assert_eq!(seen, 13);
    say(&format!("{TEST}: {seen} variants"));
}

#[test]
fn a_wrong_password_is_one_and_never_shown() {
    let key = SigningKey::generate().unwrap();
    let file = key.to_encrypted_pem(&Secret::new("right")).unwrap();
    let error = SigningKey::from_pem(file.expose(), || Ok(Secret::new("wrong-hunter2"))).unwrap_err();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::InvalidInput, Some(Reason::WrongPassphrase)));
    for text in [format!("{error:?}"), format!("{key:?}")] {
        assert!(!text.contains("hunter2"), "{text}");
    }
    let asked = SigningKey::from_pem(file.expose(), || {
        Err(oci_chart_core::Error::new(ErrorKind::Cancelled, "no password today"))
    });
    assert_eq!(asked.unwrap_err().kind(), ErrorKind::Cancelled);
    assert_eq!(
        SigningKey::from_pem(file.expose(), || Ok(Secret::new("right"))).unwrap().public_key(),
        key.public_key()
    );
}

#[test]
fn kinds_of_keys_that_are_not_used_are_named() {
    const TEST: &str = "kinds_of_keys_that_are_not_used_are_named";
    let Some(openssl) = tools::judge(TEST, "openssl") else { return };
    let sandbox = Sandbox::new();
    let file = sandbox.path().join("key.pem");
    let file = file.to_str().unwrap();
    let generate = |words: &str| {
        let arguments: Vec<&str> = words.split(' ').chain(["-out", file]).collect();
        sandbox.run(&openssl, [&["genpkey", "-algorithm"], &arguments[..]].concat()).success();
        let public = sandbox.run(&openssl, ["pkey", "-in", file, "-passin", "pass:x", "-pubout"]).success();
        (fs_err::read_to_string(file).unwrap(), public)
    };
    let ask = || -> Result<Secret> { unreachable!("there is nothing to decrypt") };
    let ec = "EC -pkeyopt ec_param_enc:named_curve -pkeyopt ec_paramgen_curve:";
    for (words, name) in [
        ("RSA -pkeyopt rsa_keygen_bits:1024".to_owned(), "2048"),
        ("RSA-PSS -pkeyopt rsa_keygen_bits:2048".to_owned(), "RSASSA-PSS"),
        (format!("{ec}P-224"), "P-224"),
        (format!("{ec}secp256k1"), "secp256k1"),
        (format!("{ec}prime192v1"), "P-192"),
        (format!("{ec}brainpoolP256r1"), "brainpoolP256r1"),
        (format!("{ec}brainpoolP384r1"), "brainpoolP384r1"),
        (format!("{ec}brainpoolP512r1"), "brainpoolP512r1"),
        ("EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit".to_owned(), "without a name"),
        ("ED448".to_owned(), "Ed448"),
        ("X25519".to_owned(), "X25519"),
    ] {
        let (private, public) = generate(&words);
        let errors =
            [SigningKey::from_pem(&private, ask).unwrap_err(), public.parse::<PublicKey>().unwrap_err()];
        for error in errors {
            assert_eq!(error.reason(), Some(Reason::UnsupportedKey), "{words}: {error:?}");
            assert!(error.message().contains(name), "{words}: {error}");
            assert!(error.hint().unwrap().contains("P-256"), "{words}: {error:?}");
        }
    }
    for words in [
        "RSA -pkeyopt rsa_keygen_bits:2048",
        "RSA -pkeyopt rsa_keygen_bits:4096",
        &format!("{ec}P-256"),
        &format!("{ec}P-384"),
        &format!("{ec}P-521"),
        "ED25519",
    ] {
        let (private, public) = generate(words);
        let key = SigningKey::from_pem(&private.replace('\n', "\r\n"), ask).unwrap();
        // The first of several blocks counts, whatever its line ends.
        let (_, other) = generate("ED25519");
        let read: PublicKey = format!("{}{other}", public.replace('\n', "\r\n")).parse().unwrap();
        assert_eq!(key.public_key(), &read, "{words}");
        assert_eq!(PublicKey::from_der(read.to_der()).unwrap(), read);
        assert!(read.verifies(b"message", &block(key.sign(b"message")).unwrap()), "{words}");
        // DER is no text, and a private key no public one.
        for text in [String::from_utf8_lossy(read.to_der()).into_owned(), private] {
            assert_eq!(text.parse::<PublicKey>().unwrap_err().reason(), Some(Reason::BadKey), "{words}");
        }
    }
    let (encrypted, _) = generate("ED25519 -aes256 -pass pass:x");
    let error = SigningKey::from_pem(&encrypted, ask).unwrap_err();
    assert_eq!(error.reason(), Some(Reason::UnsupportedKey));
    assert!(error.hint().unwrap().contains("openssl pkcs8"), "{error:?}");
}

#[test]
fn what_is_no_key_is_refused() {
    for (text, reason) in [
        ("", Reason::BadKey),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", Reason::BadKey),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", Reason::BadKey),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", Reason::BadKey),
        // Curve secp256k1.
        (
            "-----BEGIN PUBLIC KEY-----\nMFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAE0/hF6a35DhXHk0I26zyD6QMGs8wyyr+K\npKuYurXJ5MMzO179Bm6ISbTxGRNtPzB4o+dRemgD6Y+HqAhxzJP9ZQ==\n-----END PUBLIC KEY-----",
            Reason::UnsupportedKey,
        ),
    ] {
        let error = text.parse::<PublicKey>().unwrap_err();
        assert_eq!((error.kind(), error.reason()), (ErrorKind::InvalidInput, Some(reason)), "{text}");
    }
    let private = "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----".parse::<PublicKey>();
    assert!(private.unwrap_err().message().contains("a private key"));
    // One key has one encoding, so that nobody signs twice with it.
    let key = SigningKey::generate().unwrap();
    let der = key.public_key().to_der();
    let point = der.len() - 65;
    for (name, other) in [
        ("a byte behind it", [der, &[0]].concat()),
        ("a byte behind the key", [&[0x30, 0x5a], &der[2..], &[0]].concat()),
        ("bits that are not used", [&der[..point - 1], &[1], &der[point..]].concat()),
        ("a long length", [&[0x30, 0x81, 0x59], &der[2..]].concat()),
        ("a short point", [&[0x30, 57], &der[2..24], &[66 - 32, 0, 2], &der[point + 1..point + 33]].concat()),
    ] {
        let error = PublicKey::from_der(&other).unwrap_err();
        assert_eq!((error.kind(), error.reason()), (ErrorKind::InvalidInput, Some(Reason::BadKey)), "{name}");
    }
}
