//! Signatures and what else belongs to a chart: the verbs of `oci_chart_core::trust`, with policies, evidence and trees as JSON.

use std::{collections::BTreeMap, sync::Arc};

use oci_chart_core::{
    Error, ErrorKind, Result,
    name::{Location, Target},
    oci,
    store::Store,
    trust::{self, Format, SignOptions, VerifyOptions},
};
use pyo3::{exceptions::PyTypeError, prelude::*, types::PyBytes};
use serde_json::Value;

use crate::{
    argument::together,
    call::detached,
    convert::{Moment, Octets, Source, Text, python_data},
    errors::raise,
    values::Place,
};

python_data! { "oci_chart.trust" Evidence PgpEvidence }

/// A policy that was read and makes sense. `oci_chart.trust.Policy` is what people see of it.
#[pyclass(frozen, module = "oci_chart._native")]
pub(crate) struct PolicyCore(Arc<trust::Policy>);

#[pymethods]
impl PolicyCore {
    #[new]
    #[pyo3(signature = (json, /))]
    fn new(py: Python<'_>, json: &str) -> PyResult<Self> {
        detached(py, || trust::Policy::from_json(json)).map(|policy| Self(Arc::new(policy)))
    }

    /// What an object of Flux demands, with the manifests of the Secrets that it names.
    #[staticmethod]
    #[pyo3(signature = (object, secrets, /))]
    fn from_flux(py: Python<'_>, object: Octets, secrets: Vec<Octets>) -> PyResult<Self> {
        let secrets: Vec<&[u8]> = secrets.iter().map(|secret| &*secret.0).collect();
        detached(py, || trust::Policy::from_flux(&object.0, &secrets)).map(|policy| Self(Arc::new(policy)))
    }

    /// What a `ClusterImagePolicy` demands, with the manifests of the Secrets that it names.
    #[staticmethod]
    #[pyo3(signature = (object, secrets, /))]
    fn from_cluster_image_policy(py: Python<'_>, object: Octets, secrets: Vec<Octets>) -> PyResult<Self> {
        let secrets: Vec<&[u8]> = secrets.iter().map(|secret| &*secret.0).collect();
        detached(py, || trust::Policy::from_cluster_image_policy(&object.0, &secrets))
            .map(|policy| Self(Arc::new(policy)))
    }

    /// The same in the one form that every language of the library writes.
    fn json(&self) -> String {
        self.0.to_json()
    }
}

/// The core's policy inside of Python's.
pub(crate) struct PolicyHandle(pub(crate) Arc<trust::Policy>);

impl<'py> FromPyObject<'_, 'py> for PolicyHandle {
    type Error = PyErr;

    #[cfg(feature = "stubs")]
    const INPUT_TYPE: pyo3::inspect::PyStaticExpr = pyo3::type_hint_identifier!("oci_chart.trust", "Policy");

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let core = value.getattr("_core").map_err(|_| {
            PyTypeError::new_err("a policy is wanted: oci_chart.Policy, or False for no verification")
        })?;
        Ok(Self(Arc::clone(&core.cast::<PolicyCore>()?.get().0)))
    }
}

/// A manifest that satisfied a policy, and where: what can only be had of a check. `oci_chart.trust.Verified` is what people see of it.
#[pyclass(frozen, module = "oci_chart._native")]
pub(crate) struct VerifiedCore {
    pub(crate) verified: trust::Verified<oci::Descriptor>,
    pub(crate) location: Location,
}

#[pymethods]
impl VerifiedCore {
    /// What people read.
    fn json(&self) -> String {
        self.verified.to_json()
    }
}

/// What an artifact is that is attached, and its content.
///
/// `content` is bytes or a `pathlib.Path`, which is read when it is sent.
///
/// >>> Attachment("application/vnd.example.report+json", b"{}", title="report.json").size
/// 2
/// >>> Attachment.sbom(b'{"bomFormat": "CycloneDX", "specVersion": "1.6"}').artifact_type
/// 'application/vnd.cyclonedx+json'
#[pyclass(frozen, from_py_object, module = "oci_chart")]
#[derive(Clone)]
pub(crate) struct Attachment(pub(crate) trust::Attachment);

