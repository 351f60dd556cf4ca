//! Manifests and blobs on their way down, and what is not there.

use oci_chart_core::{
    ErrorKind, Reason,
    oci::{Descriptor, MediaType},
    store::{Blob, StoreExt as _},
    transfer::Action,
};
use oci_chart_testkit::{Class, Exchange, Fault, Profile, Quirk, raw::ask};

use super::{REPOSITORY, Stage, artifact, pull, push, tag, tags};
use crate::remote::block;

#[test]
fn a_forbidden_look_is_asked_again() {
    let stage = Stage::of(Profile::Artifactory);
    assert!(stage.profile.quirks().contains(&Quirk::ForbiddenForMissing));
    assert_eq!(stage.send(ask("HEAD", format!("/v2/{REPOSITORY}/manifests/1.0.0"))).status, 403);
    assert_eq!(block(stage.store().resolve(&tag("1.0.0"))).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(push(&stage.store(), "1.0.0").unwrap(), Action::Pushed);
}

#[test]
fn a_range_is_asked_for_only_to_go_on() {
    let stage = Stage::of(Profile::Artifactory);
    push(&stage.store(), "1.0.0").unwrap();
    let layer = stage.registry.blobs(REPOSITORY)[0].0.clone();
    stage.bites_who(Quirk::NoRangeFromStart, || {
        let target = format!("/v2/{REPOSITORY}/blobs/{layer}");
        assert_eq!(stage.send(ask("GET", target).header("range", "bytes=0-")).status, 400);
    });
    let before = stage.registry.bites();
    stage.registry.log().take();
    pull(&stage.store(), "1.0.0").unwrap();
    // Nor where the body broke off before its first byte.
    stage.registry.script().once("GET", "*/blobs/*", Fault::CutResponse(0));
    pull(&stage.store(), "1.0.0").unwrap();
    stage.unbitten(&before);
    assert_eq!(stage.registry.log().count(|exchange| exchange.header("range").is_some()), 0);
}

#[test]
fn a_page_of_html_is_no_manifest_and_no_list() {
    let stage = Stage::with(Profile::Gar, |builder| builder.projects(&["other"]));
    assert!(stage.profile.quirks().contains(&Quirk::HtmlForUnknown));
    let html = stage.send(ask("GET", format!("/v2/{REPOSITORY}/manifests/1.0.0")));
    assert_eq!((html.status, html.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let error = pull(&stage.store(), "1.0.0").unwrap_err();
    assert_eq!(
        (error.kind(), error.reason()),
        (ErrorKind::Protocol, Some(Reason::WrongMediaType)),
        "{error:?}"
    );
    let error = tags(&*stage.store()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error:?}");
}

#[test]
fn what_is_accepted_is_said() {
    let stage = Stage::of(Profile::Harbor);
    push(&stage.store(), "1.0.0").unwrap();
    stage.bites_who(Quirk::AcceptNeeded, || {
        let missing = stage.send(ask("GET", format!("/v2/{REPOSITORY}/manifests/1.0.0")));
        assert_eq!((missing.status, missing.code().as_str()), (404, "MANIFEST_UNKNOWN"));
    });
    let before = stage.registry.bites();
    pull(&stage.store(), "1.0.0").unwrap();
    block(stage.store().resolve(&tag("1.0.0"))).unwrap();
    stage.unbitten(&before);
}

#[test]
fn the_length_that_head_announces_spoils_no_pull() {
    let stage = Stage::of(Profile::Harbor);
    assert!(stage.profile.quirks().contains(&Quirk::HeadLengthDiffers));
    push(&stage.store(), "1.0.0").unwrap();
    let length = |method| {
        let ask = ask(method, format!("/v2/{REPOSITORY}/manifests/1.0.0"));
        let answer = stage.send(ask.header("accept", MediaType::OCI_MANIFEST.as_str()));
        answer.header("content-length").unwrap().parse::<u64>().unwrap()
    };
    assert_eq!(length("HEAD"), length("GET") + 1);
    assert_eq!(push(&stage.store(), "1.0.0").unwrap(), Action::Unchanged);
    assert_eq!(pull(&stage.store(), "1.0.0").unwrap().descriptor.size, length("GET"));
    // Nor what is read by the descriptor that a look gave.
    let store = stage.store();
    let looked = block(store.resolve(&tag("1.0.0"))).unwrap();
    assert_eq!(looked.size, length("HEAD"));
    let bytes = block(store.fetch_bytes(&looked, 1 << 20)).unwrap();
    assert_eq!(bytes, artifact("1.0.0").manifest().bytes());
}

#[test]
fn tags_that_cannot_be_deleted_are_told_so() {
    for profile in [Profile::Registry2, Profile::Harbor] {
        let stage = Stage::with(profile, |builder| match profile {
            // With the right to delete.
            Profile::Harbor => {
                builder.bearer_auth(oci_chart_testkit::Bearer::new("robot$charts+ci", "hunter2"))
            }
            _ => builder,
        });
        assert!(profile.quirks().contains(&Quirk::TagDeleteIsBad));
        push(&stage.store(), "1.0.0").unwrap();
        let error = block(stage.store().delete(&tag("1.0.0"))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error:?}");
        let bad = stage.registry.log().entries();
        assert_eq!(
            bad.last().map(|exchange| (exchange.class, exchange.status)),
            Some((Class::ManifestDelete, Some(400)))
        );
    }
}

#[test]
fn sentences_that_are_no_json_are_understood_by_their_status() {
    for profile in [Profile::Registry2, Profile::Registry3, Profile::GitLab, Profile::Ghcr] {
        let stage = Stage::of(profile);
        assert!(profile.quirks().contains(&Quirk::PlainNotFound), "{profile}");
        let nowhere = stage.send(ask("GET", format!("/v2/{REPOSITORY}/referrers/sha256:{}", "0".repeat(64))));
        let plain = Some("text/plain; charset=utf-8");
        assert_eq!((nowhere.status, nowhere.header("content-type")), (404, plain), "{profile}");
        // No referrers API: what is attached is found by the fallback tag.
        push(&stage.store(), "1.0.0").unwrap();
        let subject = block(stage.store().resolve(&tag("1.0.0"))).unwrap();
        super::referrer(&*stage.store(), &subject).unwrap();
        let fallback = subject.digest.to_string().replace(':', "-");
        assert!(stage.registry.manifest(REPOSITORY, &fallback).is_some(), "{profile}");
    }
}

#[test]
fn a_missing_blob_is_one_under_any_status() {
    for profile in
        [Profile::Harbor, Profile::Registry2, Profile::Registry3, Profile::GitLab, Profile::DockerHub]
    {
        let stage = Stage::of(profile);
        assert!(profile.quirks().contains(&Quirk::MissingBlobIsBad), "{profile}");
        let mention = Descriptor::of(MediaType::HELM_CONFIG, "never pushed");
        let text = format!(
            r#"{{"schemaVersion":2,"config":{{"mediaType":"{}","digest":"{}","size":{}}},"layers":[]}}"#,
            mention.media_type, mention.digest, mention.size
        );
        let error =
            block(stage.store().push(&Blob::from_bytes(MediaType::OCI_MANIFEST, text), &[])).unwrap_err();
        assert_eq!(
            (error.kind(), error.reason()),
            (ErrorKind::NotFound, Some(Reason::BlobMissing)),
            "{error:?}"
        );
        let bad = |exchange: &Exchange| exchange.class == Class::ManifestPut && exchange.status == Some(400);
        assert_eq!(stage.registry.log().count(bad), 1, "{profile}");
    }
}

#[test]
fn not_found_has_many_codes() {
    let stage = Stage::of(Profile::Harbor);
    assert!(stage.profile.quirks().contains(&Quirk::NotFoundCode));
    let missing = stage.send(ask("GET", format!("/v2/{REPOSITORY}/manifests/1.0.0")));
    assert_eq!((missing.status, missing.code().as_str()), (404, "NOT_FOUND"));
    assert_eq!(block(stage.store().resolve(&tag("1.0.0"))).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(pull(&stage.store(), "1.0.0").unwrap_err().kind(), ErrorKind::NotFound);
    let error = tags(&*stage.store()).unwrap_err();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::NotFound, Some(Reason::RepositoryMissing)));
}

#[test]
fn looking_costs_no_pull_where_pulls_are_counted() {
    let stage = Stage::with(Profile::DockerHub, |builder| builder.rate_limit(1));
    push(&stage.store(), "1.0.0").unwrap();
    pull(&stage.store(), "1.0.0").unwrap();
    // Nothing is left, and these need nothing.
    assert_eq!(push(&stage.store(), "1.0.0").unwrap(), Action::Unchanged);
    block(stage.store().resolve(&tag("1.0.0"))).unwrap();
    stage.unbitten(&[]);
    stage.bites_who(Quirk::CountedPulls, || {
        let refused = stage.send(ask("GET", format!("/v2/{REPOSITORY}/manifests/1.0.0")));
        assert_eq!((refused.status, refused.header("ratelimit-remaining")), (429, Some("0;w=21600")));
    });
}
