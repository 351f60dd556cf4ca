#[cfg(feature = "registry")]
use std::collections::HashMap;
use std::{fmt, ops::ControlFlow, sync::Arc, time::Duration};

use tokio::sync::oneshot;

use super::mailbox::Mailbox;
#[cfg(feature = "registry")]
use crate::{
    auth::{Audience, CredentialSource, Credentials},
    name::Host as RegistryHost,
    store::{LoggedRequest, RequestLog},
};
use crate::{
    context::{CancelToken, Event},
    error::{Error, ErrorKind, Reason, Result},
};

/// The caller's side of a call: events go out to it, questions come to it. Every method runs on the thread that waits and no other, and
/// every method has a default, so `&mut ()` is a host.
pub trait Host {
    /// Something happened; at the latest every 50 ms there is an [`Event::Tick`]. `Break` stops the call.
    fn event(&mut self, event: Event) -> ControlFlow<()> {
        let _ = event;
        ControlFlow::Continue(())
    }

    /// A token that another thread may use to stop this call.
    fn cancel_token(&self) -> Option<CancelToken> {
        None
    }

    /// How long the whole call may take, asked for once, when it begins; without an answer there is no bound. A call that takes longer
    /// ends with [`ErrorKind::Timeout`], reason `deadline-exceeded`.
    fn timeout(&self) -> Option<Duration> {
        None
    }

    /// Whether it wants to be told of requests, asked for once, when the call begins.
    fn wants_requests(&self) -> bool {
        false
    }

    /// A request of this call is done; told by [`HostLog`].
    #[cfg(feature = "registry")]
    fn request(&mut self, request: &LoggedRequest) {
        let _ = request;
    }

    /// Credentials for a registry, asked for by [`HostCredentials`]; `None` means anonymous.
    ///
    /// # Errors
    ///
    /// The caller's own, which the call then ends with.
    #[cfg(feature = "registry")]
    fn credentials(&mut self, host: &RegistryHost) -> Result<Option<Credentials>> {
        let _ = host;
        Ok(None)
    }

    /// A signature over `message` by the private half of `key`, which only the caller can reach; asked for by [`HostSigner`](super::HostSigner), with
    /// what [`Signer::sign`](crate::trust::Signer::sign) says of both.
    ///
    /// # Errors
    ///
    /// The caller's own; [`ErrorKind::Unsupported`] where it offers none.
    #[cfg(feature = "sign")]
    fn sign(&mut self, key: &crate::trust::PublicKey, message: &[u8]) -> Result<Vec<u8>> {
        let _ = (key, message);
        Err(unsupported("the caller offers no signing"))
    }

    /// The next bytes of a stream that only the caller can read; 0 is the end.
    ///
    /// # Errors
    ///
    /// The caller's own; [`ErrorKind::Unsupported`] where it offers none.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let _ = buffer;
        Err(unsupported("the caller offers no stream"))
    }
}

/// The host of a caller that wants nothing but the result.
impl Host for () {}

tokio::task_local! {
    pub(super) static CURRENT: HostHandle;
}

/// Lets a task put questions to the thread that waits for it.
#[derive(Clone)]
pub struct HostHandle {
    mailbox: Arc<Mailbox>,
    #[cfg_attr(not(feature = "registry"), allow(dead_code, reason = "only registries have requests"))]
    wants_requests: bool,
    #[cfg(feature = "registry")]
    answers: Arc<tokio::sync::Mutex<HashMap<RegistryHost, Option<Credentials>>>>,
}

impl HostHandle {
    pub(super) fn new(mailbox: Arc<Mailbox>, wants_requests: bool) -> Self {
        Self {
            mailbox,
            wants_requests,
            #[cfg(feature = "registry")]
            answers: Arc::default(),
        }
    }

    /// The host of the call that the current task belongs to.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
    }

    /// Runs `question` on the waiting thread and gives its answer.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Cancelled`] where nobody waits any more.
    pub async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut dyn Host) -> T + Send + 'static,
    ) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        self.mailbox.ask(Box::new(move |host| {
            // The task may have been dropped meanwhile; then nobody wants the answer.
            let _ = answer.send(question(host));
        }));
        answered.await.map_err(|_| Error::cancelled())
    }
}

impl fmt::Debug for HostHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HostHandle")
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
#[cfg(feature = "registry")]
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct HostLog;

#[cfg(feature = "registry")]
impl RequestLog for HostLog {
    fn request(&self, request: &LoggedRequest) {
        if let Some(handle) = HostHandle::current().filter(|handle| handle.wants_requests) {
            let request = request.clone();
            handle.mailbox.tell(Box::new(move |host| host.request(&request)));
        }
    }
}

/// Credentials from the [`Host`] of whatever call needs them, asked for once in each call and again if they are refused; none outside of
/// such a call. What one call was given is never shown for another.
#[cfg(feature = "registry")]
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct HostCredentials;

#[cfg(feature = "registry")]
#[async_trait::async_trait]
impl CredentialSource for HostCredentials {
    async fn credentials(&self, audience: &Audience<'_>) -> Result<Option<Credentials>> {
        let Some(handle) = HostHandle::current() else { return Ok(None) };
        let mut answers = handle.answers.lock().await;
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
        if let Ok(mut answers) = handle.answers.try_lock() {
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

fn unsupported(message: &'static str) -> Error {
    Error::new(ErrorKind::Unsupported, message).with_reason(Reason::OperationUnsupported)
}
