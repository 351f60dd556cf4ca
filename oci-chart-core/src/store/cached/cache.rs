use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use fs_err as fs;

use super::{
    entry::{self, Look, MOST_MANIFEST},
    keep::Keep,
};
use crate::{
    context::{Context, Event},
    digest::Digest,
    error::{Error, ErrorKind, Result},
    name::Tag,
    oci::Descriptor,
    process::FileLock,
    store::{ByteStream, content_stream, verified},
    threads::off_thread,
};

/// How old a file that was never finished becomes before it is taken for left behind.
const ABANDONED: Duration = Duration::from_secs(3600);

/// A directory of content by digest, for [`Cached`](super::Cached). Any number of processes may share one: entries appear whole, by a rename, and
/// are held against their digest whenever they are read.
///
/// It keeps what was used last, up to a bound (1 GiB unless set otherwise); what exceeds it for a moment is removed with the next entry.
/// The directory is readable by its owner alone, since what is in it may come from private repositories.
///
/// # Examples
///
/// ```
/// use oci_chart_core::store::Cache;
///
/// # let directory = tempfile::tempdir()?;
/// # let directory = directory.path().join("charts");
/// let cache = Cache::new(directory).with_bound(200 << 20);
/// assert_eq!(cache.usage()?.bytes, 0);
/// cache.prune(100 << 20)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Cache(Arc<Inner>);

pub(super) struct Inner {
    root: PathBuf,
    bound: u64,
    /// About how many bytes are there, as far as this process knows; `UNKNOWN` before it looked.
    bytes: AtomicU64,
    /// How many of them it has added since it looked.
    added: AtomicU64,
    has_warned: AtomicBool,
}

const UNKNOWN: u64 = u64::MAX;

/// The directory of notes where tags pointed.
const TAGS: &str = "tags";

/// How much is in a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[non_exhaustive]
pub struct CacheUsage {
    /// Manifests and blobs.
    pub entries: u64,
    /// What they take, in bytes.
    pub bytes: u64,
}

impl Cache {
    /// What is kept unless another bound is set, in bytes.
    pub const BOUND: u64 = 1 << 30;

