mod refused;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use reqwest::{
    Method, StatusCode, Url,
    header::{AUTHORIZATION, HeaderValue},
};

use super::{
    Audience, CredentialKind, CredentialSource, Credentials, Scope,
    blame::{accuse, claims, is_nobodys, says_token_ended},
    kept::Kept,
    plan::Plan,
    token::{basic, bearer},
    tokens::Tokens,
};
use crate::{
    error::{Error, ErrorKind, Reason, Result},
    http::{HttpClient, Redirects, Request, Response},
    name::Host,
    process::PerProcess,
};

/// Makes a request, once more for each time that it has to be sent.
pub(crate) type MakeRequest<'a> = dyn Fn() -> Result<Request> + Sync + 'a;

/// Sends requests to one registry in the caller's name.
///
/// What the registry wants is learnt from the first answer and kept: a client that goes on pays neither for a second challenge
/// nor for a second token.
pub(crate) struct Authenticator {
    pub(super) host: Host,
    pub(super) base: Url,
    pub(super) http: Arc<HttpClient>,
    source: Kept,
    wants: PerProcess<Mutex<Wants>>,
    /// Held by the first request, so that those beside it do not all run into the same challenge.
    first: PerProcess<tokio::sync::Mutex<()>>,
    tokens: PerProcess<Tokens>,
}

#[derive(Clone, Default)]
enum Wants {
    #[default]
    Unknown,
    Nothing,
    Login(Arc<Plan>),
}

/// What a refusal asks for.
struct Asked {
    scope: Scope,
    /// Another token service than the one that is known.
    moved: Option<Plan>,
}

/// What a request shows.
struct Shown {
    header: HeaderValue,
    who: Credentials,
    token: Shows,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shows {
    /// The credentials themselves.
    Credentials,
    /// A token that was there already and may have run out.
    KnownToken,
    /// A token that was made of the credentials just now.
    NewToken,
}

impl Authenticator {
    /// For the registry at `base`, whose credentials are found under `host`.
    pub(crate) fn new(
        host: Host,
        base: Url,
        http: Arc<HttpClient>,
        source: Arc<dyn CredentialSource>,
    ) -> Self {
        let (wants, first, tokens) = Default::default();
        Self { host, base, http, source: Kept::new(source), wants, first, tokens }
    }

    /// Sends what `make` makes, with whatever `scope` needs; again if the registry wants a login that it did not want before, a new
    /// token, or if the source of the refused credentials has others now. The answer is no 401 then.
    pub(crate) async fn send(&self, scope: &Scope, make: &MakeRequest<'_>) -> Result<Response> {
        let mut first = None;
        if matches!(self.wants(), Wants::Unknown) {
            let gate = self.first.lock().await;
            first = Some(gate).filter(|_| matches!(self.wants(), Wants::Unknown));
        }
        let mut scope = scope.clone();
        let mut shown = self.authorization(&scope).await?;
        let (mut renewals, mut chances, mut moves) = (true, true, true);
        loop {
            let request = self.authorized(make()?, shown.as_ref());
            let is_head = request.method == Method::HEAD;
            let response = self.http.send(request).await?;
            let response = match self.judge(response, shown.as_ref(), is_head).await {
                Ok(response) => {
                    if first.is_some() {
                        self.learn(|wants| matches!(wants, Wants::Unknown), Wants::Nothing);
                    }
                    return Ok(response);
                }
                Err(refusal) => refusal,
            };
            if response.left_origin() {
                // Somebody else asks: a storage service behind a redirect gets no credentials.
                return Err(response.refused().await.with_reason(Reason::BadChallenge));
            }
            let Asked { scope: asked, moved } = self.read_challenge(&response, shown.as_ref())?;
            scope = scope.and(asked);
            drop(first.take());
            let mut moved = moved.filter(|_| moves);
            if let Some(shown) = &shown {
                self.tokens.forget(&shown.header);
                // A token that was there may have run out, once; whoever gave other credentials may have newer ones, once.
                let again = match shown.token {
                    Shows::KnownToken => std::mem::take(&mut renewals),
                    _ => std::mem::take(&mut chances) && self.has_others(&scope, &shown.who).await?,
                };
                if !again {
                    let Some(plan) = moved.take() else {
                        return Err(self.refused(response, is_head, shown, &scope, make).await);
                    };
                    moves = self.follow(plan);
                }
            }
            shown = match (self.authorization(&scope).await, moved) {
                (Err(error), Some(plan)) if error.kind() == ErrorKind::Unauthenticated => {
                    moves = self.follow(plan);
                    self.authorization(&scope).await?
                }
                (result, _) => result?,
            };
            if shown.is_none() {
                return Err(self.nobody(response.refused().await));
            }
            response.drain().await;
        }
    }

