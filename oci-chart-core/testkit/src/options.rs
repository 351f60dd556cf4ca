//! The switches of a registry.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use crate::quirk::Quirk;
use crate::registry::Registry;
use crate::registry::spool::Place;
use crate::script::{Rule, Script};
use crate::tls::Tls;
use crate::token::Bearer;

/// Everything that can be set before a registry starts. Made by [`Registry::builder`]; unless said otherwise a
/// registry is well-behaved, has every optional feature of the spec and asks for no credentials.
#[derive(Clone, Debug)]
pub struct Builder {
    pub(crate) options: Options,
    pub(crate) script: Script,
}

/// What a registry does with a request to mount a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mounts {
    /// 201 when the blob is there, 202 otherwise.
    Supported,
    /// Always 202: an upload begins instead.
    Never,
    /// This error status.
    Refused(u16),
}

/// Where the second origin, which blob downloads are redirected to, is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Redirect {
    /// Another port of 127.0.0.1. Go's HTTP client takes this for the same host and keeps `Authorization`.
    OtherPort,
    /// Another port of `localhost`: another host to every client.
    OtherHost,
}

#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) port: u16,
    pub(crate) auth: Auth,
    pub(crate) challenge: String,
    pub(crate) tls: Option<Tls>,
    pub(crate) place: Place,
    pub(crate) latency: Duration,
    pub(crate) referrers_api: bool,
    pub(crate) mounts: Mounts,
    pub(crate) anonymous_mount: bool,
    pub(crate) single_post: bool,
    pub(crate) whole_put: bool,
    pub(crate) chunks: bool,
    pub(crate) max_chunk: Option<u64>,
    pub(crate) min_chunk: Option<u64>,
    pub(crate) chunk_status: u16,
    pub(crate) rotating_locations: bool,
    pub(crate) page_size: Option<usize>,
    pub(crate) tag_delete: bool,
    pub(crate) delete: bool,
    pub(crate) head: bool,
    pub(crate) redirect_blobs: Option<Redirect>,
    pub(crate) absolute_urls: bool,
    pub(crate) digest_header: bool,
    pub(crate) manifest_location: bool,
    pub(crate) check_references: bool,
    pub(crate) tag_parameters: bool,
    pub(crate) ranges: bool,
    pub(crate) max_manifest: usize,
    pub(crate) repositories: Option<Vec<String>>,
    pub(crate) warning: Option<String>,
    pub(crate) quirks: BTreeSet<Quirk>,
    pub(crate) rate_limit: u64,
    pub(crate) projects: Option<BTreeSet<String>>,
    pub(crate) immutable: Vec<String>,
    pub(crate) quota: Option<u64>,
    pub(crate) unsigned_hidden: bool,
    pub(crate) read_only: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum Auth {
    None,
    Basic { user: String, password: String, challenge: String },
    Bearer(Box<Bearer>),
}

impl Options {
    /// Where tokens are served.
    pub(crate) fn token_path(&self) -> &str {
        match &self.auth {
            Auth::Bearer(bearer) => &bearer.path,
            Auth::None | Auth::Basic { .. } => "/token",
        }
    }
}

impl Builder {
    pub(crate) fn new() -> Self {
        let options = Options {
            port: 0,
            auth: Auth::None,
            challenge: "Basic realm=\"testkit\"".to_owned(),
            tls: None,
            place: Place { spill: 1 << 20, directory: None },
            latency: Duration::ZERO,
            referrers_api: true,
            mounts: Mounts::Supported,
            anonymous_mount: true,
            single_post: true,
            whole_put: true,
            chunks: true,
            max_chunk: None,
            min_chunk: None,
            chunk_status: 202,
            rotating_locations: false,
            page_size: None,
            tag_delete: true,
            delete: true,
            head: true,
            redirect_blobs: None,
            absolute_urls: false,
            digest_header: true,
            manifest_location: true,
            check_references: true,
            tag_parameters: true,
            ranges: true,
            max_manifest: 4 << 20,
            repositories: None,
            warning: None,
            quirks: BTreeSet::new(),
            rate_limit: u64::MAX,
            projects: None,
            immutable: Vec::new(),
            quota: None,
            unsigned_hidden: false,
            read_only: false,
        };
        Self { options, script: Script::default() }
    }

    /// Starts the registry on its own thread.
    ///
    /// # Errors
    /// When no port can be bound on 127.0.0.1, no thread started, or a TLS certificate or key is none
    /// (`InvalidInput`).
    pub fn start_blocking(self) -> std::io::Result<Registry> {
        Registry::launch(self)
    }

    /// As [`Builder::start_blocking`], for async callers: it does not wait for anything.
    ///
    /// # Errors
    /// As [`Builder::start_blocking`].
    pub async fn start(self) -> std::io::Result<Registry> {
        Registry::launch(self)
    }

