use std::sync::OnceLock;

use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use reqwest::{ClientBuilder, NoProxy, Proxy, Url};

use super::options::{
    ProxyOptions, ProxyUrl,
    proxy::{Choice, SCHEMES},
};
use crate::error::{Error, ErrorKind, Reason, Result};

/// The proxies of one client, and which of them a request goes through: the HTTP client below knows, and does not tell.
pub(super) struct Proxies {
    choice: Choice,
    matcher: OnceLock<Matcher>,
}

impl Proxies {
    pub(super) fn new(options: &ProxyOptions) -> Self {
        Self { choice: options.0.clone(), matcher: OnceLock::new() }
    }

    /// Whom a request to `url` goes through; without user and password.
    pub(super) fn of(&self, url: &Url) -> Option<String> {
        Some(self.intercept(url)?.uri().to_string())
    }

    /// Has `builder` use them for requests like the one to `url`.
    pub(super) fn apply(&self, builder: ClientBuilder, url: &Url) -> Result<ClientBuilder> {
        if let Some(scheme) = self.intercept(url).as_ref().and_then(|found| found.uri().scheme_str())
            && !SCHEMES.contains(&scheme)
        {
            return Err(Error::new(ErrorKind::Unsupported, "proxies of this kind are not supported")
                .with_reason(Reason::FeatureMissing)
                .with_context("scheme", scheme)
                .with_hint("use a proxy that speaks HTTP or SOCKS, or take this host out with NO_PROXY"));
        }
        let Choice::Given { http, https, no_proxy } = &self.choice else {
            return Ok(if matches!(self.choice, Choice::Direct) { builder.no_proxy() } else { builder });
        };
        let mut builder = builder.no_proxy();
        for (url, plain) in [(http, true), (https, false)] {
            let Some(url) = url else { continue };
            let made = if plain { Proxy::http(url.as_str()) } else { Proxy::https(url.as_str()) };
            let proxy = made.map_err(|error| {
                Error::new(ErrorKind::InvalidInput, "the proxy cannot be used")
                    .with_context("proxy", url)
                    .with_source(error.without_url())
            })?;
            builder = builder.proxy(proxy.no_proxy(NoProxy::from_string(no_proxy)));
        }
        Ok(builder)
    }

    fn intercept(&self, url: &Url) -> Option<Intercept> {
        if matches!(self.choice, Choice::Direct) || is_loopback(url) {
            return None;
        }
        let matcher = self.matcher.get_or_init(|| match &self.choice {
            Choice::Environment => Matcher::from_env(),
            Choice::Direct => Matcher::builder().build(),
            Choice::Given { http, https, no_proxy } => {
                let text = |url: &Option<ProxyUrl>| url.as_ref().map_or("", ProxyUrl::as_str).to_owned();
                Matcher::builder().http(text(http)).https(text(https)).no(no_proxy.clone()).build()
            }
        });
        matcher.intercept(&url.as_str().parse().ok()?)
    }
}

/// Whether this is the machine itself, which no proxy can reach: as in Helm, and every other program in Go, it is never asked to.
pub(super) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(options: &ProxyOptions, url: &str) -> Option<String> {
        Proxies::new(options).of(&Url::parse(url).unwrap())
    }

    #[test]
    fn what_goes_through_whom() {
        let one: ProxyUrl = "http://robot:hunter2@one:3128".parse().unwrap();
        let two: ProxyUrl = "https://two".parse().unwrap();
        let both = ProxyOptions::through(one.clone()).with_no_proxy("near.example, 10.0.0.0/8");
        let split = ProxyOptions::direct().with_http(two);
        for (options, url, expected) in [
            (&both, "https://far.example/v2/", Some("http://one:3128/")),
            (&both, "http://far.example:8080/v2/", Some("http://one:3128/")),
            (&both, "https://near.example/v2/", None),
            (&both, "https://sub.near.example/v2/", None),
            (&both, "https://farnear.example/v2/", Some("http://one:3128/")),
            (&both, "https://10.1.2.3/v2/", None),
            (&both, "https://localhost:5000/v2/", None),
            (&both, "http://127.0.0.1:5000/v2/", None),
            (&both, "http://[::1]:5000/v2/", None),
            (&split, "http://far.example/", Some("https://two/")),
            (&split, "https://far.example/", None),
            (&ProxyOptions::direct(), "https://far.example/", None),
        ] {
            assert_eq!(of(options, url).as_deref(), expected, "{url}");
        }
    }
}
