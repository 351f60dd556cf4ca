//! Provenance files (`.prov`): the text that `helm package --sign` writes beside a package. Who signed it is asked in `trust`; here is what
//! is said, and whether it is said of a package.

pub(crate) mod armor;
mod clearsign;
mod compare;
mod error;
mod message;

#[cfg(feature = "sign")]
pub(crate) use compare::compare_chart;
pub use compare::{FileMatch, MetadataMatch};
pub use error::ProvenanceError;
#[cfg(feature = "pgp")]
pub(crate) use error::excerpt;

use self::clearsign::Cleartext;
use super::{Metadata, Package};
use crate::{
    digest::Digest,
    error::{Error, Result},
};

/// A provenance file, taken apart: the signed text and what it says. Nothing outside the signed text is kept but the signature itself.
///
/// Reading one checks its form and nothing else: **the signature is not looked at**. It is stricter than Helm, which searches a block
/// anywhere in the file, skips what it does not know and lets the last of two equal entries win. Here the file is one block and nothing
/// more, in UTF-8, without control characters, with two YAML documents of which each key is said once.
///
/// # Examples
///
/// ```
/// use oci_chart_core::chart::Provenance;
///
/// let prov = Provenance::parse(b"-----BEGIN PGP SIGNED MESSAGE-----
/// Hash: SHA512
///
/// name: web
/// version: 1.2.3
///
/// ...
/// files:
///   web-1.2.3.tgz: sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a
/// -----BEGIN PGP SIGNATURE-----
///
/// iQ==
/// -----END PGP SIGNATURE-----
/// ")?;
/// assert_eq!((prov.name(), prov.version()), (Some("web"), Some("1.2.3")));
/// assert_eq!(prov.files().map(|(name, _)| name).collect::<Vec<_>>(), ["web-1.2.3.tgz"]);
/// # Ok::<(), oci_chart_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    cleartext: Cleartext,
    message: message::Message,
}

impl Provenance {
    /// The largest file that is read, in bytes: 4 MiB, as much as any answer of a registry may have.
    pub const MAX_BYTES: usize = 4 << 20;

    /// Reads a provenance file.
    ///
    /// # Errors
    ///
    /// [`ProvenanceError`] with the line, which becomes [`SignatureInvalid`](crate::ErrorKind::SignatureInvalid), reason
    /// `provenance-malformed`; for a file above [`MAX_BYTES`](Self::MAX_BYTES) [`LimitExceeded`](crate::ErrorKind::LimitExceeded).
    pub fn parse(bytes: &[u8]) -> Result<Self, ProvenanceError> {
        let cleartext = Cleartext::parse(bytes)?;
        let message = message::Message::parse(cleartext.text())?;
        Ok(Self { cleartext, message })
    }

    /// The text that Helm 4.2 signs for `package`, byte for byte: Chart.yaml as Helm writes it, a line with three dots, the package's file
    /// name and digest.
    ///
    /// # Errors
    ///
    /// As [`Package::metadata`] and [`Metadata::to_yaml`].
    pub fn message(package: &Package) -> Result<String> {
        let file = package.file_name()?;
        Self::message_of(package.metadata()?, &file, &package.digest())
    }

    /// The text that Helm 4.2 signs for a package with this Chart.yaml, file name and digest.
    ///
    /// # Errors
    ///
    /// As [`Metadata::to_yaml`], also for a file name that YAML cannot hold.
    pub fn message_of(metadata: &Metadata, file: &str, digest: &Digest) -> Result<String> {
        message::build(metadata, file, digest)
    }

    /// The signed text, exactly as it was hashed but with `\n` for line ends: blanks at the ends of lines are not part of it.
    pub fn text(&self) -> &str {
        self.cleartext.text()
    }

    /// The chart's name as the signed text has it.
    pub fn name(&self) -> Option<&str> {
        self.message.name.as_deref()
    }

    /// The chart's version as the signed text has it.
    pub fn version(&self) -> Option<&str> {
        self.message.version.as_deref()
    }

    /// The files that the signed text names, with what it says of each, mostly `sha256:` and hexadecimal digits; sorted by name.
    pub fn files(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.message.files.iter().map(|(name, sum)| (name.as_str(), sum.as_str()))
    }

    /// The bytes that the signature is over: [`text`](Self::text) with CR and LF for line ends.
    pub fn signed_bytes(&self) -> Vec<u8> {
        clearsign::canonical(self.text()).into_bytes()
    }

    /// The hash algorithms that the file announces, by their OpenPGP names.
    pub fn hashes(&self) -> &[&'static str] {
        self.cleartext.hashes()
    }

    /// The signature: OpenPGP packets, not looked at.
    pub fn signature(&self) -> &[u8] {
        self.cleartext.signatures()
    }

    /// Puts a provenance file together: a message (see [`message`](Self::message)), the OpenPGP name of the hash algorithm, and the packets of
    /// a signature over [`bytes_to_sign`](Self::bytes_to_sign). The result is Helm's but for a checksum and a line break at the end, which
    /// gpg asks for.
    ///
    /// # Errors
    ///
    /// [`ProvenanceError`] for what could not be read again, such as a message with control characters.
    pub fn assemble(message: &str, hash: &str, signature: &[u8]) -> Result<Vec<u8>, ProvenanceError> {
        let written = clearsign::write(message, hash, signature).into_bytes();
        Self::parse(&written).map(|_| written)
    }

    /// What has to be signed for a message: a text signature (type 0x01) over these bytes.
    pub fn bytes_to_sign(message: &str) -> Vec<u8> {
        clearsign::canonical(message).into_bytes()
    }
}

impl TryFrom<&[u8]> for Provenance {
    type Error = Error;

    fn try_from(bytes: &[u8]) -> Result<Self> {
        Ok(Self::parse(bytes)?)
    }
}
