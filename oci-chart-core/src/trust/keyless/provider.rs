//! The cryptography below the crate that checks certificates, logs and timestamps: what the library has in any case for TLS, keys and OpenPGP, where
//! that crate by itself would bring AWS-LC, several megabytes of C.
//!
//! It only checks. What is not checked here is told apart from what is wrong: [`watched`].

use std::cell::Cell;

use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use ring::signature::{self as algorithms, UnparsedPublicKey, VerificationAlgorithm};
use rsa::{BigUint, Pkcs1v15Sign, RsaPublicKey};
use sha2::{Digest, Sha256, Sha384, Sha512};
use sigstore_verify::{
    crypto::{CryptoProvider, Error, HashContext, Result, SigningScheme, install_default_provider},
    types::HashAlgorithm,
};

use crate::trust::key::RSA_BITS;

/// What the DigestInfo of a PKCS#1 v1.5 signature has in front of the digest (RFC 8017, 9.2, note 1).
const SHA256_INFO: [u8; 19] = digest_info(1, 32);
const SHA384_INFO: [u8; 19] = digest_info(2, 48);
const SHA512_INFO: [u8; 19] = digest_info(3, 64);

thread_local! {
    /// A scheme that was asked for on this thread and is not checked here.
    static UNCHECKED: Cell<Option<SigningScheme>> = const { Cell::new(None) };
}

/// Makes this the cryptography of that crate, unless the process has chosen another before: it has one for all its threads, and the first stays.
pub(super) fn install() {
    let _ = install_default_provider(&Provider);
}

/// What `check` says, and the scheme it would have needed besides, if it asked for one that is not checked here.
pub(super) fn watched<T>(check: impl FnOnce() -> T) -> (T, Option<SigningScheme>) {
    UNCHECKED.set(None);
    let answer = check();
    (answer, UNCHECKED.take())
}

#[derive(Debug)]
struct Provider;

impl CryptoProvider for Provider {
    fn hash(&self, algorithm: HashAlgorithm) -> Result<Box<dyn HashContext>> {
        match algorithm {
            HashAlgorithm::Sha2256 => Ok(Box::new(Hash(Sha256::new()))),
            HashAlgorithm::Sha2384 => Ok(Box::new(Hash(Sha384::new()))),
            HashAlgorithm::Sha2512 => Ok(Box::new(Hash(Sha512::new()))),
            other => Err(Error::UnsupportedAlgorithm(other.to_string())),
        }
    }

    fn verify_raw(&self, scheme: SigningScheme, key: &[u8], message: &[u8], signature: &[u8]) -> Result<()> {
        let algorithm: &dyn VerificationAlgorithm = match scheme {
            SigningScheme::EcdsaP256Sha256 => &algorithms::ECDSA_P256_SHA256_ASN1,
            SigningScheme::EcdsaP256Sha384 => &algorithms::ECDSA_P256_SHA384_ASN1,
            SigningScheme::EcdsaP384Sha256 => &algorithms::ECDSA_P384_SHA256_ASN1,
            SigningScheme::EcdsaP384Sha384 => &algorithms::ECDSA_P384_SHA384_ASN1,
            SigningScheme::RsaPkcs1Sha256 => &algorithms::RSA_PKCS1_2048_8192_SHA256,
            SigningScheme::RsaPkcs1Sha384 => &algorithms::RSA_PKCS1_2048_8192_SHA384,
            SigningScheme::RsaPkcs1Sha512 => &algorithms::RSA_PKCS1_2048_8192_SHA512,
            SigningScheme::RsaPssSha256 => &algorithms::RSA_PSS_2048_8192_SHA256,
            SigningScheme::RsaPssSha384 => &algorithms::RSA_PSS_2048_8192_SHA384,
            SigningScheme::RsaPssSha512 => &algorithms::RSA_PSS_2048_8192_SHA512,
            SigningScheme::Ed25519 => return verdict(scheme, ed25519(key, message, signature)),
            other => return unchecked(other),
        };
        // Ring counts whole bytes: to it 2041 bits are as good as 2048.
        let is_long = !scheme.name().starts_with("RSA") || rsa_key(key).is_some();
        let good = is_long && UnparsedPublicKey::new(algorithm, key).verify(message, signature).is_ok();
        verdict(scheme, good)
    }