#[pymethods]
impl Attachment {
    #[new]
    #[pyo3(signature = (artifact_type, content, /, *, title = None, layer_type = None, annotations = None, created = None))]
    fn new(
        artifact_type: &str,
        content: Source,
        title: Option<String>,
        layer_type: Option<String>,
        annotations: Option<BTreeMap<String, String>>,
        created: Option<Moment>,
    ) -> Self {
        let mut attachment = trust::Attachment::new(artifact_type.into(), content.0);
        if let Some(layer_type) = layer_type {
            attachment = attachment.with_layer_type(layer_type.into());
        }
        Self(dressed(attachment, title, annotations, created))
    }

    /// A bill of materials: SPDX or CycloneDX, told apart by what the document says.
    #[staticmethod]
    #[pyo3(signature = (content, /, *, title = None, annotations = None, created = None))]
    fn sbom(
        py: Python<'_>,
        content: Source,
        title: Option<String>,
        annotations: Option<BTreeMap<String, String>>,
        created: Option<Moment>,
    ) -> PyResult<Self> {
        let attachment = detached(py, || trust::Attachment::sbom(content.0.read(content.0.len())?))?;
        Ok(Self(dressed(attachment, title, annotations, created)))
    }

    #[getter]
    fn artifact_type(&self) -> &str {
        self.0.artifact_type().as_str()
    }

    /// The type of the one layer.
    #[getter]
    fn layer_type(&self) -> &str {
        self.0.layer_type().as_str()
    }

    /// The file name. Of a fetched attachment it is what a stranger wrote: no path to be written to unseen.
    #[getter]
    fn title(&self) -> Option<&str> {
        self.0.title()
    }

    #[getter]
    fn annotations(&self) -> BTreeMap<String, String> {
        self.0.annotations().clone()
    }

    /// Bytes.
    #[getter]
    fn size(&self) -> u64 {
        self.0.content().len()
    }

    /// The content.
    fn read<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let content = self.0.content();
        let bytes = detached(py, || content.read(content.len()))?;
        Ok(PyBytes::new(py, &bytes))
    }

    fn __repr__(&self) -> String {
        format!("<Attachment {} {} bytes>", self.artifact_type(), self.size())
    }
}

fn dressed(
    mut attachment: trust::Attachment,
    title: Option<String>,
    annotations: Option<BTreeMap<String, String>>,
    created: Option<Moment>,
) -> trust::Attachment {
    for (key, value) in annotations.into_iter().flatten() {
        attachment = attachment.with_annotation(key, value);
    }
    if let Some(title) = title {
        attachment = attachment.with_title(title);
    }
    match created {
        Some(Moment(time)) => attachment.with_created(time),
        None => attachment,
    }
}

/// Something that is said of a chart and signed: who built it from what (SLSA), what is in it, what a scan found.
///
/// `predicate_type` is a URI or one of cosign's short names; `predicate` is JSON: a text, the `Path` of one, or what `json.dumps` takes.
///
/// >>> built = Attestation("slsaprovenance1", {"buildDefinition": {}, "runDetails": {"builder": {"id": "https://ci.example"}}})
/// >>> built.predicate_type
/// 'https://slsa.dev/provenance/v1'
#[pyclass(frozen, from_py_object, module = "oci_chart")]
#[derive(Clone)]
pub(crate) struct Attestation(pub(crate) trust::Attestation);

