//! How a call into the core waits: without the interpreter's lock, with its signals and callbacks served on the calling thread.

use std::{
    ops::ControlFlow,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError, mpsc},
    time::{Duration, Instant},
};

use oci_chart_core::{
    CancelToken, Error, ErrorKind, Event, Result, auth::Credentials, blocking, name, store::LoggedRequest,
};
use pyo3::prelude::*;

use crate::{
    argument::together,
    convert::Seconds,
    errors::{raise, type_name},
    logging::{Level, Logger},
    login::Login,
    values,
};

/// How often signals are looked at while the core computes.
const TICK: Duration = Duration::from_millis(50);
/// How long a computation that is to stop is waited for; it looks at its token every few milliseconds.
const GRACE: Duration = Duration::from_millis(150);

/// What every verb takes beside its own arguments: where progress is told, what stops it, and how long it may take.
pub(crate) struct Call(Option<Py<PyAny>>, Option<values::CancelToken>, Option<Seconds>);

together! { Call(progress: Option<Py<PyAny>>, cancel: Option<values::CancelToken>, timeout: Option<Seconds>) }

impl Call {
    /// The call after a first one, by something that calls come back to.
    pub(crate) fn again(cancel: Option<values::CancelToken>, timeout: Option<Seconds>) -> Self {
        Self(None, cancel, timeout)
    }

    pub(crate) fn without_progress(self) -> (Option<values::CancelToken>, Option<Seconds>) {
        let Self(_, cancel, timeout) = self;
        (cancel, timeout)
    }
}

/// Lets `work` run with the lock released. A panic becomes an `InternalError`.
pub(crate) fn detached<T: Send>(py: Python<'_>, work: impl FnOnce() -> Result<T> + Send) -> PyResult<T> {
    py.detach(|| guarded(work)).map_err(|error| raise(py, &error))
}

/// The same for work that takes its time: signals are served meanwhile, and what they raise stops it. It looks at the token that it is given.
pub(crate) fn computed<T: Send + 'static>(
    py: Python<'_>,
    cancel: Option<values::CancelToken>,
    work: impl FnOnce(CancelToken) -> Result<T> + Send + 'static,
) -> PyResult<T> {
    let token = cancel.map(|token| token.0).unwrap_or_default();
    let (sender, receiver) = mpsc::channel();
    let stop = token.clone();
    let spawned = std::thread::Builder::new().name("oci-chart".to_owned()).spawn(move || {
        // Whoever waited may be gone.
        let _ = sender.send(guarded(|| work(stop)));
    });
    spawned.map_err(|error| raise(py, &error.into()))?;
    let lost = || Error::new(ErrorKind::Internal, "a computation ended without a result");
    let mut signals = Signals::default();
    let outcome = py.detach(move || {
        loop {
            match receiver.recv_timeout(TICK) {
                Ok(result) => return Ok(result),
                Err(mpsc::RecvTimeoutError::Disconnected) => return Ok(Err(lost())),
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    if let Err(raised) = signals.check() {
                        token.cancel();
                        // Nothing half done stays behind, where it stops in time; else it ends by itself.
                        let _ = receiver.recv_timeout(GRACE);
                        return Err(raised);
                    }
                }
            }
        }
    })?;
    outcome.map_err(|error| raise(py, &error))
}

/// The same for calls that take a host; what a callback or a signal handler raised goes up unchanged.
pub(crate) fn waited<T: Send>(
    py: Python<'_>,
    mut host: PythonHost,
    work: impl FnOnce(&mut dyn blocking::Host) -> Result<T> + Send,
) -> PyResult<T> {
    let raised = host.raised.clone();
    let outcome = py.detach(|| guarded(|| work(&mut host)));
    match raised.take() {
        Some(raised) => Err(raised),
        None => outcome.map_err(|error| raise(py, &error)),
    }
}

fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| {
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default();
        Err(Error::new(ErrorKind::Internal, format!("panic: {text}")).with_hint("please report this"))
    })
}

/// What a callback raised, kept until the call is over.
#[derive(Clone, Default)]
pub(crate) struct Raised(Arc<Mutex<Option<PyErr>>>);

impl Raised {
    /// Keeps `error`, if it is the first, and gives what the core is told instead.
    pub(crate) fn keep(&self, py: Python<'_>, error: PyErr, callback: &str) -> Error {
        let name = type_name(py, &error);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        Error::new(ErrorKind::Cancelled, format!("the {callback} callback raised {name}"))
    }

