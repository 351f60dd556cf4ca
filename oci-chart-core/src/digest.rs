//! Digests: parsed, computed once while bytes flow, and compared.

use std::{cmp::Ordering, fmt, io, str::FromStr};

use sha2::Digest as _;

use crate::error::{Error, ErrorKind, Reason, Result};

/// A digest algorithm of the OCI image spec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[non_exhaustive]
pub enum Algorithm {
    /// SHA-256, what every registry and every Helm uses.
    #[default]
    Sha256,
    /// SHA-512.
    Sha512,
}

impl Algorithm {
    /// The name in front of the colon.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    const fn bytes(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

/// A digest as the OCI image spec writes it: `sha256:` and 64 lower-case hexadecimal digits, or `sha512:` and 128.
///
/// # Examples
///
/// ```
/// use oci_chart_core::Digest;
///
/// let digest = Digest::of(b"{}");
/// assert_eq!(digest.to_string(), "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
/// assert_eq!(digest.to_string().parse(), Ok(digest));
/// assert!("sha256:44136FA3".parse::<Digest>().is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest {
    algorithm: Algorithm,
    bytes: [u8; 64],
}

impl Digest {
    /// The SHA-256 digest of `bytes`.
    pub fn of(bytes: impl AsRef<[u8]>) -> Self {
        let mut hasher = Hasher::default();
        hasher.update(bytes.as_ref());
        hasher.finish()
    }

    /// The algorithm.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The digest's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.algorithm.bytes()).unwrap_or_default()
    }

    /// The part behind the colon.
    pub fn hex(&self) -> String {
        let mut text = self.to_string();
        text.split_off(self.algorithm.name().len() + 1)
    }
}

impl FromStr for Digest {
    type Err = ParseDigestError;

    fn from_str(text: &str) -> Result<Self, ParseDigestError> {
        let (name, hex) = text.split_once(':').ok_or(ParseDigestError::NoColon)?;
        let algorithm = match name {
            "sha256" => Algorithm::Sha256,
            "sha512" => Algorithm::Sha512,
            _ => return Err(ParseDigestError::Algorithm),
        };
        if hex.len() != 2 * algorithm.bytes() {
            return Err(ParseDigestError::Length);
        }
        let mut bytes = [0; 64];
        for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
            for digit in pair {
                let value = match digit {
                    b'0'..=b'9' => digit - b'0',
                    b'a'..=b'f' => digit - b'a' + 10,
                    _ => return Err(ParseDigestError::Digit),
                };
                *byte = (*byte << 4) | value;
            }
        }
        Ok(Self { algorithm, bytes })
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut hex = [0; 128];
        for (pair, byte) in hex.chunks_exact_mut(2).zip(self.as_bytes()) {
            pair.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
        }
        f.write_str(self.algorithm.name())?;
        f.write_str(":")?;
        f.write_str(std::str::from_utf8(&hex[..2 * self.algorithm.bytes()]).unwrap_or_default())
    }
}

impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl Ord for Digest {
    /// As their texts compare.
    fn cmp(&self, other: &Self) -> Ordering {
        (self.algorithm, self.as_bytes()).cmp(&(other.algorithm, other.as_bytes()))
    }
}

impl PartialOrd for Digest {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Why a text is no digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseDigestError {
    /// There is no colon.
    NoColon,
    /// The algorithm is neither sha256 nor sha512.
    Algorithm,
    /// Too many or too few digits for the algorithm.
    Length,
    /// Something else than a lower-case hexadecimal digit.
    Digit,
}

impl fmt::Display for ParseDigestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoColon => "a digest has the form ALGORITHM:HEX",
            Self::Algorithm => "the digest's algorithm is neither sha256 nor sha512",
            Self::Length => "the digest has the wrong number of digits for its algorithm",
            Self::Digit => "a digest has lower-case hexadecimal digits only",
        })
    }
}

impl std::error::Error for ParseDigestError {}

impl From<ParseDigestError> for Error {
    fn from(error: ParseDigestError) -> Self {
        Self::new(ErrorKind::InvalidReference, error.to_string())
            .with_hint("a digest is sha256: and 64 lower-case hexadecimal digits")
    }
}

/// Computes a digest while bytes flow.
#[derive(Clone)]
pub struct Hasher(State);

#[derive(Clone)]
enum State {
    Sha256(sha2::Sha256),
    Sha512(Box<sha2::Sha512>),
}

impl Hasher {
    /// A hasher of `algorithm`.
    pub fn new(algorithm: Algorithm) -> Self {
        Self(match algorithm {
            Algorithm::Sha256 => State::Sha256(sha2::Sha256::new()),
            Algorithm::Sha512 => State::Sha512(Box::default()),
        })
    }

