use std::{borrow::Cow, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::super::{attach::Standard, statement::COSIGN_SIGN};
use crate::error::{Error, ErrorKind, Reason, Result};

/// Which kind of thing an attestation says: a URI, compared letter by letter.
///
/// # Examples
///
/// ```
/// use oci_chart_core::trust::PredicateType;
///
/// assert_eq!("slsaprovenance1".parse::<PredicateType>()?, PredicateType::SLSA_PROVENANCE_V1); // cosign's short name
/// assert_eq!("https://example.com/v1".parse::<PredicateType>()?.as_str(), "https://example.com/v1");
/// assert!("provenance".parse::<PredicateType>().is_err());
/// # Ok::<(), oci_chart_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PredicateType(Cow<'static, str>);

/// The short names of `cosign attest --type` (cosign, `cmd/cosign/cli/options/predicate.go`).
const NAMES: &[(&str, PredicateType)] = &[
    ("slsaprovenance1", PredicateType::SLSA_PROVENANCE_V1),
    ("slsaprovenance", PredicateType::SLSA_PROVENANCE_V02),
    ("slsaprovenance02", PredicateType::SLSA_PROVENANCE_V02),
    ("spdx", PredicateType::SPDX),
    ("spdxjson", PredicateType::SPDX),
    ("cyclonedx", PredicateType::CYCLONEDX),
    ("vuln", PredicateType::VULNERABILITIES),
    ("openvex", PredicateType::OPENVEX),
    ("custom", PredicateType::CUSTOM),
];

impl PredicateType {
    /// Who built it, from what and how (SLSA 1.0).
    pub const SLSA_PROVENANCE_V1: Self = Self(Cow::Borrowed("https://slsa.dev/provenance/v1"));
    /// The same as SLSA 0.2 had it.
    pub const SLSA_PROVENANCE_V02: Self = Self(Cow::Borrowed("https://slsa.dev/provenance/v0.2"));
    /// What is in it, SPDX 2.
    pub const SPDX: Self = Self(Cow::Borrowed("https://spdx.dev/Document"));
    /// What is in it, SPDX 3.
    pub const SPDX_V3: Self = Self(Cow::Borrowed("https://spdx.dev/Document/v3"));
    /// What is in it, CycloneDX.
    pub const CYCLONEDX: Self = Self(Cow::Borrowed("https://cyclonedx.org/bom"));
    /// What a scan found, as cosign has it.
    pub const VULNERABILITIES: Self = Self(Cow::Borrowed("https://cosign.sigstore.dev/attestation/vuln/v1"));
    /// Which findings matter, OpenVEX.
    pub const OPENVEX: Self = Self(Cow::Borrowed("https://openvex.dev/ns"));
    /// What cosign uses where nobody names a type.
    pub const CUSTOM: Self = Self(Cow::Borrowed("https://cosign.sigstore.dev/attestation/v1"));

    /// The URI.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is that of a signature, which says nothing but that somebody signed.
    pub fn is_signature(&self) -> bool {
        self.0 == COSIGN_SIGN
    }

    /// The type for a bill of materials.
    pub(super) fn of_sbom(document: &[u8]) -> Result<Self> {
        match Standard::of(document)? {
            Standard::Spdx2 => Ok(Self::SPDX),
            Standard::Spdx3 => Ok(Self::SPDX_V3),
            Standard::CycloneDx => Ok(Self::CYCLONEDX),
            Standard::CycloneDxXml => Err(Error::new(
                ErrorKind::InvalidInput,
                "a statement holds JSON, and this bill of materials is XML",
            )
            .with_reason(Reason::FieldType)
            .with_hint("attach it unsigned, or make it as JSON")),
        }
    }
}

impl FromStr for PredicateType {
    type Err = Error;

    /// Reads a URI, or one of cosign's short names.
    fn from_str(text: &str) -> Result<Self> {
        if let Some((_, known)) = NAMES.iter().find(|(name, _)| *name == text) {
            return Ok(known.clone());
        }
        let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme);
        let uri = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.chars().all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter))
            && text.len() <= 1024
            && text.chars().all(|letter| letter.is_ascii_graphic());
        if uri {
            return Ok(Self(Cow::Owned(text.to_owned())));
        }
        Err(Error::new(ErrorKind::InvalidInput, "not a predicate type")
            .with_reason(Reason::FieldInvalid)
            .with_context("predicate type", format!("{text:?}"))
            .with_hint("give a URI, or one of cosign's names: slsaprovenance1, spdxjson, cyclonedx, vuln, openvex, custom"))
    }
}

impl fmt::Display for PredicateType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for PredicateType {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for PredicateType {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}
