use reqwest::{Method, StatusCode};

use super::{Repository, upload::Session};
use crate::{
    auth::{Access, Scope},
    digest::Digest,
    error::{Error, ErrorKind, Reason, Result},
    http::{Redirects, Request},
    name::RepositoryName,
    store::{Blob, Pushed},
};

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
            let response = self.read(&path, make).await?;
            match response.status() {
                status if status.is_success() || status.is_redirection() => return Ok(true),
                StatusCode::NOT_FOUND => return Ok(false),
                _ if method == Method::GET => return Err(response.refused().await),
                _ => {}
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
        match self.open_upload(blob).await? {
            Opening::Done(pushed) => Ok(pushed),
            Opening::Session(session) => session.upload(blob).await.map(|()| Pushed::Written),
            Opening::Refused => Err(Error::new(ErrorKind::Protocol, "the registry opens no upload")
                .with_reason(Reason::MalformedAnswer)),
        }
    }

    async fn open_upload(&self, blob: &Blob) -> Result<Opening> {
        let digest = &blob.descriptor().digest;
        if let Some(source) = self.mountable(blob) {
            match self.mount(digest, &source, Pushed::Mounted).await? {
                Opening::Refused => {}
                opened => return Ok(opened),
            }
        }
        let quirks = &self.registry().quirks;
        let tried = !quirks.no_self_mount.is_set();
        if tried {
            match self.mount(digest, self.address().repository(), Pushed::Existing).await? {
                Opening::Refused => {}
                opened => return Ok(opened),
            }
        }
        if self.has_blob(digest).await? {
            return Ok(Opening::Done(Pushed::Existing));
        }
        let url = self.url("blobs/uploads/", None);
        let response = self.send(self.writing(), || Ok(Request::new(Method::POST, url.clone()))).await?;
        if response.status() != StatusCode::ACCEPTED {
            return Err(response.refused().await);
        }
        if tried {
            quirks.no_self_mount.set();
        }
        Session::open(self.clone(), response).await.map(Opening::Session)
    }

    /// Opens an upload as a mount of the blob from `source`: with luck there is nothing to upload.
    async fn mount(&self, digest: &Digest, source: &RepositoryName, done: Pushed) -> Result<Opening> {
        let url = self.url("blobs/uploads/", Some(&format!("mount={digest}&from={source}")));
        let elsewhere = source != self.address().repository();
        let scope = if elsewhere {
            self.writing().clone().and(Scope::repository(source, Access::Pull))
        } else {
            self.writing().clone()
        };
        let response = match self.send(&scope, || Ok(Request::new(Method::POST, url.clone()))).await {
            Ok(response) => response,
            // No token for both repositories: then without what is in the other.
            Err(error) if elsewhere && error.kind() == ErrorKind::Unauthenticated => {
                return Ok(Opening::Refused);
            }
            Err(error) => return Err(error),
        };
        match response.status() {
            StatusCode::CREATED => {
                response.drain().await;
                Ok(Opening::Done(done))
            }
            StatusCode::ACCEPTED => Session::open(self.clone(), response).await.map(Opening::Session),
            StatusCode::TOO_MANY_REQUESTS => Err(response.refused().await),
            status if status.is_client_error() => {
                response.drain().await;
                Ok(Opening::Refused)
            }
            _ => Err(response.refused().await),
        }
    }

    /// The repository of the same registry that has the blob.
    fn mountable(&self, blob: &Blob) -> Option<RepositoryName> {
        let source = blob.origin()?.traits().address?;
        let near =
            source.host() == self.address().host() && source.repository() != self.address().repository();
        near.then(|| source.repository().clone())
    }
}
