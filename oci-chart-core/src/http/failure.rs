use std::{error::Error as StdError, io, time::Duration};

use reqwest::{Method, Url};
use rustls::InvalidMessage;

use crate::{
    error::{Error, ErrorKind, Reason},
    redact::RedactedUrl,
};

/// The request that something happened to.
pub(super) struct Place {
    pub(super) method: Method,
    pub(super) url: Url,
}

impl Place {
    /// The URL as errors may show it.
    pub(super) fn shown(&self) -> RedactedUrl {
        RedactedUrl::new(self.url.as_str())
    }

    /// Adds method and URL to `error`.
    pub(super) fn explain(&self, error: Error) -> Error {
        error.with_context("method", &self.method).with_context("url", self.shown())
    }
}

/// The error of a request or of a body that broke off.
pub(super) fn error(error: reqwest::Error, place: &Place) -> Error {
    // The URL inside would be printed with its query.
    let error = error.without_url();
    let causes = Causes::of(&error);
    let found = if let Some(cause) = causes.find::<rustls::Error>() {
        tls(cause)
    } else if error.is_timeout() {
        Error::new(ErrorKind::Timeout, "the connection took too long").with_retryable(true)
    } else if error.is_dns() {
        Error::new(ErrorKind::Network, "the host's name is unknown")
            .with_reason(Reason::NameUnknown)
            .with_retryable(true)
            .with_hint("check the host's name and the machine's name service")
    } else if causes.find::<io::Error>().is_some_and(|cause| cause.kind() == io::ErrorKind::ConnectionRefused)
    {
        Error::new(ErrorKind::Network, "nobody listens there")
            .with_reason(Reason::ConnectionRefused)
            .with_retryable(true)
            .with_hint("check host and port, and whether the registry is running")
    } else if let Some(cause) = causes.find::<hyper::Error>() {
        http(cause, place)
    } else {
        broken_connection()
    };
    place.explain(found.with_source(error))
}

/// The error of a peer that says nothing any more.
pub(super) fn silence(timeout: Duration, place: &Place) -> Error {
    let message = format!("nothing came for {} seconds", timeout.as_secs_f32());
    place.explain(Error::new(ErrorKind::Timeout, message).with_retryable(true))
}

/// The error of a TLS port that plain HTTP was spoken to.
pub(super) fn tls_expected() -> Error {
    Error::new(ErrorKind::Tls, "the server speaks TLS where plain HTTP was asked for")
        .with_reason(Reason::HttpsOnPlainHttp)
        .with_hint("do not ask for plain HTTP for this host")
}

fn tls(cause: &rustls::Error) -> Error {
    match cause {
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            Error::new(ErrorKind::Tls, "the server does not speak TLS; it may speak plain HTTP")
                .with_reason(Reason::PlainHttpOnHttps)
                .with_hint("if the registry is meant to be reached over plain HTTP, ask for it for this host")
        }
        rustls::Error::InvalidCertificate(_) => Error::new(
            ErrorKind::Tls,
            format!("the server's certificate is not accepted: {cause}"),
        )
        .with_reason(Reason::CertificateInvalid)
        .with_hint(
            "if an authority of your own signed it, add that authority's certificate to the trusted roots",
        ),
        _ => Error::new(ErrorKind::Tls, format!("no secure connection: {cause}")),
    }
}

fn http(cause: &hyper::Error, place: &Place) -> Error {
    if cause.is_parse() {
        // A TLS alert where the version of an HTTP answer is expected.
        if place.url.scheme() == "http" && cause.to_string().contains("version") {
            return tls_expected();
        }
        return Error::new(ErrorKind::Protocol, "the answer is not HTTP")
            .with_reason(Reason::MalformedAnswer);
    }
    broken_connection()
}

fn broken_connection() -> Error {
    Error::new(ErrorKind::Network, "the connection broke off")
        .with_reason(Reason::ConnectionCut)
        .with_retryable(true)
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
}
