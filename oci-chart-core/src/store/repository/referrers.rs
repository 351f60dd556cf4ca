use std::collections::BTreeMap;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use reqwest::StatusCode;
use serde::Deserialize;

use super::{
    Repository,
    capabilities::Feature,
    fallback::fallback_tag,
    page::{Listing, Page, is_no_interface},
};
use crate::{
    digest::Digest,
    error::{Error, ErrorKind, Reason, Result},
    json::{self, Object},
    oci::{Descriptor, MediaType},
    store::{BoxStream, Target},
};

/// An index of referrers.
#[derive(Deserialize)]
struct ReferrerPage {
    #[serde(default)]
    manifests: Option<Vec<Object<Entry>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    media_type: String,
    digest: String,
    size: u64,
    artifact_type: Option<String>,
    annotations: Option<BTreeMap<String, String>>,
}

impl Listing for ReferrerPage {
    type Item = Descriptor;

    const MEDIA_TYPE: Option<&'static str> = Some("application/vnd.oci.image.index.v1+json");

    fn items(self, most: usize) -> Vec<Descriptor> {
        // A digest of an unknown algorithm cannot be fetched and checked.
        self.manifests
            .unwrap_or_default()
            .into_iter()
            .filter_map(|Object(entry)| entry.descriptor())
            .take(most)
            .collect()
    }
}

impl Entry {
    fn descriptor(self) -> Option<Descriptor> {
        let mut descriptor = Descriptor::new(self.media_type.into(), self.digest.parse().ok()?, self.size);
        descriptor.artifact_type = self.artifact_type.filter(|kind| !kind.is_empty()).map(MediaType::from);
        descriptor.annotations = self.annotations.unwrap_or_default();
        Some(descriptor)
    }
}

impl Repository {
    /// All referrers of `subject`, or those of one type. What the registry has not filtered is filtered here (distribution spec, "Listing
    /// Referrers"), and what it has is not taken for more than it says itself to be.
    pub(super) fn list_referrers<'a>(
        &'a self,
        subject: &'a Descriptor,
        wanted: Option<&'a MediaType>,
    ) -> BoxStream<'a, Descriptor> {
        let all = async move {
            let first = self.first_referrers(&subject.digest, wanted).await?;
            let (wanted, is_filtered) = (wanted.cloned(), first.is_filtered);
            let rest = self.lister().rest::<ReferrerPage>(first, None);
            Ok::<_, Error>(rest.try_filter(move |found| {
                let silent = is_filtered && found.artifact_type.is_none();
                std::future::ready(wanted.is_none() || found.artifact_type == wanted || silent)
            }))
        };
        stream::once(all).try_flatten().boxed()
    }

    pub(super) async fn first_referrers(
        &self,
        subject: &Digest,
        wanted: Option<&MediaType>,
    ) -> Result<Page<Descriptor>> {
        let learnt = &self.registry().learnt;
        if !learnt.lacks(Feature::Referrers) {
            let mut url = self.url(format_args!("referrers/{subject}"), None);
            if let Some(wanted) = wanted {
                url.query_pairs_mut().append_pair("artifactType", wanted.as_str());
            }
            // The API must answer with an empty list, so a 404 means that there is none. Another document may come from something in between
            // that is no registry: it counts only where the tag that stands in for the API is there.
            let no_api = match self.lister().page::<ReferrerPage>(url).await {
                Ok(Ok(page)) => {
                    learnt.learn(Feature::Referrers, true);
                    return Ok(page);
                }
                Ok(Err(response)) if response.status() == StatusCode::OK => {
                    let foreign =
                        response.broken("the answer is no list of referrers", Reason::WrongMediaType);
                    response.drain().await;
                    let page = self.fallback(subject).await?.ok_or(foreign)?;
                    learnt.learn(Feature::Referrers, false);
                    return Ok(page);
                }
                Ok(Err(response)) => response.refused().await,
                Err(error) if is_no_interface(&error) => error,
                Err(error) => return Err(error),
            };
            // Some that have it answer so for a repository that is not there.
            let unknown = matches!(no_api.reason(), Some(Reason::RepositoryMissing | Reason::ProjectMissing));
            if !unknown && !learnt.has(Feature::Referrers) {
                learnt.learn(Feature::Referrers, false);
            }
        }
        Ok(self.fallback(subject).await?.unwrap_or_else(|| Page::only(Vec::new())))
    }

    /// The index under the tag that stands in for the API (distribution spec, "Referrers Tag Schema"); nothing where there is no such tag.
    async fn fallback(&self, subject: &Digest) -> Result<Option<Page<Descriptor>>> {
        let tag = fallback_tag(&subject.to_string())?;
        let rubbish = |reason| {
            Error::new(ErrorKind::Protocol, "the tag that lists referrers holds something else than an index")
                .with_reason(reason)
                .with_context("tag", &tag)
        };
        match self.manifest(&Target::Tag(&tag)).await {
            Ok((descriptor, bytes)) if descriptor.media_type == MediaType::OCI_INDEX => {
                let page: ReferrerPage = json::object(&bytes)
                    .map_err(|error| rubbish(Reason::MalformedAnswer).with_source(error))?;
                Ok(Some(Page::only(page.items(usize::MAX))))
            }
            Ok(_) => Err(rubbish(Reason::WrongMediaType)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}
