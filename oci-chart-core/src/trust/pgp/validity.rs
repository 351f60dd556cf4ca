//! Whether a key may sign: what it says of itself, and whether that still holds.

use pgp::{
    crypto::hash::HashAlgorithm,
    packet::{RevocationCode, Signature, SignatureType, SubpacketData},
    types::{KeyDetails, Tag},
};

use super::{
    algorithm::{self, Standing},
    certificate::{Certificate, Signatures, Subkey, User},
    fault::{PgpFault, SHA1_SELF_SIGNATURE},
    fingerprint::Fingerprint,
    keyring::Keyring,
    policy::KeyExpiry,
};
use crate::chart::Timestamp;

/// A key that signs: a primary key, or a subkey of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signer<'a> {
    pub(super) certificate: &'a Certificate,
    pub(super) subkey: Option<&'a Subkey>,
}

/// The rules, and the times they are asked for; in seconds since 1970.
#[derive(Debug, Clone, Copy)]
pub(super) struct Judge<'a> {
    pub(super) keyring: &'a Keyring,
    pub(super) expiry: KeyExpiry,
    pub(super) sha1_self_signatures: bool,
    /// When the signature was made.
    pub(super) signed: u64,
    /// When it is verified.
    pub(super) now: u64,
}

impl Signer<'_> {
    pub(super) fn fingerprint(&self) -> Fingerprint {
        match self.subkey {
            Some(subkey) => Fingerprint::of(&subkey.key),
            None => self.primary(),
        }
    }

    pub(super) fn primary(&self) -> Fingerprint {
        Fingerprint::of(&self.certificate.key)
    }
}

