use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Serialize;

use super::{
    super::{
        budget::Budget,
        discover::{BUNDLE_TYPES, Task, bare, companion_tag},
        statement::COSIGN_SIGN,
        text,
    },
    claims::Claims,
    sbom::{CYCLONEDX, SPDX},
};
use crate::{
    context::Context,
    digest::Digest,
    error::{Error, ErrorKind, Result},
    limits::Limits,
    name::{Selector, Tag},
    oci::Descriptor,
    store::{Side, Store, Traced},
    transfer::select,
};

/// How far attachments of attachments are followed: the signature of a bill of materials, and one level more.
const DEEPEST: u32 = 3;

/// How many requests are under way at a time; each may bring a manifest of the largest size.
const PARALLEL: usize = 2;

/// All that is attached to a manifest, and what is attached to that.
///
/// Shown as text it is a drawing; serialised it is JSON.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Tree {
    /// The manifest at the root.
    #[serde(serialize_with = "digest_of")]
    pub subject: Descriptor,
    /// What is attached, each right before what is attached to it.
    pub attached: Vec<Attached>,
}

/// One thing that is attached.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Attached {
    /// Its manifest; [`fetch_attachment`](super::fetch_attachment) takes it out.
    #[serde(rename = "digest", serialize_with = "digest_of")]
    pub descriptor: Descriptor,
    /// What it is attached to: the root, or another entry.
    pub subject: Digest,
    /// How many steps from the root; 1 for what is attached to the root itself.
    pub depth: u32,
    /// What it claims to be. Nobody has checked that.
    pub kind: AttachedKind,
    /// Where it was found.
    pub place: Place,
    /// The artifact's type, where it says one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The predicate type that an unsigned annotation claims.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub predicate_type: Option<String>,
    /// The media types of its layers.
    pub layers: Vec<String>,
    /// The size of its layers, in bytes.
    pub bytes: u64,
}

/// What an attachment claims to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum AttachedKind {
    /// A signature, of cosign or notation.
    Signature,
    /// A signed statement.
    Attestation,
    /// A bill of materials, unsigned.
    Sbom,
    /// Anything else.
    Other,
    /// It is listed, and is not there.
    Missing,
}

/// Where an attachment is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Place {
    /// Among the referrers.
    Referrers,
    /// Under a tag made of the subject's digest, as cosign 1 and 2 do.
    Tag(Tag),
}

/// Lists what is attached to the manifest that `selector` names: referrers (by the API or by the tag that stands in for it), cosign's
/// tags `.sig`, `.att` and `.sbom`, and what is attached to those, up to three levels.
///
/// Two requests and one for each of the three tags; then two for each attachment, its manifest and what is attached to it. Without the referrers
/// API each list costs one request more in the first, and a list of several pages one for each of them.
///
/// # Errors
///
/// What keeps the list from being complete: whatever the store says, with `side: source`, and [`ErrorKind::LimitExceeded`] where all lists
/// together have more entries than [`Limits::referrers`], lists and manifests more bytes than [`Limits::verify_bytes`], or where it all takes
/// longer than [`Limits::verify_time`]. A listed manifest that is not there is no error but an entry of its own kind.
pub async fn tree(
    cx: &Context,
    store: &Arc<dyn Store>,
    selector: &Selector,
    limits: &Limits,
) -> Result<Tree> {
    let store = Traced::on(Arc::clone(store), Side::Source);
    let work = async {
        let selector = select(cx, &store, selector, limits).await?;
        let subject = store.resolve(&selector).await?;
        let budget = Budget::new(limits, &store);
        Search { cx, store: &store, limits, budget, seen: AtomicU32::new(0) }.grow(subject).await
    };
    cx.run(work).await.map_err(|error| error.with_operation("tree").with_context("selector", selector))
}

/// One listing, and what it may still take.
struct Search<'a> {
    cx: &'a Context,
    store: &'a dyn Store,
    limits: &'a Limits,
    budget: Budget,
    /// Entries of all lists so far, each as often as it is listed.
    seen: AtomicU32,
}

