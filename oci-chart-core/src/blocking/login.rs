use super::{Client, Host};
use crate::{
    auth::{Credentials, KnownLogin, LoginOptions, LoginOutcome, LoginStatus, LogoutOutcome, StoredLogins},
    error::Result,
    name::Host as RegistryHost,
};

/// Logins.
impl Client {
    /// See [`Client::login`](crate::Client::login).
    pub fn login(
        &self,
        registry: &RegistryHost,
        credentials: &Credentials,
        options: &LoginOptions,
        host: &mut dyn Host,
    ) -> Result<LoginOutcome> {
        let (client, registry) = (self.client.clone(), registry.clone());
        let (credentials, options) = (credentials.clone(), options.clone());
        self.runtime
            .wait(host, |cx| async move { client.login(&cx, &registry, &credentials, &options).await })
    }

    /// See [`Client::logout`](crate::Client::logout).
    pub fn logout(
        &self,
        registry: &RegistryHost,
        options: &LoginOptions,
        host: &mut dyn Host,
    ) -> Result<LogoutOutcome> {
        let (client, registry, options) = (self.client.clone(), registry.clone(), options.clone());
        self.runtime.wait(host, |cx| async move { client.logout(&cx, &registry, &options).await })
    }

    /// See [`Client::login_status`](crate::Client::login_status).
    pub fn login_status(&self, registry: &RegistryHost, host: &mut dyn Host) -> Result<Option<LoginStatus>> {
        let (client, registry) = (self.client.clone(), registry.clone());
        self.runtime.wait(host, |cx| async move { client.login_status(&cx, &registry).await })
    }

    /// See [`StoredLogins::list`].
    pub fn stored_logins(&self, logins: &StoredLogins, host: &mut dyn Host) -> Result<Vec<KnownLogin>> {
        let logins = logins.clone();
        self.runtime.wait(host, |cx| async move { cx.run(async { Ok(logins.list().await) }).await })
    }
}