    /// Sends `request` with the user's password itself, which the registry's own interfaces want beside the distribution API. It is shown only where
    /// the registry sees it anyway, because it gives its tokens itself; others, and callers without one, go without.
    pub(crate) async fn send_with_password(&self, request: Request) -> Result<Response> {
        let takes_passwords = match self.wants() {
            Wants::Login(plan) => match plan.as_ref() {
                Plan::Basic => true,
                Plan::Bearer(service) => service.realm.origin() == self.base.origin(),
            },
            Wants::Unknown | Wants::Nothing => false,
        };
        let who = self.credentials(&Scope::none()).await?;
        let request = match who.kind() {
            CredentialKind::Basic { username, password } if takes_passwords => {
                request.with_header(AUTHORIZATION, basic(username, password)?)
            }
            _ => request,
        };
        self.http.send(request.with_redirects(Redirects::SameOrigin)).await
    }

    /// When the tokens that are held end; none where there are none.
    pub(crate) fn token_expiry(&self) -> Option<SystemTime> {
        self.tokens.expiry()
    }

    /// What of `scope` a token that is asked for now does not allow, by its own word; none where there is no token, or one that does not say.
    pub(crate) async fn missing(&self, scope: &Scope) -> Result<Option<Scope>> {
        let Some(shown) = self.authorization(scope).await? else { return Ok(None) };
        Ok(claims(&shown.header).and_then(|claims| claims.missing(scope)))
    }

    /// Whether the token service gave a token for nobody to who named a user: some do so where the password is wrong (Harbor).
    pub(crate) async fn is_taken_for_nobody(&self, scope: &Scope) -> Result<bool> {
        let Some(shown) = self.authorization(scope).await? else { return Ok(false) };
        Ok(shown.token != Shows::Credentials && is_nobodys(&shown.header, &shown.who))
    }

    /// The caller's credentials, for whatever `scope` is about first.
    pub(crate) async fn credentials(&self, scope: &Scope) -> Result<Credentials> {
        let repository = scope.first_repository();
        let found = self.source.credentials(&self.audience(repository.as_ref())).await?;
        Ok(found.unwrap_or(Credentials::ANONYMOUS))
    }

    /// Sends `request` with what is known for `scope`, and takes whatever answer comes: for a courtesy that must not cost a login.
    pub(crate) async fn send_once(&self, scope: &Scope, request: Request) -> Result<Response> {
        let shown = self.authorization(scope).await?;
        self.http.send(self.authorized(request, shown.as_ref())).await
    }

    /// What to show for `scope`, as far as is known.
    async fn authorization(&self, scope: &Scope) -> Result<Option<Shown>> {
        let Wants::Login(plan) = self.wants() else { return Ok(None) };
        let mut who = self.credentials(scope).await?;
        let mut token = Shows::Credentials;
        let header = match (plan.as_ref(), who.kind()) {
            (_, CredentialKind::Bearer(token)) => bearer(token.expose()).ok_or_else(|| {
                let error = "the token given for the registry has line breaks in it";
                Error::new(ErrorKind::InvalidInput, error).with_context("registry", &self.host)
            })?,
            (Plan::Basic, CredentialKind::Anonymous) => return Ok(None),
            (Plan::Basic, CredentialKind::Basic { username, password }) => basic(username, password)?,
            (Plan::Basic, CredentialKind::Identity { username, token }) => {
                basic(username.as_deref().unwrap_or_default(), token)?
            }
            (Plan::Bearer(service), _) => {
                let mut result = self.tokens.get(&self.http, service, scope, &who).await;
                let refused = |error: &Error| error.reason() == Some(Reason::CredentialsRefused);
                if result.as_ref().is_err_and(refused) && self.has_others(scope, &who).await? {
                    who = self.credentials(scope).await?;
                    result = self.tokens.get(&self.http, service, scope, &who).await;
                }
                let (found, is_new) = result.map_err(|error| {
                    self.searched(accuse(error, &who)).with_context("registry", &self.host)
                })?;
                token = if is_new { Shows::NewToken } else { Shows::KnownToken };
                found.header
            }
        };
        Ok(Some(Shown { header, who, token }))
    }

    /// Whether whoever gave the refused credentials has others now.
    async fn has_others(&self, scope: &Scope, refused: &Credentials) -> Result<bool> {
        let repository = scope.first_repository();
        self.source.refused(&self.audience(repository.as_ref()), refused);
        Ok(self.credentials(scope).await?.kind() != refused.kind())
    }

