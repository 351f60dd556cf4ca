//! What to say where nothing helps.

use reqwest::Method;

use super::{
    super::{
        CredentialSource as _, Scope,
        blame::{accuse, explain_rights, is_about_something_else},
    },
    Authenticator, MakeRequest, Shown, Shows,
};
use crate::{
    error::{Error, ErrorKind, Reason},
    http::Response,
};

impl Authenticator {
    /// The error of a refusal that nothing helps against.
    pub(super) async fn refused(
        &self,
        mut response: Response,
        is_head: bool,
        shown: &Shown,
        scope: &Scope,
        make: &MakeRequest<'_>,
    ) -> Error {
        if is_head {
            // A refused HEAD says nothing but its status. The body of a GET says why.
            let again = make().map(|mut request| {
                request.method = Method::GET;
                self.authorized(request, Some(shown))
            });
            if let Ok(again) = again
                && let Ok(answer) = self.http.send(again).await
                && answer.status() == response.status()
            {
                response = answer;
            }
        }
        let error = response.refused().await;
        if shown.who.is_anonymous() {
            return self.nobody(error).with_context("scope", scope);
        }
        let error = error.with_context("registry", &self.host);
        let error = if is_about_something_else(&error) {
            error
        } else if shown.token == Shows::Credentials {
            accuse(
                error.with_kind(ErrorKind::Unauthenticated).with_reason(Reason::CredentialsRefused),
                &shown.who,
            )
        } else {
            explain_rights(error, &shown.who, &shown.header, scope)
        };
        error.with_context("scope", scope)
    }

    /// The error of a registry that wants a login where there is none to show; `told` is its own.
    pub(super) fn nobody(&self, told: Error) -> Error {
        if is_about_something_else(&told) {
            return told.with_context("registry", &self.host);
        }
        let mut error = Error::new(ErrorKind::Unauthenticated, format!("no credentials for {}", self.host))
            .with_reason(Reason::NoCredentials)
            .with_hint("the registry wants a login: log in, or give credentials for this host");
        for (key, value) in told.context() {
            error = error.with_context(key, value);
        }
        self.searched(error.with_source(told)).with_context("registry", &self.host)
    }

    /// Says in an error about missing credentials where they were looked for.
    pub(super) fn searched(&self, error: Error) -> Error {
        let places = self.source.places();
        if error.reason() != Some(Reason::NoCredentials) || places.is_empty() {
            return error;
        }
        error.with_context("searched", places.join("; "))
    }
}
