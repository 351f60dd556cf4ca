//! Azure's registries: a token of Entra ID (formerly AAD), exchanged at the registry for one of its own.

use std::{path::PathBuf, time::SystemTime};

use reqwest::Url;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{
    AzureLogin, CloudOptions, Environment, files,
    service::{Answer, Service, endpoint, get, post_form, seconds},
};
use crate::{
    auth::Credentials,
    error::{Error, ErrorKind, Result},
    name::Host,
    redact::Secret,
};

const ENTRA: &str = "Microsoft Entra ID";
const MACHINE: &str = "Azure's managed identity service";
const REGISTRY: &str = "the registry's token exchange";
/// Whom the token is for.
const AUDIENCE: &str = "https://containerregistry.azure.net";
/// The user that says: the password is a token.
const USER: &str = "00000000-0000-0000-0000-000000000000";

#[derive(Deserialize)]
struct Token {
    access_token: Zeroizing<String>,
    expires_in: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Exchanged {
    refresh_token: Zeroizing<String>,
}

/// A token of Entra ID.
struct Entra {
    token: Zeroizing<String>,
    tenant: Option<String>,
    expires: Option<SystemTime>,
}

/// A login at the registry `host`; `None` for who has none, and is not on Azure's machines.
pub(super) async fn login(
    service: &Service,
    options: &CloudOptions,
    host: &Host,
) -> Result<Option<Credentials>> {
    let environment = &options.environment;
    let who = options.azure.clone().unwrap_or_else(|| from_variables(environment));
    match entra(service, environment, host, who).await? {
        Some(entra) => exchange(service, host, entra).await.map(Some),
        None => Ok(None),
    }
}

/// The order of Azure's own `DefaultAzureCredential`; the machine's identity comes last, since it may take a time-out to find that
/// there is none.
fn from_variables(environment: &Environment) -> AzureLogin {
    let client = environment.get("AZURE_CLIENT_ID");
    let application = environment.get("AZURE_TENANT_ID").zip(client.clone());
    if let Some((tenant, client)) = application {
        if let Some(secret) = environment.get("AZURE_CLIENT_SECRET") {
            return AzureLogin::ClientSecret { tenant, client, secret: secret.into() };
        }
        if let Some(file) = environment.get("AZURE_FEDERATED_TOKEN_FILE") {
            return AzureLogin::FederatedToken { tenant, client, file: file.into() };
        }
    }
    AzureLogin::ManagedIdentity { client }
}

async fn entra(
    service: &Service,
    environment: &Environment,
    host: &Host,
    who: AzureLogin,
) -> Result<Option<Entra>> {
    let application = Application { service, environment, host };
    match who {
        AzureLogin::AccessToken { token, tenant } => {
            let token = Zeroizing::new(token.expose().to_owned());
            Ok(Some(Entra { token, tenant, expires: None }))
        }
        AzureLogin::ClientSecret { tenant, client, secret } => {
            application.token(tenant, &client, &[("client_secret", secret.expose())]).await.map(Some)
        }
        AzureLogin::FederatedToken { tenant, client, file } => {
            let token = read(file).await?;
            let proof = [
                ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
                ("client_assertion", token.as_str()),
            ];
            application.token(tenant, &client, &proof).await.map(Some)
        }
        AzureLogin::ManagedIdentity { client } => machine(service, environment, client.as_deref()).await,
    }
}

async fn read(file: PathBuf) -> Result<Zeroizing<String>> {
    let text = files::read_named(file, "AZURE_FEDERATED_TOKEN_FILE").await?;
    Ok(Zeroizing::new(text.trim().to_owned()))
}

struct Application<'a> {
    service: &'a Service,
    environment: &'a Environment,
    host: &'a Host,
}

