//! Finds what claims to be a signature of a manifest: everywhere at once, under bounds, and without ever mistaking an error for nothing.

mod layers;

use std::{
    collections::{BTreeMap, HashMap},
    pin::Pin,
};

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, future::join, stream};

pub(super) use self::layers::Layer;
use self::layers::layers;
use super::{
    Candidate, Format, Verdict, attest::Demand, budget::Budget, evidence::Trouble, examination::Objection,
    flaw::Flaw,
};
use crate::{
    context::Context,
    digest::Digest,
    error::{Error, ErrorKind, Result},
    limits::Limits,
    name::{Selector, Tag},
    oci::{Descriptor, MediaType},
    store::{Store, StoreExt as _},
};

/// The media types of bundles of all versions begin like this, those of later ones too.
pub(crate) const BUNDLE_TYPES: &str = "application/vnd.dev.sigstore.bundle";

/// How many requests are under way at a time.
const PARALLEL: usize = 8;

/// One claim.
#[derive(Debug)]
pub(crate) struct Found {
    /// Its form.
    pub(crate) format: Format,
    /// The manifest that holds it.
    pub(crate) manifest: Digest,
    /// Which layer of the manifest.
    pub(crate) layer: usize,
    /// The layer's annotations. Signed by nobody.
    pub(crate) annotations: BTreeMap<String, String>,
    /// The layer's bytes: the payload of a signature tag, the JSON of a bundle.
    pub(crate) content: Result<Bytes, Unusable>,
}

/// Why a claim has no content.
#[derive(Debug, Clone)]
pub(crate) enum Unusable {
    /// It is there, and is none.
    Flawed(Flaw),
    /// It could not be had.
    Unread(Trouble),
}

impl From<Unusable> for Objection {
    fn from(unusable: Unusable) -> Self {
        match unusable {
            Unusable::Flawed(flaw) => Self::Refused(flaw),
            Unusable::Unread(trouble) => Self::Unread(trouble),
        }
    }
}

/// A place that gave no answer, or had more than is read.
#[derive(Debug)]
pub(crate) struct Unread {
    pub(crate) format: Format,
    /// Nothing of the place is known; otherwise what is missing lies beyond a bound.
    pub(crate) whole: bool,
    pub(crate) trouble: Trouble,
}

/// All that was found.
#[derive(Debug, Default)]
pub(crate) struct Discovery {
    pub(crate) found: Vec<Found>,
    pub(crate) unread: Vec<Unread>,
}

impl Found {
    /// The candidate, before anybody judged it.
    pub(crate) fn candidate(&self) -> Candidate {
        Candidate {
            format: self.format,
            manifest: Some(self.manifest),
            layer: self.layer,
            verdict: Verdict::Refused,
            reason: None,
            message: None,
            signer: None,
        }
    }
}

impl Unread {
    pub(crate) fn candidate(&self) -> Candidate {
        Candidate {
            format: self.format,
            manifest: None,
            layer: 0,
            verdict: Verdict::Unread,
            reason: self.trouble.error().reason(),
            message: Some(self.trouble.error().to_string()),
            signer: None,
        }
    }
}

/// The tag under which cosign keeps what belongs to a manifest: `sha256-HEX.sig` for signatures.
pub(crate) fn companion_tag(subject: &Digest, suffix: &str) -> Result<Tag> {
    Ok(Tag::parse(&format!("{}-{}.{suffix}", subject.algorithm().name(), subject.hex()))?)
}

/// What `store` has in `formats` for `subject`, which is a manifest of this store or of another, and what may be what is demanded.
///
/// # Errors
///
/// [`ErrorKind::Cancelled`] alone: whatever else goes wrong is part of what was found.
pub(crate) async fn discover(
    cx: &Context,
    store: &dyn Store,
    subject: &Descriptor,
    formats: &[Format],
    limits: &Limits,
    demand: Demand<'_>,
) -> Result<Discovery> {
    let (suffix, largest) = match demand {
        Demand::Signature => ("sig", limits.signature_bytes),
        Demand::Attestation(..) => ("att", limits.attestation_bytes),
    };
    let search = Search { cx, store, subject, limits, suffix, largest, budget: Budget::new(limits, store) };
    let wanted = |format| formats.contains(&format);
    let (tagged, bundles) = join(
        async {
            if wanted(Format::SignatureTag) { search.signature_tag().await } else { Ok(Discovery::default()) }
        },
        async { if wanted(Format::Bundle) { search.bundles().await } else { Ok(Discovery::default()) } },
    )
    .await;
    let (mut all, more) = (tagged?, bundles?);
    all.found.extend(more.found);
    all.unread.extend(more.unread);
    Ok(all)
}

