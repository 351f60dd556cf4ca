use std::time::UNIX_EPOCH;

use reqwest::{Method, Url, header::HeaderMap};

use super::{Check, Examination, Finding, Status, answer::Asks, look, successful};
use crate::{
    auth::{Access, Credentials, Scope},
    error::{Error, ErrorKind, Reason, Result},
    http::{Response, wire::Challenge},
    redact::RedactedUrl,
};

impl Examination {
    /// Who one is to the registry, and what one may do in the repository.
    pub(super) async fn rights(&mut self, asks: Asks) {
        let pull = Scope::repository(self.repository(), Access::Pull);
        if let Asks::Login(headers) = &asks {
            let challenge = challenge(headers);
            let usable = challenge.status == Status::Ok;
            self.add(challenge);
            if !usable || !self.login(&pull).await {
                return;
            }
        } else {
            self.add(Finding::new(Check::Challenge, Status::Ok, "no login is asked for"));
            for check in [Check::Credentials, Check::Login] {
                self.add(Finding::new(check, Status::Skipped, "no login is asked for"));
            }
        }
        let seen = self.pull(&pull).await;
        self.push().await;
        self.features(&pull, seen).await;
    }

    /// The registry's front door, with credentials; whether it is worth going on.
    async fn login(&mut self, scope: &Scope) -> bool {
        let who = self.probe.auth().credentials(scope).await;
        let credentials = match &who {
            Ok(found) => self.told(found),
            Err(error) => Finding::failed(Check::Credentials, error),
        };
        let usable = credentials.status == Status::Ok;
        self.add(credentials);
        if who.is_ok_and(|who| who.is_anonymous()) {
            self.add(Finding::new(Check::Login, Status::Skipped, "there is nobody to log in as"));
            return true;
        }
        if !usable {
            return false;
        }
        let url = self.base().clone();
        let finding = match self.ask_as(scope, Method::GET, &url).await {
            Ok(response) => {
                response.drain().await;
                if self.probe.auth().is_taken_for_nobody(scope).await.unwrap_or(false) {
                    let mut finding =
                        Finding::new(Check::Login, Status::Failed, "the registry took the caller for nobody");
                    finding.reason = Some(Reason::CredentialsRefused);
                    finding.with_hint("the user or the password is wrong, or the account is disabled")
                } else {
                    Finding::new(Check::Login, Status::Ok, "the registry lets the caller in")
                }
            }
            Err(error) => Finding::failed(Check::Login, &error),
        };
        let fine = finding.status == Status::Ok;
        self.add(finding);
        fine
    }

    fn told(&self, found: &Credentials) -> Finding {
        let host = self.probe.repository().address().host();
        let finding = if found.is_anonymous() {
            Finding::new(Check::Credentials, Status::Ok, format!("none for {host}: anonymous"))
        } else if found.has_expired() {
            let mut finding = Finding::new(Check::Credentials, Status::Failed, "the credentials have ended");
            finding.reason = Some(Reason::CredentialsRefused);
            finding.with_hint("log in again")
        } else {
            let who = found.username().unwrap_or("a token");
            Finding::new(Check::Credentials, Status::Ok, format!("there are some for {host}: {who}"))
        };
        let facts = [
            ("user", found.username().map(str::to_owned)),
            ("from", found.origin().map(str::to_owned)),
            (
                "ends",
                found
                    .expiry()
                    .and_then(|end| Some(end.duration_since(UNIX_EPOCH).ok()?.as_secs().to_string())),
            ),
        ];
        facts.into_iter().fold(finding, |finding, (name, value)| match value {
            Some(value) => finding.with_fact(name, value),
            None => finding,
        })
    }

