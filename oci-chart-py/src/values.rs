//! Values: frozen, comparable, picklable, and shown as they are written.

use std::collections::BTreeMap;

use oci_chart_core::{
    Digest, Error,
    name::{self, ChartVersion, Selector, VersionReq},
    oci,
    transfer::{Pulled, PushOutcome},
};
use pyo3::{
    prelude::*,
    types::{PyBytes, PyDict},
};

use crate::{argument::either, chart::Package, convert::python_enum, errors::raise, trust::Evidence};

python_enum! { EventKind PushAction }

/// The version of this package.
#[pyfunction]
pub(crate) fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// Whether `version` satisfies `constraint`, by Helm's rules.
///
/// >>> matches(">=1.2 <2", "1.9.0")
/// True
#[pyfunction]
#[pyo3(signature = (constraint, version, /))]
pub(crate) fn matches(py: Python<'_>, constraint: &str, version: &str) -> PyResult<bool> {
    let check = || -> oci_chart_core::Result<bool> {
        Ok(VersionReq::parse(constraint)?.matches(&ChartVersion::parse(version)?))
    };
    check().map_err(|error| raise(py, &error))
}

/// What a text refers to: `[oci://]HOST/REPOSITORY[:TAG][@DIGEST]`, by Helm's rules.
///
/// >>> reference = Reference("oci://registry.example/charts/web:1.0.0")
/// >>> reference.repository, reference.tag
/// ('charts/web', '1.0.0')
/// >>> Reference("oci://registry.example/charts/web").selector
/// '*'
#[pyclass(frozen, from_py_object, eq, hash, module = "oci_chart")]
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Reference {
    /// The text, in its usual form.
    #[pyo3(get)]
    text: String,
    found: name::Reference,
}

