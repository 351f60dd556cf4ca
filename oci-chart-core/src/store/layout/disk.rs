use std::{
    io::{ErrorKind as IoKind, Read, Write},
    path::{Path, PathBuf},
};

use fs_err as fs;

use serde::Deserialize;
use tempfile::NamedTempFile;

use crate::{
    digest::Digest,
    error::{Error, ErrorKind, Reason, Result},
    json,
    oci::{Descriptor, MediaType},
    process::FileLock,
};

const MARKER: &str = r#"{"imageLayoutVersion":"1.0.0"}"#;

/// The files of a layout.
#[derive(Debug)]
pub(super) struct Disk {
    root: PathBuf,
}

/// A blob on its way in.
pub(super) struct NewBlob(NamedTempFile);

impl NewBlob {
    pub(super) fn write(&mut self, piece: &[u8]) -> Result<()> {
        Ok(self.0.write_all(piece)?)
    }
}

impl Disk {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn path_of(&self, digest: &Digest) -> PathBuf {
        self.root.join("blobs").join(digest.algorithm().name()).join(digest.hex())
    }

    /// The size of the blob, where there is one.
    pub(super) fn size_of(&self, digest: &Digest) -> Result<Option<u64>> {
        match fs::metadata(self.path_of(digest)) {
            Ok(metadata) => Ok(metadata.is_file().then_some(metadata.len())),
            Err(error) if error.kind() == IoKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The descriptor of a manifest that `index.json` does not name: a child of an index.
    pub(super) fn sniff_manifest(&self, digest: &Digest, limit: u64) -> Result<Option<Descriptor>> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Sniff {
            schema_version: Option<u64>,
            media_type: Option<String>,
            manifests: Option<serde::de::IgnoredAny>,
            layers: Option<serde::de::IgnoredAny>,
        }
        let Some(size) = self.size_of(digest)?.filter(|size| *size <= limit) else { return Ok(None) };
        let bytes = fs::read(self.path_of(digest))?;
        let Ok(sniff) = json::object::<Sniff>(&bytes) else { return Ok(None) };
        let media_type = match sniff.media_type {
            Some(text) => MediaType::from(text),
            None if sniff.manifests.is_some() => MediaType::OCI_INDEX,
            None if sniff.layers.is_some() => MediaType::OCI_MANIFEST,
            None => return Ok(None),
        };
        let manifest = sniff.schema_version == Some(2) && media_type.is_manifest();
        Ok(manifest.then(|| Descriptor::new(media_type, *digest, size)))
    }

    /// Makes the layout if it is not there, and a file in it without a name yet.
    pub(super) fn new_blob(&self) -> Result<NewBlob> {
        self.make()?;
        Ok(NewBlob(self.temporary()?))
    }

    /// Gives a blob its name. Its bytes were checked while they came.
    pub(super) fn keep(&self, blob: NewBlob, digest: &Digest) -> Result<()> {
        let path = self.path_of(digest);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        place(blob.0, &path)
    }

    pub(super) fn remove(&self, digest: &Digest) -> Result<bool> {
        match fs::remove_file(self.path_of(digest)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == IoKind::NotFound => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// The bytes of `index.json`, where there is a layout with one.
    pub(super) fn read_index(&self, limit: u64) -> Result<Option<Vec<u8>>> {
        let file = match fs::File::open(self.root.join("index.json")) {
            Ok(file) => file,
            Err(error) if error.kind() == IoKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let mut bytes = Vec::new();
        file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > limit {
            return Err(Error::limit("index bytes", limit, "index.json is too large")
                .with_reason(Reason::DocumentTooLarge)
                .with_context("store", self.root.display()));
        }
        Ok(Some(bytes))
    }

    pub(super) fn write_index(&self, bytes: &[u8]) -> Result<()> {
        let mut file = self.temporary()?;
        file.write_all(bytes)?;
        place(file, &self.root.join("index.json"))
    }

    /// Keeps other processes and threads from changing `index.json` until the result is dropped.
    pub(super) fn lock(&self) -> Result<FileLock> {
        self.make()?;
        FileLock::wait(&self.root.join(".index.json.lock"))
    }

    /// The error of files that are no layout.
    pub(super) fn bad(&self, message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
        Error::new(ErrorKind::InvalidInput, message)
            .with_reason(Reason::BadLayout)
            .with_context("store", self.root.display())
            .with_hint("the directory is not an OCI image layout, or was damaged")
    }

    fn make(&self) -> Result<()> {
        let marker = self.root.join("oci-layout");
        if fs::metadata(&marker).is_ok() {
            return Ok(());
        }
        fs::create_dir_all(self.root.join("blobs").join("sha256"))?;
        let mut file = self.temporary()?;
        file.write_all(MARKER.as_bytes())?;
        place(file, &marker)
    }

    /// In the layout's own directory, so that a rename stays within one file system.
    fn temporary(&self) -> Result<NamedTempFile> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(".new-");
        crate::platform::readable_by_all(&mut builder);
        let file = builder.tempfile_in(&self.root);
        Ok(file.map_err(|error| crate::platform::named("create a file in", &self.root, error))?)
    }
}

fn place(file: NamedTempFile, path: &Path) -> Result<()> {
    file.as_file().sync_data()?;
    file.persist(path).map(drop).map_err(|error| error.error.into())
}
