//! The client, and the verbs that move charts.

use std::{
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use oci_chart_core::{
    ChartArtifact, Error, ErrorKind, Result, blocking,
    name::{Location, Selector, Target},
    oci::{ArtifactOptions, LayerOrder},
    store::TagMode,
    transfer::{PullOptions, Pulled, PushOptions},
};
use pyo3::{
    gc::{PyTraverseError, PyVisit},
    prelude::*,
};

use crate::{
    argument::{Named, together},
    call::{Call, PythonHost, detached, waited},
    chart::Package,
    convert::{Moment, Seconds},
    errors::raise,
    options::Options,
    trust::{PolicyHandle, Verifying},
    values::{Descriptor, Place, PullResult, PushResult},
};

/// Connections, tokens and what else calls share. `oci_chart.Client` is what people see of it.
#[pyclass(frozen, module = "oci_chart._native")]
pub(crate) struct ClientCore {
    /// None once it is closed.
    open: RwLock<Option<Arc<blocking::Client>>>,
    timeout: Option<Duration>,
    /// Kept here alone, where the garbage collector sees it: the callback often is a method of what has the client.
    credentials: Option<Py<PyAny>>,
}

/// What a call works with.
pub(crate) struct Opened {
    pub(crate) blocking: Arc<blocking::Client>,
    timeout: Option<Duration>,
    credentials: Option<Py<PyAny>>,
}

#[pymethods]
impl ClientCore {
    #[new]
    #[pyo3(signature = (options: "dict[str, typing.Any]", credentials, timeout, /))]
    fn new(
        py: Python<'_>,
        options: Named<Options>,
        credentials: Option<Py<PyAny>>,
        timeout: Option<Seconds>,
    ) -> PyResult<Self> {
        let asks = credentials.is_some();
        let client = detached(py, || options.0.client(asks))?;
        let open = RwLock::new(Some(Arc::new(blocking::Client::new(client))));
        Ok(Self { open, timeout: timeout.map(|Seconds(time)| time), credentials })
    }

    /// Calls that are under way go on to their end.
    fn close(&self, py: Python<'_>) {
        let open = self.open.write().unwrap_or_else(PoisonError::into_inner).take();
        py.detach(|| drop(open));
    }

    #[getter]
    fn closed(&self) -> bool {
        self.open.read().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> std::result::Result<(), PyTraverseError> {
        visit.call(&self.credentials)
    }
}

impl ClientCore {
    pub(crate) fn open(&self, py: Python<'_>) -> PyResult<Opened> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner).clone();
        let blocking = open.ok_or_else(|| {
            let closed = Error::new(ErrorKind::InvalidInput, "the client is closed")
                .with_hint("make another one, or close it later");
            raise(py, &closed)
        })?;
        let credentials = self.credentials.as_ref().map(|callback| callback.clone_ref(py));
        Ok(Opened { blocking, timeout: self.timeout, credentials })
    }
}

impl Opened {
    pub(crate) fn host(&self, py: Python<'_>, call: Call) -> PythonHost {
        PythonHost::new(py, call, self.credentials.as_ref(), self.timeout)
    }
}

/// How a push goes: what may happen to the tag, other tags, the time that the manifest names, and the order of its layers.
pub(crate) struct Pushing(String, Vec<String>, Option<Moment>, String);

together! { Pushing(mode: String, channels: Vec<String>, created: Option<Moment>, layer_order: String) }

impl Pushing {
    pub(crate) fn options(self) -> Result<(ArtifactOptions, PushOptions)> {
        let Self(mode, channels, created, layer_order) = self;
        let mut push = PushOptions::default().with_mode(tag_mode(&mode)?);
        for channel in channels {
            push = push.with_channel(channel.parse()?);
        }
        let mut artifact = ArtifactOptions::default().with_layer_order(order(&layer_order)?);
        if let Some(Moment(created)) = created {
            artifact = artifact.with_created(created);
        }
        Ok((artifact, push))
    }
}

#[pyfunction]
pub(crate) fn push(
    py: Python<'_>,
    client: &ClientCore,
    package: &Package,
    to: Place,
    how: Pushing,
    call: Call,
) -> PyResult<PushResult> {
    let client = client.open(py)?;
    let package = package.package.clone();
    waited(py, client.host(py, call), |host| {
        let location = Target::of_push(&to, &package.metadata()?.name)?;
        let (artifact, push) = how.options()?;
        let artifact = ChartArtifact::new(package, &artifact)?;
        let pushed = client.blocking.push(&artifact, &location, &push, host)?;
        Ok(PushResult::from_outcome(&pushed, location.to_string()))
    })
}

/// Without a policy nothing is verified but digests.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "what the verb takes")]
pub(crate) fn pull(
    py: Python<'_>,
    client: &ClientCore,
    reference: Place,
    version: Option<&str>,
    dest: Option<PathBuf>,
    policy: Option<PolicyHandle>,
    how: Verifying,
    provenance: bool,
    call: Call,
) -> PyResult<PullResult> {
    let client = client.open(py)?;
    let pulled = waited(py, client.host(py, call), |host| {
        let (location, selector) = target(&reference, version)?;
        let core = client.blocking.client();
        let options = match policy {
            Some(policy) => PullOptions::verified_by(policy.0).with_verify_options(how.options(core)?),
            None => PullOptions::without_verification(),
        };
        let options = options.with_provenance(provenance).with_limits(core.limits().clone());
        written(client.blocking.pull(&location, &selector, &options, host)?, dest)
    })?;
    PullResult::from_pulled(py, pulled)
}

/// The chart, with its package in the directory, if there is one.
pub(crate) fn written(pulled: Pulled, dest: Option<PathBuf>) -> Result<Pulled> {
    if let Some(dest) = dest {
        pulled.package.write_to_dir(dest)?;
    }
    Ok(pulled)
}

#[pyfunction]
pub(crate) fn resolve(
    py: Python<'_>,
    client: &ClientCore,
    reference: Place,
    version: Option<&str>,
    call: Call,
) -> PyResult<Descriptor> {
    let client = client.open(py)?;
    waited(py, client.host(py, call), |host| {
        let (location, selector) = target(&reference, version)?;
        Ok(Descriptor::from(&client.blocking.resolve(&location, &selector, host)?))
    })
}

/// The metadata of a version as JSON, from the config blob alone.
#[pyfunction]
pub(crate) fn metadata(
    py: Python<'_>,
    client: &ClientCore,
    reference: Place,
    version: Option<&str>,
    call: Call,
) -> PyResult<String> {
    let client = client.open(py)?;
    waited(py, client.host(py, call), |host| {
        let (location, selector) = target(&reference, version)?;
        Ok(client.blocking.fetch_metadata(&location, &selector, host)?.to_json())
    })
}

#[pyfunction]
pub(crate) fn tag(
    py: Python<'_>,
    client: &ClientCore,
    reference: Place,
    tag: &str,
    mode: &str,
    call: Call,
) -> PyResult<()> {
    let client = client.open(py)?;
    waited(py, client.host(py, call), |host| {
        let (location, selector) = target(&reference, None)?;
        let (tag, mode) = (tag.parse()?, tag_mode(mode)?);
        let descriptor = client.blocking.resolve(&location, &selector, host)?;
        client.blocking.tag(&location, &descriptor, &tag, &mode, host)
    })
}

#[pyfunction]
pub(crate) fn delete(
    py: Python<'_>,
    client: &ClientCore,
    reference: Place,
    version: Option<&str>,
    call: Call,
) -> PyResult<()> {
    let client = client.open(py)?;
    waited(py, client.host(py, call), |host| {
        let (location, selector) = target(&reference, version)?;
        client.blocking.delete(&location, &selector, host)
    })
}

/// What was found at a place, as JSON and for people.
#[pyfunction]
pub(crate) fn diagnose(
    py: Python<'_>,
    client: &ClientCore,
    place: Place,
    call: Call,
) -> PyResult<(String, String)> {
    let client = client.open(py)?;
    waited(py, client.host(py, call), |host| {
        let (location, _) = target(&place, None)?;
        let found = client.blocking.diagnose(&location, host)?;
        Ok((serde_json::json!(found).to_string(), found.to_string()))
    })
}

/// What a reference means, together with a version beside it.
pub(crate) fn target(reference: &str, version: Option<&str>) -> Result<(Location, Selector)> {
    let target: Target = reference.parse()?;
    let selector = target.selector(version)?;
    Ok((target.into_location(), selector))
}

fn order(word: &str) -> Result<LayerOrder> {
    match word {
        "chart-first" => Ok(LayerOrder::ChartFirst),
        "helm" => Ok(LayerOrder::Helm),
        _ => Err(Error::new(ErrorKind::InvalidInput, "no such order of layers")
            .with_context("layer_order", format!("{word:?}"))
            .with_hint("it is chart-first or helm")),
    }
}

pub(crate) fn tag_mode(mode: &str) -> Result<TagMode> {
    Ok(match mode {
        "create" => TagMode::Create,
        "ensure" => TagMode::Ensure,
        "replace" => TagMode::Replace,
        _ => TagMode::Expect(mode.parse().map_err(|error| {
            Error::new(ErrorKind::InvalidInput, "no such mode for a tag")
                .with_context("mode", format!("{mode:?}"))
                .with_hint("it is create, ensure, replace, or the digest that has to be there")
                .with_source(Error::from(error))
        })?),
    })
}
