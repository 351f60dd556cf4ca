use std::{fmt, path::PathBuf, sync::Arc};

use crate::{
    content::Content,
    error::{Error, ErrorKind, Reason, Result},
    redact::Secret,
};

/// Where the passphrase of a secret key comes from. It is asked for when something is signed, and not kept.
#[derive(Clone)]
pub struct Passphrase(Source);

type Callback = dyn Fn(&str) -> Result<Secret> + Send + Sync;

#[derive(Clone)]
enum Source {
    None,
    Given(Secret),
    File(PathBuf),
    Environment(String),
    Callback(Arc<Callback>),
}

/// A passphrase file is a line.
const MOST_BYTES: u64 = 64 << 10;

impl Passphrase {
    /// The key has none.
    pub fn none() -> Self {
        Self(Source::None)
    }

    /// This one.
    pub fn new(passphrase: impl Into<Secret>) -> Self {
        Self(Source::Given(passphrase.into()))
    }

    /// The first line of a file, as for `helm package --passphrase-file`.
    pub fn from_file(path: impl Into<PathBuf>) -> Self {
        Self(Source::File(path.into()))
    }

    /// The value of an environment variable.
    pub fn from_environment(variable: impl Into<String>) -> Self {
        Self(Source::Environment(variable.into()))
    }

    /// Asks `ask`, which is told the key's fingerprint and user id.
    pub fn from_callback(ask: impl Fn(&str) -> Result<Secret> + Send + Sync + 'static) -> Self {
        Self(Source::Callback(Arc::new(ask)))
    }

    /// The passphrase for a key; none where the key should not have one.
    pub(super) fn get(&self, key: &str) -> Result<Option<Secret>> {
        let missing = |what: &str| {
            Error::new(ErrorKind::InvalidInput, format!("no passphrase: {what}"))
                .with_reason(Reason::WrongPassphrase)
        };
        match &self.0 {
            Source::None => Ok(None),
            Source::Given(secret) => Ok(Some(secret.clone())),
            Source::File(path) => {
                let bytes = Content::from_path(path)?.read(MOST_BYTES)?;
                let text = std::str::from_utf8(&bytes)
                    .map_err(|_| missing("the file is not text").with_context("file", path.display()))?;
                Ok(Some(Secret::new(text.lines().next().unwrap_or_default())))
            }
            Source::Environment(variable) => match std::env::var(variable) {
                Ok(value) => Ok(Some(Secret::new(value))),
                Err(_) => Err(missing("the environment variable is not set, or not text")
                    .with_context("variable", variable)),
            },
            Source::Callback(ask) => ask(key).map(Some),
        }
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Source::None => "Passphrase(none)",
            Source::Given(_) => "Passphrase(***)",
            Source::File(_) => "Passphrase(file)",
            Source::Environment(_) => "Passphrase(environment)",
            Source::Callback(_) => "Passphrase(callback)",
        })
    }
}