    /// Passes an answer on, unless it asks for a login or says that the token it was shown is over. Not all say that with a 401.
    async fn judge(
        &self,
        mut response: Response,
        shown: Option<&Shown>,
        is_head: bool,
    ) -> Result<Response, Response> {
        match response.status() {
            StatusCode::UNAUTHORIZED => Err(response),
            StatusCode::BAD_REQUEST | StatusCode::FORBIDDEN
                if shown.is_some_and(|shown| shown.token != Shows::NewToken) && !response.left_origin() =>
            {
                if is_head {
                    // Without a body nobody knows; a GET follows from those who need to.
                    return Ok(response);
                }
                if says_token_ended(&response.peek().await) { Err(response) } else { Ok(response) }
            }
            _ => Ok(response),
        }
    }

    /// `request` with what is shown. Nobody but the registry itself is shown anything, whatever address a caller was talked into.
    fn authorized(&self, request: Request, shown: Option<&Shown>) -> Request {
        match shown.filter(|_| request.url.origin() == self.base.origin()) {
            Some(shown) => request.with_header(AUTHORIZATION, shown.header.clone()),
            None => request,
        }
    }

    /// Learns what a refusal asks for, and gives the scope that it names.
    fn read_challenge(&self, response: &Response, shown: Option<&Shown>) -> Result<Asked> {
        let nothing = || Asked { scope: Scope::none(), moved: None };
        let may_be_plain = |url: &Url| self.http.allows_plain_http(url);
        let with_token = shown.is_some_and(|shown| shown.token != Shows::Credentials);
        match Plan::read(&self.base, response.headers(), may_be_plain) {
            // Who was shown a token and now wants a password has its reasons (Harbor). It gets a new token: the password is for its
            // token service alone.
            Ok((Plan::Basic, _)) if with_token => Ok(nothing()),
            // Nor is what was told to a stranger doubted for what is told to a token that has ended: nvcr.io sends those elsewhere.
            Ok((plan, scope)) if with_token && self.knows_other(&plan) => {
                Ok(Asked { scope, moved: Some(plan) })
            }
            Ok((plan, scope)) => {
                self.learn(|_| true, Wants::Login(Arc::new(plan)));
                Ok(Asked { scope, moved: None })
            }
            // Some registries explain themselves only to strangers; what they want is known then.
            Err(_) if shown.is_some() && Plan::is_absent(response.headers()) => Ok(nothing()),
            Err(error) => Err(response.explain(error).with_context("registry", &self.host)),
        }
    }

    fn knows_other(&self, plan: &Plan) -> bool {
        matches!(self.wants(), Wants::Login(known) if *known != *plan)
    }

    /// Goes to another token service from now on. Once in a request is enough: the answer is that there is no next time.
    fn follow(&self, plan: Plan) -> bool {
        self.learn(|_| true, Wants::Login(Arc::new(plan)));
        false
    }

    fn audience<'a>(&'a self, repository: Option<&'a crate::name::RepositoryName>) -> Audience<'a> {
        let audience = Audience::new(&self.host);
        repository.map_or(audience, |repository| audience.with_repository(repository))
    }

    fn wants(&self) -> Wants {
        self.wants.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn learn(&self, when: impl Fn(&Wants) -> bool, new: Wants) {
        let mut wants = self.wants.lock().unwrap_or_else(PoisonError::into_inner);
        if when(&wants) {
            *wants = new;
        }
    }
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authenticator({})", self.host)
    }
}

#[cfg(test)]
mod tests {
    use oci_chart_testkit::Registry;

    use super::*;
    use crate::{auth::StaticCredentials, http::ConnectionOptions};

    #[test]
    fn nobody_but_the_registry_is_shown_anything() {
        let start = || Registry::builder().basic_auth("robot", "hunter2").start_blocking().unwrap();
        let (registry, other) = (start(), start());
        let host = Host::parse(registry.host()).unwrap();
        let source = StaticCredentials::default().with(host.clone(), Credentials::basic("robot", "hunter2"));
        let options = ConnectionOptions::default().with_plain_http(host.clone());
        let http = Arc::new(HttpClient::new(options).unwrap());
        let base = |registry: &Registry| Url::parse(&format!("{}/v2/", registry.url())).unwrap();
        let authenticator = Authenticator::new(host, base(&registry), http, Arc::new(source));
        let ask = |url: Url| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime
                .block_on(authenticator.send(&Scope::none(), &|| Ok(Request::new(Method::GET, url.clone()))))
        };
        assert!(ask(base(&registry)).unwrap().status().is_success());
        // Whoever talked a caller into this address learns nothing by it.
        assert!(ask(base(&other)).is_err());
        assert!(registry.log().entries().last().unwrap().authorization.is_some());
        assert!(other.log().entries().iter().all(|exchange| exchange.authorization.is_none()));
    }
}