    /// Listens on this port instead of any free one.
    #[must_use]
    pub const fn port(mut self, port: u16) -> Self {
        self.options.port = port;
        self
    }

    /// Every request needs these credentials in a `Basic` header.
    #[must_use]
    pub fn basic_auth(mut self, user: &str, password: &str) -> Self {
        let challenge = self.options.challenge.clone();
        self.options.auth = Auth::Basic { user: user.to_owned(), password: password.to_owned(), challenge };
        self
    }

    /// The challenge of [`Builder::basic_auth`], set before that.
    #[must_use]
    pub fn basic_challenge(mut self, challenge: &str) -> Self {
        self.options.challenge = challenge.to_owned();
        self
    }

    /// Every request needs a token from the built-in token server.
    #[must_use]
    pub fn bearer_auth(mut self, bearer: Bearer) -> Self {
        self.options.auth = Auth::Bearer(Box::new(bearer));
        self
    }

    /// Every listener speaks TLS, and answers plain HTTP as Go's servers do: with 400 and a sentence.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.options.tls = Some(tls);
        self
    }

    /// Bytes of a blob that stay in memory; a larger one lives in a temporary file. 1 MiB unless set.
    #[must_use]
    pub const fn memory_limit(mut self, bytes: u64) -> Self {
        self.options.place.spill = bytes;
        self
    }

    /// Directory for blobs that do not stay in memory. The files go away with the registry.
    #[must_use]
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.options.place.directory = Some(directory.into());
        self
    }

    /// Waits so long before each answer. With a latency, [`Log::depth`](crate::Log::depth) tells requests that
    /// overlap from requests that follow each other.
    #[must_use]
    pub const fn latency(mut self, latency: Duration) -> Self {
        self.options.latency = latency;
        self
    }

    /// Whether the referrers API exists (404 otherwise, and no `OCI-Subject`).
    #[must_use]
    pub const fn referrers_api(mut self, yes: bool) -> Self {
        self.options.referrers_api = yes;
        self
    }

    /// What happens to mounts.
    #[must_use]
    pub const fn mounts(mut self, mounts: Mounts) -> Self {
        self.options.mounts = mounts;
        self
    }

    /// Whether a mount without `from` finds blobs of all repositories.
    #[must_use]
    pub const fn anonymous_mount(mut self, yes: bool) -> Self {
        self.options.anonymous_mount = yes;
        self
    }

    /// Whether one POST with a digest uploads a blob; otherwise it is answered 202, its body ignored.
    #[must_use]
    pub const fn single_post(mut self, yes: bool) -> Self {
        self.options.single_post = yes;
        self
    }

    /// Only PATCH carries content: a PUT with a body is refused, a single POST is answered 202.
    #[must_use]
    pub const fn chunked_only(mut self) -> Self {
        self.options.whole_put = false;
        self.options.single_post = false;
        self
    }

    /// Whether PATCH is supported; otherwise it is answered 400.
    #[must_use]
    pub const fn chunks(mut self, yes: bool) -> Self {
        self.options.chunks = yes;
        self
    }

    /// Refuses a PATCH with a larger body (416).
    #[must_use]
    pub const fn max_chunk(mut self, bytes: u64) -> Self {
        self.options.max_chunk = Some(bytes);
        self
    }

    /// Announces `OCI-Chunk-Min-Length` and refuses to go on after a smaller chunk (400).
    #[must_use]
    pub const fn min_chunk(mut self, bytes: u64) -> Self {
        self.options.min_chunk = Some(bytes);
        self
    }

    /// Status of a good PATCH: 202 by the spec, 201 from some registries.
    #[must_use]
    pub const fn chunk_status(mut self, status: u16) -> Self {
        self.options.chunk_status = status;
        self
    }

    /// Each answer of an upload has a new `Location`, and content sent to an older one is refused (400).
    #[must_use]
    pub const fn rotating_locations(mut self, yes: bool) -> Self {
        self.options.rotating_locations = yes;
        self
    }

    /// At most so many entries in one page of tags, referrers or repositories.
    #[must_use]
    pub const fn page_size(mut self, entries: usize) -> Self {
        self.options.page_size = Some(entries);
        self
    }

    /// Whether tags can be deleted (405 otherwise).
    #[must_use]
    pub const fn tag_delete(mut self, yes: bool) -> Self {
        self.options.tag_delete = yes;
        self
    }

    /// Whether anything can be deleted (405 otherwise).
    #[must_use]
    pub const fn delete(mut self, yes: bool) -> Self {
        self.options.delete = yes;
        self
    }

    /// Whether HEAD is allowed (405 otherwise).
    #[must_use]
    pub const fn head(mut self, yes: bool) -> Self {
        self.options.head = yes;
        self
    }

    /// Answers a blob GET with 307 to a second origin. That origin refuses requests with `Authorization` with 400,
    /// and counts them: [`Registry::leaked_credentials`].
    #[must_use]
    pub const fn redirect_blobs(mut self, to: Redirect) -> Self {
        self.options.redirect_blobs = Some(to);
        self
    }

    /// `Location` and `Link` are full URLs instead of paths.
    #[must_use]
    pub const fn absolute_urls(mut self, yes: bool) -> Self {
        self.options.absolute_urls = yes;
        self
    }

    /// Whether answers carry `Docker-Content-Digest`.
    #[must_use]
    pub const fn digest_header(mut self, yes: bool) -> Self {
        self.options.digest_header = yes;
        self
    }

    /// Whether the answer to a manifest PUT carries `Location`, which some registries omit.
    #[must_use]
    pub const fn manifest_location(mut self, yes: bool) -> Self {
        self.options.manifest_location = yes;
        self
    }

    /// Whether a manifest is refused (`MANIFEST_BLOB_UNKNOWN`) when something it refers to is missing.
    #[must_use]
    pub const fn check_references(mut self, yes: bool) -> Self {
        self.options.check_references = yes;
        self
    }

    /// Whether `?tag=` on a manifest PUT by digest sets tags, answered in `OCI-Tag`; ignored otherwise.
    #[must_use]
    pub const fn tag_parameters(mut self, yes: bool) -> Self {
        self.options.tag_parameters = yes;
        self
    }

    /// Whether `Range` is honoured; otherwise the whole blob comes with 200.
    #[must_use]
    pub const fn ranges(mut self, yes: bool) -> Self {
        self.options.ranges = yes;
        self
    }

    /// The largest manifest that is accepted, 4 MiB unless set; larger ones are answered 413.
    #[must_use]
    pub const fn max_manifest(mut self, bytes: usize) -> Self {
        self.options.max_manifest = bytes;
        self
    }

    /// Pushes to other repositories are answered 404 `NAME_UNKNOWN`: repositories must be created beforehand.
    #[must_use]
    pub fn only_repositories(mut self, names: &[&str]) -> Self {
        self.options.repositories = Some(names.iter().map(|name| (*name).to_owned()).collect());
        self
    }

    /// Sends this text as a `Warning` header with every answer.
    #[must_use]
    pub fn warning(mut self, text: &str) -> Self {
        self.options.warning = Some(text.to_owned());
        self
    }

    /// Does this as well.
    #[must_use]
    pub fn quirk(mut self, quirk: Quirk) -> Self {
        self.options.quirks.insert(quirk);
        self
    }

    /// Does this not, whatever the profile says.
    #[must_use]
    pub fn without_quirk(mut self, quirk: Quirk) -> Self {
        self.options.quirks.remove(&quirk);
        self
    }

    /// Counts GETs of manifests, tells how many are left, and refuses more with 429.
    #[must_use]
    pub fn rate_limit(mut self, manifests: u64) -> Self {
        self.options.rate_limit = manifests;
        self.quirk(Quirk::CountedPulls)
    }

    /// Only these projects, which are the first parts of repository names, are there, and those of
    /// [`Registry::create_project`].
    #[must_use]
    pub fn projects(mut self, names: &[&str]) -> Self {
        self.options.projects = Some(names.iter().map(|name| (*name).to_owned()).collect());
        self
    }

    /// Tags that match, with `*` for any run of characters, cannot be written once they are there: 412 where the registry
    /// challenges those who lack a right, as Harbor does, else 400 `TAG_INVALID`, as Amazon's do.
    #[must_use]
    pub fn immutable_tags(mut self, pattern: &str) -> Self {
        self.options.immutable.push(pattern.to_owned());
        self
    }

    /// Refuses blobs with 403 `DENIED` that would make a project larger than so many bytes.
    #[must_use]
    pub const fn quota(mut self, bytes: u64) -> Self {
        self.options.quota = Some(bytes);
        self
    }

    /// Answers 412 `PROJECTPOLICYVIOLATION` to who reads a manifest that nothing refers to as its subject, unless that is
    /// cosign with the right to push.
    #[must_use]
    pub const fn unsigned_hidden(mut self, yes: bool) -> Self {
        self.options.unsigned_hidden = yes;
        self
    }

    /// Refuses writes with 403 `DENIED`.
    #[must_use]
    pub const fn read_only(mut self, yes: bool) -> Self {
        self.options.read_only = yes;
        self
    }

    /// Adds a rule to the fault script; more can be added later with [`Registry::script`].
    #[must_use]
    pub fn fault(self, rule: Rule) -> Self {
        self.script.add(rule);
        self
    }
}
