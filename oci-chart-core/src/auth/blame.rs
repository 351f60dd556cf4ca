//! Whose fault a refusal is, and where to put it right.

use reqwest::header::HeaderValue;

use super::{CredentialKind, Credentials, Scope, jwt::Claims};
use crate::error::{Error, ErrorKind, Reason};

/// Names in `error` where the refused credentials came from. Those that are kept somewhere are stale there.
pub(super) fn accuse(error: Error, who: &Credentials) -> Error {
    let error = match who.username() {
        Some(username) => error.with_context("user", username),
        None => error,
    };
    let Some(origin) = who.origin() else { return error };
    let error = error.with_context("credentials from", origin);
    if error.reason() != Some(Reason::CredentialsRefused) {
        return error;
    }
    let hint = match who.expiry() {
        Some(_) if who.has_expired() => {
            "these credentials have ended: log in again, or renew what is stored there"
        }
        _ => "the registry refuses this login: log out and in again, or correct what is stored there",
    };
    error.with_reason(Reason::StaleCredential).with_hint(hint)
}

/// Whether a registry that refuses has another cause than who asks: a project that is not there, say, which Harbor answers with 401.
pub(super) fn is_about_something_else(told: &Error) -> bool {
    use ErrorKind::{ImmutableTag, NotFound, QuotaExceeded, RateLimited, Unavailable};
    matches!(told.kind(), NotFound | QuotaExceeded | ImmutableTag | RateLimited | Unavailable)
}

/// Whether the token in `header` is nobody's, though `who` has a name: its service did not take the password, and does not say so.
pub(super) fn is_nobodys(header: &HeaderValue, who: &Credentials) -> bool {
    let named = matches!(who.kind(), CredentialKind::Basic { .. } | CredentialKind::Identity { .. });
    named && claims(header).is_some_and(|claims| claims.is_nobodys())
}

/// Says what a token that was refused the moment it was given lacks, if it tells.
pub(super) fn explain_rights(error: Error, who: &Credentials, header: &HeaderValue, scope: &Scope) -> Error {
    let claims = claims(header);
    let missing = claims.as_ref().and_then(|claims| claims.missing(scope));
    let missing = missing.filter(|missing| !missing.is_empty());
    let lacks = missing.is_some();
    let error = match missing {
        Some(missing) => error.with_context("not granted", missing),
        None => error,
    };
    let error = if is_nobodys(header, who) {
        error
            .with_kind(ErrorKind::Unauthenticated)
            .with_reason(Reason::CredentialsRefused)
            .with_hint("the token service took the caller for nobody: the user or the password is wrong, or the account is disabled")
    } else if lacks && claims.is_some_and(|claims| claims.is_somebodys()) {
        error
            .with_kind(ErrorKind::PermissionDenied)
            .with_reason(Reason::AccessDenied)
            .with_hint("the login is good and lacks this right: ask the registry's people for it")
    } else {
        // The token service knew no better, so all may be: some hand out tokens for wrong passwords, which then open nothing.
        let error = match who.username() {
            Some(username) => error.with_context("user", username),
            None => error,
        };
        let error = error.with_hint(
            "the token does not suffice here: the user lacks the right, the project or repository is missing, or the password is wrong",
        );
        return match who.origin() {
            Some(origin) => error.with_context("credentials from", origin),
            None => error,
        };
    };
    accuse(error, who)
}

/// What the token in `header` says about itself, if it can be read.
pub(super) fn claims(header: &HeaderValue) -> Option<Claims> {
    Claims::of(header.to_str().ok()?.strip_prefix("Bearer ")?)
}

/// Whether an answer that is no 401 means that the token has ended. Amazon's registries say so with 400 and 403, and no challenge
/// (aws/containers-roadmap#2835).
pub(super) fn says_token_ended(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body.get(..4096).unwrap_or(body)).to_ascii_lowercase();
    let about_tokens = text.contains("authorization token")
        || text.contains("access token")
        || text.contains("bearer token");
    about_tokens
        && ["expired", "invalid", "not valid", "reauthenticate"].iter().any(|word| text.contains(word))
        || text.contains("invalid_token")
        || text.contains("token_expired")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ended_tokens_are_told_from_other_refusals() {
        for (body, ended) in [
            (
                r#"{"errors":[{"code":"DENIED","message":"Your Authorization Token has expired. Reauthenticate and try again."}]}"#,
                true,
            ),
            (r#"{"errors":[{"code":"DENIED","message":"Your authorization token is invalid"}]}"#, true),
            (r#"{"error":"invalid_token"}"#, true),
            (
                r#"{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}"#,
                false,
            ),
            (r#"{"errors":[{"code":"MANIFEST_INVALID","message":"invalid token '<' in manifest"}]}"#, false),
            ("", false),
        ] {
            assert_eq!(says_token_ended(body.as_bytes()), ended, "{body}");
        }
    }
}
