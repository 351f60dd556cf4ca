//! Google's registries: keys, tokens, and the machine.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use oci_chart_core::{ErrorKind, auth::cloud::GoogleLogin};
use serde_json::{Value, json};

use super::{
    ask, basic,
    fake::{Answer, Fake, owned, sorted},
    logins, options, seconds_left,
};

const HOST: &str = "europe-west3-docker.pkg.dev";

/// A key that is in no account.
const PRIVATE_KEY: &str = include_str!("service-account-key.pem");

fn tokens() -> Fake {
    Fake::start(|_| {
        Answer::ok(json!({"access_token": "ya29.token", "expires_in": 3599, "token_type": "Bearer"}))
    })
}

fn service_account(tokens: &Fake) -> String {
    json!({
        "type": "service_account", "project_id": "p", "private_key_id": "k1", "private_key": PRIVATE_KEY,
        "client_email": "robot@p.iam.gserviceaccount.com", "token_uri": format!("{}/token", tokens.url()),
    })
    .to_string()
}

#[test]
fn given_tokens_and_keys_are_passwords() {
    for (login, user, password) in [
        (GoogleLogin::AccessToken("ya29".into()), "oauth2accesstoken", "ya29"),
        (GoogleLogin::JsonKey("{\"a\":1}".into()), "_json_key", "{\"a\":1}"),
        (GoogleLogin::JsonKeyBase64("eyJhIjoxfQ==".into()), "_json_key_base64", "eyJhIjoxfQ=="),
        (GoogleLogin::JsonKeyBase64("{\"a\":1}".into()), "_json_key_base64", "eyJhIjoxfQ=="),
    ] {
        let logins = logins(options(&[]).with_google(login));
        assert_eq!(basic(ask(&logins, HOST).unwrap()), (user.into(), password.into()));
    }
}

#[test]
fn a_service_account_signs_for_a_token() {
    let tokens = tokens();
    let key = service_account(&tokens);
    let file = tempfile::NamedTempFile::new().unwrap();
    fs_err::write(file.path(), &key).unwrap();
    let path = file.path().to_str().unwrap();
    for options in [
        options(&[("GOOGLE_APPLICATION_CREDENTIALS", path)]),
        options(&[]).with_google(GoogleLogin::ServiceAccount(key.as_str().into())),
    ] {
        let logins = logins(options);
        assert_eq!(basic(ask(&logins, HOST).unwrap()), ("oauth2accesstoken".into(), "ya29.token".into()));
        // One token for all of Google's registries.
        ask(&logins, "eu.gcr.io").unwrap();
        assert!((3500..=3599).contains(&seconds_left(&logins, HOST)));
        let seen = tokens.take();
        let [asked] = seen.as_slice() else { panic!("{seen:#?}") };
        assert_eq!((asked.method.as_str(), asked.target.as_str()), ("POST", "/token"));
        let form = sorted(asked.form());
        assert_eq!(form[1], ("grant_type".into(), "urn:ietf:params:oauth:grant-type:jwt-bearer".into()));
        let parts: Vec<_> = form[0].1.split('.').collect();
        let read =
            |part: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
        assert_eq!(read(parts[0]), json!({"typ": "JWT", "alg": "RS256", "kid": "k1"}));
        let claims = read(parts[1]);
        assert_eq!(claims["iss"], "robot@p.iam.gserviceaccount.com");
        assert_eq!(claims["aud"], "https://oauth2.googleapis.com/token");
        assert_eq!(claims["scope"], "https://www.googleapis.com/auth/cloud-platform");
        assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 3600);
        assert!(!format!("{logins:?}").contains("PRIVATE KEY"));
    }
}

#[test]
fn what_gcloud_leaves_is_found() {
    let tokens = tokens();
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join(".config/gcloud");
    fs_err::create_dir_all(&folder).unwrap();
    let user = json!({
        "type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r",
        "token_uri": tokens.url(),
    });
    fs_err::write(folder.join("application_default_credentials.json"), user.to_string()).unwrap();
    for (variable, value) in [("HOME", home.path()), ("CLOUDSDK_CONFIG", folder.as_path())] {
        let logins = logins(options(&[(variable, value.to_str().unwrap())]));
        assert_eq!(basic(ask(&logins, HOST).unwrap()).0, "oauth2accesstoken");
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", "c"),
            ("client_secret", "s"),
            ("refresh_token", "r"),
        ];
        assert_eq!(sorted(tokens.take()[0].form()), owned(&form));
    }
}

