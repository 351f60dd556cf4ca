//! Blobs: GET with ranges, HEAD, DELETE.

use hyper::header::{
    ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH, IF_RANGE,
    RANGE,
};
use hyper::{HeaderMap, StatusCode};

use super::answer::{ApiError, CONTENT_DIGEST, Content, Refusal, Reply, bad_request, not_found, unsupported};
use super::digest::Digest;
use super::exchange::Call;
use crate::log::locked;

/// GET and HEAD at the registry, where GET may lead to the other origin.
pub(crate) fn get(call: &Call<'_>, repository: &str, digest: &str) -> Result<Reply, Refusal> {
    let reply = serve(call, repository, digest)?;
    match &call.state.origins.storage {
        Some(origin) if call.method == "GET" => {
            let url = format!("{origin}/v2/{repository}/blobs/{digest}?signature=s%2Fs%3D");
            Ok(Reply::new(StatusCode::TEMPORARY_REDIRECT).location(&url))
        }
        _ => Ok(reply),
    }
}

/// The blob itself.
pub(crate) fn serve(call: &Call<'_>, repository: &str, digest: &str) -> Result<Reply, Refusal> {
    let digest = parse(digest)?;
    let blob = locked(&call.state.storage).blob(repository, &digest).ok_or_else(|| unknown(&digest))?;
    let etag = format!("\"{digest}\"");
    let whole = blob.length();
    let base = |status| Reply::new(status).header(CONTENT_DIGEST, digest.to_string()).header(ETAG, &etag);

    if text(&call.headers, IF_NONE_MATCH).is_some_and(|tags| tags.split(',').any(|tag| tag.trim() == etag)) {
        return Ok(base(StatusCode::NOT_MODIFIED));
    }
    let current = text(&call.headers, IF_RANGE).is_none_or(|tag| tag == etag);
    let range =
        text(&call.headers, RANGE).filter(|_| current && call.state.options.ranges && call.method == "GET");
    let range = range.map_or(Asked::All, |range| Asked::parse(range, whole));
    let (status, start, length) = match range {
        Asked::All => (StatusCode::OK, 0, whole),
        Asked::Part { start, length } => (StatusCode::PARTIAL_CONTENT, start, length),
        Asked::Nothing => {
            return Err(ApiError::new(StatusCode::RANGE_NOT_SATISFIABLE, "RANGE_INVALID", "no such range")
                .header(CONTENT_RANGE, &format!("bytes */{whole}"))
                .into());
        }
    };
    let mut reply = base(status)
        .header(CONTENT_TYPE, "application/octet-stream")
        .header(CONTENT_LENGTH, length.to_string())
        .content(Content::Blob { blob, start, length });
    if call.state.options.ranges {
        reply = reply.header(ACCEPT_RANGES, "bytes");
    }
    if status == StatusCode::PARTIAL_CONTENT {
        reply = reply.header(CONTENT_RANGE, format!("bytes {start}-{}/{whole}", start + length - 1));
    }
    Ok(reply)
}

pub(crate) fn delete(call: &Call<'_>, repository: &str, digest: &str) -> Result<Reply, Refusal> {
    if !call.state.options.delete {
        return Err(unsupported("deleting is switched off").into());
    }
    let digest = parse(digest)?;
    let mut storage = locked(&call.state.storage);
    let removed = storage.existing(repository).and_then(|repository| repository.blobs.remove(&digest));
    match removed {
        Some(_) => Ok(Reply::new(StatusCode::ACCEPTED)),
        None => Err(unknown(&digest).into()),
    }
}

pub(crate) fn parse(digest: &str) -> Result<Digest, ApiError> {
    Digest::parse(digest)
        .ok_or_else(|| bad_request("DIGEST_INVALID", format!("{digest:?} is not a supported digest")))
}

fn unknown(digest: &Digest) -> ApiError {
    not_found("BLOB_UNKNOWN", format!("blob {digest} unknown to registry"))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// What a `Range` header asks for (RFC 9110, section 14); headers that are not understood ask for everything.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    All,
    Part { start: u64, length: u64 },
    Nothing,
}

impl Asked {
    fn parse(header: &str, whole: u64) -> Self {
        let Some((first, last)) = header.strip_prefix("bytes=").and_then(|range| range.split_once('-'))
        else {
            return Self::All;
        };
        let number = |text: &str| text.trim().parse::<u64>().ok();
        let (start, end) = match (number(first), number(last)) {
            (Some(start), Some(last)) => (start, last.saturating_add(1).min(whole)),
            (Some(start), None) if last.is_empty() => (start, whole),
            (None, Some(suffix)) if first.is_empty() => (whole.saturating_sub(suffix), whole),
            _ => return Self::All,
        };
        if start < end { Self::Part { start, length: end - start } } else { Self::Nothing }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let part = |start, length| Asked::Part { start, length };
        let table = [
            ("bytes=0-0", part(0, 1)),
            ("bytes=2-", part(2, 8)),
            ("bytes=-3", part(7, 3)),
            ("bytes=-30", part(0, 10)),
            ("bytes=8-99", part(8, 2)),
            ("bytes=10-", Asked::Nothing),
            ("bytes=5-4", Asked::Nothing),
            ("bytes=-0", Asked::Nothing),
            ("bytes=0-1,3-4", Asked::All),
            ("lines=0-1", Asked::All),
            ("bytes=-", Asked::All),
        ];
        for (header, asked) in table {
            assert_eq!(Asked::parse(header, 10), asked, "{header}");
        }
    }
}
