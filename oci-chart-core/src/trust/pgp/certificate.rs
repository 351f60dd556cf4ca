//! Keys with what belongs to them, as they lie in a ring: primary key, user ids, subkeys, and the signatures on each.

use pgp::{
    packet::{PacketHeader, PublicKey, PublicSubkey, SecretKey, SecretSubkey, Signature, UserId},
    types::{KeyDetails, Tag},
};

use super::{
    fingerprint::Fingerprint,
    packet::{self, Packet, tag},
};

/// Signatures that one key, user id or subkey may have. A key that strangers have certified a thousand times keeps its own.
const MOST_SIGNATURES: usize = 128;
/// User ids, and subkeys, of one key.
const MOST_PARTS: usize = 256;

/// A key and its parts. Nothing is verified yet.
#[derive(Debug, Clone)]
pub(super) struct Certificate {
    pub(super) key: PublicKey,
    pub(super) signatures: Signatures,
    pub(super) users: Vec<User>,
    pub(super) subkeys: Vec<Subkey>,
    pub(super) secret: Option<SecretKey>,
    at: Place,
}

#[derive(Debug, Clone)]
pub(super) struct User {
    pub(super) id: UserId,
    pub(super) signatures: Signatures,
}

#[derive(Debug, Clone)]
pub(super) struct Subkey {
    pub(super) key: PublicSubkey,
    pub(super) signatures: Signatures,
    pub(super) secret: Option<SecretSubkey>,
}

/// The signatures on one part.
#[derive(Debug, Clone, Default)]
pub(super) struct Signatures {
    pub(super) list: Vec<Signature>,
    /// Whether there is a revocation that cannot be read. Then nobody can say that the part is not revoked.
    pub(super) unreadable_revocation: bool,
}

/// What the next signature belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Key,
    User,
    Subkey,
    Nothing,
}

impl Certificate {
    /// Begins with a public or secret key packet; none for a key that cannot be read, such as one of version 3.
    pub(super) fn begin(packet: Packet<'_>) -> Option<Self> {
        let key = PublicKey::try_from_reader(header(Tag::PublicKey, packet.body), packet.body).ok()?;
        let secret = (packet.tag == tag::SECRET_KEY)
            .then(|| SecretKey::try_from_reader(header(Tag::SecretKey, packet.body), packet.body).ok())
            .flatten();
        is_modern(&key).then(|| Self {
            key,
            signatures: Signatures::default(),
            users: Vec::new(),
            subkeys: Vec::new(),
            secret,
            at: Place::Key,
        })
    }

    /// Takes a packet that follows.
    pub(super) fn push(&mut self, packet: Packet<'_>) {
        match packet.tag {
            tag::USER_ID => {
                let id = UserId::try_from_reader(header(Tag::UserId, packet.body), packet.body).ok();
                self.at = match id.filter(|_| self.users.len() < MOST_PARTS) {
                    Some(id) => {
                        self.users.push(User { id, signatures: Signatures::default() });
                        Place::User
                    }
                    None => Place::Nothing,
                };
            }
            tag::USER_ATTRIBUTE => self.at = Place::Nothing,
            tag::PUBLIC_SUBKEY | tag::SECRET_SUBKEY => {
                let key =
                    PublicSubkey::try_from_reader(header(Tag::PublicSubkey, packet.body), packet.body).ok();
                let key = key.filter(|key| is_modern(key) && self.subkeys.len() < MOST_PARTS);
                let secret = (packet.tag == tag::SECRET_SUBKEY)
                    .then(|| {
                        SecretSubkey::try_from_reader(header(Tag::SecretSubkey, packet.body), packet.body)
                            .ok()
                    })
                    .flatten();
                self.at = match key {
                    Some(key) => {
                        self.subkeys.push(Subkey { key, signatures: Signatures::default(), secret });
                        Place::Subkey
                    }
                    None => Place::Nothing,
                };
            }
            tag::SIGNATURE => {
                let own = Fingerprint::of(&self.key);
                let key_id = self.key.legacy_key_id();
                let signatures = match self.at {
                    Place::Key => Some(&mut self.signatures),
                    Place::User => self.users.last_mut().map(|user| &mut user.signatures),
                    Place::Subkey => self.subkeys.last_mut().map(|subkey| &mut subkey.signatures),
                    Place::Nothing => None,
                };
                if let Some(signatures) = signatures {
                    // What others certify of a user id is their opinion.
                    let foreign_is_kept = self.at != Place::User;
                    signatures.push(packet.body, |signature| {
                        foreign_is_kept
                            || signature.issuer_key_id().contains(&&key_id)
                            || signature
                                .issuer_fingerprint()
                                .iter()
                                .any(|fp| Fingerprint::from_packet(fp) == own)
                    });
                }
            }
            // Trust packets of GnuPG, markers, padding.
            _ => {}
        }
    }

    /// Takes over what another copy of the same key has.
    pub(super) fn absorb(&mut self, other: Self) {
        self.signatures.absorb(other.signatures);
        self.secret = self.secret.take().or(other.secret);
        for user in other.users {
            match self.users.iter_mut().find(|known| known.id.id() == user.id.id()) {
                Some(known) => known.signatures.absorb(user.signatures),
                None => self.users.push(user),
            }
        }
        for subkey in other.subkeys {
            let fingerprint = Fingerprint::of(&subkey.key);
            match self.subkeys.iter_mut().find(|known| Fingerprint::of(&known.key) == fingerprint) {
                Some(known) => {
                    known.signatures.absorb(subkey.signatures);
                    known.secret = known.secret.take().or(subkey.secret);
                }
                None => self.subkeys.push(subkey),
            }
        }
    }

    /// The key's user ids, as far as they are text.
    pub(super) fn user_ids(&self) -> impl Iterator<Item = &str> {
        self.users.iter().filter_map(|user| user.id.as_str())
    }
}

impl Signatures {
    fn absorb(&mut self, other: Self) {
        self.unreadable_revocation |= other.unreadable_revocation;
        for signature in other.list {
            if !self.list.contains(&signature) {
                self.list.push(signature);
            }
        }
    }

    fn push(&mut self, body: &[u8], is_kept: impl FnOnce(&Signature) -> bool) {
        match parse_signature(body) {
            Some(signature) => {
                let revokes =
                    matches!(packet::signature_type(body), Some(KEY_REVOCATION | SUBKEY_REVOCATION));
                // Revocations always find room.
                if is_kept(&signature) && (revokes || self.list.len() < MOST_SIGNATURES) {
                    self.list.push(signature);
                }
            }
            None => {
                self.unreadable_revocation |=
                    matches!(packet::signature_type(body), Some(KEY_REVOCATION | SUBKEY_REVOCATION));
            }
        }
    }
}

const KEY_REVOCATION: u8 = 0x20;
const SUBKEY_REVOCATION: u8 = 0x28;

/// Parses the body of a signature packet; none if it is damaged, or of a version that nobody knows.
pub(super) fn parse_signature(body: &[u8]) -> Option<Signature> {
    if !packet::is_flat(body) {
        return None;
    }
    let mut rest = body;
    let signature = Signature::try_from_reader(header(Tag::Signature, body), &mut rest).ok()?;
    (rest.is_empty() && signature.config().is_some()).then_some(signature)
}

fn header(tag: Tag, body: &[u8]) -> PacketHeader {
    PacketHeader::new_fixed(tag, u32::try_from(body.len()).unwrap_or(u32::MAX))
}

fn is_modern(key: &impl KeyDetails) -> bool {
    matches!(u8::from(key.version()), 4 | 6)
}
