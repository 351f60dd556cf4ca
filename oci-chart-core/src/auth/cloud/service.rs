use std::time::Duration;

use bytes::Bytes;
use reqwest::{
    Method, StatusCode, Url,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use serde::{Deserialize, de::DeserializeOwned};
use zeroize::Zeroizing;

use super::CloudOptions;
use crate::{
    error::{Error, ErrorKind, Reason, Result},
    http::{
        Body, ConnectionOptions, HttpClient, ProxyOptions, Redirects, Repeat, Request, RetryOptions, wire,
    },
    json,
    redact::RedactedUrl,
};

/// What a cloud's answer may be long, in bytes.
const ANSWER_BYTES: u64 = 128 << 10;
/// What of a cloud's own words is passed on, in characters. Some repeat the whole request behind their first sentence, with its token.
const MOST_WORDS: usize = 240;
/// AWS refuses what was signed by a clock further off than this.
const CLOCK_SECONDS: u64 = 300;

/// Asks the clouds' services.
pub(super) struct Service {
    far: HttpClient,
    near: HttpClient,
}

/// An answer of a service.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    body: Bytes,
    url: Url,
}

impl Service {
    pub(super) fn new(options: &CloudOptions) -> Result<Self> {
        let mut near = options.connection.clone();
        near.connect_timeout = options.metadata_timeout;
        near.idle_timeout = options.metadata_timeout;
        // Nobody in between may answer for this machine, and where there is no such service, asking again finds none either.
        near.proxy = ProxyOptions::direct();
        near.retry = RetryOptions::never();
        Ok(Self { far: HttpClient::new(options.connection.clone())?, near: HttpClient::new(near)? })
    }

    pub(super) fn options(&self) -> &ConnectionOptions {
        self.far.options()
    }

    /// Asks a service of the cloud. The answer may have any status; a redirect is none.
    pub(super) async fn ask(&self, request: Request) -> Result<Answer> {
        let patience = self.options().token_timeout;
        // Asking twice for a login is asking once.
        let request = request.with_repeat(Repeat::Always).with_patience(patience, Reason::TokenTimeout);
        Self::send(&self.far, request).await
    }

