use reqwest::StatusCode;

use crate::{
    error::{ErrorKind, Reason},
    http::wire::ErrorBody,
};

/// What a refusal means.
pub(super) type Meaning = (ErrorKind, Option<Reason>);

/// Words say more than codes, and codes more than the status, where they are clear (distribution spec, "Error Codes"); unknown ones
/// change nothing. `writes` tells whether something was to be changed.
pub(super) fn meaning(status: StatusCode, told: &ErrorBody, writes: bool) -> Meaning {
    let by_status = by_status(status, told);
    if status.is_server_error() {
        return by_words_of_a_server(told).unwrap_or(by_status);
    }
    if !status.is_client_error() {
        return by_status;
    }
    // A size that is refused is not one that is wrong, whatever the code says beside it.
    let code = || if status == StatusCode::PAYLOAD_TOO_LARGE { None } else { by_code(told, writes) };
    by_words(told, writes).or_else(code).unwrap_or(by_status)
}

/// Causes that registries have no code for. The sentences are those of Harbor (recorded), ECR, Quay and GitHub.
fn by_words(told: &ErrorBody, writes: bool) -> Option<Meaning> {
    let says = |words: &[&str]| told.says(words);
    if says(&["project ", " not found"]) {
        return Some((ErrorKind::NotFound, Some(Reason::ProjectMissing)));
    }
    if says(&["repository ", " not found"]) && !told.has("NAME_UNKNOWN") {
        return Some((ErrorKind::NotFound, Some(missing_repository(writes))));
    }
    if writes && (says(&["immutable"]) || says(&["cannot be overwritten"])) {
        return Some((ErrorKind::ImmutableTag, Some(Reason::TagImmutable)));
    }
    if writes && (says(&["quota", "exceed"]) || says(&["exceed the configured upper limit"])) {
        return Some((ErrorKind::QuotaExceeded, Some(Reason::QuotaReached)));
    }
    if says(&["read only mode"]) || says(&["read-only mode"]) {
        return Some((ErrorKind::Unavailable, Some(Reason::ReadOnly)));
    }
    says(&["rate limit"]).then_some((ErrorKind::RateLimited, Some(Reason::TooManyRequests)))
}

fn by_words_of_a_server(told: &ErrorBody) -> Option<Meaning> {
    let full = told.says(&["no space left"]) || told.says(&["disk quota"]) || told.says(&["disk full"]);
    full.then_some((ErrorKind::Unavailable, Some(Reason::ServerFull)))
}

fn by_code(told: &ErrorBody, writes: bool) -> Option<Meaning> {
    let table = [
        ("BLOB_UNKNOWN", ErrorKind::NotFound, Some(Reason::BlobMissing)),
        ("MANIFEST_BLOB_UNKNOWN", ErrorKind::NotFound, Some(Reason::BlobMissing)),
        ("MANIFEST_UNKNOWN", ErrorKind::NotFound, Some(Reason::ManifestMissing)),
        ("NAME_UNKNOWN", ErrorKind::NotFound, Some(missing_repository(writes))),
        ("DIGEST_INVALID", ErrorKind::DigestMismatch, None),
        ("SIZE_INVALID", ErrorKind::DigestMismatch, Some(Reason::SizeMismatch)),
        ("MANIFEST_INVALID", ErrorKind::InvalidManifest, None),
        ("NAME_INVALID", ErrorKind::InvalidReference, None),
        ("TAG_INVALID", ErrorKind::InvalidReference, None),
        ("TOOMANYREQUESTS", ErrorKind::RateLimited, Some(Reason::TooManyRequests)),
        // Harbor's answer (412) for what may not be pulled: not signed yet, or with vulnerabilities.
        ("PROJECTPOLICYVIOLATION", ErrorKind::PermissionDenied, Some(Reason::RegistryPolicy)),
    ];
    table.into_iter().find(|(code, ..)| told.has(code)).map(|(_, kind, reason)| (kind, reason))
}

fn by_status(status: StatusCode, told: &ErrorBody) -> Meaning {
    match status.as_u16() {
        401 => (ErrorKind::Unauthenticated, Some(Reason::CredentialsRefused)),
        403 => (ErrorKind::PermissionDenied, Some(Reason::AccessDenied)),
        404 | 410 => (ErrorKind::NotFound, None),
        407 => (ErrorKind::Unauthenticated, Some(Reason::ProxyLogin)),
        405 | 501 => (ErrorKind::Unsupported, Some(Reason::OperationUnsupported)),
        408 => (ErrorKind::Timeout, None),
        409 | 412 => (ErrorKind::Conflict, None),
        413 => (ErrorKind::LimitExceeded, Some(Reason::DocumentTooLarge)),
        429 => (ErrorKind::RateLimited, Some(Reason::TooManyRequests)),
        400 if told.has("UNSUPPORTED") => (ErrorKind::Unsupported, Some(Reason::OperationUnsupported)),
        507 => (ErrorKind::QuotaExceeded, Some(Reason::QuotaReached)),
        // 499: a proxy in front of the registry lost its patience, or its client.
        499..=599 => (ErrorKind::Unavailable, Some(Reason::ServerFault)),
        _ => (ErrorKind::Protocol, Some(Reason::MalformedAnswer)),
    }
}

