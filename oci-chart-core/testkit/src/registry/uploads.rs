//! Uploads: every way in which a blob gets into the registry.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use hyper::StatusCode;
use hyper::header::{
    CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HeaderName, LOCATION, RANGE, TRANSFER_ENCODING,
};

use super::answer::{ApiError, CONTENT_DIGEST, Refusal, Reply, bad_request, not_found};
use super::blobs::parse;
use super::digest::{Algorithm, Digest};
use super::exchange::Call;
use super::policy;
use super::spool::Spool;
use crate::log::locked;
use crate::options::Mounts;
use crate::quirk::Quirk;

const MIN_CHUNK: HeaderName = HeaderName::from_static("oci-chunk-min-length");

/// Uploads under way.
#[derive(Default)]
pub(crate) struct Uploads {
    sessions: Mutex<HashMap<String, Arc<tokio::sync::Mutex<Session>>>>,
    serial: AtomicU64,
}

struct Session {
    repository: String,
    spool: Option<Spool>,
    /// A chunk below the minimum came: it must have been the last.
    short: bool,
    /// A chunk came already.
    begun: bool,
}

impl Uploads {
    pub(crate) fn count(&self) -> usize {
        locked(&self.sessions).len()
    }
}

impl std::fmt::Debug for Uploads {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Uploads").field("open", &self.count()).finish_non_exhaustive()
    }
}

/// POST: a mount, a whole blob, or a new session.
pub(crate) async fn begin(call: &mut Call<'_>, repository: &str) -> Result<Reply, Refusal> {
    check_repository(call, repository)?;
    if let Some(digest) = call.query.first("mount") {
        if let Some(reply) = mount(call, repository, digest)? {
            return Ok(reply);
        }
    } else if let Some(digest) = call.query.first("digest").filter(|_| call.state.options.single_post) {
        let digest = parse(digest)?;
        let typed = call.headers.get(CONTENT_TYPE).is_some_and(|value| value == "application/octet-stream");
        if call.state.has(Quirk::PostNeedsType) && !typed {
            call.bite(Quirk::PostNeedsType);
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(ApiError::new(status, "UNSUPPORTED", "a blob is application/octet-stream").into());
        }
        let mut spool = Spool::new(call.state.options.place.clone(), digest.algorithm());
        receive(call, &mut spool).await?;
        return commit(call, repository, spool, &digest);
    }
    let algorithm = match call.query.first("digest-algorithm") {
        None => Algorithm::Sha256,
        Some(name) => Algorithm::named(name)
            .ok_or_else(|| bad_request("DIGEST_INVALID", format!("unsupported digest algorithm {name:?}")))?,
    };
    let uploads = &call.state.uploads;
    let serial = uploads.serial.fetch_add(1, Ordering::SeqCst) + 1;
    let session =
        format!("{serial:08x}-0000-4000-8000-{:012x}", serial.wrapping_mul(0x9E37_79B9) & 0xFFFF_FFFF_FFFF);
    let spool = Spool::new(call.state.options.place.clone(), algorithm);
    let state = Session { repository: repository.to_owned(), spool: Some(spool), short: false, begun: false };
    let location = location(call, &state, &session);
    locked(&uploads.sessions).insert(session.clone(), Arc::new(tokio::sync::Mutex::new(state)));

    let mut reply = Reply::new(StatusCode::ACCEPTED)
        .location(&location)
        .header(RANGE, "0-0")
        .header(HeaderName::from_static("docker-upload-uuid"), &session);
    if let Some(bytes) = call.state.options.min_chunk {
        reply = reply.header(MIN_CHUNK, bytes.to_string());
    }
    Ok(reply)
}

/// GET, PATCH, PUT or DELETE of a session.
pub(crate) async fn proceed(call: &mut Call<'_>, repository: &str, id: &str) -> Result<Reply, Refusal> {
    let found = locked(&call.state.uploads.sessions).get(id).cloned().ok_or_else(unknown)?;
    let mut session = found.lock().await;
    if session.repository != repository || session.spool.is_none() {
        return Err(unknown().into());
    }
    // The query of the location belongs to it: a client that builds its own URL is found out.
    let state = call.query.first("_state").map(str::to_owned);
    let carries_content = matches!(call.method.as_str(), "PATCH" | "PUT");
    if state.is_none() || (carries_content && state != Some(state_of(call, &session, id))) {
        let message = "the query of the upload location is missing or not the newest";
        return Err(bad_request("BLOB_UPLOAD_INVALID", message).into());
    }
    match call.method.as_str() {
        "GET" => Ok(progress(call, &session, id, StatusCode::NO_CONTENT)),
        "PATCH" => patch(call, &mut session, id).await,
        "PUT" => {
            let outcome = put(call, &mut session, id).await;
            if session.spool.is_none() {
                locked(&call.state.uploads.sessions).remove(id);
            }
            outcome
        }
        _ if call.state.has(Quirk::CancelForbidden) => {
            Err(policy::forbidden("DENIED", "deleting needs a right of its own").into())
        }
        _ => {
            locked(&call.state.uploads.sessions).remove(id);
            session.spool = None;
            Ok(Reply::new(StatusCode::NO_CONTENT))
        }
    }
}

