//! Events out, cancellation in: what every verb is given.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::Notify;

use crate::{
    digest::Digest,
    error::{Error, ErrorKind, Reason, Result},
};

tokio::task_local! {
    /// In whose name the current task works: what lies below a store has no other way to tell of its waits.
    static CURRENT: Context;
}

/// Tells the caller of the current call something that works, but should be known. For code that no context is handed to;
/// outside of [`Context::run`] nobody hears it.
#[cfg(feature = "registry")]
pub(crate) fn warn(text: impl FnOnce() -> String) {
    let cx = Context::current();
    if cx.has_listener() {
        cx.emit(Event::Warning(text()));
    }
}

/// Stops a call from any thread. Clones stop together; stopping twice is stopping once.
///
/// # Examples
///
/// ```
/// use oci_chart_core::{CancelToken, ErrorKind};
///
/// let token = CancelToken::new();
/// let other = token.clone();
/// std::thread::spawn(move || other.cancel()).join().unwrap();
/// assert_eq!(token.check().unwrap_err().kind(), ErrorKind::Cancelled);
/// ```
#[derive(Clone, Default)]
pub struct CancelToken(Arc<Flag>);

#[derive(Default)]
struct Flag {
    cancelled: AtomicBool,
    notify: Notify,
}

impl CancelToken {
    /// A token that nobody has used.
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops every call that was given this token.
    pub fn cancel(&self) {
        self.0.cancelled.store(true, Ordering::Release);
        self.0.notify.notify_waiters();
    }

    /// Whether it was used.
    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.load(Ordering::Acquire)
    }

    /// Fails once the token was used.
    ///
    /// # Errors
    ///
    /// [`Cancelled`](crate::ErrorKind::Cancelled).
    pub fn check(&self) -> Result<()> {
        if self.is_cancelled() { Err(Error::cancelled()) } else { Ok(()) }
    }

    /// Waits until the token is used.
    pub async fn cancelled(&self) {
        // Registered before the look, so that a cancel in between still wakes it.
        let notified = self.0.notify.notified();
        if !self.is_cancelled() {
            notified.await;
        }
    }
}

impl fmt::Debug for CancelToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CancelToken({})", if self.is_cancelled() { "cancelled" } else { "live" })
    }
}

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Direction {
    /// Towards the store.
    Push,
    /// Out of the store.
    Pull,
}

/// One piece of content on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transfer {
    /// Unique in this process.
    pub id: u64,
    /// Which way it goes.
    pub direction: Direction,
    /// Its digest.
    pub digest: Digest,
    /// Its media type.
    pub media_type: String,
    /// Its size in bytes.
    pub bytes: u64,
}

impl Transfer {
    /// A transfer with an id of its own.
    pub fn new(direction: Direction, digest: Digest, media_type: impl Into<String>, bytes: u64) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        Self { id, direction, digest, media_type: media_type.into(), bytes }
    }
}

/// What a verb tells while it works.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A transfer began.
    Started(Transfer),
    /// A transfer has come this far; only the newest of these is kept for a slow listener.
    Progress {
        /// The transfer's id.
        id: u64,
        /// Bytes moved so far.
        bytes: u64,
    },
    /// A transfer is done.
    Finished {
        /// The transfer's id.
        id: u64,
    },
    /// Nothing had to be moved: the store has it.
    Skipped(Transfer),
    /// Something that works, but should be known.
    Warning(String),
    /// Nothing is sent for a while: a request failed and goes out again, or the host's pace is kept.
    Waiting {
        /// What waits: the request's method and URL, without secrets.
        what: String,
        /// The failure, or the rule, that makes it wait.
        why: String,
        /// How often it was tried by now; 0 where only the pace is kept.
        attempt: u32,
        /// For how long.
        wait: Duration,
    },
    /// Nothing happened for a while; a waiting caller gets its turn.
    Tick,
}

/// Takes events. Called from the tasks that work, so it must not block.
pub trait EventSink: Send + Sync {
    /// Takes one event.
    fn event(&self, event: Event);
}

impl<F: Fn(Event) + Send + Sync> EventSink for F {
    fn event(&self, event: Event) {
        self(event);
    }
}

/// What a verb is given by its caller: where events go, and how it is stopped. Cheap to clone.
///
/// # Examples
///
/// ```
/// use oci_chart_core::{CancelToken, Context, Event};
///
/// let cx = Context::default()
///     .with_cancel(CancelToken::new())
///     .with_events(|event: Event| eprintln!("{event:?}"));
/// cx.emit(Event::Warning("an old layer type".into()));
/// assert!(cx.check().is_ok());
/// ```
#[derive(Clone, Default)]
pub struct Context {
    cancel: CancelToken,
    events: Option<Arc<dyn EventSink>>,
    deadline: Option<Instant>,
}

impl Context {
    /// Stops when `token` is used.
    #[must_use]
    pub fn with_cancel(mut self, token: CancelToken) -> Self {
        self.cancel = token;
        self
    }