#[pymethods]
impl Attestation {
    #[new]
    #[pyo3(signature = (predicate_type, predicate: "str | os.PathLike[str] | collections.abc.Mapping[str, typing.Any]", /))]
    fn new(py: Python<'_>, predicate_type: &str, predicate: Bound<'_, PyAny>) -> PyResult<Self> {
        let text = match predicate.extract::<Text>() {
            Ok(Text(text)) => text,
            Err(_) => py.import("json")?.call_method1("dumps", (predicate,))?.extract()?,
        };
        let make = || trust::Attestation::new(predicate_type.parse()?, text);
        make().map(Self).map_err(|error| raise(py, &error))
    }

    /// A statement of what is in the chart: SPDX or CycloneDX, as JSON.
    #[staticmethod]
    #[pyo3(signature = (document, /))]
    fn sbom(py: Python<'_>, document: Text) -> PyResult<Self> {
        trust::Attestation::sbom(document.0).map(Self).map_err(|error| raise(py, &error))
    }

    #[getter]
    fn predicate_type(&self) -> &str {
        self.0.predicate_type().as_str()
    }

    /// What is said, as JSON.
    #[getter]
    fn predicate(&self) -> &str {
        self.0.predicate()
    }

    fn __repr__(&self) -> String {
        format!("<Attestation {}>", self.predicate_type())
    }
}

/// How something is signed: forms, annotations, identity, time, where the signatures go, and whether one that is there is kept.
pub(crate) struct Signing(
    Option<Vec<String>>,
    Option<BTreeMap<String, String>>,
    Option<String>,
    Option<Moment>,
    Option<Place>,
    bool,
);

together! {
    Signing(
        formats: Option<Vec<String>>,
        annotations: Option<BTreeMap<String, String>>,
        identity: Option<String>,
        created: Option<Moment>,
        signatures: Option<Place>,
        keep_existing: bool
    )
}

impl Signing {
    pub(crate) fn options(self, client: &oci_chart_core::Client) -> Result<SignOptions> {
        let Self(formats, annotations, identity, created, signatures, keep_existing) = self;
        let mut options = SignOptions::default().with_keep_existing(keep_existing);
        if let Some(formats) = formats {
            options =
                options.with_formats(formats.iter().map(|word| format(word)).collect::<Result<Vec<_>>>()?);
        }
        for (key, value) in annotations.into_iter().flatten() {
            options = options.with_annotation(key, value);
        }
        if let Some(identity) = identity {
            options = options.with_identity(identity);
        }
        if let Some(Moment(time)) = created {
            options = options.with_created(time);
        }
        if let Some(place) = signatures {
            options = options.with_signatures(store(client, &place)?);
        }
        Ok(options)
    }
}

/// Where signatures lie, if not beside the chart, and the time of the check.
pub(crate) struct Verifying(Option<Place>, Option<Moment>);

together! { Verifying(signatures: Option<Place>, now: Option<Moment>) }

impl Verifying {
    pub(crate) fn options(self, client: &oci_chart_core::Client) -> Result<VerifyOptions> {
        let Self(signatures, now) = self;
        let mut options = VerifyOptions::default().with_limits(client.limits().clone());
        if let Some(place) = signatures {
            options = options.with_signatures(store(client, &place)?);
        }
        Ok(match now {
            Some(Moment(now)) => options.with_now(now),
            None => options,
        })
    }
}

fn format(word: &str) -> Result<Format> {
    serde_json::from_value(Value::from(word)).map_err(|_| {
        Error::new(ErrorKind::InvalidInput, "no such form of signatures")
            .with_context("format", format!("{word:?}"))
            .with_hint("name `bundle` or `signature-tag`")
    })
}

fn store(client: &oci_chart_core::Client, place: &str) -> Result<Arc<dyn Store>> {
    client.open(Target::parse(place)?.location())
}

/// What is made of JSON by Python's own reader.
pub(crate) fn from_json<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import("json")?.call_method1("loads", (text,))
}

impl PgpEvidence {
    pub(crate) fn of(found: &trust::pgp::PgpEvidence) -> Self {
        // Texts, a flag and times: nothing that JSON could not hold.
        Self(serde_json::to_string(found).unwrap_or_default())
    }
}
