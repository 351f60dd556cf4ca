use std::{fmt, sync::Arc};

use async_trait::async_trait;
use p521::ecdsa::signature::hazmat::PrehashSigner as _;
use ring::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
        RsaKeyPair,
    },
};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{
    KeyAlgorithm, PublicKey, bad, check,
    der::{self, Der},
    envelope, foreign, pem, unsupported,
};
use crate::{
    error::{Error, ErrorKind, Reason, Result},
    redact::Secret,
    trust::Signer,
};

/// A private key in memory, which is overwritten when it is dropped as far as its parts allow. Cheap to clone.
///
/// # Examples
///
/// ```
/// use oci_chart_core::{Secret, trust::SigningKey};
///
/// let key = SigningKey::generate()?;
/// let file = key.to_encrypted_pem(&Secret::new("correct horse"))?;
/// let again = SigningKey::from_pem(file.expose(), || Ok(Secret::new("correct horse")))?;
/// assert_eq!(again.public_key(), key.public_key());
/// # use oci_chart_core::trust::Signer as _;
/// # Ok::<(), oci_chart_core::Error>(())
/// ```
#[derive(Clone)]
pub struct SigningKey(Arc<Inner>);

struct Inner {
    pair: Pair,
    public: PublicKey,
    pkcs8: Zeroizing<Vec<u8>>,
}

enum Pair {
    P256(EcdsaKeyPair),
    P384(p384::ecdsa::SigningKey),
    P521(p521::ecdsa::SigningKey),
    Rsa(RsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl SigningKey {
    /// A new key: ECDSA P-256, the one type that every verifier takes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Internal`] where the system gives no random numbers.
    pub fn generate() -> Result<Self> {
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new());
        let pkcs8 = pkcs8.map_err(|_| no_random())?;
        Self::from_pkcs8(pkcs8.as_ref())
    }

    /// Reads a private key in PEM: cosign's encrypted form (`ENCRYPTED SIGSTORE PRIVATE KEY`, or `COSIGN` in older files), for which `password` is
    /// asked, or a plain one (`PRIVATE KEY`, `EC PRIVATE KEY`, `RSA PRIVATE KEY`). As in cosign, the first block of the text counts.
    ///
    /// Decrypting takes a third of a second and up to 128 MiB, on purpose.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`], reasons `bad-key`, `unsupported-key`, `wrong-passphrase`; the password's own.
    pub fn from_pem(text: &str, password: impl FnOnce() -> Result<Secret>) -> Result<Self> {
        let block = pem::first(text).ok_or_else(|| bad("there is no PEM block in the text"))?;
        match block.label {
            "ENCRYPTED SIGSTORE PRIVATE KEY" | "ENCRYPTED COSIGN PRIVATE KEY" => {
                Self::from_pkcs8(&envelope::open(&block.content, password)?)
            }
            "PRIVATE KEY" => Self::from_pkcs8(&block.content),
            "EC PRIVATE KEY" => Self::from_sec1(&block.content),
            "RSA PRIVATE KEY" => Self::from_pkcs8(&pkcs8(KeyAlgorithm::Rsa, &block.content)),
            "EC PARAMETERS" => Err(bad("the first block holds parameters of a curve and no key").with_hint(
                "remove the block EC PARAMETERS: `openssl ecparam -genkey -noout` does not write it",
            )),
            "ENCRYPTED PRIVATE KEY" => Err(unsupported("encrypted PKCS#8 is not read")
                .with_hint("decrypt it with `openssl pkcs8`, and have it encrypted here")),
            "OPENSSH PRIVATE KEY" => Err(unsupported("keys in OpenSSH's own form are not read")
                .with_hint("convert a copy of it with `ssh-keygen -p -m PKCS8`")),
            label => {
                Err(bad("the PEM block holds no private key").with_context("block", format!("{label:?}")))
            }
        }
    }

    /// Reads a PKCS#8 private key in DER.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`], reasons `bad-key` and `unsupported-key`.
    pub fn from_pkcs8(bytes: &[u8]) -> Result<Self> {
        let (algorithm, inner) = read_pkcs8(bytes).ok_or_else(|| bad("the private key is no PKCS#8"))?;
        let algorithm = algorithm.map_err(|algorithm| foreign(&algorithm))?;
        let refused = |_| bad("the private key is none of its algorithm");
        let (pair, public) = match algorithm {
            KeyAlgorithm::EcdsaP256 => {
                let key = EcKey::read(inner).ok_or_else(|| bad("the private key cannot be read"))?;
                let public = key.public.ok_or_else(|| {
                    bad("the private key does not contain its public half")
                        .with_hint("`openssl ec -in key.pem` adds it")
                })?;
                let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
                let random = SystemRandom::new();
                let pair =
                    EcdsaKeyPair::from_private_key_and_public_key(algorithm, key.private, public, &random)
                        .map_err(|_| bad("the private key is none of its algorithm"))?;
                let public = pair.public_key().as_ref().to_vec();
                (Pair::P256(pair), public)
            }
            KeyAlgorithm::EcdsaP384 => {
                let key = EcKey::read(inner).ok_or_else(|| bad("the private key cannot be read"))?;
                let pair = p384::ecdsa::SigningKey::from_slice(key.private).map_err(refused)?;
                let public = pair.verifying_key().to_encoded_point(false).as_bytes().to_vec();
                (Pair::P384(pair), public)
            }
            KeyAlgorithm::EcdsaP521 => {
                let key = EcKey::read(inner).ok_or_else(|| bad("the private key cannot be read"))?;
                let pair = p521::ecdsa::SigningKey::from_slice(key.private).map_err(refused)?;
                let public =
                    p521::ecdsa::VerifyingKey::from(&pair).to_encoded_point(false).as_bytes().to_vec();
                (Pair::P521(pair), public)
            }
            KeyAlgorithm::Rsa => {
                let pair = RsaKeyPair::from_der(inner)
                    .map_err(|_| unsupported("the RSA key is damaged, or not of 2048 to 4096 bits"))?;
                let public = pair.public_key().as_ref().to_vec();
                (Pair::Rsa(pair), public)
            }
            KeyAlgorithm::Ed25519 => {
                let mut values = Der::new(inner);
                let seed = values.take(der::OCTET_STRING).filter(|_| values.is_empty());
                let seed = seed.ok_or_else(|| bad("the private key cannot be read"))?;
                let pair = Ed25519KeyPair::from_seed_unchecked(seed)
                    .map_err(|_| bad("the private key is none of its algorithm"))?;
                let public = pair.public_key().as_ref().to_vec();
                (Pair::Ed25519(pair), public)
            }
        };
        let public = PublicKey::from_der(&der::spki(algorithm, &public))?;
        Ok(Self(Arc::new(Inner { pair, public, pkcs8: Zeroizing::new(bytes.to_vec()) })))
    }

    /// A bare private key of a curve (RFC 5915), which names the curve itself.
    fn from_sec1(bytes: &[u8]) -> Result<Self> {
        let curve = EcKey::read(bytes).and_then(|key| key.curve);
        let curve =
            curve.ok_or_else(|| unsupported("the private key names none of the curves that are used"))?;
        Self::from_pkcs8(&pkcs8(curve, bytes))
    }

    /// The key as cosign writes it: encrypted with scrypt and NaCl's secretbox. An empty password is allowed, and protects nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Internal`] where the system gives no random numbers.
    pub fn to_encrypted_pem(&self, password: &Secret) -> Result<Secret> {
        let sealed = envelope::seal(&self.0.pkcs8, password)?;
        Ok(Secret::new(pem::write("ENCRYPTED SIGSTORE PRIVATE KEY", sealed.as_bytes())))
    }

    /// The password in the environment variable `COSIGN_PASSWORD`, which may be empty.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] where it is not set or not text.
    pub fn password_from_environment() -> Result<Secret> {
        std::env::var("COSIGN_PASSWORD").map(Secret::from).map_err(|_| {
            Error::new(ErrorKind::InvalidInput, "the environment variable COSIGN_PASSWORD is not set")
                .with_reason(Reason::WrongPassphrase)
                .with_hint("set it to the password of the key, to nothing where the password is empty")
        })
    }

    fn signature(&self, message: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        Some(match &self.0.pair {
            Pair::P256(pair) => pair.sign(&random, message).ok()?.as_ref().to_vec(),
            Pair::P384(pair) => {
                let signature: p384::ecdsa::Signature = pair.sign_prehash(&Sha256::digest(message)).ok()?;
                signature.to_der().as_bytes().to_vec()
            }
            Pair::P521(pair) => {
                let number = check::p521_number(&Sha256::digest(message));
                let signature: p521::ecdsa::Signature = pair.sign_prehash(&number).ok()?;
                signature.to_der().as_bytes().to_vec()
            }
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).ok()?;
                signature
            }
            Pair::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
        })
    }
}

