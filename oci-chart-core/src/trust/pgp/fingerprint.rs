use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::error::{Error, ErrorKind};

/// The fingerprint of an OpenPGP key: 40 hexadecimal digits, 64 for keys of version 6. Shown in capitals, without blanks.
///
/// # Examples
///
/// ```
/// use oci_chart_core::trust::pgp::Fingerprint;
///
/// // As `gpg --fingerprint` prints it.
/// let helm: Fingerprint = "5E61 5389 B53C A37F 0EE6  0BD3 843B BF98 1FC1 8762".parse()?;
/// assert_eq!(helm.to_string(), "5E615389B53CA37F0EE60BD3843BBF981FC18762");
/// assert!("843BBF981FC18762".parse::<Fingerprint>().is_err()); // a key id, which anybody can make again
/// # Ok::<(), oci_chart_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(String);

impl Fingerprint {
    #[cfg(feature = "pgp")]
    pub(super) fn of(key: &impl pgp::types::KeyDetails) -> Self {
        Self(format!("{:X}", key.fingerprint()))
    }

    #[cfg(feature = "pgp")]
    pub(super) fn from_packet(fingerprint: &pgp::types::Fingerprint) -> Self {
        Self(format!("{fingerprint:X}"))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Fingerprint {
    type Err = ParseFingerprintError;

    fn from_str(text: &str) -> Result<Self, ParseFingerprintError> {
        let text = text.trim();
        let text = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
        let digits: String = text.chars().filter(|c| *c != ' ').collect();
        if !digits.chars().all(|c| c.is_ascii_hexdigit()) {
            return Err(ParseFingerprintError::Digit);
        }
        match digits.len() {
            40 | 64 => Ok(Self(digits.to_ascii_uppercase())),
            8 | 16 => Err(ParseFingerprintError::KeyId),
            _ => Err(ParseFingerprintError::Length),
        }
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// Why a text is no fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseFingerprintError {
    /// Something else than hexadecimal digits and blanks.
    Digit,
    /// The short form, which does not tell keys apart: a second key with a given one takes minutes to make.
    KeyId,
    /// Neither 40 nor 64 digits.
    Length,
}

impl fmt::Display for ParseFingerprintError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Digit => "a fingerprint has hexadecimal digits only",
            Self::KeyId => "this is a key id, which does not tell keys apart",
            Self::Length => "a fingerprint has 40 or 64 hexadecimal digits",
        })
    }
}

impl std::error::Error for ParseFingerprintError {}

impl From<ParseFingerprintError> for Error {
    fn from(error: ParseFingerprintError) -> Self {
        Self::new(ErrorKind::InvalidInput, error.to_string())
            .with_hint("`gpg --fingerprint` shows the fingerprints of all keys")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_a_fingerprint() {
        let plain = "5E615389B53CA37F0EE60BD3843BBF981FC18762";
        for text in [
            plain,
            &plain.to_lowercase(),
            &format!(" 0x{plain} "),
            "5E61 5389 B53C A37F 0EE6  0BD3 843B BF98 1FC1 8762",
        ] {
            assert_eq!(text.parse::<Fingerprint>().unwrap().as_str(), plain, "{text:?}");
        }
        for (text, error) in [
            ("1FC18762", ParseFingerprintError::KeyId),
            ("", ParseFingerprintError::Length),
            (&plain[1..], ParseFingerprintError::Length),
            ("me@example.com", ParseFingerprintError::Digit),
        ] {
            assert_eq!(text.parse::<Fingerprint>(), Err(error), "{text:?}");
        }
    }
}
