use std::sync::Arc;

use super::{Policy, Verified, VerifyOptions, verify};
use crate::{
    chart::{Chart, PackageOptions, Timestamp},
    context::Context,
    error::{Error, ErrorKind, Reason, Result},
    name::Selector,
    oci::Descriptor,
    store::Store,
    threads::off_thread,
    transfer::pull_verified,
};

/// Checks that a chart inside a chart is the one that its makers released: `from` has its release, whose signatures satisfy `policy`, and both are the
/// same file by file.
///
/// What stands under `charts/` was put there once, by whoever ran `helm dependency build`; the signature of the chart around it says nothing of where it
/// came from. [`Chart::dependencies`] gives the charts inside, each by its own version; where releases are kept is for the caller to know.
///
/// Both are packaged to be compared, so what packaging leaves out does not count: times, modes, and how Chart.yaml is written. What it keeps all counts.
///
/// # Errors
///
/// Those of [`verify`] and of [`pull_verified`]; [`ErrorKind::InvalidVersion`] for a version that makes no tag; those of [`Chart::package`];
/// [`ErrorKind::PolicyDenied`] with reason `other-subject` where the chart inside is another than the one that was released.
pub async fn verify_subchart(
    cx: &Context,
    subchart: &Chart,
    from: &Arc<dyn Store>,
    policy: &Policy,
    options: &VerifyOptions,
) -> Result<Verified<Descriptor>> {
    let work = async {
        let selector = Selector::Tag(subchart.metadata().version()?.to_tag()?);
        let verified = verify(cx, from, &selector, policy, options).await?;
        let released = pull_verified(cx, from, &verified, &options.limits).await?.package;
        let (here, cancel) = (subchart.clone(), cx.cancel_token().clone());
        let compare = move || {
            let packed = PackageOptions::default().with_time(Timestamp::FIXED).with_cancel(cancel);
            let digest = |chart: &Chart| chart.package(&packed).map(|package| package.digest());
            Ok::<_, Error>((digest(&here)?, digest(&released.chart()?)?))
        };
        let lost = || Err(Error::new(ErrorKind::Internal, "the comparison ended without a result"));
        let (here, released) = off_thread(compare).await.unwrap_or_else(lost)?;
        if here != released {
            return Err(other());
        }
        Ok(verified)
    };
    let named = |error: Error| error.with_operation("verify subchart").with_context("chart", subchart.name());
    cx.run(work).await.map_err(named)
}

fn other() -> Error {
    Error::new(ErrorKind::PolicyDenied, "the chart inside is another than the one that was released")
        .with_reason(Reason::OtherSubject)
        .with_hint(
            "it was changed where it lies, or the release was; fetch it anew and look at the difference",
        )
}
