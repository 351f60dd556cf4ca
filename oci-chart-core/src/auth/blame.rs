//! Whose fault a refusal is, and where to put it right.

use reqwest::header::HeaderValue;

use super::{Credentials, Scope, jwt::Claims};
use crate::error::{Error, Reason};

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

/// Says what a token that was refused the moment it was given lacks, if it tells.
pub(super) fn explain_rights(error: Error, who: &Credentials, header: &HeaderValue, scope: &Scope) -> Error {
    let token = header.to_str().ok().and_then(|text| text.strip_prefix("Bearer "));
    let missing = token.and_then(Claims::of).and_then(|claims| claims.missing(scope));
    let mut error = match missing.filter(|missing| !missing.is_empty()) {
        Some(missing) => error.with_context("not granted", missing),
        None => error,
    };
    if let Some(origin) = who.origin() {
        error = error.with_context("credentials from", origin);
    }
    if let Some(username) = who.username() {
        error = error.with_context("user", username);
    }
    // The token service knew no better, so both may be: some hand out tokens for wrong passwords, which then open nothing.
    error.with_hint(
        "the token does not suffice here: the user lacks the right, the project or repository is missing, or the password is wrong",
    )
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