impl Application<'_> {
    /// "OAuth 2.0 client credentials flow" (Microsoft identity platform).
    async fn token(&self, tenant: String, client: &str, proof: &[(&str, &str)]) -> Result<Entra> {
        if tenant.is_empty()
            || !tenant.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
        {
            return Err(Error::new(ErrorKind::InvalidInput, "the tenant of Azure is no id and no domain")
                .with_context("tenant", tenant));
        }
        let authority = self.environment.get("AZURE_AUTHORITY_HOST");
        let authority = authority.unwrap_or_else(|| self.authority().to_owned());
        let url = format!("{}/{tenant}/oauth2/v2.0/token", authority.trim_end_matches('/'));
        let scope = format!("{AUDIENCE}/.default");
        let mut form = vec![("grant_type", "client_credentials"), ("client_id", client), ("scope", &scope)];
        form.extend(proof);
        let started = SystemTime::now();
        let answer =
            self.service.ask(post_form(endpoint(&url, "AZURE_AUTHORITY_HOST")?, &form, &[])?).await?;
        let (token, expires) = read_token(&answer, ENTRA, started)?;
        Ok(Entra { token, tenant: Some(tenant), expires })
    }

    /// Each of Azure's clouds has one of its own.
    fn authority(&self) -> &'static str {
        let name = self.host.name().to_ascii_lowercase();
        match name.rsplit('.').next() {
            Some("cn") => "https://login.chinacloudapi.cn",
            Some("us") => "https://login.microsoftonline.us",
            Some("de") => "https://login.microsoftonline.de",
            _ => "https://login.microsoftonline.com",
        }
    }
}

/// "Use managed identities on an Azure VM to acquire access token"; and the like for App Service, which names an address of its own.
async fn machine(
    service: &Service,
    environment: &Environment,
    client: Option<&str>,
) -> Result<Option<Entra>> {
    let app = environment.get("IDENTITY_ENDPOINT").zip(environment.get("IDENTITY_HEADER"));
    let (base, version, header) = match &app {
        Some((base, secret)) => (base.clone(), "2019-08-01", ("x-identity-header", secret.as_str())),
        None => {
            let base = environment.get("AZURE_POD_IDENTITY_AUTHORITY_HOST");
            let base = base.unwrap_or_else(|| "http://169.254.169.254".to_owned());
            let base = format!("{}/metadata/identity/oauth2/token", base.trim_end_matches('/'));
            (base, "2018-02-01", ("metadata", "true"))
        }
    };
    let mut url = endpoint(&base, "IDENTITY_ENDPOINT")?;
    {
        let mut query = url.query_pairs_mut();
        query.append_pair("api-version", version).append_pair("resource", AUDIENCE);
        if let Some(client) = client {
            query.append_pair("client_id", client);
        }
    }
    let started = SystemTime::now();
    let Some(answer) = service.ask_near(get(url, &[header])?).await? else { return Ok(None) };
    // 400: a machine of Azure without an identity; 404, 405: another cloud's machine. Who names an identity wants to know.
    if matches!(answer.status.as_u16(), 400 | 404 | 405) && app.is_none() && client.is_none() {
        return Ok(None);
    }
    let (token, expires) = read_token(&answer, MACHINE, started)?;
    Ok(Some(Entra { token, tenant: None, expires }))
}

fn read_token(
    answer: &Answer,
    who: &'static str,
    started: SystemTime,
) -> Result<(Zeroizing<String>, Option<SystemTime>)> {
    let token: Token = answer.json(who)?;
    if token.access_token.is_empty() {
        return Err(answer.malformed(who));
    }
    let expires = token.expires_in.as_ref().and_then(seconds).and_then(|left| started.checked_add(left));
    Ok((token.access_token, expires))
}

/// "Calling POST /oauth2/exchange to get an ACR refresh token" (ACR's AAD-OAuth document).
async fn exchange(service: &Service, host: &Host, entra: Entra) -> Result<Credentials> {
    let scheme = if service.options().is_plain_http(host) { "http" } else { "https" };
    let url = Url::parse(&format!("{scheme}://{host}/oauth2/exchange")).map_err(|_| {
        Error::new(ErrorKind::InvalidReference, "the registry's host makes no URL").with_context("host", host)
    })?;
    let mut form = vec![
        ("grant_type", "access_token"),
        ("service", host.as_str()),
        ("access_token", entra.token.as_str()),
    ];
    if let Some(tenant) = &entra.tenant {
        form.push(("tenant", tenant));
    }
    let answer = service.ask(post_form(url, &form, &[])?).await?;
    let token = answer.json::<Exchanged>(REGISTRY)?.refresh_token;
    if token.is_empty() {
        return Err(answer.malformed(REGISTRY));
    }
    let password: Secret = token.as_str().into();
    let login = Credentials::basic(USER, password).with_origin("an identity of Azure");
    // The token tells its own end, as long as it is one that can be read.
    Ok(match entra.expires.filter(|_| login.expiry().is_none()) {
        Some(end) => login.with_expiry(end),
        None => login,
    })
}
