//! Charts and packages.

use std::{io::Read as _, num::NonZeroUsize, path::PathBuf};

use oci_chart_core::{
    Limits,
    chart::{self, LoadOptions, PackageOptions, Timestamp},
};
use pyo3::{prelude::*, types::PyBytes};

use crate::{
    call::detached,
    errors::raise,
    values::{CancelToken, hash_of},
};

/// A chart, loaded from a directory or a package.
#[pyclass(frozen, module = "oci_chart")]
pub(crate) struct Chart(chart::Chart);

#[pymethods]
impl Chart {
    /// Loads the directory or package at `path`.
    #[staticmethod]
    #[pyo3(signature = (path, /, *, follow_outside_symlinks = false, strict = false, cancel = None))]
    fn load(
        py: Python<'_>,
        path: PathBuf,
        follow_outside_symlinks: bool,
        strict: bool,
        cancel: Option<CancelToken>,
    ) -> PyResult<Self> {
        let mut options =
            LoadOptions::default().with_outside_symlinks(follow_outside_symlinks).with_strict(strict);
        if let Some(CancelToken(token)) = cancel {
            options = options.with_cancel(token);
        }
        detached(py, || chart::Chart::from_path(path, &options)).map(Self)
    }

    #[getter]
    fn name(&self) -> &str {
        self.0.name()
    }

    #[getter]
    fn version(&self) -> &str {
        &self.0.metadata().version
    }

    #[getter]
    fn app_version(&self) -> &str {
        &self.0.metadata().app_version
    }

    #[getter]
    fn api_version(&self) -> &str {
        &self.0.metadata().api_version
    }

    #[getter]
    fn description(&self) -> &str {
        &self.0.metadata().description
    }

    /// The names of the declared dependencies.
    #[getter]
    fn dependencies(&self) -> Vec<&str> {
        self.0.metadata().dependencies.iter().map(|found| found.name.as_str()).collect()
    }

    /// The metadata as Helm writes it into the config blob: JSON.
    fn metadata_json(&self) -> String {
        self.0.metadata().to_json()
    }

    /// The text of the README, if there is one.
    fn readme(&self, py: Python<'_>) -> PyResult<Option<String>> {
        self.text(py, self.0.readme())
    }

    /// The text of values.yaml, if there is one.
    fn values(&self, py: Python<'_>) -> PyResult<Option<String>> {
        self.text(py, self.0.values())
    }

    /// Packages the chart: the same tree gives the same bytes.
    #[pyo3(signature = (dest = None, /, *, version = None, app_version = None, time = None, threads = None, cancel = None))]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments")]
    fn package(
        &self,
        py: Python<'_>,
        dest: Option<PathBuf>,
        version: Option<String>,
        app_version: Option<String>,
        time: Option<u64>,
        threads: Option<NonZeroUsize>,
        cancel: Option<CancelToken>,
    ) -> PyResult<Package> {
        detached(py, || {
            let mut options = PackageOptions::default();
            if let Some(version) = version {
                options = options.with_version(version);
            }
            if let Some(version) = app_version {
                options = options.with_app_version(version);
            }
            if let Some(time) = time {
                options = options.with_time(Timestamp::from_unix(time)?);
            }
            if let Some(threads) = threads {
                options = options.with_threads(threads);
            }
            if let Some(CancelToken(token)) = cancel {
                options = options.with_cancel(token);
            }
            let package = self.0.package(&options)?;
            let path = dest.map(|dest| package.write_to_dir(dest)).transpose()?;
            Ok(Package { package, path })
        })
    }

    fn __repr__(&self) -> String {
        format!("<Chart {} {}>", self.0.name(), self.version())
    }
}

impl Chart {
    fn text(&self, py: Python<'_>, file: Option<&chart::ChartFile>) -> PyResult<Option<String>> {
        let limit = Limits::default().file_bytes;
        let Some(file) = file else { return Ok(None) };
        let bytes = detached(py, || file.read(limit))?;
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }
}

/// A packaged chart: the bytes that are pushed, and their digest.
#[pyclass(frozen, module = "oci_chart")]
pub(crate) struct Package {
    pub(crate) package: chart::Package,
    path: Option<PathBuf>,
}

impl From<chart::Package> for Package {
    fn from(package: chart::Package) -> Self {
        Self { package, path: None }
    }
}

#[pymethods]
impl Package {
    /// Reads the package at `path`, and the provenance file beside it, if there is one.
    #[staticmethod]
    #[pyo3(signature = (path, /))]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        detached(py, || {
            let package = chart::Package::from_file(&path, &LoadOptions::default())?;
            Ok(Self { package, path: Some(path) })
        })
    }

    /// The SHA-256 of the package.
    #[getter]
    fn digest(&self) -> String {
        self.package.digest().to_string()
    }

    /// Bytes.
    #[getter]
    fn size(&self) -> u64 {
        self.package.size()
    }

    /// Where `Chart.package` wrote it, or it was loaded from.
    #[getter]
    fn path(&self) -> Option<PathBuf> {
        self.path.clone()
    }

    #[getter]
    fn file_name(&self, py: Python<'_>) -> PyResult<String> {
        self.package.file_name().map_err(|error| raise(py, &error))
    }

    #[getter]
    fn name(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.package.metadata().map_err(|error| raise(py, &error))?.name.clone())
    }

    #[getter]
    fn version(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.package.metadata().map_err(|error| raise(py, &error))?.version.clone())
    }

    /// The chart inside.
    fn chart(&self, py: Python<'_>) -> PyResult<Chart> {
        detached(py, || self.package.chart()).map(Chart)
    }

    /// The bytes.
    fn read<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = detached(py, || {
            let mut bytes = Vec::new();
            self.package.content().open()?.read_to_end(&mut bytes)?;
            Ok(bytes)
        })?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// Writes NAME-VERSION.tgz, and the provenance if there is one, into the directory; the path of the package.
    #[pyo3(signature = (dest, /))]
    fn write_to(&self, py: Python<'_>, dest: PathBuf) -> PyResult<PathBuf> {
        detached(py, || self.package.write_to_dir(dest))
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.package.digest() == other.package.digest()
    }

    fn __hash__(&self) -> u64 {
        hash_of(&self.digest())
    }

    fn __repr__(&self) -> String {
        format!("<Package {} {} bytes>", self.package.digest(), self.package.size())
    }
}