struct Search<'a> {
    cx: &'a Context,
    store: &'a dyn Store,
    subject: &'a Descriptor,
    limits: &'a Limits,
    /// What the tag ends with.
    suffix: &'static str,
    /// Bound of one bundle or one layer, in bytes.
    largest: u64,
    budget: Budget,
}

impl Search<'_> {
    /// The layers behind the tag `sha256-HEX.sig` (or `.att`): one request, and one for each different payload.
    async fn signature_tag(&self) -> Result<Discovery> {
        const FORMAT: Format = Format::SignatureTag;
        let mut all = Discovery::default();
        let selector = Selector::Tag(companion_tag(&self.subject.digest, self.suffix)?);
        let manifest = self.budget.wait(self.store.fetch_manifest(&selector));
        let (descriptor, bytes) = match manifest.await {
            Ok(found) => found,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(all),
            Err(error) => {
                all.unread.push(Unread { format: FORMAT, whole: true, trouble: passing(error)? });
                return Ok(all);
            }
        };
        let claim = |layer, annotations, content| Found {
            format: FORMAT,
            manifest: descriptor.digest,
            layer,
            annotations,
            content,
        };
        if let Err(error) = self.budget.charge(bytes.len() as u64) {
            all.found.push(claim(0, BTreeMap::new(), Err(Unusable::Unread(error.into()))));
            return Ok(all);
        }
        let most = self.limits.signature_layers;
        let (layers, more) = match layers(&descriptor, &bytes, most as usize) {
            Ok(layers) => layers,
            Err(flaw) => {
                all.found.push(claim(0, BTreeMap::new(), Err(Unusable::Flawed(flaw))));
                return Ok(all);
            }
        };
        drop(bytes);
        if more {
            let error =
                Error::limit("signature_layers", most, "the signature tag has more signatures than are read");
            all.unread.push(Unread { format: FORMAT, whole: false, trouble: error.into() });
        }
        let mut wanted: Vec<&Descriptor> = Vec::new();
        for Layer { descriptor, .. } in &layers {
            if !wanted.iter().any(|other| other.digest == descriptor.digest) {
                wanted.push(descriptor);
            }
        }
        let mut tasks: Vec<Task<'_, _>> = Vec::with_capacity(wanted.len());
        for layer in &wanted {
            tasks.push(Box::pin(self.blob(layer, self.largest)));
        }
        let mut contents: HashMap<Digest, Result<Bytes, Unusable>> = HashMap::new();
        for (layer, content) in wanted.iter().zip(all_of(tasks).await) {
            contents.insert(layer.digest, content?);
        }
        for (n, layer) in layers.iter().enumerate() {
            if let Some(content) = contents.get(&layer.descriptor.digest) {
                all.found.push(claim(n, layer.annotations.clone(), content.clone()));
            }
        }
        Ok(all)
    }

    /// The bundles among the referrers: one request for the list (two without the referrers API), and two for each candidate.
    async fn bundles(&self) -> Result<Discovery> {
        const FORMAT: Format = Format::Bundle;
        let mut all = Discovery::default();
        let (mut listed, mut seen) = (Vec::new(), 0);
        let mut stream = self.store.referrers(self.subject);
        let most = self.limits.referrers;
        loop {
            match self.budget.wait(stream.try_next()).await {
                Ok(None) => break,
                Ok(Some(_)) if seen == most => {
                    let error =
                        Error::limit("referrers", most, "the manifest has more referrers than are read");
                    all.unread.push(Unread { format: FORMAT, whole: false, trouble: error.into() });
                    break;
                }
                Ok(Some(referrer)) => {
                    if let Err(error) = self.budget.charge_mention(&referrer) {
                        all.unread.push(Unread { format: FORMAT, whole: false, trouble: error.into() });
                        break;
                    }
                    seen += 1;
                    // What a list says of a referrer's type is no reason to skip it (cosign 2 lists bundles under the type of their
                    // configuration), but those that are said to be bundles come first, in case there are too many.
                    let kind = referrer.artifact_type.as_ref().map_or("", MediaType::as_str);
                    if referrer.media_type.is_manifest() && !referrer.media_type.is_index() {
                        listed.push((!kind.starts_with(BUNDLE_TYPES), bare(&referrer)));
                    }
                }
                Err(error) => {
                    all.unread.push(Unread { format: FORMAT, whole: true, trouble: passing(error)? });
                    break;
                }
            }
        }
        drop(stream);
        listed.sort_by_key(|(is_other, _)| *is_other);
        let most = self.limits.candidates as usize;
        if listed.len() > most {
            let error = Error::limit("candidates", most, "the manifest has more referrers than are examined");
            all.unread.push(Unread { format: FORMAT, whole: false, trouble: error.into() });
            listed.truncate(most);
        }
        let mut tasks: Vec<Task<'_, _>> = Vec::with_capacity(listed.len());
        for (_, referrer) in &listed {
            tasks.push(Box::pin(self.bundle(referrer)));
        }
        for found in all_of(tasks).await {
            all.found.extend(found?);
        }
        Ok(all)
    }

    /// The bundle that `referrer` is, if it is one.
    async fn bundle(&self, referrer: &Descriptor) -> Result<Option<Found>> {
        let found = |content| Found {
            format: Format::Bundle,
            manifest: referrer.digest,
            layer: 0,
            annotations: BTreeMap::new(),
            content,
        };
        let layer = match self.blob(referrer, self.limits.manifest_bytes).await? {
            Ok(bytes) => match bundle_layer(referrer, &bytes) {
                Ok(Some(layer)) => layer,
                Ok(None) => return Ok(None),
                Err(flaw) => return Ok(Some(found(Err(Unusable::Flawed(flaw))))),
            },
            Err(unusable) => return Ok(Some(found(Err(unusable)))),
        };
        Ok(Some(found(self.blob(&layer, self.largest).await?)))
    }

    /// Content of at most `limit` bytes, where there is room and time for it.
    async fn blob(&self, descriptor: &Descriptor, limit: u64) -> Result<Result<Bytes, Unusable>> {
        self.cx.check()?;
        let fetch = async {
            if descriptor.size > limit {
                let name = if descriptor.media_type.is_manifest() {
                    "manifest_bytes"
                } else if limit == self.limits.attestation_bytes {
                    "attestation_bytes"
                } else {
                    "signature_bytes"
                };
                return Err(Error::limit(name, limit, "what is to be a signature is too large")
                    .with_context("bytes", descriptor.size));
            }
            self.budget.charge(descriptor.size)?;
            self.budget.wait(self.store.fetch_bytes(descriptor, limit)).await
        };
        match fetch.await {
            Ok(bytes) => Ok(Ok(bytes)),
            Err(error) => Ok(Err(Unusable::Unread(passing(error)?))),
        }
    }
}

