//! The verbs.

use std::path::PathBuf;

use oci_chart_core::{
    ChartArtifact, Client as CoreClient, ErrorKind, Result,
    auth::{Credentials, StaticCredentials},
    blocking::{self, HostCredentials},
    chart::Timestamp,
    name::{Host, Location, Selector, Tag, Target},
    oci::ArtifactOptions,
    store::TagMode,
    transfer::{PullOptions, PushOptions},
};
use pyo3::{exceptions::PyValueError, prelude::*};

use crate::{
    call::{PythonHost, detached, waited},
    chart::Package,
    values::{CancelToken, Descriptor, PullResult, PushResult},
};

/// Stores and registries, and what is done with them.
#[pyclass(frozen, module = "oci_chart")]
pub(crate) struct Client {
    client: blocking::Client,
    credentials: Option<Py<PyAny>>,
}

#[pymethods]
impl Client {
    /// See `oci_chart.Client` for what the arguments mean.
    #[new]
    #[pyo3(signature = (*, auth = None, credentials = None, plain_http = None, ca_file = None, user_agent = None))]
    fn new(
        py: Python<'_>,
        auth: Option<std::collections::BTreeMap<String, (String, String)>>,
        credentials: Option<Py<PyAny>>,
        plain_http: Option<Vec<String>>,
        ca_file: Option<PathBuf>,
        user_agent: Option<String>,
    ) -> PyResult<Self> {
        if auth.is_some() && credentials.is_some() {
            return Err(PyValueError::new_err("auth and credentials exclude each other"));
        }
        let asks = credentials.is_some();
        let client = detached(py, || {
            let mut builder = CoreClient::builder();
            for host in plain_http.unwrap_or_default() {
                builder = builder.plain_http(Host::parse(&host)?);
            }
            if let Some(path) = ca_file {
                builder = builder.root_certificate(fs_read(path)?);
            }
            if let Some(suffix) = user_agent {
                builder = builder.user_agent(suffix);
            }
            if let Some(auth) = auth {
                let mut known = StaticCredentials::default();
                for (host, (user, password)) in auth {
                    known = known.with(Host::parse(&host)?, Credentials::basic(user, password));
                }
                builder = builder.credentials(known);
            } else if asks {
                builder = builder.credentials(HostCredentials::default());
            }
            Ok(blocking::Client::new(builder.build()?))
        })?;
        Ok(Self { client, credentials })
    }

    #[pyo3(signature = (package, to, /, *, mode = "create", created = None, progress = None, cancel = None))]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments")]
    fn push(
        &self,
        py: Python<'_>,
        package: &Package,
        to: &str,
        mode: &str,
        created: Option<u64>,
        progress: Option<Py<PyAny>>,
        cancel: Option<CancelToken>,
    ) -> PyResult<PushResult> {
        let mode = tag_mode(mode)?;
        let package = package.package.clone();
        waited(py, self.host(py, progress, cancel), |host| {
            let location = Target::of_push(to, &package.metadata()?.name)?;
            let mut options = ArtifactOptions::default();
            if let Some(created) = created {
                options = options.with_created(Timestamp::from_unix(created)?);
            }
            let artifact = ChartArtifact::new(package, &options)?;
            let pushed =
                self.client.push(&artifact, &location, &PushOptions::default().with_mode(mode), host)?;
            Ok(PushResult::from_outcome(&pushed, location.to_string()))
        })
    }

    #[pyo3(signature = (reference, /, *, version = None, dest = None, verify, provenance = false, progress = None, cancel = None))]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments")]
    fn pull(
        &self,
        py: Python<'_>,
        reference: &str,
        version: Option<&str>,
        dest: Option<PathBuf>,
        verify: bool,
        provenance: bool,
        progress: Option<Py<PyAny>>,
        cancel: Option<CancelToken>,
    ) -> PyResult<PullResult> {
        if verify {
            return Err(PyValueError::new_err("verify must be False: policies are not here yet"));
        }
        let pulled = waited(py, self.host(py, progress, cancel), |host| {
            let (location, selector) = target(reference, version)?;
            let options = PullOptions::without_verification().with_provenance(provenance);
            let pulled = self.client.pull(&location, &selector, &options, host)?;
            if let Some(dest) = dest {
                pulled.package.write_to_dir(dest)?;
            }
            Ok(pulled)
        })?;
        PullResult::from_pulled(py, pulled)
    }

