use reqwest::{Method, StatusCode};

use super::{Repository, missing};
use crate::{
    auth::{Access, Scope},
    error::{Error, ErrorKind, Reason, Result},
    http::{Request, Response},
    store::Target,
};

impl Repository {
    pub(super) async fn remove(&self, target: &Target<'_>) -> Result<()> {
        let response = match target {
            Target::Tag(tag) => self.ask_to_delete(&format!("manifests/{tag}")).await?,
            Target::Digest(digest) => {
                let response = self.ask_to_delete(&format!("manifests/{digest}")).await?;
                if response.status() == StatusCode::NOT_FOUND {
                    response.drain().await;
                    self.ask_to_delete(&format!("blobs/{digest}")).await?
                } else {
                    response
                }
            }
        };
        match response.status() {
            status if status.is_success() => {
                response.drain().await;
                Ok(())
            }
            StatusCode::NOT_FOUND => Err(response.refused_as(missing(target)).await),
            StatusCode::BAD_REQUEST | StatusCode::METHOD_NOT_ALLOWED => {
                Err(response.refused_as(switched_off()).await)
            }
            _ => Err(response.refused().await),
        }
    }

    async fn ask_to_delete(&self, path: &str) -> Result<Response> {
        let url = self.url(path, None);
        let scope = Scope::repository(self.address().repository(), Access::Delete);
        self.send(&scope, || Ok(Request::new(Method::DELETE, url.clone()))).await
    }
}

fn switched_off() -> Error {
    Error::new(ErrorKind::Unsupported, "the registry does not delete this")
        .with_reason(Reason::OperationUnsupported)
        .with_hint("deleting may be switched off, or be possible only by digest and not by tag")
}
