mod tls;

use std::{error::Error as StdError, io, sync::Arc, time::Duration};

use reqwest::{Method, Url};

use super::setting::Setting;
use crate::{
    error::{Error, ErrorKind, Reason},
    redact::RedactedUrl,
};

pub(super) use tls::{client_certificate, tls_expected};

/// What to do about a proxy that wants a login.
pub(super) const PROXY_LOGIN: &str =
    "give the proxy's address with user and password: http://USER:PASSWORD@HOST:PORT";

/// The request that something happened to.
pub(super) struct Place {
    pub(super) method: Method,
    pub(super) url: Url,
    /// What was asked, where a redirect led here.
    pub(super) from: Option<RedactedUrl>,
    pub(super) setting: Arc<Setting>,
}

impl Place {
    /// The URL as errors may show it.
    pub(super) fn shown(&self) -> RedactedUrl {
        RedactedUrl::new(self.url.as_str())
    }

    /// Adds method and URL to `error`.
    pub(super) fn explain(&self, error: Error) -> Error {
        let error = error.with_context("method", &self.method).with_context("url", self.shown());
        match &self.from {
            Some(from) => error.with_context("redirected from", from),
            None => error,
        }
    }
}

/// The error of a request or of a body that broke off.
pub(super) fn error(error: reqwest::Error, place: &Place) -> Error {
    // The URL inside would be printed with its query.
    let error = error.without_url();
    let causes = Causes::of(&error);
    let proxy = place.setting.proxies.of(&place.url);
    let found = if let Some(cause) = causes.find::<rustls::Error>() {
        tls::error(cause, place)
    } else if let Some(told) = causes.told_by_proxy() {
        refused_by_proxy(&told)
    } else if error.is_timeout() && error.is_connect() {
        let time = place.setting.options.connect_timeout;
        Error::new(ErrorKind::Timeout, format!("no connection within {} seconds", time.as_secs_f32()))
            .with_reason(Reason::ConnectTimeout)
            .with_retryable(true)
            .with_hint("check host and port, and whether a firewall is in the way")
    } else if error.is_timeout() {
        silent("the connection fell silent".to_owned())
    } else if proxy.is_some() && error.is_connect() {
        Error::new(ErrorKind::Network, "the proxy cannot be reached")
            .with_reason(Reason::ProxyUnreachable)
            .with_retryable(true)
            .with_hint(
                "check the proxy's address, in the options or in HTTPS_PROXY, HTTP_PROXY and ALL_PROXY",
            )
    } else if error.is_dns() {
        Error::new(ErrorKind::Network, "the host's name is unknown")
            .with_reason(Reason::NameUnknown)
            .with_retryable(true)
            .with_hint("check the host's name and the machine's name service")
    } else if let Some(found) = causes.find::<io::Error>().and_then(|cause| unreachable(cause.kind())) {
        found
    } else if let Some(cause) = causes.find::<hyper::Error>() {
        http(cause, place)
    } else {
        broken_connection()
    };
    let found = place.explain(found.with_source(error));
    match proxy {
        Some(proxy) => found.with_context("proxy", RedactedUrl::new(&proxy)),
        None => found,
    }
}

/// The error of a peer that says nothing any more.
pub(super) fn silence(timeout: Duration, place: &Place) -> Error {
    place.explain(silent(format!("nothing came for {} seconds", timeout.as_secs_f32())))
}

/// The error of a request that took longer than `time`, which is known as `reason`.
pub(super) fn too_late(time: Duration, reason: Reason, place: &Place) -> Error {
    let message = format!("no answer within {} seconds, all tries included", time.as_secs_f32());
    place.explain(
        Error::new(ErrorKind::Timeout, message)
            .with_reason(reason)
            .with_retryable(true)
            .with_hint("the registry is slow or overloaded: try again later, or give it more time"),
    )
}

