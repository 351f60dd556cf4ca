use std::time::Duration;

use reqwest::{
    Method, StatusCode, Url,
    header::{CONTENT_RANGE, CONTENT_TYPE, HeaderValue, LOCATION, RANGE},
};

use super::{Failure, Source, lost};
use crate::{
    error::{Error, Reason, Result},
    http::{Repeat, Request, Response, Retry, wire},
    store::repository::{Repository, capabilities::Feature},
};

/// How long giving up an upload may take. It is a courtesy: registries clean up by themselves in the end.
const GIVE_UP: Duration = Duration::from_secs(5);

/// How often a registry may correct where an upload stands.
pub(super) const CORRECTIONS: u32 = 3;

/// An upload that the registry has opened. It is given up when it is dropped before its end, so that a cancelled push leaves nothing
/// behind.
pub(in crate::store::repository) struct Session {
    pub(super) repository: Repository,
    pub(super) location: Option<Url>,
    /// The smallest piece that the registry takes, but for the last, in bytes.
    pub(super) least_chunk: u64,
}

impl Session {
    /// Takes over the upload that `response` opened.
    pub(in crate::store::repository) async fn open(
        repository: Repository,
        response: Response,
    ) -> Result<Self> {
        let mut session = Self { repository, location: None, least_chunk: 0 };
        session.follow(&response)?;
        if session.location.is_none() {
            return Err(response
                .broken("the registry opens an upload and does not say where", Reason::MalformedAnswer));
        }
        response.drain().await;
        Ok(session)
    }

    /// Sends everything in one request, and after a broken connection what the registry does not have yet.
    pub(super) async fn send_whole(&mut self, source: &Source) -> Result<(), Failure> {
        let mut retry = self.retry();
        let (mut from, mut again, mut corrections) = (0, false, 0);
        loop {
            let error = match self.put(source, from, again).await {
                Ok(response) if response.status().is_success() => {
                    response.drain().await;
                    return Ok(());
                }
                Ok(response) if response.status() == StatusCode::RANGE_NOT_SATISFIABLE => {
                    corrections += 1;
                    let error = response.refused().await;
                    if corrections > CORRECTIONS || from > 0 {
                        return Err(Failure::Lost(error));
                    }
                    None
                }
                Ok(response) => Some(not_accepted(response, from > 0).await?),
                Err(error) => Some(error),
            };
            if let Some(error) = error {
                retry.again(error).await.map_err(Failure::Final)?;
            }
            let Some(now) = self.standing(source).await? else { return Ok(()) };
            if now > from {
                retry.progress();
            }
            (from, again) = (now, true);
        }
    }

