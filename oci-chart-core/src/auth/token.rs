use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant, SystemTime},
};

use bytes::Bytes;
use reqwest::{
    Method, StatusCode, Url,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue},
};
use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use super::{CredentialKind, Credentials, Scope, plan::Service};
use crate::{
    error::{Error, ErrorKind, Reason, Result},
    http::{Body, HttpClient, Redirects, Request, Response, wire},
    json,
    redact::Secret,
};

/// The shortest time that a token is good for, and the time where a service names none (distribution, "Token
/// Authentication").
const LEAST: Duration = Duration::from_secs(60);
/// So much before its end a token is not used any more.
const EARLY: Duration = Duration::from_secs(5);
/// What a token service's answer may be long, in bytes.
const ANSWER_BYTES: u64 = 128 << 10;
/// Who asks, as the OAuth2 form has to say.
const CLIENT_ID: &str = "oci-chart";

/// A token in the form in which it is sent.
#[derive(Clone)]
pub(super) struct Token {
    pub(super) header: HeaderValue,
    /// The long-lived token that came along, where one was asked for.
    pub(super) identity: Option<Secret>,
    until: Instant,
}

impl Token {
    pub(super) fn is_fresh(&self) -> bool {
        Instant::now() < self.until
    }

    /// When it is not used any more.
    pub(super) fn expiry(&self) -> SystemTime {
        SystemTime::now() + self.until.saturating_duration_since(Instant::now())
    }
}

#[derive(Deserialize)]
struct Answer {
    token: Option<Zeroizing<String>>,
    access_token: Option<Zeroizing<String>>,
    refresh_token: Option<Zeroizing<String>>,
    // Whatever stands there: a token whose time nobody understands is one with the shortest.
    expires_in: Option<Value>,
    issued_at: Option<Value>,
}

/// Asks `service` for a token over `scope`: with a GET, which every service answers, except that identity tokens are exchanged by OAuth2's
/// POST, as long as the service has it (`no_oauth` remembers that it has not).
pub(super) async fn fetch(
    http: &HttpClient,
    service: &Service,
    scope: &Scope,
    who: &Credentials,
    no_oauth: &AtomicBool,
) -> Result<Token> {
    let (username, password) = match who.kind() {
        CredentialKind::Basic { username, password } => (username.as_str(), password),
        CredentialKind::Identity { username, token } => {
            let mut refusal = None;
            if !no_oauth.load(Ordering::Relaxed) {
                let form = [("grant_type", "refresh_token"), ("refresh_token", token.expose())];
                match post(http, service, scope, &form).await? {
                    Ok(token) => return Ok(token),
                    Err(response) if is_no_answer(response.status()) => {
                        return Err(refused(response, scope, who).await);
                    }
                    Err(response) if matches!(response.status().as_u16(), 404 | 405) => {
                        no_oauth.store(true, Ordering::Relaxed);
                        response.drain().await;
                    }
                    Err(response) => refusal = Some(refused(response, scope, who).await),
                }
            }
            // Without OAuth2 the token stands in for the password, beside whatever name is stored with it.
            let name = username.as_deref().unwrap_or_default();
            let result = get(http, service, scope, who, Some(basic(name, token)?)).await;
            // What the service itself said to the token is the better explanation.
            return result.map_err(|error| refusal.unwrap_or(error));
        }
        CredentialKind::Anonymous | CredentialKind::Bearer(_) => {
            return get(http, service, scope, who, None).await;
        }
    };
    get(http, service, scope, who, Some(basic(username, password)?)).await
}

/// Asks for a token with OAuth2's password grant, which also gives an identity token where the service has them. `None` where the
/// service does not answer this: some know no POST, and refuse it in all ways.
pub(super) async fn password_grant(
    http: &HttpClient,
    service: &Service,
    scope: &Scope,
    username: &str,
    password: &Secret,
) -> Result<Option<Token>> {
    let form = [
        ("grant_type", "password"),
        ("username", username),
        ("password", password.expose()),
        ("access_type", "offline"),
    ];
    match post(http, service, scope, &form).await? {
        Ok(token) => Ok(Some(token)),
        Err(response) => {
            response.drain().await;
            Ok(None)
        }
    }
}

async fn get(
    http: &HttpClient,
    service: &Service,
    scope: &Scope,
    who: &Credentials,
    login: Option<HeaderValue>,
) -> Result<Token> {
    let mut request = patient(http, Request::new(Method::GET, address(service, scope)))
        .with_redirects(Redirects::SameOrigin);
    if let Some(login) = login {
        request = request.with_header(AUTHORIZATION, login);
    }
    let asked = Instant::now();
    let response = http.send(request).await?;
    if !response.status().is_success() {
        return Err(refused(response, scope, who).await);
    }
    read(response, service, scope, asked).await
}

