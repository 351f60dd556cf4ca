//! What callers may write where the core wants one thing.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use oci_chart_core::{Content, Error, Limits, chart::Timestamp};
#[cfg(feature = "stubs")]
use pyo3::type_hint_union;
use pyo3::{
    buffer::PyBuffer,
    exceptions::{PyTypeError, PyValueError},
    prelude::*,
    sync::PyOnceLock,
    types::PyString,
};

use crate::{call::Raised, errors::raise};

/// A length of time: seconds, or a `timedelta`.
#[derive(Clone, Copy)]
pub(crate) struct Seconds(pub(crate) Duration);

impl<'py> FromPyObject<'_, 'py> for Seconds {
    type Error = PyErr;

    #[cfg(feature = "stubs")]
    const INPUT_TYPE: pyo3::inspect::PyStaticExpr = type_hint_union!(
        pyo3::type_hint_identifier!("builtins", "float"),
        pyo3::type_hint_identifier!("datetime", "timedelta")
    );

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let seconds =
            match value.extract::<f64>() {
                Ok(seconds) => seconds,
                Err(_) => value.call_method0("total_seconds").and_then(|seconds| seconds.extract()).map_err(
                    |_| PyTypeError::new_err("a length of time is a number of seconds or a timedelta"),
                )?,
            };
        // Infinity and what no clock holds are no bound.
        let most = Duration::from_secs(u64::from(u32::MAX));
        match Duration::try_from_secs_f64(seconds) {
            Ok(time) => Ok(Self(time.min(most))),
            Err(_) if seconds > 0.0 => Ok(Self(most)),
            Err(_) => Err(PyValueError::new_err("a length of time is not negative")),
        }
    }
}

/// A point in time: seconds since 1970, or a `datetime` with its time zone.
pub(crate) struct Moment(pub(crate) Timestamp);

impl<'py> FromPyObject<'_, 'py> for Moment {
    type Error = PyErr;

    #[cfg(feature = "stubs")]
    const INPUT_TYPE: pyo3::inspect::PyStaticExpr = type_hint_union!(
        pyo3::type_hint_identifier!("builtins", "int"),
        pyo3::type_hint_identifier!("datetime", "datetime")
    );

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let time = match value.extract::<u64>() {
            Ok(seconds) => Timestamp::from_unix(seconds),
            Err(_) => Timestamp::try_from(value.extract::<std::time::SystemTime>().map_err(|_| {
                PyTypeError::new_err("a time is seconds since 1970, or a datetime that knows its time zone")
            })?),
        };
        time.map(Self).map_err(|error| raise(value.py(), &error))
    }
}

/// Bytes of anything that has a buffer: `bytes`, `bytearray`, `memoryview`, `mmap`, `array`. Copied, since others may write to it meanwhile.
pub(crate) struct Octets(pub(crate) Vec<u8>);

impl<'py> FromPyObject<'_, 'py> for Octets {
    type Error = PyErr;

    #[cfg(feature = "stubs")]
    const INPUT_TYPE: pyo3::inspect::PyStaticExpr =
        pyo3::type_hint_identifier!("typing_extensions", "Buffer");

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        PyBuffer::<u8>::get(&value)?.to_vec(value.py()).map(Self)
    }
}

/// Content: bytes, or the file at a path, which is read when it is needed.
pub(crate) struct Source(pub(crate) Content);

impl<'py> FromPyObject<'_, 'py> for Source {
    type Error = PyErr;

    #[cfg(feature = "stubs")]
    const INPUT_TYPE: pyo3::inspect::PyStaticExpr = type_hint_union!(
        Octets::INPUT_TYPE,
        pyo3::type_hint_subscript!(
            pyo3::type_hint_identifier!("os", "PathLike"),
            pyo3::type_hint_identifier!("builtins", "str")
        )
    );

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        // A text may be content or a path: that is not guessed.
        if !value.is_instance_of::<PyString>()
            && let Ok(path) = value.extract::<PathBuf>()
            && value.hasattr("__fspath__")?
        {
            return Content::from_path(path).map(Self).map_err(|error| raise(value.py(), &error));
        }
        match value.extract::<Octets>() {
            Ok(Octets(bytes)) => Ok(Self(bytes.into())),
            Err(_) => Err(PyTypeError::new_err("content is bytes or a pathlib.Path")),
        }
    }
}

/// Text that may be in a file: a `str` as it is, a path's content.
pub(crate) struct Text(pub(crate) String);

impl<'py> FromPyObject<'_, 'py> for Text {
    type Error = PyErr;

    #[cfg(feature = "stubs")]
    const INPUT_TYPE: pyo3::inspect::PyStaticExpr = type_hint_union!(
        pyo3::type_hint_identifier!("builtins", "str"),
        pyo3::type_hint_subscript!(
            pyo3::type_hint_identifier!("os", "PathLike"),
            pyo3::type_hint_identifier!("builtins", "str")
        )
    );

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        const MOST: u64 = 64 << 20;
        if let Ok(text) = value.extract::<String>() {
            return Ok(Self(text));
        }
        let Source(content) = value.extract()?;
        let read = || -> oci_chart_core::Result<String> {
            String::from_utf8(content.read(MOST)?.to_vec()).map_err(|_| {
                Error::new(oci_chart_core::ErrorKind::InvalidInput, "this is no text")
                    .with_hint("give a text, or a file of UTF-8")
            })
        };
        read().map(Self).map_err(|error| raise(value.py(), &error))
    }
}