/// Pushes may be limited to repositories made beforehand.
pub(crate) fn check_repository(call: &Call<'_>, repository: &str) -> Result<(), ApiError> {
    match &call.state.options.repositories {
        Some(names) if !names.iter().any(|name| name == repository) => {
            Err(not_found("NAME_UNKNOWN", format!("the repository {repository} does not exist")))
        }
        _ => Ok(()),
    }
}

fn mount(call: &Call<'_>, repository: &str, digest: &str) -> Result<Option<Reply>, Refusal> {
    let options = &call.state.options;
    match options.mounts {
        Mounts::Supported => {}
        Mounts::Never => return Ok(None),
        Mounts::Refused(status) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
            return Err(ApiError::new(status, "UNSUPPORTED", "mounts are refused here").into());
        }
    }
    let digest = parse(digest)?;
    let source = call.query.first("from");
    if source.is_none() && call.state.has(Quirk::MountNeedsSource) {
        call.bite(Quirk::MountNeedsSource);
        return Err(bad_request("UNSUPPORTED", "a mount has a source").into());
    }
    let mut storage = locked(&call.state.storage);
    let foreign = |source: &str| source != repository && storage.repository(source).is_none();
    if source.is_some_and(foreign) && call.state.has(Quirk::MountChecksSource) {
        call.bite(Quirk::MountChecksSource);
        return Err(bad_request("NAME_INVALID", "invalid repository name").into());
    }
    let blob = match source {
        _ if call.state.has(Quirk::MountIgnoresSource) => {
            storage.blob(repository, &digest).or_else(|| storage.blob_anywhere(&digest))
        }
        Some(source) => storage.blob(source, &digest),
        None if options.anonymous_mount => storage.blob_anywhere(&digest),
        None => None,
    };
    Ok(blob.map(|blob| {
        storage.open(repository).blobs.insert(digest.clone(), blob);
        created(call, repository, &digest)
    }))
}

async fn patch(call: &mut Call<'_>, session: &mut Session, id: &str) -> Result<Reply, Refusal> {
    let options = &call.state.options;
    if !options.chunks {
        return Err(bad_request("UNSUPPORTED", "chunked uploads are not supported").into());
    }
    let announced = announced_length(call);
    if options.max_chunk.is_some_and(|max| announced.is_none_or(|length| length > max)) {
        return Err(out_of_range(call, session, id).into());
    }
    if session.short {
        return Err(
            bad_request("SIZE_INVALID", "a chunk before this one was smaller than the minimum").into()
        );
    }
    check_order(call, session, id)?;
    if call.state.has(Quirk::LaterChunksDropped) && session.begun {
        call.bite(Quirk::LaterChunksDropped);
        call.body.drain(u64::MAX).await?;
        return Ok(progress(call, session, id, StatusCode::CREATED));
    }
    session.begun = true;
    let spool = session.spool.as_mut().ok_or_else(unknown)?;
    let before = spool.length();
    receive(call, spool).await?;
    session.short = options.min_chunk.is_some_and(|min| spool.length() - before < min);
    let status = StatusCode::from_u16(options.chunk_status).unwrap_or(StatusCode::ACCEPTED);
    Ok(progress(call, session, id, status))
}

async fn put(call: &mut Call<'_>, session: &mut Session, id: &str) -> Result<Reply, Refusal> {
    let digest =
        call.query.first("digest").ok_or_else(|| bad_request("DIGEST_INVALID", "no digest parameter"))?;
    let digest = parse(digest)?;
    let empty = announced_length(call).unwrap_or(0) == 0 && !call.headers.contains_key(TRANSFER_ENCODING);
    if !call.state.options.whole_put && !empty {
        let message = "content comes with PATCH here, PUT has no body";
        return Err(bad_request("BLOB_UPLOAD_INVALID", message).into());
    }
    check_order(call, session, id)?;
    // Taken out only when the body is complete: an interrupted PUT can be resumed.
    receive(call, session.spool.as_mut().ok_or_else(unknown)?).await?;
    let spool = session.spool.take().ok_or_else(unknown)?;
    let repository = session.repository.clone();
    commit(call, &repository, spool, &digest)
}

