use std::{sync::Arc, time::SystemTime};

use bytes::Bytes;

use super::{
    Evidence, Format, Outcome, Policy, PolicyKind, Requirement, Unverified, Verified,
    attest::Demand,
    budget::Budget,
    discover::{Discovery, Found, discover},
    evidence::Trouble,
    examination::Examination,
    keyless, keys, pgp,
};
use crate::{
    chart::Timestamp,
    context::Context,
    error::{Error, ErrorKind, Reason, Result},
    limits::Limits,
    name::{ChartVersion, Selector},
    oci::{ChartParts, Descriptor, Manifest},
    store::{Side, Store, StoreExt as _, Traced},
    transfer::select,
};

const VERSION: &str = "org.opencontainers.image.version";

/// How a check is made.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct VerifyOptions {
    /// Where the signatures lie, if not beside the chart: cosign's `COSIGN_REPOSITORY`. A store of its own, with credentials of its own; the
    /// chart's store is then asked for no cosign signature at all.
    pub signatures: Option<Arc<dyn Store>>,
    /// The bounds of what is read.
    pub limits: Limits,
    /// The time of the check, for keys that count for a while; the clock's where it is not given.
    pub now: Option<Timestamp>,
}

impl VerifyOptions {
    /// Options with another store for the signatures.
    #[must_use]
    pub fn with_signatures(mut self, store: Arc<dyn Store>) -> Self {
        self.signatures = Some(store);
        self
    }

    /// Options with other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Options for a check at another time than now.
    #[must_use]
    pub fn with_now(mut self, now: Timestamp) -> Self {
        self.now = Some(now);
        self
    }

    fn time(&self) -> Result<Timestamp> {
        self.now.map_or_else(|| SystemTime::now().try_into(), Ok)
    }
}

/// Checks what `selector` names against `policy`. The selector is resolved here, once: what comes back is the one thing that was checked.
///
/// Where the selector names a version and the manifest says which version it is (`org.opencontainers.image.version`, which Helm writes), the two must
/// agree: an old release that was signed once cannot be put under a new tag. Tags that are no versions (`stable`) are not compared.
///
/// # Errors
///
/// [`NotSigned`](ErrorKind::NotSigned), [`SignatureInvalid`](ErrorKind::SignatureInvalid), [`PolicyDenied`](ErrorKind::PolicyDenied) and
/// [`CouldNotCheck`](ErrorKind::CouldNotCheck), all with [`Evidence`] ([`Evidence::of`]); [`InvalidInput`](ErrorKind::InvalidInput) for a policy that
/// makes no sense; and whatever keeps the chart's own manifest from being resolved.
pub async fn verify(
    cx: &Context,
    store: &Arc<dyn Store>,
    selector: &Selector,
    policy: &Policy,
    options: &VerifyOptions,
) -> Result<Verified<Descriptor>> {
    let store = Traced::on(Arc::clone(store), Side::Source);
    let work = async {
        policy.validate()?;
        let subject = Subject::fetch(cx, &store, selector, &options.limits).await?;
        verify_subject(cx, &store, &subject, policy, options).await
    };
    cx.run(work).await.map_err(|error| error.with_operation("verify").with_context("selector", selector))
}

/// Looks at the signatures of what `selector` names as [`verify`] does, and tells what was found instead of failing where the policy is
/// not satisfied. For people who want to see; a decision belongs to [`verify`].
///
/// # Errors
///
/// [`InvalidInput`](ErrorKind::InvalidInput) for a policy that makes no sense, and whatever keeps the chart's own manifest from being resolved.
pub async fn examine(
    cx: &Context,
    store: &Arc<dyn Store>,
    selector: &Selector,
    policy: &Policy,
    options: &VerifyOptions,
) -> Result<Evidence> {
    let store = Traced::on(Arc::clone(store), Side::Source);
    let work = async {
        policy.validate()?;
        let subject = Subject::fetch(cx, &store, selector, &options.limits).await?;
        look(cx, &store, &subject, policy, Demand::Signature, options).await.map(|(evidence, _)| evidence)
    };
    cx.run(work).await.map_err(|error| error.with_operation("examine").with_context("selector", selector))
}

/// The manifest that is checked: its bytes, which give its digest, and how it was asked for.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub(crate) descriptor: Descriptor,
    pub(crate) manifest: Bytes,
    pub(crate) asked: Selector,
    /// What `asked` came to: a tag or a digest.
    pub(crate) resolved: Selector,
}

impl Subject {
    /// Resolves `selector`; the one time that this is done.
    pub(crate) async fn fetch(
        cx: &Context,
        store: &dyn Store,
        selector: &Selector,
        limits: &Limits,
    ) -> Result<Self> {
        let resolved = select(cx, store, selector, limits).await?;
        let (descriptor, manifest) = store.fetch_manifest(&resolved).await?;
        Ok(Self { descriptor, manifest, asked: selector.clone(), resolved })
    }

    /// The chart's parts, where the manifest is a chart itself and no list.
    pub(crate) fn parts(&self) -> Option<ChartParts> {
        let manifest = Manifest::parse(&self.descriptor, self.manifest.clone()).ok()?;
        ChartParts::from_manifest(&manifest).ok()
    }

    /// The version that was asked for, where the tag is one: three numbers, perhaps with a `v`. Shorter tags are channels.
    pub(crate) fn version(&self) -> Option<ChartVersion> {
        let ((Selector::Tag(tag), _) | (_, Selector::Pinned { tag, .. })) = (&self.resolved, &self.asked)
        else {
            return None;
        };
        let text = tag.as_str().replace('_', "+");
        ChartVersion::parse_strict(text.strip_prefix('v').unwrap_or(&text)).ok()?;
        ChartVersion::parse(&text).ok()
    }

