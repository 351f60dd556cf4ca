use std::{fmt, str::FromStr};

use reqwest::Url;

use crate::{
    error::{Error, ErrorKind},
    redact::RedactedUrl,
};

/// Whether, and through whom, requests go. This machine itself (`localhost`, loopback addresses) is never reached through a proxy, as with
/// every program written in Go.
///
/// # Examples
///
/// ```
/// use oci_chart_core::store::{ConnectionOptions, ProxyOptions};
///
/// let proxy = ProxyOptions::through("http://user:secret@proxy.example:3128".parse()?)
///     .with_no_proxy(".internal.example, 10.0.0.0/8");
/// assert!(!format!("{proxy:?}").contains("secret"));
/// let options = ConnectionOptions::default().with_proxy(proxy);
/// # Ok::<(), oci_chart_core::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct ProxyOptions(pub(in crate::http) Choice);

#[derive(Debug, Clone, Default)]
pub(in crate::http) enum Choice {
    #[default]
    Environment,
    Direct,
    Given {
        http: Option<ProxyUrl>,
        https: Option<ProxyUrl>,
        no_proxy: String,
    },
}

impl ProxyOptions {
    /// As `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` say, or their names in small letters; read when the first connection is
    /// made. One that is no proxy's address is an error of whatever would go there. Nothing is used in a CGI program, where a request's header
    /// could set `HTTP_PROXY`.
    pub fn from_environment() -> Self {
        Self(Choice::Environment)
    }

    /// No proxy, whatever the environment says.
    pub fn direct() -> Self {
        Self(Choice::Direct)
    }

    /// `proxy` for everything, whatever the environment says.
    pub fn through(proxy: ProxyUrl) -> Self {
        Self(Choice::Given { http: Some(proxy.clone()), https: Some(proxy), no_proxy: String::new() })
    }

    /// `proxy` for requests over plain HTTP. What was not given before goes directly.
    #[must_use]
    pub fn with_http(self, proxy: ProxyUrl) -> Self {
        let (_, https, no_proxy) = self.given();
        Self(Choice::Given { http: Some(proxy), https, no_proxy })
    }

    /// `proxy` for requests over https. What was not given before goes directly.
    #[must_use]
    pub fn with_https(self, proxy: ProxyUrl) -> Self {
        let (http, _, no_proxy) = self.given();
        Self(Choice::Given { http, https: Some(proxy), no_proxy })
    }

    /// Hosts that are reached directly, separated by commas, in the forms that `NO_PROXY` has with Go's programs: names (with their
    /// subdomains; `*.example.com` for these alone), addresses, either with a port (`registry.example:5000`) or for all of them, networks
    /// (`10.0.0.0/8`), and `*`.
    #[must_use]
    pub fn with_no_proxy(self, hosts: impl Into<String>) -> Self {
        let (http, https, _) = self.given();
        Self(Choice::Given { http, https, no_proxy: hosts.into() })
    }

    fn given(self) -> (Option<ProxyUrl>, Option<ProxyUrl>, String) {
        match self.0 {
            Choice::Given { http, https, no_proxy } => (http, https, no_proxy),
            Choice::Environment | Choice::Direct => (None, None, String::new()),
        }
    }
}

/// The address of a proxy, with the user and password that it wants. Those are never printed.
///
/// `http` and `https` are proxies that speak HTTP; `socks5` and `socks4` (this machine looks names up) and `socks5h` and `socks4a` (the proxy
/// does) speak SOCKS.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyUrl(Url);

/// What proxies speak.
const SCHEMES: [&str; 6] = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"];

impl ProxyUrl {
    /// Reads an address; one without a scheme is one of `http`.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](ErrorKind::InvalidInput), which does not repeat the text.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        match Url::parse(&whole) {
            Ok(url) if SCHEMES.contains(&url.scheme()) && url.has_host() => Ok(Self(url)),
            Ok(url) => Err(bad("the address of a proxy must begin with http://, https:// or socks5://")
                .with_context("scheme", url.scheme())),
            Err(error) => Err(bad("the address of a proxy is no URL").with_context("cause", error)),
        }
    }

    pub(in crate::http) fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

fn bad(message: &'static str) -> Error {
    Error::new(ErrorKind::InvalidInput, message)
        .with_hint("proxies look like http://USER:PASSWORD@HOST:PORT; special characters in the password are written %40")
}

impl FromStr for ProxyUrl {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl fmt::Display for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        RedactedUrl::new(self.as_str()).fmt(f)
    }
}

impl fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProxyUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_read_and_shown_without_their_secrets() {
        let url = ProxyUrl::parse("http://robot:hunter2@proxy.example:3128").unwrap();
        assert_eq!(
            format!("{url} {url:?}"),
            "http://proxy.example:3128/ ProxyUrl(http://proxy.example:3128/)"
        );
        assert_eq!(ProxyUrl::parse("proxy:3128").unwrap().to_string(), "http://proxy:3128/");
        let socks = ProxyUrl::parse("socks5h://robot:hunter2@proxy:1080").unwrap();
        assert_eq!(socks.to_string(), "socks5h://proxy:1080");
        for text in
            ["", "socks6://robot:hunter2@proxy", "ftp://proxy", "http://", "http://robot:hunter2@pro xy"]
        {
            let error = ProxyUrl::parse(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{text}");
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
    }
}
