//! What the core tells goes to Python's logger `oci_chart`, from the thread that waits for the call and no other.

use pyo3::{prelude::*, types::PyDict};

/// The levels that are used, with the numbers of Python's `logging`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Debug = 10,
    Info = 20,
    Warning = 30,
}

/// The logger as it is when a call begins: whether it takes a level is asked once.
pub(crate) struct Logger {
    logger: Py<PyAny>,
    level: i64,
}

impl Logger {
    /// None where nobody could see what is logged: as long as nobody has imported `logging`, it is not imported here either.
    pub(crate) fn current(py: Python<'_>) -> Option<Self> {
        let find = || -> PyResult<Option<Self>> {
            let modules = py.import("sys")?.getattr("modules")?.cast_into::<PyDict>()?;
            if modules.get_item("logging")?.is_none() {
                return Ok(None);
            }
            let (logger, level) = py.import("oci_chart._logging")?.call_method0("current")?.extract()?;
            Ok(Some(Self { logger, level }))
        };
        find().ok().flatten().filter(|logger| logger.takes(Level::Warning))
    }

    pub(crate) fn takes(&self, level: Level) -> bool {
        self.level <= level as i64
    }

    /// A filter or handler of the caller's may raise.
    pub(crate) fn log(&self, py: Python<'_>, level: Level, text: impl FnOnce() -> String) -> PyResult<()> {
        if !self.takes(level) {
            return Ok(());
        }
        let options = PyDict::new(py);
        // The caller of the verb: native code has no frame of its own, and the verb is one step below its caller.
        options.set_item("stacklevel", 2)?;
        self.logger.call_method(py, "log", (level as i64, "%s", text()), Some(&options)).map(drop)
    }
}
