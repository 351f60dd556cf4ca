//! The cryptography below bundles, scheme by scheme, as the crate that checks them asks for it: against signatures that OpenSSL made, whole and as
//! digests. Two implementations answer the two questions, so that each judges the other.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fs_err as fs;
use oci_chart_core::{
    ErrorKind, Reason,
    trust::{BundleArtifact, BundleSigner, KeylessPolicy, Policy, PublicKey, TrustRoot, verify_bundle},
};
use serde_json::Value;
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use sigstore_verify::{
    crypto::{Error, SigningScheme, VerificationKey, install_default_provider, try_default_provider},
    types::{DerPublicKey, HashAlgorithm, SignatureBytes},
};

use super::{
    chart::{Chart, fixture, workflow},
    fixtures,
};

const SCHEMES: [SigningScheme; 11] = [
    SigningScheme::EcdsaP256Sha256,
    SigningScheme::EcdsaP256Sha384,
    SigningScheme::EcdsaP384Sha256,
    SigningScheme::EcdsaP384Sha384,
    SigningScheme::Ed25519,
    SigningScheme::RsaPkcs1Sha256,
    SigningScheme::RsaPkcs1Sha384,
    SigningScheme::RsaPkcs1Sha512,
    SigningScheme::RsaPssSha256,
    SigningScheme::RsaPssSha384,
    SigningScheme::RsaPssSha512,
];

struct Vector {
    scheme: SigningScheme,
    what: String,
    good: bool,
    key: Vec<u8>,
    signature: Vec<u8>,
}

fn vectors() -> (Vec<u8>, Vec<Vector>) {
    install();
    let text = fs::read_to_string(fixtures("signatures").join("vectors.json")).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    let bytes = |value: &Value| STANDARD.decode(value.as_str().unwrap()).unwrap();
    let vectors = file["vectors"].as_array().unwrap().iter().map(|vector| Vector {
        scheme: *SCHEMES.iter().find(|scheme| scheme.name() == vector["scheme"]).unwrap(),
        what: format!("{}: {}", vector["scheme"], vector["what"]),
        good: vector["good"].as_bool().unwrap(),
        key: bytes(&vector["key"]),
        signature: bytes(&vector["signature"]),
    });
    (bytes(&file["message"]), vectors.collect())
}

/// The library installs its cryptography when it checks something first.
fn install() {
    let key = fs::read_to_string(fixtures("keyless").join("key.pub")).unwrap();
    let signer = BundleSigner::Key(PublicKey::from_pem(&key).unwrap());
    verify_bundle(b"{}", BundleArtifact::Bytes(b""), &signer, &TrustRoot::embedded()).unwrap_err();
}

/// What both ways of asking say: over the message, and over its digest, where the scheme takes one.
fn ask(scheme: SigningScheme, key: &[u8], message: &[u8], signature: &[u8]) -> (bool, Option<bool>) {
    let Ok(key) = VerificationKey::from_der(&DerPublicKey::new(key.to_vec()), scheme) else {
        return (false, Some(false));
    };
    let signature = SignatureBytes::new(signature.to_vec());
    let whole = key.verify(message, &signature).is_ok();
    let digest = match scheme.hash_algorithm() {
        Some(HashAlgorithm::Sha2256) => Sha256::digest(message).to_vec(),
        Some(HashAlgorithm::Sha2384) => Sha384::digest(message).to_vec(),
        Some(_) => Sha512::digest(message).to_vec(),
        None => return (whole, None),
    };
    match key.verify_prehashed(&digest, &signature) {
        Err(Error::UnsupportedAlgorithm(_)) => (whole, None),
        answer => (whole, Some(answer.is_ok())),
    }
}

#[test]
fn what_openssl_signs_is_good_and_what_is_bent_is_not() {
    let (message, vectors) = vectors();
    for vector in &vectors {
        let (whole, digest) = ask(vector.scheme, &vector.key, &message, &vector.signature);
        assert_eq!(whole, vector.good, "{}", vector.what);
        let whole_only =
            vector.scheme == SigningScheme::Ed25519 || vector.scheme.name().starts_with("RSA_PSS");
        assert!(digest.is_some() || whole_only, "{}", vector.what);
        assert_eq!(digest.unwrap_or(whole), vector.good, "as a digest: {}", vector.what);
        let other = ask(vector.scheme, &vector.key, b"another message", &vector.signature);
        assert!(!other.0 && other.1 != Some(true), "another message: {}", vector.what);
    }
    for scheme in SCHEMES {
        let count =
            |good| vectors.iter().filter(|vector| vector.scheme == scheme && vector.good == good).count();
        assert!(count(true) > 0 && count(false) > 2, "{}", scheme.name());
    }
}

/// The crate in between refuses short keys too; that it always will is not relied on.
#[test]
fn short_rsa_keys_are_refused_here_too() {
    let (message, vectors) = vectors();
    let provider = try_default_provider().unwrap();
    let asked = |bits: &str| {
        let of = |vector: &&Vector| {
            vector.scheme == SigningScheme::RsaPkcs1Sha256
                && vector.what.ends_with(&format!("signs, {bits} bits\""))
        };
        let vector = vectors.iter().find(of).unwrap();
        // What stands in front of the key in a SubjectPublicKeyInfo of this length.
        let key = &vector.key[24..];
        let whole = provider.verify_raw(vector.scheme, key, &message, &vector.signature).is_ok();
        let digest = Sha256::digest(&message);
        (whole, provider.verify_prehashed(vector.scheme, key, &digest, &vector.signature).is_ok())
    };
    assert_eq!((asked("2048"), asked("2047")), ((true, true), (false, false)));
}

