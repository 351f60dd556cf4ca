use std::time::Duration;

use futures_util::{TryStreamExt as _, stream};
use reqwest::{
    Method, Url,
    header::{CONTENT_TYPE, HeaderValue, LOCATION},
};

use super::Repository;
use crate::{
    content::Content,
    error::{Reason, Result},
    http::{Body, Request, Response, wire},
    store::Blob,
};

/// How long giving up an upload may take. It is a courtesy: registries clean up by themselves in the end.
const GIVE_UP: Duration = Duration::from_secs(5);

/// What goes to the connection at once, in bytes: nobody watches the progress of so little.
const ONE_PIECE: usize = 256 << 10;

/// An upload that the registry has opened. It is given up when it is dropped before its end, so that a cancelled
/// push leaves nothing behind.
pub(super) struct Session {
    repository: Repository,
    location: Option<Url>,
}

impl Session {
    /// Takes over the upload that `response` opened.
    pub(super) async fn open(repository: Repository, response: Response) -> Result<Self> {
        let Some(location) = response.header(LOCATION) else {
            return Err(response
                .broken("the registry opens an upload and does not say where", Reason::MalformedAnswer));
        };
        let location = wire::same_origin_location(response.url(), location)
            .map_err(|error| response.explain(error.into()))?;
        response.drain().await;
        Ok(Self { repository, location: Some(location) })
    }

    /// Sends the whole blob in one request.
    pub(super) async fn upload(mut self, blob: &Blob) -> Result<()> {
        let result = self.put(blob).await;
        if let (Err(_), Some(location)) = (&result, self.location.take()) {
            give_up(&self.repository, location).await;
        }
        result
    }

    async fn put(&self, blob: &Blob) -> Result<()> {
        let Some(location) = self.location.clone() else { return Ok(()) };
        let url = wire::with_digest(location, &blob.descriptor().digest);
        let make = || {
            Ok(Request::new(Method::PUT, url.clone())
                .with_header(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"))
                .with_body(body(blob)))
        };
        let response = self.repository.send(self.repository.writing(), make).await?;
        if !response.status().is_success() {
            return Err(response.refused().await);
        }
        response.drain().await;
        Ok(())
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

/// The blob's bytes, from wherever they are. The registry holds them against the digest.
fn body(blob: &Blob) -> Body {
    match blob.content().and_then(Content::as_bytes) {
        Some(bytes) if bytes.len() <= ONE_PIECE => Body::Bytes(bytes.clone()),
        _ => {
            let (size, blob) = (blob.descriptor().size, blob.clone());
            // Opened when the connection asks for it, and again if the upload has to begin anew.
            let opened = stream::once(async move { blob.open_unchecked().await });
            Body::Stream(Box::pin(opened.try_flatten()), size)
        }
    }
}

async fn give_up(repository: &Repository, location: Url) {
    let make = || Ok(Request::new(Method::DELETE, location.clone()));
    let request = async {
        // A registry that refused an upload early may close the connection, which is found out by using it.
        for _ in 0..2 {
            if let Ok(response) = repository.send(repository.writing(), make).await {
                return response.drain().await;
            }
        }
    };
    let _ = tokio::time::timeout(GIVE_UP, request).await;
}
