use std::collections::BTreeMap;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
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
    oci::{Descriptor, MediaType},
    store::{BoxStream, Target},
};

/// An index of referrers.
#[derive(Deserialize)]
struct ReferrerPage {
    #[serde(default)]
    manifests: Option<Vec<Entry>>,
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

    fn items(self) -> Vec<Descriptor> {
        // A digest of an unknown algorithm cannot be fetched and checked.
        self.manifests.unwrap_or_default().into_iter().filter_map(Entry::descriptor).collect()
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
    /// Referrers").
    pub(super) fn list_referrers<'a>(
        &'a self,
        subject: &'a Descriptor,
        wanted: Option<&'a MediaType>,
    ) -> BoxStream<'a, Descriptor> {
        let all = async move {
            let first = self.first_referrers(&subject.digest, wanted).await?;
            let wanted = wanted.filter(|_| !first.is_filtered).cloned();
            let rest = self.lister().rest::<ReferrerPage>(first, None);
            Ok::<_, Error>(rest.try_filter(move |found| {
                let fits = wanted.is_none() || found.artifact_type == wanted;
                std::future::ready(fits)
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
            // The API must answer with an empty list, so a 404 or another document means that there is none.
            let no_api = match self.lister().page::<ReferrerPage>(url).await {
                Ok(Ok(page)) => {
                    learnt.learn(Feature::Referrers, true);
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
        self.fallback(subject).await
    }

    /// The index under the tag that stands in for the API (distribution spec, "Referrers Tag Schema").
    async fn fallback(&self, subject: &Digest) -> Result<Page<Descriptor>> {
        match self.manifest(&Target::Tag(&fallback_tag(&subject.to_string())?)).await {
            Ok((descriptor, bytes)) if descriptor.media_type == MediaType::OCI_INDEX => {
                let page: Option<ReferrerPage> = serde_json::from_slice(&bytes).ok();
                Ok(Page::only(page.map(Listing::items).unwrap_or_default()))
            }
            Ok(_) => Ok(Page::only(Vec::new())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Page::only(Vec::new())),
            Err(error) => Err(error),
        }
    }
}