    /// The cache at `root`, which need not exist: the first entry makes it.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self::at(root.into(), Self::BOUND)
    }

    /// The same cache, keeping at most so many bytes.
    #[must_use]
    pub fn with_bound(self, bytes: u64) -> Self {
        Self::at(self.0.root.clone(), bytes)
    }

    fn at(root: PathBuf, bound: u64) -> Self {
        let (bytes, added, has_warned) = (AtomicU64::new(UNKNOWN), AtomicU64::new(0), AtomicBool::new(false));
        Self(Arc::new(Inner { root, bound, bytes, added, has_warned }))
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.0.root
    }

    /// How much is in it now.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] for a directory that cannot be read. One that is not there is empty.
    pub fn usage(&self) -> Result<CacheUsage> {
        Ok(self.0.entries()?.iter().fold(CacheUsage::default(), CacheUsage::and))
    }

    /// Removes what was not used for longest until at most `bytes` are left, and what interrupted processes left behind; tells what was
    /// removed. Others may go on using the cache meanwhile.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`].
    pub fn prune(&self, bytes: u64) -> Result<CacheUsage> {
        if fs::metadata(&self.0.root).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
            return Ok(CacheUsage::default());
        }
        let _lock = FileLock::wait(&self.0.lock_place()?)?;
        self.0.prune(bytes)
    }

    /// The content of `descriptor`, if it is here and whole.
    pub(super) async fn content(&self, descriptor: &Descriptor) -> Option<ByteStream> {
        let (digest, size) = (descriptor.digest, descriptor.size);
        let found = if descriptor.media_type.is_manifest() {
            let (found, bytes) = self.manifest(&digest).await?;
            (found.size == size).then(|| bytes.into())?
        } else {
            self.look(
                move |inner| entry::content(&entry::place(&inner.root, &digest), &digest, size),
                &digest,
            )
            .await?
        };
        let bytes = content_stream(&found);
        // A file may change while it is read, memory does not.
        Some(if found.as_bytes().is_some() { bytes } else { verified(bytes, descriptor) })
    }

    /// The manifest of `digest`, if it is here and whole.
    pub(super) async fn manifest(&self, digest: &Digest) -> Option<(Descriptor, Bytes)> {
        let digest = *digest;
        let look =
            move |inner: &Inner| entry::manifest(&entry::manifest_place(&inner.root, &digest), &digest);
        let (media_type, bytes) = self.look(look, &digest).await?;
        Some((Descriptor::new(media_type, digest, bytes.len() as u64), bytes))
    }

    pub(super) async fn keep_manifest(&self, descriptor: &Descriptor, bytes: &Bytes) {
        if descriptor.size > MOST_MANIFEST || descriptor.size > self.0.bound {
            return;
        }
        let (descriptor, bytes) = (descriptor.clone(), bytes.clone());
        self.write(move |inner| {
            let head = format!("{}\n", descriptor.media_type);
            let place = entry::manifest_place(&inner.root, &descriptor.digest);
            entry::write(&inner.root, &place, &[head.as_bytes(), &bytes])?;
            inner.account(bytes.len() as u64)
        })
        .await;
    }

    /// `bytes`, which become an entry as they go by.
    pub(super) fn keep(&self, bytes: ByteStream, descriptor: &Descriptor) -> ByteStream {
        if descriptor.size > self.0.bound || descriptor.media_type.is_manifest() {
            return bytes;
        }
        Keep::new(self.clone(), descriptor).over(bytes)
    }

    /// Where `tag` of `store` pointed when it was last read through this cache.
    pub(super) async fn last_seen(&self, store: &str, tag: &Tag) -> Option<Digest> {
        let place = self.0.tag_place(store, tag);
        let read = off_thread(move || fs::read_to_string(place).ok()).await;
        read??.trim().parse().ok()
    }

    pub(super) async fn see(&self, store: &str, tag: &Tag, digest: &Digest) {
        let (place, text) = (self.0.tag_place(store, tag), digest.to_string());
        self.write(move |inner| entry::write(&inner.root, &place, &[text.as_bytes()])).await;
    }

    /// Removes what has that digest.
    pub(super) async fn forget(&self, digest: &Digest) {
        let (inner, digest) = (Arc::clone(&self.0), *digest);
        off_thread(move || {
            for place in [entry::place(&inner.root, &digest), entry::manifest_place(&inner.root, &digest)] {
                let _ = fs::remove_file(place);
            }
        })
        .await;
    }

    /// Runs `work` where it may block. What fails is told once: a cache that cannot be written is no reason for anything to fail.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T> + Send + 'static,
    ) -> Option<T> {
        let inner = Arc::clone(&self.0);
        let done = off_thread(move || work(&inner)).await;
        let result =
            done.unwrap_or_else(|| Err(Error::new(ErrorKind::Internal, "the cache's thread is gone")));
        match result {
            Ok(done) => Some(done),
            Err(error) => {
                if !self.0.has_warned.swap(true, Ordering::Relaxed) {
                    let root = self.0.root.display();
                    Context::current()
                        .emit(Event::Warning(format!("the cache {root} is not usable: {error}")));
                }
                None
            }
        }
    }

    async fn look<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Look<T> + Send + 'static,
        digest: &Digest,
    ) -> Option<T> {
        let inner = Arc::clone(&self.0);
        match off_thread(move || work(&inner)).await {
            Some(Look::Found(found)) => Some(found),
            Some(Look::Damaged) => {
                let text = format!("the cache held damaged content of {digest}; it is fetched anew");
                Context::current().emit(Event::Warning(text));
                None
            }
            Some(Look::Missing) | None => None,
        }
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cache({}, at most {} bytes)", self.0.root.display(), self.0.bound)
    }
}

