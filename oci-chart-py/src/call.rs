//! How a call into the core waits: without the interpreter's lock, with its signals and callbacks served on the calling thread.

use std::{
    ops::ControlFlow,
    panic::{AssertUnwindSafe, catch_unwind},
};

use oci_chart_core::{CancelToken, Error, ErrorKind, Event, Result, auth::Credentials, blocking, name};
use pyo3::prelude::*;

use crate::{
    errors::{raise, type_name},
    values,
};

/// Lets `work` run with the lock released. A panic becomes an `InternalError`.
pub(crate) fn detached<T: Send>(py: Python<'_>, work: impl FnOnce() -> Result<T> + Send) -> PyResult<T> {
    py.detach(|| guarded(work)).map_err(|error| raise(py, &error))
}

/// The same for calls that take a host; what a callback or a signal handler raised goes up unchanged.
pub(crate) fn waited<T: Send>(
    py: Python<'_>,
    mut host: PythonHost,
    work: impl FnOnce(&mut dyn blocking::Host) -> Result<T> + Send,
) -> PyResult<T> {
    let (outcome, raised) = py.detach(|| {
        let outcome = guarded(|| work(&mut host));
        (outcome, host.raised)
    });
    match raised {
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

/// The caller's side of a call.
#[derive(Default)]
pub(crate) struct PythonHost {
    pub(crate) progress: Option<Py<PyAny>>,
    pub(crate) credentials: Option<Py<PyAny>>,
    pub(crate) cancel: Option<CancelToken>,
    raised: Option<PyErr>,
}

impl PythonHost {
    /// Keeps what was raised and stops the call.
    fn stop(&mut self, raised: PyErr) -> ControlFlow<()> {
        self.raised.get_or_insert(raised);
        ControlFlow::Break(())
    }
}

impl blocking::Host for PythonHost {
    fn event(&mut self, event: Event) -> ControlFlow<()> {
        let called = Python::attach(|py| {
            py.check_signals()?;
            match (&self.progress, values::Event::new(event)) {
                (Some(progress), Some(event)) => progress.call1(py, (event,)).map(drop),
                _ => Ok(()),
            }
        });
        match called {
            Ok(()) => ControlFlow::Continue(()),
            Err(raised) => self.stop(raised),
        }
    }

    fn cancel_token(&self) -> Option<CancelToken> {
        self.cancel.clone()
    }

    fn credentials(&mut self, host: &name::Host) -> Result<Option<Credentials>> {
        let Some(callback) = &self.credentials else { return Ok(None) };
        let asked = Python::attach(|py| {
            let answer: Option<(String, String)> = callback.call1(py, (host.to_string(),))?.extract(py)?;
            Ok::<_, PyErr>(answer.map(|(user, password)| Credentials::basic(user, password)))
        });
        asked.map_err(|raised| {
            let name = Python::attach(|py| type_name(py, &raised));
            self.raised.get_or_insert(raised);
            Error::new(ErrorKind::Cancelled, format!("the credentials callback raised {name}"))
        })
    }
}
