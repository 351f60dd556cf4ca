//! A release that nobody ever sees unsigned: content by digest, then what belongs to it, then the tag.

use std::{collections::BTreeSet, sync::Arc};

use futures_util::TryStreamExt as _;
use serde::Serialize;

use super::{
    Attachment, Attestation, SignOptions, SignatureTag, Signed, Signer, attach::attach_to, attest::attest_in,
    sign::sign, text,
};
use crate::{
    context::Context,
    digest::Digest,
    error::{Error, ErrorKind, Reason, Result},
    limits::Limits,
    name::{Selector, Tag},
    oci::{ChartArtifact, Descriptor},
    store::{Blob, Side, Store, TagMode, Traced},
    transfer::{Action, PushOptions, PushOutcome, look, look_again, point, send_content},
};

/// How often something is written again that others undid by writing at the same time.
const ATTEMPTS: u32 = 5;

/// How a chart is published.
///
/// Without signers, attachments and attestations it is a push, and gives the very same bytes: a pipeline that gets its signer later changes
/// nothing about its charts.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct PublishOptions {
    /// What may happen to tags, and how many blobs go at a time.
    pub push: PushOptions,
    /// Whose signatures it gets, each under its own key.
    pub signers: Vec<Arc<dyn Signer>>,
    /// How it is signed, attestations included.
    pub sign: SignOptions,
    /// What is attached unsigned.
    pub attachments: Vec<Attachment>,
    /// What is said of it, signed by each of the signers.
    pub attestations: Vec<Attestation>,
}

impl PublishOptions {
    /// Options with other rules for the push.
    #[must_use]
    pub fn with_push(mut self, push: PushOptions) -> Self {
        self.push = push;
        self
    }

    /// Options with one more signer.
    #[must_use]
    pub fn with_signer(mut self, signer: impl Signer + 'static) -> Self {
        self.signers.push(Arc::new(signer));
        self
    }

    /// Options for another way of signing.
    #[must_use]
    pub fn with_sign(mut self, sign: SignOptions) -> Self {
        self.sign = sign;
        self
    }

    /// Options with one more attachment.
    #[must_use]
    pub fn with_attachment(mut self, attachment: Attachment) -> Self {
        self.attachments.push(attachment);
        self
    }

    /// Options with one more attestation.
    #[must_use]
    pub fn with_attestation(mut self, attestation: Attestation) -> Self {
        self.attestations.push(attestation);
        self
    }
}

/// What [`publish`] did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Published {
    /// What came of the push.
    pub chart: PushOutcome,
    /// The signatures, in the order of the signers.
    pub signatures: Vec<Signed>,
    /// The manifests of attachments, in their order.
    pub attachments: Vec<Descriptor>,
    /// The manifests of attestations: of the first signer in their order, then of the next.
    pub attestations: Vec<Descriptor>,
}

impl Published {
    /// As JSON.
    pub fn to_json(&self) -> String {
        text::json(self)
    }
}

/// Puts a chart into a store with all that belongs to it, so that whoever looks at the tag never sees less: the manifest goes in by digest, which
/// nobody knows yet; attachments, attestations and signatures follow and are looked for; the version's tag is next, other tags are last; then
/// tag and evidence are looked at once more.
///
/// Run again after a failure it does what is missing: content is found where it is, a signature of the same key is kept. Where the tag has the chart
/// already, what is missing around it is added.
///
/// # Errors
///
/// Those of [`push`](crate::transfer::push), [`attach`](super::attach()), [`attest`](super::attest()) and [`sign`](super::sign()), with the context
/// `stage`: `content`, `evidence`, `tag` or `check`. Before the stage `tag` no tag has moved. [`ErrorKind::Conflict`] where somebody moved the tag, or kept
/// undoing what was written, at the same time; [`ErrorKind::InvalidInput`] for attestations that nobody signs.
pub async fn publish(
    cx: &Context,
    artifact: &ChartArtifact,
    to: &Arc<dyn Store>,
    options: &PublishOptions,
) -> Result<Published> {
    let work = async {
        if options.signers.is_empty() && !options.attestations.is_empty() {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                "there are attestations, and nobody who signs them",
            )
            .with_hint("name a signer, or attach the documents unsigned"));
        }
        Release { cx, artifact, store: to, to: &Traced::on(Arc::clone(to), Side::Destination), options }
            .run()
            .await
    };
    cx.run(work).await.map_err(|error| error.with_operation("publish"))
}

struct Release<'a> {
    cx: &'a Context,
    artifact: &'a ChartArtifact,
    store: &'a Arc<dyn Store>,
    to: &'a Traced,
    options: &'a PublishOptions,
}