    pub(crate) fn take(&self) -> Option<PyErr> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Looks for signals while a call waits. Only the main thread is ever given one; others would take the lock for nothing, and be caught by
/// the interpreter's end while they do.
#[derive(Default)]
struct Signals {
    elsewhere: bool,
}

impl Signals {
    fn check(&mut self) -> PyResult<()> {
        if self.elsewhere {
            return Ok(());
        }
        Python::attach(|py| {
            let threading = py.import("threading")?;
            let main = threading.call_method0("main_thread")?.getattr("ident")?;
            self.elsewhere = !threading.call_method0("get_ident")?.eq(main)?;
            py.check_signals()
        })
    }
}

/// The caller's side of a call.
pub(crate) struct PythonHost {
    progress: Option<Py<PyAny>>,
    credentials: Option<Py<PyAny>>,
    cancel: Option<CancelToken>,
    deadline: Option<Instant>,
    logger: Option<Logger>,
    signals: Signals,
    pub(crate) raised: Raised,
}

impl PythonHost {
    /// A host for one call: its own time goes before that of the client, and its logger is looked up now.
    pub(crate) fn new(
        py: Python<'_>,
        call: Call,
        credentials: Option<&Py<PyAny>>,
        timeout: Option<Duration>,
    ) -> Self {
        let Call(progress, cancel, own) = call;
        let timeout = own.map(|Seconds(time)| time).or(timeout);
        Self {
            progress,
            credentials: credentials.map(|callback| callback.clone_ref(py)),
            cancel: cancel.map(|token| token.0),
            deadline: timeout.and_then(|time| Instant::now().checked_add(time)),
            logger: Logger::current(py),
            signals: Signals::default(),
            raised: Raised::default(),
        }
    }

    fn flow(&self, told: PyResult<()>) -> ControlFlow<()> {
        let Err(raised) = told else { return ControlFlow::Continue(()) };
        Python::attach(|py| self.raised.keep(py, raised, "progress"));
        ControlFlow::Break(())
    }

    fn log(&self, py: Python<'_>, event: &Event) -> PyResult<()> {
        let Some(logger) = &self.logger else { return Ok(()) };
        match event {
            Event::Warning(text) => logger.log(py, Level::Warning, || text.clone()),
            Event::Waiting { what, why, wait, .. } => {
                logger.log(py, Level::Info, || format!("{what} waits {:.1} s: {why}", wait.as_secs_f64()))
            }
            _ => Ok(()),
        }
    }
}

impl blocking::Host for PythonHost {
    fn event(&mut self, event: Event) -> ControlFlow<()> {
        if event == Event::Tick {
            let checked = self.signals.check();
            return self.flow(checked);
        }
        let is_logged = matches!(event, Event::Warning(_) | Event::Waiting { .. }) && self.logger.is_some();
        // A thread that has nobody to tell does not take the lock from others.
        if self.progress.is_none() && !is_logged {
            let checked = self.signals.check();
            return self.flow(checked);
        }
        let told = Python::attach(|py| {
            py.check_signals()?;
            self.log(py, &event)?;
            match (&self.progress, values::Event::new(event)) {
                (Some(progress), Some(event)) => progress.call1(py, (event,)).map(drop),
                _ => Ok(()),
            }
        });
        self.flow(told)
    }

    fn wants_events(&self) -> bool {
        self.progress.is_some() || self.logger.is_some()
    }

    fn cancel_token(&self) -> Option<CancelToken> {
        self.cancel.clone()
    }

    fn timeout(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    fn wants_requests(&self) -> bool {
        self.logger.as_ref().is_some_and(|logger| logger.takes(Level::Debug))
    }

    fn request(&mut self, request: &LoggedRequest) {
        let Some(logger) = &self.logger else { return };
        Python::attach(|py| {
            if let Err(raised) = logger.log(py, Level::Debug, || request.to_string()) {
                self.raised.keep(py, raised, "logging");
            }
        });
    }

    fn credentials(&mut self, host: &name::Host) -> Result<Option<Credentials>> {
        let Some(callback) = &self.credentials else { return Ok(None) };
        Python::attach(|py| {
            let asked =
                || -> PyResult<Option<Login>> { callback.call1(py, (host.to_string(),))?.extract(py) };
            asked()
                .map(|answer| answer.map(Credentials::from))
                .map_err(|raised| self.raised.keep(py, raised, "credentials"))
        })
    }
}
