use std::{borrow::Cow, fmt};

/// A media type, without parameters, as descriptors carry it. Comparison is by the exact text, as the OCI image spec does it.
///
/// # Examples
///
/// ```
/// use oci_chart_core::oci::MediaType;
///
/// assert_eq!(MediaType::from("application/vnd.cncf.helm.config.v1+json"), MediaType::HELM_CONFIG);
/// assert!(MediaType::OCI_MANIFEST.is_manifest());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MediaType(Cow<'static, str>);

impl MediaType {
    /// OCI image manifest (image-spec 1.1).
    pub const OCI_MANIFEST: Self = Self(Cow::Borrowed("application/vnd.oci.image.manifest.v1+json"));
    /// OCI image index (image-spec 1.1).
    pub const OCI_INDEX: Self = Self(Cow::Borrowed("application/vnd.oci.image.index.v1+json"));
    /// OCI image configuration.
    pub const OCI_CONFIG: Self = Self(Cow::Borrowed("application/vnd.oci.image.config.v1+json"));
    /// The empty JSON object, `{}` (image-spec 1.1).
    pub const EMPTY_JSON: Self = Self(Cow::Borrowed("application/vnd.oci.empty.v1+json"));
    /// Docker image manifest, schema 2.
    pub const DOCKER_MANIFEST: Self =
        Self(Cow::Borrowed("application/vnd.docker.distribution.manifest.v2+json"));
    /// Docker manifest list, schema 2.
    pub const DOCKER_LIST: Self =
        Self(Cow::Borrowed("application/vnd.docker.distribution.manifest.list.v2+json"));
    /// A chart's metadata (Helm 3.8 and later).
    pub const HELM_CONFIG: Self = Self(Cow::Borrowed("application/vnd.cncf.helm.config.v1+json"));
    /// A chart's package (Helm 3.8 and later).
    pub const HELM_CHART: Self = Self(Cow::Borrowed("application/vnd.cncf.helm.chart.content.v1.tar+gzip"));
    /// A chart's package as very old clients pushed it; read, never written.
    pub const HELM_CHART_LEGACY: Self = Self(Cow::Borrowed("application/tar+gzip"));
    /// A chart's provenance file (Helm 3.8 and later).
    pub const HELM_PROVENANCE: Self =
        Self(Cow::Borrowed("application/vnd.cncf.helm.chart.provenance.v1.prov"));

    /// The types of everything that is stored as a manifest, in the order in which an `Accept` header names them.
    pub const MANIFESTS: [Self; 4] =
        [Self::OCI_MANIFEST, Self::OCI_INDEX, Self::DOCKER_MANIFEST, Self::DOCKER_LIST];

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether content of this type is stored as a manifest (and not as a blob).
    pub fn is_manifest(&self) -> bool {
        Self::MANIFESTS.contains(self)
    }

    /// Whether content of this type lists manifests.
    pub fn is_index(&self) -> bool {
        *self == Self::OCI_INDEX || *self == Self::DOCKER_LIST
    }
}

impl From<&str> for MediaType {
    fn from(text: &str) -> Self {
        Self(Cow::Owned(text.to_owned()))
    }
}

impl From<String> for MediaType {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}

impl serde::Serialize for MediaType {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
