//! Where AWS's keys come from: variables, files, roles, containers, machines.

use std::path::Path;

use oci_chart_core::{Error, ErrorKind};
use serde_json::json;

use super::{
    ask,
    aws::{PRIVATE, PUBLIC, login},
    fake::{Answer, Fake, Seen, owned, sorted},
    logins, options, seconds_left,
};

/// Answers for everything of AWS at one address.
fn amazon() -> Fake {
    Fake::start(|seen| match (seen.method.as_str(), seen.target.as_str()) {
        ("PUT", "/latest/api/token") => Answer::ok("imds-session"),
        ("GET", "/latest/meta-data/iam/security-credentials/") => Answer::ok("node-role\nother"),
        ("GET", "/latest/meta-data/iam/security-credentials/node-role") => {
            if seen.header("x-aws-ec2-metadata-token") == Some("imds-session") {
                role("MACHINE")
            } else {
                Answer::status(401, "")
            }
        }
        ("GET", "/container") => role("CONTAINER"),
        ("POST", "/") if seen.body.starts_with("Action=AssumeRoleWithWebIdentity&") => Answer::ok(
            "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
             <AssumeRoleWithWebIdentityResult><Credentials><SessionToken>session</SessionToken>\
             <SecretAccessKey>secret</SecretAccessKey><Expiration>2099-01-01T00:00:00Z</Expiration>\
             <AccessKeyId>WEB</AccessKeyId></Credentials></AssumeRoleWithWebIdentityResult>\
             </AssumeRoleWithWebIdentityResponse>",
        ),
        ("POST", "/") => login(43_200),
        _ => Answer::status(404, "no"),
    })
}

fn role(id: &str) -> Answer {
    Answer::ok(json!({
        "Code": "Success", "AccessKeyId": id, "SecretAccessKey": "secret", "Token": "session",
        "Expiration": "2099-01-01T00:00:00Z"
    }))
}

/// The id of the keys that ECR was asked with, and all that was asked before.
fn used(host: &str, amazon: &Fake, variables: &[(&str, &str)]) -> Result<(String, Vec<Seen>), Error> {
    let url = amazon.url();
    let mut all = vec![("AWS_ENDPOINT_URL", url.as_str()), ("AWS_EC2_METADATA_SERVICE_ENDPOINT", &url)];
    all.extend(variables);
    let logins = logins(options(&all));
    let found = ask(&logins, host)?;
    let mut seen = amazon.take();
    let Some(last) = seen.pop().filter(|_| found.is_some()) else { return Ok((String::new(), seen)) };
    assert!(seconds_left(&logins, host) > 43_000);
    let authorization = last.header("authorization").unwrap();
    let id = authorization.split_once("Credential=").unwrap().1.split_once('/').unwrap().0;
    Ok((id.to_owned(), seen))
}

