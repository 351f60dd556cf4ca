//! The clouds' own libraries judge what is sent: each signature is made again by them, and compared byte for byte.

use std::path::{Path, PathBuf};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use oci_chart_core::auth::cloud::{AwsKeys, Cloud, CloudLogins, GoogleLogin};
use serde_json::{Value, json};

use super::{
    ask, aws,
    fake::{Answer, Fake},
    host, options,
};
use crate::support::{oracle::Oracle, rng::Rng};

/// Questions of each kind.
const SAMPLES: usize = 200;
const LETTERS: &[&str] = &["a", "B", "7", "/", "+", "=", "-", "x9", "Qz"];
const REGIONS: &[&str] = &["us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1", "ap-southeast-3"];
const PATHS: &[&str] =
    &["", "/", "/a", "//a//b/", "/a%20b/", "/~u/ü", "/x?b=2&a=1", "/x?a=%20&a=&c", "/a/../b/."];

fn judge(test: &str) -> Option<Oracle> {
    let program = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testkit/judges/clouds.py");
    Oracle::python(test, Path::new(&program))
}

/// Regions whose dual-stack address this botocore makes up, by a rule that fits none of the regions that it knows.
const TOO_NEW: &[&str] = &["ap-east-2", "ap-southeast-6"];

#[test]
fn signatures_are_those_of_botocore() {
    let Some(judge) = judge("signatures_are_those_of_botocore") else { return };
    let ecr = Fake::start(|_| aws::login(3600));
    let mut rng = Rng::new(41);
    let (mut questions, mut made) = (Vec::new(), Vec::new());
    for _ in 0..SAMPLES {
        let (id, secret) = (format!("AKIA{}", rng.text(&["A", "Z9", "Q"], 8)), rng.text(LETTERS, 30));
        let token = rng.chance(50).then(|| rng.text(LETTERS, 60));
        let (public, region) = (rng.chance(20), rng.pick(REGIONS));
        let url = format!("{}{}", ecr.url(), rng.pick(PATHS));
        let keys = AwsKeys::new(&id, secret.as_str());
        let keys = match &token {
            Some(token) => keys.with_session(token.as_str(), None),
            None => keys,
        };
        let cloud = match public {
            true => Cloud::EcrPublic,
            false => Cloud::Ecr { region: region.to_owned(), endpoint: url.clone() },
        };
        let variables = [("AWS_ENDPOINT_URL_ECR_PUBLIC", url.as_str())];
        let options = options(&variables).with_aws(keys).with_host(host("registry.test"), cloud);
        ask(&CloudLogins::new(options).unwrap(), "registry.test").unwrap().unwrap();
        let seen = ecr.take().remove(0);
        let header = |name: &str| seen.header(name).unwrap_or_default().to_owned();
        questions.push(
            json!({"ask": "sigv4", "method": seen.method, "url": format!("{}{}", ecr.url(), seen.target),
            "headers": {"Content-Type": header("content-type"), "X-Amz-Target": header("x-amz-target")},
            "body": seen.body, "id": id, "secret": secret, "token": token, "time": header("x-amz-date"),
            "service": if public { "ecr-public" } else { "ecr" },
            "region": if public { "us-east-1" } else { region }}),
        );
        made.push((header("authorization"), seen.header("x-amz-security-token").map(str::to_owned), token));
    }
    for (n, (answer, (authorization, sent, token))) in judge.ask_many(questions).iter().zip(made).enumerate()
    {
        assert_eq!((&answer["authorization"], sent), (&Value::from(authorization), token), "request {n}");
    }
}

#[test]
fn assertions_are_those_of_google_auth() {
    let Some(judge) = judge("assertions_are_those_of_google_auth") else { return };
    let sizes = [2048, 3072, 4096];
    let keys = judge.ask_many(sizes.map(|bits| json!({"ask": "rsa", "bits": bits})));
    let tokens = Fake::start(|_| Answer::ok(json!({"access_token": "t", "expires_in": 3599})));
    let mut rng = Rng::new(42);
    let (mut questions, mut made) = (Vec::new(), Vec::new());
    for _ in 0..SAMPLES {
        // Large keys sign slowly; a few do.
        let size = if rng.chance(80) { 0 } else { 1 + rng.below(2) };
        let name = rng.text(&["robot", "-", ".", "ü", "\"", "\\", "😀", "\u{7f}", "/", "x"], 8);
        let mut account = json!({
            "type": "service_account", "client_email": format!("{name}@p.iam.gserviceaccount.com"),
            "private_key": keys[size]["pem"], "token_uri": format!("{}/token", tokens.url()),
        });
        if rng.chance(70) {
            account["private_key_id"] = rng.text(&["0", "a", "f", "é"], 20).into();
        }
        let login = GoogleLogin::ServiceAccount(account.to_string().into());
        let logins = CloudLogins::new(options(&[]).with_google(login)).unwrap();
        ask(&logins, "gcr.io").unwrap().unwrap();
        let form = tokens.take().remove(0).form();
        let assertion = form.into_iter().find(|(name, _)| name == "assertion").unwrap().1;
        let claims = URL_SAFE_NO_PAD.decode(assertion.split('.').nth(1).unwrap()).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        questions.push(json!({"ask": "assertion", "account": account, "time": claims["iat"]}));
        made.push(assertion);
    }
    for (n, (answer, assertion)) in judge.ask_many(questions).iter().zip(made).enumerate() {
        assert_eq!(answer["assertion"], assertion, "request {n}");
    }
}

#[test]
fn the_addresses_of_ecr_are_those_of_botocore() {
    let Some(judge) = judge("the_addresses_of_ecr_are_those_of_botocore") else { return };
    let regions = judge.ask(json!({"ask": "regions", "service": "ecr"}));
    let regions: Vec<_> =
        regions["regions"].as_array().unwrap().iter().map(|r| r.as_str().unwrap()).collect();
    assert!(regions.len() > 30, "{regions:?}");
    let (mut questions, mut ours) = (Vec::new(), Vec::new());
    for region in &regions {
        let china = region.starts_with("cn-");
        let (old, new) = if china {
            ("amazonaws.com.cn", "on.amazonwebservices.com.cn")
        } else {
            ("amazonaws.com", "on.aws")
        };
        let mut names = vec![(format!("dkr.ecr.{region}.{old}"), false, false)];
        if !TOO_NEW.contains(region) {
            names.push((format!("dkr-ecr.{region}.{new}"), false, true));
        }
        if region.starts_with("us-") {
            // Elsewhere there is no such thing, whatever address a rule makes up for it.
            names.push((format!("dkr.ecr-fips.{region}.{old}"), true, false));
            names.push((format!("dkr-ecr-fips.{region}.{new}"), true, true));
        }
        for (name, fips, dual) in names {
            let name = host(&format!("123456789012.{name}"));
            let Some(Cloud::Ecr { endpoint, region: found, .. }) = Cloud::of(&name) else { panic!("{name}") };
            assert_eq!(found, *region);
            questions.push(
                json!({"ask": "endpoint", "service": "ecr", "region": region, "fips": fips, "dual": dual}),
            );
            ours.push(endpoint);
        }
    }
    questions.push(json!({"ask": "endpoint", "service": "ecr-public", "region": "us-east-1", "fips": false, "dual": false}));
    ours.push("https://api.ecr-public.us-east-1.amazonaws.com".into());
    for ((question, answer), ours) in questions.iter().zip(judge.ask_many(questions.clone())).zip(ours) {
        assert_eq!(answer["endpoint"], ours, "{question}");
    }
}