async fn receive(call: &mut Call<'_>, spool: &mut Spool) -> Result<(), Refusal> {
    while let Some(part) = call.body.chunk().await? {
        spool.append(&part)?;
    }
    Ok(())
}

fn commit(call: &Call<'_>, repository: &str, spool: Spool, digest: &Digest) -> Result<Reply, Refusal> {
    let (actual, stored) = spool.finish(digest.algorithm())?;
    if actual != *digest {
        return Err(bad_request("DIGEST_INVALID", format!("the content has the digest {actual}")).into());
    }
    if stored.length() == 0 && call.state.has(Quirk::NoEmptyBlobs) {
        call.bite(Quirk::NoEmptyBlobs);
        return Err(bad_request("BLOB_UPLOAD_INVALID", "a blob has bytes").into());
    }
    policy::may_store(call, repository, stored.length())?;
    locked(&call.state.storage).open(repository).blobs.insert(actual, Arc::new(stored));
    Ok(created(call, repository, digest))
}

fn created(call: &Call<'_>, repository: &str, digest: &Digest) -> Reply {
    Reply::new(StatusCode::CREATED)
        .location(&call.url(&format!("/v2/{repository}/blobs/{digest}")))
        .header(CONTENT_DIGEST, digest.to_string())
}

/// Bytes must come in their order, but for registries that have no eye for that.
fn check_order(call: &Call<'_>, session: &Session, id: &str) -> Result<(), Refusal> {
    match check_range(call, session, id) {
        Err(_) if call.state.has(Quirk::AnyOrder) => {
            call.bite(Quirk::AnyOrder);
            Ok(())
        }
        checked => checked,
    }
}

/// A chunk must begin where the last one ended, and be as long as it says.
fn check_range(call: &Call<'_>, session: &Session, id: &str) -> Result<(), Refusal> {
    let Some(header) = call.headers.get(CONTENT_RANGE) else { return Ok(()) };
    let parsed = header.to_str().ok().and_then(|text| text.split_once('-'));
    let parsed = parsed.and_then(|(a, b)| Some((a.parse::<u64>().ok()?, b.parse::<u64>().ok()?)));
    let Some((first, last)) = parsed else {
        return Err(bad_request("BLOB_UPLOAD_INVALID", "Content-Range is not of the form 0-99").into());
    };
    let offset = session.spool.as_ref().map_or(0, Spool::length);
    if first != offset || last.checked_add(1).is_none_or(|end| end < first) {
        return Err(out_of_range(call, session, id).into());
    }
    if announced_length(call).is_some_and(|length| length != last + 1 - first) {
        return Err(bad_request("SIZE_INVALID", "Content-Range and Content-Length disagree").into());
    }
    Ok(())
}

fn out_of_range(call: &Call<'_>, session: &Session, id: &str) -> ApiError {
    ApiError::new(StatusCode::RANGE_NOT_SATISFIABLE, "BLOB_UPLOAD_INVALID", "the chunk is not the next one")
        .header(LOCATION, &location(call, session, id))
        .header(RANGE, &received(session))
}

fn progress(call: &Call<'_>, session: &Session, id: &str, status: StatusCode) -> Reply {
    Reply::new(status).location(&location(call, session, id)).header(RANGE, received(session))
}

/// Inclusive at both ends, which has no way to say "nothing": like other registries, `0-0` then.
fn received(session: &Session) -> String {
    format!("0-{}", session.spool.as_ref().map_or(0, Spool::length).saturating_sub(1))
}

fn announced_length(call: &Call<'_>) -> Option<u64> {
    call.headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn location(call: &Call<'_>, session: &Session, id: &str) -> String {
    let (repository, state) = (&session.repository, state_of(call, session, id));
    call.url(&format!("/v2/{repository}/blobs/uploads/{id}?_state={state}"))
}

fn state_of(call: &Call<'_>, session: &Session, id: &str) -> String {
    let received = session.spool.as_ref().map_or(0, Spool::length);
    let turn = if call.state.options.rotating_locations { received } else { 0 };
    Digest::of(Algorithm::Sha256, format!("{id} {turn}").as_bytes())
        .to_string()
        .split_off("sha256:".len() + 48)
}

fn unknown() -> ApiError {
    not_found("BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
}
