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

/// What is thought of signatures of a kind of key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// They count.
    Good,
    /// They can be checked, and prove too little.
    Weak,
    /// They are not checked.
    Unsupported,
}

/// What a key is, and whether that is good enough to sign.
pub(super) fn describe(key: &impl KeyDetails) -> (String, Standing) {
    use Standing::{Good, Unsupported, Weak};
    let (name, standing) = match key.public_params() {
        PublicParams::RSA(rsa) => {
            let bits = match rsa.to_bytes().unwrap_or_default().as_slice() {
                [high, low, ..] => u16::from_be_bytes([*high, *low]),
                _ => 0,
            };
            return (format!("RSA-{bits}"), if bits >= RSA_BITS { Good } else { Weak });
        }
        PublicParams::ECDSA(EcdsaPublicParams::P256 { .. }) => ("P-256", Good),
        PublicParams::ECDSA(EcdsaPublicParams::P384 { .. }) => ("P-384", Good),
        PublicParams::ECDSA(EcdsaPublicParams::P521 { .. }) => ("P-521", Good),
        PublicParams::EdDSALegacy(EddsaLegacyPublicParams::Ed25519 { .. }) | PublicParams::Ed25519(_) => {
            ("Ed25519", Good)
        }
        PublicParams::Ed448(_) => ("Ed448", Good),
        PublicParams::DSA(_) => ("DSA", Weak),
        PublicParams::ECDSA(other) => return (other.curve().name().to_owned(), Unsupported),
        _ => return (format!("{:?}", key.algorithm()), Unsupported),
    };
    (name.to_owned(), standing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_for_messages_and_for_what_keys_say_of_themselves() {
        use HashAlgorithm::{Md5, Ripemd160, Sha1, Sha3_256, Sha3_512, Sha224, Sha256, Sha384, Sha512};
        for (hash, answers) in [
            (Sha256, (true, true)),
            (Sha384, (true, true)),
            (Sha512, (true, true)),
            (Sha3_256, (false, true)),
            (Sha3_512, (false, true)),
            (Sha224, (false, false)),
            (Sha1, (false, false)),
            (Md5, (false, false)),
            (Ripemd160, (false, false)),
            (HashAlgorithm::Other(99), (false, false)),
        ] {
            assert_eq!((is_strong(hash), is_strong_for_keys(hash)), answers, "{hash}");
        }
    }
}
