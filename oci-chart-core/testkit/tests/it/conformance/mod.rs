//! The 28 APIs that the distribution spec's conformance program scores, and its 29th name, `Unknown`, each judged by
//! the clauses of the spec that define it.

mod discovery;
mod management;
mod pull;
mod push;

use oci_chart_testkit::Registry;

/// One API: its name in the conformance program's report, and what the spec demands of it.
type Row = (&'static str, fn(&Registry));

const TABLE: [Row; 29] = [
    ("Tag listing", discovery::tag_listing),
    ("Tag delete", management::tag_delete),
    ("Tag delete atomic", management::tag_delete_atomic),
    ("Blob upload cancel", push::upload_cancel),
    ("Blob push", push::any_blob),
    ("Blob post only", push::post_only),
    ("Blob post put", push::post_put),
    ("Blob chunked", push::chunked),
    ("Blob streaming", push::streamed),
    ("Blob mount", push::mount),
    ("Blob anonymous mount", push::anonymous_mount),
    ("Blob get", pull::blob_get),
    ("Blob get range", pull::blob_range),
    ("Blob head", pull::blob_head),
    ("Blob delete", management::blob_delete),
    ("Blob delete atomic", management::blob_delete_atomic),
    ("Manifest put by digest", push::manifest_by_digest),
    ("Manifest put by tag", push::manifest_by_tag),
    ("Manifest put with tag params", push::manifest_tag_parameters),
    ("Manifest put with subject", push::manifest_with_subject),
    ("Manifest get by digest", pull::manifest_get_by_digest),
    ("Manifest get by tag", pull::manifest_get_by_tag),
    ("Manifest head by digest", pull::manifest_head_by_digest),
    ("Manifest head by tag", pull::manifest_head_by_tag),
    ("Manifest delete", management::manifest_delete),
    ("Manifest delete atomic", management::manifest_delete_atomic),
    ("Referrers", discovery::referrers),
    ("Ping", pull::ping),
    ("Unknown", pull::unknown),
];

#[test]
fn every_api_of_the_specification() {
    for (name, check) in TABLE {
        for (mode, builder) in [
            ("as it starts", Registry::builder()),
            ("absolute URLs, files", Registry::builder().absolute_urls(true).memory_limit(0)),
        ] {
            let registry = builder.start_blocking().unwrap();
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(&registry)));
            assert!(outcome.is_ok(), "{name} ({mode})");
            assert!(!registry.log().entries().is_empty(), "{name} asked nothing");
        }
    }
}

#[test]
fn names_are_those_of_the_conformance_program() {
    let names: std::collections::BTreeSet<_> = TABLE.iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), 29);
}
