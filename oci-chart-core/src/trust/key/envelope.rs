//! The file in which cosign keeps a private key: JSON with a PKCS#8 key in NaCl's secretbox, under a key that scrypt makes of the password.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use crypto_secretbox::{KeyInit as _, XSalsa20Poly1305, aead::Aead as _};
use ring::rand::{SecureRandom as _, SystemRandom};
use zeroize::Zeroizing;

use super::{bad, unsupported};
use crate::{
    error::{Error, ErrorKind, Reason, Result},
    redact::Secret,
    trust::strict_json::{self, Json},
};

/// The scrypt parameter N that is written, as its logarithm, and those that are read. r is 8 and p is 1. Anything else would let whoever hands us
/// a key file choose how much memory and time we spend on it.
const LOG_N: u8 = 16;
const KNOWN_LOG_N: [u8; 3] = [15, 16, 17];
const NONCE: usize = 24;
const SALT: usize = 32;

/// The key inside `envelope`.
/// The password is asked for a file that can be read, and for no other.
pub(super) fn open(envelope: &[u8], password: impl FnOnce() -> Result<Secret>) -> Result<Zeroizing<Vec<u8>>> {
    let parts = Parts::read(envelope)?;
    let cipher = cipher(&password()?, &parts.salt, parts.log_n)?;
    let plain = cipher.decrypt(&parts.nonce.into(), &*parts.ciphertext);
    plain.map(Zeroizing::new).map_err(|_| {
        Error::new(ErrorKind::InvalidInput, "the password is wrong, or the key file is damaged")
            .with_reason(Reason::WrongPassphrase)
            .with_hint("a final line break counts as part of the password")
    })
}

/// An envelope around `key`.
pub(super) fn seal(key: &[u8], password: &Secret) -> Result<Zeroizing<String>> {
    let random = SystemRandom::new();
    let (mut salt, mut nonce) = ([0; SALT], [0; NONCE]);
    let filled = random.fill(&mut salt).and_then(|()| random.fill(&mut nonce));
    filled.map_err(|_| Error::new(ErrorKind::Internal, "the system gives no random numbers"))?;
    let sealed = cipher(password, &salt, LOG_N)?
        .encrypt(&nonce.into(), key)
        .map_err(|_| Error::new(ErrorKind::Internal, "the key could not be encrypted"))?;
    let [salt, nonce, sealed] = [&salt[..], &nonce, &sealed].map(|bytes| STANDARD.encode(bytes));
    Ok(Zeroizing::new(format!(
        r#"{{"kdf":{{"name":"scrypt","params":{{"N":{},"r":8,"p":1}},"salt":"{salt}"}},"cipher":{{"name":"nacl/secretbox","nonce":"{nonce}"}},"ciphertext":"{sealed}"}}"#,
        1u32 << LOG_N
    )))
}

struct Parts {
    log_n: u8,
    salt: Vec<u8>,
    nonce: [u8; NONCE],
    ciphertext: Vec<u8>,
}

impl Parts {
    fn read(envelope: &[u8]) -> Result<Self> {
        let damaged = || bad("the encrypted key cannot be read");
        let json = strict_json::parse(envelope).map_err(|flaw| damaged().with_source(flaw))?;
        let text = |path: &[&str]| json.at(path).and_then(Json::text).ok_or_else(damaged);
        let bytes = |path: &[&str]| STANDARD.decode(&*text(path)?).map_err(|_| damaged());
        if text(&["kdf", "name"])? != "scrypt" || text(&["cipher", "name"])? != "nacl/secretbox" {
            return Err(unsupported("the key is encrypted with something else than scrypt and secretbox"));
        }
        let [n, r, p] = ["N", "r", "p"].map(|name| json.at(&["kdf", "params", name]).and_then(Json::integer));
        let log_n = KNOWN_LOG_N.into_iter().find(|log_n| n == Some(1 << log_n));
        let Some(log_n) = log_n.filter(|_| (r, p) == (Some(8), Some(1))) else {
            return Err(unsupported("unsupported scrypt parameters")
                .with_context("N", n.unwrap_or_default())
                .with_hint("N is 32768, 65536 or 131072, r is 8 and p is 1"));
        };
        Ok(Self {
            log_n,
            salt: bytes(&["kdf", "salt"])?,
            nonce: bytes(&["cipher", "nonce"])?.try_into().map_err(|_| damaged())?,
            ciphertext: bytes(&["ciphertext"])?,
        })
    }
}

fn cipher(password: &Secret, salt: &[u8], log_n: u8) -> Result<XSalsa20Poly1305> {
    let impossible = |_| Error::new(ErrorKind::Internal, "scrypt refused its parameters");
    let params = scrypt::Params::new(log_n, 8, 1).map_err(impossible)?;
    let mut key = Zeroizing::new([0; 32]);
    scrypt::scrypt(password.expose().as_bytes(), salt, &params, &mut *key)
        .map_err(|_| Error::new(ErrorKind::Internal, "scrypt refused its output length"))?;
    Ok(XSalsa20Poly1305::new((&*key).into()))
}
