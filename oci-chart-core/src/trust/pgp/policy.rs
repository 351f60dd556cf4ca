use std::fmt;

use serde::{Deserialize, Serialize};

use super::Fingerprint;
use crate::error::{Error, ErrorKind, Result};

/// A provenance file, signed by a key of a ring. Data: serialises to JSON and back.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct PgpPolicy {
    /// The public keys, as gpg writes them: packets, armored blocks or a key box. In JSON armored blocks stand as they are, the rest in base64.
    #[serde(with = "ring")]
    pub keyring: Vec<u8>,
    /// Which keys of the ring may sign, with their subkeys; the fingerprint of a subkey names that one alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fingerprints: Vec<Fingerprint>,
    /// Whether every key of the ring may sign, as in Helm: then no fingerprint is named.
    #[serde(default, skip_serializing_if = "is_false")]
    pub any_key: bool,
    /// When a key has to be good.
    #[serde(default)]
    pub expiry: KeyExpiry,
    /// Whether keys count whose own statements are signed with SHA-1, and later than January 2023.
    #[serde(default, skip_serializing_if = "is_false")]
    pub sha1_self_signatures: bool,
}

impl PgpPolicy {
    /// Trusts the keys of `keyring` with these fingerprints, and no other.
    pub fn new(keyring: impl Into<Vec<u8>>, fingerprints: impl IntoIterator<Item = Fingerprint>) -> Self {
        Self { fingerprints: fingerprints.into_iter().collect(), any_key: false, ..Self::any_key(keyring) }
    }

    /// Trusts every key of `keyring`, as Helm does: only for a ring that holds nothing but signers of charts.
    pub fn any_key(keyring: impl Into<Vec<u8>>) -> Self {
        Self {
            keyring: keyring.into(),
            fingerprints: Vec::new(),
            any_key: true,
            expiry: KeyExpiry::default(),
            sha1_self_signatures: false,
        }
    }

    /// The same with another rule for expired and revoked keys.
    #[must_use]
    pub fn with_expiry(mut self, expiry: KeyExpiry) -> Self {
        self.expiry = expiry;
        self
    }

    /// Refuses a policy that anybody or nobody could satisfy.
    pub(in crate::trust) fn validate(&self) -> Result<()> {
        let invalid = |message| Err(Error::new(ErrorKind::InvalidInput, message));
        if self.keyring.is_empty() {
            return invalid("a policy of provenance files has no key ring");
        }
        match (self.any_key, self.fingerprints.is_empty()) {
            (false, true) => return invalid("a policy of provenance files names no fingerprint"),
            (true, false) => {
                return invalid("a policy of provenance files names fingerprints and takes any key");
            }
            _ => {}
        }
        #[cfg(feature = "pgp")]
        if super::PgpVerifier::from_policy(self)?.keyring().keys().any(|key| key.secret) {
            return invalid("a policy of provenance files has a secret key in its ring");
        }
        Ok(())
    }
}

impl fmt::Debug for PgpPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgpPolicy")
            .field("keyring", &format_args!("{} bytes", self.keyring.len()))
            .field("fingerprints", &self.fingerprints)
            .field("any_key", &self.any_key)
            .field("expiry", &self.expiry)
            .field("sha1_self_signatures", &self.sha1_self_signatures)
            .finish()
    }
}

/// When a key has to be good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum KeyExpiry {
    /// When it signed, and when the signature is verified; so it is in Helm. A key that has expired or was revoked since is refused, and
    /// with it all that it ever signed.
    #[default]
    Strict,
    /// When it signed. What was signed before the key expired, or was retired or replaced by its owner, stays good. Whoever has stolen an
    /// expired key can date a signature back.
    AtSigning,
}

fn is_false(value: &bool) -> bool {
    !*value
}

/// How a key ring stands in JSON.
mod ring {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    const ARMOR: &str = "-----BEGIN ";

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(bytes) {
            Ok(text) if text.starts_with(ARMOR) => to.serialize_str(text),
            _ => to.serialize_str(&STANDARD.encode(bytes)),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(from)?;
        if text.starts_with(ARMOR) {
            return Ok(text.into_bytes());
        }
        STANDARD.decode(text).map_err(|_| D::Error::custom("a key ring is armored text, or base64"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_json_and_back() {
        let fingerprint: Fingerprint = "5E615389B53CA37F0EE60BD3843BBF981FC18762".parse().unwrap();
        for policy in [
            PgpPolicy::new(b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n".as_slice(), [fingerprint.clone()]),
            PgpPolicy::any_key([0x99, 0xff]).with_expiry(KeyExpiry::AtSigning),
        ] {
            let json = serde_json::to_string(&policy).unwrap();
            assert_eq!(serde_json::from_str::<PgpPolicy>(&json).unwrap(), policy, "{json}");
            assert!(!format!("{policy:?}").contains("BEGIN"));
        }
        assert!(serde_json::from_str::<PgpPolicy>(r#"{"keyring":"!"}"#).is_err());
        assert!(
            serde_json::from_str::<PgpPolicy>(r#"{"keyring":"mQ==","fingerprints":["1FC18762"]}"#).is_err()
        );
    }

    #[test]
    fn nobody_and_anybody_are_said_aloud() {
        let fingerprint: Fingerprint = "5E615389B53CA37F0EE60BD3843BBF981FC18762".parse().unwrap();
        let mut both = PgpPolicy::any_key(*b"x");
        both.fingerprints = vec![fingerprint];
        for policy in [PgpPolicy::new(*b"x", []), PgpPolicy::any_key([]), both] {
            assert_eq!(policy.validate().unwrap_err().kind(), ErrorKind::InvalidInput, "{policy:?}");
        }
    }
}
