//! As much DER (ITU-T X.690) as keys need.

use super::KeyAlgorithm;

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const NULL: u8 = 0x05;
pub(super) const OID: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;
/// `[1]`, where a private key of an elliptic curve has its public half.
pub(super) const TAGGED_1: u8 = 0xa1;
/// `[0]`, where it has its curve.
pub(super) const TAGGED_0: u8 = 0xa0;

const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
const P521: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x23];
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

/// Values one after the other.
pub(super) struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The content of the next value, if it has this tag.
    pub(super) fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (found, rest) = self.0.split_first()?;
        if *found != tag {
            return None;
        }
        let (first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(*first), rest),
            0x81 | 0x82 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                let length = bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
                // The shortest form is the only one.
                let shortest = if *first == 0x81 { 0x80 } else { 0x100 };
                (length >= shortest).then_some((length, rest))?
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(content)
    }
}

/// One value.
pub(super) fn value(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut bytes = vec![tag];
    match u8::try_from(length) {
        Ok(length @ 0..=0x7f) => bytes.push(length),
        Ok(length) => bytes.extend([0x81, length]),
        Err(_) => {
            bytes.push(0x82);
            bytes.extend(u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes());
        }
    }
    bytes.extend_from_slice(content);
    bytes
}

/// The algorithm of an AlgorithmIdentifier's content, or what one is called that is not ours; none where it cannot be read.
pub(super) fn algorithm(content: &[u8]) -> Option<Result<KeyAlgorithm, String>> {
    let mut values = Der::new(content);
    let found = match values.take(OID)? {
        EC => match values.take(OID) {
            Some(oid) => curve(oid).ok_or_else(|| name(oid)),
            None => return Some(Err("ECDSA over a curve without a name".to_owned())),
        },
        RSA => Ok(values.take(NULL).map(|_| KeyAlgorithm::Rsa)?),
        ED25519 => Ok(KeyAlgorithm::Ed25519),
        oid => return Some(Err(name(oid))),
    };
    values.is_empty().then_some(found)
}

/// What people call an algorithm or a curve that is not ours; the numbers of its object identifier where nobody has heard of it.
fn name(oid: &[u8]) -> String {
    let numbers = dotted(oid);
    let known = [
        ("RSASSA-PSS", "1.2.840.113549.1.1.10"),
        ("DSA", "1.2.840.10040.4.1"),
        ("Ed448", "1.3.101.113"),
        ("X25519", "1.3.101.110"),
        ("P-192", "1.2.840.10045.3.1.1"),
        ("P-224", "1.3.132.0.33"),
        ("secp256k1", "1.3.132.0.10"),
        ("brainpoolP256r1", "1.3.36.3.3.2.8.1.1.7"),
        ("brainpoolP384r1", "1.3.36.3.3.2.8.1.1.11"),
        ("brainpoolP512r1", "1.3.36.3.3.2.8.1.1.13"),
    ];
    known.iter().find(|(_, oid)| *oid == numbers).map_or(numbers, |(name, _)| (*name).to_owned())
}

/// An object identifier as people write it.
fn dotted(oid: &[u8]) -> String {
    let (mut text, mut number) = (String::new(), 0_u64);
    for byte in oid.iter().take(64) {
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            match text.is_empty() {
                true => text = format!("{}.{}", (number / 40).min(2), number - (number / 40).min(2) * 40),
                false => text.push_str(&format!(".{number}")),
            }
            number = 0;
        }
    }
    text
}

/// The content of the AlgorithmIdentifier of `algorithm`.
pub(super) fn identifier(algorithm: KeyAlgorithm) -> Vec<u8> {
    let curve = |curve| [value(OID, EC), value(OID, curve)].concat();
    value(
        SEQUENCE,
        &match algorithm {
            KeyAlgorithm::EcdsaP256 => curve(P256),
            KeyAlgorithm::EcdsaP384 => curve(P384),
            KeyAlgorithm::EcdsaP521 => curve(P521),
            KeyAlgorithm::Rsa => [value(OID, RSA), value(NULL, &[])].concat(),
            KeyAlgorithm::Ed25519 => value(OID, ED25519),
        },
    )
}

/// The curve that an object identifier names.
pub(super) fn curve(oid: &[u8]) -> Option<KeyAlgorithm> {
    match oid {
        P256 => Some(KeyAlgorithm::EcdsaP256),
        P384 => Some(KeyAlgorithm::EcdsaP384),
        P521 => Some(KeyAlgorithm::EcdsaP521),
        _ => None,
    }
}

/// A SubjectPublicKeyInfo.
pub(super) fn spki(algorithm: KeyAlgorithm, key: &[u8]) -> Vec<u8> {
    let key = [&[0], key].concat();
    value(SEQUENCE, &[identifier(algorithm), value(BIT_STRING, &key)].concat())
}

/// The SubjectPublicKeyInfo of a PKCS#1 public key.
pub(super) fn rsa_spki(key: &[u8]) -> Vec<u8> {
    spki(KeyAlgorithm::Rsa, key)
}

/// The length of an RSA public key's modulus.
pub(super) fn rsa_bits(key: &[u8]) -> Option<usize> {
    let mut outer = Der::new(key);
    let mut values = Der::new(outer.take(SEQUENCE)?);
    let modulus = values.take(INTEGER)?;
    values.take(INTEGER)?;
    let modulus = modulus.strip_prefix(&[0]).unwrap_or(modulus);
    let first = modulus.first()?;
    (outer.is_empty() && values.is_empty()).then(|| modulus.len() * 8 - first.leading_zeros() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_the_shortest() {
        for length in [0, 1, 127, 128, 255, 256, 65_535] {
            let content = vec![7; length];
            let bytes = value(OCTET_STRING, &content);
            let mut der = Der::new(&bytes);
            assert_eq!(der.take(OCTET_STRING), Some(&content[..]));
            assert!(der.is_empty());
        }
        for bytes in [
            &[4, 0x80][..],
            &[4, 0x81, 1, 0],
            &[4, 0x82, 0, 1, 0],
            &[4, 0x83, 0, 0, 1, 0],
            &[4, 2, 0],
            &[4],
            &[],
        ] {
            assert_eq!(Der::new(bytes).take(OCTET_STRING), None, "{bytes:?}");
        }
    }

    #[test]
    fn identifiers_are_read_as_they_are_written() {
        for algorithm in [
            KeyAlgorithm::EcdsaP256,
            KeyAlgorithm::EcdsaP384,
            KeyAlgorithm::EcdsaP521,
            KeyAlgorithm::Rsa,
            KeyAlgorithm::Ed25519,
        ] {
            let bytes = identifier(algorithm);
            let content = Der::new(&bytes).take(SEQUENCE).unwrap();
            assert_eq!(self::algorithm(content), Some(Ok(algorithm)));
        }
        let other = |oid: &[u8]| algorithm(&value(OID, oid)).unwrap().unwrap_err();
        assert_eq!(other(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a]), "RSASSA-PSS");
        assert_eq!(other(&[0x2b, 0x65, 0x71]), "Ed448");
        assert_eq!(other(&[0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01]), "DSA");
        assert_eq!(other(&[0x88, 0x37, 0x03]), "2.999.3");
        assert_eq!(other(&[0xff; 100]), "");
        let curve = |oid: &[u8]| algorithm(&[value(OID, EC), value(OID, oid)].concat()).unwrap().unwrap_err();
        assert_eq!(curve(&[0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x07]), "brainpoolP256r1");
        assert_eq!(algorithm(&value(OID, RSA)), None, "RSA keys say that they have no parameters");
        assert_eq!(algorithm(&[1]), None);
    }
}