impl CacheUsage {
    fn and(self, found: &Found) -> Self {
        Self { entries: self.entries + 1, bytes: self.bytes.saturating_add(found.bytes) }
    }
}

/// An entry on disk.
struct Found {
    path: PathBuf,
    bytes: u64,
    used: SystemTime,
}

impl Inner {
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Notes that so many bytes came, and makes room where they are too many.
    pub(super) fn account(&self, bytes: u64) -> Result<()> {
        let added = self.added.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        let known = self.bytes.load(Ordering::Relaxed);
        // Others add to it as well: so look again now and then.
        let now = if known == UNKNOWN || added > self.bound / 8 {
            self.added.store(0, Ordering::Relaxed);
            self.entries()?.iter().fold(0, |sum: u64, found| sum.saturating_add(found.bytes))
        } else {
            known.saturating_add(bytes)
        };
        self.bytes.store(now, Ordering::Relaxed);
        if now > self.bound {
            // Whoever has it makes room already.
            if let Some(_lock) = FileLock::now(&self.lock_place()?)? {
                // A little more than necessary, so that not every entry has to make room for itself.
                self.prune(self.bound - self.bound / 10)?;
            }
        }
        Ok(())
    }

    fn prune(&self, bound: u64) -> Result<CacheUsage> {
        self.remove_abandoned();
        let mut entries = self.entries()?;
        entries.sort_by(|left, right| left.used.cmp(&right.used).then_with(|| left.path.cmp(&right.path)));
        let mut left = entries.iter().fold(0, |sum: u64, found| sum.saturating_add(found.bytes));
        let mut removed = CacheUsage::default();
        for found in &entries {
            if left <= bound {
                break;
            }
            match fs::remove_file(&found.path) {
                Ok(()) => removed = removed.and(found),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                // Open on a system that does not remove open files: next time.
                Err(_) => continue,
            }
            left = left.saturating_sub(found.bytes);
        }
        self.remove_idle_notes();
        self.bytes.store(left, Ordering::Relaxed);
        self.added.store(0, Ordering::Relaxed);
        Ok(removed)
    }

    /// All entries, in no order.
    fn entries(&self) -> Result<Vec<Found>> {
        let mut found = Vec::new();
        for algorithm in ["sha256", "sha512"] {
            for shelf in list(&self.root.join(algorithm))? {
                for path in list(&shelf)? {
                    // Gone meanwhile, perhaps.
                    let Ok(metadata) = fs::metadata(&path) else { continue };
                    if metadata.is_file() {
                        let used = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                        found.push(Found { path, bytes: metadata.len(), used });
                    }
                }
            }
        }
        Ok(found)
    }

    fn remove_abandoned(&self) {
        for path in list(&self.root).unwrap_or_default() {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let age = fs::metadata(&path).and_then(|metadata| metadata.modified());
            let age = age.ok().and_then(|time| SystemTime::now().duration_since(time).ok());
            if name.starts_with(".new-") && age.is_some_and(|age| age > ABANDONED) {
                let _ = fs::remove_file(&path);
            }
        }
    }

    /// Where a tag pointed is of no use once its manifest is gone.
    fn remove_idle_notes(&self) {
        for path in list(&self.root.join(TAGS)).unwrap_or_default() {
            let digest = fs::read_to_string(&path).ok().and_then(|text| text.trim().parse().ok());
            if digest.is_none_or(|digest| !entry::manifest_place(&self.root, &digest).exists()) {
                let _ = fs::remove_file(&path);
            }
        }
    }

    /// Held by whoever makes room.
    fn lock_place(&self) -> Result<PathBuf> {
        crate::platform::create_private_dir(&self.root)?;
        Ok(self.root.join(".lock"))
    }

    fn tag_place(&self, store: &str, tag: &Tag) -> PathBuf {
        self.root.join(TAGS).join(Digest::of(format!("{store}\n{tag}")).hex())
    }
}

/// What a directory holds; nothing where there is none.
fn list(directory: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        // A stray file where a directory is expected is nobody's entry.
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    Ok(entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect())
}
