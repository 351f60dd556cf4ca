use std::time::{SystemTime, UNIX_EPOCH};

use reqwest::{Method, header::HeaderMap};

use super::{Check, Examination, Finding, Status, look};
use crate::{
    error::{Error, ErrorKind, Reason},
    http::{Redirects, Response, wire},
};

/// A clock further off than this makes tokens look old or not yet valid, in seconds.
const CLOCK_SECONDS: u64 = 60;
/// A certificate that ends sooner should be renewed, in days.
const CERTIFICATE_DAYS: i64 = 14;
const DAY: i64 = 86_400;

/// What the registry asks strangers for.
pub(super) enum Asks {
    Nothing,
    /// The headers of its refusal.
    Login(HeaderMap),
}

impl Examination {
    /// The first request: the secure connection, what answers at the other end, and its clock.
    pub(super) async fn ask(&mut self) -> Option<Asks> {
        let request = look(Method::GET, self.base()).with_redirects(Redirects::Report);
        match self.probe.http().send(request).await {
            Ok(response) => self.answered(response).await,
            Err(error) if error.kind() == ErrorKind::Tls => {
                let finding = self.with_certificate(Finding::failed(Check::Tls, &error));
                self.add(finding);
                None
            }
            Err(error) => {
                self.add(Finding::failed(Check::Api, &error));
                None
            }
        }
    }

    async fn answered(&mut self, response: Response) -> Option<Asks> {
        self.look_at(&response);
        let clock = clock(&response);
        let status = response.status().as_u16();
        let asks = match status {
            200 => Asks::Nothing,
            401 => Asks::Login(response.headers().clone()),
            _ => {
                let error = no_registry(response).await;
                if error.reason() == Some(Reason::HttpsOnPlainHttp) {
                    self.add(Finding::failed(Check::Tls, &error));
                } else {
                    self.secured();
                    self.add(Finding::failed(Check::Api, &error));
                    self.add(clock);
                }
                return None;
            }
        };
        response.drain().await;
        self.secured();
        let summary =
            if status == 200 { "a registry, open to strangers" } else { "a registry that asks who is there" };
        self.add(Finding::new(Check::Api, Status::Ok, summary).with_fact("status", status));
        self.add(clock);
        Some(asks)
    }

    /// The secure connection that carried an answer.
    fn secured(&mut self) {
        if self.base().scheme() != "https" {
            let finding = Finding::new(
                Check::Tls,
                Status::Skipped,
                "plain HTTP was asked for: everybody on the way reads along",
            );
            self.add(finding);
            return;
        }
        let finding = if self.probe.http().is_unchecked(self.base()) {
            Finding::new(
                Check::Tls,
                Status::Ok,
                "encrypted, but whoever answers is believed: the certificate is not checked",
            )
            .with_hint("trust the registry's authority instead of not checking at all")
        } else {
            Finding::new(Check::Tls, Status::Ok, "the certificate is good")
        };
        let finding = self.with_certificate(finding);
        self.add(finding);
    }

    /// What the server showed, whether it was believed or not.
    fn with_certificate(&self, mut finding: Finding) -> Finding {
        let Some((first, count)) = self.probe.http().shown_certificate() else { return finding };
        finding = finding
            .with_fact("certificates", count)
            .with_fact("valid from", first.from)
            .with_fact("valid until", first.until)
            .with_fact("names", first.names.join(", "));
        for (name, value) in [("subject", first.subject), ("issuer", first.issuer)] {
            if let Some(value) = value {
                finding = finding.with_fact(name, value);
            }
        }
        if finding.status == Status::Ok {
            lasting(finding, first.until.saturating_sub(now()))
        } else {
            finding
        }
    }
}

/// The finding of a certificate that is taken and ends in so many seconds; one that nobody checks may have ended.
fn lasting(mut finding: Finding, seconds: i64) -> Finding {
    let days = seconds.div_euclid(DAY);
    let rest = if days < 0 { "but it has ended".to_owned() } else { format!("for {days} more days") };
    finding.summary = format!("{}, {rest}", finding.summary);
    match days {
        ..0 => finding.with_hint("the registry's certificate has ended: have it renewed"),
        0..CERTIFICATE_DAYS => finding.with_hint("the registry's certificate ends soon: have it renewed"),
        _ => finding,
    }
}

/// What something is that does not answer as a registry does.
async fn no_registry(response: Response) -> Error {
    let status = response.status();
    let elsewhere = response.header("location").map(crate::redact::RedactedUrl::new);
    let error = response.refused().await;
    if error.reason() == Some(Reason::HttpsOnPlainHttp) || matches!(status.as_u16(), 429 | 500..=599) {
        return error;
    }
    let error = error
        .with_kind(ErrorKind::Protocol)
        .with_hint("check host and port: what answers there does not offer the registry API at /v2/");
    match elsewhere {
        Some(place) => error.with_context("location", place),
        None => error,
    }
}

fn clock(response: &Response) -> Finding {
    let Some(theirs) = response.header("date").and_then(wire::http_date) else {
        return Finding::new(Check::Clock, Status::Unknown, "the registry does not tell its time");
    };
    let off = theirs.saturating_sub(now());
    let (size, way) = (off.unsigned_abs(), if off > 0 { "behind" } else { "ahead of" });
    let finding = if size <= CLOCK_SECONDS {
        Finding::new(Check::Clock, Status::Ok, format!("{size} seconds apart"))
    } else {
        Finding::new(
            Check::Clock,
            Status::Failed,
            format!("this machine's clock is {size} seconds {way} the registry's"),
        )
        .with_hint("set the clock: tokens and certificates hold from one time to another")
    };
    finding.with_fact("seconds", off)
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_that_ends_soon_is_to_be_renewed() {
        let good = || Finding::new(Check::Tls, Status::Ok, "good");
        for (seconds, summary, hint) in [
            (14 * DAY, "good, for 14 more days", None),
            (14 * DAY - 1, "good, for 13 more days", Some("ends soon")),
            (0, "good, for 0 more days", Some("ends soon")),
            (-1, "good, but it has ended", Some("has ended")),
        ] {
            let found = lasting(good(), seconds);
            assert_eq!(found.summary, summary);
            assert_eq!(found.hint.is_some(), hint.is_some(), "{found:?}");
            assert!(
                hint.is_none_or(|words| found.hint.is_some_and(|hint| hint.contains(words))),
                "{seconds}"
            );
        }
    }
}