fn home(files: &[(&str, &str)]) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = home.path().join(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    }
    home
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn variables_come_first() {
    let home = home(&[(".aws/credentials", "[default]\naws_access_key_id=FILE\naws_secret_access_key=x\n")]);
    let keys = [("AWS_ACCESS_KEY_ID", "VARIABLE"), ("AWS_SECRET_ACCESS_KEY", "secret")];
    let all = [keys[0], keys[1], ("HOME", text(home.path())), ("AWS_SESSION_TOKEN", "session")];
    let (id, seen) = used(PRIVATE, &amazon(), &all).unwrap();
    assert_eq!((id.as_str(), seen.len()), ("VARIABLE", 0));
    for half in keys {
        let error = used(PRIVATE, &amazon(), &[half]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
}

#[test]
fn profiles_of_the_shared_files() {
    let home = home(&[
        (
            ".aws/credentials",
            "[default]\naws_access_key_id=DEFAULT\naws_secret_access_key=x\n[team]\naws_access_key_id = TEAM\n\
             aws_secret_access_key = y\naws_session_token = z\n[half]\naws_access_key_id=HALF\n",
        ),
        (
            ".aws/config",
            "[profile conf]\naws_access_key_id=CONF\naws_secret_access_key=x\n[profile web]\nrole_arn=arn:web\n\
             web_identity_token_file=TOKEN\n[profile sso]\nsso_session=corp\n[profile program]\n\
             credential_process=/bin/false\n[profile region]\nregion=eu-west-1\n[profile half]\n\
             aws_secret_access_key=x\n",
        ),
        ("elsewhere", "[default]\naws_access_key_id=ELSEWHERE\naws_secret_access_key=x\n"),
    ]);
    let (place, elsewhere) = (home.path(), home.path().join("elsewhere"));
    for (profile, expected) in [("", "DEFAULT"), ("team", "TEAM"), ("conf", "CONF"), ("region", "MACHINE")] {
        let variables = [("HOME", text(place)), ("AWS_PROFILE", profile)];
        assert_eq!(used(PRIVATE, &amazon(), &variables).unwrap().0, expected, "{profile}");
    }
    let variables = [("HOME", text(place)), ("AWS_SHARED_CREDENTIALS_FILE", text(&elsewhere))];
    assert_eq!(used(PRIVATE, &amazon(), &variables).unwrap().0, "ELSEWHERE");
    for (profile, kind) in [
        ("missing", ErrorKind::NotFound),
        ("half", ErrorKind::InvalidInput),
        ("sso", ErrorKind::Unsupported),
        ("program", ErrorKind::Unsupported),
        ("web", ErrorKind::NotFound),
    ] {
        let variables = [("HOME", text(place)), ("AWS_PROFILE", profile)];
        let error = used(PRIVATE, &amazon(), &variables).unwrap_err();
        assert_eq!(error.kind(), kind, "{profile}: {error:?}");
        assert!(error.hint().is_some());
    }
    // What anybody may read needs no login.
    let variables = [("HOME", text(place)), ("AWS_PROFILE", "sso")];
    assert_eq!(used(PUBLIC, &amazon(), &variables).unwrap().0, "");
}

#[test]
fn a_token_of_the_cluster_is_exchanged_for_a_role() {
    let home = home(&[("token", " cluster-token\n")]);
    let token = home.path().join("token");
    let amazon = amazon();
    let variables = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", text(&token)),
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/pull"),
        ("AWS_ROLE_SESSION_NAME", "pod"),
    ];
    let (id, seen) = used(PRIVATE, &amazon, &variables).unwrap();
    assert_eq!((id.as_str(), seen.len()), ("WEB", 1));
    let form = [
        ("Action", "AssumeRoleWithWebIdentity"),
        ("Version", "2011-06-15"),
        ("RoleArn", "arn:aws:iam::123456789012:role/pull"),
        ("RoleSessionName", "pod"),
        ("WebIdentityToken", "cluster-token"),
    ];
    assert_eq!(sorted(seen[0].form()), owned(&form));
    assert_eq!(seen[0].header("authorization"), None);

    let refusing = Fake::start(|_| {
        Answer::status(
            403,
            "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>Not authorized to perform \
             sts:AssumeRoleWithWebIdentity</Message></Error></ErrorResponse>",
        )
    });
    let error = used(PRIVATE, &refusing, &variables).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert!(
        error.message().ends_with("AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity")
    );
    assert!(error.get("role").is_some() && !format!("{error:?}").contains("cluster-token"));
}

#[test]
fn containers() {
    let home = home(&[("token", "pod-token\n")]);
    let (token, amazon) = (home.path().join("token"), amazon());
    let url = format!("{}/container", amazon.url());
    for (variable, value, expected) in [
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", text(&token), Some("pod-token")),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "given-token", Some("given-token")),
        ("X", "", None),
    ] {
        let variables = [("AWS_CONTAINER_CREDENTIALS_FULL_URI", url.as_str()), (variable, value)];
        let (id, seen) = used(PRIVATE, &amazon, &variables).unwrap();
        assert_eq!((id.as_str(), seen[0].header("authorization")), ("CONTAINER", expected));
    }
    for (url, kind) in [
        ("http://10.0.0.1/container", ErrorKind::InvalidInput),
        ("http://127.0.0.1:1/container", ErrorKind::Network),
    ] {
        let error = used(PRIVATE, &amazon, &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)]).unwrap_err();
        assert_eq!(error.kind(), kind, "{url}");
    }
}

#[test]
fn machines_are_asked_by_the_second_version_alone() {
    let amazon = amazon();
    let (id, seen) = used(PRIVATE, &amazon, &[]).unwrap();
    assert_eq!(id, "MACHINE");
    let lines: Vec<_> = seen.iter().map(|seen| format!("{} {}", seen.method, seen.target)).collect();
    assert_eq!(
        lines,
        [
            "PUT /latest/api/token",
            "GET /latest/meta-data/iam/security-credentials/",
            "GET /latest/meta-data/iam/security-credentials/node-role"
        ]
    );
    assert_eq!(seen[0].header("x-aws-ec2-metadata-token-ttl-seconds"), Some("300"));
    assert_eq!(used(PRIVATE, &amazon, &[("AWS_EC2_METADATA_DISABLED", "true")]).unwrap().0, "");
    assert!(amazon.take().is_empty());
}

#[test]
fn machines_without_a_role_or_without_the_second_version() {
    for (token, names) in [(403, 200), (404, 200), (200, 404), (200, 500)] {
        let machine = Fake::start(move |seen| {
            if seen.method == "PUT" { Answer::status(token, "t") } else { Answer::status(names, "") }
        });
        assert_eq!(used(PRIVATE, &machine, &[]).unwrap().0, "", "{token} {names}");
    }
    let odd = Fake::start(|seen| match seen.target.as_str() {
        "/latest/meta-data/iam/security-credentials/" => Answer::ok("../../x?y"),
        _ => Answer::ok("t"),
    });
    assert_eq!(used(PRIVATE, &odd, &[]).unwrap().0, "");
    assert_eq!(odd.take().len(), 0);
}
