use std::time::SystemTime;

use serde::Deserialize;
use zeroize::Zeroizing;

use super::{
    super::service::{Service, endpoint, post_form},
    WHO, assertion, token,
};
use crate::{
    auth::Credentials,
    error::{Error, ErrorKind, Result},
    json,
};

const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";

/// A file of credentials, of the kinds that need nothing but one request.
pub(super) enum Key {
    ServiceAccount(ServiceAccount),
    User(User),
}

/// A service account and its private key.
#[derive(Deserialize)]
pub(super) struct ServiceAccount {
    pub(super) client_email: String,
    pub(super) private_key: Zeroizing<String>,
    pub(super) private_key_id: Option<String>,
    token_uri: Option<String>,
}

/// What `gcloud auth application-default login` leaves.
#[derive(Deserialize)]
pub(super) struct User {
    client_id: String,
    client_secret: Zeroizing<String>,
    refresh_token: Zeroizing<String>,
    token_uri: Option<String>,
}

#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "type")]
    kind: Option<String>,
}

impl Key {
    pub(super) fn read(text: &str, named_by: &'static str) -> Result<Self> {
        // The parser's own words would show what stands in the file.
        let malformed = || {
            Error::new(ErrorKind::InvalidInput, "a file of Google's credentials cannot be read")
                .with_context("named by", named_by)
                .with_hint("give the JSON file as Google made it")
        };
        let kind: Kind = json::object(text.as_bytes()).map_err(|_| malformed())?;
        match kind.kind.as_deref() {
            Some("service_account") => {
                json::object(text.as_bytes()).map(Self::ServiceAccount).map_err(|_| malformed())
            }
            Some("authorized_user") => json::object(text.as_bytes()).map(Self::User).map_err(|_| malformed()),
            Some(other) => Err(Error::new(
                ErrorKind::Unsupported,
                "Google's credentials are of a kind that wants Google's own tools",
            )
            .with_context("type", other.chars().take(40).collect::<String>())
            .with_context("named by", named_by)
            .with_hint("give the token that `gcloud auth print-access-token` prints")),
            None => Err(malformed()),
        }
    }

    pub(super) async fn login(&self, service: &Service) -> Result<Credentials> {
        let started = SystemTime::now();
        let request = match self {
            Self::ServiceAccount(account) => {
                let now = started.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
                let assertion = assertion::make(account, now)?;
                let form = [
                    ("assertion", assertion.as_str()),
                    ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
                ];
                post_form(place(account.token_uri.as_deref())?, &form, &[])?
            }
            Self::User(user) => {
                let form = [
                    ("grant_type", "refresh_token"),
                    ("client_id", &user.client_id),
                    ("client_secret", &user.client_secret),
                    ("refresh_token", &user.refresh_token),
                ];
                post_form(place(user.token_uri.as_deref())?, &form, &[])?
            }
        };
        token(&service.ask(request).await?, WHO, started)
    }
}

fn place(own: Option<&str>) -> Result<reqwest::Url> {
    endpoint(own.unwrap_or(TOKEN_URI), "token_uri")
}
