use p521::ecdsa::{
    Signature as P521Signature, VerifyingKey as P521Key, signature::hazmat::PrehashVerifier as _,
};
use ring::signature::{self as algorithms, UnparsedPublicKey, VerificationAlgorithm};
use sha2::{Digest as _, Sha256, Sha512};

use super::{KeyAlgorithm, PublicKey};

/// Whether `signature` is `key`'s over `message`.
///
/// What cosign signs with other hashes than it checks with by default (P-384, P-521, Ed25519) is taken in both ways: a signature says the same in
/// either.
pub(super) fn is_good(key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
    let ring = |algorithm: &'static dyn VerificationAlgorithm| {
        UnparsedPublicKey::new(algorithm, key.raw()).verify(message, signature).is_ok()
    };
    match key.algorithm {
        KeyAlgorithm::EcdsaP256 => ring(&algorithms::ECDSA_P256_SHA256_ASN1),
        KeyAlgorithm::EcdsaP384 => {
            ring(&algorithms::ECDSA_P384_SHA384_ASN1) || ring(&algorithms::ECDSA_P384_SHA256_ASN1)
        }
        KeyAlgorithm::EcdsaP521 => p521(key.raw(), message, signature),
        KeyAlgorithm::Rsa => ring(&algorithms::RSA_PKCS1_2048_8192_SHA256),
        KeyAlgorithm::Ed25519 => {
            ring(&algorithms::ED25519) || ed25519_prehashed(key.raw(), message, signature)
        }
    }
}

/// A digest as the number that is signed over P-521: longer than any digest, so zeros stand in front.
pub(super) fn p521_number(digest: &[u8]) -> [u8; 66] {
    let mut number = [0; 66];
    for (to, from) in number.iter_mut().rev().zip(digest.iter().rev()) {
        *to = *from;
    }
    number
}

fn p521(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let (Ok(key), Ok(signature)) = (P521Key::from_sec1_bytes(key), P521Signature::from_der(signature)) else {
        return false;
    };
    let good = |digest: &[u8]| key.verify_prehash(&p521_number(digest), &signature).is_ok();
    good(&Sha512::digest(message)) || good(&Sha256::digest(message))
}

/// Ed25519ph (RFC 8032, 5.1) without a context.
fn ed25519_prehashed(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let (Ok(key), Ok(signature)) = (key.try_into(), signature.try_into()) else { return false };
    let Ok(key) = ed25519_dalek::VerifyingKey::from_bytes(key) else { return false };
    let signature = ed25519_dalek::Signature::from_bytes(signature);
    key.verify_prehashed_strict(Sha512::new_with_prefix(message), None, &signature).is_ok()
}
