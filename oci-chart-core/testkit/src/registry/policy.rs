//! Quirks that concern no single endpoint, and the rules that an owner can set.

use std::sync::atomic::Ordering;

use hyper::StatusCode;
use hyper::header::{ACCEPT, CONTENT_TYPE, COOKIE, HeaderName, RANGE, SET_COOKIE, USER_AGENT};

use super::State;
use super::answer::{ApiError, Content, Refusal, Reply, bad_request, not_found, unsupported};
use super::exchange::{Call, no_endpoint};
use super::route::Route;
use super::storage::Manifest;
use crate::log::locked;
use crate::quirk::Quirk;
use crate::script::matches;

const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
/// Docker Hub counts over six hours.
const WINDOW: &str = "w=21600";

/// What is looked at before credentials are.
pub(super) fn before(call: &Call<'_>) -> Result<(), Refusal> {
    if call.state.has(Quirk::CookieNeedsCsrf) && writes(call) && call.headers.contains_key(COOKIE) {
        call.bite(Quirk::CookieNeedsCsrf);
        return Err(forbidden("FORBIDDEN", "CSRF token not found in request").into());
    }
    Ok(())
}

/// What is looked at once the caller is known.
pub(super) fn after(call: &Call<'_>, route: &Route) -> Result<(), Refusal> {
    let state = call.state;
    if state.options.read_only && writes(call) {
        let message = "The system is in read only mode. Any modification is prohibited.";
        return Err(forbidden("DENIED", message).into());
    }
    if let Some(repository) = route.repository().filter(|repository| !state.has_project(repository)) {
        if !writes(call) && state.has(Quirk::HtmlForUnknown) {
            let page = "<!DOCTYPE html><html><title>Sign in</title></html>".into();
            let reply = Reply::new(StatusCode::OK).header(CONTENT_TYPE, "text/html; charset=utf-8");
            return Err(Refusal::Reply(Box::new(reply.content(Content::Bytes(page)))));
        }
        return Err(not_found("NAME_UNKNOWN", format!("no project for {repository}")).into());
    }
    let entries = call.query.first("n").and_then(|n| n.parse().ok()).unwrap_or(0);
    match route {
        Route::Catalog if state.has(Quirk::NoCatalog) => return Err(no_endpoint(state)),
        Route::Catalog | Route::Tags { .. } if state.has(Quirk::PageLimit) && entries > 1000 => {
            call.bite(Quirk::PageLimit);
            return Err(bad_request("INVALID_PARAMETER", "n is at most 1000").into());
        }
        Route::Uploads { .. }
            if state.has(Quirk::FromNeedsMount)
                && call.query.first("from").is_some()
                && call.query.first("mount").is_none() =>
        {
            call.bite(Quirk::FromNeedsMount);
            return Err(unsupported("from without mount").into());
        }
        Route::Blob { .. }
            if state.has(Quirk::NoRangeFromStart)
                && call.headers.get(RANGE).is_some_and(|range| range.as_bytes().starts_with(b"bytes=0-")) =>
        {
            call.bite(Quirk::NoRangeFromStart);
            return Err(bad_request("UNKNOWN", "the range is the whole").into());
        }
        _ => {}
    }
    Ok(())
}

/// An error in the words of this registry.
pub(super) fn in_own_words(call: &Call<'_>, mut error: ApiError) -> ApiError {
    let has = |quirk| call.state.has(quirk);
    match (error.status, error.code) {
        (StatusCode::NOT_FOUND, _) if call.method == "HEAD" && has(Quirk::ForbiddenForMissing) => {
            return forbidden("DENIED", "you may not read this");
        }
        (_, "MANIFEST_BLOB_UNKNOWN") if has(Quirk::MissingBlobIsBad) => {
            error.status = StatusCode::BAD_REQUEST;
        }
        (StatusCode::METHOD_NOT_ALLOWED, _) if call.method == "DELETE" && has(Quirk::TagDeleteIsBad) => {
            error.status = StatusCode::BAD_REQUEST;
        }
        (StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN" | "NAME_UNKNOWN") if has(Quirk::NotFoundCode) => {
            error.code = "NOT_FOUND";
        }
        _ => {}
    }
    error
}

/// What every answer carries.
pub(super) fn adorn(state: &State, reply: &mut Reply) {
    if state.has(Quirk::CookieNeedsCsrf)
        && let Ok(cookie) = "sid=testkit; Path=/; HttpOnly".parse()
    {
        reply.headers.insert(SET_COOKIE, cookie);
    }
}

