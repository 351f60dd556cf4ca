use std::time::{Duration, Instant};

use reqwest::{
    Method, Url,
    header::{AUTHORIZATION, HeaderValue},
};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{Credentials, Scope, plan::Service};
use crate::{
    error::{Error, ErrorKind, Reason, Result},
    http::{HttpClient, Redirects, Request, Response, wire},
    redact::Secret,
};

/// The shortest time that a token is good for, and the time where a service names none (distribution, "Token
/// Authentication").
const LEAST: Duration = Duration::from_secs(60);
/// So much before its end a token is not used any more.
const EARLY: Duration = Duration::from_secs(5);
/// What a token service's answer may be long, in bytes.
const ANSWER_BYTES: u64 = 128 << 10;

/// A token in the form in which it is sent.
#[derive(Clone)]
pub(super) struct Token {
    pub(super) header: HeaderValue,
    until: Instant,
}

impl Token {
    pub(super) fn is_fresh(&self) -> bool {
        Instant::now() < self.until
    }
}

#[derive(Deserialize)]
struct Answer {
    token: Option<Zeroizing<String>>,
    access_token: Option<Zeroizing<String>>,
    expires_in: Option<f64>,
    issued_at: Option<String>,
}

/// Asks `service` for a token over `scope`.
pub(super) async fn fetch(
    http: &HttpClient,
    service: &Service,
    scope: &Scope,
    who: &Credentials,
) -> Result<Token> {
    let mut request = Request::new(Method::GET, address(service, scope))
        .with_redirects(Redirects::SameOrigin)
        .with_whole_answer("answer_bytes", ANSWER_BYTES)
        .with_patience(http.options().token_timeout, Reason::TokenTimeout);
    if let Credentials::Basic { username, password } = who {
        request = request.with_header(AUTHORIZATION, basic(username, password)?);
    }
    let asked = Instant::now();
    let response = http.send(request).await?;
    if !response.status().is_success() {
        return Err(refused(response, scope, who).await);
    }
    let date = response.header("date").and_then(wire::http_date);
    let explain =
        |error: Error| error.with_context("token service", shown(service)).with_context("scope", scope);
    let no_token = || {
        explain(
            Error::new(ErrorKind::Unauthenticated, "the token service gave no token")
                .with_reason(Reason::TokenRefused),
        )
    };
    let bytes = response.bytes("answer_bytes", ANSWER_BYTES).await.map_err(explain)?;
    let answer: Answer = serde_json::from_slice(&bytes).map_err(|_| no_token())?;
    let token = [&answer.access_token, &answer.token].into_iter().flatten().find(|token| !token.is_empty());
    let header = bearer(token.ok_or_else(no_token)?).ok_or_else(no_token)?;
    Ok(Token { header, until: asked + lifetime(&answer, date).saturating_sub(EARLY) })
}

/// `Authorization` of a user.
pub(super) fn basic(username: &str, password: &Secret) -> Result<HeaderValue> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    if username.contains(':') {
        return Err(Error::new(ErrorKind::InvalidInput, "a user's name cannot have a colon in it"));
    }
    let pair = Zeroizing::new(format!("{username}:{}", password.expose()));
    let encoded = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
    sensitive("Basic", &encoded)
        .ok_or_else(|| Error::new(ErrorKind::Internal, "credentials could not be written into a header"))
}

/// `Authorization` with a token; `None` for one that no header can carry.
pub(super) fn bearer(token: &str) -> Option<HeaderValue> {
    sensitive("Bearer", token)
}

fn sensitive(scheme: &str, secret: &str) -> Option<HeaderValue> {
    let text = Zeroizing::new(format!("{scheme} {secret}"));
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn address(service: &Service, scope: &Scope) -> Url {
    let mut url = service.realm.clone();
    {
        let mut query = url.query_pairs_mut();
        if let Some(service) = &service.service {
            query.append_pair("service", service);
        }
        for text in scope.texts() {
            query.append_pair("scope", &text);
        }
    }
    url
}

/// How long the token is good for from now on. Services that keep tokens hand out old ones: their age is taken off, measured by
/// the service's own clock.
fn lifetime(answer: &Answer, date: Option<i64>) -> Duration {
    let whole =
        answer.expires_in.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).unwrap_or(LEAST);
    let issued = answer.issued_at.as_deref().and_then(wire::rfc3339);
    let age = match (date, issued) {
        (Some(date), Some(issued)) => u64::try_from(date.saturating_sub(issued)).unwrap_or(0),
        _ => 0,
    };
    // A year is for ever here, and an `Instant` cannot hold every sum.
    whole.max(LEAST).saturating_sub(Duration::from_secs(age)).min(Duration::from_secs(31_536_000))
}

async fn refused(response: Response, scope: &Scope, who: &Credentials) -> Error {
    let error = response.refused().await;
    let error = match error.kind() {
        ErrorKind::RateLimited | ErrorKind::Unavailable | ErrorKind::Timeout => error,
        ErrorKind::PermissionDenied => error.with_reason(Reason::TokenRefused),
        _ if *who == Credentials::Anonymous => error
            .with_kind(ErrorKind::Unauthenticated)
            .with_reason(Reason::NoCredentials)
            .with_hint("log in to this registry: it gives nothing to callers without a name"),
        ErrorKind::Unauthenticated => error.with_reason(Reason::CredentialsRefused),
        _ => error.with_kind(ErrorKind::Unauthenticated).with_reason(Reason::TokenRefused),
    };
    error.with_context("scope", scope)
}

fn shown(service: &Service) -> crate::redact::RedactedUrl {
    crate::redact::RedactedUrl::new(service.realm.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_keeps_the_realm_s_query() {
        let service =
            Service { realm: Url::parse("https://a/t?account=x").unwrap(), service: Some("r e".into()) };
        let scope = Scope::parse("repository:b/c:pull,push repository:a:pull");
        assert_eq!(
            address(&service, &scope).as_str(),
            "https://a/t?account=x&service=r+e&scope=repository%3Ab%2Fc%3Apull%2Cpush&scope=repository%3Aa%3Apull"
        );
    }

    #[test]
    fn lifetimes() {
        let issued = || Some("1994-11-06T08:49:37Z".to_owned());
        for (expires_in, issued_at, date, seconds) in [
            (None, None, None, 60),
            (Some(10.0), None, None, 60),
            (Some(300.0), None, Some(784_111_777), 300),
            (Some(300.0), issued(), Some(784_111_777 + 100), 200),
            (Some(300.0), issued(), Some(784_111_777 + 1000), 0),
            (Some(300.0), issued(), Some(784_111_777 - 1000), 300),
            (Some(-5.0), None, None, 60),
            (Some(f64::MAX), None, None, 60),
            (Some(1e12), None, None, 31_536_000),
        ] {
            let answer = Answer { token: None, access_token: None, expires_in, issued_at };
            assert_eq!(lifetime(&answer, date), Duration::from_secs(seconds), "{expires_in:?} {date:?}");
        }
    }

    #[test]
    fn secrets_do_not_show() {
        let header = basic("user", &"pass".into()).unwrap();
        assert_eq!(header.to_str().unwrap(), "Basic dXNlcjpwYXNz");
        assert_eq!(format!("{header:?} {:?}", bearer("t0ken").unwrap()), "Sensitive Sensitive");
        assert!(bearer("to\nken").is_none() && basic("u:x", &"p".into()).is_err());
    }
}
