use bytes::Bytes;

use super::{Descriptor, Manifest, MediaType, annotations::annotations};
use crate::{
    chart::{Package, Timestamp},
    content::Content,
    error::Result,
    name::Tag,
};

/// In which order the layers stand. It only matters beside a provenance file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum LayerOrder {
    /// The package first: what readers find that take the first layer.
    #[default]
    ChartFirst,
    /// Sorted by digest, as Helm does it: the same manifest digest as Helm's.
    Helm,
}

/// How a package becomes an artifact.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ArtifactOptions {
    /// The annotation `org.opencontainers.image.created`. Where it is not given, `SOURCE_DATE_EPOCH` says it, and where that is not set there is no
    /// such annotation: the same package is the same manifest on every day.
    pub created: Option<Timestamp>,
    /// The order of the layers.
    pub layer_order: LayerOrder,
}

impl ArtifactOptions {
    /// Options with a time for the `created` annotation.
    #[must_use]
    pub fn with_created(mut self, created: Timestamp) -> Self {
        self.created = Some(created);
        self
    }

    /// Options with another order of layers.
    #[must_use]
    pub fn with_layer_order(mut self, order: LayerOrder) -> Self {
        self.layer_order = order;
        self
    }
}

/// A chart as an OCI artifact, ready to be pushed: configuration, layers and manifest, byte for byte as Helm 4.2 makes them from the same package.
#[derive(Debug, Clone)]
pub struct ChartArtifact {
    package: Package,
    config: (Descriptor, Bytes),
    chart: Descriptor,
    provenance: Option<(Descriptor, Bytes)>,
    manifest: Manifest,
    tag: Tag,
}

impl ChartArtifact {
    /// Describes `package`.
    ///
    /// # Errors
    ///
    /// [`InvalidReference`](crate::ErrorKind::InvalidReference) for a version that is no tag (above 128 characters), `bad-time` for a
    /// `SOURCE_DATE_EPOCH` that is no time.
    pub fn new(package: Package, options: &ArtifactOptions) -> Result<Self> {
        let metadata = package.metadata()?;
        let tag = metadata.version()?.to_tag()?;
        let created = match options.created {
            Some(created) => Some(created),
            None => Timestamp::from_environment()?,
        };
        let created = created.map(|created| created.to_string());
        let config = Bytes::from(metadata.to_json());
        let config = (Descriptor::of(MediaType::HELM_CONFIG, &config), config);
        let chart = Descriptor::new(MediaType::HELM_CHART, package.digest(), package.size());
        let provenance = package.provenance().cloned();
        let provenance = provenance.map(|bytes| (Descriptor::of(MediaType::HELM_PROVENANCE, &bytes), bytes));
        let mut layers = vec![chart.clone()];
        layers.extend(provenance.iter().map(|(descriptor, _)| descriptor.clone()));
        if options.layer_order == LayerOrder::Helm {
            layers.sort_by_key(|layer| layer.digest);
        }
        let manifest = Manifest::write(&config.0, &layers, &annotations(metadata, created.as_deref()));
        Ok(Self { config, chart, provenance, manifest, tag, package })
    }

    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The configuration: the chart's metadata as JSON.
    pub fn config(&self) -> (&Descriptor, &Bytes) {
        (&self.config.0, &self.config.1)
    }

    /// The chart layer.
    pub fn chart(&self) -> &Descriptor {
        &self.chart
    }

    /// The provenance layer, where the package has a provenance file.
    pub fn provenance(&self) -> Option<&Descriptor> {
        self.provenance.as_ref().map(|(descriptor, _)| descriptor)
    }

    /// The package.
    pub fn package(&self) -> &Package {
        &self.package
    }

    /// The tag of the chart's version, with `_` for `+`.
    pub fn tag(&self) -> &Tag {
        &self.tag
    }

    /// Everything that is pushed before the manifest.
    pub fn blobs(&self) -> impl Iterator<Item = (&Descriptor, Content)> {
        let (config, bytes) = &self.config;
        let provenance = self.provenance.iter().map(|(descriptor, bytes)| (descriptor, bytes.clone().into()));
        [(config, Content::from(bytes.clone())), (&self.chart, self.package.content().clone())]
            .into_iter()
            .chain(provenance)
    }
}
