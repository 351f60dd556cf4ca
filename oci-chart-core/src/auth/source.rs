use std::collections::HashMap;

use async_trait::async_trait;

use super::Credentials;
use crate::{error::Result, name::Host};

/// Knows credentials by host. It is asked when a registry demands some, and again when those were refused; never ahead.
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
    /// The credentials for `host`; `None` where this source knows none.
    ///
    /// # Errors
    ///
    /// Whatever keeps the source from answering; the operation that needed the credentials fails with it.
    async fn credentials(&self, host: &Host) -> Result<Option<Credentials>>;
}

#[async_trait]
impl<F> CredentialSource for F
where
    F: Fn(&Host) -> Result<Option<Credentials>> + Send + Sync,
{
    async fn credentials(&self, host: &Host) -> Result<Option<Credentials>> {
        self(host)
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
    async fn credentials(&self, host: &Host) -> Result<Option<Credentials>> {
        Ok(self.0.get(host).cloned())
    }
}
