use std::sync::Arc;

use super::{Attachment, TITLE};
use crate::{
    context::Context,
    error::{Error, ErrorKind, Reason, Result},
    limits::Limits,
    name::Selector,
    oci::{Descriptor, Manifest, MediaType},
    store::{Side, Store, StoreExt as _, Traced},
};

/// Takes out what was attached: `referrer` is an entry of a [`Tree`](super::Tree), or the outcome of [`attach`](super::attach()).
///
/// The content is that of the manifest's digest, byte for byte; above 8 MiB it lies in a nameless temporary file.
///
/// # Errors
///
/// [`ErrorKind::NotFound`], [`ErrorKind::InvalidManifest`] where the manifest has another number of layers than one,
/// [`ErrorKind::LimitExceeded`] above [`Limits::package_bytes`], [`ErrorKind::DigestMismatch`], and whatever the store says, with `side: source`.
pub async fn fetch_attachment(
    cx: &Context,
    store: &Arc<dyn Store>,
    referrer: &Descriptor,
    limits: &Limits,
) -> Result<Attachment> {
    let store = Traced::on(Arc::clone(store), Side::Source);
    let work = async {
        let (descriptor, bytes) = store.fetch_manifest(&Selector::Digest(referrer.digest)).await?;
        let manifest = Manifest::parse(&descriptor, bytes)?;
        let [layer] = manifest.layers() else {
            return Err(Error::new(ErrorKind::InvalidManifest, "an attachment has one layer")
                .with_reason(Reason::FieldInvalid)
                .with_context("manifest", referrer.digest)
                .with_context("layers", manifest.layers().len()));
        };
        if layer.size > limits.package_bytes {
            return Err(Error::limit("package_bytes", limits.package_bytes, "the attachment is too large")
                .with_context("bytes", layer.size));
        }
        let content = store.fetch_content(layer).await?;
        Ok(Attachment {
            artifact_type: artifact_type(&manifest).unwrap_or_else(|| layer.media_type.clone()),
            layer_type: layer.media_type.clone(),
            content,
            title: layer.annotations.get(TITLE).cloned(),
            annotations: manifest.annotations().clone(),
        })
    };
    cx.run(work)
        .await
        .map_err(|error| error.with_operation("fetch attachment").with_context("referrer", referrer.digest))
}

/// What a manifest says it is (image-spec 1.1): its own type, else that of its configuration, unless that is the empty one.
fn artifact_type(manifest: &Manifest) -> Option<MediaType> {
    let config = || manifest.config().map(|config| config.media_type.clone());
    manifest.artifact_type().cloned().or_else(config).filter(|kind| *kind != MediaType::EMPTY_JSON)
}
