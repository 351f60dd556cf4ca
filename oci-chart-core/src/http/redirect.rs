use std::fmt;

use reqwest::{Method, StatusCode, Url};

use crate::{
    error::{Error, ErrorKind, Reason},
    redact::RedactedUrl,
};

/// How many redirects one request follows.
pub(super) const MOST_REDIRECTS: usize = 10;

/// Why a redirect is not followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RedirectError {
    /// The answer says where to go in no readable way, or not at all.
    NoLocation,
    /// A request that changes something does not move.
    Method(Method),
    /// Neither http nor https.
    Scheme(RedactedUrl),
    /// From https down to http.
    Downgrade(RedactedUrl),
    /// A request that must stay at its origin.
    OtherOrigin(RedactedUrl),
    /// One redirect after another.
    TooMany,
}

/// Whether `status` sends its client elsewhere.
pub(super) fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Where a redirected request goes. From plain HTTP it may go to plain HTTP anywhere: it takes no credentials along, and is as open to
/// everybody on its way as before.
pub(super) fn target(method: &Method, from: &Url, location: Option<&str>) -> Result<Url, RedirectError> {
    if *method != Method::GET && *method != Method::HEAD {
        return Err(RedirectError::Method(method.clone()));
    }
    let to = location.and_then(|location| from.join(location).ok()).ok_or(RedirectError::NoLocation)?;
    let shown = || RedactedUrl::new(to.as_str());
    match (from.scheme(), to.scheme()) {
        ("https", "http") => Err(RedirectError::Downgrade(shown())),
        (_, "http" | "https") => Ok(to),
        _ => Err(RedirectError::Scheme(shown())),
    }
}

impl fmt::Display for RedirectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLocation => f.write_str("a redirect does not say where to"),
            Self::Method(method) => write!(f, "a {method} request is redirected, which is not followed"),
            Self::Scheme(url) => write!(f, "a redirect leads out of HTTP: {url}"),
            Self::Downgrade(url) => {
                write!(f, "a redirect leads from https to plain HTTP: {url}")
            }
            Self::OtherOrigin(url) => write!(f, "a redirect leads to another host: {url}"),
            Self::TooMany => write!(f, "more than {MOST_REDIRECTS} redirects in a row"),
        }
    }
}

impl From<RedirectError> for Error {
    fn from(error: RedirectError) -> Self {
        let reason = match error {
            RedirectError::NoLocation => Reason::MalformedAnswer,
            _ => Reason::UnsafeRedirect,
        };
        Self::new(ErrorKind::Protocol, error.to_string()).with_reason(reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_followed_and_what_is_not() {
        let shown = RedactedUrl::new;
        for (method, from, location, expected) in [
            (Method::GET, "https://h/a/b", Some("../c?x=1"), Ok("https://h/c?x=1")),
            (Method::HEAD, "https://h/a", Some("https://s/k?sig=1"), Ok("https://s/k?sig=1")),
            (Method::GET, "http://h/a", Some("https://h/a"), Ok("https://h/a")),
            (
                Method::GET,
                "https://h/a",
                Some("http://h/a"),
                Err(RedirectError::Downgrade(shown("http://h/a"))),
            ),
            (Method::GET, "http://h/a", Some("http://s/a"), Ok("http://s/a")),
            (
                Method::GET,
                "https://h/a",
                Some("file:///etc/x"),
                Err(RedirectError::Scheme(shown("file:///etc/x"))),
            ),
            (Method::PUT, "https://h/a", Some("/b"), Err(RedirectError::Method(Method::PUT))),
            (Method::GET, "https://h/a", None, Err(RedirectError::NoLocation)),
            (Method::GET, "https://h/a", Some("http://[x"), Err(RedirectError::NoLocation)),
        ] {
            let found = target(&method, &Url::parse(from).unwrap(), location);
            assert_eq!(found.as_ref().map(Url::as_str), expected.as_ref().map(|url| *url), "{location:?}");
        }
    }
}
