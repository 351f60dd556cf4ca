use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use reqwest::{
    StatusCode, Url,
    header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE},
};

use super::{
    CredentialSource, Credentials, Scope,
    plan::Plan,
    token::{basic, bearer},
    tokens::Tokens,
};
use crate::{
    error::{Error, ErrorKind, Reason, Result},
    http::{HttpClient, Request, Response},
    name::Host,
};

/// Sends requests to one registry in the caller's name.
///
/// What the registry wants is learnt from the first answer and kept: a client that goes on pays neither for a second challenge
/// nor for a second token.
pub(crate) struct Authenticator {
    host: Host,
    base: Url,
    http: Arc<HttpClient>,
    source: Arc<dyn CredentialSource>,
    known: Mutex<Known>,
    /// Held by the first request, so that those beside it do not all run into the same challenge.
    first: tokio::sync::Mutex<()>,
    tokens: Tokens,
}

#[derive(Default)]
struct Known {
    wants: Wants,
    credentials: Option<Credentials>,
}

#[derive(Clone, Default)]
enum Wants {
    #[default]
    Unknown,
    Nothing,
    Login(Arc<Plan>),
}

impl Authenticator {
    /// For the registry at `base`, whose credentials are found under `host`.
    pub(crate) fn new(
        host: Host,
        base: Url,
        http: Arc<HttpClient>,
        source: Arc<dyn CredentialSource>,
    ) -> Self {
        let (known, first, tokens) = Default::default();
        Self { host, base, http, source, known, first, tokens }
    }

    /// Sends what `make` makes, with whatever `scope` needs; once more if the registry wants a login that it did not want
    /// before, or a new token. The answer is no 401 then.
    pub(crate) async fn send(&self, scope: &Scope, make: impl Fn() -> Result<Request>) -> Result<Response> {
        let mut first = None;
        if matches!(self.wants(), Wants::Unknown) {
            let gate = self.first.lock().await;
            first = Some(gate).filter(|_| matches!(self.wants(), Wants::Unknown));
        }
        let shown = self.authorization(scope).await?;
        let response = self.http.send(authorized(make()?, shown.as_ref())).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            if first.is_some() {
                self.learn(|wants| matches!(wants, Wants::Unknown), Wants::Nothing);
            }
            return Ok(response);
        }
        if response.left_origin() {
            // Somebody else asks: a storage service behind a redirect gets no credentials.
            return Err(response.refused().await.with_reason(Reason::BadChallenge));
        }
        let may_be_plain = |url: &Url| self.http.allows_plain_http(url);
        let extra = match Plan::read(&self.base, response.headers(), may_be_plain) {
            Ok((plan, extra)) => {
                self.learn(|_| true, Wants::Login(Arc::new(plan)));
                extra
            }
            // Some registries explain themselves only to strangers; what they want is known then.
            Err(_) if shown.is_some() && !response.headers().contains_key(WWW_AUTHENTICATE) => Scope::none(),
            Err(error) => return Err(response.explain(error).with_context("registry", &self.host)),
        };
        drop(first);
        if let Some(shown) = &shown {
            self.tokens.forget(shown);
            self.forget_credentials();
        }
        let scope = scope.clone().and(extra);
        let Some(answer) = self.authorization(&scope).await? else { return Err(self.nobody(response).await) };
        response.drain().await;
        let response = self.http.send(authorized(make()?, Some(&answer))).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        self.tokens.forget(&answer);
        let anonymous = self.credentials().await? == Credentials::Anonymous;
        self.forget_credentials();
        let error = if anonymous { self.nobody(response).await } else { response.refused().await };
        Err(error.with_context("registry", &self.host).with_context("scope", scope))
    }

    /// What to show for `scope`, as far as is known.
    async fn authorization(&self, scope: &Scope) -> Result<Option<HeaderValue>> {
        let Wants::Login(plan) = self.wants() else { return Ok(None) };
        let who = self.credentials().await?;
        match (plan.as_ref(), &who) {
            (Plan::Basic, Credentials::Basic { username, password }) => basic(username, password).map(Some),
            (Plan::Basic, Credentials::Anonymous) => Ok(None),
            (_, Credentials::Bearer(token)) => match bearer(token.expose()) {
                Some(header) => Ok(Some(header)),
                None => Err(Error::new(
                    ErrorKind::InvalidInput,
                    "the token given for the registry has line breaks in it",
                )
                .with_context("registry", &self.host)),
            },
            (Plan::Bearer(service), _) => {
                let token = self.tokens.get(&self.http, service, scope, &who).await;
                token
                    .map(|token| Some(token.header))
                    .map_err(|error| error.with_context("registry", &self.host))
            }
        }
    }

    /// The caller's credentials; asked for once, until they are refused.
    async fn credentials(&self) -> Result<Credentials> {
        let known = self.known().credentials.clone();
        if let Some(credentials) = known {
            return Ok(credentials);
        }
        let found = self.source.credentials(&self.host).await?.unwrap_or(Credentials::Anonymous);
        self.known().credentials = Some(found.clone());
        Ok(found)
    }

    fn forget_credentials(&self) {
        self.known().credentials = None;
    }

    async fn nobody(&self, response: Response) -> Error {
        let error = Error::new(ErrorKind::Unauthenticated, format!("no credentials for {}", self.host))
            .with_reason(Reason::NoCredentials)
            .with_hint("the registry wants a login: give credentials for this host");
        response.refused_as(error).await
    }

    fn wants(&self) -> Wants {
        self.known().wants.clone()
    }

    fn learn(&self, when: impl Fn(&Wants) -> bool, wants: Wants) {
        let mut known = self.known();
        if when(&known.wants) {
            known.wants = wants;
        }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authenticator({})", self.host)
    }
}

fn authorized(request: Request, header: Option<&HeaderValue>) -> Request {
    match header {
        Some(header) => request.with_header(AUTHORIZATION, header.clone()),
        None => request,
    }
}
