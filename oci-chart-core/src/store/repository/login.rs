use std::sync::PoisonError;

use super::registry::Registries;
use crate::{
    auth::{
        Audience, CredentialKind, Credentials, LoginOptions, LoginOutcome, LoginStatus, LogoutOutcome, Scope,
    },
    error::Result,
    name::Host,
};

impl Registries {
    /// Shows `credentials` to the registry and, if it takes them, keeps them where `options` say. Nothing is kept that was refused.
    ///
    /// Stores opened from here on use the new login, if the credentials of these registries come from where it is kept.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unauthenticated`](crate::ErrorKind::Unauthenticated) where the registry refuses; as any request where it cannot be
    /// reached; [`ErrorKind::Io`](crate::ErrorKind::Io), or whatever a credential helper makes of it, where the login cannot be kept.
    pub async fn login(
        &self,
        host: &Host,
        credentials: &Credentials,
        options: &LoginOptions,
    ) -> Result<LoginOutcome> {
        let mut keep = credentials.clone();
        let mut verified = false;
        if options.verify {
            let seen = self.registry(host)?.auth().verify(credentials).await?;
            verified = seen.looked;
            if let Some(token) = seen.identity.filter(|_| options.identity_token) {
                let username = credentials.username().map(str::to_owned);
                keep = CredentialKind::Identity { username, token }.into();
            }
        }
        let stored_in = options.logins.store(&options.place, host, &keep).await?;
        self.forget(host);
        Ok(LoginOutcome { stored_in, verified, expiry: keep.expiry() })
    }

    /// Forgets the login for the registry that is kept where `options` say. The registry is not asked.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`](crate::ErrorKind::Io), or whatever a credential helper makes of it, where the login cannot be removed.
    pub async fn logout(&self, host: &Host, options: &LoginOptions) -> Result<LogoutOutcome> {
        use crate::auth::CredentialSource as _;

        let removed = options.logins.erase(&options.place, host).await?;
        self.forget(host);
        let remaining = options.logins.credentials(&Audience::new(host)).await?;
        let remaining = remaining.and_then(|credentials| credentials.origin().map(str::to_owned));
        Ok(LogoutOutcome { removed, remaining })
    }

    /// Whose name is used at the registry, where the credentials come from, and when they and the tokens made of them end. `None` where
    /// there are no credentials. The registry is not asked; the source of the credentials may be.
    ///
    /// # Errors
    ///
    /// What the source says.
    pub async fn login_status(&self, host: &Host) -> Result<Option<LoginStatus>> {
        let registry = self.registry(host)?;
        let credentials = registry.auth().credentials(&Scope::none()).await?;
        Ok((!credentials.is_anonymous()).then(|| LoginStatus {
            username: credentials.username().map(str::to_owned),
            origin: credentials.origin().map(str::to_owned),
            expiry: credentials.expiry(),
            token_expiry: registry.auth().token_expiry(),
        }))
    }

    /// Lets everything that is known about a registry be learnt anew.
    fn forget(&self, host: &Host) {
        self.0.hosts.lock().unwrap_or_else(PoisonError::into_inner).remove(host);
        self.0.source.refused(&Audience::new(host), &Credentials::ANONYMOUS);
    }
}