/// Sends the form of an OAuth2 request (distribution, "OAuth2 Token Authentication"); the answer itself where that is no token.
async fn post(
    http: &HttpClient,
    service: &Service,
    scope: &Scope,
    form: &[(&str, &str)],
) -> Result<Result<Token, Response>> {
    let text = with_scope(form, service, scope);
    let request = patient(http, Request::new(Method::POST, service.realm.clone()))
        .with_redirects(Redirects::Report)
        .with_header(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"))
        .with_body(Body::Bytes(Bytes::copy_from_slice(text.as_bytes())));
    let asked = Instant::now();
    let response = http.send(request).await?;
    if !response.status().is_success() {
        return Ok(Err(response));
    }
    read(response, service, scope, asked).await.map(Ok)
}

/// The form with what every OAuth2 request has: who asks, for which service, and all scopes in one field.
fn with_scope(form: &[(&str, &str)], service: &Service, scope: &Scope) -> Zeroizing<String> {
    let scope = scope.to_string();
    let mut fields = form.to_vec();
    fields.push(("client_id", CLIENT_ID));
    fields.extend(service.service.as_deref().map(|service| ("service", service)));
    fields.extend((!scope.is_empty()).then_some(("scope", scope.as_str())));
    form_urlencoded(&fields)
}

/// The bounds under which a token is waited for.
fn patient(http: &HttpClient, request: Request) -> Request {
    request
        .with_whole_answer("answer_bytes", ANSWER_BYTES)
        .with_patience(http.options().token_timeout, Reason::TokenTimeout)
}

async fn read(response: Response, service: &Service, scope: &Scope, asked: Instant) -> Result<Token> {
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
    let answer: Answer = json::object(&bytes).map_err(|_| no_token())?;
    let token = [&answer.access_token, &answer.token].into_iter().flatten().find(|token| !token.is_empty());
    let header = bearer(token.ok_or_else(no_token)?).ok_or_else(no_token)?;
    let until = asked + lifetime(&answer, date).saturating_sub(EARLY);
    let identity = answer.refresh_token.as_ref().filter(|token| !token.is_empty());
    Ok(Token { header, identity: identity.map(|token| token.as_str().into()), until })
}

/// Whether the service fails, instead of saying no.
fn is_no_answer(status: StatusCode) -> bool {
    status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED
        || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT)
}

/// A form (WHATWG URL, "application/x-www-form-urlencoded serializing").
fn form_urlencoded(pairs: &[(&str, &str)]) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::new());
    for (n, (key, value)) in pairs.iter().enumerate() {
        if n > 0 {
            out.push('&');
        }
        encode(&mut out, key);
        out.push('=');
        encode(&mut out, value);
    }
    out
}

fn encode(out: &mut String, text: &str) {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('+'),
            byte if byte.is_ascii_alphanumeric() || b"*-._".contains(&byte) => out.push(byte.into()),
            byte => {
                out.push('%');
                out.extend([byte >> 4, byte & 15].iter().filter_map(|half| DIGITS.get(usize::from(*half))));
            }
        }
    }
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
    let seconds = answer.expires_in.as_ref().and_then(number);
    let whole = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).unwrap_or(LEAST);
    let issued = answer.issued_at.as_ref().and_then(Value::as_str).and_then(wire::rfc3339);
    let age = match (date, issued) {
        (Some(date), Some(issued)) => u64::try_from(date.saturating_sub(issued)).unwrap_or(0),
        _ => 0,
    };
    // A year is for ever here, and an `Instant` cannot hold every sum.
    whole.max(LEAST).saturating_sub(Duration::from_secs(age)).min(Duration::from_secs(31_536_000))
}

/// A number, or one in quotes, as Microsoft's services have written it.
fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())
}

async fn refused(response: Response, scope: &Scope, who: &Credentials) -> Error {
    let error = response.refused().await;
    let error = match error.kind() {
        ErrorKind::RateLimited | ErrorKind::Unavailable | ErrorKind::Timeout => error,
        ErrorKind::PermissionDenied => error.with_reason(Reason::TokenRefused),
        _ if who.is_anonymous() => error
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
    fn a_form_has_all_scopes_in_one_field() {
        let service = Service { realm: Url::parse("https://a/t").unwrap(), service: Some("r".into()) };
        let scope = Scope::parse("repository:b:pull,push repository:a:pull");
        assert_eq!(
            with_scope(&[("grant_type", "refresh_token")], &service, &scope).as_str(),
            "grant_type=refresh_token&client_id=oci-chart&service=r&scope=repository%3Ab%3Apull%2Cpush+repository%3Aa%3Apull"
        );
        let nameless = Service { service: None, ..service };
        assert_eq!(with_scope(&[], &nameless, &Scope::none()).as_str(), "client_id=oci-chart");
    }

    #[test]
    fn a_form_holds_every_character() {
        let form = form_urlencoded(&[("username", "robot$a+b"), ("password", "p&=% ü~*")]);
        assert_eq!(form.as_str(), "username=robot%24a%2Bb&password=p%26%3D%25+%C3%BC%7E*");
    }

    #[test]
    fn lifetimes() {
        let issued = || "1994-11-06T08:49:37Z".into();
        for (expires_in, issued_at, date, seconds) in [
            (Value::Null, Value::Null, None, 60),
            (10.into(), Value::Null, None, 60),
            (300.into(), Value::Null, Some(784_111_777), 300),
            ("3599".into(), Value::Null, None, 3599),
            ("soon".into(), 5.into(), Some(784_111_777), 60),
            (300.5.into(), issued(), Some(784_111_777 + 100), 200),
            (300.into(), issued(), Some(784_111_777 + 1000), 0),
            (300.into(), issued(), Some(784_111_777 - 1000), 300),
            ((-5).into(), Value::Null, None, 60),
            (f64::MAX.into(), Value::Null, None, 60),
            ("NaN".into(), Value::Null, None, 60),
            (1e12.into(), Value::Null, None, 31_536_000),
        ] {
            let (expires_in, issued_at) = (Some(expires_in), Some(issued_at));
            let (token, access_token, refresh_token) = Default::default();
            let answer = Answer { token, access_token, refresh_token, expires_in, issued_at };
            assert_eq!(lifetime(&answer, date).as_secs(), seconds, "{:?} {date:?}", answer.expires_in);
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
