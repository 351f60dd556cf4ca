//! Logins of the clouds, against services of our own that see every byte of what is asked.

mod aws;
mod azure;
mod fake;
mod google;
mod judge;
mod keys;

use std::time::{Duration, SystemTime};

use oci_chart_core::{
    Error,
    auth::{
        Audience, CredentialKind, CredentialSource as _, Credentials,
        cloud::{Cloud, CloudLogins, CloudOptions, Environment},
    },
    name::Host,
    store::{ConnectionOptions, RetryOptions},
};

use crate::remote::block;

fn host(text: &str) -> Host {
    Host::parse(text).unwrap()
}

/// Asks for the credentials of a host; the process's own environment is not looked at.
fn ask(logins: &CloudLogins, name: &str) -> Result<Option<Credentials>, Error> {
    block(logins.credentials(&Audience::new(&host(name))))
}

fn logins(options: CloudOptions) -> CloudLogins {
    CloudLogins::new(options.with_metadata_timeout(Duration::from_millis(500))).unwrap()
}

/// With these variables, and none of this process; what fails is not tried again.
fn options(variables: &[(&str, &str)]) -> CloudOptions {
    let connection = ConnectionOptions::default().with_retry(RetryOptions::never());
    CloudOptions::default()
        .with_environment(Environment::of(variables.iter().copied()))
        .with_connection(connection)
}

fn basic(credentials: Option<Credentials>) -> (String, String) {
    match credentials.as_ref().map(Credentials::kind) {
        Some(CredentialKind::Basic { username, password }) => {
            (username.clone(), password.expose().to_owned())
        }
        other => panic!("{other:?}"),
    }
}

fn seconds_left(logins: &CloudLogins, name: &str) -> u64 {
    let end = block(logins.expires(&host(name))).expect("a login with an end");
    end.duration_since(SystemTime::now()).unwrap().as_secs()
}

#[test]
fn other_registries_are_none_of_our_business() {
    let logins = logins(options(&[("AWS_ACCESS_KEY_ID", "AKID"), ("AWS_SECRET_ACCESS_KEY", "secret")]));
    assert_eq!(ask(&logins, "registry.example").unwrap(), None);
    assert_eq!(logins.cloud(&host("registry.example")), None);
    assert_eq!(logins.cloud(&host("team.azurecr.io")), Some(Cloud::Azure));
    assert_eq!(block(logins.expires(&host("registry.example"))), None);
}

#[test]
fn who_is_nobody_anywhere_has_no_login_and_waits_once() {
    // An address that is this machine's, and nobody listens.
    let dead = "http://127.0.0.1:1";
    let home = tempfile::tempdir().unwrap();
    let logins = logins(options(&[
        ("HOME", home.path().to_str().unwrap()),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", dead),
        ("GCE_METADATA_HOST", "127.0.0.1:1"),
        ("AZURE_POD_IDENTITY_AUTHORITY_HOST", dead),
    ]));
    for name in [
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
        "public.ecr.aws",
        "europe-west3-docker.pkg.dev",
        "team.azurecr.io",
    ] {
        assert_eq!(ask(&logins, name).unwrap(), None, "{name}");
    }
}

#[test]
fn a_metadata_service_that_says_nothing_costs_its_time_out_and_no_more() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let place = listener.local_addr().unwrap().to_string();
    let logins = logins(options(&[("GCE_METADATA_HOST", &place)]));
    let started = std::time::Instant::now();
    for _ in 0..3 {
        assert_eq!(ask(&logins, "gcr.io").unwrap(), None);
    }
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
}
