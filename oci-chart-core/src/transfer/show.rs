use std::sync::Arc;

use super::find::find;
use crate::{
    chart::Metadata,
    context::Context,
    error::{Error, Result},
    limits::Limits,
    name::Selector,
    oci::{ChartParts, Manifest},
    store::{Side, Store, StoreExt as _, Traced},
};

/// A chart's metadata from its configuration blob alone: two requests, and the chart itself is not touched.
///
/// The configuration is what the publisher said; [`pull`](super::pull) and load the chart to see what is in the package.
///
/// # Errors
///
/// Those of [`pull`](super::pull) before the chart itself; [`InvalidChart`](crate::ErrorKind::InvalidChart) for a configuration that is no metadata,
/// [`LimitExceeded`](crate::ErrorKind::LimitExceeded) above [`Limits::manifest_bytes`].
pub async fn fetch_metadata(
    cx: &Context,
    from: &Arc<dyn Store>,
    selector: &Selector,
    limits: &Limits,
) -> Result<Metadata> {
    let from = Traced::on(Arc::clone(from), Side::Source);
    let work = async {
        let (_, parts) = find(cx, &from, selector, limits).await?;
        let config = parts.config();
        if config.size > limits.manifest_bytes {
            return Err(Error::limit(
                "manifest_bytes",
                limits.manifest_bytes,
                "the configuration is too large",
            ));
        }
        Metadata::from_json(&from.fetch_bytes(config, limits.manifest_bytes).await?)
    };
    cx.run(work).await.map_err(|error| error.with_operation("show").with_context("selector", selector))
}

/// A chart's manifest and which of its layers is what: one request.
///
/// # Errors
///
/// Those of [`pull`](super::pull) before the chart itself.
pub async fn fetch_parts(
    cx: &Context,
    from: &Arc<dyn Store>,
    selector: &Selector,
    limits: &Limits,
) -> Result<(Manifest, ChartParts)> {
    let from = Traced::on(Arc::clone(from), Side::Source);
    let work = find(cx, &from, selector, limits);
    cx.run(work).await.map_err(|error| error.with_operation("show").with_context("selector", selector))
}
