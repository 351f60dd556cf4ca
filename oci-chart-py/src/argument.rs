//! Arguments that travel together, or that may be one of several things. What is wrong with one is said as if it had come alone: the derived
//! conversions name their own fields, and keep what was wrong for the cause.

use pyo3::{
    exceptions::{PyTypeError, PyUnicodeError, PyValueError},
    prelude::*,
};

/// A tuple struct out of a tuple.
macro_rules! together {
    ($name:ident($($part:ident: $type:ty),+)) => {
        impl<'py> pyo3::FromPyObject<'_, 'py> for $name {
            type Error = pyo3::PyErr;

            #[cfg(feature = "stubs")]
            const INPUT_TYPE: pyo3::inspect::PyStaticExpr = <($($type),+) as pyo3::FromPyObject<'_, '_>>::INPUT_TYPE;

            fn extract(value: pyo3::Borrowed<'_, 'py, pyo3::PyAny>) -> pyo3::PyResult<Self> {
                let ($($part),+) = value.extract()?;
                Ok(Self($($part),+))
            }
        }
    };
}

/// An enumeration out of the first type that fits; the text says what fits.
macro_rules! either {
    ($name:ident, $wanted:literal, $($type:ty => $variant:expr),+) => {
        impl<'py> pyo3::FromPyObject<'_, 'py> for $name {
            type Error = pyo3::PyErr;

            #[cfg(feature = "stubs")]
            const INPUT_TYPE: pyo3::inspect::PyStaticExpr = {
                use pyo3::type_hint_union;
                type_hint_union!($(<$type as pyo3::FromPyObject<'_, '_>>::INPUT_TYPE),+)
            };

            fn extract(value: pyo3::Borrowed<'_, 'py, pyo3::PyAny>) -> pyo3::PyResult<Self> {
                $(
                    match value.extract::<$type>() {
                        Ok(found) => return Ok($variant(found)),
                        Err(error) => $crate::argument::unless_no_text(value.py(), error.into())?,
                    }
                )+
                Err($crate::argument::unwanted(&value, $wanted))
            }
        }
    };
}

pub(crate) use {either, together};

/// Passes on that a text is not Unicode: nothing else would fit.
pub(crate) fn unless_no_text(py: Python<'_>, error: PyErr) -> PyResult<()> {
    if error.is_instance_of::<PyUnicodeError>(py) { Err(error) } else { Ok(()) }
}

pub(crate) fn unwanted(value: &Bound<'_, PyAny>, wanted: &str) -> PyErr {
    let name = value.get_type().name().map_or_else(|_| "something else".to_owned(), |name| name.to_string());
    PyTypeError::new_err(format!("{wanted} is wanted, not {name}"))
}

/// Named arguments out of a dictionary.
pub(crate) struct Named<T>(pub(crate) T);

impl<'a, 'py, T: FromPyObject<'a, 'py, Error = PyErr>> FromPyObject<'a, 'py> for Named<T> {
    type Error = PyErr;

    #[cfg(feature = "stubs")]
    const INPUT_TYPE: pyo3::inspect::PyStaticExpr = T::INPUT_TYPE;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        value.extract().map(Self).map_err(|error| of_argument(value.py(), error))
    }
}

/// The name is the last word of what the derived conversion says.
fn of_argument(py: Python<'_>, error: PyErr) -> PyErr {
    let Some(mut cause) = error.cause(py) else { return error };
    while let Some(deeper) = cause.cause(py) {
        cause = deeper;
    }
    let said = error.value(py).to_string();
    let text = format!("{}: {}", said.rsplit('.').next().unwrap_or_default(), cause.value(py));
    if cause.is_instance_of::<PyValueError>(py) {
        PyValueError::new_err(text)
    } else {
        PyTypeError::new_err(text)
    }
}
