use std::{collections::HashMap, fmt, sync::Arc};

use async_trait::async_trait;

use super::{Credentials, kept::Kept};
use crate::{
    error::Result,
    name::{Host, RepositoryName},
};

/// Who wants to be shown credentials: a registry, on behalf of one of its repositories where that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Audience<'a> {
    host: &'a Host,
    repository: Option<&'a RepositoryName>,
}

impl<'a> Audience<'a> {
    /// The registry as a whole.
    pub fn new(host: &'a Host) -> Self {
        Self { host, repository: None }
    }

    /// One of its repositories.
    #[must_use]
    pub fn with_repository(mut self, repository: &'a RepositoryName) -> Self {
        self.repository = Some(repository);
        self
    }

    /// The registry.
    pub fn host(&self) -> &'a Host {
        self.host
    }

    /// The repository.
    pub fn repository(&self) -> Option<&'a RepositoryName> {
        self.repository
    }
}

/// Knows credentials by registry. It is asked when a registry demands some, and again when those were refused; never ahead.
///
/// A closure over the host is a source:
///
/// ```
/// use oci_chart_core::{auth::{CredentialSource, Credentials}, name::Host};
///
/// fn takes(_: impl CredentialSource) {}
/// takes(|host: &Host| Ok((host.name() == "registry.example").then(|| Credentials::basic("robot", "hunter2"))));
/// ```
#[async_trait]
pub trait CredentialSource: Send + Sync {
    /// The credentials for `audience`; `None` where this source knows none.
    ///
    /// # Errors
    ///
    /// Whatever keeps the source from answering; the operation that needed the credentials fails with it.
    async fn credentials(&self, audience: &Audience<'_>) -> Result<Option<Credentials>>;

    /// What it answered for `audience` was refused. A source that keeps answers forgets this one: it is asked once more at once, and if
    /// it has something else to say (a secret was changed meanwhile), that is tried.
    fn refused(&self, audience: &Audience<'_>, credentials: &Credentials) {
        let _ = (audience, credentials);
    }

    /// Whether an answer holds for the whole registry and every later call, until it ends or is refused. Then it is kept and the source left
    /// alone. A source says no that tells repositories or callers apart; it is asked for every request, and should keep what is dear.
    fn is_lasting(&self) -> bool {
        true
    }

    /// Where it looks (files, variables, services), for the error that says that nothing was found. Nothing, unless it says so.
    fn places(&self) -> Vec<String> {
        Vec::new()
    }
}

#[async_trait]
impl<F> CredentialSource for F
where
    F: Fn(&Host) -> Result<Option<Credentials>> + Send + Sync,
{
    async fn credentials(&self, audience: &Audience<'_>) -> Result<Option<Credentials>> {
        self(audience.host())
    }
}

/// Credentials that are given once, by host. None at all is where every client begins.
///
/// # Examples
///
/// ```
/// use oci_chart_core::{auth::{Credentials, StaticCredentials}, name::Host};
///
/// let source = StaticCredentials::default()
///     .with(Host::parse("registry.example")?, Credentials::basic("robot", "hunter2"));
/// assert!(!format!("{source:?}").contains("hunter2"));
/// # Ok::<(), oci_chart_core::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct StaticCredentials(HashMap<Host, Credentials>);

impl StaticCredentials {
    /// Knows `credentials` for `host`.
    #[must_use]
    pub fn with(mut self, host: Host, credentials: Credentials) -> Self {
        self.0.insert(host, credentials);
        self
    }
}

#[async_trait]
impl CredentialSource for StaticCredentials {
    async fn credentials(&self, audience: &Audience<'_>) -> Result<Option<Credentials>> {
        Ok(self.0.get(audience.host()).cloned())
    }
}

/// Sources one after the other: the first that knows credentials is believed, and one that fails ends the search.
///
/// # Examples
///
/// What the caller has, before what other programs left behind:
///
/// ```
/// use oci_chart_core::{
///     Client,
///     auth::{Chain, Credentials, StaticCredentials, StoredLogins},
///     name::Host,
/// };
///
/// let own = StaticCredentials::default().with(Host::parse("registry.example")?, Credentials::basic("robot", "hunter2"));
/// let client = Client::builder().credentials(Chain::default().then(own).then(StoredLogins::standard())).build()?;
/// # Ok::<(), oci_chart_core::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Chain(Vec<Arc<Kept>>);

impl Chain {
    /// Asks `source` where those before it know nothing.
    #[must_use]
    pub fn then(mut self, source: impl CredentialSource + 'static) -> Self {
        self.0.push(Arc::new(Kept::new(Arc::new(source))));
        self
    }
}

#[async_trait]
impl CredentialSource for Chain {
    async fn credentials(&self, audience: &Audience<'_>) -> Result<Option<Credentials>> {
        for source in &self.0 {
            if let Some(found) = source.credentials(audience).await? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn refused(&self, audience: &Audience<'_>, credentials: &Credentials) {
        for source in &self.0 {
            source.refused(audience, credentials);
        }
    }

    /// What may be kept, each link keeps itself.
    fn is_lasting(&self) -> bool {
        false
    }

    fn places(&self) -> Vec<String> {
        self.0.iter().flat_map(|source| source.places()).collect()
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Chain({} sources)", self.0.len())
    }
}