    /// The request that ends the upload, with whatever `source` has from `from` on.
    pub(super) async fn put(&self, source: &Source, from: u64, again: bool) -> Result<Response> {
        let Some(location) = self.location.clone() else { return Err(lost()) };
        let (url, left) =
            (wire::with_digest(location, &source.descriptor().digest), source.size().saturating_sub(from));
        let make = || {
            let request = Request::new(Method::PUT, url.clone())
                .with_header(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"))
                .with_body(source.body(from, left, again));
            Ok(match range(from, left).filter(|_| again) {
                Some(range) => request.with_header(CONTENT_RANGE, range),
                None => request,
            })
        };
        self.repository.send(self.repository.writing(), &make).await
    }

    /// How many bytes the registry has; nothing where it has the whole blob, the answer that said so having been lost.
    pub(super) async fn standing(&mut self, source: &Source) -> Result<Option<u64>, Failure> {
        if let Some(now) = self.received().await.filter(|now| *now <= source.size()) {
            return Ok(Some(now));
        }
        match self.repository.has_blob(&source.descriptor().digest).await {
            Ok(true) => Ok(None),
            Ok(false) => Err(Failure::Lost(lost())),
            Err(error) => Err(Failure::Final(error)),
        }
    }

    /// Asks how many bytes the registry has; nothing where it does not know the upload or does not tell.
    async fn received(&mut self) -> Option<u64> {
        let location = self.location.clone()?;
        let make = || Ok(Request::new(Method::GET, location.clone()));
        let response = self.repository.send(self.repository.writing(), &make).await.ok()?;
        if !response.status().is_success() {
            response.drain().await;
            return None;
        }
        self.follow(&response).ok()?;
        let received = match response.header(RANGE) {
            Some(range) => wire::received(range),
            None => Some(0),
        };
        response.drain().await;
        received
    }

    /// Goes on where `response` says, if it says so.
    pub(super) fn follow(&mut self, response: &Response) -> Result<()> {
        if let Some(location) = response.header(LOCATION) {
            // Whatever redirects the answer came by, the bytes and the login are for this registry alone.
            let asked = self.location.as_ref().unwrap_or(response.url());
            let location = wire::same_origin_location(asked, location);
            self.location = Some(location.map_err(|error| response.explain(error.into()))?);
        }
        if let Some(bytes) = response.header("oci-chunk-min-length").and_then(wire::least_chunk) {
            self.least_chunk = bytes;
        }
        Ok(())
    }

    pub(super) fn retry(&self) -> Retry {
        self.repository.registry().http().retry()
    }

    /// The upload is over: there is nothing to give up.
    pub(super) fn close(mut self) {
        self.location = None;
    }

    /// Tells the registry that nothing more comes.
    pub(in crate::store::repository) async fn give_up(mut self) {
        if let Some(location) = self.location.take() {
            give_up(&self.repository, location).await;
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let (Some(location), Ok(runtime)) = (self.location.take(), tokio::runtime::Handle::try_current())
        else {
            return;
        };
        let repository = self.repository.clone();
        runtime.spawn(async move { give_up(&repository, location).await });
    }
}

/// `first-last`, both counted and without a unit, as the spec wants it for uploads; nothing for no bytes.
pub(super) fn range(from: u64, len: u64) -> Option<HeaderValue> {
    let last = from.checked_add(len.checked_sub(1)?)?;
    HeaderValue::from_str(&format!("{from}-{last}")).ok()
}

/// What a refusal of the whole blob means. What may pass comes back as an error to wait out.
async fn not_accepted(response: Response, resumed: bool) -> Result<Error, Failure> {
    let status = response.status();
    let error = response.refused().await;
    let says = |code: &str| error.get("codes").is_some_and(|codes| codes.split(", ").any(|one| one == code));
    Err(match status.as_u16() {
        _ if error.is_retryable() => return Ok(error),
        413 => Failure::NotWhole(error),
        404 if says("BLOB_UPLOAD_UNKNOWN") || error.get("codes").is_none() => Failure::Lost(error),
        400 | 404 | 405 | 415 | 501 if says("UNSUPPORTED") || says("BLOB_UPLOAD_INVALID") => {
            if resumed {
                Failure::Lost(error)
            } else {
                Failure::NotWhole(error)
            }
        }
        // Not all take the rest of a blob with the last request. What they made of it is wrong then.
        400 if resumed => Failure::Lost(error),
        _ => Failure::Final(error),
    })
}

async fn give_up(repository: &Repository, location: Url) {
    let learnt = &repository.registry().learnt;
    if learnt.lacks(Feature::UploadCancel) {
        return;
    }
    let request = async {
        // A registry that refused an upload early may close the connection, which is found out by using it.
        for _ in 0..2 {
            let request = Request::new(Method::DELETE, location.clone()).with_repeat(Repeat::Never);
            if let Ok(response) = repository.registry().auth().send_once(repository.writing(), request).await
            {
                match response.status() {
                    // Some want another right for it than for the upload.
                    StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::METHOD_NOT_ALLOWED => {
                        learnt.learn(Feature::UploadCancel, false);
                    }
                    status if status.is_success() => learnt.learn(Feature::UploadCancel, true),
                    _ => {}
                }
                return response.drain().await;
            }
        }
    };
    let _ = tokio::time::timeout(GIVE_UP, request).await;
}
