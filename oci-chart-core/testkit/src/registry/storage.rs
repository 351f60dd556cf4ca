//! What the registry holds: repositories with blobs, manifests and tags.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;

use super::digest::Digest;
use super::facts::Facts;
use super::spool::Stored;

/// All repositories by name.
#[derive(Debug, Default)]
pub(crate) struct Storage {
    repositories: BTreeMap<String, Repository>,
}

/// One repository.
#[derive(Debug, Default)]
pub(crate) struct Repository {
    pub(crate) blobs: BTreeMap<Digest, Arc<Stored>>,
    pub(crate) manifests: BTreeMap<Digest, Arc<Manifest>>,
    pub(crate) tags: BTreeMap<String, Digest>,
}

/// A manifest as pushed.
#[derive(Debug)]
pub(crate) struct Manifest {
    pub(crate) digest: Digest,
    pub(crate) media_type: String,
    pub(crate) bytes: Bytes,
    pub(crate) facts: Facts,
}

impl Storage {
    pub(crate) fn repository(&self, name: &str) -> Option<&Repository> {
        self.repositories.get(name)
    }

    /// The repository, made when it is not there.
    pub(crate) fn open(&mut self, name: &str) -> &mut Repository {
        self.repositories.entry(name.to_owned()).or_default()
    }

    pub(crate) fn existing(&mut self, name: &str) -> Option<&mut Repository> {
        self.repositories.get_mut(name)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &String> {
        self.repositories.keys()
    }

    pub(crate) fn blob(&self, name: &str, digest: &Digest) -> Option<Arc<Stored>> {
        self.repository(name)?.blobs.get(digest).cloned()
    }

    /// A blob of whichever repository has it.
    pub(crate) fn blob_anywhere(&self, digest: &Digest) -> Option<Arc<Stored>> {
        self.repositories.values().find_map(|repository| repository.blobs.get(digest).cloned())
    }

    /// By tag, or by digest when the reference is one.
    pub(crate) fn manifest(&self, name: &str, reference: &str) -> Option<Arc<Manifest>> {
        let repository = self.repository(name)?;
        let by_tag = || repository.tags.get(reference).cloned();
        let digest = Digest::parse(reference).or_else(by_tag)?;
        repository.manifests.get(&digest).cloned()
    }
}

impl Repository {
    pub(crate) fn put_manifest(&mut self, manifest: Manifest, tags: &BTreeSet<String>) {
        let digest = manifest.digest.clone();
        self.manifests.insert(digest.clone(), Arc::new(manifest));
        for tag in tags {
            self.tags.insert(tag.clone(), digest.clone());
        }
    }

    /// Removes a manifest and the tags that point to it; says whether it was there.
    pub(crate) fn delete_manifest(&mut self, digest: &Digest) -> bool {
        self.tags.retain(|_, target| target != digest);
        self.manifests.remove(digest).is_some()
    }
}
