//! Keys of the container or machine that one runs on.

use reqwest::{Method, Url};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{
    super::{
        AwsKeys, Environment, files,
        service::{Answer, Service, endpoint, get, with_headers},
    },
    keys::time,
};
use crate::{
    error::{Error, ErrorKind, Result},
    http::Request,
};

const CONTAINER: &str = "the container's credentials service";
const MACHINE: &str = "the machine's metadata service";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Role {
    access_key_id: String,
    secret_access_key: Zeroizing<String>,
    token: Option<Zeroizing<String>>,
    expiration: Option<String>,
}

/// Keys of the container's role, or else of the machine's.
pub(super) async fn keys(service: &Service, environment: &Environment) -> Result<Option<AwsKeys>> {
    match container(service, environment).await? {
        Some(keys) => Ok(Some(keys)),
        None => machine(service, environment).await,
    }
}

/// "Container credential provider" (AWS SDKs and Tools Reference Guide): ECS, and EKS's pod identities.
async fn container(service: &Service, environment: &Environment) -> Result<Option<AwsKeys>> {
    let relative = environment.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    let relative = relative.map(|path| format!("http://169.254.170.2{path}"));
    let Some(url) = relative.or_else(|| environment.get("AWS_CONTAINER_CREDENTIALS_FULL_URI")) else {
        return Ok(None);
    };
    let url = endpoint(&url, "AWS_CONTAINER_CREDENTIALS_FULL_URI")?;
    let token = match environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
        Some(file) => Some(files::read_named(file.into(), "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE").await?),
        None => environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN").map(Zeroizing::new),
    };
    let headers: Vec<_> = token.iter().map(|token| ("authorization", token.trim())).collect();
    let Some(answer) = service.ask_near(get(url.clone(), &headers)?).await? else {
        return Err(Error::new(ErrorKind::Network, "the container's credentials service does not answer")
            .with_context("url", crate::redact::RedactedUrl::new(url.as_str()))
            .with_retryable(true));
    };
    role(&answer, CONTAINER).map(Some)
}

/// "Use the Instance Metadata Service" (EC2 User Guide), version 2 alone: version 1 gives keys to whoever can make a program fetch a
/// URL.
async fn machine(service: &Service, environment: &Environment) -> Result<Option<AwsKeys>> {
    let disabled = environment.get("AWS_EC2_METADATA_DISABLED");
    if disabled.is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Ok(None);
    }
    let v6 = environment.get("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
    let own = match v6.is_some_and(|mode| mode.eq_ignore_ascii_case("ipv6")) {
        true => "http://[fd00:ec2::254]",
        false => "http://169.254.169.254",
    };
    let base = environment.get("AWS_EC2_METADATA_SERVICE_ENDPOINT").unwrap_or(own.to_owned());
    let place = |path: &str| {
        endpoint(
            &format!("{}/latest/{path}", base.trim_end_matches('/')),
            "AWS_EC2_METADATA_SERVICE_ENDPOINT",
        )
    };
    let session = with_headers(
        Request::new(Method::PUT, place("api/token")?),
        &[("x-aws-ec2-metadata-token-ttl-seconds", "300")],
    )?;
    let Some(session) = service.ask_near(session).await?.filter(|answer| answer.status.is_success()) else {
        return Ok(None);
    };
    let roles = place("meta-data/iam/security-credentials/")?;
    let Some(names) = look(service, roles, session.text()).await? else { return Ok(None) };
    let name = names.text().lines().next().unwrap_or_default().trim();
    if !names.status.is_success() || name.is_empty() || name.contains(['/', '?', '#', '<']) {
        return Ok(None);
    }
    let keys = place(&format!("meta-data/iam/security-credentials/{name}"))?;
    match look(service, keys, session.text()).await? {
        Some(answer) => role(&answer, MACHINE).map(Some),
        None => Ok(None),
    }
}

async fn look(service: &Service, url: Url, session: &str) -> Result<Option<Answer>> {
    let answer = service.ask_near(get(url, &[("x-aws-ec2-metadata-token", session)])?).await?;
    Ok(answer.filter(|answer| answer.status.as_u16() != 404))
}

fn role(answer: &Answer, who: &'static str) -> Result<AwsKeys> {
    let role: Role = answer.json(who)?;
    let keys = AwsKeys::new(role.access_key_id, role.secret_access_key.as_str());
    let expires = role.expiration.as_deref().and_then(time);
    Ok(match role.token {
        Some(token) => keys.with_session(token.as_str(), expires),
        None => AwsKeys { expires, ..keys },
    })
}
