use std::sync::Arc;

use bytes::Bytes;

use super::find::{Resolved, chart_in, resolve};
use crate::{
    chart::{LoadOptions, Package},
    context::{Context, Direction, Event, Transfer},
    error::{Error, Result},
    limits::Limits,
    name::Selector,
    oci::{Descriptor, Manifest},
    store::{Side, Store, Traced, collect, counted, gather},
};
#[cfg(feature = "sign")]
use crate::{
    transfer::checked::{self, Checked},
    trust::{Evidence, Policy, Verified, VerifyOptions},
};

/// How a chart is pulled. There is no default: the caller writes which trust it asks for.
///
/// # Examples
///
/// ```
/// use oci_chart_core::transfer::PullOptions;
///
/// let options = PullOptions::without_verification().with_provenance(true);
/// assert!(options.provenance);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PullOptions {
    /// Whether the provenance file is fetched too, where there is one. One more request.
    pub provenance: bool,
    /// The bounds of what is taken.
    pub limits: Limits,
    #[cfg(feature = "sign")]
    trust: Option<Trust>,
}

/// What is asked of the chart's signatures.
#[cfg(feature = "sign")]
#[derive(Debug, Clone)]
struct Trust {
    policy: Arc<Policy>,
    options: VerifyOptions,
}

impl PullOptions {
    /// Takes what the selector names, without asking who made it. Digests and sizes are always checked: what arrives is what the manifest says.
    pub fn without_verification() -> Self {
        Self {
            provenance: false,
            limits: Limits::default(),
            #[cfg(feature = "sign")]
            trust: None,
        }
    }

    /// Takes only what satisfies `policy`; nothing but the manifest and signatures is fetched before it does. The version of a chart that is asked
    /// for by version is compared with the one in the package, and so is the chart's configuration.
    #[cfg(feature = "sign")]
    pub fn verified_by(policy: impl Into<Arc<Policy>>) -> Self {
        let trust = Trust { policy: policy.into(), options: VerifyOptions::default() };
        Self { trust: Some(trust), ..Self::without_verification() }
    }

    /// Options for signatures that lie elsewhere, or are checked at another time. Nothing changes without a policy; the bounds are those of the pull.
    #[cfg(feature = "sign")]
    #[must_use]
    pub fn with_verify_options(mut self, options: VerifyOptions) -> Self {
        if let Some(trust) = &mut self.trust {
            trust.options = options;
        }
        self
    }

    /// Options that fetch the provenance file, or not.
    #[must_use]
    pub fn with_provenance(mut self, provenance: bool) -> Self {
        self.provenance = provenance;
        self
    }

    /// Options with other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }
}

/// A chart that was taken out of a store.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Pulled {
    /// The chart's manifest: of an index, the one in it that is a chart.
    pub descriptor: Descriptor,
    /// The manifest, bytes and view.
    pub manifest: Manifest,
    /// The package. Its bytes are those that the manifest names.
    pub package: Package,
    /// Whether the chart layer has the type that only very old clients pushed; Helm warns of it.
    pub legacy: bool,
    /// Why the chart is trusted, where a policy was asked for.
    #[cfg(feature = "sign")]
    pub evidence: Option<Evidence>,
}

/// Takes a chart out of a store by tag, digest or version range, everything checked while it streams.
///
/// Nothing is written to disk but what does not fit into memory (above 8 MiB: a nameless temporary file);
/// [`Package::write_to_dir`] and [`Package::unpack`] write, atomically.
///
/// # Errors
///
/// [`NotFound`](crate::ErrorKind::NotFound), [`InvalidManifest`](crate::ErrorKind::InvalidManifest) with reason `not-a-chart` or `several-charts`,
/// [`DigestMismatch`](crate::ErrorKind::DigestMismatch), and whatever the store says, with `side: source`. Under a policy those of `trust::verify`, and
/// [`PolicyDenied`](crate::ErrorKind::PolicyDenied) with reason `version-mismatch`, `config-mismatch` or `duplicate-layer`.
pub async fn pull(
    cx: &Context,
    from: &Arc<dyn Store>,
    selector: &Selector,
    options: &PullOptions,
) -> Result<Pulled> {
    let from = Traced::on(Arc::clone(from), Side::Source);
    let work = pull_from(cx, &from, selector, options);
    cx.run(work).await.map_err(|error| error.with_operation("pull").with_context("selector", selector))
}

