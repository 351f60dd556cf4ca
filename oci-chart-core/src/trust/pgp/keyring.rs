use std::{collections::HashMap, fmt, path::Path, sync::Arc};

use super::{
    certificate::Certificate,
    fingerprint::Fingerprint,
    kbx,
    packet::{Packets, tag},
};
use crate::{
    chart::armor,
    content::Content,
    error::{Error, ErrorKind, Reason, Result},
};

/// OpenPGP keys, public or secret: a file that gpg wrote. Cheap to clone.
///
/// Read are streams of packets (`gpg --export`, `pubring.gpg`), armored blocks, also several in one file, and key boxes
/// (`pubring.kbx`). Keys that are too old to be used, and parts that nobody knows, are passed over. Nothing is verified by reading.
///
/// Helm reads streams of packets only. What it writes and reads this reads as well.
#[derive(Clone)]
pub struct Keyring(Arc<Vec<Certificate>>);

impl Keyring {
    /// The largest file that is read, in bytes: 64 MiB.
    pub const MAX_BYTES: u64 = 64 << 20;

    /// Packets that one file may have.
    const MAX_PACKETS: usize = 1_000_000;
    /// Keys that one file may have.
    const MAX_KEYS: usize = 50_000;

    /// Reads the keys in `bytes`.
    ///
    /// # Errors
    ///
    /// [`KeyringError`], which becomes [`ErrorKind::InvalidInput`], reason `keyring-malformed`, or [`ErrorKind::LimitExceeded`].
    pub fn read(bytes: &[u8]) -> Result<Self, KeyringError> {
        if u64::try_from(bytes.len()).is_ok_and(|length| length > Self::MAX_BYTES) {
            return Err(KeyringError::TooLarge);
        }
        let mut reader = Reader::default();
        if kbx::is_key_box(bytes) {
            for block in
                kbx::key_blocks(bytes).map_err(|broken| KeyringError::KeyBox { offset: broken.offset })?
            {
                reader.packets(block)?;
            }
        } else if bytes.first().is_some_and(|first| first & 0x80 != 0) && !bytes.starts_with(BYTE_ORDER_MARK)
        {
            reader.packets(bytes)?;
        } else {
            reader.armored(bytes)?;
        }
        let keys = reader.finish();
        if keys.is_empty() { Err(KeyringError::NoKeys) } else { Ok(Self(Arc::new(keys))) }
    }

    /// Reads the keys in a file.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read), and [`ErrorKind::NotFound`] or [`ErrorKind::Io`].
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let read = || Ok(Self::read(&Content::from_path(path)?.read(Self::MAX_BYTES)?)?);
        read().map_err(|error: Error| {
            error.with_operation("read key ring").with_context("file", path.display())
        })
    }

    /// The keys of both rings. What they know of one key counts together, revocations above all.
    #[must_use]
    pub fn join(&self, other: &Self) -> Self {
        Self(Arc::new(merge(self.0.iter().chain(other.0.iter()).cloned())))
    }

    /// What keys there are. Nothing of it is verified.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = KeyInfo> {
        self.0.iter().map(|certificate| KeyInfo {
            fingerprint: Fingerprint::of(&certificate.key),
            subkeys: certificate.subkeys.iter().map(|subkey| Fingerprint::of(&subkey.key)).collect(),
            user_ids: certificate.user_ids().map(str::to_owned).collect(),
            secret: certificate.secret.is_some()
                || certificate.subkeys.iter().any(|subkey| subkey.secret.is_some()),
        })
    }

    pub(super) fn certificates(&self) -> &[Certificate] {
        &self.0
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyring({} keys)", self.0.len())
    }
}

/// A key of a ring.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyInfo {
    /// Of the key itself.
    pub fingerprint: Fingerprint,
    /// Of its subkeys.
    pub subkeys: Vec<Fingerprint>,
    /// Whom it says it belongs to, in its own order; those that are text.
    pub user_ids: Vec<String>,
    /// Whether the secret part of one of them is there.
    pub secret: bool,
}

