//! What else belongs to a chart: bills of materials, scan results, anything. Attached as an artifact that names the chart's manifest as its
//! subject, listed, and fetched again.
//!
//! Nothing here is signed: an attachment is as good as whoever may push to the repository. What somebody vouches for is an
//! [`Attestation`](super::Attestation).

mod claims;
mod fetch;
mod sbom;
mod tree;

use std::{collections::BTreeMap, io::Read as _, sync::Arc};

use serde::Serialize;

use crate::{
    chart::Timestamp,
    content::Content,
    context::Context,
    digest::{Digest, Hasher},
    error::{Error, ErrorKind, Reason, Result},
    oci::{Descriptor, Manifest, MediaType},
    store::{Blob, Pushed, Side, Store, Traced},
    threads::off_thread,
};

pub use fetch::fetch_attachment;
pub(crate) use sbom::Standard;
pub use tree::{Attached, AttachedKind, Place, Tree, tree};

const TITLE: &str = "org.opencontainers.image.title";
const CREATED: &str = "org.opencontainers.image.created";

/// How much is hashed at a time.
const BLOCK: usize = 256 << 10;

/// A document or artifact to be attached to a chart, or one that was.
///
/// # Examples
///
/// ```
/// use oci_chart_core::trust::Attachment;
///
/// let sbom = Attachment::sbom(r#"{"bomFormat":"CycloneDX","specVersion":"1.6"}"#)?.with_title("sbom.cdx.json");
/// assert_eq!(sbom.artifact_type().as_str(), "application/vnd.cyclonedx+json");
/// assert!(Attachment::sbom("{}").is_err());
/// # Ok::<(), oci_chart_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Attachment {
    artifact_type: MediaType,
    layer_type: MediaType,
    content: Content,
    title: Option<String>,
    annotations: BTreeMap<String, String>,
}

impl Attachment {
    /// Content of any type. The type names both the artifact and its one layer, as tools that look for a certain type expect.
    pub fn new(artifact_type: MediaType, content: impl Into<Content>) -> Self {
        Self {
            layer_type: artifact_type.clone(),
            artifact_type,
            content: content.into(),
            title: None,
            annotations: BTreeMap::new(),
        }
    }

    /// The same with another type for the layer than for the artifact.
    #[must_use]
    pub fn with_layer_type(mut self, layer_type: MediaType) -> Self {
        self.layer_type = layer_type;
        self
    }

    /// The same with a file name, under which `oras pull` stores it.
    #[must_use]
    pub fn with_title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// The same with one more annotation of the manifest. Annotations show in lists of referrers.
    #[must_use]
    pub fn with_annotation(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.annotations.insert(key.into(), value.into());
        self
    }

    /// The same with the time of its making. Without one there is none, and the same content gives the same digest at any time.
    #[must_use]
    pub fn with_created(self, time: Timestamp) -> Self {
        self.with_annotation(CREATED, time.to_string())
    }

    /// What the artifact is.
    pub fn artifact_type(&self) -> &MediaType {
        &self.artifact_type
    }

    /// What its layer is.
    pub fn layer_type(&self) -> &MediaType {
        &self.layer_type
    }

    /// The content.
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// The file name, where it has one. Of a fetched attachment it is what a stranger wrote: no path to be written to unseen.
    pub fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// The annotations of its manifest.
    pub fn annotations(&self) -> &BTreeMap<String, String> {
        &self.annotations
    }
}

/// What [`attach`] did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AttachOutcome {
    /// The attachment's manifest.
    pub descriptor: Descriptor,
    /// Whether the manifest had to be written: attaching the same thing twice is attaching it once.
    pub pushed: Pushed,
}

impl AttachOutcome {
    /// As JSON.
    pub fn to_json(&self) -> String {
        super::text::json(self)
    }
}

/// Attaches an artifact to the manifest `subject`, which is there already: blobs first, then the manifest, by digest and without a tag. Where
/// the registry has no referrers API, the tag that stands in for it is updated too.
///
/// Attaching changes nothing about the chart: neither its bytes nor its digest. Four to seven requests.
///
/// # Errors
///
/// [`ErrorKind::NotFound`] with reason `manifest-missing` where the store has no such manifest, [`ErrorKind::InvalidInput`] where `subject` is
/// no manifest, and whatever the store says, with `side: destination`.
pub async fn attach(
    cx: &Context,
    store: &Arc<dyn Store>,
    subject: &Descriptor,
    attachment: &Attachment,
) -> Result<AttachOutcome> {
    let store = Traced::on(Arc::clone(store), Side::Destination);
    let work = async {
        expect_subject(&store, subject).await?;
        attach_to(cx, &store, subject, attachment).await
    };
    cx.run(work).await.map_err(|error| error.with_operation("attach").with_context("subject", subject.digest))
}

/// The same for a subject that is known to be there.
pub(crate) async fn attach_to(
    cx: &Context,
    store: &dyn Store,
    subject: &Descriptor,
    attachment: &Attachment,
) -> Result<AttachOutcome> {
    cx.check()?;
    let (digest, size) = hashed(&attachment.content).await?;
    let mut layer = Descriptor::new(attachment.layer_type.clone(), digest, size);
    if let Some(title) = &attachment.title {
        layer.annotations.insert(TITLE.to_owned(), title.clone());
    }
    let manifest = Manifest::attached(
        subject,
        &attachment.artifact_type,
        std::slice::from_ref(&layer),
        &attachment.annotations,
    );
    let blobs = [
        Blob::from_bytes(MediaType::EMPTY_JSON, Manifest::EMPTY_CONFIG),
        Blob::from_content(layer, attachment.content.clone()),
    ];
    for blob in blobs {
        cx.check()?;
        store.push(&blob, &[]).await?;
    }
    let descriptor = manifest.descriptor().clone();
    let blob = Blob::from_content(descriptor.clone(), manifest.bytes().clone().into());
    Ok(AttachOutcome { descriptor, pushed: store.push(&blob, &[]).await? })
}

/// Refuses a subject that is not there: what refers to nothing is found by nobody.
pub(crate) async fn expect_subject(store: &dyn Store, subject: &Descriptor) -> Result<()> {
    if !subject.media_type.is_manifest() {
        return Err(Error::new(ErrorKind::InvalidInput, "only a manifest can have something attached")
            .with_reason(Reason::WrongMediaType)
            .with_context("media type", &subject.media_type));
    }
    if store.exists(subject).await? {
        return Ok(());
    }
    Err(Error::new(ErrorKind::NotFound, "the manifest that is to be the subject is not there")
        .with_reason(Reason::ManifestMissing)
        .with_hint("push the chart first"))
}

/// Digest and size of content, read in blocks on a thread where waiting for a disk hurts nobody.
async fn hashed(content: &Content) -> Result<(Digest, u64)> {
    if let Some(bytes) = content.as_bytes() {
        return Ok((Digest::of(bytes), bytes.len() as u64));
    }
    let content = content.clone();
    let work = off_thread(move || -> Result<(Digest, u64)> {
        let (mut reader, mut hasher) = (content.open()?, Hasher::default());
        let mut buffer = vec![0; BLOCK];
        loop {
            match reader.read(&mut buffer)? {
                0 => return Ok((hasher.finish(), content.len())),
                count => hasher.update(buffer.get(..count).unwrap_or_default()),
            }
        }
    });
    work.await.unwrap_or_else(|| Err(Error::new(ErrorKind::Internal, "reading ended without a result")))
}