impl Judge<'_> {
    /// Says why `signer` may not sign, if so.
    pub(super) fn check(&self, signer: Signer<'_>) -> Result<(), PgpFault> {
        let Signer { certificate, subkey } = signer;
        let key = &certificate.key;
        check_algorithm(key)?;
        self.check_key_revocations(certificate)?;
        self.check_expiry(key, self.self_signature(certificate, |_| true)?)?;
        // What appoints somebody to revoke the key is a statement too, and says nothing of what the key is for.
        let own = self.self_signature(certificate, has_flags);
        let own = own.or_else(|_| self.self_signature(certificate, |_| true))?;
        self.check_expiry(key, own)?;
        let Some(subkey) = subkey else {
            check_flags(key, own)?;
            return self.check_age(key);
        };
        check_algorithm(&subkey.key)?;
        let is_revocation = |signature: &Signature| {
            signature.typ() == Some(SignatureType::SubkeyRevocation)
                && signature.verify_subkey_binding(key, &subkey.key).is_ok()
        };
        self.check_revocations(&subkey.key, &subkey.signatures, is_revocation)?;
        let binding = self.binding(certificate, subkey)?;
        self.check_expiry(&subkey.key, binding)?;
        check_flags(&subkey.key, binding)?;
        self.check_back_signature(certificate, subkey, binding)?;
        self.check_age(&subkey.key)
    }

    /// The user ids that the key itself certifies, escaped nowhere.
    pub(super) fn user_ids(&self, certificate: &Certificate) -> Vec<String> {
        let certified = |user: &&User| {
            user.signatures.list.iter().any(|signature| {
                self.counts(signature).is_ok() && self.certifies(certificate, user, signature)
            })
        };
        let text = |user: &User| user.id.as_str().map(str::to_owned);
        certificate.users.iter().filter(certified).filter_map(text).collect()
    }

    /// The newest statement of the key about itself that counts, among those that are `wanted`.
    fn self_signature<'c>(
        &self,
        certificate: &'c Certificate,
        wanted: impl Fn(&Signature) -> bool,
    ) -> Result<&'c Signature, PgpFault> {
        let direct = certificate.signatures.list.iter().map(|signature| (signature, None));
        let users = certificate
            .users
            .iter()
            .flat_map(|user| user.signatures.list.iter().map(move |signature| (signature, Some(user))));
        self.newest(
            &certificate.key,
            "it has no self-signature that counts",
            direct.chain(users).filter(|(signature, _)| wanted(signature)),
            |signature, user| match user {
                None => {
                    signature.typ() == Some(SignatureType::Key)
                        && signature.verify_key(&certificate.key).is_ok()
                }
                Some(user) => self.certifies(certificate, user, signature),
            },
        )
    }

    /// Whether `signature` is the key's own for `user`, and not taken back since.
    fn certifies(&self, certificate: &Certificate, user: &User, signature: &Signature) -> bool {
        let verifies = |signature: &Signature| {
            signature.verify_certification(&certificate.key, Tag::UserId, &user.id).is_ok()
        };
        let taken_back = |later: &Signature| {
            later.typ() == Some(SignatureType::CertRevocation)
                && later.created() >= signature.created()
                && verifies(later)
        };
        signature.is_certification()
            && signature.typ() != Some(SignatureType::CertRevocation)
            && verifies(signature)
            && !user.signatures.list.iter().any(taken_back)
    }

    /// The newest statement that ties the subkey to the key.
    fn binding<'c>(&self, certificate: &Certificate, subkey: &'c Subkey) -> Result<&'c Signature, PgpFault> {
        let all = subkey.signatures.list.iter().map(|signature| (signature, ()));
        self.newest(&subkey.key, "nothing that counts binds it to its primary key", all, |signature, ()| {
            signature.typ() == Some(SignatureType::SubkeyBinding)
                && signature.verify_subkey_binding(&certificate.key, &subkey.key).is_ok()
        })
    }

    /// Of those that count and are genuine the newest. Only as many as needed are verified.
    fn newest<'c, T: Copy>(
        &self,
        key: &impl KeyDetails,
        missing: &'static str,
        all: impl Iterator<Item = (&'c Signature, T)>,
        is_genuine: impl Fn(&Signature, T) -> bool,
    ) -> Result<&'c Signature, PgpFault> {
        let mut sorted: Vec<_> = all.filter(|(signature, _)| created(signature) <= Some(self.now)).collect();
        sorted.sort_by_key(|(signature, _)| std::cmp::Reverse(created(signature)));
        let mut why = missing;
        for (signature, place) in sorted {
            let counts = self.counts(signature);
            if counts == Err(Uncounted::Silent) || !is_genuine(signature, place) {
                continue;
            }
            match counts {
                Ok(()) => return Ok(signature),
                Err(Uncounted::Sha1) => why = SHA1_SELF_SIGNATURE,
                Err(Uncounted::Silent) => {}
            }
        }
        Err(PgpFault::KeyUnusable { key: Fingerprint::of(key), why })
    }

    /// Whether a statement of a key counts, if it is genuine.
    fn counts(&self, signature: &Signature) -> Result<(), Uncounted> {
        let made = created(signature).ok_or(Uncounted::Silent)?;
        let over = ends(signature).is_some_and(|end| self.times().any(|time| time >= end));
        if made > self.now || over || has_unknown_condition(signature) {
            return Err(Uncounted::Silent);
        }
        match signature.hash_alg() {
            Some(hash) if algorithm::is_strong_for_keys(hash) => Ok(()),
            Some(HashAlgorithm::Sha1) if self.sha1_self_signatures || made < SHA1_UNTIL => Ok(()),
            Some(HashAlgorithm::Sha1) => Err(Uncounted::Sha1),
            _ => Err(Uncounted::Silent),
        }
    }

    /// The times at which a key must not have expired.
    fn times(&self) -> impl Iterator<Item = u64> + use<> {
        let now = (self.expiry == KeyExpiry::Strict).then_some(self.now);
        std::iter::once(self.signed).chain(now)
    }

    fn check_expiry(&self, key: &impl KeyDetails, statement: &Signature) -> Result<(), PgpFault> {
        let lifetime = statement.key_expiration_time().map(|lifetime| u64::from(lifetime.as_secs()));
        let Some(lifetime) = lifetime.filter(|lifetime| *lifetime > 0) else { return Ok(()) };
        let end = u64::from(key.created_at().as_secs()) + lifetime;
        if self.times().any(|time| time >= end) {
            return Err(PgpFault::KeyExpired { key: Fingerprint::of(key), at: timestamp(end) });
        }
        Ok(())
    }

    fn check_age(&self, key: &impl KeyDetails) -> Result<(), PgpFault> {
        if self.signed < u64::from(key.created_at().as_secs()) {
            return Err(PgpFault::OlderThanKey(timestamp(self.signed)));
        }
        Ok(())
    }

    fn check_key_revocations(&self, certificate: &Certificate) -> Result<(), PgpFault> {
        let key = &certificate.key;
        let is_revocation = |signature: &Signature| signature.typ() == Some(SignatureType::KeyRevocation);
        let is_own = |signature: &Signature| is_revocation(signature) && signature.verify_key(key).is_ok();
        self.check_revocations(key, &certificate.signatures, is_own)?;
        let revokers = self.revokers(certificate);
        for signature in certificate.signatures.list.iter().filter(|signature| is_revocation(signature)) {
            for revoker in &revokers {
                let by_revoker = issuers(signature).iter().any(|issuer| revoker.as_str().ends_with(issuer));
                let known =
                    self.keyring.certificates().iter().find(|known| Fingerprint::of(&known.key) == *revoker);
                let why = match known {
                    _ if !by_revoker => continue,
                    None => "by somebody whom it names for that, and who is not in the ring",
                    Some(known) if signature.verify_key_third_party(key, &known.key).is_ok() => {
                        "by somebody whom it names for that"
                    }
                    Some(_) => continue,
                };
                return Err(PgpFault::KeyRevoked { key: Fingerprint::of(key), why });
            }
        }
        Ok(())
    }

    /// Who else may revoke the key, by its own word.
    fn revokers(&self, certificate: &Certificate) -> Vec<Fingerprint> {
        let own = |signature: &&Signature| {
            signature.typ() == Some(SignatureType::Key) && signature.verify_key(&certificate.key).is_ok()
        };
        let named = |signature: &Signature| {
            let fingerprint =
                signature.revocation_key()?.fingerprint.iter().map(|byte| format!("{byte:02X}"));
            fingerprint.collect::<String>().parse().ok()
        };
        certificate.signatures.list.iter().filter(own).filter_map(named).collect()
    }

    /// Revocations count whatever hash they use: a forged one does no more harm than a lost key.
    fn check_revocations(
        &self,
        key: &impl KeyDetails,
        signatures: &Signatures,
        is_revocation: impl Fn(&Signature) -> bool,
    ) -> Result<(), PgpFault> {
        let revoked = |why| Err(PgpFault::KeyRevoked { key: Fingerprint::of(key), why });
        if signatures.unreadable_revocation {
            return revoked("by something that cannot be read");
        }
        for signature in signatures.list.iter().filter(|signature| is_revocation(signature)) {
            let (why, is_soft) = match signature.revocation_reason_code() {
                Some(RevocationCode::KeySuperseded) => ("it was replaced by another key", true),
                Some(RevocationCode::KeyRetired) => ("it is not used any more", true),
                Some(RevocationCode::KeyCompromised) => ("somebody else may have it", false),
                _ => ("for a reason that is not given", false),
            };
            let since = created(signature).unwrap_or(0);
            if !is_soft || self.times().any(|time| time >= since) {
                return revoked(why);
            }
        }
        Ok(())
    }

    fn check_back_signature(
        &self,
        certificate: &Certificate,
        subkey: &Subkey,
        binding: &Signature,
    ) -> Result<(), PgpFault> {
        let is_good = binding.embedded_signature().is_some_and(|back| {
            self.counts(back).is_ok()
                && back.verify_primary_key_binding(&subkey.key, &certificate.key).is_ok()
        });
        let why = "it does not sign its binding to the primary key";
        if is_good { Ok(()) } else { Err(PgpFault::KeyUnusable { key: Fingerprint::of(&subkey.key), why }) }
    }
}