#[pymethods]
impl Reference {
    #[classattr]
    #[pyo3(name = "__match_args__")]
    const MATCH_ARGS: (&'static str,) = ("text",);

    #[new]
    #[pyo3(signature = (text, /))]
    fn new(py: Python<'_>, text: &str) -> PyResult<Self> {
        let found = text.parse::<name::Reference>().map_err(|error| raise(py, &Error::from(error)))?;
        Ok(Self { text: found.to_string(), found })
    }

    #[getter]
    fn host(&self) -> String {
        self.found.host().to_string()
    }

    #[getter]
    fn repository(&self) -> String {
        self.found.repository().to_string()
    }

    #[getter]
    fn tag(&self) -> Option<String> {
        self.found.tag().map(ToString::to_string)
    }

    #[getter]
    fn digest(&self) -> Option<String> {
        self.found.digest().map(ToString::to_string)
    }

    /// What is pulled: the tag, the digest, both, or the constraint that the tag or its absence stands for.
    #[getter]
    fn selector(&self, py: Python<'_>) -> PyResult<String> {
        let selector = Selector::from_reference(&self.found, None);
        selector.map(|selector| selector.to_string()).map_err(|error| raise(py, &Error::from(error)))
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

/// Where something is, or which version of it: a text, or a [`Reference`].
pub(crate) enum Place {
    Text(String),
    Reference(Reference),
}

either! { Place, "a text or a Reference", String => Self::Text, Reference => Self::Reference }

impl std::ops::Deref for Place {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Reference(reference) => &reference.text,
        }
    }
}

/// What names content: media type, digest and size in bytes; in a list of referrers also the artifact's type and annotations.
///
/// >>> empty = Descriptor.of(b"{}", "application/json")
/// >>> empty.size
/// 2
/// >>> Descriptor(empty.media_type, empty.digest, empty.size) == empty
/// True
#[pyclass(frozen, from_py_object, eq, hash, get_all, module = "oci_chart")]
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Descriptor {
    media_type: String,
    pub(crate) digest: String,
    size: u64,
    artifact_type: Option<String>,
    annotations: BTreeMap<String, String>,
}

#[pymethods]
impl Descriptor {
    #[classattr]
    #[pyo3(name = "__match_args__")]
    const MATCH_ARGS: (&'static str, &'static str, &'static str) = ("media_type", "digest", "size");

    #[new]
    #[pyo3(signature = (media_type, digest, size, *, artifact_type = None, annotations = None))]
    fn new(
        py: Python<'_>,
        media_type: String,
        digest: &str,
        size: u64,
        artifact_type: Option<String>,
        annotations: Option<BTreeMap<String, String>>,
    ) -> PyResult<Self> {
        let digest: Digest = digest.parse().map_err(|error| raise(py, &Error::from(error)))?;
        let annotations = annotations.unwrap_or_default();
        Ok(Self { media_type, digest: digest.to_string(), size, artifact_type, annotations })
    }

    /// The descriptor of these bytes.
    #[staticmethod]
    #[pyo3(signature = (data, media_type, /))]
    fn of(data: crate::convert::Octets, media_type: String) -> Self {
        (&oci::Descriptor::of(media_type.into(), data.0)).into()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let mut shown = format!("Descriptor({:?}, {:?}, {}", self.media_type, self.digest, self.size);
        if let Some(kind) = &self.artifact_type {
            shown += &format!(", artifact_type={}", kind.into_pyobject(py)?.repr()?);
        }
        if !self.annotations.is_empty() {
            shown += &format!(", annotations={}", (&self.annotations).into_pyobject(py)?.repr()?);
        }
        Ok(shown + ")")
    }

    #[allow(clippy::type_complexity, reason = "what pickle wants: positional and named arguments")]
    fn __getnewargs_ex__(&self) -> ((&str, &str, u64), BTreeMap<&str, Either<'_>>) {
        let named = [
            ("artifact_type", Either::Text(self.artifact_type.as_deref())),
            ("annotations", Either::Map(&self.annotations)),
        ];
        ((&self.media_type, &self.digest, self.size), named.into())
    }
}

#[derive(IntoPyObject)]
enum Either<'a> {
    Text(Option<&'a str>),
    Map(&'a BTreeMap<String, String>),
}

impl From<&oci::Descriptor> for Descriptor {
    fn from(found: &oci::Descriptor) -> Self {
        Self {
            media_type: found.media_type.to_string(),
            digest: found.digest.to_string(),
            size: found.size,
            artifact_type: found.artifact_type.as_ref().map(ToString::to_string),
            annotations: found.annotations.clone(),
        }
    }
}

impl Descriptor {
    /// As the core has it.
    pub(crate) fn core(&self) -> oci_chart_core::Result<oci::Descriptor> {
        let mut found =
            oci::Descriptor::new(self.media_type.as_str().into(), self.digest.parse()?, self.size);
        found.artifact_type = self.artifact_type.as_deref().map(Into::into);
        found.annotations.clone_from(&self.annotations);
        Ok(found)
    }
}

/// What a push did.
#[pyclass(frozen, eq, hash, get_all, module = "oci_chart")]
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct PushResult {
    /// The manifest that the tag points at now.
    descriptor: Descriptor,
    tag: String,
    /// Whether it had to be pushed.
    action: PushAction,
    /// The repository or layout.
    location: String,
}

impl PushResult {
    pub(crate) fn from_outcome(outcome: &PushOutcome, location: String) -> Self {
        Self {
            descriptor: (&outcome.descriptor).into(),
            tag: outcome.tag.to_string(),
            action: PushAction(outcome.action.as_str().into()),
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
    fn new(
        py: Python<'_>,
        descriptor: Descriptor,
        tag: String,
        action: String,
        location: String,
    ) -> PyResult<Self> {
        let action = PushAction(action.into());
        // A word that is none is told apart here, by the enumeration itself.
        (&action).into_pyobject(py)?;
        Ok(Self { descriptor, tag, action, location })
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

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let shown = [&self.tag, self.action.0.as_ref(), &self.location]
            .map(|text| text.into_pyobject(py).map(|text| text.repr().map(|text| text.to_string())));
        let mut all = format!("PushResult({}", self.descriptor.__repr__(py)?);
        for text in shown {
            all += ", ";
            all += &text??;
        }
        Ok(all + ")")
    }

    fn __getnewargs__(&self) -> (Descriptor, &str, &str, &str) {
        (self.descriptor.clone(), &self.tag, &self.action.0, &self.location)
    }
}

/// A pulled chart.
#[pyclass(frozen, module = "oci_chart")]
pub(crate) struct PullResult {
    descriptor: Descriptor,
    package: Py<Package>,
    manifest: Vec<u8>,
    evidence: Option<Evidence>,
}

impl PullResult {
    pub(crate) fn from_pulled(py: Python<'_>, pulled: Pulled) -> PyResult<Self> {
        Ok(Self {
            descriptor: (&pulled.descriptor).into(),
            manifest: pulled.manifest.bytes().to_vec(),
            evidence: pulled.evidence.map(|found| Evidence(found.to_json())),
            package: Py::new(py, Package::from(pulled.package))?,
        })
    }
}

#[pymethods]
impl PullResult {
    /// The manifest: of an index, the one in it that is a chart.
    #[getter]
    fn descriptor(&self) -> Descriptor {
        self.descriptor.clone()
    }

    /// The manifest's digest.
    #[getter]
    fn digest(&self) -> &str {
        &self.descriptor.digest
    }

    /// The manifest's bytes, as the store has them.
    #[getter]
    fn manifest<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.manifest)
    }

    /// The package. Its bytes are those that the manifest names.
    #[getter]
    fn package(&self, py: Python<'_>) -> Py<Package> {
        self.package.clone_ref(py)
    }

    /// Why the chart is trusted, where a policy was asked for.
    #[getter]
    fn evidence(&self) -> Option<Evidence> {
        self.evidence.clone()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("<PullResult {} {}>", self.package.bind(py).repr()?, self.descriptor.digest))
    }
}

/// Something that happened during a call.
///
/// >>> Event("progress", id=7, bytes=1024).kind
/// EventKind.PROGRESS
#[pyclass(frozen, eq, hash, get_all, module = "oci_chart")]
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Event {
    kind: EventKind,
    /// Which transfer.
    id: Option<u64>,
    digest: Option<String>,
    media_type: Option<String>,
    /// Bytes moved so far, or the size of what begins.
    bytes: Option<u64>,
    /// What a warning says, or what is waited for.
    text: Option<String>,
}

impl Event {
    /// None for a mere tick.
    pub(crate) fn new(event: oci_chart_core::Event) -> Option<Self> {
        use oci_chart_core::Event as Core;
        let empty = |kind: &'static str| Self {
            kind: EventKind(kind.into()),
            id: None,
            digest: None,
            media_type: None,
            bytes: None,
            text: None,
        };
        let of = |kind, transfer: oci_chart_core::context::Transfer| Self {
            id: Some(transfer.id),
            digest: Some(transfer.digest.to_string()),
            media_type: Some(transfer.media_type),
            bytes: Some(transfer.bytes),
            ..empty(kind)
        };
        Some(match event {
            Core::Started(transfer) => of("started", transfer),
            Core::Skipped(transfer) => of("skipped", transfer),
            Core::Progress { id, bytes } => Self { id: Some(id), bytes: Some(bytes), ..empty("progress") },
            Core::Finished { id } => Self { id: Some(id), ..empty("finished") },
            Core::Warning(text) => Self { text: Some(text), ..empty("warning") },
            Core::Waiting { what, why, wait, .. } => {
                let text = format!("{what} waits {:.1} s: {why}", wait.as_secs_f64());
                Self { text: Some(text), ..empty("waiting") }
            }
            _ => return None,
        })
    }
}

#[pymethods]
impl Event {
    #[classattr]
    #[pyo3(name = "__match_args__")]
    const MATCH_ARGS: (&'static str,) = ("kind",);

    #[new]
    #[pyo3(signature = (kind, *, id = None, digest = None, media_type = None, bytes = None, text = None))]
    fn py_new(
        py: Python<'_>,
        kind: String,
        id: Option<u64>,
        digest: Option<String>,
        media_type: Option<String>,
        bytes: Option<u64>,
        text: Option<String>,
    ) -> PyResult<Self> {
        let kind = EventKind(kind.into());
        (&kind).into_pyobject(py)?;
        Ok(Self { kind, id, digest, media_type, bytes, text })
    }

    #[pyo3(signature = () -> "tuple[tuple[str], dict[str, typing.Any]]")]
    fn __getnewargs_ex__<'py>(&self, py: Python<'py>) -> PyResult<((&str,), Bound<'py, PyDict>)> {
        Ok(((&self.kind.0,), self.details(py)?))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let mut shown = format!("Event({:?}", self.kind.0);
        for (name, value) in self.details(py)? {
            shown += &format!(", {name}={}", value.repr()?);
        }
        Ok(shown + ")")
    }
}

impl Event {
    /// What there is beside the kind.
    fn details<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let all = PyDict::new(py);
        for (name, number) in [("id", self.id), ("bytes", self.bytes)] {
            if let Some(number) = number {
                all.set_item(name, number)?;
            }
        }
        for (name, text) in [("digest", &self.digest), ("media_type", &self.media_type), ("text", &self.text)]
        {
            if let Some(text) = text {
                all.set_item(name, text)?;
            }
        }
        Ok(all)
    }
}

/// Stops calls from another thread: pass it as `cancel=`, call `cancel()` anywhere.
///
/// >>> token = CancelToken()
/// >>> token.cancel()
/// >>> token.cancelled
/// True
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
