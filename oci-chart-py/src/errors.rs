//! Errors of the core as the exceptions of `oci_chart.errors`.

use oci_chart_core::{
    Error, ErrorKind, Reason, diagnose,
    trust::{self, Evidence},
};
use pyo3::{
    exceptions::PyRuntimeError,
    prelude::*,
    sync::PyOnceLock,
    types::{PyDict, PyType},
};

/// The exception for `error`: the class of its kind, made by Python code, which knows the standard classes that go with it.
pub(crate) fn raise(py: Python<'_>, error: &Error) -> PyErr {
    static FACTORY: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let make = || -> PyResult<PyErr> {
        let factory = FACTORY.get_or_try_init(py, || {
            Ok::<_, PyErr>(py.import("oci_chart.errors")?.getattr("_make")?.unbind())
        })?;
        let context = PyDict::new(py);
        for (key, value) in error.context() {
            context.set_item(key, value)?;
        }
        let io = io_error(error);
        let details = (
            error.kind().name(),
            error.message(),
            error.reason().map(|reason| reason.as_str()),
            error.operation(),
            context,
            error.hint(),
            error.is_retryable(),
            error.retry_after().map(|wait| wait.as_secs_f64()),
            causes(error),
            io.and_then(std::io::Error::raw_os_error),
            Evidence::of(error).map(Evidence::to_json),
        );
        Ok(PyErr::from_value(factory.bind(py).call1(details)?))
    };
    make().unwrap_or_else(|broken| {
        PyRuntimeError::new_err(format!("{error} (and its exception cannot be made: {broken})"))
    })
}

/// Every kind's name and number, for the tests of the exception classes.
#[pyfunction]
pub(crate) fn error_kinds() -> Vec<(&'static str, u32)> {
    ErrorKind::ALL.iter().map(|kind| (kind.name(), kind.code())).collect()
}

/// The words of the core's open enumerations, for the tests of those in `oci_chart.enums`.
#[pyfunction]
pub(crate) fn words(name: &str) -> Vec<&'static str> {
    match name {
        "Check" => diagnose::Check::ALL.iter().map(|check| check.as_str()).collect(),
        "Status" => diagnose::Status::ALL.iter().map(|status| status.as_str()).collect(),
        "Claim" => trust::Claim::ALL.iter().map(|claim| claim.as_str()).collect(),
        "Reason" => Reason::ALL.iter().map(|reason| reason.as_str()).collect(),
        _ => Vec::new(),
    }
}

/// Panics, to show what becomes of it: on the calling thread, in a computation, or in a task.
#[cfg(debug_assertions)]
#[pyfunction(name = "_panics")]
#[expect(clippy::panic, reason = "that is what it is for")]
pub(crate) fn panics(py: Python<'_>, place: &str) -> PyResult<()> {
    let boom = || -> oci_chart_core::Result<()> { panic!("boom") };
    match place {
        "thread" => crate::call::detached(py, boom),
        "computation" => crate::call::computed(py, None, move |_| boom()),
        _ => crate::call::detached(py, || {
            oci_chart_core::blocking::Runtime::default().wait(&mut (), |_| async move { boom() })
        }),
    }
}

/// The name of an exception's type.
pub(crate) fn type_name(py: Python<'_>, error: &PyErr) -> String {
    let class: Bound<'_, PyType> = error.get_type(py);
    class.name().map_or_else(|_| "exception".to_owned(), |name| name.to_string())
}

fn causes(error: &Error) -> Vec<String> {
    let mut found = Vec::new();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        found.push(cause.to_string());
        next = cause.source();
    }
    found
}

fn io_error(error: &Error) -> Option<&std::io::Error> {
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        if let Some(found) = cause.downcast_ref::<std::io::Error>()
            && found.raw_os_error().is_some()
        {
            return Some(found);
        }
        next = cause.source();
    }
    None
}
