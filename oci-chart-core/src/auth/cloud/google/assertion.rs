//! What a service account shows for a token: a JWT (RFC 7523) in the very bytes that Google's own library writes.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{rand::SystemRandom, signature};
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject as _};
use zeroize::Zeroizing;

use super::key::ServiceAccount;
use crate::error::{Error, ErrorKind, Result};

/// All of Google Cloud that the account may touch: Artifact Registry has no smaller one.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// Whom it is made for, wherever the token service is reached.
const AUDIENCE: &str = "https://oauth2.googleapis.com/token";
/// The longest that Google takes.
const SECONDS: u64 = 3600;

/// The assertion of `account`, made `now` (seconds since 1970).
pub(super) fn make(account: &ServiceAccount, now: u64) -> Result<Zeroizing<String>> {
    let mut header = r#"{"typ": "JWT", "alg": "RS256""#.to_owned();
    if let Some(id) = &account.private_key_id {
        header += &format!(r#", "kid": {}"#, quoted(id));
    }
    header.push('}');
    let payload = format!(
        r#"{{"iat": {now}, "exp": {}, "iss": {}, "aud": "{AUDIENCE}", "scope": "{SCOPE}"}}"#,
        now.saturating_add(SECONDS),
        quoted(&account.client_email)
    );
    let mut token =
        Zeroizing::new(format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload)));
    let signature = sign(&account.private_key, token.as_bytes())?;
    token.push('.');
    token.push_str(&URL_SAFE_NO_PAD.encode(signature));
    Ok(token)
}

fn sign(pem: &str, message: &[u8]) -> Result<Vec<u8>> {
    let unusable = || {
        Error::new(ErrorKind::InvalidInput, "the private key of Google's service account cannot be used")
            .with_hint("give the key file as Google made it: RSA of 2048 bits or more, as PKCS #8")
    };
    let key = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| unusable())?;
    let key = signature::RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()).map_err(|_| unusable())?;
    let mut made = vec![0; key.public().modulus_len()];
    key.sign(&signature::RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut made)
        .map_err(|_| unusable())?;
    Ok(made)
}

/// A JSON string in ASCII, as Python writes it.
fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    let mut units = [0; 2];
    for letter in text.chars() {
        match letter {
            '"' => out += "\\\"",
            '\\' => out += "\\\\",
            '\n' => out += "\\n",
            '\r' => out += "\\r",
            '\t' => out += "\\t",
            '\u{8}' => out += "\\b",
            '\u{c}' => out += "\\f",
            ' '..='~' => out.push(letter),
            _ => letter.encode_utf16(&mut units).iter().for_each(|unit| out += &format!("\\u{unit:04x}")),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_in_ascii() {
        assert_eq!(
            quoted("a\"\\\n\r\t\u{8}\u{c}\u{7f}ü😀~ "),
            r#""a\"\\\n\r\t\b\f\u007f\u00fc\ud83d\ude00~ ""#
        );
    }
}