    /// Refuses a chart that says it is another version than was asked for.
    pub(crate) fn check_version(&self) -> Result<()> {
        let (Some(asked), Ok(manifest)) =
            (self.version(), Manifest::parse(&self.descriptor, self.manifest.clone()))
        else {
            return Ok(());
        };
        match manifest.annotations().get(VERSION) {
            Some(version) => same_version(&asked, version),
            None => Ok(()),
        }
    }
}

/// Refuses `found` if it is not the version that was asked for. Tags hold `_` for `+`, so these are not told apart.
pub(crate) fn same_version(asked: &ChartVersion, found: &str) -> Result<()> {
    if found.replace('_', "+") == asked.as_str() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::PolicyDenied, "the chart is another version than the tag says")
        .with_reason(Reason::VersionMismatch)
        .with_context("expected", asked)
        .with_context("actual", format!("{found:?}"))
        .with_hint(
            "somebody put a release under the tag of another; ask for its digest if that is what is wanted",
        ))
}

/// Checks a manifest that was fetched already, under a policy that makes sense.
pub(crate) async fn verify_subject(
    cx: &Context,
    store: &dyn Store,
    subject: &Subject,
    policy: &Policy,
    options: &VerifyOptions,
) -> Result<Verified<Descriptor>> {
    let (evidence, _) = look(cx, store, subject, policy, Demand::Signature, options).await?;
    if evidence.outcome != Outcome::Verified {
        return Err(Unverified::into_error(evidence));
    }
    subject.check_version()?;
    Ok(Verified::new(subject.descriptor.clone(), evidence))
}

/// Looks for statements that say what is demanded, and holds them against a policy that makes sense.
pub(super) async fn look(
    cx: &Context,
    store: &dyn Store,
    subject: &Subject,
    policy: &Policy,
    demand: Demand<'_>,
    options: &VerifyOptions,
) -> Result<(Evidence, Vec<Found>)> {
    let formats = policy.formats();
    let beside: &dyn Store = options.signatures.as_deref().unwrap_or(store);
    let limits = &options.limits;
    let signatures = discover(cx, beside, &subject.descriptor, &formats, limits, demand);
    let provenance = async {
        if formats.contains(&Format::Provenance) {
            fetch_provenance(cx, store, subject, limits).await
        } else {
            Ok(None)
        }
    };
    let (Discovery { found, unread }, provenance) =
        futures_util::future::try_join(signatures, provenance).await?;
    let now = options.time()?;
    let examination = Examination {
        subject,
        found: &found,
        unread: &unread,
        provenance: provenance.as_ref(),
        demand,
        now,
        limits,
    };
    let requirement = judge(&examination, policy);
    let evidence = Evidence {
        outcome: requirement.outcome,
        subject: subject.descriptor.digest,
        asked: subject.asked.to_string(),
        resolved: subject.resolved.to_string(),
        version: subject.version(),
        store: store.to_string(),
        time: now.to_string(),
        requirement,
    };
    Ok((evidence, found))
}

async fn fetch_provenance(
    cx: &Context,
    store: &dyn Store,
    subject: &Subject,
    limits: &Limits,
) -> Result<Option<Result<Bytes, Trouble>>> {
    cx.check()?;
    let Some(layer) = subject.parts().and_then(|parts| parts.provenance().cloned()) else { return Ok(None) };
    if layer.size > limits.signature_bytes {
        let error =
            Error::limit("signature_bytes", limits.signature_bytes, "the provenance file is too large");
        return Ok(Some(Err(error.with_context("bytes", layer.size).into())));
    }
    let budget = Budget::new(limits, store);
    match budget.wait(store.fetch_bytes(&layer, limits.signature_bytes)).await {
        Ok(bytes) => Ok(Some(Ok(bytes))),
        Err(error) if error.kind() == ErrorKind::Cancelled => Err(error),
        Err(error) => Ok(Some(Err(error.into()))),
    }
}

/// Answers the policy. Its depth was bounded when it was validated.
fn judge(examination: &Examination<'_>, policy: &Policy) -> Requirement {
    match policy {
        Policy::Keys(policy) => keys::check(examination, policy),
        Policy::Keyless(policy) => keyless::check(examination, policy),
        Policy::Pgp(policy) => pgp::check(examination, policy),
        Policy::All(parts) => {
            let parts: Vec<_> = parts.iter().map(|part| judge(examination, part)).collect();
            let has = |outcome| parts.iter().any(|part: &Requirement| part.outcome == outcome);
            // A definite no stays one, whatever could not be looked at.
            let outcome = if has(Outcome::NotVerified) {
                Outcome::NotVerified
            } else if has(Outcome::CouldNotCheck) {
                Outcome::CouldNotCheck
            } else {
                Outcome::Verified
            };
            combine(PolicyKind::All, outcome, parts)
        }
        Policy::Any(parts) => {
            let parts: Vec<_> = parts.iter().map(|part| judge(examination, part)).collect();
            let has = |outcome| parts.iter().any(|part: &Requirement| part.outcome == outcome);
            let outcome = if has(Outcome::Verified) {
                Outcome::Verified
            } else if has(Outcome::CouldNotCheck) {
                Outcome::CouldNotCheck
            } else {
                Outcome::NotVerified
            };
            combine(PolicyKind::Any, outcome, parts)
        }
    }
}

fn combine(kind: PolicyKind, outcome: Outcome, parts: Vec<Requirement>) -> Requirement {
    let mut requirement = Requirement::new(kind, outcome);
    if outcome == Outcome::Verified {
        requirement.signers = parts.iter().flat_map(|part| part.signers.iter().cloned()).collect();
    }
    requirement.parts = parts;
    requirement
}
