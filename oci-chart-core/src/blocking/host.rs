#[cfg(feature = "registry")]
mod registry;

use std::{fmt, ops::ControlFlow, sync::Arc, time::Duration};

use tokio::sync::oneshot;

use super::mailbox::Mailbox;
#[cfg(feature = "registry")]
use crate::{auth::Credentials, name::Host as RegistryHost, store::LoggedRequest};
use crate::{
    context::{CancelToken, Event},
    error::{Error, ErrorKind, Reason, Result},
};

#[cfg(feature = "registry")]
pub use registry::{HostCredentials, HostLog};

/// The caller's side of a call: events go out to it, questions come to it. Every method runs on the thread that waits and no other, and
/// every method has a default, so `&mut ()` is a host.
pub trait Host {
    /// Something happened; at the latest every 50 ms there is an [`Event::Tick`]. `Break` stops the call.
    fn event(&mut self, event: Event) -> ControlFlow<()> {
        let _ = event;
        ControlFlow::Continue(())
    }

    /// Whether it wants to be told of more than ticks, asked for once, when the call begins. Events wake the waiting thread; who has no use for
    /// them saves that.
    fn wants_events(&self) -> bool {
        true
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
    #[cfg(feature = "registry")]
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
impl Host for () {
    fn wants_events(&self) -> bool {
        false
    }
}

tokio::task_local! {
    pub(super) static CURRENT: HostHandle;
}

/// Lets a task put questions to the thread that waits for it.
#[derive(Clone)]
pub struct HostHandle {
    mailbox: Arc<Mailbox>,
    #[cfg(feature = "registry")]
    registry: registry::Side,
}

impl HostHandle {
    /// For a call whose `host` looks into `mailbox`.
    pub(super) fn new(mailbox: Arc<Mailbox>, host: &dyn Host) -> Self {
        #[cfg(not(feature = "registry"))]
        let _ = host;
        Self {
            mailbox,
            #[cfg(feature = "registry")]
            registry: registry::Side::new(host),
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

fn unsupported(message: &'static str) -> Error {
    Error::new(ErrorKind::Unsupported, message).with_reason(Reason::OperationUnsupported)
}