/// Why bytes are no key ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyringError {
    /// More bytes, packets or keys than are read.
    TooLarge,
    /// A stream of packets that breaks off or has a piece that is none.
    Packets {
        /// The byte, counted in its block.
        offset: usize,
    },
    /// A damaged armored block.
    Armor {
        /// The line, from 1.
        line: usize,
    },
    /// A damaged key box.
    KeyBox {
        /// The byte.
        offset: usize,
    },
    /// There is no key in it.
    NoKeys,
}

impl fmt::Display for KeyringError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => f.write_str("the key ring is too large"),
            Self::Packets { offset } => write!(f, "the key ring is damaged at byte {offset}"),
            Self::Armor { line } => write!(f, "the armored key ring is damaged in line {line}"),
            Self::KeyBox { offset } => write!(f, "the key box is damaged at byte {offset}"),
            Self::NoKeys => f.write_str("there is no OpenPGP key in the key ring"),
        }
    }
}

impl std::error::Error for KeyringError {}

impl From<KeyringError> for Error {
    fn from(error: KeyringError) -> Self {
        if error == KeyringError::TooLarge {
            return Self::limit("keyring_bytes", Keyring::MAX_BYTES, "the key ring is too large")
                .with_hint("export the keys that are needed: `gpg --export FINGERPRINT...`");
        }
        Self::new(ErrorKind::InvalidInput, error.to_string())
            .with_reason(Reason::KeyringMalformed)
            .with_hint("export the keys again: `gpg --armor --export FINGERPRINT...`")
            .with_source(error)
    }
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

#[derive(Default)]
struct Reader {
    keys: Vec<Certificate>,
    open: Option<Certificate>,
    packets: usize,
}

impl Reader {
    fn packets(&mut self, bytes: &[u8]) -> Result<(), KeyringError> {
        for packet in Packets::new(bytes) {
            let packet = packet.map_err(|broken| KeyringError::Packets { offset: broken.offset })?;
            self.packets += 1;
            if self.packets > Keyring::MAX_PACKETS || self.keys.len() > Keyring::MAX_KEYS {
                return Err(KeyringError::TooLarge);
            }
            match packet.tag {
                tag::PUBLIC_KEY | tag::SECRET_KEY => {
                    self.keys.extend(self.open.take());
                    self.open = Certificate::begin(packet);
                }
                _ => {
                    if let Some(open) = &mut self.open {
                        open.push(packet);
                    }
                }
            }
        }
        // A key never goes on in the next block.
        self.keys.extend(self.open.take());
        Ok(())
    }

    /// Reads every block of keys; what stands between blocks is for people.
    fn armored(&mut self, bytes: &[u8]) -> Result<(), KeyringError> {
        // Headers and text between may be in any encoding.
        let text = String::from_utf8_lossy(bytes);
        let mut lines = armor::lines(text.trim_start_matches('\u{feff}'));
        while let Some((_, line)) = armor::next(&mut lines) {
            let label = line.strip_prefix("-----BEGIN ").and_then(|rest| rest.strip_suffix("-----"));
            if let Some(label @ ("PGP PUBLIC KEY BLOCK" | "PGP PRIVATE KEY BLOCK")) = label {
                let block = armor::decode(&mut lines, label).map_err(|fault| match fault {
                    armor::Fault::Line(line) => KeyringError::Armor { line },
                    armor::Fault::Truncated => KeyringError::Armor { line: text.split('\n').count() },
                })?;
                self.packets(&block)?;
            }
        }
        Ok(())
    }

    fn finish(self) -> Vec<Certificate> {
        merge(self.keys.into_iter())
    }
}

/// One certificate for each key, in the order in which they first come.
fn merge(all: impl Iterator<Item = Certificate>) -> Vec<Certificate> {
    let mut places = HashMap::new();
    let mut keys: Vec<Certificate> = Vec::new();
    for certificate in all {
        let place = *places.entry(Fingerprint::of(&certificate.key)).or_insert(keys.len());
        match keys.get_mut(place) {
            Some(known) => known.absorb(certificate),
            None => keys.push(certificate),
        }
    }
    keys
}