#[test]
fn no_bit_of_a_signature_or_a_key_can_be_changed() {
    let (message, vectors) = vectors();
    let mut bent = 0;
    for vector in vectors.iter().filter(|vector| vector.good && vector.key.len() < 600) {
        for (index, bit) in (0..vector.signature.len()).map(|index| (index, 1 << (index % 8))) {
            let mut signature = vector.signature.clone();
            signature[index] ^= bit;
            let answer = ask(vector.scheme, &vector.key, &message, &signature);
            assert!(!answer.0 && answer.1 != Some(true), "byte {index} of the signature, {}", vector.what);
            bent += 1;
        }
        for (index, bit) in (0..vector.key.len()).map(|index| (index, 1 << (index % 8))) {
            let mut key = vector.key.clone();
            key[index] ^= bit;
            let answer = ask(vector.scheme, &key, &message, &vector.signature);
            assert!(!answer.0 && answer.1 != Some(true), "byte {index} of the key, {}", vector.what);
            bent += 1;
        }
    }
    assert!(bent > 5_000, "{bent}");
}

#[test]
fn what_is_not_checked_says_so_and_the_first_choice_stays() {
    install();
    let provider = try_default_provider().unwrap();
    for scheme in [SigningScheme::MlDsa44, SigningScheme::MlDsa65, SigningScheme::MlDsa87] {
        let error = provider.verify_raw(scheme, &[0; 1952], b"message", &[0; 3309]).unwrap_err();
        assert!(matches!(error, Error::UnsupportedAlgorithm(_)), "{error}");
    }
    let error = provider.verify_prehashed(SigningScheme::RsaPssSha256, &[], &[0; 32], &[]).unwrap_err();
    assert!(matches!(error, Error::UnsupportedAlgorithm(_)), "{error}");
    assert!(provider.hash(HashAlgorithm::Sha2256).is_ok() && provider.hash(HashAlgorithm::Sha2384).is_ok());
    assert!(install_default_provider(provider).is_err());
    install();
}

/// The fixtures' authority with a key of ML-DSA-65 in its certificate, and a leaf that says to be signed by it.
#[test]
fn a_certificate_under_ml_dsa_could_not_be_checked() {
    let mut root: Value = serde_json::from_slice(&fixture("trusted_root.json")).unwrap();
    let authority = &mut root["certificateAuthorities"][0]["certChain"]["certificates"][0]["rawBytes"];
    let key =
        [&[0x30, 0x82, 0x07, 0xb2][..], ML_DSA_65, &[0x03, 0x82, 0x07, 0xa1, 0x00], &[7; 1952]].concat();
    // A P-256 key has 91 bytes, of which two are before its algorithm.
    *authority = edited(authority, |signed, _| replace(signed, P256_KEY, -2, 91, &key));

    let mut bundle: Value = serde_json::from_slice(&fixture("bundles/good.json")).unwrap();
    let leaf = &mut bundle["verificationMaterial"]["certificate"]["rawBytes"];
    *leaf = edited(leaf, |signed, rest| {
        for part in [signed, rest] {
            replace(part, ECDSA_SHA256, 0, ECDSA_SHA256.len(), ML_DSA_65);
        }
    });
    let policy = KeylessPolicy::new([workflow()], TrustRoot::from_json(root.to_string()).unwrap());
    let chart = Chart::of_bundles(&[bundle.to_string()]);
    chart.refused(&Policy::Keyless(policy), ErrorKind::CouldNotCheck, Reason::UnsupportedKey);
}

// AlgorithmIdentifiers.
const ECDSA_SHA256: &[u8] = &[0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
const ML_DSA_65: &[u8] = &[0x30, 11, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 0x12];
const P256_KEY: &[u8] =
    &[0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];

/// A certificate with changes in what is signed and in what follows.
fn edited(certificate: &Value, edit: impl Fn(&mut Vec<u8>, &mut Vec<u8>)) -> Value {
    let der = STANDARD.decode(certificate.as_str().unwrap()).unwrap();
    let (mut signed, mut rest) = {
        let (signed, rest) = der[8..].split_at(usize::from(u16::from_be_bytes([der[6], der[7]])));
        (signed.to_vec(), rest.to_vec())
    };
    edit(&mut signed, &mut rest);
    let sequence = |content: &[u8]| {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[0x30, 0x82][..], &length, content].concat()
    };
    STANDARD.encode(sequence(&[sequence(&signed), rest].concat())).into()
}

fn replace(bytes: &mut Vec<u8>, mark: &[u8], offset: isize, length: usize, by: &[u8]) {
    let at =
        bytes.windows(mark.len()).position(|window| window == mark).unwrap().saturating_add_signed(offset);
    bytes.splice(at..at + length, by.iter().copied());
}