    /// Asks the machine's own metadata service; `None` where there is none.
    pub(super) async fn ask_near(&self, request: Request) -> Result<Option<Answer>> {
        match Self::send(&self.near, request).await {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if matches!(error.kind(), ErrorKind::Network | ErrorKind::Timeout) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn send(http: &HttpClient, request: Request) -> Result<Answer> {
        let url = request.url.clone();
        let response = http.send(request.with_redirects(Redirects::Report)).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes("answer_bytes", ANSWER_BYTES).await?;
        Ok(Answer { status, headers, body, url })
    }
}

impl Answer {
    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap_or_default()
    }

    /// The body of a success; `who` says whose it should be.
    pub(super) fn json<T: DeserializeOwned>(&self, who: &'static str) -> Result<T> {
        if !self.status.is_success() {
            return Err(self.refused(who));
        }
        json::object(&self.body).map_err(|_| self.malformed(who))
    }

    /// The error of a service that does not give what it should.
    pub(super) fn refused(&self, who: &'static str) -> Error {
        let told = Told::read(self.text());
        let mut message = format!("{who} answered {}", self.status.as_u16());
        for part in [&told.code, &told.words] {
            if !part.is_empty() {
                message = format!("{message}: {part}");
            }
        }
        let kind = match self.status.as_u16() {
            429 => ErrorKind::RateLimited,
            403 => ErrorKind::PermissionDenied,
            500..=599 => ErrorKind::Unavailable,
            _ => ErrorKind::Unauthenticated,
        };
        let error = self.explain(Error::new(kind, message).with_reason(Reason::TokenRefused));
        let error = error.with_retryable(matches!(kind, ErrorKind::RateLimited | ErrorKind::Unavailable));
        match self.clock_is_off() {
            Some(seconds) => error.with_hint(format!(
                "this machine's clock is {seconds} seconds off, and the cloud looks at it"
            )),
            None => error.with_hint("check the identity that is shown to the cloud, and what it may do"),
        }
    }

    /// The error of an answer that is not what it should be.
    pub(super) fn malformed(&self, who: &'static str) -> Error {
        let message = format!("{who} answered with something else than a login");
        self.explain(Error::new(ErrorKind::Protocol, message).with_reason(Reason::MalformedAnswer))
    }

    fn explain(&self, error: Error) -> Error {
        let error = error.with_context("url", RedactedUrl::new(self.url.as_str()));
        let error = error.with_context("status", self.status.as_u16());
        match ["x-amzn-requestid", "x-ms-request-id"].iter().find_map(|name| self.header(name)) {
            Some(id) => error.with_context("request id", id),
            None => error,
        }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    fn clock_is_off(&self) -> Option<u64> {
        let theirs = wire::http_date(self.header("date")?)?;
        let ours = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).ok()?.as_secs();
        Some(theirs.abs_diff(i64::try_from(ours).ok()?)).filter(|seconds| *seconds > CLOCK_SECONDS)
    }
}

/// What services say when they refuse: AWS in JSON and XML, OAuth2 servers (RFC 6749, 5.2), Azure's metadata service.
#[derive(Default)]
struct Told {
    code: String,
    words: String,
}

#[derive(Deserialize, Default)]
struct RawTold {
    #[serde(rename = "__type", alias = "code", alias = "Code")]
    kind: Option<String>,
    error: Option<serde_json::Value>,
    error_description: Option<String>,
    #[serde(alias = "Message")]
    message: Option<String>,
}

impl Told {
    fn read(text: &str) -> Self {
        let raw: RawTold = json::object(text.as_bytes()).unwrap_or_default();
        let error = raw.error.as_ref().and_then(serde_json::Value::as_str).map(str::to_owned);
        let code = raw.kind.or(error).or_else(|| element(text, "Code").map(str::to_owned));
        let words =
            raw.message.or(raw.error_description).or_else(|| element(text, "Message").map(str::to_owned));
        let code = code.unwrap_or_default();
        // `com.amazonaws.ecr#AccessDenied` and the like.
        let code = code.rsplit('#').next().unwrap_or_default();
        Self { code: shown(code), words: shown(&words.unwrap_or_default()) }
    }
}

/// The text of the first XML element of this name.
pub(super) fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    Some(rest.split_once("</")?.0)
}

fn shown(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    line.chars().filter(|letter| !letter.is_control()).take(MOST_WORDS).collect()
}

