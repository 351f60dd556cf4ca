use serde_json::{Map, Value, json};

use super::disk::Disk;
use crate::{
    digest::Digest,
    error::Result,
    name::Tag,
    oci::{Descriptor, MediaType},
    store::{TagMode, Verdict, judge},
};

const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// More than half a million entries.
const LIMIT: u64 = 256 << 20;

/// `index.json`: what it says about manifests is read, everything else in it is kept. No digest is ever made of it.
pub(super) struct Index {
    document: Map<String, Value>,
    entries: Vec<Entry>,
}

struct Entry {
    /// The entry as it stands in the file, other tools' fields included.
    value: Map<String, Value>,
    descriptor: Descriptor,
    tag: Option<Tag>,
}

impl Index {
    /// The index as it is now; where there is none, an empty one.
    pub(super) fn read(disk: &Disk) -> Result<Self> {
        let Some(bytes) = disk.read_index(LIMIT)? else {
            return Ok(Self { document: Map::new(), entries: Vec::new() });
        };
        let parsed = serde_json::from_slice(&bytes).map_err(|error| {
            disk.bad(format!("index.json is not a JSON object: {error}")).with_source(error)
        })?;
        let mut document: Map<String, Value> = parsed;
        let list = match document.remove("manifests") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(list)) => list,
            Some(_) => return Err(disk.bad("`manifests` of index.json is not a list")),
        };
        let entries = list.into_iter().enumerate().map(|(n, value)| {
            Entry::parse(value).ok_or_else(|| disk.bad(format!("entry {n} of index.json is no descriptor")))
        });
        Ok(Self { document, entries: entries.collect::<Result<_>>()? })
    }

    /// Reads, changes and writes under the lock. Nothing is written where `work` fails or says that nothing changed.
    pub(super) fn change(disk: &Disk, work: impl FnOnce(&mut Self) -> Result<bool>) -> Result<()> {
        let _lock = disk.lock()?;
        let mut index = Self::read(disk)?;
        if work(&mut index)? {
            disk.write_index(&index.to_bytes()?)?;
        }
        Ok(())
    }

    pub(super) fn manifests(&self) -> impl Iterator<Item = Descriptor> {
        self.entries.iter().map(|entry| entry.descriptor.clone())
    }

    pub(super) fn tagged(&self, tag: &Tag) -> Option<Descriptor> {
        self.entries
            .iter()
            .find(|entry| entry.tag.as_ref() == Some(tag))
            .map(|entry| entry.descriptor.clone())
    }

    pub(super) fn by_digest(&self, digest: &Digest) -> Option<Descriptor> {
        self.entries
            .iter()
            .find(|entry| entry.descriptor.digest == *digest)
            .map(|entry| entry.descriptor.clone())
    }

    /// All tags, sorted.
    pub(super) fn tags(&self) -> Vec<Tag> {
        let mut tags: Vec<_> = self.entries.iter().filter_map(|entry| entry.tag.clone()).collect();
        tags.sort();
        tags.dedup();
        tags
    }

    /// Names `descriptor`, and lets `tags` point at it as far as their modes allow. Says whether anything changed.
    pub(super) fn point(&mut self, descriptor: &Descriptor, tags: &[(Tag, TagMode)]) -> Result<bool> {
        let mut writes = Vec::with_capacity(tags.len());
        for (tag, mode) in tags {
            let now = self.tagged(tag).map(|now| now.digest);
            if judge(mode, tag, now.as_ref(), &descriptor.digest)? == Verdict::Write {
                writes.push(tag);
            }
        }
        let known = self.by_digest(&descriptor.digest).is_some();
        for tag in &writes {
            self.untag(tag);
            let bare = self
                .entries
                .iter()
                .position(|entry| entry.descriptor.digest == descriptor.digest && !entry.value_has_name());
            if let Some(bare) = bare {
                self.entries.remove(bare);
            }
            self.entries.push(Entry::new(descriptor, Some((*tag).clone())));
        }
        if writes.is_empty() && !known {
            self.entries.push(Entry::new(descriptor, None));
            return Ok(true);
        }
        Ok(!writes.is_empty())
    }

    /// Takes the tag away. A manifest that loses its last tag stays in the index without one.
    pub(super) fn untag(&mut self, tag: &Tag) -> bool {
        let Some(at) = self.entries.iter().position(|entry| entry.tag.as_ref() == Some(tag)) else {
            return false;
        };
        let mut entry = self.entries.remove(at);
        if !self.entries.iter().any(|other| other.descriptor.digest == entry.descriptor.digest) {
            entry.drop_tag();
            self.entries.insert(at, entry);
        }
        true
    }

    /// Takes all entries of the manifest away.
    pub(super) fn remove(&mut self, digest: &Digest) -> bool {
        let before = self.entries.len();
        self.entries.retain(|entry| entry.descriptor.digest != *digest);
        self.entries.len() != before
    }

    fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut document = self.document.clone();
        document.entry("schemaVersion").or_insert_with(|| json!(2));
        document.entry("mediaType").or_insert_with(|| json!(MediaType::OCI_INDEX.as_str()));
        let entries = self.entries.iter().map(|entry| Value::Object(entry.value.clone())).collect();
        document.insert("manifests".to_owned(), Value::Array(entries));
        serde_json::to_vec(&document).map_err(|error| {
            crate::error::Error::new(crate::error::ErrorKind::Internal, "index.json cannot be written")
                .with_source(error)
        })
    }
}

impl Entry {
    fn new(descriptor: &Descriptor, tag: Option<Tag>) -> Self {
        let mut value = Map::new();
        value.insert("mediaType".to_owned(), json!(descriptor.media_type.as_str()));
        value.insert("digest".to_owned(), json!(descriptor.digest.to_string()));
        value.insert("size".to_owned(), json!(descriptor.size));
        if let Some(tag) = &tag {
            value.insert("annotations".to_owned(), json!({ REF_NAME: tag.as_str() }));
        }
        let descriptor = Descriptor::new(descriptor.media_type.clone(), descriptor.digest, descriptor.size);
        Self { value, descriptor, tag }
    }

    fn parse(value: Value) -> Option<Self> {
        let Value::Object(value) = value else { return None };
        let media_type = value.get("mediaType")?.as_str()?.into();
        let digest = value.get("digest")?.as_str()?.parse().ok()?;
        let size = value.get("size")?.as_u64()?;
        // A name that cannot be a tag is another tool's business.
        let tag = value.get("annotations").and_then(|all| all.get(REF_NAME)?.as_str()?.parse().ok());
        Some(Self { descriptor: Descriptor::new(media_type, digest, size), tag, value })
    }

    fn value_has_name(&self) -> bool {
        self.value.get("annotations").is_some_and(|all| all.get(REF_NAME).is_some())
    }

    fn drop_tag(&mut self) {
        self.tag = None;
        if let Some(Value::Object(annotations)) = self.value.get_mut("annotations") {
            annotations.remove(REF_NAME);
            if annotations.is_empty() {
                self.value.remove("annotations");
            }
        }
    }
}
