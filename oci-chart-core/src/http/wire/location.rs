use std::fmt;

use reqwest::Url;

use crate::{
    digest::Digest,
    error::{Error, ErrorKind, Reason},
    redact::RedactedUrl,
};

/// Why a `Location` or a `Link` must not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LocationError {
    /// Not a URL and not a relative reference.
    Malformed,
    /// From https down to http.
    Downgrade(RedactedUrl),
    /// Another host, or another port of it.
    OtherHost(RedactedUrl),
}

/// Where the answer to `request` sends its client next: `location` may be absolute or relative, its query is kept as it
/// is. Another origin is refused: what follows carries credentials or content meant for this registry only.
pub(crate) fn same_origin_location(request: &Url, location: &str) -> Result<Url, LocationError> {
    let target = request.join(location.trim()).map_err(|_| LocationError::Malformed)?;
    if request.scheme() == "https" && target.scheme() == "http" {
        return Err(LocationError::Downgrade(RedactedUrl::new(target.as_str())));
    }
    // `origin` folds default ports: `:443` given in a reference equals none in a `Location`.
    if request.origin() != target.origin() {
        return Err(LocationError::OtherHost(RedactedUrl::new(target.as_str())));
    }
    Ok(target)
}

/// The upload location with the digest that closes the upload; every other parameter stays as the registry wrote it.
pub(crate) fn with_digest(mut location: Url, digest: &Digest) -> Url {
    let query = match location.query() {
        None | Some("") => format!("digest={digest}"),
        Some(query) => format!("{query}&digest={digest}"),
    };
    location.set_query(Some(&query));
    location
}

impl fmt::Display for LocationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("the registry sent a location that is no URL"),
            Self::Downgrade(url) => write!(f, "the registry points from https to plain HTTP: {url}"),
            Self::OtherHost(url) => write!(f, "the registry points to another host: {url}"),
        }
    }
}

impl std::error::Error for LocationError {}

impl From<LocationError> for Error {
    fn from(error: LocationError) -> Self {
        let reason =
            if error == LocationError::Malformed { Reason::MalformedAnswer } else { Reason::UnsafeRedirect };
        Self::new(ErrorKind::Protocol, error.to_string())
            .with_reason(reason)
            .with_hint("a proxy in front of the registry may hide its public address from it; its external URL must be set there")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn join(base: &str, location: &str) -> Result<String, LocationError> {
        same_origin_location(&Url::parse(base).unwrap(), location).map(String::from)
    }

    #[test]
    fn relative_and_absolute_locations() {
        let base = "https://h/v2/a/blobs/uploads/?mount=x";
        for (location, expected) in [
            ("/v2/a/blobs/uploads/1?_state=a%2Fb%3D&x=", "https://h/v2/a/blobs/uploads/1?_state=a%2Fb%3D&x="),
            ("https://h/u", "https://h/u"),
            ("https://h:443/u", "https://h/u"),
            ("https://H/u", "https://h/u"),
            ("//h/u", "https://h/u"),
            ("7?s=1", "https://h/v2/a/blobs/uploads/7?s=1"),
            (" /u ", "https://h/u"),
        ] {
            assert_eq!(join(base, location).as_deref(), Ok(expected), "{location}");
        }
    }

    #[test]
    fn other_origins_are_refused() {
        let base = "https://h:8443/v2/";
        let other = |url: &str| Err(LocationError::OtherHost(RedactedUrl::new(url)));
        assert_eq!(join(base, "https://evil:8443/u"), other("https://evil:8443/u"));
        assert_eq!(join(base, "https://h/u"), other("https://h/u"));
        assert_eq!(join(base, "https://h:8443@evil/u"), other("https://evil/u"));
        assert_eq!(
            join(base, "http://h:8443/u?token=x"),
            Err(LocationError::Downgrade(RedactedUrl::new("http://h:8443/u?token=")))
        );
        assert_eq!(join(base, "http://[bad/"), Err(LocationError::Malformed));
        assert_eq!(join("http://h/v2/", "https://h/u"), other("https://h/u"));
    }

    #[test]
    fn the_query_survives() {
        let digest = Digest::of(b"{}");
        for (url, expected) in [
            ("http://h/u", format!("http://h/u?digest={digest}")),
            ("http://h/u?", format!("http://h/u?digest={digest}")),
            ("http://h/u?_state=a%2Fb%3D&y", format!("http://h/u?_state=a%2Fb%3D&y&digest={digest}")),
        ] {
            assert_eq!(with_digest(Url::parse(url).unwrap(), &digest).as_str(), expected);
        }
    }
}
