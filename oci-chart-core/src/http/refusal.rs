mod meaning;

use std::{borrow::Cow, time::Duration};

use reqwest::{StatusCode, Url, header::HeaderMap};

use super::{
    failure::{self, tls_expected},
    retry::is_transient,
    wire::{ErrorBody, retry_after},
};
use crate::error::{Error, ErrorKind, Reason};
use meaning::meaning;

/// Headers that name a request for the people who run the server: Harbor and most others, ECR, ACR, GitHub, GAR, and the
/// network before Docker Hub.
const REQUEST_IDS: [&str; 8] = [
    "x-request-id",
    "x-amzn-requestid",
    "x-ms-correlation-request-id",
    "x-ms-request-id",
    "x-github-request-id",
    "x-guploader-uploadid",
    "x-correlation-id",
    "cf-ray",
];

/// What a header may be long to be shown, in bytes.
const LONGEST_HEADER: usize = 200;

/// The error of an answer whose status is not a success. `writes` tells whether something was to be changed.
pub(super) fn error(status: StatusCode, headers: &HeaderMap, body: &[u8], url: &Url, writes: bool) -> Error {
    let header = |name: &str| {
        let text = headers.get(name).and_then(|value| value.to_str().ok())?;
        Some(text.get(..LONGEST_HEADER).unwrap_or(text))
    };
    let told = ErrorBody::parse(body);
    if status == StatusCode::BAD_REQUEST {
        if url.scheme() == "http" && wants_tls(body) {
            return tls_expected();
        }
        // nginx completes the handshake, and complains in HTTP.
        if says(body, "no required ssl certificate was sent") {
            return failure::client_certificate(false).with_context("status", 400);
        }
        if says(body, "the ssl certificate error") {
            return failure::client_certificate(true).with_context("status", 400);
        }
    }
    let (kind, reason) = meaning(status, &told, writes);
    let mut error = Error::new(kind, message(status, &told)).with_context("status", status.as_u16());
    if let Some(reason) = reason {
        error = error.with_reason(reason);
    }
    let codes = told.codes();
    if !codes.is_empty() {
        error = error.with_context("codes", codes);
    }
    if let Some(id) = REQUEST_IDS.iter().find_map(|name| header(name)) {
        error = error.with_context("request id", id);
    }
    let wait = header("retry-after").and_then(|value| retry_after(value, header("date")));
    if let Some(wait) = wait {
        error = error.with_context("retry after seconds", wait.as_secs()).with_retry_after(wait);
    }
    // Docker Hub: so many in so many seconds (`100;w=21600`).
    for (name, key) in [("ratelimit-limit", "rate limit"), ("ratelimit-remaining", "rate remaining")] {
        if let Some(value) = header(name).filter(|_| kind == ErrorKind::RateLimited) {
            error = error.with_context(key, value);
        }
    }
    if let Some(hint) = hint(kind, reason, wait) {
        error = error.with_hint(hint);
    }
    error.with_retryable(is_transient(status))
}

/// What Go's and nginx's TLS ports answer to plain HTTP.
fn wants_tls(body: &[u8]) -> bool {
    says(body, "http request") && says(body, "https")
}

/// Whether the beginning of `body` has `words`, written in small letters.
fn says(body: &[u8], words: &str) -> bool {
    String::from_utf8_lossy(body.get(..512).unwrap_or(body)).to_ascii_lowercase().contains(words)
}

fn message(status: StatusCode, told: &ErrorBody) -> String {
    let mut message = format!("the registry answered {}", status.as_u16());
    if let Some(words) = status.canonical_reason() {
        message.push(' ');
        message.push_str(words);
    }
    for (n, error) in told.errors.iter().enumerate() {
        message.push_str(if n == 0 { ": " } else { "; " });
        message.push_str(if error.message.is_empty() { &error.code } else { &error.message });
    }
    message
}