    /// Takes more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Sha256(state) => state.update(bytes),
            State::Sha512(state) => state.update(bytes),
        }
    }

    /// The digest of all bytes taken.
    pub fn finish(self) -> Digest {
        let mut bytes = [0; 64];
        let algorithm = match self.0 {
            State::Sha256(state) => {
                bytes[..32].copy_from_slice(&state.finalize());
                Algorithm::Sha256
            }
            State::Sha512(state) => {
                bytes.copy_from_slice(&state.finalize());
                Algorithm::Sha512
            }
        };
        Digest { algorithm, bytes }
    }
}

impl Default for Hasher {
    fn default() -> Self {
        Self::new(Algorithm::Sha256)
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hasher(..)")
    }
}

/// Writing into a hasher hashes.
impl io::Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Holds bytes that flow by against the digest and size that were promised.
///
/// # Errors
///
/// [`ErrorKind::DigestMismatch`] as soon as there are too many bytes, and from [`Verifier::finish`] where there are too few
/// or others.
#[derive(Debug)]
pub struct Verifier {
    hasher: Hasher,
    expected: Digest,
    size: u64,
    seen: u64,
}

impl Verifier {
    /// Expects `size` bytes of digest `expected`.
    pub fn new(expected: Digest, size: u64) -> Self {
        Self { hasher: Hasher::new(expected.algorithm()), expected, size, seen: 0 }
    }

    /// Takes more bytes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::DigestMismatch`] once there are more than announced.
    pub fn update(&mut self, bytes: &[u8]) -> Result<()> {
        self.seen = self.seen.saturating_add(bytes.len() as u64);
        if self.seen > self.size {
            return Err(self.wrong_size("more bytes than announced"));
        }
        self.hasher.update(bytes);
        Ok(())
    }

    /// Bytes taken so far.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// Compares, once everything has come.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::DigestMismatch`] for too few bytes, or others.
    pub fn finish(self) -> Result<()> {
        if self.seen < self.size {
            return Err(self.wrong_size("fewer bytes than announced"));
        }
        let actual = self.hasher.finish();
        if actual == self.expected {
            return Ok(());
        }
        Err(Error::new(ErrorKind::DigestMismatch, "the bytes do not have the expected digest")
            .with_context("expected", self.expected)
            .with_context("actual", actual)
            .with_hint("the content was changed or damaged on its way; fetch it again, from another source if need be"))
    }

    fn wrong_size(&self, message: &'static str) -> Error {
        Error::new(ErrorKind::DigestMismatch, message)
            .with_reason(Reason::SizeMismatch)
            .with_context("digest", self.expected)
            .with_context("expected bytes", self.size)
            .with_context("bytes", self.seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_spec_s_form_parses() {
        let hex = "a".repeat(64);
        assert!(format!("sha256:{hex}").parse::<Digest>().is_ok());
        assert!(format!("sha512:{hex}{hex}").parse::<Digest>().is_ok());
        for (text, error) in [
            (hex.clone(), ParseDigestError::NoColon),
            (format!("md5:{hex}"), ParseDigestError::Algorithm),
            (format!("sha512:{hex}"), ParseDigestError::Length),
            (format!("sha256:{}", hex.to_uppercase()), ParseDigestError::Digit),
            (format!("sha256:{}é", &hex[..62]), ParseDigestError::Digit),
        ] {
            assert_eq!(text.parse::<Digest>(), Err(error), "{text}");
        }
    }

    #[test]
    fn the_order_is_that_of_the_texts() {
        let mut digests: Vec<_> = (0..50u8).map(|n| Digest::of([n])).collect();
        digests.sort();
        assert!(digests.windows(2).all(|pair| pair[0].to_string() < pair[1].to_string()));
    }

    #[test]
    fn a_verifier_tells_size_from_content() {
        let check = |bytes: &[u8], size| {
            let mut verifier = Verifier::new(Digest::of("abc"), size);
            verifier
                .update(bytes)
                .and_then(|()| verifier.finish())
                .map_err(|error| (error.kind(), error.reason()))
        };
        let mismatch = ErrorKind::DigestMismatch;
        assert_eq!(check(b"abc", 3), Ok(()));
        assert_eq!(check(b"abd", 3), Err((mismatch, None)));
        assert_eq!(check(b"ab", 3), Err((mismatch, Some(Reason::SizeMismatch))));
        assert_eq!(check(b"abcd", 3), Err((mismatch, Some(Reason::SizeMismatch))));
    }

    #[test]
    fn sha512_is_known_by_its_published_value() {
        let mut hasher = Hasher::new(Algorithm::Sha512);
        hasher.update(b"abc");
        assert!(hasher.finish().to_string().starts_with("sha512:ddaf35a193617abacc417349ae204131"));
    }
}
