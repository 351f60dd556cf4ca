//! Values: frozen, comparable, picklable.

use oci_chart_core::{
    Digest,
    name::{self, ChartVersion, Selector, VersionReq},
    oci,
    transfer::{Pulled, PushOutcome},
};
use pyo3::prelude::*;

use crate::{chart::Package, errors::raise};

/// The version of this package.
#[pyfunction]
pub(crate) fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// Whether `version` satisfies the constraint, by Helm's rules.
#[pyfunction]
#[pyo3(signature = (constraint, version, /))]
pub(crate) fn matches(py: Python<'_>, constraint: &str, version: &str) -> PyResult<bool> {
    let check = || -> oci_chart_core::Result<bool> {
        Ok(VersionReq::parse(constraint)?.matches(&ChartVersion::parse(version)?))
    };
    check().map_err(|error| raise(py, &error))
}

/// What a text refers to: `[oci://]HOST/REPOSITORY[:TAG][@DIGEST]`, by Helm's rules.
#[pyclass(frozen, eq, hash, get_all, module = "oci_chart")]
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Reference {
    host: String,
    repository: String,
    tag: Option<String>,
    digest: Option<String>,
    /// What is pulled: the tag, the digest, both, or the constraint that the tag or its absence stands for.
    selector: String,
    text: String,
}

#[pymethods]
impl Reference {
    #[new]
    #[pyo3(signature = (text, /))]
    fn new(py: Python<'_>, text: &str) -> PyResult<Self> {
        let parse = || -> oci_chart_core::Result<Self> {
            let found: name::Reference = text.parse()?;
            Ok(Self {
                host: found.host().to_string(),
                repository: found.repository().to_string(),
                tag: found.tag().map(ToString::to_string),
                digest: found.digest().map(ToString::to_string),
                selector: Selector::from_reference(&found, None)?.to_string(),
                text: found.to_string(),
            })
        };
        parse().map_err(|error| raise(py, &error))
    }

    fn __str__(&self) -> &str {
        &self.text
    }

    fn __repr__(&self) -> String {
        format!("Reference({:?})", self.text)
    }

    fn __getnewargs__(&self) -> (&str,) {
        (&self.text,)
    }
}

/// What names content: media type, digest and size in bytes.
#[pyclass(frozen, from_py_object, eq, hash, get_all, module = "oci_chart")]
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Descriptor {
    media_type: String,
    digest: String,
    size: u64,
}

#[pymethods]
impl Descriptor {
    #[classattr]
    #[pyo3(name = "__match_args__")]
    const MATCH_ARGS: (&'static str, &'static str, &'static str) = ("media_type", "digest", "size");

    #[new]
    fn new(py: Python<'_>, media_type: String, digest: &str, size: u64) -> PyResult<Self> {
        let digest: Digest =
            digest.parse().map_err(|error| raise(py, &oci_chart_core::Error::from(error)))?;
        Ok(Self { media_type, digest: digest.to_string(), size })
    }

    fn __repr__(&self) -> String {
        format!("Descriptor({:?}, {:?}, {})", self.media_type, self.digest, self.size)
    }

    fn __getnewargs__(&self) -> (&str, &str, u64) {
        (&self.media_type, &self.digest, self.size)
    }
}

impl From<&oci::Descriptor> for Descriptor {
    fn from(found: &oci::Descriptor) -> Self {
        Self { media_type: found.media_type.to_string(), digest: found.digest.to_string(), size: found.size }
    }
}

/// What a push did.
#[pyclass(frozen, eq, hash, get_all, module = "oci_chart")]
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct PushResult {
    descriptor: Descriptor,
    tag: String,
    action: String,
    location: String,
}

impl PushResult {
    pub(crate) fn from_outcome(outcome: &PushOutcome, location: String) -> Self {
        Self {
            descriptor: (&outcome.descriptor).into(),
            tag: outcome.tag.to_string(),
            action: outcome.action.as_str().to_owned(),
            location,
        }
    }
}

#[pymethods]
impl PushResult {
    #[classattr]
    #[pyo3(name = "__match_args__")]
    const MATCH_ARGS: (&'static str, &'static str, &'static str, &'static str) =
        ("descriptor", "tag", "action", "location");

    #[new]
    fn new(descriptor: Descriptor, tag: String, action: String, location: String) -> Self {
        Self { descriptor, tag, action, location }
    }

    /// The manifest's digest.
    #[getter]
    fn digest(&self) -> &str {
        &self.descriptor.digest
    }

