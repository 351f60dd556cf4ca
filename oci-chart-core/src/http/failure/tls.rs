use rustls::{AlertDescription, CertificateError, InvalidMessage};

use super::Place;
use crate::error::{Error, ErrorKind, Reason};

/// The error of a TLS port that plain HTTP was spoken to.
pub(in crate::http) fn tls_expected() -> Error {
    Error::new(ErrorKind::Tls, "the server speaks TLS where plain HTTP was asked for")
        .with_reason(Reason::HttpsOnPlainHttp)
        .with_hint("do not ask for plain HTTP for this host")
}

/// The error of a server that wants a client certificate; or, where one was `shown`, another.
pub(in crate::http) fn client_certificate(shown: bool) -> Error {
    if shown {
        Error::new(ErrorKind::Tls, "the server refused the client certificate")
            .with_reason(Reason::ClientCertificateRefused)
            .with_hint("check that it has not expired, that it comes with its chain, and that the server trusts the authority that signed it")
    } else {
        Error::new(ErrorKind::Tls, "the server wants a client certificate")
            .with_reason(Reason::ClientCertificateRequired)
            .with_hint("give a client certificate and its key for this host")
    }
}

/// The error of a handshake, or of an alert after it.
pub(super) fn error(cause: &rustls::Error, place: &Place) -> Error {
    match cause {
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            Error::new(ErrorKind::Tls, "the server does not speak TLS; it may speak plain HTTP")
                .with_reason(Reason::PlainHttpOnHttps)
                .with_hint("if the registry is meant to be reached over plain HTTP, ask for it for this host")
        }
        rustls::Error::InvalidCertificate(fault) => {
            let (reason, hint) = certificate(fault);
            Error::new(ErrorKind::Tls, format!("the server's certificate is not accepted: {cause}"))
                .with_reason(reason)
                .with_hint(hint)
        }
        rustls::Error::AlertReceived(alert) if is_about_our_certificate(*alert) => {
            let shown = place.setting.host(&place.url).is_some_and(|host| host.client_certificate.is_some());
            client_certificate(shown).with_context("alert", format_args!("{alert:?}"))
        }
        rustls::Error::PeerIncompatible(_)
        | rustls::Error::AlertReceived(
            AlertDescription::ProtocolVersion
            | AlertDescription::HandshakeFailure
            | AlertDescription::InsufficientSecurity,
        ) => Error::new(ErrorKind::Tls, format!("no secure connection: {cause}"))
            .with_reason(Reason::TlsIncompatible)
            .with_hint("the server must speak TLS 1.2 or 1.3 with current ciphers; some servers end like this where they want a client certificate"),
        _ => Error::new(ErrorKind::Tls, format!("no secure connection: {cause}"))
            .with_hint("check the address and what stands between, a proxy that opens TLS for example"),
    }
}

fn certificate(fault: &CertificateError) -> (Reason, &'static str) {
    match fault {
        CertificateError::UnknownIssuer => (
            Reason::UnknownAuthority,
            "if an authority of your own signed it, add that authority's certificate to the trusted roots",
        ),
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => (
            Reason::CertificateExpired,
            "who runs the server must renew its certificate; if it is valid, correct this machine's clock",
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            (Reason::CertificateName, "use a name for the host that its certificate is for")
        }
        _ => (Reason::CertificateInvalid, "who runs the server must replace its certificate"),
    }
}

fn is_about_our_certificate(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::CertificateRequired
            | AlertDescription::NoCertificate
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
    )
}