/// Why a statement does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Uncounted {
    /// It uses SHA-1, and later than it should.
    Sha1,
    /// It is over, from the future, or nothing to be read.
    Silent,
}

/// 1 February 2023: until then keys were commonly made with SHA-1.
const SHA1_UNTIL: u64 = 1_675_209_600;

/// Whether a signature depends on something that must be understood, and is not.
pub(super) fn has_unknown_condition(signature: &Signature) -> bool {
    signature.config().is_none_or(|config| {
        config.hashed_subpackets().any(|subpacket| {
            subpacket.is_critical
                && matches!(
                    subpacket.data,
                    SubpacketData::Notation(_) | SubpacketData::Experimental(..) | SubpacketData::Other(..)
                )
        })
    })
}

/// Whether a statement says what its key is for.
fn has_flags(signature: &Signature) -> bool {
    signature.config().is_some_and(|config| {
        config.hashed_subpackets().any(|subpacket| matches!(subpacket.data, SubpacketData::KeyFlags(_)))
    })
}

/// Who made a signature, by its own word: fingerprints and key ids in capital digits.
pub(super) fn issuers(signature: &Signature) -> Vec<String> {
    let fingerprints =
        signature.issuer_fingerprint().into_iter().map(|fp| Fingerprint::from_packet(fp).to_string());
    let digits = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02X}")).collect::<String>();
    let key_ids = signature.issuer_key_id().into_iter().map(|id| digits(id.as_ref()));
    fingerprints.chain(key_ids).collect()
}

/// When a signature was made.
pub(super) fn created(signature: &Signature) -> Option<u64> {
    signature.created().map(|time| time.as_secs().into())
}

/// When a signature is over, if ever.
pub(super) fn ends(signature: &Signature) -> Option<u64> {
    let lifetime = u64::from(signature.signature_expiration_time()?.as_secs());
    created(signature).filter(|_| lifetime > 0).map(|created| created + lifetime)
}

pub(super) fn timestamp(seconds: u64) -> Timestamp {
    // OpenPGP's 32 bits and a lifetime end in the year 2242.
    Timestamp::from_unix(seconds).unwrap_or(Timestamp::FIXED)
}

fn check_algorithm(key: &impl KeyDetails) -> Result<(), PgpFault> {
    check_support(key)?;
    match algorithm::describe(key) {
        (algorithm, Standing::Weak) => Err(PgpFault::WeakKey { key: Fingerprint::of(key), algorithm }),
        _ => Ok(()),
    }
}

/// Refuses a key whose signatures cannot be checked.
pub(super) fn check_support(key: &impl KeyDetails) -> Result<(), PgpFault> {
    match algorithm::describe(key) {
        (algorithm, Standing::Unsupported) => {
            Err(PgpFault::UnsupportedKey { key: Fingerprint::of(key), algorithm })
        }
        _ => Ok(()),
    }
}

fn check_flags(key: &impl KeyDetails, statement: &Signature) -> Result<(), PgpFault> {
    if statement.key_flags().sign() {
        return Ok(());
    }
    Err(PgpFault::KeyUnusable { key: Fingerprint::of(key), why: "it is not meant for signing" })
}
