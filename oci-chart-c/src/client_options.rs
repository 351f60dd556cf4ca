mod credentials;
mod general;
mod hosts;
mod network;

use std::sync::Arc;

use oci_chart_core::{
    Client, ClientBuilder, Limits, Result,
    auth::{
        Chain, Credentials, PullSecretLogins, StaticCredentials, StoredLogins,
        cloud::{CloudLogins, CloudOptions},
    },
    blocking::{HostCredentials, HostLog},
    name::Host,
    store::{Cache, ConnectionOptions},
    trust::Policy,
};

pub use credentials::*;
pub use general::*;
pub use hosts::*;
pub use network::*;

use crate::{
    ffi::{Exclusive, Shared, take},
    guard::guard_plain,
};

/// How a client is made: set what is to be other than the default, give it to oci_chart_client_new(), and free it with
/// oci_chart_client_options_free(). Set by one thread at a time.
#[derive(Default)]
pub struct oci_chart_client_options {
    connection: ConnectionOptions,
    limits: Limits,
    policy: Option<Arc<Policy>>,
    cache: Option<Cache>,
    known: StaticCredentials,
    sources: Vec<Source>,
}

/// Where credentials come from, beside what is known for a host.
enum Source {
    Call,
    Stored,
    Cloud,
    PullSecret(PullSecretLogins),
    Known(StaticCredentials),
}

impl Exclusive for oci_chart_client_options {}
impl Shared for oci_chart_client_options {}

/// Options with every default. Free them with oci_chart_client_options_free().
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn oci_chart_client_options_new() -> *mut oci_chart_client_options {
    guard_plain("oci_chart_client_options_new", std::ptr::null_mut(), || {
        Box::into_raw(Box::new(oci_chart_client_options::default()))
    })
}

/// Frees the options. NULL is fine, and so are clients that were made with them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_options_free(options: *mut oci_chart_client_options) {
    // SAFETY: the caller's last use.
    guard_plain("oci_chart_client_options_free", (), || unsafe { take(options) });
}

impl oci_chart_client_options {
    pub(crate) fn builder(&self) -> Result<ClientBuilder> {
        let mut chain = Chain::default().then(self.known.clone());
        for source in &self.sources {
            chain = match source {
                Source::Call => chain.then(HostCredentials::default()),
                Source::Stored => chain.then(StoredLogins::standard()),
                Source::PullSecret(logins) => chain.then(logins.clone()),
                Source::Known(known) => chain.then(known.clone()),
                Source::Cloud => {
                    let options = CloudOptions::default().with_connection(self.connection.clone());
                    chain.then(CloudLogins::new(options)?)
                }
            };
        }
        // Told to whoever makes a call, if that wants it.
        let connection = self.connection.clone().with_log(HostLog::default());
        let mut builder =
            Client::builder().limits(self.limits.clone()).connection(connection).credentials(chain);
        if let Some(policy) = &self.policy {
            builder = builder.policy(Arc::clone(policy));
        }
        if let Some(cache) = &self.cache {
            builder = builder.cache(cache.clone());
        }
        Ok(builder)
    }

    /// Changes how hosts are reached.
    fn connect(&mut self, change: impl FnOnce(ConnectionOptions) -> Result<ConnectionOptions>) -> Result<()> {
        self.connection = change(self.connection.clone())?;
        Ok(())
    }

    fn know(&mut self, host: Host, credentials: Credentials) {
        self.known = std::mem::take(&mut self.known).with(host, credentials);
    }
}
