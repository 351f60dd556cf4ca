use reqwest::{Method, StatusCode};

use super::{
    Repository,
    capabilities::Feature,
    options::UploadMode,
    upload::{Session, algorithm_parameter},
};
use crate::{
    auth::{Access, Scope},
    digest::Digest,
    error::{Error, ErrorKind, Reason, Result},
    http::{Redirects, Request},
    name::RepositoryName,
    store::{Blob, Pushed},
};

/// Above this, whether bytes have to be sent is asked for where a mount has not told, in bytes: sending fewer takes no longer than asking.
const WORTH_A_LOOK: u64 = 256 << 10;

/// How an upload begins.
enum Opening {
    /// There is nothing to upload.
    Done(Pushed),
    /// The bytes are wanted.
    Session(Session),
    /// The registry does not open uploads this way.
    Refused,
}

impl Repository {
    pub(super) async fn has_blob(&self, digest: &Digest) -> Result<bool> {
        let path = format!("blobs/{digest}");
        // Where the blob is kept elsewhere, the redirect is answer enough. A registry that refuses HEAD is asked with
        // GET, and hung up on before the bytes come.
        for method in [Method::HEAD, Method::GET] {
            let make = |url| Request::new(method.clone(), url).with_redirects(Redirects::Report);
            let response = self.read(&path, &make).await?;
            match response.status() {
                status if status.is_success() || status.is_redirection() => return Ok(true),
                StatusCode::NOT_FOUND => return Ok(false),
                // Artifactory's answer for what is not there to those who may write, but not read.
                StatusCode::FORBIDDEN if method == Method::GET && self.is_written() => return Ok(false),
                _ if method == Method::GET => return Err(response.refused().await),
                _ => response.drain().await,
            }
        }
        Ok(false)
    }

    pub(super) async fn push_blob(&self, blob: &Blob) -> Result<Pushed> {
        let descriptor = blob.descriptor();
        if let Some(len) = blob.content().map(|content| content.len()).filter(|len| *len != descriptor.size) {
            return Err(Error::new(
                ErrorKind::DigestMismatch,
                "the content does not have the size of its descriptor",
            )
            .with_reason(Reason::SizeMismatch)
            .with_context("digest", descriptor.digest)
            .with_context("expected bytes", descriptor.size)
            .with_context("bytes", len));
        }
        if self.registry().upload_mode() == UploadMode::Single {
            return self.upload_at_once(blob).await;
        }
        match self.open_upload(blob).await? {
            Opening::Done(pushed) => Ok(pushed),
            Opening::Session(session) => {
                self.upload(session, blob).await?;
                self.registry().sent(self.name(), &descriptor.digest);
                Ok(Pushed::Written)
            }
            Opening::Refused => Err(Error::new(ErrorKind::Protocol, "the registry opens no upload")
                .with_reason(Reason::MalformedAnswer)),
        }
    }

    async fn open_upload(&self, blob: &Blob) -> Result<Opening> {
        let digest = &blob.descriptor().digest;
        if blob.is_wanted_anyway() {
            return self.open_session(digest).await.map(Opening::Session);
        }
        let learnt = &self.registry().learnt;
        let tried = !learnt.lacks(Feature::Mounts);
        if tried {
            if let Some(source) = self.mountable(blob).filter(|source| !self.registry().is_refused(source)) {
                match self.mount(blob, &source, Pushed::Mounted).await? {
                    Opening::Refused => self.registry().refuse(source),
                    opened => return Ok(opened),
                }
            }
            match self.mount(blob, self.name(), Pushed::Existing).await? {
                Opening::Refused => {}
                opened => return Ok(opened),
            }
        }
        if self.has_blob(digest).await? {
            return Ok(Opening::Done(Pushed::Existing));
        }
        let session = self.open_session(digest).await?;
        if tried {
            learnt.learn(Feature::Mounts, false);
        }
        Ok(Opening::Session(session))
    }

    /// Opens an upload as a mount of the blob from `source`: with luck there is nothing to upload.
    async fn mount(&self, blob: &Blob, source: &RepositoryName, done: Pushed) -> Result<Opening> {
        let digest = &blob.descriptor().digest;
        let algorithm = algorithm_parameter(digest).map(|text| format!("&{text}")).unwrap_or_default();
        let url = self.url("blobs/uploads/", Some(&format!("mount={digest}&from={source}{algorithm}")));
        let elsewhere = source != self.name();
        let scope = if elsewhere {
            self.writing().clone().and(Scope::repository(source, Access::Pull))
        } else {
            self.writing().clone()
        };
        let response = match self.send(&scope, &|| Ok(Request::new(Method::POST, url.clone()))).await {
            Ok(response) => response,
            // No token for both repositories: then without what is in the other.
            Err(error)
                if elsewhere
                    && matches!(error.kind(), ErrorKind::Unauthenticated | ErrorKind::PermissionDenied) =>
            {
                return Ok(Opening::Refused);
            }
            Err(error) => return Err(error),
        };
        match response.status() {
            StatusCode::CREATED => {
                self.registry().learnt.learn(Feature::Mounts, true);
                response.drain().await;
                Ok(Opening::Done(done))
            }
            StatusCode::ACCEPTED => {
                let session = Session::open(self.clone(), response).await?;
                self.doubt(blob, session, elsewhere).await
            }
            StatusCode::TOO_MANY_REQUESTS | StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
                Err(response.refused().await)
            }
            // 500: some stumble over what they do not know. One that fails in all says so to the next request as well.
            status if status.is_client_error() || status == StatusCode::INTERNAL_SERVER_ERROR => {
                response.drain().await;
                Ok(Opening::Refused)
            }
            _ => Err(response.refused().await),
        }
    }

    /// A registry that opens an upload where a mount was asked for does not have the blob, or knows no mounts. Where nothing has shown yet which of
    /// both it is, and the bytes are many or were sent before, it is asked.
    async fn doubt(&self, blob: &Blob, session: Session, elsewhere: bool) -> Result<Opening> {
        let registry = self.registry();
        let descriptor = blob.descriptor();
        let proven = registry.learnt.has(Feature::Mounts) && !elsewhere;
        let worth_it = descriptor.size >= WORTH_A_LOOK || registry.was_sent(self.name(), &descriptor.digest);
        if proven || !worth_it || !self.has_blob(&descriptor.digest).await? {
            return Ok(Opening::Session(session));
        }
        if !elsewhere {
            registry.learnt.learn(Feature::Mounts, false);
        }
        session.give_up().await;
        Ok(Opening::Done(Pushed::Existing))
    }

    /// The repository of the same registry that has the blob.
    fn mountable(&self, blob: &Blob) -> Option<RepositoryName> {
        let source = blob.origin()?.traits().address?;
        let name = source.api_repository();
        (source.host() == self.address().host() && name != *self.name()).then_some(name)
    }
}
