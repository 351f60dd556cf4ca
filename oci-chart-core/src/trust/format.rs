use serde::{Deserialize, Serialize};

/// The forms in which a chart is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Format {
    /// A layer of the manifest tagged `sha256-HEX.sig`: simple signing, as cosign 1 and 2 write it.
    SignatureTag,
    /// A Sigstore bundle (v0.3) as a referrer, as cosign 3 writes it.
    Bundle,
    /// Helm's provenance file, a layer of the chart's own manifest.
    Provenance,
}

impl Format {
    /// The forms that cosign writes.
    pub const COSIGN: [Self; 2] = [Self::SignatureTag, Self::Bundle];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignatureTag => "signature-tag",
            Self::Bundle => "bundle",
            Self::Provenance => "provenance",
        }
    }
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
