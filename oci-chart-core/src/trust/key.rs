//! Keys that sign and keys that check: what cosign reads and writes, and nothing weaker.

mod check;
mod der;
mod envelope;
mod pem;
mod private;

use std::{fmt, str::FromStr, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use self::der::Der;
use crate::{
    digest::Digest,
    error::{Error, ErrorKind, Reason, Result},
};

pub use private::SigningKey;

/// The smallest and largest RSA moduli, in bits.
pub(super) const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum KeyAlgorithm {
    /// ECDSA over P-256 with SHA-256: what every verifier takes.
    EcdsaP256,
    /// ECDSA over P-384. Signed with SHA-256; checked with that or SHA-384, which cosign uses.
    EcdsaP384,
    /// ECDSA over P-521. Signed with SHA-256; checked with that or SHA-512, which cosign uses.
    EcdsaP521,
    /// RSA of 2048 to 8192 bits, PKCS#1 v1.5 with SHA-256.
    Rsa,
    /// Ed25519. Signed as it is; checked as it is or pre-hashed (Ed25519ph), which cosign uses.
    Ed25519,
}

impl KeyAlgorithm {
    /// The word for it, the same in every language.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EcdsaP256 => "ecdsa-p256",
            Self::EcdsaP384 => "ecdsa-p384",
            Self::EcdsaP521 => "ecdsa-p521",
            Self::Rsa => "rsa",
            Self::Ed25519 => "ed25519",
        }
    }
}

/// A public key.
///
/// # Examples
///
/// ```
/// use oci_chart_core::trust::{KeyAlgorithm, PublicKey};
///
/// let key: PublicKey = "-----BEGIN PUBLIC KEY-----
/// MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE0/hF6a35DhXHk0I26zyD6QMGs8wy
/// yr+KpKuYurXJ5MMzO179Bm6ISbTxGRNtPzB4o+dRemgD6Y+HqAhxzJP9ZQ==
/// -----END PUBLIC KEY-----
/// ".parse()?;
/// assert_eq!(key.algorithm(), KeyAlgorithm::EcdsaP256);
/// assert_eq!(key.hint(), "5FVhHLJe4oDBedCElz1km8XNuMZpaH8cHE2WUoYsHN8=");
/// # Ok::<(), oci_chart_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PublicKey {
    algorithm: KeyAlgorithm,
    /// SubjectPublicKeyInfo, as a certificate has it.
    spki: Arc<[u8]>,
    /// Where in there the key itself begins: a point, an RSA public key, or 32 bytes.
    key: usize,
}

impl PublicKey {
    /// Reads PEM: `PUBLIC KEY`, or `RSA PUBLIC KEY`. As in cosign, the first block of the text counts, and text around it does not matter.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`], reason `bad-key` for a text that is no key, `unsupported-key` for one that is not used here (RSA below 2048
    /// bits, RSASSA-PSS, other curves), by its name.
    pub fn from_pem(text: &str) -> Result<Self> {
        let block = pem::first(text).ok_or_else(|| bad("there is no PEM block in the text"))?;
        match block.label {
            "PUBLIC KEY" => Self::from_der(&block.content),
            "RSA PUBLIC KEY" => Self::from_der(&der::rsa_spki(&block.content)),
            label if label.contains("PRIVATE") => {
                Err(bad("this is a private key where a public one is wanted"))
            }
            label => {
                Err(bad("the PEM block holds no public key").with_context("block", format!("{label:?}")))
            }
        }
    }

