//! Secret keys: which one signs, and how it is opened.

use pgp::{
    crypto::hash::HashAlgorithm,
    packet::{Signature, SignatureConfig, SignatureType, Subpacket, SubpacketData},
    types::{KeyDetails, Password, SigningKey, Timestamp},
};

use super::{
    certificate::{Certificate, Subkey},
    fault::PgpFault,
    fingerprint::Fingerprint,
    keyring::Keyring,
    passphrase::Passphrase,
    policy::KeyExpiry,
    validity::{Judge, Signer},
};
use crate::{
    chart::excerpt,
    error::{Error, ErrorKind, Reason, Result},
};

/// The key of `keyring` that `choice` names: a fingerprint, a whole user id, or a part of exactly one key's user ids. Without a choice, the
/// only key.
pub(super) fn choose<'a>(keyring: &'a Keyring, choice: Option<&str>) -> Result<&'a Certificate> {
    let secret = |certificate: &&Certificate| {
        certificate.secret.is_some() || certificate.subkeys.iter().any(|subkey| subkey.secret.is_some())
    };
    let all: Vec<_> = keyring.certificates().iter().filter(secret).collect();
    let none = |message| {
        Err(Error::new(ErrorKind::InvalidInput, message)
            .with_reason(Reason::KeyUnusable)
            .with_hint("export the secret key: `gpg --export-secret-keys FINGERPRINT`"))
    };
    if all.is_empty() {
        return none("the ring has no secret key");
    }
    let has = |matches: &dyn Fn(&Certificate) -> bool| -> Vec<&'a Certificate> {
        all.iter().copied().filter(|certificate| matches(certificate)).collect()
    };
    let candidates = match choice {
        None => all.clone(),
        Some(choice) => match choice.parse::<Fingerprint>() {
            Ok(wanted) => has(&|certificate| {
                Fingerprint::of(&certificate.key) == wanted
                    || certificate.subkeys.iter().any(|subkey| Fingerprint::of(&subkey.key) == wanted)
            }),
            Err(_) => {
                let exact = has(&|certificate| certificate.user_ids().any(|id| id == choice));
                if exact.is_empty() {
                    has(&|certificate| certificate.user_ids().any(|id| id.contains(choice)))
                } else {
                    exact
                }
            }
        },
    };
    match candidates.as_slice() {
        [one] => Ok(one),
        [] => none("the ring has no secret key of that name or fingerprint")
            .map_err(|error| error.with_context("key", excerpt(choice.unwrap_or_default()))),
        several => Err(Error::new(ErrorKind::InvalidInput, "more than one key could be meant")
            .with_context("keys", several.len())
            .with_hint("name the key by its fingerprint, as `gpg --list-secret-keys` shows it")),
    }
}

/// The part of a key that signs at that time: the newest subkey that may, or else the primary key. What it signs then is accepted by a
/// policy that trusts it, and by Helm.
pub(super) fn signing_part<'a>(
    keyring: &'a Keyring,
    certificate: &'a Certificate,
    only: Option<&Fingerprint>,
    now: u64,
) -> Result<Signer<'a>, PgpFault> {
    let judge = Judge { keyring, expiry: KeyExpiry::Strict, sha1_self_signatures: false, signed: now, now };
    let mut subkeys: Vec<&Subkey> =
        certificate.subkeys.iter().filter(|subkey| subkey.secret.is_some()).collect();
    subkeys.sort_by_key(|subkey| std::cmp::Reverse(subkey.key.created_at().as_secs()));
    let primary = certificate.secret.is_some().then_some(Signer { certificate, subkey: None });
    let parts = subkeys.into_iter().map(|subkey| Signer { certificate, subkey: Some(subkey) }).chain(primary);
    let mut fault = None;
    for part in parts.filter(|part| only.is_none_or(|only| part.fingerprint() == *only)) {
        match judge.check(part) {
            Ok(()) => return Ok(part),
            // The primary key comes last, and what is wrong with it tells most.
            Err(found) => fault = Some(found),
        }
    }
    Err(fault.unwrap_or(PgpFault::KeyUnusable {
        key: Fingerprint::of(&certificate.key),
        why: "its secret part is not in the ring",
    }))
}