    /// All that crate asks for: never PSS.
    fn verify_prehashed(
        &self,
        scheme: SigningScheme,
        key: &[u8],
        digest: &[u8],
        signature: &[u8],
    ) -> Result<()> {
        let good = match scheme {
            SigningScheme::EcdsaP256Sha256 | SigningScheme::EcdsaP256Sha384 => p256(key, digest, signature),
            SigningScheme::EcdsaP384Sha256 | SigningScheme::EcdsaP384Sha384 => p384(key, digest, signature),
            SigningScheme::RsaPkcs1Sha256 => pkcs1(key, &SHA256_INFO, digest, signature),
            SigningScheme::RsaPkcs1Sha384 => pkcs1(key, &SHA384_INFO, digest, signature),
            SigningScheme::RsaPkcs1Sha512 => pkcs1(key, &SHA512_INFO, digest, signature),
            other => return unchecked(other),
        };
        verdict(scheme, good)
    }
}

struct Hash<D>(D);

impl<D: Digest + Send> HashContext for Hash<D> {
    fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    fn finalize(self: Box<Self>) -> Vec<u8> {
        self.0.finalize().to_vec()
    }
}

fn verdict(scheme: SigningScheme, good: bool) -> Result<()> {
    good.then_some(()).ok_or_else(|| Error::Verification(format!("{} signature invalid", scheme.name())))
}

fn unchecked(scheme: SigningScheme) -> Result<()> {
    UNCHECKED.set(Some(scheme));
    Err(Error::UnsupportedAlgorithm(format!("{} signatures are not checked", scheme.name())))
}

/// Points stand uncompressed in certificates; who calls has seen to it.
fn p256(key: &[u8], digest: &[u8], signature: &[u8]) -> bool {
    let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(key);
    let signature = p256::ecdsa::Signature::from_der(signature);
    matches!((key, signature), (Ok(key), Ok(signature)) if key.verify_prehash(digest, &signature).is_ok())
}

fn p384(key: &[u8], digest: &[u8], signature: &[u8]) -> bool {
    let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(key);
    let signature = p384::ecdsa::Signature::from_der(signature);
    matches!((key, signature), (Ok(key), Ok(signature)) if key.verify_prehash(digest, &signature).is_ok())
}

fn pkcs1(key: &[u8], info: &[u8; 19], digest: &[u8], signature: &[u8]) -> bool {
    let Some(key) = rsa_key(key) else { return false };
    let scheme = Pkcs1v15Sign { hash_len: Some(usize::from(info[18])), prefix: info.as_slice().into() };
    key.verify(scheme, digest, signature).is_ok()
}

/// An RSAPublicKey (RFC 8017, A.1.1) of a length that counts.
fn rsa_key(key: &[u8]) -> Option<RsaPublicKey> {
    let key = rsa::pkcs1::RsaPublicKey::try_from(key).ok()?;
    let number = |number: rsa::pkcs1::UintRef<'_>| BigUint::from_bytes_be(number.as_bytes());
    let modulus = number(key.modulus);
    if !RSA_BITS.contains(&modulus.bits()) {
        return None;
    }
    RsaPublicKey::new_with_max_size(modulus, number(key.public_exponent), *RSA_BITS.end()).ok()
}

fn ed25519(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let (Ok(key), Ok(signature)) = (key.try_into(), signature.try_into()) else { return false };
    let signature = ed25519_dalek::Signature::from_bytes(signature);
    ed25519_dalek::VerifyingKey::from_bytes(key)
        .is_ok_and(|key| key.verify_strict(message, &signature).is_ok())
}

/// The hash functions of SHA-2 differ in the last number of their object identifier.
const fn digest_info(function: u8, length: u8) -> [u8; 19] {
    let all = length + 17;
    [0x30, all, 0x30, 13, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, function, 5, 0, 4, length]
}
