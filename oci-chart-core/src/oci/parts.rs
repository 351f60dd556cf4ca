use super::{Descriptor, Manifest, MediaType};
use crate::error::{Error, ErrorKind, Reason, Result};

/// Which parts of a manifest make a chart: chosen by media type, never by position, since Helm sorts layers by digest.
///
/// Accepted is what Helm 4.2 accepts on pull: the chart layer or its legacy type, an optional provenance layer, and any other layers beside them. Of
/// several layers of one type the last counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChartParts {
    config: Descriptor,
    chart: Descriptor,
    provenance: Option<Descriptor>,
}

impl ChartParts {
    /// Finds the parts.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidManifest`] with reason `not-a-chart`, with Helm's words inside.
    pub fn from_manifest(manifest: &Manifest) -> Result<Self> {
        let last = |media_type: &MediaType| {
            manifest.layers().iter().rev().find(|layer| layer.media_type == *media_type)
        };
        let refuse = |message: String| {
            Error::new(ErrorKind::InvalidManifest, message)
                .with_reason(Reason::NotAChart)
                .with_context("manifest", manifest.descriptor().digest)
                .with_hint("this reference holds something else than a Helm chart, an image for example")
        };
        let config = manifest.config().filter(|config| config.media_type == MediaType::HELM_CONFIG);
        let config = config.ok_or_else(|| {
            let found = manifest.config().map_or("no configuration", |config| config.media_type.as_str());
            refuse(format!("could not load config with mediatype {}", MediaType::HELM_CONFIG))
                .with_context("config media type", found)
        })?;
        let chart = last(&MediaType::HELM_CHART).or_else(|| last(&MediaType::HELM_CHART_LEGACY));
        let chart = chart.ok_or_else(|| {
            refuse(format!("manifest does not contain a layer with mediatype {}", MediaType::HELM_CHART))
        })?;
        let provenance = last(&MediaType::HELM_PROVENANCE);
        Ok(Self { config: config.clone(), chart: chart.clone(), provenance: provenance.cloned() })
    }

    /// The chart's metadata.
    pub fn config(&self) -> &Descriptor {
        &self.config
    }

    /// The chart's package.
    pub fn chart(&self) -> &Descriptor {
        &self.chart
    }

    /// The provenance file, where there is one.
    pub fn provenance(&self) -> Option<&Descriptor> {
        self.provenance.as_ref()
    }

    /// Whether the package has the media type that only very old clients wrote. Helm warns of it.
    pub fn is_legacy(&self) -> bool {
        self.chart.media_type == MediaType::HELM_CHART_LEGACY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(config: MediaType, layers: &[(&MediaType, &str)]) -> Result<ChartParts> {
        let config = Descriptor::of(config, b"{}");
        let layers: Vec<_> =
            layers.iter().map(|(kind, text)| Descriptor::of((*kind).clone(), text)).collect();
        ChartParts::from_manifest(&Manifest::write(&config, &layers, &Default::default()))
    }

    #[test]
    fn parts_are_found_wherever_they_stand() {
        let (chart, legacy, prov) =
            (&MediaType::HELM_CHART, &MediaType::HELM_CHART_LEGACY, &MediaType::HELM_PROVENANCE);
        let other = &MediaType::from("application/vnd.example");
        let found = parts(MediaType::HELM_CONFIG, &[(prov, "p"), (other, "o"), (chart, "c")]).unwrap();
        assert_eq!(
            (found.chart().digest, found.is_legacy()),
            (Descriptor::of(chart.clone(), "c").digest, false)
        );
        assert_eq!(found.provenance().map(|prov| prov.size), Some(1));
        assert!(parts(MediaType::HELM_CONFIG, &[(legacy, "c")]).unwrap().is_legacy());
        let last = parts(MediaType::HELM_CONFIG, &[(chart, "1"), (chart, "22")]).unwrap();
        assert_eq!(last.chart().size, 2);
    }

    #[test]
    fn what_is_no_chart_is_refused() {
        for result in [
            parts(MediaType::OCI_CONFIG, &[(&MediaType::HELM_CHART, "c")]),
            parts(MediaType::HELM_CONFIG, &[(&MediaType::HELM_PROVENANCE, "p")]),
            parts(MediaType::HELM_CONFIG, &[]),
        ] {
            assert_eq!(result.unwrap_err().reason(), Some(Reason::NotAChart));
        }
    }
}
