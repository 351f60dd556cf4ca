//! The token server: opaque bearer tokens with scopes and a lifetime, and an audit of what was asked for.
//!
//! It follows the distribution project's token specification: GET with `service` and `scope` parameters and basic
//! credentials, or a form POST with a password or a refresh token.

mod bearer;
mod jwt;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::header::AUTHORIZATION;
use hyper::{HeaderMap, StatusCode};
use serde_json::{Value, json};

pub use self::bearer::{Access, Bearer, TokenField};
pub use self::jwt::Signer;
use crate::log::locked;
use crate::registry::answer::Reply;
use crate::registry::digest::{Algorithm, Digest};
use crate::registry::query::Query;

/// One request that the token server answered.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TokenRequest {
    /// `GET` or `POST`.
    pub method: String,
    /// `password`, `refresh_token` or, for GET, empty.
    pub grant: String,
    /// The user whose credentials were right.
    pub user: Option<String>,
    /// The `service` parameter.
    pub service: Option<String>,
    /// Each scope as requested, in order; the space-joined form is split.
    pub scopes: Vec<String>,
    /// What the token allows, `repository:name:action` one by one.
    pub granted: Vec<String>,
    /// Status of the answer.
    pub status: u16,
}

/// Tokens given out and the audit of their requests. Cheap to clone; clones share the state.
#[derive(Clone, Debug, Default)]
pub struct Tokens(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    issued: HashMap<String, Grant>,
    refresh: HashMap<String, String>,
    audit: Vec<TokenRequest>,
    serial: u64,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("issued", &self.issued.len())
            .field("audit", &self.audit)
            .finish_non_exhaustive()
    }
}

struct Grant {
    until: Instant,
    actions: Vec<String>,
}

/// What a presented token is worth.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Worth {
    Enough,
    /// Known and alive, but for other scopes.
    TooLittle,
    Invalid,
}

impl Tokens {
    /// All token requests so far, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<TokenRequest> {
        locked(&self.0).audit.clone()
    }

    /// Makes every token given out so far invalid, as if it had expired.
    pub fn revoke_all(&self) {
        locked(&self.0).issued.clear();
    }

    pub(crate) fn worth(&self, token: &str, needed: &[String]) -> Worth {
        let state = locked(&self.0);
        match state.issued.get(token) {
            Some(grant) if grant.until > Instant::now() => {
                let covered = |need: &String| grant.actions.iter().any(|action| covers(action, need));
                if needed.iter().all(covered) { Worth::Enough } else { Worth::TooLittle }
            }
            _ => Worth::Invalid,
        }
    }

    /// Answers a token request. `form` is the query of a GET or the body of a POST; a `lenient` service takes wrong credentials
    /// for nobody's, where it is asked for a scope; nobody gets a right to what `exists` denies.
    pub(crate) fn answer(
        &self,
        bearer: &Bearer,
        method: &str,
        headers: &HeaderMap,
        form: &Query,
        lenient: bool,
        exists: impl Fn(&Access<'_>) -> bool,
    ) -> Reply {
        let grant = if method == "POST" { form.first("grant_type").unwrap_or_default() } else { "" };
        let mut state = locked(&self.0);
        let user = match (method, grant) {
            ("GET", _) => basic_credentials(headers),
            ("POST", "password") => form.first("username").zip(form.first("password")).map(owned),
            ("POST", "refresh_token") => {
                let shown = form.first("refresh_token");
                let first = bearer.identity.as_deref().filter(|identity| shown == Some(*identity));
                let known = shown.and_then(|token| state.refresh.get(token)).cloned();
                let known = known.or_else(|| first.map(|_| bearer.user.clone()));
                Some((known.unwrap_or_default(), bearer.password.clone()))
            }
            _ => None,
        };
        // Where an identity token stands in for the password, any name will do.
        let user = match (user, &bearer.identity) {
            (Some((_, password)), Some(own)) if password == *own => {
                Some((bearer.user.clone(), bearer.password.clone()))
            }
            (user, _) => user,
        };
        let right =
            |(user, password): &(String, String)| *user == bearer.user && *password == bearer.password;
        let mut request = TokenRequest {
            method: method.to_owned(),
            grant: grant.to_owned(),
            user: user.as_ref().filter(|pair| right(pair)).map(|(user, _)| user.clone()),
            service: form.first("service").map(str::to_owned),
            scopes: form.all("scope").flat_map(str::split_whitespace).map(str::to_owned).collect(),
            granted: Vec::new(),
            status: 200,
        };
        let reply = if method == "POST" && !bearer.oauth {
            refused(StatusCode::NOT_FOUND, "no OAuth2 endpoint here")
        } else if lenient && request.user.is_none() && request.scopes.is_empty() {
            Reply::new(StatusCode::UNAUTHORIZED)
        } else if user.is_some() && request.user.is_none() && !lenient {
            refused(StatusCode::UNAUTHORIZED, "incorrect username or password")
        } else {
            let scopes = if bearer.first_scope_only { 1 } else { usize::MAX };
            let asked = request.scopes.iter().take(scopes);
            request.granted = granted(bearer, request.user.as_deref(), asked, exists);
            state.issue(bearer, &request, form)
        };
        request.status = reply.status.as_u16();
        state.audit.push(request);
        reply
    }
}

