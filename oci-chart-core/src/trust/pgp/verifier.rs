use super::{Fingerprint, KeyExpiry, PgpPolicy, keyring::Keyring};
use crate::error::{Error, ErrorKind, Reason, Result};

/// Says who signed provenance files: a [`PgpPolicy`] with its key ring read.
///
/// Whatever is set: a signature is over a text, with SHA-256, SHA-384 or SHA-512; a key is RSA from 2048 bits, NIST's P-256, P-384 or
/// P-521, Ed25519 or Ed448; it is meant for signing, and a subkey is bound both ways; nothing is from the future.
#[derive(Debug, Clone)]
pub struct PgpVerifier {
    pub(super) keyring: Keyring,
    /// None: every key of the ring.
    pub(super) fingerprints: Option<Vec<Fingerprint>>,
    pub(super) expiry: KeyExpiry,
    pub(super) sha1_self_signatures: bool,
}

impl PgpVerifier {
    /// Trusts the keys with these fingerprints, their signing subkeys included, and no other key of the ring. The fingerprint of a subkey
    /// trusts that subkey alone.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] without any fingerprint, and, reason `no-trusted-key`, for one that the ring does not have.
    pub fn new(keyring: Keyring, fingerprints: impl IntoIterator<Item = Fingerprint>) -> Result<Self> {
        let fingerprints: Vec<_> = fingerprints.into_iter().collect();
        if fingerprints.is_empty() {
            return Err(Error::new(ErrorKind::InvalidInput, "no fingerprint of a key that may sign")
                .with_hint("name the keys, or say with `any_key` that every key of the ring may sign"));
        }
        for wanted in &fingerprints {
            let is_there =
                keyring.keys().any(|key| key.fingerprint == *wanted || key.subkeys.contains(wanted));
            if !is_there {
                return Err(Error::new(
                    ErrorKind::InvalidInput,
                    "the key ring has no key with this fingerprint",
                )
                .with_reason(Reason::NoTrustedKey)
                .with_context("fingerprint", wanted)
                .with_hint("add the key to the ring, or correct the fingerprint"));
            }
        }
        Ok(Self { fingerprints: Some(fingerprints), ..Self::any_key(keyring) })
    }

    /// Trusts every key of the ring, as Helm does: only for a ring that holds nothing but signers of charts.
    pub fn any_key(keyring: Keyring) -> Self {
        Self { keyring, fingerprints: None, expiry: KeyExpiry::default(), sha1_self_signatures: false }
    }

    /// The same verifier with another rule for expired and revoked keys.
    #[must_use]
    pub fn with_expiry(mut self, expiry: KeyExpiry) -> Self {
        self.expiry = expiry;
        self
    }

    /// The same verifier for keys whose own statements are signed with SHA-1, or not. Without it those from before February 2023 count: to
    /// forge one needs a collision that had to be prepared when the key was made.
    #[must_use]
    pub fn with_sha1_self_signatures(mut self, accepted: bool) -> Self {
        self.sha1_self_signatures = accepted;
        self
    }

    /// Reads the key ring of a policy.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new) and [`Keyring::read`].
    pub fn from_policy(policy: &PgpPolicy) -> Result<Self> {
        let keyring = Keyring::read(&policy.keyring)?;
        let verifier = if policy.any_key {
            Self::any_key(keyring)
        } else {
            Self::new(keyring, policy.fingerprints.iter().cloned())?
        };
        Ok(verifier.with_expiry(policy.expiry).with_sha1_self_signatures(policy.sha1_self_signatures))
    }

    /// The key ring.
    pub fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// The keys that may sign; `None` where every key of the ring may.
    pub fn fingerprints(&self) -> Option<&[Fingerprint]> {
        self.fingerprints.as_deref()
    }

    pub(super) fn allows(&self, primary: &Fingerprint, signer: &Fingerprint) -> bool {
        self.fingerprints.as_ref().is_none_or(|list| list.contains(primary) || list.contains(signer))
    }
}