/// Bounds of what is read, by name.
#[derive(FromPyObject)]
pub(crate) struct Bounds(BTreeMap<String, u64>);

impl Bounds {
    /// The usual bounds, these ones changed.
    pub(crate) fn limits(bounds: Option<Self>) -> oci_chart_core::Result<Limits> {
        let mut limits = Limits::default();
        for (name, value) in bounds.into_iter().flat_map(|bounds| bounds.0) {
            limits.set(&name, value)?;
        }
        Ok(limits)
    }
}

/// Reads an object that has `read`, on the thread that calls.
pub(crate) struct PythonReader {
    pub(crate) stream: Py<PyAny>,
    pub(crate) raised: Raised,
}

impl std::io::Read for PythonReader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        Python::attach(|py| {
            let read = || -> PyResult<Vec<u8>> {
                py.check_signals()?;
                let Octets(bytes) = self.stream.call_method1(py, "read", (buffer.len(),))?.extract(py)?;
                if bytes.len() > buffer.len() {
                    return Err(PyValueError::new_err("read gave more than it was asked for"));
                }
                Ok(bytes)
            };
            match read() {
                Ok(bytes) => {
                    buffer.iter_mut().zip(&bytes).for_each(|(to, from)| *to = *from);
                    Ok(bytes.len())
                }
                Err(raised) => Err(self.raised.keep(py, raised, "stream's").into()),
            }
        })
    }
}

/// `value` as the enumeration `name` of the package has it.
pub(crate) fn word<'py>(
    py: Python<'py>,
    class: &PyOnceLock<Py<PyAny>>,
    name: &str,
    value: &str,
) -> PyResult<Bound<'py, PyAny>> {
    class.import(py, "oci_chart.enums", name)?.call1((value,))
}

/// Makes a type whose values are members of the enumeration of its name in `oci_chart.enums`.
macro_rules! python_enum {
    ($($name:ident)*) => {$(
        #[derive(Clone, PartialEq, Eq, Hash)]
        pub(crate) struct $name(pub(crate) std::borrow::Cow<'static, str>);

        impl<'py> pyo3::IntoPyObject<'py> for &$name {
            type Target = pyo3::PyAny;
            type Output = pyo3::Bound<'py, pyo3::PyAny>;
            type Error = pyo3::PyErr;

            #[cfg(feature = "stubs")]
            const OUTPUT_TYPE: pyo3::inspect::PyStaticExpr =
                pyo3::type_hint_identifier!("oci_chart.enums", stringify!($name));

            fn into_pyobject(self, py: pyo3::Python<'py>) -> pyo3::PyResult<Self::Output> {
                static CLASS: pyo3::sync::PyOnceLock<pyo3::Py<pyo3::PyAny>> = pyo3::sync::PyOnceLock::new();
                crate::convert::word(py, &CLASS, stringify!($name), &self.0)
            }
        }

        impl<'py> pyo3::IntoPyObject<'py> for $name {
            type Target = pyo3::PyAny;
            type Output = pyo3::Bound<'py, pyo3::PyAny>;
            type Error = pyo3::PyErr;

            #[cfg(feature = "stubs")]
            const OUTPUT_TYPE: pyo3::inspect::PyStaticExpr = <&$name as pyo3::IntoPyObject<'_>>::OUTPUT_TYPE;

            fn into_pyobject(self, py: pyo3::Python<'py>) -> pyo3::PyResult<Self::Output> {
                (&self).into_pyobject(py)
            }
        }
    )*};
}
pub(crate) use python_enum;

/// Makes types that are JSON here and become the class of their name in a module of the package.
macro_rules! python_data {
    ($module:literal $($name:ident)*) => {$(
        #[derive(Clone)]
        pub(crate) struct $name(pub(crate) String);

        impl<'py> pyo3::IntoPyObject<'py> for $name {
            type Target = pyo3::PyAny;
            type Output = pyo3::Bound<'py, pyo3::PyAny>;
            type Error = pyo3::PyErr;

            #[cfg(feature = "stubs")]
            const OUTPUT_TYPE: pyo3::inspect::PyStaticExpr =
                pyo3::type_hint_identifier!($module, stringify!($name));

            fn into_pyobject(self, py: pyo3::Python<'py>) -> pyo3::PyResult<Self::Output> {
                static CLASS: pyo3::sync::PyOnceLock<pyo3::Py<pyo3::PyAny>> = pyo3::sync::PyOnceLock::new();
                CLASS.import(py, $module, stringify!($name))?.call_method1("from_json", (self.0,))
            }
        }
    )*};
}
pub(crate) use python_data;
