use reqwest::{Method, StatusCode, header::AUTHORIZATION};

use super::{
    Authenticator, CredentialKind, Credentials,
    blame::accuse,
    plan::Plan,
    token::{self, basic, bearer},
};
use crate::{
    error::{Error, ErrorKind, Reason, Result},
    http::{Redirects, Request, Response},
    redact::Secret,
};

/// What a registry thinks of credentials.
#[derive(Debug)]
pub(crate) struct Verified {
    /// Whether it looked at them at all.
    pub(crate) looked: bool,
    /// The identity token that its token service gave for them.
    pub(crate) identity: Option<Secret>,
}

impl Authenticator {
    /// Shows `who` to the registry, which must not refuse. Nothing of this is remembered.
    pub(crate) async fn verify(&self, who: &Credentials) -> Result<Verified> {
        let stranger = self.knock(None).await?;
        if stranger.status().is_success() {
            // It lets everybody in; wrong credentials it may refuse all the same.
            stranger.drain().await;
            if let CredentialKind::Basic { username, password } = who.kind() {
                let response = self.knock(Some(basic(username, password)?)).await?;
                self.accepted(response, who).await?;
            }
            return Ok(Verified { looked: false, identity: None });
        }
        if stranger.status() != StatusCode::UNAUTHORIZED {
            let error = stranger.refused().await;
            return Err(error.with_hint("is this the address of a registry? it does not answer at /v2/"));
        }
        let may_be_plain = |url: &reqwest::Url| self.http.allows_plain_http(url);
        let (plan, scope) = Plan::read(&self.base, stranger.headers(), may_be_plain)
            .map_err(|error| stranger.explain(error).with_context("registry", &self.host))?;
        stranger.drain().await;
        let mut identity = None;
        let header = match (&plan, who.kind()) {
            (_, CredentialKind::Anonymous) => {
                return Err(Error::new(ErrorKind::InvalidInput, "there is nothing to log in with"));
            }
            (_, CredentialKind::Bearer(token)) => bearer(token.expose())
                .ok_or_else(|| Error::new(ErrorKind::InvalidInput, "the token has line breaks in it"))?,
            (Plan::Basic, CredentialKind::Basic { username, password }) => basic(username, password)?,
            (Plan::Basic, CredentialKind::Identity { username, token }) => {
                basic(username.as_deref().unwrap_or_default(), token)?
            }
            (Plan::Bearer(service), kind) => {
                let granted = match kind {
                    CredentialKind::Basic { username, password } => {
                        token::password_grant(&self.http, service, &scope, username, password).await?
                    }
                    _ => None,
                };
                // Some services know no OAuth2, and refuse in all ways; what they say to a GET counts.
                let token = match granted {
                    Some(token) => token,
                    None => token::fetch(&self.http, service, &scope, who, &Default::default())
                        .await
                        .map_err(|error| accuse(error, who).with_context("registry", &self.host))?,
                };
                identity = token.identity.clone();
                token.header
            }
        };
        let response = self.knock(Some(header)).await?;
        self.accepted(response, who).await?;
        Ok(Verified { looked: true, identity })
    }

    async fn knock(&self, header: Option<reqwest::header::HeaderValue>) -> Result<Response> {
        let request = Request::new(Method::GET, self.base.clone()).with_redirects(Redirects::SameOrigin);
        let request = match header {
            Some(header) => request.with_header(AUTHORIZATION, header),
            None => request,
        };
        self.http.send(request).await
    }

    async fn accepted(&self, response: Response, who: &Credentials) -> Result<()> {
        match response.status() {
            status if status.is_success() => {
                response.drain().await;
                Ok(())
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                let error = response.refused().await.with_kind(ErrorKind::Unauthenticated);
                let error = error.with_reason(Reason::CredentialsRefused).with_hint(
                    "check the user and the password; a person's password may not do where tokens are wanted",
                );
                Err(accuse(error, who).with_context("registry", &self.host))
            }
            _ => Err(response.refused().await.with_context("registry", &self.host)),
        }
    }
}
