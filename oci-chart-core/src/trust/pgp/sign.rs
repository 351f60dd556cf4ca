use std::{fmt, sync::Arc, time::SystemTime};

use pgp::packet::{Signature, SignatureType};

use super::{
    algorithm,
    certificate::parse_signature,
    fingerprint::Fingerprint,
    keyring::Keyring,
    packet::{Packets, tag},
    passphrase::Passphrase,
    secret,
    verify::seconds,
};
use crate::{
    chart::{Package, Provenance, armor},
    error::{Error, ErrorKind, Reason, Result},
};

/// Signs provenance files, with a secret key of a ring or through a function of the caller's. Cheap to clone.
#[derive(Clone)]
pub struct PgpSigner(Arc<How>);

type Callback = dyn Fn(&[u8]) -> Result<Vec<u8>> + Send + Sync;

enum How {
    Key { keyring: Keyring, primary: Fingerprint, only: Option<Fingerprint>, passphrase: Passphrase },
    Callback(Box<Callback>),
}

impl PgpSigner {
    /// Signs with a secret key of the ring: the newest of its subkeys that may sign, or else the key itself. Helm always takes the key itself,
    /// also where it must not sign, and then refuses its own signature.
    ///
    /// `choice` is a fingerprint (of a subkey, to use that one), a whole user id, or a part of one, as for `helm package --key`; it may be left
    /// out where the ring has one secret key.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] where no key is meant, or more than one.
    pub fn from_keyring(keyring: &Keyring, choice: Option<&str>, passphrase: Passphrase) -> Result<Self> {
        let chosen = secret::choose(keyring, choice)?;
        let primary = Fingerprint::of(&chosen.key);
        let only = choice.and_then(|choice| choice.parse().ok()).filter(|wanted| *wanted != primary);
        Ok(Self(Arc::new(How::Key { keyring: keyring.clone(), primary, only, passphrase })))
    }

    /// Signs through `sign`, which gets the bytes of the text and gives a detached signature over them as a *text* (type 0x01), armored or
    /// not, as `gpg --armor --textmode --detach-sign` writes it. So a key can stay in an agent, on a card or in another process.
    ///
    /// That the signature is over these bytes is checked, who made it is not: the public key is not known here.
    pub fn from_callback(sign: impl Fn(&[u8]) -> Result<Vec<u8>> + Send + Sync + 'static) -> Self {
        Self(Arc::new(How::Callback(Box::new(sign))))
    }

    /// The package with a new provenance file that says what Helm's says, signed at that time. One package, key and time give one file, but
    /// for keys of P-521 and callbacks.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::PolicyDenied`] for a key that may not sign at that time, so that no signature is made that nobody would accept;
    /// [`ErrorKind::InvalidInput`], reason `wrong-passphrase`; [`ErrorKind::InvalidChart`] for metadata that Helm could not sign;
    /// [`ErrorKind::SignatureInvalid`] for what a callback gave; and the callback's own.
    pub fn sign(&self, package: &Package, time: SystemTime) -> Result<Package> {
        let sign = || self.sign_message(&Provenance::message(package)?, time);
        let prov = sign().map_err(|error: Error| error.with_operation("sign provenance"))?;
        Ok(package.with_provenance(prov))
    }

    /// A provenance file around `message`, which is mostly [`Provenance::message`].
    ///
    /// # Errors
    ///
    /// As [`sign`](Self::sign).
    pub fn sign_message(&self, message: &str, time: SystemTime) -> Result<Vec<u8>> {
        let bytes = Provenance::bytes_to_sign(message);
        let signature = match &*self.0 {
            How::Key { keyring, primary, only, passphrase } => {
                let now = seconds(time)?;
                let certificate = secret::choose(keyring, Some(primary.as_str()))?;
                let part = secret::signing_part(keyring, certificate, only.as_ref(), now)?;
                secret::sign(part, &bytes, passphrase, now)?
            }
            How::Callback(sign) => {
                let signature = from_caller(&sign(&bytes)?)?;
                check(&signature, &bytes)?;
                signature
            }
        };
        let hash = signature.hash_alg().map(algorithm::hash_name).unwrap_or_default();
        let mut packet = Vec::new();
        pgp::packet::PacketTrait::to_writer_with_header(&signature, &mut packet).map_err(|cause| {
            Error::new(ErrorKind::Internal, "a signature cannot be written").with_source(cause)
        })?;
        Ok(Provenance::assemble(message, &hash, &packet)?)
    }
}

impl fmt::Debug for PgpSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            How::Key { primary, .. } => write!(f, "PgpSigner({primary})"),
            How::Callback(_) => f.write_str("PgpSigner(callback)"),
        }
    }
}

fn refused(message: &'static str) -> Error {
    Error::new(ErrorKind::SignatureInvalid, message)
        .with_reason(Reason::SignatureMismatch)
        .with_hint("the callback has to do what `gpg --armor --textmode --detach-sign` does")
}

/// The one signature in what a callback gave.
fn from_caller(given: &[u8]) -> Result<Signature> {
    let mut packets = given.to_vec();
    if let Some(text) =
        std::str::from_utf8(given).ok().filter(|text| text.trim_start().starts_with("-----BEGIN "))
    {
        let mut lines = armor::lines(text.trim_start());
        let begin = armor::next(&mut lines).map(|(_, line)| line);
        packets = match begin {
            Some("-----BEGIN PGP SIGNATURE-----") => armor::decode(&mut lines, "PGP SIGNATURE").ok(),
            _ => None,
        }
        .ok_or_else(|| refused("the callback gave no armored signature"))?;
    }
    let mut all = Packets::new(&packets);
    match (all.next(), all.next()) {
        (Some(Ok(packet)), None) if packet.tag == tag::SIGNATURE => {
            parse_signature(packet.body).ok_or_else(|| refused("the callback gave a damaged signature"))
        }
        _ => Err(refused("the callback did not give one OpenPGP signature")),
    }
}

/// Whether a signature is one over a text, strong enough, and over these bytes: its first two bytes of the hash say so without a key.
fn check(signature: &Signature, bytes: &[u8]) -> Result<()> {
    let config =
        signature.config().ok_or_else(|| refused("the callback gave a signature of an unknown version"))?;
    if config.typ() != SignatureType::Text {
        return Err(refused("the callback gave a signature over bytes, not over a text"));
    }
    if !algorithm::is_strong(config.hash_alg) {
        return Err(refused("the callback signed with a weak hash algorithm"));
    }
    let hash = || -> pgp::errors::Result<Vec<u8>> {
        let mut hasher = config.hash_alg.new_hasher()?;
        if let pgp::packet::SignatureVersionSpecific::V6 { salt } = &config.version_specific {
            hasher.update(salt);
        }
        hasher.update(bytes);
        let length = config.hash_signature_data(&mut hasher)?;
        hasher.update(&config.trailer(length)?);
        Ok(hasher.finalize().to_vec())
    };
    let expected = signature.signed_hash_value();
    match hash() {
        Ok(hash) if hash.get(..2) == expected.as_ref().map(<[u8; 2]>::as_slice) => Ok(()),
        _ => Err(refused("the callback signed something else than it was given")),
    }
}
