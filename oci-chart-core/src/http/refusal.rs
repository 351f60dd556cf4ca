use reqwest::{StatusCode, Url, header::HeaderMap};

use super::{
    failure::{self, tls_expected},
    retry::is_transient,
    wire::{ErrorBody, retry_after},
};
use crate::error::{Error, ErrorKind, Reason};

/// Headers that name a request for the people who run the server.
const REQUEST_IDS: [&str; 4] = ["x-request-id", "x-amzn-requestid", "x-ms-request-id", "x-github-request-id"];

/// The error of an answer whose status is not a success.
pub(super) fn error(status: StatusCode, headers: &HeaderMap, body: &[u8], url: &Url) -> Error {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
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
    let (kind, reason) = meaning(status, &told);
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
    if let Some(wait) = header("retry-after").and_then(|value| retry_after(value, header("date"))) {
        error = error.with_context("retry after seconds", wait.as_secs()).with_retry_after(wait);
    }
    if let Some(hint) = hint(kind, reason) {
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

/// Codes say more than the status where both are clear (distribution spec, "Error Codes"); unknown ones change nothing.
fn meaning(status: StatusCode, told: &ErrorBody) -> (ErrorKind, Option<Reason>) {
    if status.is_client_error() {
        for (code, kind, reason) in [
            ("BLOB_UNKNOWN", ErrorKind::NotFound, Some(Reason::BlobMissing)),
            ("MANIFEST_BLOB_UNKNOWN", ErrorKind::NotFound, Some(Reason::BlobMissing)),
            ("MANIFEST_UNKNOWN", ErrorKind::NotFound, Some(Reason::ManifestMissing)),
            ("NAME_UNKNOWN", ErrorKind::NotFound, Some(Reason::RepositoryMissing)),
            ("DIGEST_INVALID", ErrorKind::DigestMismatch, None),
            ("SIZE_INVALID", ErrorKind::DigestMismatch, Some(Reason::SizeMismatch)),
            ("MANIFEST_INVALID", ErrorKind::InvalidManifest, None),
            ("NAME_INVALID", ErrorKind::InvalidReference, None),
            ("TAG_INVALID", ErrorKind::InvalidReference, None),
            ("TOOMANYREQUESTS", ErrorKind::RateLimited, None),
            // Harbor's answer (412) for what may not be pulled: not signed yet, or with vulnerabilities.
            ("PROJECTPOLICYVIOLATION", ErrorKind::PermissionDenied, None),
        ] {
            if told.has(code) {
                return (kind, reason);
            }
        }
    }
    match status.as_u16() {
        401 => (ErrorKind::Unauthenticated, Some(Reason::CredentialsRefused)),
        403 => (ErrorKind::PermissionDenied, None),
        404 | 410 => (ErrorKind::NotFound, None),
        407 => (ErrorKind::Unauthenticated, Some(Reason::ProxyLogin)),
        405 | 501 => (ErrorKind::Unsupported, Some(Reason::OperationUnsupported)),
        408 => (ErrorKind::Timeout, None),
        409 | 412 => (ErrorKind::Conflict, None),
        413 => (ErrorKind::LimitExceeded, Some(Reason::DocumentTooLarge)),
        429 => (ErrorKind::RateLimited, None),
        400 if told.has("UNSUPPORTED") => (ErrorKind::Unsupported, Some(Reason::OperationUnsupported)),
        507 => (ErrorKind::QuotaExceeded, None),
        // 499: a proxy in front of the registry lost its patience, or its client.
        499..=599 => (ErrorKind::Unavailable, None),
        _ => (ErrorKind::Protocol, Some(Reason::MalformedAnswer)),
    }
}

fn hint(kind: ErrorKind, reason: Option<Reason>) -> Option<&'static str> {
    Some(match (kind, reason) {
        (_, Some(Reason::RepositoryMissing)) => {
            "check the repository's name; some registries want it, or its project, to be created first"
        }
        (_, Some(Reason::ProxyLogin)) => failure::PROXY_LOGIN,
        (ErrorKind::Unauthenticated, _) => {
            "check the user and password, or token, for this registry; some registries answer the same where the project does not exist"
        }
        (ErrorKind::PermissionDenied, _) => "these credentials may not do this in this repository",
        (ErrorKind::RateLimited, _) => "wait before the next try, or log in: many registries allow more then",
        (ErrorKind::LimitExceeded, _) => {
            "the registry, or a proxy in front of it, takes only smaller requests"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, headers: &[(&'static str, &str)], body: &str) -> Error {
        let headers =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        let url = Url::parse("http://h/v2/").unwrap();
        error(StatusCode::from_u16(status).unwrap(), &headers, body.as_bytes(), &url)
    }

    #[test]
    fn statuses_and_codes_become_kinds() {
        let code = |code: &str| format!(r#"{{"errors":[{{"code":"{code}","message":"m"}}]}}"#);
        for (status, body, kind, reason) in [
            (401, String::new(), ErrorKind::Unauthenticated, Some(Reason::CredentialsRefused)),
            (403, code("DENIED"), ErrorKind::PermissionDenied, None),
            (404, String::new(), ErrorKind::NotFound, None),
            (404, code("NAME_UNKNOWN"), ErrorKind::NotFound, Some(Reason::RepositoryMissing)),
            (404, code("manifest_unknown"), ErrorKind::NotFound, Some(Reason::ManifestMissing)),
            (400, code("MANIFEST_BLOB_UNKNOWN"), ErrorKind::NotFound, Some(Reason::BlobMissing)),
            (400, code("DIGEST_INVALID"), ErrorKind::DigestMismatch, None),
            (400, code("ARTIFACT_LOCKED"), ErrorKind::Protocol, Some(Reason::MalformedAnswer)),
            (400, code("UNSUPPORTED"), ErrorKind::Unsupported, Some(Reason::OperationUnsupported)),
            (405, String::new(), ErrorKind::Unsupported, Some(Reason::OperationUnsupported)),
            (413, "<html>".into(), ErrorKind::LimitExceeded, Some(Reason::DocumentTooLarge)),
            (429, code("TOOMANYREQUESTS"), ErrorKind::RateLimited, None),
            (407, String::new(), ErrorKind::Unauthenticated, Some(Reason::ProxyLogin)),
            (408, String::new(), ErrorKind::Timeout, None),
            (499, String::new(), ErrorKind::Unavailable, None),
            (522, String::new(), ErrorKind::Unavailable, None),
            (503, code("NAME_UNKNOWN"), ErrorKind::Unavailable, None),
            (302, String::new(), ErrorKind::Protocol, Some(Reason::MalformedAnswer)),
        ] {
            let error = read(status, &[], &body);
            assert_eq!((error.kind(), error.reason()), (kind, reason), "{status} {body}");
        }
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
        assert_eq!(error.retry_after(), Some(std::time::Duration::from_secs(7)));
    }

    #[test]
    fn what_passes_by_itself_is_marked() {
        for status in 400..600 {
            let expected = [408, 429, 499, 500, 502, 503, 504, 522].contains(&status);
            assert_eq!(read(status, &[], "").is_retryable(), expected, "{status}");
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
