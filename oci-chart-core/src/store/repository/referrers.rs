use std::collections::BTreeMap;

use futures_util::{TryStreamExt as _, stream};
use serde::Deserialize;

use super::{
    Repository,
    fallback::fallback_tag,
    page::{Listing, Page},
};
use crate::{
    digest::Digest,
    error::{Error, ErrorKind, Result},
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
    pub(super) fn list_referrers<'a>(&'a self, subject: &'a Descriptor) -> BoxStream<'a, Descriptor> {
        let all = async move {
            let first = self.first_referrers(&subject.digest).await?;
            Ok::<_, Error>(self.rest::<ReferrerPage>(first))
        };
        Box::pin(stream::once(all).try_flatten())
    }

    async fn first_referrers(&self, subject: &Digest) -> Result<Page<Descriptor>> {
        let quirks = &self.registry().quirks;
        if !quirks.no_referrers.is_set() {
            let url = self.url(format_args!("referrers/{subject}"), None);
            match self.page::<ReferrerPage>(url).await? {
                Ok(page) => return Ok(page),
                Err(response) => {
                    // The API must answer with an empty list, so a 404 or another document means that there is none.
                    response.drain().await;
                    quirks.no_referrers.set();
                }
            }
        }
        self.fallback(subject).await
    }

    /// The index under the tag that stands in for the API (distribution spec, "Referrers Tag Schema").
    async fn fallback(&self, subject: &Digest) -> Result<Page<Descriptor>> {
        let nothing = Page { items: Vec::new(), next: None };
        match self.manifest(&Target::Tag(&fallback_tag(subject)?)).await {
            Ok((descriptor, bytes)) if descriptor.media_type == MediaType::OCI_INDEX => {
                let page: Option<ReferrerPage> = serde_json::from_slice(&bytes).ok();
                Ok(Page { items: page.map(Listing::items).unwrap_or_default(), next: None })
            }
            Ok(_) => Ok(nothing),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(nothing),
            Err(error) => Err(error),
        }
    }
}
