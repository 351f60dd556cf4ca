use oci_chart_core::Digest;
use oci_chart_testkit::{Lie, Listing};

use super::{Flood, dripping_list, many_annotations};

/// Of lists of what is attached.
pub(super) const OF_TREES: &[Flood] = &[
    (
        "a tree of endless pages",
        |forge| forge.registry.referrers(Listing::EndlessPages(100)),
        "limit-exceeded",
        Some("referrers"),
        2 + 11,
    ),
    (
        "a tree of endless empty pages",
        |forge| forge.registry.referrers(Listing::EndlessPages(0)),
        "protocol",
        None,
        2 + 101,
    ),
    (
        "a tree of endless pages with one entry",
        |forge| forge.registry.referrers(Listing::EndlessPagesOf(vec![forge.entry_with("{}")])),
        "limit-exceeded",
        Some("referrers"),
        2 + 1001,
    ),
    (
        "a tree of endless pages that are one page of annotations each",
        |forge| {
            let entry = forge.entry_with(&many_annotations(350_000));
            forge.registry.referrers(Listing::EndlessPagesOf(vec![entry]));
        },
        "limit-exceeded",
        Some("verify_bytes"),
        2 + 10,
    ),
    (
        "a tree of a thousand attachments with a thousand attachments each",
        |forge| forge.many_bundles(1000),
        "limit-exceeded",
        Some("referrers"),
        6 + 1000 + 4,
    ),
    (
        "a tree of manifests that are nothing but layers",
        |forge| {
            let layer = format!(r#"{{"mediaType":"a/b","digest":"{}","size":1}}"#, Digest::of("x"));
            let layers = vec![layer; 35_000].join(",");
            forge.listed((0..40).map(|n| forge.manifest_of(n, &layers, "{}")).collect());
        },
        "limit-exceeded",
        Some("verify_bytes"),
        6 + 9 + 4,
    ),
    (
        "a tree of manifests that are nothing but annotations",
        |forge| {
            let annotations = many_annotations(350_000);
            forge.listed((0..12).map(|n| forge.manifest_with(n, &annotations)).collect());
        },
        "limit-exceeded",
        Some("verify_bytes"),
        6 + 9 + 4,
    ),
    (
        "a tree of a tag's manifest that is nothing but annotations",
        |forge| forge.layer_with(&many_annotations(350_000)),
        "verified",
        None,
        7,
    ),
    (
        "a tree of manifests that are one word",
        |forge| {
            let word = "w".repeat((4 << 20) - 1024);
            forge.listed((0..12).map(|n| forge.manifest_called(n, &word)).collect());
        },
        "limit-exceeded",
        Some("verify_bytes"),
        6 + 9 + 4,
    ),
    (
        "a tree of a manifest without end",
        |forge| forge.lying_manifest(Lie::Endless),
        "limit-exceeded",
        Some("manifest_bytes"),
        12,
    ),
];

/// The same with a second's patience.
pub(super) const OF_PATIENT_TREES: &[Flood] = &[
    (
        "a tree of a manifest that comes byte by byte",
        |forge| forge.lying_manifest(Lie::Drip),
        "limit-exceeded",
        Some("verify_time"),
        7,
    ),
    ("a tree of a list that comes byte by byte", dripping_list, "limit-exceeded", Some("verify_time"), 4),
];