/// Boxed, because the compiler cannot see that closures over borrowed futures are `Send` for every lifetime.
pub(super) type Task<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The results of all tasks in their order, some of them at a time.
async fn all_of<T>(tasks: Vec<Task<'_, T>>) -> Vec<T> {
    stream::iter(tasks).buffered(PARALLEL).collect().await
}

/// A cancelled call ends; every other error is evidence.
fn passing(error: Error) -> Result<Trouble> {
    if error.kind() == ErrorKind::Cancelled { Err(error) } else { Ok(error.into()) }
}

/// The one layer of a manifest, if that is a bundle.
fn bundle_layer(referrer: &Descriptor, bytes: &[u8]) -> Result<Option<Descriptor>, Flaw> {
    let is_bundle = |layer: &Layer| layer.descriptor.media_type.as_str().starts_with(BUNDLE_TYPES);
    // Who writes two, may write the bundle second.
    match &*layers(referrer, bytes, 2)?.0 {
        [layer] => Ok(is_bundle(layer).then(|| layer.descriptor.clone())),
        several if several.iter().any(is_bundle) => {
            Err(Flaw::malformed("the manifest of a bundle has exactly one layer"))
        }
        _ => Ok(None),
    }
}

/// A mention of a manifest without what strangers may have written beside it.
pub(super) fn bare(descriptor: &Descriptor) -> Descriptor {
    Descriptor::new(descriptor.media_type.clone(), descriptor.digest, descriptor.size)
}

/// The media type of what a bundle's manifest calls itself.
pub(crate) fn bundle_type() -> MediaType {
    MediaType::from("application/vnd.dev.sigstore.bundle.v0.3+json")
}