/// The next step. Where a registry says how long to wait, so does this.
fn hint(kind: ErrorKind, reason: Option<Reason>, wait: Option<Duration>) -> Option<Cow<'static, str>> {
    let wait = wait.filter(|_| matches!(kind, ErrorKind::RateLimited | ErrorKind::Unavailable));
    if let Some(wait) = wait {
        return Some(Cow::Owned(format!("the registry asks to wait {} seconds", wait.as_secs())));
    }
    Some(Cow::Borrowed(match (kind, reason) {
        (_, Some(Reason::RepositoryMissing)) => {
            "check the repository's name; with charts, the chart's name is its last part"
        }
        (_, Some(Reason::ProxyLogin)) => failure::PROXY_LOGIN,
        (_, Some(Reason::RepositoryNotCreated)) => {
            "this registry makes no repository by a push: create it there first, or have it created on push"
        }
        (_, Some(Reason::ProjectMissing)) => {
            "create the project in the registry first; its name is the first part of the repository's path"
        }
        (_, Some(Reason::TagImmutable)) => {
            "publish under a new version; what is there can be compared by its digest"
        }
        (_, Some(Reason::QuotaReached)) => {
            "delete old versions and have the registry collect its garbage, or have the quota raised"
        }
        (_, Some(Reason::ReadOnly)) => "the registry is being worked on: try again when it takes writes",
        (_, Some(Reason::RegistryPolicy)) => {
            "a rule of the registry's project blocks it: sign the artifact, or look at its vulnerabilities"
        }
        (_, Some(Reason::ServerFull)) => "the registry's disk is full: tell the people who run it",
        (ErrorKind::Unauthenticated, _) => {
            "check the user and password, or token, and that it has the right for this; some registries answer the same where the project does not exist"
        }
        (ErrorKind::PermissionDenied, _) => {
            "log in, or as somebody else: who asks now may not do this in this repository"
        }
        (ErrorKind::LimitExceeded, _) => {
            "the registry, or a proxy in front of it, takes only smaller requests"
        }
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, headers: &[(&'static str, &str)], body: &str) -> Error {
        let headers =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        let url = Url::parse("http://h/v2/").unwrap();
        error(StatusCode::from_u16(status).unwrap(), &headers, body.as_bytes(), &url, false)
    }

    #[test]
    fn the_story_is_told() {
        let body =
            r#"{"errors":[{"code":"DENIED","message":"by policy","detail":{"x":1}},{"code":"NEW_CODE"}]}"#;
        let error = read(403, &[("x-request-id", "r1"), ("retry-after", "7")], body);
        assert_eq!(
            error.to_string(),
            r#"the registry answered 403 Forbidden: by policy: {"x":1}; NEW_CODE (status: 403, codes: DENIED, NEW_CODE, request id: r1, retry after seconds: 7)"#
        );
        assert!(error.hint().is_some() && !error.is_retryable());
        assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    }

    #[test]
    fn what_passes_by_itself_is_marked() {
        for status in 400..600 {
            let expected = [408, 429, 499, 500, 502, 503, 504, 522].contains(&status);
            assert_eq!(read(status, &[], "").is_retryable(), expected, "{status}");
        }
    }

    #[test]
    fn a_rate_limit_says_how_long_to_wait_and_how_much_is_left() {
        let headers =
            [("retry-after", "90"), ("ratelimit-limit", "100;w=21600"), ("ratelimit-remaining", "0;w=21600")];
        let error = read(429, &headers, "");
        assert_eq!((error.kind(), error.reason()), (ErrorKind::RateLimited, Some(Reason::TooManyRequests)));
        assert_eq!(error.hint(), Some("the registry asks to wait 90 seconds"));
        assert_eq!(
            ["retry after seconds", "rate limit", "rate remaining"].map(|key| error.get(key)),
            [Some("90"), Some("100;w=21600"), Some("0;w=21600")]
        );
        assert!(read(404, &headers, "").get("rate limit").is_none());
    }

    #[test]
    fn a_failing_server_is_quoted_with_the_request_s_id() {
        for name in REQUEST_IDS {
            let body = r#"{"errors":[{"code":"UNKNOWN","message":"internal server error"}]}"#;
            let error = read(500, &[(name, "r-42")], body);
            assert_eq!((error.kind(), error.reason()), (ErrorKind::Unavailable, Some(Reason::ServerFault)));
            assert_eq!(
                (error.get("request id"), error.get("codes")),
                (Some("r-42"), Some("UNKNOWN")),
                "{name}"
            );
            assert!(error.message().ends_with("internal server error"));
        }
    }

    #[test]
    fn a_tls_port_is_recognised() {
        for body in [
            "Client sent an HTTP request to an HTTPS server.\n",
            "<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>",
        ] {
            assert_eq!(read(400, &[], body).reason(), Some(Reason::HttpsOnPlainHttp), "{body}");
        }
    }
}
