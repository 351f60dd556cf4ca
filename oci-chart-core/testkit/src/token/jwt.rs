//! Tokens that other registries can check: JSON Web Tokens signed with ES256, the certificate in their header.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::{Value, json};

/// Signs tokens in the name of an issuer.
#[derive(Clone)]
pub struct Signer {
    key: Arc<EcdsaKeyPair>,
    certificate: String,
    issuer: String,
}

impl Signer {
    /// Signs with `key` (P-256, PKCS #8, PEM), which belongs to `certificate` (PEM). A registry that trusts the certificate and expects
    /// `issuer` believes the tokens.
    ///
    /// # Errors
    /// `InvalidInput` when either is none.
    pub fn new(key: &str, certificate: &str, issuer: &str) -> std::io::Result<Self> {
        let wrong = |what: &str| std::io::Error::new(std::io::ErrorKind::InvalidInput, what.to_owned());
        let key = STANDARD.decode(body(key)).map_err(|_| wrong("the key is no PEM"))?;
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &key, &SystemRandom::new())
            .map_err(|error| wrong(&format!("the key cannot be used: {error}")))?;
        let certificate = body(certificate);
        STANDARD.decode(&certificate).map_err(|_| wrong("the certificate is no PEM"))?;
        Ok(Self { key: Arc::new(key), certificate, issuer: issuer.to_owned() })
    }

    /// A token for `granted`, as `type:name:action` one by one (distribution, "Docker Registry v2 Bearer token specification").
    pub(super) fn token(
        &self,
        service: &str,
        user: Option<&str>,
        granted: &[String],
        lifetime: Duration,
        serial: u64,
    ) -> Option<String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let access: Vec<Value> = granted
            .iter()
            .filter_map(|one| {
                let (thing, action) = one.rsplit_once(':')?;
                let (kind, name) = thing.split_once(':')?;
                Some(json!({ "type": kind, "name": name, "actions": [action] }))
            })
            .collect();
        let header = json!({ "typ": "JWT", "alg": "ES256", "x5c": [self.certificate] });
        let claims = json!({
            "iss": self.issuer,
            "sub": user.unwrap_or_default(),
            "aud": service,
            "exp": (now + lifetime).as_secs(),
            "nbf": now.as_secs().saturating_sub(10),
            "iat": now.as_secs(),
            "jti": serial.to_string(),
            "access": access,
        });
        let pack = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", pack(&header), pack(&claims));
        let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes()).ok()?;
        Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// The base64 of the first block of a PEM text.
fn body(pem: &str) -> String {
    let lines = pem.lines().map(str::trim).skip_while(|line| !line.starts_with("-----BEGIN"));
    lines.skip(1).take_while(|line| !line.starts_with("-----")).collect()
}