impl State {
    fn issue(&mut self, bearer: &Bearer, request: &TokenRequest, form: &Query) -> Reply {
        self.serial += 1;
        let secret = |kind: &str| {
            Digest::of(Algorithm::Sha256, format!("{kind} {}", self.serial).as_bytes()).to_string()
        };
        let signed = bearer.signer.as_ref().and_then(|signer| {
            let service = request.service.as_deref().unwrap_or(&bearer.service);
            signer.token(service, request.user.as_deref(), &request.granted, bearer.lifetime, self.serial)
        });
        let (token, refresh) = (signed.unwrap_or_else(|| secret("access")), secret("refresh"));
        let mut answer = serde_json::Map::new();
        let mut put = |key: &str, value: Value| answer.insert(key.to_owned(), value);
        if matches!(bearer.field, TokenField::Token | TokenField::Both | TokenField::TokenAndEmptyAccess) {
            put("token", json!(token));
        }
        if bearer.field == TokenField::TokenAndEmptyAccess {
            put("access_token", json!(""));
        }
        if matches!(bearer.field, TokenField::AccessToken | TokenField::Both) {
            put("access_token", json!(token));
        }
        if let Some(seconds) = bearer.announced {
            put("expires_in", json!(seconds));
        }
        let offline =
            form.first("offline_token") == Some("true") || form.first("access_type") == Some("offline");
        if let (Some(user), true) = (&request.user, offline) {
            put("refresh_token", json!(refresh));
            self.refresh.insert(refresh, user.clone());
        }
        let grant = Grant { until: Instant::now() + bearer.lifetime, actions: request.granted.clone() };
        self.issued.insert(token, grant);
        Reply::json(StatusCode::OK, &Value::Object(answer))
    }
}

/// User and password of a `Basic` header.
pub(crate) fn basic_credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    let bytes = STANDARD.decode(encoded.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let text = String::from_utf8(bytes).ok()?;
    text.split_once(':').map(owned)
}

/// The token of a `Bearer` header.
pub(crate) fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn granted<'a>(
    bearer: &Bearer,
    user: Option<&str>,
    scopes: impl Iterator<Item = &'a String>,
    exists: impl Fn(&Access<'_>) -> bool,
) -> Vec<String> {
    let mut all = Vec::new();
    for scope in scopes {
        let Some((kind, rest)) = scope.split_once(':') else { continue };
        let Some((name, actions)) = rest.rsplit_once(':') else { continue };
        for action in actions.split(',') {
            let access = Access { user, kind, name, action };
            if bearer.permits(&access) && exists(&access) {
                all.push(format!("{kind}:{name}:{action}"));
            }
        }
    }
    all
}

/// Whether one granted action covers a needed one; `*` covers all actions on the same thing.
fn covers(granted: &str, needed: &str) -> bool {
    let thing = |text: &str| text.rsplit_once(':').map(|(thing, _)| thing.to_owned());
    granted == needed || (granted.ends_with(":*") && thing(granted) == thing(needed))
}

fn refused(status: StatusCode, why: &str) -> Reply {
    Reply::json(status, &json!({ "details": why }))
}

fn owned((a, b): (&str, &str)) -> (String, String) {
    (a.to_owned(), b.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn star_covers_every_action() {
        assert!(covers("repository:a:*", "repository:a:push"));
        assert!(covers("repository:a:pull", "repository:a:pull"));
        assert!(!covers("repository:a:*", "repository:ab:push"));
        assert!(!covers("repository:a:pull", "repository:a:push"));
    }
}