    /// Reads a SubjectPublicKeyInfo in DER.
    ///
    /// # Errors
    ///
    /// As [`from_pem`](Self::from_pem).
    pub fn from_der(spki: &[u8]) -> Result<Self> {
        let (algorithm, key) =
            read_spki(spki).ok_or_else(|| bad("the public key is no SubjectPublicKeyInfo"))?;
        let algorithm = algorithm.map_err(|algorithm| foreign(&algorithm))?;
        let fits = match algorithm {
            KeyAlgorithm::EcdsaP256 => key.len() == 65 && key.first() == Some(&4),
            KeyAlgorithm::EcdsaP384 => key.len() == 97 && key.first() == Some(&4),
            KeyAlgorithm::EcdsaP521 => key.len() == 133 && key.first() == Some(&4),
            KeyAlgorithm::Ed25519 => key.len() == 32,
            KeyAlgorithm::Rsa => {
                let bits = der::rsa_bits(key).ok_or_else(|| bad("the RSA key cannot be read"))?;
                if !RSA_BITS.contains(&bits) {
                    return Err(unsupported("RSA keys have 2048 to 8192 bits").with_context("bits", bits));
                }
                true
            }
        };
        if !fits {
            return Err(bad("the public key has the wrong length for its algorithm"));
        }
        Ok(Self { algorithm, spki: spki.into(), key: spki.len() - key.len() })
    }

    /// What it is for.
    pub fn algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }

    /// The SubjectPublicKeyInfo in DER.
    pub fn to_der(&self) -> &[u8] {
        &self.spki
    }

    /// The key as PEM, as cosign writes `cosign.pub`.
    pub fn to_pem(&self) -> String {
        pem::write("PUBLIC KEY", &self.spki)
    }

    /// SHA-256 over the SubjectPublicKeyInfo: what tells keys apart.
    pub fn fingerprint(&self) -> Digest {
        Digest::of(&self.spki)
    }

    /// The fingerprint as bundles carry it: base64, without a name in front. It only says which key may be meant.
    pub fn hint(&self) -> String {
        STANDARD.encode(self.fingerprint().as_bytes())
    }

    /// What a service signs that takes digests: SHA-256 of `message` for ECDSA and RSA, the message itself for Ed25519.
    pub fn prehash(&self, message: &[u8]) -> Vec<u8> {
        match self.algorithm {
            KeyAlgorithm::Ed25519 => message.to_vec(),
            _ => sha2::Sha256::digest(message).to_vec(),
        }
    }

    /// Whether `signature` is this key's over `message`. ECDSA signatures are ASN.1 DER.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        check::is_good(self, message, signature)
    }

    /// The key inside the SubjectPublicKeyInfo.
    fn raw(&self) -> &[u8] {
        self.spki.get(self.key..).unwrap_or_default()
    }
}

impl FromStr for PublicKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::from_pem(text)
    }
}

/// As PEM.
impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_pem())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({:?} {})", self.algorithm, self.fingerprint())
    }
}

/// Algorithm (or the name of one that is not ours) and key of a SubjectPublicKeyInfo (RFC 5280, 4.1), which must be all there is.
fn read_spki(bytes: &[u8]) -> Option<(Result<KeyAlgorithm, String>, &[u8])> {
    let mut outer = Der::new(bytes);
    let mut spki = Der::new(outer.take(der::SEQUENCE)?);
    let algorithm = der::algorithm(spki.take(der::SEQUENCE)?)?;
    let key = spki.take(der::BIT_STRING)?.split_first().filter(|(unused, _)| **unused == 0)?.1;
    (outer.is_empty() && spki.is_empty()).then_some((algorithm, key))
}

fn bad(message: &'static str) -> Error {
    Error::new(ErrorKind::InvalidInput, message)
        .with_reason(Reason::BadKey)
        .with_hint("keys are PEM texts: PUBLIC KEY, PRIVATE KEY, or ENCRYPTED SIGSTORE PRIVATE KEY")
}

fn foreign(algorithm: &str) -> Error {
    unsupported(format!("keys of the kind {algorithm} are not used here"))
}

fn unsupported(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidInput, message).with_reason(Reason::UnsupportedKey).with_hint(
        "use ECDSA P-256, which every verifier takes; P-384, P-521, RSA from 2048 bits and Ed25519 work too",
    )
}
