use std::sync::Arc;

use async_trait::async_trait;

use super::{Audience, CredentialSource, Credentials, stored::credentials};
use crate::{
    error::Result,
    kube::{KeyRule, PullSecret},
};

/// Logins out of a Kubernetes pull secret.
///
/// # Examples
///
/// ```
/// use oci_chart_core::{Client, auth::PullSecretLogins, kube::{KeyRule, PullSecret}, name::Host};
///
/// let secret = PullSecret::new().with_login(&Host::parse("registry.example")?, "robot", "hunter2");
/// let client = Client::builder().credentials(PullSecretLogins::new(secret, KeyRule::Kubelet)).build()?;
/// # Ok::<(), oci_chart_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct PullSecretLogins {
    secret: PullSecret,
    rule: KeyRule,
    origin: Arc<str>,
}

impl PullSecretLogins {
    /// The logins of `secret`, found as `rule` says.
    pub fn new(secret: PullSecret, rule: KeyRule) -> Self {
        Self { secret, rule, origin: "the pull secret".into() }
    }

    /// Says where the secret came from, `namespace/name` for example, for errors about it.
    #[must_use]
    pub fn with_origin(mut self, origin: impl Into<Arc<str>>) -> Self {
        self.origin = origin.into();
        self
    }
}

#[async_trait]
impl CredentialSource for PullSecretLogins {
    async fn credentials(&self, audience: &Audience<'_>) -> Result<Option<Credentials>> {
        let found = self.secret.find(audience.host(), audience.repository(), self.rule)?;
        let found = found.and_then(|(key, login)| Some((key, credentials(login)?)));
        Ok(found.map(|(key, credentials)| credentials.with_origin(format!("{}, key {key}", self.origin))))
    }

    fn is_lasting(&self) -> bool {
        false
    }

    fn places(&self) -> Vec<String> {
        vec![self.origin.to_string()]
    }
}
