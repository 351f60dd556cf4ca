//! Uploads: one PUT where nothing speaks against it, piece by piece where the registry wants it so, and on from where it broke off.

mod chunks;
mod session;
mod source;

use reqwest::{
    Method, StatusCode,
    header::{CONTENT_TYPE, HeaderValue},
};

pub(super) use session::Session;
use source::Source;

use super::{Repository, capabilities::Feature, options::UploadMode};
use crate::{
    digest::{Algorithm, Digest},
    error::{Error, ErrorKind, Reason, Result},
    http::Request,
    store::{Blob, Pushed},
};

/// The size of a piece where nobody asked for one, in bytes: GitHub's registry takes no larger ones.
const CHUNK: u64 = 4 << 20;

/// Below this, pieces are not halved any more, in bytes: what takes only less is broken.
const LEAST_CHUNK: u64 = 64 << 10;

/// What is sent in one POST without a look whether it is there, where uploads are told to be that, in bytes.
const NO_LOOK: u64 = 64 << 10;

/// How a blob goes.
#[derive(Clone, Copy)]
enum Way {
    Whole,
    Chunks(u64),
}

/// Why an upload did not end well.
enum Failure {
    /// There is no other way to try.
    Final(Error),
    /// The registry has lost the thread; from the beginning it may go well.
    Lost(Error),
    /// It does not take the blob in one piece.
    NotWhole(Error),
    /// It does not take it in pieces.
    NotInChunks(Error),
}

impl Repository {
    /// Sends `blob` into `session`, and into another one if need be.
    pub(super) async fn upload(&self, mut session: Session, blob: &Blob) -> Result<()> {
        let (source, learnt) = (Source::new(blob), &self.registry().learnt);
        let mut way = self.way(source.size());
        let (mut not_whole, mut begun_anew) = (None, false);
        loop {
            let result = match way {
                Way::Whole => session.send_whole(&source).await.map(|()| None),
                Way::Chunks(bytes) => session.send_chunks(&source, bytes).await.map(Some),
            };
            let failure = match result {
                Ok(piece) => {
                    if let (Some(piece), Some(error)) = (piece, not_whole) {
                        self.learn_size(&error, piece);
                    }
                    session.close();
                    return Ok(());
                }
                Err(failure) => failure,
            };
            session.give_up().await;
            match failure {
                Failure::Final(error) => return Err(error),
                Failure::Lost(error) if begun_anew => return Err(error),
                Failure::Lost(_) => begun_anew = true,
                Failure::NotWhole(error) => {
                    let Some(bytes) = first_chunk(&error, source.size()) else { return Err(error) };
                    if learnt.lacks(Feature::Chunks) {
                        return Err(error);
                    }
                    (way, not_whole) = (Way::Chunks(bytes), Some(error));
                }
                Failure::NotInChunks(error) => {
                    learnt.learn(Feature::Chunks, false);
                    // What the registry said first is what keeps the blob out.
                    if let Some(first) = not_whole {
                        return Err(first);
                    }
                    if matches!(way, Way::Whole) || learnt.lacks(Feature::WholeUploads) {
                        return Err(error);
                    }
                    way = Way::Whole;
                }
            }
            session = self.open_session(&source.descriptor().digest).await?;
        }
    }

    /// Opens an upload.
    pub(super) async fn open_session(&self, digest: &Digest) -> Result<Session> {
        let url = self.url("blobs/uploads/", algorithm_parameter(digest));
        let response = self.send(self.writing(), &|| Ok(Request::new(Method::POST, url.clone()))).await?;
        if response.status() != StatusCode::ACCEPTED {
            return Err(response.refused().await);
        }
        Session::open(self.clone(), response).await
    }

    /// Sends the whole blob with the request that opens its upload. Some registries then want it with a second one all the same.
    pub(super) async fn upload_at_once(&self, blob: &Blob) -> Result<Pushed> {
        let (digest, source) = (&blob.descriptor().digest, Source::new(blob));
        if source.size() > NO_LOOK && !blob.is_wanted_anyway() && self.has_blob(digest).await? {
            return Ok(Pushed::Existing);
        }
        let url = self.url("blobs/uploads/", Some(&format!("digest={digest}")));
        let make = || {
            Ok(Request::new(Method::POST, url.clone())
                .with_header(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"))
                .with_body(source.body(0, source.size(), false)))
        };
        let response = self.send(self.writing(), &make).await?;
        match response.status() {
            StatusCode::ACCEPTED => {
                let session = Session::open(self.clone(), response).await?;
                self.upload(session, blob).await.map(|()| Pushed::Written)
            }
            status if status.is_success() => {
                response.drain().await;
                Ok(Pushed::Written)
            }
            _ => Err(response.refused().await),
        }
    }

    fn way(&self, size: u64) -> Way {
        let registry = self.registry();
        let (mode, learnt) = (registry.upload_mode(), &registry.learnt);
        let limit = learnt.body_limit().unwrap_or(CHUNK);
        let bytes = match mode {
            UploadMode::Chunked { bytes } => bytes.max(1),
            _ if learnt.lacks(Feature::WholeUploads) => 0,
            _ => learnt.body_limit().unwrap_or(u64::MAX),
        };
        if size > bytes && !learnt.lacks(Feature::Chunks) {
            Way::Chunks(if bytes == 0 { limit } else { bytes })
        } else {
            Way::Whole
        }
    }

    /// Remembers that blobs go in pieces of at most so many bytes.
    fn learn_size(&self, not_whole: &Error, piece: u64) {
        let learnt = &self.registry().learnt;
        learnt.learn(Feature::Chunks, true);
        if is_too_large(not_whole) {
            learnt.limit_bodies(piece);
        } else {
            learnt.learn(Feature::WholeUploads, false);
        }
    }
}

/// How an upload of content under `digest` has to be announced: SHA-256 is understood (distribution spec, "Pushing blobs").
pub(super) fn algorithm_parameter(digest: &Digest) -> Option<&'static str> {
    match digest.algorithm() {
        Algorithm::Sha256 => None,
        Algorithm::Sha512 => Some("digest-algorithm=sha512"),
    }
}

/// The first piece to try where the whole was refused; none where smaller ones would be absurd.
fn first_chunk(not_whole: &Error, size: u64) -> Option<u64> {
    if !is_too_large(not_whole) {
        return (size > 0).then_some(CHUNK);
    }
    (size > LEAST_CHUNK).then(|| (size / 2).clamp(LEAST_CHUNK, CHUNK))
}

fn is_too_large(error: &Error) -> bool {
    error.kind() == ErrorKind::LimitExceeded
}

/// The error of an upload that the registry knows nothing of any more.
fn lost() -> Error {
    Error::new(ErrorKind::Unavailable, "the registry lost the upload on its way")
        .with_reason(Reason::UploadLost)
        .with_retryable(true)
        .with_hint("try again; if it stays, the registry's own storage, or one of its replicas, is at fault")
}