/// Whether the caller may see this manifest, in this form and now.
pub(super) fn may_read(call: &Call<'_>, repository: &str, manifest: &Manifest) -> Result<(), Refusal> {
    let text = |name| call.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if call.state.has(Quirk::AcceptNeeded) && !text(ACCEPT).contains(&manifest.media_type) {
        call.bite(Quirk::AcceptNeeded);
        let message = "OCI manifest found, but accept header does not support OCI manifests";
        // In words that this registry has for nothing else.
        return Err(Refusal::Reply(Box::new(not_found("MANIFEST_UNKNOWN", message).reply())));
    }
    if call.state.options.unsigned_hidden && !text(USER_AGENT).starts_with("cosign/") {
        let digest = manifest.digest.to_string();
        let storage = locked(&call.state.storage);
        let manifests = storage.repository(repository).into_iter().flat_map(|found| found.manifests.values());
        let subjects = manifests.filter_map(|other| other.facts.subject.as_ref());
        let signs = subjects.chain(&manifest.facts.subject).any(|subject| *subject == digest);
        // What signs something else is no secret.
        if !signs && manifest.facts.subject.is_none() {
            let message = "The image is not signed by cosign.";
            let status = StatusCode::PRECONDITION_FAILED;
            return Err(ApiError::new(status, "PROJECTPOLICYVIOLATION", message).into());
        }
    }
    Ok(())
}

/// Counts a manifest that is read, and says how many may be.
pub(super) fn counted(call: &Call<'_>, reply: Reply) -> Result<Reply, Refusal> {
    if !call.state.has(Quirk::CountedPulls) {
        return Ok(reply);
    }
    let (limit, pulls) = (call.state.options.rate_limit, &call.state.pulls);
    let before = pulls.load(Ordering::SeqCst);
    let count = if call.method == "GET" { pulls.fetch_add(1, Ordering::SeqCst) + 1 } else { before };
    let left = limit.saturating_sub(count);
    let headers = [(LIMIT, format!("{limit};{WINDOW}")), (REMAINING, format!("{left};{WINDOW}"))];
    if count > limit && call.method == "GET" {
        call.bite(Quirk::CountedPulls);
        let message = "You have reached your pull rate limit.";
        let error = ApiError::new(StatusCode::TOO_MANY_REQUESTS, "TOOMANYREQUESTS", message);
        return Err(headers
            .into_iter()
            .fold(error, |error, (name, value)| error.header(name, &value))
            .into());
    }
    Ok(headers.into_iter().fold(reply, |reply, (name, value)| reply.header(name, value)))
}

/// Whether this tag may be written.
pub(super) fn may_tag(call: &Call<'_>, repository: &str, tag: &str) -> Result<(), ApiError> {
    let held = call.state.options.immutable.iter().any(|pattern| matches(pattern, tag));
    let storage = locked(&call.state.storage);
    if !held || storage.repository(repository).is_none_or(|found| !found.tags.contains_key(tag)) {
        return Ok(());
    }
    let name = repository.split_once('/').map_or(repository, |(_, name)| name);
    Err(if call.state.has(Quirk::RightsAreChallenged) {
        let message = format!("Failed to process request due to '{name}:{tag}' configured as immutable.");
        ApiError::new(StatusCode::PRECONDITION_FAILED, "PRECONDITION", message)
    } else {
        let message = format!(
            "The image tag '{tag}' already exists in the '{repository}' repository and cannot be overwritten because the \
             repository is immutable."
        );
        bad_request("TAG_INVALID", message)
    })
}

/// Whether so many more bytes are within the quota of the project.
pub(super) fn may_store(call: &Call<'_>, repository: &str, bytes: u64) -> Result<(), ApiError> {
    let Some(quota) = call.state.options.quota else { return Ok(()) };
    let project = |name: &str| name.split('/').next().unwrap_or_default().to_owned();
    let storage = locked(&call.state.storage);
    let names = storage.names().filter(|name| project(name) == project(repository));
    let blobs = names.filter_map(|name| storage.repository(name)).flat_map(|found| found.blobs.values());
    let used: u64 = blobs.map(|blob| blob.length()).sum();
    if used + bytes <= quota {
        return Ok(());
    }
    let message = format!(
        "adding {bytes} B of storage resource, which when updated to current usage of {used} B will exceed the configured \
         upper limit of {quota} B."
    );
    Err(forbidden("DENIED", message))
}

fn writes(call: &Call<'_>) -> bool {
    !matches!(call.method.as_str(), "GET" | "HEAD")
}

pub(super) fn forbidden(code: &'static str, message: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::FORBIDDEN, code, message)
}
