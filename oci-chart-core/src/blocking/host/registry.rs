//! What only calls to registries ask of a host.

use std::{collections::HashMap, sync::Arc};

use super::{Host, HostHandle};
use crate::{
    auth::{Audience, CredentialSource, Credentials},
    error::Result,
    name::Host as RegistryHost,
    store::{LoggedRequest, RequestLog},
};

/// What is known of the host of one call.
#[derive(Clone)]
pub(super) struct Side {
    wants_requests: bool,
    answers: Arc<tokio::sync::Mutex<HashMap<RegistryHost, Option<Credentials>>>>,
}

impl Side {
    pub(super) fn new(host: &dyn Host) -> Self {
        Self { wants_requests: host.wants_requests(), answers: Arc::default() }
    }
}

/// Tells the [`Host`] of whatever call makes it of each request, on the thread that waits; nobody outside of such a call. A host that is too
/// slow to take them misses some.
///
/// # Examples
///
/// ```
/// use oci_chart_core::{Client, blocking::HostLog, store::ConnectionOptions};
///
/// let client = Client::builder().connection(ConnectionOptions::default().with_log(HostLog::default())).build()?;
/// # Ok::<(), oci_chart_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct HostLog;

impl RequestLog for HostLog {
    fn request(&self, request: &LoggedRequest) {
        if let Some(handle) = HostHandle::current().filter(|handle| handle.registry.wants_requests) {
            let request = request.clone();
            handle.mailbox.tell(Box::new(move |host| host.request(&request)));
        }
    }
}

/// Credentials from the [`Host`] of whatever call needs them, asked for once in each call and again if they are refused; none outside of
/// such a call. What one call was given is never shown for another.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct HostCredentials;

#[async_trait::async_trait]
impl CredentialSource for HostCredentials {
    async fn credentials(&self, audience: &Audience<'_>) -> Result<Option<Credentials>> {
        let Some(handle) = HostHandle::current() else { return Ok(None) };
        let mut answers = handle.registry.answers.lock().await;
        if let Some(known) = answers.get(audience.host()) {
            return Ok(known.clone());
        }
        let host = audience.host().clone();
        let found = handle.ask(move |caller| caller.credentials(&host)).await??;
        answers.insert(audience.host().clone(), found.clone());
        Ok(found)
    }

    fn refused(&self, audience: &Audience<'_>, credentials: &Credentials) {
        let Some(handle) = HostHandle::current() else { return };
        // Locked means that the caller is being asked already.
        if let Ok(mut answers) = handle.registry.answers.try_lock() {
            let known = answers.get(audience.host()).and_then(Option::as_ref);
            if known.is_none_or(|known| known.kind() == credentials.kind()) {
                answers.remove(audience.host());
            }
        }
    }

    fn is_lasting(&self) -> bool {
        false
    }

    fn places(&self) -> Vec<String> {
        HostHandle::current().map(|_| "whoever made the call".to_owned()).into_iter().collect()
    }
}
