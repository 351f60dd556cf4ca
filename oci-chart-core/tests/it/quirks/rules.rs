//! Rules that the owner of a registry can set, and in whose words their refusals come.

use oci_chart_core::{ErrorKind, store::TagMode};
use oci_chart_testkit::{Profile, raw::ask};

use super::{REPOSITORY, Stage, pull, push, push_with};

#[test]
fn an_immutable_tag_is_known_by_both_names() {
    for (profile, status, code) in
        [(Profile::Harbor, 412, "PRECONDITION"), (Profile::Ecr, 400, "TAG_INVALID")]
    {
        let stage = Stage::with(profile, |builder| builder.immutable_tags("1.*"));
        push(&stage.store(), "1.0.0").unwrap();
        let stored = stage.registry.manifest(REPOSITORY, "1.0.0").unwrap();
        let put = ask("PUT", format!("/v2/{REPOSITORY}/manifests/1.0.0"));
        let put = stage.send(put.header("content-type", stored.media_type).body(stored.bytes.to_vec()));
        assert_eq!((put.status, put.code().as_str()), (status, code));
        let error = push_with(&stage.store(), "1.0.0", TagMode::Replace).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ImmutableTag, "{error:?}");
        push(&stage.store(), "2.0.0").unwrap();
        push_with(&stage.store(), "2.0.0", TagMode::Replace).unwrap();
    }
}

#[test]
fn what_is_not_signed_yet_is_there_and_not_to_be_pulled() {
    let stage = Stage::with(Profile::Harbor, |builder| builder.unsigned_hidden(true));
    push(&stage.store(), "1.0.0").unwrap();
    let error = pull(&stage.store(), "1.0.0").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error:?}");
    assert!(error.message().contains("not signed"), "{error:?}");
}

#[test]
fn a_quota_that_is_used_up_is_no_missing_right() {
    let stage = Stage::with(Profile::Harbor, |builder| builder.quota(100));
    let error = push(&stage.store(), "1.0.0").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::QuotaExceeded, "{error:?}");
}

#[test]
fn a_registry_that_is_being_worked_on_takes_no_writes() {
    let stage = Stage::with(Profile::Harbor, |builder| builder.read_only(true));
    let error = push(&stage.store(), "1.0.0").unwrap_err();
    assert!(error.message().contains("read only"), "{error:?}");
}

#[test]
fn a_repository_that_must_be_made_first_is_told_so() {
    let stage = Stage::with(Profile::Ecr, |builder| builder.only_repositories(&["charts/other"]));
    let error = push(&stage.store(), "1.0.0").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error:?}");
    assert!(error.hint().is_some_and(|hint| hint.contains("create")), "{error:?}");
}