    #[pyo3(signature = (reference, /, *, version = None, cancel = None))]
    fn resolve(
        &self,
        py: Python<'_>,
        reference: &str,
        version: Option<&str>,
        cancel: Option<CancelToken>,
    ) -> PyResult<Descriptor> {
        waited(py, self.host(py, None, cancel), |host| {
            let (location, selector) = target(reference, version)?;
            Ok(Descriptor::from(&self.client.resolve(&location, &selector, host)?))
        })
    }

    /// The metadata of a version as JSON, from the config blob alone.
    #[pyo3(signature = (reference, /, *, version = None, cancel = None))]
    fn metadata_json(
        &self,
        py: Python<'_>,
        reference: &str,
        version: Option<&str>,
        cancel: Option<CancelToken>,
    ) -> PyResult<String> {
        waited(py, self.host(py, None, cancel), |host| {
            let (location, selector) = target(reference, version)?;
            Ok(self.client.fetch_metadata(&location, &selector, host)?.to_json())
        })
    }

    #[pyo3(signature = (reference, /, *, cancel = None))]
    fn tags(&self, py: Python<'_>, reference: &str, cancel: Option<CancelToken>) -> PyResult<Vec<String>> {
        waited(py, self.host(py, None, cancel), |host| {
            let (location, _) = target(reference, None)?;
            Ok(self.client.tags(&location, host)?.iter().map(Tag::to_string).collect())
        })
    }

    #[pyo3(signature = (reference, tag, /, *, mode = "create", cancel = None))]
    fn tag(
        &self,
        py: Python<'_>,
        reference: &str,
        tag: &str,
        mode: &str,
        cancel: Option<CancelToken>,
    ) -> PyResult<()> {
        let mode = tag_mode(mode)?;
        waited(py, self.host(py, None, cancel), |host| {
            let (location, selector) = target(reference, None)?;
            let descriptor = self.client.resolve(&location, &selector, host)?;
            self.client.tag(&location, &descriptor, &tag.parse()?, &mode, host)
        })
    }

    /// Whether there is such a version.
    #[pyo3(signature = (reference, /, *, version = None, cancel = None))]
    fn exists(
        &self,
        py: Python<'_>,
        reference: &str,
        version: Option<&str>,
        cancel: Option<CancelToken>,
    ) -> PyResult<bool> {
        waited(py, self.host(py, None, cancel), |host| {
            let (location, selector) = target(reference, version)?;
            match self.client.resolve(&location, &selector, host) {
                Ok(_) => Ok(true),
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
                Err(error) => Err(error),
            }
        })
    }

    #[pyo3(signature = (reference, /, *, version = None, cancel = None))]
    fn delete(
        &self,
        py: Python<'_>,
        reference: &str,
        version: Option<&str>,
        cancel: Option<CancelToken>,
    ) -> PyResult<()> {
        waited(py, self.host(py, None, cancel), |host| {
            let (location, selector) = target(reference, version)?;
            self.client.delete(&location, &selector, host)
        })
    }

    fn __repr__(&self) -> &'static str {
        "<Client>"
    }
}

impl Client {
    fn host(&self, py: Python<'_>, progress: Option<Py<PyAny>>, cancel: Option<CancelToken>) -> PythonHost {
        let mut host = PythonHost::default();
        host.progress = progress;
        host.credentials = self.credentials.as_ref().map(|callback| callback.clone_ref(py));
        host.cancel = cancel.map(|token| token.0);
        host
    }
}

fn target(reference: &str, version: Option<&str>) -> Result<(Location, Selector)> {
    let target: Target = reference.parse()?;
    let selector = target.selector(version)?;
    Ok((target.into_location(), selector))
}

fn tag_mode(mode: &str) -> PyResult<TagMode> {
    match mode {
        "create" => Ok(TagMode::Create),
        "ensure" => Ok(TagMode::Ensure),
        "replace" => Ok(TagMode::Replace),
        _ => mode.parse().map(TagMode::Expect).map_err(|_| {
            PyValueError::new_err(format!("mode is create, ensure, replace or a digest, not {mode:?}"))
        }),
    }
}

fn fs_read(path: PathBuf) -> Result<Vec<u8>> {
    let content = oci_chart_core::Content::from_path(path)?;
    Ok(content.read(1 << 20)?.to_vec())
}
