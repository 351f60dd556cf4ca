//! Google's registries: an access token as the password.

mod assertion;
mod key;

use std::time::SystemTime;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{
    CloudOptions, Environment, GoogleLogin, files,
    service::{Answer, Service, endpoint, get, seconds},
};
use crate::{auth::Credentials, error::Result, redact::Secret};
use key::Key;

const WHO: &str = "Google's token service";
const METADATA: &str = "Google's metadata service";
const NAMED_BY: &str = "GOOGLE_APPLICATION_CREDENTIALS";

#[derive(Deserialize)]
struct Token {
    access_token: Zeroizing<String>,
    expires_in: Option<serde_json::Value>,
}

/// A login; `None` for who has none, and is not on Google's machines.
pub(super) async fn login(service: &Service, options: &CloudOptions) -> Result<Option<Credentials>> {
    match &options.google {
        Some(GoogleLogin::AccessToken(token)) => Ok(Some(with_token(token.clone(), None))),
        Some(GoogleLogin::JsonKey(key)) => Ok(Some(fixed("_json_key", key.clone()))),
        Some(GoogleLogin::JsonKeyBase64(key)) => {
            let text = key.expose().trim();
            // Who has the plain file at hand need not encode it.
            let encoded = if text.starts_with('{') { STANDARD.encode(text) } else { text.to_owned() };
            Ok(Some(fixed("_json_key_base64", encoded.into())))
        }
        Some(GoogleLogin::ServiceAccount(text)) => {
            Key::read(text.expose(), "the options")?.login(service).await.map(Some)
        }
        None => found(service, &options.environment).await,
    }
}

/// "How Application Default Credentials works" (Google Cloud documentation).
async fn found(service: &Service, environment: &Environment) -> Result<Option<Credentials>> {
    if let Some(path) = environment.get(NAMED_BY) {
        let text = files::read_named(path.into(), NAMED_BY).await?;
        return Key::read(&text, NAMED_BY)?.login(service).await.map(Some);
    }
    let below = "gcloud/application_default_credentials.json";
    let own = match environment.get("CLOUDSDK_CONFIG") {
        Some(folder) => Some(std::path::Path::new(&folder).join("application_default_credentials.json")),
        None => match environment.get("APPDATA") {
            Some(folder) => Some(std::path::Path::new(&folder).join(below)),
            None => environment.file("", &format!(".config/{below}")),
        },
    };
    if let Some(path) = own
        && let Some(text) = files::read(path).await?
    {
        return Key::read(&text, "gcloud's application default credentials")?.login(service).await.map(Some);
    }
    machine(service, environment).await
}

/// "About VM metadata" (Compute Engine documentation). Asked by its address: a name could be somebody else's.
async fn machine(service: &Service, environment: &Environment) -> Result<Option<Credentials>> {
    let host = environment.first(&["GCE_METADATA_HOST", "GCE_METADATA_IP"]);
    let host = host.unwrap_or_else(|| "169.254.169.254".to_owned());
    let path = "computeMetadata/v1/instance/service-accounts/default/token";
    let url = endpoint(&format!("http://{host}/{path}"), "GCE_METADATA_HOST")?;
    let started = SystemTime::now();
    let Some(answer) = service.ask_near(get(url, &[("metadata-flavor", "Google")])?).await? else {
        return Ok(None);
    };
    // Other clouds' services answer at the same address. A machine without a service account has no token.
    let is_google = answer.header("metadata-flavor") == Some("Google");
    if !is_google || answer.status.as_u16() == 404 {
        return Ok(None);
    }
    token(&answer, METADATA, started).map(Some)
}

/// The login that a token service's answer holds.
fn token(answer: &Answer, who: &'static str, started: SystemTime) -> Result<Credentials> {
    let token: Token = answer.json(who)?;
    if token.access_token.is_empty() {
        return Err(answer.malformed(who));
    }
    let expires = token.expires_in.as_ref().and_then(seconds).and_then(|left| started.checked_add(left));
    Ok(with_token(token.access_token.as_str().into(), expires))
}

fn with_token(token: Secret, expires: Option<SystemTime>) -> Credentials {
    let login = fixed("oauth2accesstoken", token);
    match expires {
        Some(end) => login.with_expiry(end),
        None => login,
    }
}

fn fixed(user: &str, password: Secret) -> Credentials {
    Credentials::basic(user, password).with_origin("a login of Google Cloud")
}
