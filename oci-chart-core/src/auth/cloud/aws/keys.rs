//! Where keys come from, in the order of AWS's own tools.

use std::path::PathBuf;

use zeroize::Zeroizing;

use super::{
    super::{
        AwsKeys, CloudOptions, Environment, files,
        service::{Service, element, post_form},
    },
    ini, metadata,
};
use crate::{
    error::{Error, ErrorKind, Reason, Result},
    http::wire,
};

const WHO: &str = "AWS's token service";

/// The keys to sign with; `None` where there are none anywhere.
pub(super) async fn find(service: &Service, options: &CloudOptions, region: &str) -> Result<Option<AwsKeys>> {
    if let Some(keys) = &options.aws {
        return Ok(Some(keys.clone()));
    }
    let environment = &options.environment;
    if let Some(keys) = from_variables(environment)? {
        return Ok(Some(keys));
    }
    if let (Some(file), Some(role)) =
        (environment.get("AWS_WEB_IDENTITY_TOKEN_FILE"), environment.get("AWS_ROLE_ARN"))
    {
        let role = Role { arn: role, file: file.into(), named_by: "AWS_WEB_IDENTITY_TOKEN_FILE" };
        return role.assume(service, environment, region).await.map(Some);
    }
    match from_files(environment).await? {
        Some(Profile::Keys(keys)) => return Ok(Some(keys)),
        Some(Profile::Role(role)) => return role.assume(service, environment, region).await.map(Some),
        None => {}
    }
    metadata::keys(service, environment).await
}

fn from_variables(environment: &Environment) -> Result<Option<AwsKeys>> {
    let (id, secret) = (environment.get("AWS_ACCESS_KEY_ID"), environment.get("AWS_SECRET_ACCESS_KEY"));
    match (id, secret) {
        (None, None) => Ok(None),
        (Some(id), Some(secret)) => {
            let keys = AwsKeys::new(id, secret);
            Ok(Some(match environment.get("AWS_SESSION_TOKEN") {
                Some(token) => keys.with_session(token, None),
                None => keys,
            }))
        }
        _ => Err(Error::new(
            ErrorKind::InvalidInput,
            "one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is set without the other",
        )
        .with_reason(Reason::NoCredentials)),
    }
}

enum Profile {
    Keys(AwsKeys),
    Role(Role),
}

async fn from_files(environment: &Environment) -> Result<Option<Profile>> {
    let named = environment.first(&["AWS_PROFILE", "AWS_DEFAULT_PROFILE"]);
    let profile = named.clone().unwrap_or_else(|| "default".to_owned());
    let credentials = read(environment.file("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials")).await?;
    let config = read(environment.file("AWS_CONFIG_FILE", ".aws/config")).await?;
    let long = if profile == "default" { profile.clone() } else { format!("profile {profile}") };
    // A pair comes from one file: halves of two need not belong together.
    for (text, section) in [(&credentials, &profile), (&config, &long)] {
        let get = |name: &str| ini::get(text, section, name).filter(|value| !value.is_empty());
        match (get("aws_access_key_id"), get("aws_secret_access_key")) {
            (None, None) => {}
            (Some(id), Some(secret)) => {
                let keys = AwsKeys::new(id, secret);
                return Ok(Some(Profile::Keys(match get("aws_session_token") {
                    Some(token) => keys.with_session(token, None),
                    None => keys,
                })));
            }
            _ => {
                let error = Error::new(ErrorKind::InvalidInput, "a profile of AWS has half a pair of keys");
                return Err(error.with_reason(Reason::NoCredentials).with_context("profile", &profile));
            }
        }
    }
    let get = |name: &str| {
        let found = ini::get(&credentials, &profile, name).or_else(|| ini::get(&config, &long, name));
        found.filter(|value| !value.is_empty()).map(str::to_owned)
    };
    if let (Some(arn), Some(file)) = (get("role_arn"), get("web_identity_token_file")) {
        return Ok(Some(Profile::Role(Role { arn, file: file.into(), named_by: "web_identity_token_file" })));
    }
    let foreign = ["role_arn", "sso_session", "sso_start_url", "credential_process", "login_session"];
    if let Some(setting) = foreign.iter().find(|name| get(name).is_some()) {
        return Err(Error::new(ErrorKind::Unsupported, "a profile of AWS logs in by a way that wants AWS's own tools")
            .with_context("profile", profile)
            .with_context("setting", setting)
            .with_hint("run `aws configure export-credentials --format env` and set what it prints, or use a credential helper"));
    }
    if named.is_some() && !ini::has(&credentials, &profile) && !ini::has(&config, &long) {
        return Err(Error::new(ErrorKind::NotFound, "there is no such profile of AWS")
            .with_context("profile", profile)
            .with_hint("check AWS_PROFILE, and AWS_SHARED_CREDENTIALS_FILE where it is set"));
    }
    Ok(None)
}

async fn read(path: Option<PathBuf>) -> Result<Zeroizing<String>> {
    Ok(match path {
        Some(path) => files::read(path).await?.unwrap_or_default(),
        None => Zeroizing::default(),
    })
}

/// A role that a token of the cluster or CI system is exchanged for.
struct Role {
    arn: String,
    file: PathBuf,
    named_by: &'static str,
}

impl Role {
    /// AWS STS API Reference, `AssumeRoleWithWebIdentity`.
    async fn assume(self, service: &Service, environment: &Environment, region: &str) -> Result<AwsKeys> {
        let token = files::read_named(self.file, self.named_by).await?;
        let session = environment.get("AWS_ROLE_SESSION_NAME").unwrap_or_else(|| "oci-chart".to_owned());
        let region = environment.first(&["AWS_REGION", "AWS_DEFAULT_REGION"]).unwrap_or(region.to_owned());
        let own = format!("https://sts.{region}.{}", network(&region));
        let url = super::api_url(environment, "AWS_ENDPOINT_URL_STS", &own)?;
        let form = [
            ("Action", "AssumeRoleWithWebIdentity"),
            ("Version", "2011-06-15"),
            ("RoleArn", &self.arn),
            ("RoleSessionName", &session),
            ("WebIdentityToken", token.trim()),
        ];
        let answer = service.ask(post_form(url, &form, &[])?).await?;
        if !answer.status.is_success() {
            return Err(answer.refused(WHO).with_context("role", self.arn));
        }
        let text = |name| element(answer.text(), name).filter(|text| !text.is_empty());
        let (Some(id), Some(secret), Some(token)) =
            (text("AccessKeyId"), text("SecretAccessKey"), text("SessionToken"))
        else {
            return Err(answer.malformed(WHO).with_context("role", self.arn));
        };
        Ok(AwsKeys::new(id, secret).with_session(token, text("Expiration").and_then(time)))
    }
}

/// A time as AWS writes it.
pub(super) fn time(text: &str) -> Option<std::time::SystemTime> {
    let seconds = u64::try_from(wire::rfc3339(text)?).ok()?;
    std::time::UNIX_EPOCH.checked_add(std::time::Duration::from_secs(seconds))
}

/// The zone that a region's services are in.
fn network(region: &str) -> &'static str {
    let zones = [
        ("cn-", "amazonaws.com.cn"),
        ("us-iso-", "c2s.ic.gov"),
        ("us-isob-", "sc2s.sgov.gov"),
        ("us-isof-", "csp.hci.ic.gov"),
        ("eu-isoe-", "cloud.adc-e.uk"),
        ("eusc-", "amazonaws.eu"),
    ];
    zones.iter().find(|(start, _)| region.starts_with(start)).map_or("amazonaws.com", |(_, zone)| zone)
}