    /// The pushed chart by digest, which nobody can move.
    #[getter]
    fn reference(&self) -> String {
        format!("{}@{}", self.location, self.descriptor.digest)
    }

    fn __repr__(&self) -> String {
        format!(
            "PushResult({}, {:?}, {:?}, {:?})",
            self.descriptor.__repr__(),
            self.tag,
            self.action,
            self.location
        )
    }

    fn __getnewargs__(&self) -> (Descriptor, &str, &str, &str) {
        (self.descriptor.clone(), &self.tag, &self.action, &self.location)
    }
}

/// A pulled chart.
#[pyclass(frozen, get_all, module = "oci_chart")]
pub(crate) struct PullResult {
    descriptor: Descriptor,
    package: Py<Package>,
    manifest: Vec<u8>,
}

impl PullResult {
    pub(crate) fn from_pulled(py: Python<'_>, pulled: Pulled) -> PyResult<Self> {
        Ok(Self {
            descriptor: (&pulled.descriptor).into(),
            manifest: pulled.manifest.bytes().to_vec(),
            package: Py::new(py, Package::from(pulled.package))?,
        })
    }
}

#[pymethods]
impl PullResult {
    /// The manifest's digest.
    #[getter]
    fn digest(&self) -> &str {
        &self.descriptor.digest
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("<PullResult {} {}>", self.package.bind(py).repr()?, self.descriptor.digest))
    }
}

/// Something that happened during a call: `started`, `progress`, `finished`, `skipped`, `warning`, `waiting`.
#[pyclass(frozen, eq, get_all, module = "oci_chart")]
#[derive(Clone, PartialEq)]
pub(crate) struct Event {
    kind: &'static str,
    id: Option<u64>,
    digest: Option<String>,
    media_type: Option<String>,
    /// Bytes moved so far, or the size of what begins.
    bytes: Option<u64>,
    text: Option<String>,
}

impl Event {
    /// None for a mere tick.
    pub(crate) fn new(event: oci_chart_core::Event) -> Option<Self> {
        use oci_chart_core::Event as Core;
        let empty = Self { kind: "", id: None, digest: None, media_type: None, bytes: None, text: None };
        let of = |kind, transfer: oci_chart_core::context::Transfer| Self {
            kind,
            id: Some(transfer.id),
            digest: Some(transfer.digest.to_string()),
            media_type: Some(transfer.media_type),
            bytes: Some(transfer.bytes),
            text: None,
        };
        Some(match event {
            Core::Started(transfer) => of("started", transfer),
            Core::Skipped(transfer) => of("skipped", transfer),
            Core::Progress { id, bytes } => {
                Self { kind: "progress", id: Some(id), bytes: Some(bytes), ..empty }
            }
            Core::Finished { id } => Self { kind: "finished", id: Some(id), ..empty },
            Core::Warning(text) => Self { kind: "warning", text: Some(text), ..empty },
            Core::Waiting { what, why, wait, .. } => {
                let text = format!("{what}: {why}; waiting {:.1} s", wait.as_secs_f64());
                Self { kind: "waiting", text: Some(text), ..empty }
            }
            _ => return None,
        })
    }
}

#[pymethods]
impl Event {
    fn __repr__(&self) -> String {
        let mut shown = format!("<Event {}", self.kind);
        for part in [
            self.id.map(|id| id.to_string()),
            self.bytes.map(|bytes| format!("{bytes} bytes")),
            self.text.clone(),
        ]
        .into_iter()
        .flatten()
        {
            shown.push(' ');
            shown.push_str(&part);
        }
        shown + ">"
    }
}

/// Stops calls from another thread: pass it as `cancel=`, call `cancel()` anywhere.
#[pyclass(frozen, from_py_object, module = "oci_chart")]
#[derive(Clone, Default)]
pub(crate) struct CancelToken(pub(crate) oci_chart_core::CancelToken);

#[pymethods]
impl CancelToken {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// Stops every call that was given this token, at once or when it begins.
    fn cancel(&self) {
        self.0.cancel();
    }

    /// Whether `cancel` was called.
    #[getter]
    fn cancelled(&self) -> bool {
        self.0.is_cancelled()
    }

    fn __repr__(&self) -> &'static str {
        if self.0.is_cancelled() { "<CancelToken cancelled>" } else { "<CancelToken>" }
    }
}

/// One hash for values that are equal.
pub(crate) fn hash_of(text: &str) -> u64 {
    use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
    BuildHasherDefault::<DefaultHasher>::default().hash_one(text)
}
