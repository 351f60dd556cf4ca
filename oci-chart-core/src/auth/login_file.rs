use std::{
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use fs_err as fs;
use zeroize::Zeroizing;

use super::{
    edit::change_logins,
    places::{At, Place},
};
use crate::{
    context,
    error::{Error, ErrorKind, Reason, Result},
    kube::DockerConfig,
    platform,
    process::{FileLock, PerProcess},
    threads::off_thread,
};

/// What a file of logins may be long, in bytes.
const MOST_BYTES: u64 = 4 << 20;

/// One place with logins, read when it is first needed and kept until somebody doubts it.
#[derive(Debug)]
pub(super) struct LoginFile {
    pub(super) place: Place,
    read: PerProcess<tokio::sync::Mutex<Option<Arc<DockerConfig>>>>,
}

impl LoginFile {
    pub(super) fn new(place: Place) -> Self {
        Self { place, read: PerProcess::default() }
    }

    /// What is in it. A file that is not there is empty, and one that cannot be read is a warning: other places may know.
    pub(super) async fn config(&self) -> Arc<DockerConfig> {
        let mut read = self.read.lock().await;
        if let Some(config) = &*read {
            return Arc::clone(config);
        }
        let config = match self.load().await {
            Ok(config) => config,
            Err(error) => {
                context::warn(|| format!("logins are passed over: {error}"));
                DockerConfig::default()
            }
        };
        Arc::clone(read.insert(Arc::new(config)))
    }

    /// The same, read now, and the error where it cannot be.
    pub(super) async fn strict(&self) -> Result<DockerConfig> {
        self.load().await
    }

    /// Forgets what was read.
    pub(super) fn forget(&self) {
        // Locked means that it is being read.
        if let Ok(mut read) = self.read.try_lock() {
            *read = None;
        }
    }

    async fn load(&self) -> Result<DockerConfig> {
        let bytes = match &self.place.at {
            At::Variable(_, text) => Zeroizing::new(text.as_bytes().to_vec()),
            At::File(path) => {
                let path = path.clone();
                blocking(move || read(&path)).await?
            }
        };
        DockerConfig::parse(&bytes).ok_or_else(|| malformed(&self.place))
    }
}

/// Changes the logins in the file at `path`, which need not be there: under a lock of its own against others like us, in one rename, and
/// again from the start if somebody else changed the file meanwhile. Says whether anything was changed.
pub(super) async fn change(
    path: &Path,
    drop_key: impl Fn(&str) -> bool + Send + 'static,
    set: Option<(String, Zeroizing<String>)>,
) -> Result<bool> {
    let path = path.to_owned();
    blocking(move || {
        // A link stays a link: the file behind it is changed.
        let path = fs::canonicalize(&path).unwrap_or(path);
        let directory =
            path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        platform::create_private_dir(directory)?;
        let _lock = lock(&path, directory)?;
        loop {
            let seen = stamp(&path);
            let bytes = read(&path)?;
            let text = str::from_utf8(&bytes).map_err(|_| malformed(path.display()))?;
            let set = set.as_ref().map(|(key, entry)| (key.as_str(), entry.as_str()));
            let changed = change_logins(text, &drop_key, set)
                .map_err(|error| malformed(path.display()).with_source(Plain(error.to_string())))?;
            let Some(changed) = changed else { return Ok(false) };
            // Made with mode 0600.
            let mut file = tempfile::Builder::new()
                .prefix(".logins-")
                .tempfile_in(directory)
                .map_err(|error| platform::named("create a file in", directory, error))?;
            file.write_all(changed.as_bytes())?;
            file.as_file().sync_all()?;
            if stamp(&path) == seen {
                file.persist(&path).map_err(|error| error.error)?;
                return Ok(true);
            }
        }
    })
    .await
}

/// The lock is a file of its own: the other one is replaced.
fn lock(path: &Path, directory: &Path) -> Result<FileLock> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    FileLock::wait(&directory.join(format!(".{name}.lock")))
}

fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

fn read(path: &PathBuf) -> Result<Zeroizing<Vec<u8>>> {
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if is_absent(&error) => return Ok(Zeroizing::default()),
        Err(error) => return Err(error.into()),
    };
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(malformed(path.display()).with_kind(ErrorKind::LimitExceeded));
    }
    Ok(bytes)
}

/// A file where a directory should be means as much as no file at all.
fn is_absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}

fn malformed(place: impl std::fmt::Display) -> Error {
    Error::new(
        ErrorKind::InvalidInput,
        "the file of logins is not the JSON object that docker and others write",
    )
    .with_reason(Reason::BadLoginFile)
    .with_context("file", place)
    .with_hint("correct the file by hand, or move it away and log in again")
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let lost = || {
        Err(Error::new(ErrorKind::Internal, "a thread that works on a file of logins ended without a result"))
    };
    off_thread(work).await.unwrap_or_else(lost)
}

/// Where the text is wrong. What serde says of JSON's grammar has no content in it.
#[derive(Debug)]
struct Plain(String);

impl std::fmt::Display for Plain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Plain {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kube::KeyRule;

    fn block<T>(task: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(task)
    }

    #[test]
    fn what_another_program_writes_meanwhile_is_not_lost() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.json");
        fs::write(&path, r#"{"auths":{"a":{}}}"#).unwrap();
        // One that knows nothing of our lock, between our look and our write.
        let (other, written) = (path.clone(), std::sync::atomic::AtomicBool::new(false));
        let meanwhile = move |_: &str| {
            if !written.swap(true, std::sync::atomic::Ordering::Relaxed) {
                fs::write(&other, r#"{"auths":{"a":{},"theirs":{}}}"#).unwrap();
            }
            false
        };
        let own = ("ours".to_owned(), Zeroizing::new("{}".to_owned()));
        assert!(block(change(&path, meanwhile, Some(own))).unwrap());
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains("theirs") && text.contains("ours"), "{text}");
    }

    #[test]
    fn a_file_without_end_is_not_read_to_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.json");
        fs::write(&path, vec![b' '; usize::try_from(MOST_BYTES).unwrap() + 1]).unwrap();
        let error = block(LoginFile::new(Place::file(&path, KeyRule::Docker)).strict()).unwrap_err();
        assert_eq!((error.kind(), error.reason()), (ErrorKind::LimitExceeded, Some(Reason::BadLoginFile)));
    }
}
