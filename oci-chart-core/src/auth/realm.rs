use std::{fmt, net::IpAddr};

use reqwest::Url;

use crate::{
    error::{Error, ErrorKind, Reason},
    redact::RedactedUrl,
};

/// Why a token service is not asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RealmError {
    /// Not a URL of http or https.
    Malformed,
    /// Plain HTTP, which the caller did not allow for that host.
    Plain(RedactedUrl),
    /// An address inside somebody's network, named by a registry that is not there.
    Private(RedactedUrl),
}

/// The token service that a challenge names, if it may be told credentials: whoever answers for a registry could name any
/// address, on this machine or in this network.
pub(super) fn realm(
    registry: &Url,
    realm: &str,
    may_be_plain: impl Fn(&Url) -> bool,
) -> Result<Url, RealmError> {
    let url = registry.join(realm).map_err(|_| RealmError::Malformed)?;
    let shown = || RedactedUrl::new(url.as_str());
    let same_host = url.host() == registry.host();
    match url.scheme() {
        "https" => {}
        "http" if registry.scheme() == "http" && (same_host || may_be_plain(&url)) => {}
        "http" => return Err(RealmError::Plain(shown())),
        _ => return Err(RealmError::Malformed),
    }
    if !same_host && url.host_str().is_some_and(is_inside) {
        return Err(RealmError::Private(shown()));
    }
    Ok(url)
}

fn is_inside(host: &str) -> bool {
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    match literal.parse() {
        Ok(IpAddr::V4(ip)) => {
            ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.is_unspecified()
        }
        Ok(IpAddr::V6(ip)) => match ip.to_ipv4_mapped() {
            Some(ip) => is_inside(&ip.to_string()),
            None => {
                ip.is_loopback() || ip.is_unspecified() || ip.is_unique_local() || ip.is_unicast_link_local()
            }
        },
        Err(_) => false,
    }
}

impl fmt::Display for RealmError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("the registry names no usable token service"),
            Self::Plain(url) => {
                write!(f, "the registry names a token service over plain HTTP, which is not allowed: {url}")
            }
            Self::Private(url) => write!(f, "the registry names a token service at an inner address: {url}"),
        }
    }
}

impl From<RealmError> for Error {
    fn from(error: RealmError) -> Self {
        let (reason, hint) = match error {
            RealmError::Malformed => {
                (Reason::BadChallenge, "the registry's `realm` must be an http or https URL")
            }
            RealmError::Plain(_) => (
                Reason::UnsafeRedirect,
                "if that is meant so, allow plain HTTP for the token service's host as well",
            ),
            RealmError::Private(_) => {
                (Reason::UnsafeRedirect, "the registry should name its token service by a host name")
            }
        };
        Self::new(ErrorKind::Unauthenticated, error.to_string()).with_reason(reason).with_hint(hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_be_told_credentials() {
        let plain = |url: &str| Err(RealmError::Plain(RedactedUrl::new(url)));
        let private = |url: &str| Err(RealmError::Private(RedactedUrl::new(url)));
        for (registry, text, expected) in [
            ("https://r/v2/", "https://auth.r/token?x=1", Ok("https://auth.r/token?x=1")),
            ("https://r/v2/", "/token", Ok("https://r/token")),
            ("https://r/v2/", "http://r/token", plain("http://r/token")),
            ("https://r/v2/", "file:///token", Err(RealmError::Malformed)),
            ("https://r/v2/", "https://", Err(RealmError::Malformed)),
            ("https://r/v2/", "https://127.0.0.1/t", private("https://127.0.0.1/t")),
            ("https://r/v2/", "https://2130706433/t", private("https://127.0.0.1/t")),
            ("https://r/v2/", "https://169.254.169.254/t", private("https://169.254.169.254/t")),
            ("https://r/v2/", "https://[::1]/t", private("https://[::1]/t")),
            ("https://r/v2/", "https://[::ffff:10.0.0.1]/t", private("https://[::ffff:a00:1]/t")),
            ("https://10.0.0.1:443/v2/", "https://10.0.0.1/t", Ok("https://10.0.0.1/t")),
            ("https://10.0.0.1/v2/", "https://10.0.0.1:8443/t", Ok("https://10.0.0.1:8443/t")),
            ("https://10.0.0.1/v2/", "https://10.0.0.2/t", private("https://10.0.0.2/t")),
            ("http://127.0.0.1:5000/v2/", "http://127.0.0.1:5001/t", Ok("http://127.0.0.1:5001/t")),
            ("http://r/v2/", "http://auth/t", plain("http://auth/t")),
            ("http://r/v2/", "http://allowed/t", Ok("http://allowed/t")),
            ("https://r/v2/", "http://allowed/t", plain("http://allowed/t")),
        ] {
            let found = realm(&Url::parse(registry).unwrap(), text, |url| url.host_str() == Some("allowed"));
            assert_eq!(
                found.as_ref().map(Url::as_str),
                expected.as_ref().map(|url| *url),
                "{registry} {text}"
            );
        }
    }
}
