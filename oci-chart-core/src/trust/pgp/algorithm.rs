//! Which algorithms count.

use pgp::{
    crypto::hash::HashAlgorithm,
    ser::Serialize as _,
    types::{EcdsaPublicParams, EddsaLegacyPublicParams, KeyDetails, PublicParams},
};

/// The fewest bits of an RSA key.
const RSA_BITS: u16 = 2048;

/// Whether a message may be signed with this hash.
pub(super) fn is_strong(hash: HashAlgorithm) -> bool {
    matches!(hash, HashAlgorithm::Sha256 | HashAlgorithm::Sha384 | HashAlgorithm::Sha512)
}

/// Whether a key's own statements may be signed with this hash.
pub(super) fn is_strong_for_keys(hash: HashAlgorithm) -> bool {
    is_strong(hash) || matches!(hash, HashAlgorithm::Sha3_256 | HashAlgorithm::Sha3_512)
}

/// The OpenPGP name of a hash, as in a `Hash` header.
pub(super) fn hash_name(hash: HashAlgorithm) -> String {
    match hash {
        HashAlgorithm::Other(number) => format!("hash {number}"),
        known => known.to_string(),
    }
}

/// What a key is, and whether that is good enough to sign.
pub(super) fn describe(key: &impl KeyDetails) -> (String, bool) {
    match key.public_params() {
        PublicParams::RSA(rsa) => {
            let bits = match rsa.to_bytes().unwrap_or_default().as_slice() {
                [high, low, ..] => u16::from_be_bytes([*high, *low]),
                _ => 0,
            };
            (format!("RSA-{bits}"), bits >= RSA_BITS)
        }
        PublicParams::ECDSA(EcdsaPublicParams::P256 { .. }) => ("P-256".to_owned(), true),
        PublicParams::ECDSA(EcdsaPublicParams::P384 { .. }) => ("P-384".to_owned(), true),
        PublicParams::ECDSA(EcdsaPublicParams::P521 { .. }) => ("P-521".to_owned(), true),
        PublicParams::EdDSALegacy(EddsaLegacyPublicParams::Ed25519 { .. }) | PublicParams::Ed25519(_) => {
            ("Ed25519".to_owned(), true)
        }
        PublicParams::Ed448(_) => ("Ed448".to_owned(), true),
        PublicParams::DSA(_) => ("DSA".to_owned(), false),
        _ => (format!("{:?}", key.algorithm()), false),
    }
}