/// A GET with these headers.
pub(super) fn get(url: Url, headers: &[(&'static str, &str)]) -> Result<Request> {
    with_headers(Request::new(Method::GET, url), headers)
}

/// A POST of a form.
pub(super) fn post_form(
    url: Url,
    pairs: &[(&str, &str)],
    headers: &[(&'static str, &str)],
) -> Result<Request> {
    let mut form = Zeroizing::new(String::new());
    for (n, (name, value)) in pairs.iter().enumerate() {
        form.push_str(if n == 0 { "" } else { "&" });
        encode(&mut form, name);
        form.push('=');
        encode(&mut form, value);
    }
    let request = Request::new(Method::POST, url)
        .with_header(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"))
        .with_body(Body::Bytes(Bytes::copy_from_slice(form.as_bytes())));
    with_headers(request, headers)
}

/// `request` with these headers, whose values are kept out of every log.
pub(super) fn with_headers(mut request: Request, headers: &[(&'static str, &str)]) -> Result<Request> {
    for (name, value) in headers {
        let mut value = HeaderValue::from_str(value).map_err(|_| {
            Error::new(ErrorKind::InvalidInput, "a key or token for the cloud has line breaks in it")
                .with_context("header", name)
        })?;
        value.set_sensitive(true);
        request = request.with_header(HeaderName::from_static(name), value);
    }
    Ok(request)
}

fn encode(into: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => into.push(byte.into()),
            _ => into.push_str(&format!("%{byte:02X}")),
        }
    }
}

/// The address of a service. Secrets go there, so it is https, or an address that nobody else sees.
pub(super) fn endpoint(text: &str, named_by: &'static str) -> Result<Url> {
    let error = |why: &'static str| {
        Error::new(ErrorKind::InvalidInput, why)
            .with_context("url", RedactedUrl::new(text))
            .with_context("named by", named_by)
            .with_hint(
                "give an https URL; plain HTTP is for addresses of this machine and its metadata service",
            )
    };
    let url = Url::parse(text).map_err(|_| error("the address of a cloud's service is no URL"))?;
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_near(&url) => Ok(url),
        _ => Err(error("a cloud's service is only asked over https")),
    }
}

/// Whether this is the machine itself, or an address that ends at its host: link-local ones, and those that AWS gives its agents.
fn is_near(url: &Url) -> bool {
    use std::net::IpAddr;

    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    if matches!(host, "localhost" | "metadata.google.internal") {
        return true;
    }
    match host.parse() {
        Ok(IpAddr::V4(ip)) => ip.is_loopback() || ip.is_link_local(),
        Ok(IpAddr::V6(ip)) => {
            ip.is_loopback() || ip.is_unicast_link_local() || ip.segments().starts_with(&[0xfd00, 0xec2])
        }
        Err(_) => false,
    }
}

/// Seconds from now on, as an answer tells them; services disagree whether that is a number.
pub(super) fn seconds(value: &serde_json::Value) -> Option<Duration> {
    let number = value.as_f64().or_else(|| value.as_str()?.parse().ok())?;
    Duration::try_from_secs_f64(number).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_secrets_may_go() {
        for (url, fine) in [
            ("https://sts.eu-west-1.amazonaws.com", true),
            ("http://127.0.0.1:8080/x", true),
            ("http://localhost/x", true),
            ("http://169.254.169.254/", true),
            ("http://169.254.170.23/v1/credentials", true),
            ("http://[fd00:ec2::254]/", true),
            ("http://[fe80::a9fe:a9fe]/", true),
            ("http://metadata.google.internal", true),
            ("http://10.0.0.1/", false),
            ("http://[fd00:ec3::254]/", false),
            ("http://sts.amazonaws.com/", false),
            ("http://169.254.169.254.evil.example/", false),
            ("file:///etc/passwd", false),
            ("not a url", false),
        ] {
            assert_eq!(endpoint(url, "test").is_ok(), fine, "{url}");
        }
    }

    #[test]
    fn what_services_say_is_passed_on_in_one_line() {
        let long = format!("{{\"message\": \"{}\"}}", "x".repeat(1000));
        for (text, code, words) in [
            (
                r#"{"__type":"com.amazonaws.ecr#AccessDeniedException","message":"no"}"#,
                "AccessDeniedException",
                "no",
            ),
            (r#"{"__type":"X","Message":"first\n\nThe Canonical String was TOKEN"}"#, "X", "first"),
            (
                r#"{"error":"invalid_grant","error_description":"expired\r\nTrace"}"#,
                "invalid_grant",
                "expired",
            ),
            ("<E><Error><Code>Denied</Code><Message>not you</Message></Error></E>", "Denied", "not you"),
            ("<html>", "", ""),
            ("", "", ""),
            (&long, "", &"x".repeat(MOST_WORDS)),
        ] {
            let told = Told::read(text);
            assert_eq!((told.code.as_str(), told.words.as_str()), (code, words), "{text:.60}");
        }
    }

    #[test]
    fn forms_are_encoded() {
        let url = Url::parse("https://h/").unwrap();
        let request = post_form(url, &[("a b", "ü&="), ("c", "")], &[]).unwrap();
        let Body::Bytes(bytes) = request.body else { panic!("no bytes") };
        assert_eq!(bytes, "a%20b=%C3%BC%26%3D&c=");
    }
}