/// Signs a text in its canonical form, with SHA-512.
pub(super) fn sign(part: Signer<'_>, bytes: &[u8], passphrase: &Passphrase, now: u64) -> Result<Signature> {
    match (part.subkey, part.subkey.map(|subkey| &subkey.secret), &part.certificate.secret) {
        (Some(subkey), Some(Some(secret)), _) => {
            let opens = |password: &Password| secret.unlock(password, |_, _| Ok(())).is_ok();
            let verifies = |signature: &Signature| signature.verify(&subkey.key, bytes).is_ok();
            sign_with(
                part,
                secret,
                secret.secret_params().is_encrypted(),
                opens,
                verifies,
                bytes,
                passphrase,
                now,
            )
        }
        (None, _, Some(secret)) => {
            let opens = |password: &Password| secret.unlock(password, |_, _| Ok(())).is_ok();
            let verifies = |signature: &Signature| signature.verify(&part.certificate.key, bytes).is_ok();
            sign_with(
                part,
                secret,
                secret.secret_params().is_encrypted(),
                opens,
                verifies,
                bytes,
                passphrase,
                now,
            )
        }
        _ => Err(Error::new(ErrorKind::Internal, "a key without its secret part was chosen")),
    }
}

#[allow(
    clippy::too_many_arguments,
    reason = "primary keys and subkeys are two types with the same methods, and no trait for all of them"
)]
fn sign_with(
    part: Signer<'_>,
    secret: &impl SigningKey,
    is_locked: bool,
    opens: impl Fn(&Password) -> bool,
    verifies: impl Fn(&Signature) -> bool,
    bytes: &[u8],
    passphrase: &Passphrase,
    now: u64,
) -> Result<Signature> {
    if u8::from(secret.version()) != 4 {
        return Err(Error::new(ErrorKind::Unsupported, "keys of version 6 do not sign here").with_hint(
            "sign with a key of version 4, which is what gpg makes, or with `PgpSigner::from_callback`",
        ));
    }
    let owner = part.certificate.user_ids().next().unwrap_or("no user id");
    let description = format!("{} {}", part.fingerprint(), excerpt(owner));
    let password = match passphrase.get(&description)?.filter(|_| is_locked) {
        Some(secret) => Password::from(secret.expose()),
        None => Password::empty(),
    };
    let signature = configuration(secret, now)
        .and_then(|config| config.sign(secret, &password, bytes))
        .map_err(|cause| {
            if is_locked && !opens(&password) {
                return Error::new(
                    ErrorKind::InvalidInput,
                    "the passphrase of the secret key is missing or wrong",
                )
                .with_reason(Reason::WrongPassphrase)
                .with_context("key", &description)
                .with_hint("give the passphrase with which the key was exported");
            }
            Error::new(ErrorKind::Unsupported, "the secret key cannot sign")
                .with_context("key", &description)
                .with_hint("export the key again, or sign with `PgpSigner::from_callback`")
                .with_source(cause.to_string())
        })?;
    // A damaged secret part may give a signature that betrays it.
    if verifies(&signature) {
        Ok(signature)
    } else {
        Err(Error::new(ErrorKind::InvalidInput, "the secret part does not belong to the key")
            .with_reason(Reason::KeyringMalformed)
            .with_context("key", description)
            .with_hint("export the secret key again"))
    }
}

fn configuration(key: &impl KeyDetails, now: u64) -> pgp::errors::Result<SignatureConfig> {
    let created = Timestamp::from_secs(u32::try_from(now)?);
    let mut config = SignatureConfig::v4(SignatureType::Text, key.algorithm(), HashAlgorithm::Sha512);
    config.hashed_subpackets = vec![
        Subpacket::regular(SubpacketData::IssuerFingerprint(key.fingerprint()))?,
        Subpacket::regular(SubpacketData::SignatureCreationTime(created))?,
    ];
    config.unhashed_subpackets = vec![Subpacket::regular(SubpacketData::IssuerKeyId(key.legacy_key_id()))?];
    Ok(config)
}