#[test]
fn the_machine_s_metadata_service() {
    let machine = Fake::start(|seen| {
        assert_eq!(seen.header("metadata-flavor"), Some("Google"));
        Answer::ok(json!({"access_token": "ya29.machine", "expires_in": 300}))
            .with("metadata-flavor", "Google")
    });
    let found = logins(options(&[("GCE_METADATA_HOST", &machine.host())]));
    assert_eq!(basic(ask(&found, HOST).unwrap()), ("oauth2accesstoken".into(), "ya29.machine".into()));
    assert!((200..=300).contains(&seconds_left(&found, HOST)));
    assert_eq!(machine.take()[0].target, "/computeMetadata/v1/instance/service-accounts/default/token");

    // Another cloud's, and one without a service account.
    for answer in [|| Answer::ok("{}"), || Answer::status(404, "").with("metadata-flavor", "Google")] {
        let machine = Fake::start(move |_| answer());
        let logins = logins(options(&[("GCE_METADATA_HOST", &machine.host())]));
        assert_eq!(ask(&logins, HOST).unwrap(), None);
    }
}

#[test]
fn keys_that_cannot_be_used_are_named_and_not_shown() {
    let tokens = tokens();
    let whole = service_account(&tokens);
    let account: Value = serde_json::from_str(&whole).unwrap();
    let with = |name: &str, value: Value| {
        let mut account = account.clone();
        account[name] = value;
        account.to_string()
    };
    for (text, kind) in [
        (String::new(), ErrorKind::InvalidInput),
        ("{}".into(), ErrorKind::InvalidInput),
        ("canary-9".into(), ErrorKind::InvalidInput),
        (with("type", "external_account".into()), ErrorKind::Unsupported),
        (with("client_email", Value::Null), ErrorKind::InvalidInput),
        (with("private_key", "canary-9".into()), ErrorKind::InvalidInput),
        (
            with("private_key", "-----BEGIN PRIVATE KEY-----\nY2FuYXJ5\n-----END PRIVATE KEY-----\n".into()),
            ErrorKind::InvalidInput,
        ),
        (with("token_uri", "http://thief.example/".into()), ErrorKind::InvalidInput),
    ] {
        let logins = logins(options(&[]).with_google(GoogleLogin::ServiceAccount(text.as_str().into())));
        let error = ask(&logins, HOST).unwrap_err();
        assert_eq!(error.kind(), kind, "{text:.80}: {error:?}");
        assert!(error.hint().is_some() && !format!("{error:?}").contains("canary"), "{error:?}");
    }
    assert!(tokens.take().is_empty());
    let missing = logins(options(&[("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json")]));
    let error = ask(&missing, HOST).unwrap_err();
    assert_eq!((error.kind(), error.get("path")), (ErrorKind::NotFound, Some("/nowhere/key.json")));
}

#[test]
fn refusals_are_told() {
    for (status, body, kind, words) in [
        (
            400,
            r#"{"error":"invalid_grant","error_description":"Invalid JWT Signature."}"#,
            ErrorKind::Unauthenticated,
            "invalid_grant: Invalid JWT Signature.",
        ),
        (500, "", ErrorKind::Unavailable, "500"),
        (200, "{}", ErrorKind::Protocol, "something else"),
        (200, r#"{"access_token":""}"#, ErrorKind::Protocol, "something else"),
    ] {
        let tokens = Fake::start(move |_| Answer::status(status, body));
        let key = service_account(&tokens);
        let logins = logins(options(&[]).with_google(GoogleLogin::ServiceAccount(key.as_str().into())));
        let error = ask(&logins, HOST).unwrap_err();
        assert_eq!(error.kind(), kind, "{error:?}");
        assert!(error.message().contains(words), "{error:?}");
    }
}
