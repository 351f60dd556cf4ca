use bytes::Bytes;

use super::{
    super::strict_json::{self, Json},
    Attachment,
};
use crate::{
    error::{Error, ErrorKind, Reason, Result},
    oci::MediaType,
};

/// The types that scanners look for among the referrers of an image or chart (trivy, `pkg/oci/artifact.go`).
pub(super) const SPDX: &str = "application/spdx+json";
pub(super) const CYCLONEDX: &str = "application/vnd.cyclonedx+json";
const CYCLONEDX_XML: &str = "application/vnd.cyclonedx+xml";

/// Which standard a bill of materials follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standard {
    /// SPDX 2, JSON.
    Spdx2,
    /// SPDX 3, JSON-LD.
    Spdx3,
    /// CycloneDX, JSON.
    CycloneDx,
    /// CycloneDX, XML.
    CycloneDxXml,
}

impl Standard {
    /// The standard of a document, by what it says itself.
    pub(crate) fn of(document: &[u8]) -> Result<Self> {
        if document.trim_ascii_start().starts_with(b"<") {
            // The name space stands in the root element; the rest is for whoever reads the document.
            let head = document.get(..4096).unwrap_or(document);
            let namespace = b"http://cyclonedx.org/schema/bom/";
            let found = head.windows(namespace.len()).any(|window| window == namespace);
            return if found {
                Ok(Self::CycloneDxXml)
            } else {
                Err(unknown("it is XML of another name space"))
            };
        }
        let json = strict_json::parse(document).map_err(|flaw| unknown(&flaw.message).with_source(flaw))?;
        let text = |key: &str| json.get(key).and_then(Json::text);
        if text("bomFormat").is_some_and(|format| format == "CycloneDX") {
            return Ok(Self::CycloneDx);
        }
        if text("spdxVersion").is_some_and(|version| version.starts_with("SPDX-2.")) {
            return Ok(Self::Spdx2);
        }
        if text("@context").is_some_and(|context| context.starts_with("https://spdx.org/rdf/3.")) {
            return Ok(Self::Spdx3);
        }
        Err(unknown("it says neither `bomFormat`, `spdxVersion` nor the context of SPDX 3"))
    }

    fn media_type(self) -> MediaType {
        MediaType::from(match self {
            Self::Spdx2 | Self::Spdx3 => SPDX,
            Self::CycloneDx => CYCLONEDX,
            Self::CycloneDxXml => CYCLONEDX_XML,
        })
    }
}

impl Attachment {
    /// A bill of materials: SPDX (JSON, 2 and 3) or CycloneDX (JSON, XML), told apart by what the document says. Its bytes are attached as they are.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for a document of neither standard, and for JSON with a key twice.
    pub fn sbom(document: impl Into<Bytes>) -> Result<Self> {
        let document = document.into();
        let standard = Standard::of(&document)?;
        Ok(Self::new(standard.media_type(), document))
    }
}

fn unknown(why: &str) -> Error {
    Error::new(ErrorKind::InvalidInput, format!("not a bill of materials of a known standard: {why}"))
        .with_reason(Reason::FieldInvalid)
        .with_hint("give SPDX or CycloneDX, as `syft -o spdx-json` and `syft -o cyclonedx-json` write them")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_says_what_it_is() {
        for (document, standard) in [
            (r#"{"bomFormat":"CycloneDX","specVersion":"1.6"}"#, Some(Standard::CycloneDx)),
            (r#" {"spdxVersion":"SPDX-2.3"}"#, Some(Standard::Spdx2)),
            (
                r#"{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[]}"#,
                Some(Standard::Spdx3),
            ),
            (
                "<?xml version=\"1.0\"?>\n<bom xmlns=\"http://cyclonedx.org/schema/bom/1.6\"/>",
                Some(Standard::CycloneDxXml),
            ),
            ("<bom/>", None),
            ("{}", None),
            ("[]", None),
            ("", None),
            ("SPDXVersion: SPDX-2.3", None),
            (r#"{"spdxVersion":"SPDX-1.2"}"#, None),
            (r#"{"bomFormat":"CycloneDX","bomFormat":"CycloneDX"}"#, None),
            (r#"{"bomFormat":"CycloneDX"}{}"#, None),
        ] {
            assert_eq!(Standard::of(document.as_bytes()).ok(), standard, "{document}");
        }
    }
}