#[async_trait]
impl Signer for SigningKey {
    fn public_key(&self) -> &PublicKey {
        &self.0.public
    }

    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        self.signature(message).ok_or_else(|| Error::new(ErrorKind::Internal, "the key could not sign"))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({:?})", self.0.public)
    }
}

/// A private key of a curve: RFC 5915.
struct EcKey<'a> {
    private: &'a [u8],
    curve: Option<KeyAlgorithm>,
    public: Option<&'a [u8]>,
}

impl<'a> EcKey<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut outer = Der::new(bytes);
        let mut values = Der::new(outer.take(der::SEQUENCE)?);
        if values.take(der::INTEGER)? != [1] {
            return None;
        }
        let private = values.take(der::OCTET_STRING)?;
        let curve = values
            .take(der::TAGGED_0)
            .and_then(|tagged| Der::new(tagged).take(der::OID))
            .and_then(der::curve);
        let public = values
            .take(der::TAGGED_1)
            .and_then(|tagged| Der::new(tagged).take(der::BIT_STRING))
            .and_then(|bits| bits.strip_prefix(&[0]));
        (outer.is_empty() && values.is_empty()).then_some(Self { private, curve, public })
    }
}

/// Algorithm (or the name of one that is not ours) and inner key of a PKCS#8 private key (RFC 5958). Attributes and a public key behind it are
/// ignored.
fn read_pkcs8(bytes: &[u8]) -> Option<(Result<KeyAlgorithm, String>, &[u8])> {
    let mut outer = Der::new(bytes);
    let mut values = Der::new(outer.take(der::SEQUENCE)?);
    if !matches!(values.take(der::INTEGER)?, [0 | 1]) || !outer.is_empty() {
        return None;
    }
    let algorithm = der::algorithm(values.take(der::SEQUENCE)?)?;
    Some((algorithm, values.take(der::OCTET_STRING)?))
}

fn pkcs8(algorithm: KeyAlgorithm, inner: &[u8]) -> Zeroizing<Vec<u8>> {
    let inner = Zeroizing::new(der::value(der::OCTET_STRING, inner));
    let values = [der::value(der::INTEGER, &[0]), der::identifier(algorithm), inner.to_vec()];
    let values = Zeroizing::new(values.concat());
    Zeroizing::new(der::value(der::SEQUENCE, &values))
}

fn no_random() -> Error {
    Error::new(ErrorKind::Internal, "the system gives no random numbers")
}
