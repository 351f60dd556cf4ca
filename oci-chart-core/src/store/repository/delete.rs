use reqwest::{Method, StatusCode};

use super::{Repository, capabilities::Feature, missing};
use crate::{
    auth::{Access, Scope},
    digest::Digest,
    error::{Error, ErrorKind, Reason, Result},
    http::{Request, Response},
    store::{Target, reference},
};

impl Repository {
    pub(super) async fn remove(&self, target: &Target<'_>) -> Result<()> {
        let (response, feature, subject) = match target {
            Target::Tag(tag) => {
                (self.ask_to_delete(&format!("manifests/{tag}")).await?, Feature::TagDelete, None)
            }
            Target::Digest(digest) => {
                let subject = self.listed_under(digest).await;
                let response = self.ask_to_delete(&format!("manifests/{digest}")).await?;
                if response.status() == StatusCode::NOT_FOUND {
                    response.drain().await;
                    let response = self.ask_to_delete(&format!("blobs/{digest}")).await?;
                    return self.deleted(response, target).await;
                }
                (response, Feature::ManifestDelete, subject)
            }
        };
        let learnt = &self.registry().learnt;
        let result = self.deleted(response, target).await;
        match &result {
            Ok(()) => learnt.learn(feature, true),
            Err(error) if error.kind() == ErrorKind::Unsupported => learnt.learn(feature, false),
            Err(_) => {}
        }
        if let (Ok(()), Some(subject), Target::Digest(digest)) = (&result, subject, target) {
            self.unlist_as_referrer(&subject, digest).await?;
        }
        result
    }

    /// The subject in whose index of referrers the manifest stands, where the registry keeps no such lists by itself (distribution spec,
    /// "Deleting Manifests"). A manifest that cannot be read is deleted all the same.
    async fn listed_under(&self, digest: &Digest) -> Option<Digest> {
        if self.registry().learnt.has(Feature::Referrers) {
            return None;
        }
        let (descriptor, bytes) = self.manifest(&Target::Digest(digest)).await.ok()?;
        let subject = reference(&descriptor, &bytes)?.subject;
        self.first_referrers(&subject, None).await.ok()?;
        (!self.registry().learnt.has(Feature::Referrers)).then_some(subject)
    }

    async fn deleted(&self, response: Response, target: &Target<'_>) -> Result<()> {
        match response.status() {
            status if status.is_success() => {
                response.drain().await;
                Ok(())
            }
            StatusCode::NOT_FOUND => Err(self.absent(response, missing(target)).await),
            StatusCode::BAD_REQUEST | StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => {
                Err(response.refused_as(switched_off()).await)
            }
            _ => Err(response.refused().await),
        }
    }

    async fn ask_to_delete(&self, path: &str) -> Result<Response> {
        let url = self.url(path, None);
        let scope = Scope::repository(self.name(), Access::Delete);
        self.send(&scope, &|| Ok(Request::new(Method::DELETE, url.clone()))).await
    }
}

fn switched_off() -> Error {
    Error::new(ErrorKind::Unsupported, "the registry does not delete this")
        .with_reason(Reason::OperationUnsupported)
        .with_hint("deleting may be switched off, or be possible only by digest and not by tag")
}
