use std::{
    collections::BTreeMap,
    fmt,
    sync::atomic::{AtomicU8, AtomicU64, Ordering},
};

/// What a registry may be able to do beyond what all do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Feature {
    /// HEAD of manifests, with a digest in the answer.
    Head,
    /// Mounting blobs of a repository into another, or into itself, which tells whether they are there.
    Mounts,
    /// Uploading a blob in one PUT.
    WholeUploads,
    /// Uploading a blob piece by piece.
    Chunks,
    /// Giving an upload up.
    UploadCancel,
    /// The referrers API.
    Referrers,
    /// Writing a manifest under several tags at once.
    TagParameters,
    /// Deleting tags.
    TagDelete,
    /// Deleting manifests.
    ManifestDelete,
    /// Pages of the size that is asked for.
    PageSize,
    /// The list of all repositories.
    Catalog,
    /// Harbor's own API beside the one of the distribution spec.
    Harbor,
}

impl Feature {
    /// Every feature.
    pub const ALL: [Self; 12] = [
        Self::Head,
        Self::Mounts,
        Self::WholeUploads,
        Self::Chunks,
        Self::UploadCancel,
        Self::Referrers,
        Self::TagParameters,
        Self::TagDelete,
        Self::ManifestDelete,
        Self::PageSize,
        Self::Catalog,
        Self::Harbor,
    ];

    /// The feature's name in words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Mounts => "mounts",
            Self::WholeUploads => "whole-uploads",
            Self::Chunks => "chunks",
            Self::UploadCancel => "upload-cancel",
            Self::Referrers => "referrers",
            Self::TagParameters => "tag-parameters",
            Self::TagDelete => "tag-delete",
            Self::ManifestDelete => "manifest-delete",
            Self::PageSize => "page-size",
            Self::Catalog => "catalog",
            Self::Harbor => "harbor",
        }
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whether a registry has a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Support {
    /// Nothing has shown it yet.
    #[default]
    Unknown,
    /// It has.
    Yes,
    /// It has not.
    No,
}

impl Support {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Yes => "yes",
            Self::No => "no",
        }
    }
}

/// What is known of a registry's features: learnt from its answers, kept for the client's life, and given back as data.
///
/// # Examples
///
/// ```
/// use oci_chart_core::store::{Capabilities, Feature, Support};
///
/// let known = Capabilities::default().with(Feature::Mounts, Support::No);
/// assert_eq!(known.get(Feature::Mounts), Support::No);
/// assert_eq!(known.get(Feature::Referrers), Support::Unknown);
/// assert_eq!(known.iter().map(|(feature, _)| feature).collect::<Vec<_>>(), Feature::ALL);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Capabilities {
    known: BTreeMap<Feature, Support>,
    /// The largest request body that the registry, or a proxy before it, is known to take where it refused a larger one, in bytes.
    pub body_limit: Option<u64>,
}

impl Capabilities {
    /// What is known of one feature.
    pub fn get(&self, feature: Feature) -> Support {
        self.known.get(&feature).copied().unwrap_or_default()
    }

    /// All features with what is known of each.
    pub fn iter(&self) -> impl Iterator<Item = (Feature, Support)> {
        Feature::ALL.into_iter().map(|feature| (feature, self.get(feature)))
    }

    /// The same with one feature set.
    #[must_use]
    pub fn with(mut self, feature: Feature, support: Support) -> Self {
        self.known.insert(feature, support);
        self
    }
}

/// What one registry was found to do and not to do. Learnt once, so that it costs one request and not one in every operation.
#[derive(Debug, Default)]
pub(super) struct Learnt {
    features: [AtomicU8; Feature::ALL.len()],
    /// See [`Capabilities::body_limit`]; 0 is none.
    body_limit: AtomicU64,
}

impl Learnt {
    pub(super) fn get(&self, feature: Feature) -> Support {
        match self.slot(feature).map_or(0, |slot| slot.load(Ordering::Relaxed)) {
            1 => Support::Yes,
            2 => Support::No,
            _ => Support::Unknown,
        }
    }

    pub(super) fn has(&self, feature: Feature) -> bool {
        self.get(feature) == Support::Yes
    }

    pub(super) fn lacks(&self, feature: Feature) -> bool {
        self.get(feature) == Support::No
    }

    pub(super) fn learn(&self, feature: Feature, has: bool) {
        self.set(feature, if has { Support::Yes } else { Support::No });
    }

    pub(super) fn body_limit(&self) -> Option<u64> {
        Some(self.body_limit.load(Ordering::Relaxed)).filter(|limit| *limit > 0)
    }

    pub(super) fn limit_bodies(&self, bytes: u64) {
        self.body_limit.store(bytes, Ordering::Relaxed);
    }

    pub(super) fn capabilities(&self) -> Capabilities {
        let known = Feature::ALL.into_iter().map(|feature| (feature, self.get(feature)));
        Capabilities {
            known: known.filter(|(_, support)| *support != Support::Unknown).collect(),
            body_limit: self.body_limit(),
        }
    }

    pub(super) fn assume(&self, capabilities: &Capabilities) {
        for (feature, support) in capabilities.known.iter() {
            self.set(*feature, *support);
        }
        if let Some(limit) = capabilities.body_limit {
            self.limit_bodies(limit);
        }
    }

    fn set(&self, feature: Feature, support: Support) {
        let value = match support {
            Support::Unknown => 0,
            Support::Yes => 1,
            Support::No => 2,
        };
        if let Some(slot) = self.slot(feature) {
            slot.store(value, Ordering::Relaxed);
        }
    }

    fn slot(&self, feature: Feature) -> Option<&AtomicU8> {
        let place = Feature::ALL.iter().position(|known| *known == feature)?;
        self.features.get(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_learnt_can_be_taken_along() {
        let learnt = Learnt::default();
        learnt.learn(Feature::Mounts, false);
        learnt.learn(Feature::Referrers, true);
        learnt.limit_bodies(4 << 20);
        let data = learnt.capabilities();
        assert_eq!((data.get(Feature::Mounts), data.get(Feature::Head)), (Support::No, Support::Unknown));
        let other = Learnt::default();
        other.assume(&data);
        assert_eq!(other.capabilities(), data);
        assert!(other.lacks(Feature::Mounts) && other.has(Feature::Referrers));
    }
}
