//! Who may do what: basic credentials, or a token with the right scopes.

use hyper::StatusCode;
use hyper::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use serde_json::json;

use super::answer::{ApiError, Refusal};
use super::exchange::Call;
use super::route::Route;
use crate::options::Auth;
use crate::token::{Worth, basic_credentials, bearer_token};

/// Lets the call pass, or refuses it with 401 and a challenge.
pub(crate) fn check(call: &Call<'_>, route: &Route) -> Result<(), Refusal> {
    match &call.state.options.auth {
        Auth::None => Ok(()),
        Auth::Basic { user, password } => {
            let right = basic_credentials(&call.headers).is_some_and(|(u, p)| u == *user && p == *password);
            if right { Ok(()) } else { Err(challenge("Basic realm=\"testkit\"").into()) }
        }
        Auth::Bearer(bearer) => {
            let scopes = scopes(call, route);
            let needed: Vec<String> = scopes.iter().flat_map(Scope::single).collect();
            let worth = bearer_token(&call.headers).map(|token| call.state.tokens.worth(token, &needed));
            let error = match worth {
                Some(Worth::Enough) => return Ok(()),
                Some(Worth::TooLittle) => ",error=\"insufficient_scope\"",
                Some(Worth::Invalid) => ",error=\"invalid_token\"",
                None if call.headers.contains_key(AUTHORIZATION) => ",error=\"invalid_token\"",
                None => "",
            };
            let scope: Vec<_> = scopes.iter().map(Scope::text).collect();
            let scope =
                if scope.is_empty() { String::new() } else { format!(",scope=\"{}\"", scope.join(" ")) };
            let (realm, service) = (&call.state.origins.token, &bearer.service);
            Err(challenge(&format!("Bearer realm=\"{realm}\",service=\"{service}\"{scope}{error}"))
                .detail(json!(needed))
                .into())
        }
    }
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
    ApiError::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "authentication required")
        .header(WWW_AUTHENTICATE, value)
}
