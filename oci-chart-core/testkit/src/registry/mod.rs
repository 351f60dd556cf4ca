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
mod page;
pub(crate) mod query;
mod referrers;
mod route;
mod server;
pub(crate) mod spool;
mod storage;
mod tags;
mod uploads;

use std::sync::Mutex;
use std::sync::atomic::AtomicU64;

pub use self::handle::{Registry, StoredManifest};
use self::storage::Storage;
use self::uploads::Uploads;
use crate::log::Log;
use crate::options::Options;
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
}

/// URLs of the listeners, without a slash at the end.
#[derive(Clone, Debug)]
pub(crate) struct Origins {
    pub(crate) registry: String,
    pub(crate) storage: Option<String>,
    pub(crate) token: String,
}

impl State {
    /// A path of this registry as `Location` and `Link` carry it.
    pub(crate) fn url(&self, path: &str) -> String {
        if self.options.absolute_urls { format!("{}{path}", self.origins.registry) } else { path.to_owned() }
    }
}
