//! Amazon ECR: what is asked, and what becomes of the answers.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, SystemTime},
};

use oci_chart_core::{
    ErrorKind, Reason,
    auth::{
        Audience, CredentialSource as _,
        cloud::{AwsKeys, Cloud, CloudOptions},
    },
    name::RepositoryAddress,
    oci::MediaType,
    store::{ConnectionOptions, Registries, Store as _},
};
use oci_chart_testkit::Registry;
use serde_json::json;

use super::{
    ask, basic, block,
    fake::{Answer, Fake},
    host, logins, options, seconds_left,
};

pub(super) const PRIVATE: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
pub(super) const PUBLIC: &str = "public.ecr.aws";

/// `AWS:hunter2` as ECR gives it, good for so many seconds.
pub(super) fn login(seconds: u64) -> Answer {
    let end = SystemTime::now() + Duration::from_secs(seconds);
    let end = end.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64();
    Answer::ok(json!({"authorizationData": [
        {"authorizationToken": "QVdTOmh1bnRlcjI=", "expiresAt": end, "proxyEndpoint": "https://x"}
    ]}))
}

pub(super) fn with_keys(variable: &str, fake: &Fake) -> CloudOptions {
    options(&[
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        (variable, &fake.url()),
    ])
}

#[test]
fn a_private_registry() {
    let ecr = Fake::start(|_| login(43_200));
    let logins = logins(with_keys("AWS_ENDPOINT_URL_ECR", &ecr));
    assert_eq!(basic(ask(&logins, PRIVATE).unwrap()), ("AWS".into(), "hunter2".into()));
    assert!((43_100..=43_200).contains(&seconds_left(&logins, PRIVATE)));
    // Another registry of the region has the same login.
    ask(&logins, "999999999999.dkr.ecr.eu-west-1.amazonaws.com").unwrap();
    let seen = ecr.take();
    let [asked] = seen.as_slice() else { panic!("{seen:#?}") };
    assert_eq!((asked.method.as_str(), asked.target.as_str(), asked.body.as_str()), ("POST", "/", "{}"));
    assert_eq!(
        asked.header("x-amz-target"),
        Some("AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken")
    );
    assert_eq!(asked.header("content-type"), Some("application/x-amz-json-1.1"));
    let authorization = asked.header("authorization").unwrap();
    assert!(authorization.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"), "{authorization}");
    assert!(
        authorization.contains(
            "/eu-west-1/ecr/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature="
        ),
        "{authorization}"
    );
}

#[test]
fn the_public_registry() {
    let one = json!({"authorizationData": {"authorizationToken": "QVdTOmh1bnRlcjI=", "expiresAt": 4e9}});
    let ecr = Fake::start(move |_| Answer::ok(&one));
    let logins = logins(with_keys("AWS_ENDPOINT_URL_ECR_PUBLIC", &ecr));
    assert_eq!(basic(ask(&logins, PUBLIC).unwrap()), ("AWS".into(), "hunter2".into()));
    let seen = ecr.take();
    assert_eq!(seen[0].header("x-amz-target"), Some("SpencerFrontendService.GetAuthorizationToken"));
    assert!(seen[0].header("authorization").unwrap().contains("/us-east-1/ecr-public/aws4_request"));
}

#[test]
fn a_login_is_fetched_once_and_anew_before_its_end() {
    let count = AtomicUsize::new(0);
    // The first is almost over when it comes.
    let ecr = Fake::start(move |_| {
        std::thread::sleep(Duration::from_millis(50));
        login(if count.fetch_add(1, Ordering::SeqCst) == 0 { 30 } else { 43_200 })
    });
    let logins = logins(with_keys("AWS_ENDPOINT_URL_ECR", &ecr));
    let place = host(PRIVATE);
    let audience = Audience::new(&place);
    let ask = || logins.credentials(&audience);
    block(ask()).unwrap();
    assert_eq!(ecr.take().len(), 1);
    let (one, two, three) = block(async { tokio::join!(ask(), ask(), ask()) });
    assert_eq!((one.unwrap(), two.unwrap().is_some()), (three.unwrap(), true));
    assert_eq!(ecr.take().len(), 1, "one for all that wait");
}

#[test]
fn a_refused_login_is_fetched_anew() {
    let ecr = Fake::start(|_| login(43_200));
    let logins = logins(with_keys("AWS_ENDPOINT_URL_ECR", &ecr));
    let found = ask(&logins, PRIVATE).unwrap().unwrap();
    assert!(found.origin().is_some() && found.expiry().is_some());
    let place = host(PRIVATE);
    logins.refused(&Audience::new(&place), &found);
    ask(&logins, PRIVATE).unwrap();
    assert_eq!(ecr.take().len(), 2);
}

#[test]
fn a_login_does_not_outlive_temporary_keys() {
    let ecr = Fake::start(|_| login(43_200));
    let end = SystemTime::now() + Duration::from_secs(900);
    let keys = AwsKeys::new("ASIA", "secret").with_session("session", Some(end));
    let logins = logins(options(&[("AWS_ENDPOINT_URL", &ecr.url())]).with_aws(keys));
    ask(&logins, PRIVATE).unwrap();
    assert!((800..=900).contains(&seconds_left(&logins, PRIVATE)));
    assert_eq!(ecr.take()[0].header("x-amz-security-token"), Some("session"));
}

#[test]
fn refusals_are_told_in_amazon_s_words_and_without_secrets() {
    for (status, body, kind, words) in [
        (
            400,
            r#"{"__type":"UnrecognizedClientException","message":"The security token included in the request is invalid."}"#,
            ErrorKind::Unauthenticated,
            "UnrecognizedClientException",
        ),
        (
            403,
            r#"{"__type":"com.amazonaws#AccessDeniedException","Message":"not authorized\nx-amz-security-token:canary-3c"}"#,
            ErrorKind::PermissionDenied,
            "AccessDeniedException: not authorized",
        ),
        (429, "{}", ErrorKind::RateLimited, "429"),
        (503, "<html>", ErrorKind::Unavailable, "503"),
        (307, "", ErrorKind::Unauthenticated, "307"),
        (200, "{}", ErrorKind::Protocol, "something else"),
        (200, r#"{"authorizationData":[]}"#, ErrorKind::Protocol, "something else"),
        (
            200,
            r#"{"authorizationData":[{"authorizationToken":"!!"}]}"#,
            ErrorKind::Protocol,
            "something else",
        ),
    ] {
        let ecr = Fake::start(move |_| {
            Answer::status(status, body)
                .with("location", "http://127.0.0.1:1/")
                .with("x-amzn-requestid", "r1")
        });
        let keys = AwsKeys::new("AKID", "canary-1a").with_session("canary-3c", None);
        let logins = logins(options(&[("AWS_ENDPOINT_URL", &ecr.url())]).with_aws(keys));
        let error = ask(&logins, PRIVATE).unwrap_err();
        assert_eq!(error.kind(), kind, "{error:?}");
        assert!(error.message().contains(words), "{error:?}");
        let found = (error.get("registry"), error.get("request id"));
        assert_eq!(found, (Some(PRIVATE), Some("r1")), "{error:?}");
        assert!(!format!("{error:?} {logins:?}").contains("canary"), "{error:?} {logins:?}");
        if kind != ErrorKind::Protocol {
            assert_eq!((error.reason(), error.hint().is_some()), (Some(Reason::TokenRefused), true));
        }
    }
}

#[test]
fn a_wrong_clock_is_named() {
    let ecr = Fake::start(|_| {
        Answer::status(403, r#"{"__type":"InvalidSignatureException","message":"Signature expired"}"#)
            .with("date", "Sun, 06 Nov 1994 08:49:37 GMT")
    });
    let error = ask(&logins(with_keys("AWS_ENDPOINT_URL_ECR", &ecr)), PRIVATE).unwrap_err();
    assert!(error.hint().unwrap().contains("clock"), "{error:?}");
}

#[test]
fn keys_are_told_to_no_stranger() {
    for (variable, value) in [
        ("AWS_ENDPOINT_URL_ECR", "http://ecr.example"),
        ("AWS_ENDPOINT_URL", "ftp://ecr.example"),
        ("AWS_ENDPOINT_URL", "no url"),
    ] {
        let keys = AwsKeys::new("AKID", "secret");
        let error = ask(&logins(options(&[(variable, value)]).with_aws(keys)), PRIVATE).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{variable} {value}");
    }
}

#[test]
fn a_registry_of_ecr_is_used_with_it() {
    let ecr = Fake::start(|_| login(43_200));
    let registry = Registry::builder().basic_auth("AWS", "hunter2").start_blocking().unwrap();
    registry.put_manifest("charts/web", "1.0.0", MediaType::OCI_MANIFEST.as_str(), "{}").unwrap();
    let name = host(registry.host());
    let cloud = Cloud::Ecr { region: "eu-west-1".into(), endpoint: ecr.url() };
    let options = options(&[]).with_aws(AwsKeys::new("AKID", "secret")).with_host(name.clone(), cloud);
    let connection = ConnectionOptions::default().with_plain_http(name);
    let registries = Registries::new(connection, logins(options)).unwrap();
    let address = RepositoryAddress::parse(&format!("oci://{}/charts/web", registry.host())).unwrap();
    let store = registries.repository(&address).unwrap();
    for _ in 0..2 {
        block(store.resolve(&oci_chart_core::name::Selector::Tag("1.0.0".parse().unwrap()))).unwrap();
    }
    assert_eq!(ecr.take().len(), 1);
}
