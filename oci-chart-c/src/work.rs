//! Calls that wait for nothing but their own work: loading and packaging.

use std::{
    panic::resume_unwind,
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use oci_chart_core::{CancelToken, Error, ErrorKind, Event, Reason, Result, blocking::Host as _};

use crate::call::Caller;

/// How long the caller goes without its turn.
const TICK: Duration = Duration::from_millis(50);

impl Caller {
    /// Does `job`, which looks at the token that it is given. Where the caller wants turns or sets a time-out, the work is done on a thread of its own,
    /// and the caller's thread waits for it; else right here.
    pub(crate) fn work<T: Send>(&mut self, job: impl FnOnce(CancelToken) -> Result<T> + Send) -> Result<T> {
        let callers = self.cancel();
        if !self.is_watched() {
            return job(callers);
        }
        callers.check()?;
        let deadline = self.deadline();
        // Not the caller's own, which may be for other calls too.
        let token = CancelToken::new();
        let (given, mut is_late) = (token.clone(), false);
        let (sender, done) = mpsc::channel();
        let result = thread::scope(|scope| {
            let work = move || {
                let result = job(given);
                // The caller waits until this thread has ended, whatever it hears.
                let _ = sender.send(());
                result
            };
            let worker = thread::Builder::new().name("oci-chart".into()).spawn_scoped(scope, work)?;
            let left = |deadline: Option<Instant>| {
                deadline.map_or(TICK, |end| end.saturating_duration_since(Instant::now()))
            };
            while let Err(RecvTimeoutError::Timeout) =
                done.recv_timeout(TICK.min(left(deadline.filter(|_| !is_late))))
            {
                is_late |= deadline.is_some_and(|end| Instant::now() >= end);
                if self.event(Event::Tick).is_break() || callers.is_cancelled() || is_late {
                    token.cancel();
                }
            }
            worker.join().unwrap_or_else(|panic| resume_unwind(panic))
        });
        result.map_err(|error| match error.kind() {
            ErrorKind::Cancelled if is_late => match error.operation() {
                Some(operation) => too_late().with_operation(operation),
                None => too_late(),
            },
            _ => error,
        })
    }

    /// When the call has taken as long as it may.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.timeout().and_then(|time| Instant::now().checked_add(time))
    }
}

pub(crate) fn too_late() -> Error {
    Error::new(ErrorKind::Timeout, "the call took longer than it was given")
        .with_reason(Reason::DeadlineExceeded)
        .with_hint("give the call more time")
}