/// To a reader a repository is not there. To a writer it would be, if this registry made repositories by itself.
fn missing_repository(writes: bool) -> Reason {
    if writes { Reason::RepositoryNotCreated } else { Reason::RepositoryMissing }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str, writes: bool) -> Meaning {
        meaning(StatusCode::from_u16(status).unwrap(), &ErrorBody::parse(body.as_bytes()), writes)
    }

    #[test]
    fn statuses_and_codes_become_kinds() {
        let code = |code: &str| format!(r#"{{"errors":[{{"code":"{code}","message":"m"}}]}}"#);
        for (status, body, kind, reason) in [
            (401, String::new(), ErrorKind::Unauthenticated, Some(Reason::CredentialsRefused)),
            (403, code("DENIED"), ErrorKind::PermissionDenied, Some(Reason::AccessDenied)),
            (404, String::new(), ErrorKind::NotFound, None),
            (404, code("NAME_UNKNOWN"), ErrorKind::NotFound, Some(Reason::RepositoryMissing)),
            (404, code("manifest_unknown"), ErrorKind::NotFound, Some(Reason::ManifestMissing)),
            (400, code("MANIFEST_BLOB_UNKNOWN"), ErrorKind::NotFound, Some(Reason::BlobMissing)),
            (400, code("DIGEST_INVALID"), ErrorKind::DigestMismatch, None),
            (400, code("ARTIFACT_LOCKED"), ErrorKind::Protocol, Some(Reason::MalformedAnswer)),
            (400, code("UNSUPPORTED"), ErrorKind::Unsupported, Some(Reason::OperationUnsupported)),
            (405, String::new(), ErrorKind::Unsupported, Some(Reason::OperationUnsupported)),
            (413, "<html>".into(), ErrorKind::LimitExceeded, Some(Reason::DocumentTooLarge)),
            (413, code("SIZE_INVALID"), ErrorKind::LimitExceeded, Some(Reason::DocumentTooLarge)),
            (400, code("SIZE_INVALID"), ErrorKind::DigestMismatch, Some(Reason::SizeMismatch)),
            (429, code("TOOMANYREQUESTS"), ErrorKind::RateLimited, Some(Reason::TooManyRequests)),
            (503, code("NAME_UNKNOWN"), ErrorKind::Unavailable, Some(Reason::ServerFault)),
            (407, String::new(), ErrorKind::Unauthenticated, Some(Reason::ProxyLogin)),
            (408, String::new(), ErrorKind::Timeout, None),
            (499, String::new(), ErrorKind::Unavailable, Some(Reason::ServerFault)),
            (522, String::new(), ErrorKind::Unavailable, Some(Reason::ServerFault)),
            (507, String::new(), ErrorKind::QuotaExceeded, Some(Reason::QuotaReached)),
            (302, String::new(), ErrorKind::Protocol, Some(Reason::MalformedAnswer)),
        ] {
            assert_eq!(read(status, &body, false), (kind, reason), "{status} {body}");
        }
    }

    #[test]
    fn sentences_name_causes_that_have_no_code() {
        let says = |text: &str| format!(r#"{{"errors":[{{"code":"X","message":"{text}"}}]}}"#);
        for (status, text, writes, kind, reason) in [
            (
                401,
                "project nope not found: project nope not found",
                true,
                ErrorKind::NotFound,
                Reason::ProjectMissing,
            ),
            (404, "repository a/b not found", false, ErrorKind::NotFound, Reason::RepositoryMissing),
            (404, "repository a/b not found", true, ErrorKind::NotFound, Reason::RepositoryNotCreated),
            (
                412,
                "Failed to process request due to 'demo:0.1.0' configured as immutable.",
                true,
                ErrorKind::ImmutableTag,
                Reason::TagImmutable,
            ),
            (
                400,
                "The image tag '1.0.0' already exists and cannot be overwritten because the repository is immutable.",
                true,
                ErrorKind::ImmutableTag,
                Reason::TagImmutable,
            ),
            (
                403,
                "adding 2.9 KiB of storage resource, which when updated to current usage of 5.7 KiB will exceed the configured upper limit of 5.9 KiB.",
                true,
                ErrorKind::QuotaExceeded,
                Reason::QuotaReached,
            ),
            (
                412,
                "Quota exceeded when processing the request",
                true,
                ErrorKind::QuotaExceeded,
                Reason::QuotaReached,
            ),
            (
                403,
                "The system is in read only mode. Any modification is prohibited.",
                true,
                ErrorKind::Unavailable,
                Reason::ReadOnly,
            ),
            (
                403,
                "You have exceeded a secondary rate limit",
                false,
                ErrorKind::RateLimited,
                Reason::TooManyRequests,
            ),
            (
                500,
                "write /registry/x: no space left on device",
                true,
                ErrorKind::Unavailable,
                Reason::ServerFull,
            ),
            // To a reader these words mean nothing special.
            (403, "quota exceeded", false, ErrorKind::PermissionDenied, Reason::AccessDenied),
            (404, "artifact a/b:1.0.0 not found", false, ErrorKind::NotFound, Reason::TagMissing),
        ] {
            let found = read(status, &says(text), writes);
            let wanted = Some(reason).filter(|reason| *reason != Reason::TagMissing);
            assert_eq!(found, (kind, wanted), "{status} {text}");
        }
    }
}