fn silent(message: String) -> Error {
    Error::new(ErrorKind::Timeout, message).with_reason(Reason::IdleTimeout).with_retryable(true).with_hint(
        "the registry, or something on the way to it, hangs: try again later, or bear longer silence",
    )
}

fn unreachable(kind: io::ErrorKind) -> Option<Error> {
    let (message, reason, hint) = match kind {
        io::ErrorKind::ConnectionRefused => (
            "nobody listens there",
            Reason::ConnectionRefused,
            "check host and port, and whether the registry is running",
        ),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable | io::ErrorKind::NetworkDown => (
            "there is no way to the host",
            Reason::HostUnreachable,
            "check this machine's network, VPN and routes; if there is a proxy, name it in HTTPS_PROXY",
        ),
        _ => return None,
    };
    Some(Error::new(ErrorKind::Network, message).with_reason(reason).with_retryable(true).with_hint(hint))
}

fn http(cause: &hyper::Error, place: &Place) -> Error {
    if cause.is_parse() {
        // What begins otherwise than an HTTP answer is a TLS alert as a rule.
        if place.url.scheme() == "http" && cause.to_string().contains("version") {
            return Error::new(ErrorKind::Tls, "the server does not speak HTTP; it may speak TLS")
                .with_reason(Reason::HttpsOnPlainHttp)
                .with_hint("do not ask for plain HTTP for this host, or check the port");
        }
        return Error::new(ErrorKind::Protocol, "the answer is not HTTP")
            .with_reason(Reason::MalformedAnswer);
    }
    broken_connection()
}

/// Cut, reset, closed in between; over HTTP/2 also a stream or connection that the server ends by itself.
fn broken_connection() -> Error {
    Error::new(ErrorKind::Network, "the connection broke off")
        .with_reason(Reason::ConnectionCut)
        .with_retryable(true)
        .with_hint("try again; if it breaks off at the same place each time, look at what stands between")
}

/// What a proxy answered when it was asked for a way through.
fn refused_by_proxy(told: &str) -> Error {
    let login = ["authorization required", "credentials not accepted", "does not support user/pass"];
    if login.iter().any(|words| told.contains(words)) {
        return Error::new(ErrorKind::Unauthenticated, "the proxy wants a login")
            .with_reason(Reason::ProxyLogin)
            .with_hint(PROXY_LOGIN);
    }
    if told.contains("failed to create underlying connection") {
        return Error::new(ErrorKind::Network, "the proxy cannot be reached")
            .with_reason(Reason::ProxyUnreachable)
            .with_retryable(true)
            .with_hint(
                "check the proxy's address, in the options or in HTTPS_PROXY, HTTP_PROXY and ALL_PROXY",
            );
    }
    Error::new(ErrorKind::Network, "the proxy does not let the connection through")
        .with_reason(Reason::ProxyRefused)
        .with_hint("ask who runs the proxy to allow this host, or take it out with NO_PROXY")
}

/// An error and everything below it. I/O errors hide what they carry from `source`, so they are opened.
struct Causes<'a>(Vec<&'a (dyn StdError + 'static)>);

impl<'a> Causes<'a> {
    fn of(error: &'a (dyn StdError + 'static)) -> Self {
        let mut causes = Vec::new();
        let mut next = Some(error);
        while let Some(error) = next.filter(|_| causes.len() < 32) {
            causes.push(error);
            next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
                Some(inner) => Some(inner),
                None => error.source(),
            };
        }
        Self(causes)
    }

    /// The innermost cause of that type.
    fn find<E: StdError + 'static>(&self) -> Option<&'a E> {
        self.0.iter().rev().find_map(|error| error.downcast_ref())
    }

    /// What the parts of the HTTP client say that ask proxies for a way through. Their errors' types have no public names.
    fn told_by_proxy(&self) -> Option<String> {
        let told = |text: &String| text.starts_with("tunnel error") || text.starts_with("SOCKS error");
        self.0.iter().map(ToString::to_string).find(told)
    }
}
