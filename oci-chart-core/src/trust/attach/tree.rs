use std::{collections::VecDeque, fmt, sync::Arc};

use futures_util::TryStreamExt as _;
use serde::Serialize;

use super::{
    super::{
        discover::{BUNDLE_TYPES, companion_tag},
        statement::COSIGN_SIGN,
        text,
    },
    fetch::artifact_type,
    sbom::{CYCLONEDX, SPDX},
};
use crate::{
    context::Context,
    digest::Digest,
    error::{Error, ErrorKind, Result},
    limits::Limits,
    name::{Selector, Tag},
    oci::{Descriptor, Manifest},
    store::{Side, Store, Traced},
    transfer::select,
};

/// How far attachments of attachments are followed: the signature of a bill of materials, and one level more.
const DEEPEST: u32 = 3;

const PREDICATE: &str = "dev.sigstore.bundle.predicateType";

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
/// Two requests and one for each of the three tags; then two for each attachment.
///
/// # Errors
///
/// What keeps the list from being complete: whatever the store says, with `side: source`, and [`ErrorKind::LimitExceeded`] above
/// [`Limits::referrers`] entries. A listed manifest that is not there is no error but an entry of its own kind.
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
        grow(cx, &store, subject, limits).await
    };
    cx.run(work).await.map_err(|error| error.with_operation("tree").with_context("selector", selector))
}

async fn grow(cx: &Context, store: &dyn Store, root: Descriptor, limits: &Limits) -> Result<Tree> {
    let mut attached: Vec<Attached> = Vec::new();
    let mut open = VecDeque::from([(root.clone(), 0)]);
    while let Some((subject, depth)) = open.pop_front() {
        let mut here = listed(cx, store, &subject, limits).await?;
        if depth == 0 {
            here.extend(tagged(cx, store, &subject).await?);
        }
        // One manifest is shown once, where it was found first: a circle of subjects ends here.
        here.retain(|(descriptor, _)| {
            descriptor.digest != root.digest
                && attached.iter().all(|known| known.descriptor.digest != descriptor.digest)
        });
        if attached.len() + here.len() > limits.referrers as usize {
            return Err(Error::limit("referrers", limits.referrers, "more is attached than is listed"));
        }
        // Behind its subject, and behind what was attached to that before.
        let position = attached.iter().position(|known| known.descriptor.digest == subject.digest);
        let behind = position.map_or(attached.len(), |position| position + 1);
        for (n, (descriptor, place)) in here.into_iter().enumerate() {
            cx.check()?;
            let entry = describe(store, descriptor, subject.digest, depth + 1, place).await?;
            if entry.depth < DEEPEST && entry.kind != AttachedKind::Missing {
                open.push_back((entry.descriptor.clone(), entry.depth));
            }
            attached.insert((behind + n).min(attached.len()), entry);
        }
    }
    Ok(Tree { subject: root, attached })
}

async fn listed(
    cx: &Context,
    store: &dyn Store,
    subject: &Descriptor,
    limits: &Limits,
) -> Result<Vec<(Descriptor, Place)>> {
    let mut found: Vec<(Descriptor, Place)> = Vec::new();
    let mut stream = store.referrers(subject);
    while let Some(referrer) = stream.try_next().await? {
        cx.check()?;
        if found.len() == limits.referrers as usize {
            return Err(Error::limit("referrers", limits.referrers, "more is attached than is listed"));
        }
        if found.iter().all(|(known, _)| known.digest != referrer.digest) {
            found.push((referrer, Place::Referrers));
        }
    }
    Ok(found)
}

async fn tagged(cx: &Context, store: &dyn Store, subject: &Descriptor) -> Result<Vec<(Descriptor, Place)>> {
    let mut found = Vec::new();
    for suffix in ["sig", "att", "sbom"] {
        cx.check()?;
        let tag = companion_tag(&subject.digest, suffix)?;
        match store.resolve(&Selector::Tag(tag.clone())).await {
            Ok(descriptor) => found.push((descriptor, Place::Tag(tag))),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// Looks at the manifest itself: what a list says of it may be wrong (cosign 2 lists bundles under another type).
async fn describe(
    store: &dyn Store,
    listed: Descriptor,
    subject: Digest,
    depth: u32,
    place: Place,
) -> Result<Attached> {
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
    let (descriptor, bytes) = match store.fetch_manifest(&Selector::Digest(listed.digest)).await {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(entry(listed, AttachedKind::Missing)),
        Err(error) => return Err(error),
    };
    let Ok(manifest) = Manifest::parse(&descriptor, bytes) else {
        return Ok(entry(listed, AttachedKind::Other));
    };
    let own = artifact_type(&manifest).map(|kind| kind.to_string());
    let predicate = manifest.annotations().get(PREDICATE).cloned();
    let kind = kind_of(&manifest, own.as_deref(), predicate.as_deref(), &place);
    Ok(Attached {
        artifact_type: own,
        predicate_type: predicate,
        layers: manifest.layers().iter().map(|layer| layer.media_type.to_string()).collect(),
        bytes: manifest.layers().iter().fold(0, |sum: u64, layer| sum.saturating_add(layer.size)),
        ..entry(descriptor, kind)
    })
}

fn kind_of(manifest: &Manifest, own: Option<&str>, predicate: Option<&str>, place: &Place) -> AttachedKind {
    let layer = manifest.layers().first().map_or("", |layer| layer.media_type.as_str());
    let own = own.unwrap_or_default();
    if let Place::Tag(tag) = place {
        return match tag.as_str().rsplit('.').next() {
            Some("sig") => AttachedKind::Signature,
            Some("att") => AttachedKind::Attestation,
            _ => AttachedKind::Sbom,
        };
    }
    match (own, layer) {
        (_, layer) if layer.starts_with(BUNDLE_TYPES) => match predicate {
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