    /// Sends events to `sink`.
    #[must_use]
    pub fn with_events(mut self, sink: impl EventSink + 'static) -> Self {
        self.events = Some(Arc::new(sink));
        self
    }

    /// Gives the whole call until `deadline`. Waits that would last longer are not begun.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Instant) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Gives the whole call so much time from now on; more than an [`Instant`] can hold is no bound.
    #[must_use]
    pub fn with_timeout(mut self, time: Duration) -> Self {
        self.deadline = Instant::now().checked_add(time);
        self
    }

    /// When the call has to be done, if it has to.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// The token that stops this call.
    pub fn cancel_token(&self) -> &CancelToken {
        &self.cancel
    }

    /// Fails once the call is to stop.
    ///
    /// # Errors
    ///
    /// [`Cancelled`](crate::ErrorKind::Cancelled).
    pub fn check(&self) -> Result<()> {
        self.cancel.check()
    }

    /// Sends an event, if anybody listens.
    pub fn emit(&self, event: Event) {
        if let Some(sink) = &self.events {
            sink.event(event);
        }
    }

    /// Whether anybody listens: saves making events that nobody sees.
    pub fn has_listener(&self) -> bool {
        self.events.is_some()
    }

    /// Runs `task` until it is done, the call is to stop, or its time is up; then `task` is dropped. With a deadline the current
    /// runtime needs its timer.
    ///
    /// # Errors
    ///
    /// What the task says, [`Cancelled`](crate::ErrorKind::Cancelled), or [`Timeout`](crate::ErrorKind::Timeout) with reason
    /// `deadline-exceeded`.
    pub async fn run<T>(&self, task: impl Future<Output = Result<T>>) -> Result<T> {
        let work = async {
            tokio::select! {
                biased;
                () = self.cancel.cancelled() => Err(Error::cancelled()),
                result = task => result,
                () = passed(self.deadline) => Err(too_late()),
            }
        };
        self.scope(work).await
    }

    /// Runs `task` in this context's name.
    pub(crate) async fn scope<T>(&self, task: impl Future<Output = T>) -> T {
        CURRENT.scope(self.clone(), task).await
    }

    /// In whose name the current task works; nobody's, with no deadline and no listener, outside [`run`](Self::run).
    pub(crate) fn current() -> Self {
        CURRENT.try_with(Self::clone).unwrap_or_default()
    }
}

async fn passed(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}

fn too_late() -> Error {
    Error::new(ErrorKind::Timeout, "the call took longer than it was given")
        .with_reason(Reason::DeadlineExceeded)
        .with_hint("give the call more time, or look at its events for what it waited for")
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("cancel", &self.cancel)
            .field("listener", &self.has_listener())
            .field("deadline", &self.deadline)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn a_cancelled_task_is_dropped_at_once() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let cx = Context::default();
        let token = cx.cancel_token().clone();
        let canceller = std::thread::spawn(move || token.cancel());
        let result = runtime.block_on(cx.run(std::future::pending::<Result<()>>()));
        canceller.join().unwrap();
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Cancelled);
    }

    #[test]
    fn a_call_ends_at_its_deadline() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let cx = Context::default().with_timeout(Duration::from_millis(20));
        let error = runtime.block_on(cx.run(std::future::pending::<Result<()>>())).unwrap_err();
        assert_eq!((error.kind(), error.reason()), (ErrorKind::Timeout, Some(Reason::DeadlineExceeded)));
        assert!(Context::default().with_timeout(Duration::MAX).deadline().is_none());
    }

    #[cfg(feature = "registry")]
    #[test]
    fn work_knows_in_whose_name_it_is_done() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let cx = Context::default().with_events(|_| {});
        runtime.block_on(async {
            assert!(!Context::current().has_listener());
            let found = cx.run(async { Ok(Context::current().has_listener()) }).await;
            assert!(found.unwrap());
            assert!(!Context::current().has_listener());
        });
    }

    #[cfg(feature = "registry")]
    #[test]
    fn warnings_from_deep_inside_reach_the_listener_of_their_call() {
        let (sender, receiver) = std::sync::mpsc::channel();
        let cx = Context::default().with_events(move |event| sender.send(event).unwrap());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        warn(|| "nobody's".to_owned());
        let task = async {
            warn(|| "mine".to_owned());
            Ok(())
        };
        runtime.block_on(cx.run(task)).unwrap();
        assert_eq!(receiver.try_iter().collect::<Vec<_>>(), [Event::Warning("mine".into())]);
    }

    #[test]
    fn events_reach_the_listener_in_order() {
        let (sender, receiver) = std::sync::mpsc::channel();
        let cx = Context::default().with_events(move |event| sender.send(event).unwrap());
        cx.emit(Event::Progress { id: 1, bytes: 2 });
        cx.emit(Event::Finished { id: 1 });
        assert_eq!(
            receiver.try_iter().collect::<Vec<_>>(),
            [Event::Progress { id: 1, bytes: 2 }, Event::Finished { id: 1 }]
        );
    }
}