    /// Reading, tried by the shortest list of tags. Gives one of them, if there are any.
    async fn pull(&mut self, scope: &Scope) -> Option<String> {
        let url = self.url(&format!("{}/tags/list", self.repository()), Some("n=1"));
        let response = match self.ask_as(scope, Method::GET, &url).await {
            Ok(response) => response,
            Err(error) => {
                self.add(unreadable(&error));
                return None;
            }
        };
        let limit = self.probe.http().options().limits.answer_bytes;
        let body = response.bytes("answer_bytes", limit).await;
        let tag = body.ok().and_then(|body| {
            let list: serde_json::Value = serde_json::from_slice(&body).ok()?;
            list.get("tags")?.get(0)?.as_str().map(str::to_owned)
        });
        let summary =
            if tag.is_some() { "the tags can be read" } else { "the repository can be read; it has no tags" };
        self.add(Finding::new(Check::Pull, Status::Ok, summary));
        tag
    }

    /// Writing, by what a token for it says of itself: an upload that is begun to be given up would be seen by others.
    async fn push(&mut self) {
        let scope = Scope::repository(self.repository(), Access::Push);
        let finding = match self.probe.auth().missing(&scope).await {
            Ok(Some(missing)) if missing.is_empty() => {
                Finding::new(Check::Push, Status::Ok, "the token allows it")
            }
            Ok(Some(missing)) => {
                let mut finding = Finding::new(
                    Check::Push,
                    Status::Failed,
                    "the token that was asked for writing does not allow it",
                )
                .with_fact("missing", missing)
                .with_hint("ask the registry's people for the right to push to this repository");
                finding.reason = Some(Reason::TokenRefused);
                finding
            }
            Ok(None) => Finding::new(
                Check::Push,
                Status::Unknown,
                "only a push shows it: the registry's tokens say nothing, or it has none",
            ),
            Err(error) => denied(Check::Push, &error),
        };
        self.add(finding);
    }

    /// Asks in the caller's name; an answer that is no success is an error.
    pub(super) async fn ask_as(&mut self, scope: &Scope, method: Method, url: &Url) -> Result<Response> {
        let response = self.probe.auth().send(scope, &|| Ok(look(method.clone(), url))).await?;
        self.look_at(&response);
        successful(response).await
    }
}

/// How the registry wants to be shown who asks.
fn challenge(headers: &HeaderMap) -> Finding {
    let values = headers.get_all("www-authenticate");
    let all: Vec<_> = values.iter().flat_map(|value| Challenge::parse(value.as_bytes())).collect();
    let of = |scheme: &str| all.iter().find(|challenge| challenge.scheme == scheme);
    if let Some(bearer) = of("bearer") {
        let realm = RedactedUrl::new(bearer.get("realm").unwrap_or_default());
        let finding = Finding::new(Check::Challenge, Status::Ok, format!("tokens of {realm}"));
        let finding = finding.with_fact("scheme", "bearer").with_fact("realm", realm);
        return match bearer.get("service") {
            Some(service) => finding.with_fact("service", service),
            None => finding,
        };
    }
    if of("basic").is_some() {
        return Finding::new(Check::Challenge, Status::Ok, "user and password in every request")
            .with_fact("scheme", "basic");
    }
    let schemes: Vec<_> = all.iter().map(|challenge| challenge.scheme.as_str()).collect();
    let error = Error::new(ErrorKind::Unauthenticated, "the registry wants a login and does not say how")
        .with_reason(Reason::BadChallenge)
        .with_context("schemes", schemes.join(", "))
        .with_hint(
            "check what stands between: a proxy may ask, or take the registry's `WWW-Authenticate` away",
        );
    Finding::failed(Check::Challenge, &error)
}

/// A list of tags that is not given.
fn unreadable(error: &Error) -> Finding {
    if error.kind() == ErrorKind::NotFound {
        let mut finding = Finding::failed(Check::Pull, error);
        finding.status = Status::Unknown;
        finding.summary = "there is no such repository, or it is not shown to this caller".into();
        return finding.with_hint("a first push makes the repository, unless the registry wants it, or its project, to be made before");
    }
    denied(Check::Pull, error)
}

/// A refusal is a finding; anything else keeps from knowing.
pub(super) fn denied(check: Check, error: &Error) -> Finding {
    let mut finding = Finding::failed(check, error);
    if !matches!(error.kind(), ErrorKind::Unauthenticated | ErrorKind::PermissionDenied) {
        finding.status = Status::Unknown;
    }
    finding
}
