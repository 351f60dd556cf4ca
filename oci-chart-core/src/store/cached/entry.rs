use std::{
    io::{ErrorKind as IoKind, Read as _, Write as _},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use fs_err as fs;
use tempfile::NamedTempFile;

use crate::{
    content::Content,
    digest::{Digest, Verifier},
    error::Result,
    oci::MediaType,
};

/// Manifests above this are not kept, in bytes.
pub(super) const MOST_MANIFEST: u64 = 16 << 20;

/// Content up to this is held against its digest in memory, in bytes; larger content is read twice.
const IN_MEMORY: u64 = 8 << 20;

/// How much is hashed at a time, in bytes.
const BLOCK: usize = 256 << 10;

/// How old a mark of use may become before it is renewed: not every read has to write.
const MARK_AGE: Duration = Duration::from_secs(60);

/// What looking for an entry found.
pub(super) enum Look<T> {
    Found(T),
    Missing,
    /// It was there, and not what its name says. It is gone now.
    Damaged,
}

/// Where the content of `digest` lies below `root`.
pub(super) fn place(root: &Path, digest: &Digest) -> PathBuf {
    let hex = digest.hex();
    let shelf = hex.get(..2).unwrap_or_default();
    root.join(digest.algorithm().name()).join(shelf).join(&hex)
}

/// Where the manifest of `digest` lies below `root`: its media type in a line, which Helm's manifests do not have inside, and its bytes.
pub(super) fn manifest_place(root: &Path, digest: &Digest) -> PathBuf {
    place(root, digest).with_extension("manifest")
}

/// The content at `path`, if it is what `digest` and `size` say. It can be read to its end even when somebody removes it meanwhile.
pub(super) fn content(path: &Path, digest: &Digest, size: u64) -> Look<Content> {
    match checked(path, digest, size) {
        Ok(Some(content)) => {
            mark(path);
            Look::Found(content)
        }
        Ok(None) => Look::Missing,
        Err(_) => damaged(path),
    }
}

/// The manifest at `path`, if it has `digest`.
pub(super) fn manifest(path: &Path, digest: &Digest) -> Look<(MediaType, Bytes)> {
    let mut bytes = Vec::new();
    let Ok(file) = fs::File::open(path) else { return Look::Missing };
    if file.take(MOST_MANIFEST + 256).read_to_end(&mut bytes).is_err() {
        return Look::Missing;
    }
    match parse(&bytes, digest) {
        Some((media_type, start)) => {
            mark(path);
            Look::Found((media_type, Bytes::from(bytes).slice(start..)))
        }
        None => damaged(path),
    }
}

/// A file without a name yet, for an entry below `root`.
pub(super) fn new_file(root: &Path) -> Result<NamedTempFile> {
    crate::platform::create_private_dir(root)?;
    Ok(tempfile::Builder::new().prefix(".new-").tempfile_in(root)?)
}

/// Gives a finished entry its name.
pub(super) fn name(file: NamedTempFile, path: &Path) -> Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    file.persist(path).map(drop).map_err(|error| error.error.into())
}

/// Writes an entry.
pub(super) fn write(root: &Path, path: &Path, parts: &[&[u8]]) -> Result<()> {
    let mut file = new_file(root)?;
    for part in parts {
        file.write_all(part)?;
    }
    name(file, path)
}

fn checked(path: &Path, digest: &Digest, size: u64) -> Result<Option<Content>> {
    let mut file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == IoKind::NotFound => return Ok(None),
        // Somebody else's cache, or a disk that fails: as if there were nothing.
        Err(_) => return Ok(None),
    };
    let mut verifier = Verifier::new(*digest, size);
    if size <= IN_MEMORY {
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
        file.take(size.saturating_add(1)).read_to_end(&mut bytes)?;
        verifier.update(&bytes)?;
        verifier.finish()?;
        return Ok(Some(Bytes::from(bytes).into()));
    }
    let mut block = vec![0; BLOCK];
    loop {
        let count = file.read(&mut block)?;
        let Some(piece) = block.get(..count).filter(|piece| !piece.is_empty()) else { break };
        verifier.update(piece)?;
    }
    verifier.finish()?;
    Ok(Some(Content::from_open_file(file, size)))
}

fn parse(bytes: &[u8], digest: &Digest) -> Option<(MediaType, usize)> {
    let end = bytes.iter().take(256).position(|byte| *byte == b'\n')?;
    let (head, rest) = bytes.split_at_checked(end + 1)?;
    let media_type = MediaType::from(std::str::from_utf8(head.get(..end)?).ok()?);
    let mut verifier = Verifier::new(*digest, rest.len() as u64);
    verifier.update(rest).ok()?;
    verifier.finish().ok()?;
    media_type.is_manifest().then_some((media_type, end + 1))
}

fn damaged<T>(path: &Path) -> Look<T> {
    let _ = fs::remove_file(path);
    Look::Damaged
}

/// Notes that the entry was used: the ones that were not go first.
fn mark(path: &Path) {
    let now = SystemTime::now();
    let modified = fs::metadata(path).and_then(|metadata| metadata.modified());
    let is_old = modified.is_ok_and(|time| now.duration_since(time).is_ok_and(|age| age > MARK_AGE));
    if is_old && let Ok(file) = fs::OpenOptions::new().append(true).open(path) {
        let _ = file.file().set_modified(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_what_its_name_says_is_removed() {
        let root = tempfile::tempdir().unwrap();
        let digest = Digest::of("right");
        let path = place(root.path(), &digest);
        for (bytes, found) in
            [("right", true), ("wrong", false), ("righ", false), ("right and more", false), ("", false)]
        {
            write(root.path(), &path, &[bytes.as_bytes()]).unwrap();
            let look = content(&path, &digest, 5);
            assert_eq!(matches!(look, Look::Found(_)), found, "{bytes}");
            assert_eq!(matches!(look, Look::Damaged), !found, "{bytes}");
            assert_eq!(path.exists(), found, "{bytes}");
        }
        assert!(matches!(content(&path, &digest, 5), Look::Missing));
    }

    #[test]
    fn manifests_keep_their_type_and_bytes() {
        let root = tempfile::tempdir().unwrap();
        let bytes = b"{\n}";
        let digest = Digest::of(bytes);
        let path = manifest_place(root.path(), &digest);
        let head = format!("{}\n", MediaType::OCI_INDEX);
        write(root.path(), &path, &[head.as_bytes(), bytes]).unwrap();
        let Look::Found((media_type, found)) = manifest(&path, &digest) else { panic!("not found") };
        assert_eq!((media_type, &found[..]), (MediaType::OCI_INDEX, &bytes[..]));
        for damage in
            ["", "\n", "text/plain\n{\n}", "application/vnd.oci.image.index.v1+json\n{}", "\u{fffd}"]
        {
            write(root.path(), &path, &[damage.as_bytes()]).unwrap();
            assert!(matches!(manifest(&path, &digest), Look::Damaged), "{damage}");
            assert!(!path.exists());
        }
    }

    #[test]
    fn large_content_is_checked_and_outlives_its_name() {
        let root = tempfile::tempdir().unwrap();
        let bytes = vec![7; IN_MEMORY as usize + 1];
        let digest = Digest::of(&bytes);
        let path = place(root.path(), &digest);
        write(root.path(), &path, &[&bytes]).unwrap();
        let Look::Found(found) = content(&path, &digest, bytes.len() as u64) else { panic!("not found") };
        fs::remove_file(&path).unwrap();
        assert!(found.as_bytes().is_none());
        assert_eq!(found.read(1 << 30).unwrap(), bytes);
    }
}