/// Takes the chart that [`verify`](crate::trust::verify()) has checked, for whoever wants to look at the evidence in between. The manifest is fetched by
/// its digest, so it is the one that was checked; the package is held against it, the configuration and the version as in a [`pull`] under a policy.
///
/// # Errors
///
/// Those of [`pull`], without those of signatures.
#[cfg(feature = "sign")]
pub async fn pull_verified(
    cx: &Context,
    from: &Arc<dyn Store>,
    verified: &Verified<Descriptor>,
    limits: &Limits,
) -> Result<Pulled> {
    let from = Traced::on(Arc::clone(from), Side::Source);
    let selector = Selector::Digest(verified.get().digest);
    let options = PullOptions::without_verification().with_limits(limits.clone());
    let work = async {
        let found = resolve(cx, &from, &selector, limits).await?;
        take(cx, &from, found, &options, Some(verified.into())).await
    };
    cx.run(work).await.map_err(|error| error.with_operation("pull").with_context("selector", &selector))
}

async fn pull_from(
    cx: &Context,
    from: &Traced,
    selector: &Selector,
    options: &PullOptions,
) -> Result<Pulled> {
    let found = resolve(cx, from, selector, &options.limits).await?;
    #[cfg(feature = "sign")]
    let checked = match &options.trust {
        Some(Trust { policy, options: how }) => {
            let how = how.clone().with_limits(options.limits.clone());
            Some(Checked::new(cx, from, selector, &found, policy, &how).await?)
        }
        None => None,
    };
    take(
        cx,
        from,
        found,
        options,
        #[cfg(feature = "sign")]
        checked,
    )
    .await
}

/// Takes a chart whose manifest is there.
async fn take(
    cx: &Context,
    from: &Traced,
    found: Resolved,
    options: &PullOptions,
    #[cfg(feature = "sign")] checked: Option<Checked>,
) -> Result<Pulled> {
    let (manifest, parts) = chart_in(from, found.descriptor, found.bytes).await?;
    #[cfg(feature = "sign")]
    if checked.is_some() {
        checked::single_layers(&manifest)?;
    }
    let descriptor = manifest.descriptor().clone();
    let chart = parts.chart();
    if chart.size > options.limits.package_bytes {
        return Err(Error::limit("package_bytes", options.limits.package_bytes, "the package is too large")
            .with_context("bytes", chart.size));
    }
    let provenance = parts
        .provenance()
        .filter(|_| options.provenance)
        .map(|descriptor| fetch_provenance(cx, from, descriptor, &options.limits));
    let fetch_chart = async {
        let transfer = Transfer::new(Direction::Pull, chart.digest, chart.media_type.as_str(), chart.size);
        let id = transfer.id;
        cx.emit(Event::Started(transfer));
        let content = gather(counted(from.fetch(chart).await?, cx, id), chart).await?;
        cx.emit(Event::Finished { id });
        Ok::<_, Error>(content)
    };
    let (content, provenance) = match provenance {
        Some(provenance) => {
            let (content, provenance) = futures_util::future::try_join(fetch_chart, provenance).await?;
            (content, Some(provenance))
        }
        None => (fetch_chart.await?, None),
    };
    let package = Package::from_checked(
        content,
        chart.digest,
        provenance,
        LoadOptions::default().with_limits(options.limits.clone()),
    );
    #[cfg(feature = "sign")]
    let evidence = match checked {
        Some(checked) => Some(checked.finish(from, &parts, &package, &options.limits).await?),
        None => None,
    };
    Ok(Pulled {
        descriptor,
        legacy: parts.is_legacy(),
        manifest,
        package,
        #[cfg(feature = "sign")]
        evidence,
    })
}

async fn fetch_provenance(
    cx: &Context,
    from: &Traced,
    descriptor: &Descriptor,
    limits: &Limits,
) -> Result<Bytes> {
    cx.check()?;
    if descriptor.size > limits.answer_bytes {
        return Err(Error::limit("answer_bytes", limits.answer_bytes, "the provenance file is too large"));
    }
    collect(from.fetch(descriptor).await?, descriptor.size).await
}
