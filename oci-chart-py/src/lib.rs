//! The native half of the Python package `oci_chart`: one file per noun, no policy. Types and documentation for Python's
//! readers are in `python/oci_chart`.

use pyo3::prelude::*;

#[cfg(not(panic = "unwind"))]
compile_error!("panics must unwind, so that they become exceptions");

mod call;
mod chart;
mod client;
mod errors;
mod values;

/// Everything here is reached through the package `oci_chart`.
#[pymodule]
mod _native {
    #[pymodule_export]
    use super::errors::error_kinds;
    #[pymodule_export]
    use super::{
        chart::{Chart, Package},
        client::Client,
        values::{CancelToken, Descriptor, Event, PullResult, PushResult, Reference, matches, version},
    };
}
