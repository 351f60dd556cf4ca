//! The registry: its handle for tests, and the state its connections share.

pub(crate) mod answer;
mod auth;
mod blobs;
mod body;
pub(crate) mod digest;
mod exchange;
mod facts;
mod fault;
mod handle;
mod manifests;
mod own;
mod page;
mod policy;
pub(crate) mod query;
mod referrers;
mod route;
mod server;
pub(crate) mod spool;
mod storage;
mod tags;
mod uploads;

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;

pub use self::handle::{Registry, StoredManifest};
use self::storage::Storage;
use self::uploads::Uploads;
use crate::log::{Log, locked};
use crate::options::Options;
use crate::quirk::{Bite, Quirk};
use crate::script::Script;
use crate::token::Tokens;

/// What all connections of one registry share.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) options: Options,
    pub(crate) storage: Mutex<Storage>,
    pub(crate) uploads: Uploads,
    pub(crate) log: Log,
    pub(crate) script: Script,
    pub(crate) tokens: Tokens,
    pub(crate) origins: Origins,
    /// Connections since the start, for their numbers.
    pub(crate) connections: AtomicU64,
    /// Requests to the storage origin that carried `Authorization`.
    pub(crate) leaked: AtomicU64,
    /// The projects that are there; none where all are.
    pub(crate) projects: Mutex<Option<BTreeSet<String>>>,
    /// Manifests that were read so far.
    pub(crate) pulls: AtomicU64,
    pub(crate) bites: Mutex<Vec<Bite>>,
}

/// URLs of the listeners, without a slash at the end.
#[derive(Clone, Debug)]
pub(crate) struct Origins {
    pub(crate) registry: String,
    pub(crate) storage: Option<String>,
    pub(crate) token: String,
}

impl State {
    pub(crate) fn has(&self, quirk: Quirk) -> bool {
        self.options.quirks.contains(&quirk)
    }

    /// Whether the project of this repository is there.
    pub(crate) fn has_project(&self, repository: &str) -> bool {
        let project = repository.split('/').next().unwrap_or_default();
        locked(&self.projects).as_ref().is_none_or(|projects| projects.contains(project))
    }
}