impl Release<'_> {
    async fn run(&self) -> Result<Published> {
        let (cx, to, push) = (self.cx, self.to, &self.options.push);
        let (tag, wanted) = (self.artifact.tag().clone(), self.artifact.manifest().descriptor());
        to.expect_push();
        let there = match push.mode {
            TagMode::Replace => None,
            _ => look(self.artifact, to, &tag, &push.mode).await.map_err(at("content"))?,
        };
        let (subject, action) = match &there {
            Some(found) if found == wanted => (found.clone(), Action::Unchanged),
            Some(found) => (found.clone(), Action::SameChart),
            None => {
                send_content(cx, self.artifact, to, push.parallel).await.map_err(at("content"))?;
                let manifest = self.artifact.manifest();
                let blob = Blob::from_content(manifest.descriptor().clone(), manifest.bytes().clone().into());
                to.push(&blob, &[]).await.map_err(at("content"))?;
                (wanted.clone(), Action::Pushed)
            }
        };
        let chart = PushOutcome { descriptor: subject.clone(), tag: tag.clone(), action };
        let published = self.surround(chart).await.map_err(at("evidence"))?;
        self.present(&published).await.map_err(at("evidence"))?;
        cx.check()?;
        if there.is_none() {
            self.tag(&subject, &tag).await.map_err(at("tag"))?;
        }
        point(to, &subject, &push.channels).await.map_err(at("tag"))?;
        look_again(to, &tag, &subject.digest).await.map_err(at("check"))?;
        self.present(&published).await.map_err(at("check"))?;
        Ok(published)
    }

    /// Attaches, attests and signs, in this order: a signature is there when all it may be read with is.
    async fn surround(&self, chart: PushOutcome) -> Result<Published> {
        let Self { cx, store, to, options, .. } = self;
        let subject = chart.descriptor.clone();
        let elsewhere = self.elsewhere();
        let beside: &dyn Store = elsewhere.as_ref().map_or(*to, |store| store);
        let mut published =
            Published { chart, signatures: Vec::new(), attachments: Vec::new(), attestations: Vec::new() };
        for attachment in &options.attachments {
            published.attachments.push(attach_to(cx, *to, &subject, attachment).await?.descriptor);
        }
        for signer in &options.signers {
            for attestation in &options.attestations {
                let attested = attest_in(cx, beside, &subject, attestation, &**signer, &options.sign).await?;
                published.attestations.push(attested);
            }
        }
        for signer in &options.signers {
            published.signatures.push(sign(cx, store, &subject, &**signer, &options.sign).await?);
        }
        Ok(published)
    }

    /// Lets the version's tag point at the chart. Whether it may was asked before; only a store that decides and writes in one step is asked again.
    async fn tag(&self, subject: &Descriptor, tag: &Tag) -> Result<()> {
        let atomic = self.to.traits().atomic_tags;
        let mode = if atomic { self.options.push.mode } else { TagMode::Replace };
        if !atomic && self.options.push.mode != TagMode::Replace {
            // Signing took its time: somebody else may have released this version meanwhile.
            look(self.artifact, self.to, tag, &self.options.push.mode).await?;
        }
        self.to.tag(subject, tag, &mode).await
    }

    /// Looks for all that was written around the chart, and writes again what somebody undid.
    async fn present(&self, published: &Published) -> Result<()> {
        let elsewhere = self.elsewhere();
        let beside: &dyn Store = elsewhere.as_ref().map_or(self.to, |store| store);
        let bundles = published.signatures.iter().filter_map(|signed| signed.bundle.clone());
        let signed: Vec<Descriptor> = published.attestations.iter().cloned().chain(bundles).collect();
        let limits = &self.options.sign.limits;
        let subject = &published.chart.descriptor;
        listed(self.cx, self.to, subject, &published.attachments, limits).await?;
        listed(self.cx, beside, subject, &signed, limits).await?;
        for SignatureTag { tag, .. } in
            published.signatures.iter().filter_map(|signed| signed.signature_tag.as_ref())
        {
            // Each signer looked for its own layer; what is left to see is that the tag is still there.
            beside.resolve(&Selector::Tag(tag.clone())).await?;
        }
        Ok(())
    }

    fn elsewhere(&self) -> Option<Traced> {
        let signatures = self.options.sign.signatures.as_ref()?;
        Some(Traced::on(Arc::clone(signatures), Side::Destination))
    }
}

/// Makes sure that all of `expected` are listed among the referrers of `subject`. A registry without a list of its own keeps it under a tag, which two
/// writers at the same time can undo for each other.
async fn listed(
    cx: &Context,
    store: &dyn Store,
    subject: &Descriptor,
    expected: &[Descriptor],
    limits: &Limits,
) -> Result<()> {
    if expected.is_empty() {
        return Ok(());
    }
    let mut missing: Vec<&Descriptor> = Vec::new();
    for _ in 0..ATTEMPTS {
        cx.check()?;
        let (mut there, mut seen) = (BTreeSet::<Digest>::new(), 0);
        let mut stream = store.referrers(subject);
        while let Some(referrer) = stream.try_next().await? {
            seen += 1;
            if seen > limits.referrers {
                return Err(Error::limit("referrers", limits.referrers, "more is attached than is listed"));
            }
            there.insert(referrer.digest);
        }
        drop(stream);
        missing = expected.iter().filter(|wanted| !there.contains(&wanted.digest)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        for wanted in &missing {
            let (descriptor, bytes) = store.fetch_manifest(&Selector::Digest(wanted.digest)).await?;
            store.push(&Blob::from_content(descriptor, bytes.into()), &[]).await?;
        }
    }
    let missing = missing.first().map_or_else(String::new, |wanted| wanted.digest.to_string());
    Err(Error::new(ErrorKind::Conflict, "what was attached is not listed among the chart's referrers")
        .with_reason(Reason::ManifestMissing)
        .with_context("missing", missing)
        .with_context("attempts", ATTEMPTS)
        .with_hint(
            "others write to the same list at the same time, or the registry lists late; publish again",
        ))
}

fn at(stage: &'static str) -> impl Fn(Error) -> Error {
    move |error| error.with_context("stage", stage)
}