impl Search<'_> {
    /// Goes down level by level, and puts what was found behind what it is attached to.
    async fn grow(&self, root: Descriptor) -> Result<Tree> {
        // One manifest is shown once, where it was found first: a circle of subjects ends here.
        let mut known = HashSet::from([root.digest]);
        let mut children: HashMap<Digest, Vec<Attached>> = HashMap::new();
        let mut open = vec![root.clone()];
        for depth in 1..=DEEPEST {
            let mut lists: Vec<Task<'_, _>> = Vec::with_capacity(open.len());
            for subject in &open {
                lists.push(Box::pin(self.beside(subject, depth)));
            }
            let lists = all_of(lists).await?;
            let mut entries: Vec<Task<'_, _>> = Vec::new();
            for (subject, list) in open.iter().zip(lists) {
                for (descriptor, place) in list {
                    if known.insert(descriptor.digest) {
                        entries.push(Box::pin(self.describe(descriptor, subject.digest, depth, place)));
                    }
                }
            }
            let entries = all_of(entries).await?;
            let there = entries.iter().filter(|entry| entry.kind != AttachedKind::Missing);
            open = there.map(|entry| entry.descriptor.clone()).collect();
            for entry in entries {
                children.entry(entry.subject).or_default().push(entry);
            }
        }
        let mut attached = Vec::new();
        let mut next = children.remove(&root.digest).unwrap_or_default();
        next.reverse();
        while let Some(entry) = next.pop() {
            next.extend(children.remove(&entry.descriptor.digest).into_iter().flatten().rev());
            attached.push(entry);
        }
        Ok(Tree { subject: root, attached })
    }

    /// What is attached to `subject`: its referrers, and at the root what cosign's tags hold.
    async fn beside(&self, subject: &Descriptor, depth: u32) -> Result<Vec<(Descriptor, Place)>> {
        let mut found = self.listed(subject).await?;
        if depth == 1 {
            found.extend(self.tagged(subject).await?);
        }
        Ok(found)
    }

    async fn listed(&self, subject: &Descriptor) -> Result<Vec<(Descriptor, Place)>> {
        let most = self.limits.referrers;
        let mut found = Vec::new();
        let mut stream = self.store.referrers(subject);
        while let Some(referrer) = self.budget.wait(stream.try_next()).await? {
            self.cx.check()?;
            self.budget.charge_mention(&referrer)?;
            if self.seen.fetch_add(1, Ordering::Relaxed) >= most {
                return Err(Error::limit("referrers", most, "more is attached than is listed"));
            }
            // Annotations that stand in a list are not kept: the manifest's own are looked at.
            let artifact_type = referrer.artifact_type.clone();
            found.push((Descriptor { artifact_type, ..bare(&referrer) }, Place::Referrers));
        }
        Ok(found)
    }

    async fn tagged(&self, subject: &Descriptor) -> Result<Vec<(Descriptor, Place)>> {
        let mut found = Vec::new();
        for suffix in ["sig", "att", "sbom"] {
            self.cx.check()?;
            let tag = companion_tag(&subject.digest, suffix)?;
            match self.budget.wait(self.store.resolve(&Selector::Tag(tag.clone()))).await {
                Ok(descriptor) => found.push((descriptor, Place::Tag(tag))),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// Looks at the manifest itself: what a list says of it may be wrong (cosign 2 lists bundles under another type).
    async fn describe(
        &self,
        listed: Descriptor,
        subject: Digest,
        depth: u32,
        place: Place,
    ) -> Result<Attached> {
        self.cx.check()?;
        let entry = |descriptor: Descriptor, kind| Attached {
            artifact_type: descriptor.artifact_type.as_ref().map(ToString::to_string),
            descriptor,
            subject,
            depth,
            kind,
            place: place.clone(),
            predicate_type: None,
            layers: Vec::new(),
            bytes: 0,
        };
        if listed.media_type.is_index() || !listed.media_type.is_manifest() {
            return Ok(entry(listed, AttachedKind::Other));
        }
        let selector = Selector::Digest(listed.digest);
        let (descriptor, bytes) = match self.budget.wait(self.store.fetch_manifest(&selector)).await {
            Ok(found) => found,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(entry(listed, AttachedKind::Missing));
            }
            Err(error) => return Err(error),
        };
        self.budget.charge(bytes.len() as u64)?;
        let Ok(claims) = Claims::read(&descriptor, &bytes) else {
            return Ok(entry(listed, AttachedKind::Other));
        };
        let kind = kind_of(&claims, &place);
        let Claims { artifact_type, predicate_type, layers, bytes } = claims;
        Ok(Attached { artifact_type, predicate_type, layers, bytes, ..entry(descriptor, kind) })
    }
}

/// The results of all tasks in their order, or the first error.
async fn all_of<T>(tasks: Vec<Task<'_, Result<T>>>) -> Result<Vec<T>> {
    stream::iter(tasks).buffered(PARALLEL).try_collect().await
}

fn kind_of(claims: &Claims, place: &Place) -> AttachedKind {
    if let Place::Tag(tag) = place {
        return match tag.as_str().rsplit('.').next() {
            Some("sig") => AttachedKind::Signature,
            Some("att") => AttachedKind::Attestation,
            _ => AttachedKind::Sbom,
        };
    }
    let layer = claims.layers.first().map_or("", String::as_str);
    match (claims.artifact_type.as_deref().unwrap_or_default(), layer) {
        (_, layer) if layer.starts_with(BUNDLE_TYPES) => match claims.predicate_type.as_deref() {
            Some(COSIGN_SIGN) => AttachedKind::Signature,
            _ => AttachedKind::Attestation,
        },
        ("application/vnd.dev.cosign.artifact.sig.v1+json" | "application/vnd.cncf.notary.signature", _) => {
            AttachedKind::Signature
        }
        ("application/vnd.in-toto+json", _) | (_, "application/vnd.dsse.envelope.v1+json") => {
            AttachedKind::Attestation
        }
        (SPDX | CYCLONEDX, _) => AttachedKind::Sbom,
        (own, _) if own.contains("spdx") || own.contains("cyclonedx") || own.contains("sbom") => {
            AttachedKind::Sbom
        }
        _ => AttachedKind::Other,
    }
}

impl Tree {
    /// As JSON.
    pub fn to_json(&self) -> String {
        text::json(self)
    }
}

impl fmt::Display for Tree {
    /// One line each, indented by depth: kind, digest, what it claims to be.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.subject.digest)?;
        for entry in &self.attached {
            let indent = 2 * entry.depth as usize;
            write!(f, "\n{:indent$}{} {}", "", entry.kind.as_str(), entry.descriptor.digest)?;
            // What strangers wrote is shown escaped.
            if let Some(claimed) = entry.predicate_type.as_ref().or(entry.artifact_type.as_ref()) {
                write!(f, " {}", claimed.escape_debug())?;
            }
        }
        Ok(())
    }
}

impl AttachedKind {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::Attestation => "attestation",
            Self::Sbom => "sbom",
            Self::Other => "other",
            Self::Missing => "missing",
        }
    }
}

fn digest_of<S: serde::Serializer>(descriptor: &Descriptor, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&descriptor.digest)
}
