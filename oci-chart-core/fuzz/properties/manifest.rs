//! No bytes make the reader of manifests panic, and what it reads it can say again.

use bytes::Bytes;
use oci_chart_core::oci::{ChartParts, Descriptor, Index, Manifest, MediaType};

pub(crate) fn check(bytes: &[u8]) {
    let _ = Index::parse(&Descriptor::of(MediaType::OCI_INDEX, bytes), Bytes::copy_from_slice(bytes));
    let descriptor = Descriptor::of(MediaType::OCI_MANIFEST, bytes);
    let Ok(manifest) = Manifest::parse(&descriptor, Bytes::copy_from_slice(bytes)) else { return };
    assert_eq!(manifest.bytes(), bytes);
    let Some(config) = manifest.config() else { return };
    let ours = Manifest::write(config, manifest.layers(), manifest.annotations());
    let again = Manifest::parse(ours.descriptor(), ours.bytes().clone()).expect("what we write we read");
    // `artifactType` of a layer is not written, as Helm has none.
    assert_eq!(again.layers().len(), manifest.layers().len());
    assert_eq!(again.annotations(), manifest.annotations());
    if let (Ok(one), Ok(two)) = (ChartParts::from_manifest(&manifest), ChartParts::from_manifest(&again)) {
        assert_eq!((one.chart().digest, one.is_legacy()), (two.chart().digest, two.is_legacy()));
    }
}
