//! Who may do what: basic credentials, or a token with the right scopes.

use hyper::StatusCode;
use hyper::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use serde_json::json;

use super::answer::{ApiError, Refusal, bad_request};
use super::exchange::Call;
use super::route::Route;
use crate::options::Auth;
use crate::quirk::Quirk;
use crate::token::{Bearer, Worth, basic_credentials, bearer_token};

/// The token service that nobody gets a token of.
pub(super) const OTHER_REALM: &str = "/authn/token";

/// Lets the call pass, or refuses it with 401 and a challenge.
pub(crate) fn check(call: &Call<'_>, route: &Route) -> Result<(), Refusal> {
    if call.target.split('?').next() == Some(OTHER_REALM) && call.state.has(Quirk::OtherRealm) {
        call.bite(Quirk::OtherRealm);
        return Err(unauthorized("", "who are you?").into());
    }
    match &call.state.options.auth {
        Auth::None => Ok(()),
        Auth::Basic { user, password, challenge: wanted } => {
            let right = basic_credentials(&call.headers).is_some_and(|(u, p)| u == *user && p == *password);
            if right { Ok(()) } else { Err(challenge(wanted).into()) }
        }
        Auth::Bearer(bearer) => token(call, route, bearer),
    }
}

fn token(call: &Call<'_>, route: &Route, bearer: &Bearer) -> Result<(), Refusal> {
    let state = call.state;
    let shown = call.headers.contains_key(AUTHORIZATION);
    if let Some(repository) = route.repository().filter(|repository| !state.has_project(repository))
        && shown
        && state.has(Quirk::ProjectIsUnauthorized)
    {
        let project = repository.split('/').next().unwrap_or_default();
        let message = format!("project {project} not found: project {project} not found");
        return Err(unauthorized("", message).into());
    }
    let scopes = scopes(call, route);
    let needed: Vec<String> = scopes.iter().flat_map(Scope::single).collect();
    let worth = match basic_credentials(&call.headers) {
        Some(login) if state.has(Quirk::RightsAreChallenged) => Some(bearer.worth(&login, &needed)),
        _ => bearer_token(&call.headers).map(|token| state.tokens.worth(token, &needed)),
    };
    let error = match worth {
        Some(Worth::Enough) => return Ok(()),
        Some(Worth::TooLittle) if state.has(Quirk::RightsAreChallenged) => {
            let what = scopes.first().map_or("the registry", |scope| &scope.thing);
            let action = scopes.first().and_then(|scope| scope.actions.last()).copied().unwrap_or_default();
            let why = format!("unauthorized to access {what}, action: {action}")
                .replace("repository:", "repository: ");
            return Err(unauthorized("Basic realm=\"harbor\"", format!("{why}: {why}")).into());
        }
        Some(Worth::Invalid) if state.has(Quirk::ExpiredIsBad) => {
            let message = "Your authorization token has expired. Reauthenticate and try again.";
            return Err(bad_request("DENIED", message).into());
        }
        Some(Worth::TooLittle) => {
            if state.has(Quirk::PullOnlyChallenge) {
                call.bite(Quirk::PullOnlyChallenge);
            }
            ",error=\"insufficient_scope\""
        }
        Some(Worth::Invalid) => ",error=\"invalid_token\"",
        None if shown => ",error=\"invalid_token\"",
        None => "",
    };
    let text = |scope: &Scope| match state.has(Quirk::PullOnlyChallenge) {
        true => format!("{}:pull", scope.thing),
        false => scope.text(),
    };
    let scope: Vec<_> = scopes.iter().map(text).collect();
    let scope = if scope.is_empty() { String::new() } else { format!(",scope=\"{}\"", scope.join(" ")) };
    let elsewhere = format!("{}{OTHER_REALM}", state.origins.registry);
    let realm = match &bearer.realm {
        _ if shown && state.has(Quirk::OtherRealm) => &elsewhere,
        Some(realm) => realm,
        None => &state.origins.token,
    };
    let service = &bearer.service;
    Err(challenge(&format!("Bearer realm=\"{realm}\",service=\"{service}\"{scope}{error}"))
        .detail(json!(needed))
        .into())
}

/// `repository:name:pull,push`
struct Scope {
    thing: String,
    actions: &'static [&'static str],
}

impl Scope {
    fn repository(name: &str, actions: &'static [&'static str]) -> Self {
        Self { thing: format!("repository:{name}"), actions }
    }

    fn text(&self) -> String {
        format!("{}:{}", self.thing, self.actions.join(","))
    }

    fn single(&self) -> impl Iterator<Item = String> {
        self.actions.iter().map(|action| format!("{}:{action}", self.thing))
    }
}

fn scopes(call: &Call<'_>, route: &Route) -> Vec<Scope> {
    if *route == Route::Catalog {
        return vec![Scope { thing: "registry:catalog".to_owned(), actions: &["*"] }];
    }
    let Some(repository) = route.repository() else { return Vec::new() };
    let upload = matches!(route, Route::Uploads { .. } | Route::Upload { .. });
    let actions: &[&str] = match call.method.as_str() {
        "DELETE" if upload && call.state.has(Quirk::RightsAreChallenged) => &["delete"],
        _ if upload => &["pull", "push"],
        "GET" | "HEAD" => &["pull"],
        "DELETE" => &["delete"],
        _ => &["pull", "push"],
    };
    let mut scopes = vec![Scope::repository(repository, actions)];
    let source = call.query.first("from").filter(|source| *source != repository);
    if let (Route::Uploads { .. }, Some(source), Some(_)) = (route, source, call.query.first("mount")) {
        scopes.push(Scope::repository(source, &["pull"]));
    }
    scopes
}

fn challenge(value: &str) -> ApiError {
    unauthorized(value, "authentication required")
}

fn unauthorized(challenge: &str, message: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", message).header(WWW_AUTHENTICATE, challenge)
}
