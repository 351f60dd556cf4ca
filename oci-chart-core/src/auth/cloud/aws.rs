//! Amazon ECR: one signed request.

mod ini;
mod keys;
mod metadata;

use std::time::{Duration, SystemTime};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use reqwest::{Method, Url};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{
    AwsKeys, CloudOptions, Environment,
    host::ECR_PUBLIC,
    service::{Service, endpoint, with_headers},
    sigv4,
};
use crate::{
    auth::Credentials,
    error::{Error, ErrorKind, Result},
    http::{Body, Request},
    json::Object,
    redact::Secret,
};

const WHO: &str = "Amazon ECR";
const ORIGIN: &str = "Amazon ECR, for the keys of AWS";
/// Both APIs ask for nothing: the login is for all that the keys may do.
const BODY: &[u8] = b"{}";

/// A login at the private registries of a region; `None` for who has no keys.
pub(super) async fn private(
    service: &Service,
    options: &CloudOptions,
    region: &str,
    api: &str,
) -> Result<Option<Credentials>> {
    let Some(keys) = keys::find(service, options, region).await? else { return Ok(None) };
    let url = api_url(&options.environment, "AWS_ENDPOINT_URL_ECR", api)?;
    let call = Call {
        url,
        region,
        service: "ecr",
        target: "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken",
    };
    call.login(service, &keys).await.map(Some)
}

/// A login at the public registry, which anybody may read without.
pub(super) async fn public(service: &Service, options: &CloudOptions) -> Result<Option<Credentials>> {
    let (region, api) = ECR_PUBLIC;
    let keys = match keys::find(service, options, region).await {
        Ok(Some(keys)) => keys,
        Ok(None) => return Ok(None),
        // A way to log in that is not for us is no reason to refuse what needs no login.
        Err(error) if error.kind() == ErrorKind::Unsupported => return Ok(None),
        Err(error) => return Err(error),
    };
    let url = api_url(&options.environment, "AWS_ENDPOINT_URL_ECR_PUBLIC", api)?;
    let call =
        Call { url, region, service: "ecr-public", target: "SpencerFrontendService.GetAuthorizationToken" };
    call.login(service, &keys).await.map(Some)
}

/// The address of an API: the one that is set for it, or for all of them, or its own.
fn api_url(environment: &Environment, variable: &'static str, own: &str) -> Result<Url> {
    let ignored = environment.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
    let set = if ignored.is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        None
    } else {
        environment.first(&[variable, "AWS_ENDPOINT_URL"])
    };
    endpoint(set.as_deref().unwrap_or(own), variable)
}

struct Call<'a> {
    url: Url,
    region: &'a str,
    service: &'static str,
    target: &'static str,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "authorizationData")]
    data: OneOrMany,
}

/// The private API answers with a list, the public one with one.
#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(Object<Data>),
    Many(Vec<Object<Data>>),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    authorization_token: Zeroizing<String>,
    expires_at: Option<f64>,
}

impl Call<'_> {
    async fn login(self, service: &Service, keys: &AwsKeys) -> Result<Credentials> {
        let answer = service.ask(self.request(keys)?).await?;
        let data = match answer.json::<Answer>(WHO)?.data {
            OneOrMany::One(data) => Some(data),
            OneOrMany::Many(all) => all.into_iter().next(),
        };
        let Object(data) = data.ok_or_else(|| answer.malformed(WHO))?;
        let (username, password) =
            user_and_password(&data.authorization_token).ok_or_else(|| answer.malformed(WHO))?;
        let end = data.expires_at.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let end = end.and_then(|seconds| SystemTime::UNIX_EPOCH.checked_add(seconds));
        let expires = [end, keys.expires].into_iter().flatten().min();
        let login = Credentials::basic(username, password).with_origin(ORIGIN);
        Ok(match expires {
            Some(end) => login.with_expiry(end),
            None => login,
        })
    }

    fn request(&self, keys: &AwsKeys) -> Result<Request> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now =
            now.map_err(|_| Error::new(ErrorKind::InvalidInput, "this machine's clock is before 1970"))?;
        let time = sigv4::timestamp(now.as_secs());
        let host = self.url.host_str().unwrap_or_default();
        let host = match self.url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        let token = keys.session_token.as_ref().map(|token| ("x-amz-security-token", token.expose()));
        let mut headers = vec![
            ("content-type", "application/x-amz-json-1.1"),
            ("host", host.as_str()),
            ("x-amz-date", time.as_str()),
        ];
        headers.extend(token);
        headers.push(("x-amz-target", self.target));
        let signed = sigv4::Signed {
            method: "POST",
            url: &self.url,
            headers: &headers,
            body: BODY,
            time: &time,
            region: self.region,
            service: self.service,
        };
        let authorization = Zeroizing::new(sigv4::authorization(&signed, keys));
        headers.retain(|(name, _)| *name != "host");
        headers.push(("authorization", &authorization));
        let request = Request::new(Method::POST, self.url.clone());
        with_headers(request.with_body(Body::Bytes(Bytes::from_static(BODY))), &headers)
    }
}

fn user_and_password(token: &str) -> Option<(String, Secret)> {
    let bytes = Zeroizing::new(STANDARD.decode(token).ok()?);
    let (user, password) = std::str::from_utf8(&bytes).ok()?.split_once(':')?;
    Some((user.to_owned(), password.into()))
}
