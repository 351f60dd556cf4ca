//! Other crates for the same formats, asked what they make of ours. None of them is in the library, so they stay judges.

use std::{cmp::Ordering, sync::Arc};

use oci_chart_core::{
    Chart, ChartArtifact, Context, Store,
    chart::{LoadOptions, PackageOptions, Timestamp},
    name::ChartVersion,
    oci::{ArtifactOptions, MediaType},
    store::Layout,
    transfer::{PushOptions, push},
};
use oci_spec::image::{
    ANNOTATION_CREATED, ANNOTATION_REF_NAME, ANNOTATION_TITLE, ANNOTATION_VERSION, ImageIndex, ImageManifest,
    OciLayout,
};

use crate::{
    remote::block,
    support::{rng::Rng, say},
};

#[test]
fn oci_spec_reads_what_we_write() {
    let directory = tempfile::tempdir().unwrap();
    let source = directory.path().join("web");
    fs_err::create_dir(&source).unwrap();
    fs_err::write(
        source.join("Chart.yaml"),
        "apiVersion: v2\nname: web\nversion: 1.2.3+a\nannotations: {a<b: '1'}\n",
    )
    .unwrap();
    let package = Chart::from_dir(&source, &LoadOptions::default())
        .unwrap()
        .package(&PackageOptions::default())
        .unwrap();
    let mut options = ArtifactOptions::default();
    options.created = Some(Timestamp::from_unix(1_700_000_000).unwrap());
    let artifact = ChartArtifact::new(package.with_provenance("signed"), &options).unwrap();

    let manifest = ImageManifest::from_reader(&artifact.manifest().bytes()[..]).unwrap();
    assert_eq!((manifest.schema_version(), manifest.media_type()), (2, &None));
    let ours = artifact.manifest();
    assert_eq!(manifest.config().media_type().to_string(), MediaType::HELM_CONFIG.as_str());
    assert_eq!(manifest.layers().len(), ours.layers().len());
    for (theirs, ours) in manifest.layers().iter().zip(ours.layers()) {
        assert_eq!(theirs.media_type().to_string(), ours.media_type.as_str());
        assert_eq!((theirs.digest().to_string(), theirs.size()), (ours.digest.to_string(), ours.size));
    }
    let annotations = manifest.annotations().as_ref().unwrap();
    assert_eq!(annotations[ANNOTATION_TITLE], "web");
    assert_eq!(annotations[ANNOTATION_VERSION], "1.2.3+a");
    assert_eq!(annotations[ANNOTATION_CREATED], "2023-11-14T22:13:20Z");
    assert_eq!(annotations["a<b"], "1");

    let layout = directory.path().join("layout");
    let store: Arc<dyn Store> = Arc::new(Layout::new(&layout));
    let pushed = block(push(&Context::default(), &artifact, &store, &PushOptions::default())).unwrap();
    assert_eq!(OciLayout::from_file(layout.join("oci-layout")).unwrap().image_layout_version(), "1.0.0");
    let index = ImageIndex::from_file(layout.join("index.json")).unwrap();
    let [entry] = &index.manifests()[..] else { panic!("{index:?}") };
    assert_eq!(entry.digest().to_string(), pushed.descriptor.digest.to_string());
    assert_eq!(entry.media_type().to_string(), MediaType::OCI_MANIFEST.as_str());
    assert_eq!(entry.annotations().as_ref().unwrap()[ANNOTATION_REF_NAME], "1.2.3_a");
}

/// Versions as people and machines write them, right and wrong.
fn text(rng: &mut Rng) -> String {
    const NUMBERS: [&str; 8] =
        ["0", "1", "2", "10", "01", "18446744073709551615", "18446744073709551616", ""];
    const PARTS: [&str; 12] = ["alpha", "1", "01", "0", "rc", "-", "a-b", "9", "10", "", "é", "0a"];
    let number = |rng: &mut Rng| NUMBERS[if rng.below(4) == 0 { rng.below(8) } else { rng.below(4) }];
    let mut text = format!("{}.{}.{}", number(rng), number(rng), number(rng));
    for sign in ['-', '+'] {
        if rng.below(2) == 0 {
            text.push(sign);
            for n in 0..=rng.below(3) {
                let part = PARTS
                    [if rng.below(6) == 0 { rng.below(12) } else { [0, 1, 3, 4, 6, 7, 8, 11][rng.below(8)] }];
                text += if n > 0 { "." } else { "" };
                text += part;
            }
        }
    }
    text
}

#[test]
fn the_strict_dialect_and_its_order_are_those_of_semver() {
    let mut rng = Rng::new(7);
    let (mut read, mut compared) = (0, 0);
    let mut last: Option<(ChartVersion, semver::Version)> = None;
    for _ in 0..20_000 {
        let text = text(&mut rng);
        let (ours, theirs) = (ChartVersion::parse_strict(&text), semver::Version::parse(&text));
        assert_eq!(ours.is_ok(), theirs.is_ok(), "{text}: {ours:?} {theirs:?}");
        let (Ok(ours), Ok(theirs)) = (ours, theirs) else { continue };
        read += 1;
        assert_eq!((ours.major(), ours.minor(), ours.patch()), (theirs.major, theirs.minor, theirs.patch));
        assert_eq!((ours.prerelease(), ours.metadata()), (theirs.pre.as_str(), theirs.build.as_str()));
        if let Some((our_last, their_last)) = &last {
            assert_eq!(ours.cmp_precedence(our_last), theirs.cmp_precedence(their_last), "{ours} {our_last}");
            compared += usize::from(ours.cmp_precedence(our_last) != Ordering::Equal);
        }
        last = Some((ours, theirs));
    }
    say(&format!("semver: {read} of 20000 texts are versions, {compared} pairs are in an order"));
    assert!(read > 2_000 && compared > 1_000, "{read} {compared}");
}
