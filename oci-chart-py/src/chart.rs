//! Charts and packages.

use std::{io::Read as _, num::NonZeroUsize, path::PathBuf, time::SystemTime};

use oci_chart_core::{
    Error, ErrorKind, Limits, Reason,
    chart::{self, ChartFile, EntryTimes, LoadOptions, PackageOptions},
};
use pyo3::{prelude::*, types::PyBytes};

use crate::{
    call::{Raised, computed, detached},
    convert::{Bounds, Moment, Octets, PythonReader},
    errors::raise,
    pgp::{Keyring, Unlocking},
    trust::{PgpEvidence, PolicyHandle, from_json},
    values::{CancelToken, hash_of},
};

/// A chart, loaded from a directory or a package.
///
/// >>> chart = Chart.load("examples/charts/greeter")
/// >>> chart.name, chart.version
/// ('greeter', '1.2.0')
/// >>> "replicas" in chart.values()
/// True
#[pyclass(frozen, module = "oci_chart")]
pub(crate) struct Chart(pub(crate) chart::Chart);

#[pymethods]
impl Chart {
    /// Loads the directory or package at `path`, by Helm's rules.
    ///
    /// Symbolic links that leave the directory are refused unless `follow_outside_symlinks`; `strict` refuses packages with anything wrong
    /// behind their last file. `limits` bounds what is read, by names such as `file_bytes` and `total_bytes`.
    #[staticmethod]
    #[pyo3(signature = (path, /, *, follow_outside_symlinks = false, strict = false, limits = None, cancel = None))]
    fn load(
        py: Python<'_>,
        path: PathBuf,
        follow_outside_symlinks: bool,
        strict: bool,
        limits: Option<Bounds>,
        cancel: Option<CancelToken>,
    ) -> PyResult<Self> {
        let options =
            LoadOptions::default().with_outside_symlinks(follow_outside_symlinks).with_strict(strict);
        let load = move |token| {
            let options = options.with_limits(Bounds::limits(limits)?).with_cancel(token);
            chart::Chart::from_path(path, &options)
        };
        computed(py, cancel, load).map(Self)
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

    /// The metadata as Helm writes it into the config blob.
    fn metadata_json(&self) -> String {
        self.0.metadata().to_json()
    }

    /// The metadata of Chart.yaml, as the config blob has it.
    #[pyo3(signature = () -> "dict[str, typing.Any]")]
    fn metadata<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        from_json(py, &self.metadata_json())
    }

    /// The metadata as YAML, as `helm show chart` prints it.
    fn metadata_yaml(&self, py: Python<'_>) -> PyResult<String> {
        self.0.metadata().to_yaml().map_err(|error| raise(py, &error))
    }

    /// The text of the README, if there is one.
    fn readme(&self, py: Python<'_>) -> PyResult<Option<String>> {
        text(py, self.0.readme())
    }

    /// The text of values.yaml, if there is one.
    fn values(&self, py: Python<'_>) -> PyResult<Option<String>> {
        text(py, self.0.values())
    }

    /// The text of values.schema.json, if there is one.
    fn schema(&self, py: Python<'_>) -> PyResult<Option<String>> {
        text(py, self.0.schema())
    }

    /// The custom resource definitions, of the chart and its dependencies, as one YAML stream; empty where there are none.
    fn crds(&self, py: Python<'_>) -> PyResult<String> {
        let bytes = detached(py, || self.0.crds_yaml())?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The paths of all files of the chart itself, in its own order; `read` gives their content.
    #[getter]
    fn files(&self) -> Vec<&str> {
        self.all_files().map(|file| file.path().as_str()).collect()
    }

    /// The bytes of one of the chart's files.
    #[pyo3(signature = (path, /))]
    fn read<'py>(&self, py: Python<'py>, path: &str) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = detached(py, || {
            let file = self.all_files().find(|file| file.path().as_str() == path).ok_or_else(|| {
                Error::new(ErrorKind::NotFound, "the chart has no such file")
                    .with_context("path", path)
                    .with_hint("`files` lists them")
            })?;
            file.read(file.content().len())
        })?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// Packages the chart, into the directory `dest` if there is one. The same tree gives the same bytes.
    ///
    /// `time` (a `datetime`, or seconds since 1970) stamps every file; without it `SOURCE_DATE_EPOCH` does, else a fixed time. With `entry_times`
    /// `"source"` each file has its own, as in Helm. Nothing in the chart's directory changes.
    ///
    /// >>> package = Chart.load("examples/charts/greeter").package(version="2.0.0")
    /// >>> package.file_name
    /// 'greeter-2.0.0.tgz'
    #[pyo3(signature = (dest = None, /, *, version = None, app_version = None, time = None, entry_times = "one", threads = None, cancel = None))]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments")]
    fn package(
        &self,
        py: Python<'_>,
        dest: Option<PathBuf>,
        version: Option<String>,
        app_version: Option<String>,
        time: Option<Moment>,
        entry_times: &str,
        threads: Option<NonZeroUsize>,
        cancel: Option<CancelToken>,
    ) -> PyResult<Package> {
        let (chart, entry_times) = (self.0.clone(), self::entry_times(entry_times));
        computed(py, cancel, move |token| {
            let mut options = PackageOptions::default().with_entry_times(entry_times?).with_cancel(token);
            if let Some(version) = version {
                options = options.with_version(version);
            }
            if let Some(version) = app_version {
                options = options.with_app_version(version);
            }
            if let Some(Moment(time)) = time {
                options = options.with_time(time);
            }
            if let Some(threads) = threads {
                options = options.with_threads(threads);
            }
            let package = chart.package(&options)?;
            let path = dest.map(|dest| package.write_to_dir(dest)).transpose()?;
            Ok(Package { package, path })
        })
    }

    fn __repr__(&self) -> String {
        format!("<Chart {} {}>", self.0.name(), self.version())
    }
}

impl Chart {
    fn all_files(&self) -> impl Iterator<Item = &ChartFile> {
        let Self(chart) = self;
        chart.values().into_iter().chain(chart.schema()).chain(chart.templates()).chain(chart.files())
    }
}

fn entry_times(word: &str) -> oci_chart_core::Result<EntryTimes> {
    match word {
        "one" => Ok(EntryTimes::One),
        "source" => Ok(EntryTimes::Source),
        _ => Err(Error::new(ErrorKind::InvalidInput, "no such rule for times")
            .with_context("entry_times", format!("{word:?}"))
            .with_hint("it is one or source")),
    }
}

fn text(py: Python<'_>, file: Option<&ChartFile>) -> PyResult<Option<String>> {
    let limit = Limits::default().file_bytes;
    let Some(file) = file else { return Ok(None) };
    let bytes = detached(py, || file.read(limit))?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
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
    #[pyo3(signature = (path, /, *, limits = None, cancel = None))]
    fn load(
        py: Python<'_>,
        path: PathBuf,
        limits: Option<Bounds>,
        cancel: Option<CancelToken>,
    ) -> PyResult<Self> {
        computed(py, cancel, move |token| {
            let options = LoadOptions::default().with_limits(Bounds::limits(limits)?).with_cancel(token);
            let package = chart::Package::from_file(&path, &options)?;
            Ok(Self { package, path: Some(path) })
        })
    }

    /// The package that a stream gives: anything with `read(size)`, which is called on this thread. Above 8 MiB it lies in a nameless temporary
    /// file.
    ///
    /// >>> import io
    /// >>> package = Chart.load("examples/charts/greeter").package()
    /// >>> Package.from_stream(io.BytesIO(package.read())) == package
    /// True
    #[staticmethod]
    #[pyo3(signature = (stream, /, *, limits = None, cancel = None))]
    fn from_stream(
        py: Python<'_>,
        stream: Py<PyAny>,
        limits: Option<Bounds>,
        cancel: Option<CancelToken>,
    ) -> PyResult<Self> {
        let raised = Raised::default();
        let reader = PythonReader { stream, raised: raised.clone() };
        let read = detached(py, || {
            let mut options = LoadOptions::default().with_limits(Bounds::limits(limits)?);
            if let Some(CancelToken(token)) = cancel {
                options = options.with_cancel(token);
            }
            chart::Package::from_reader(reader, &options)
        });
        match raised.take() {
            Some(raised) => Err(raised),
            None => read.map(Self::from),
        }
    }

    /// A package that is in memory already, in anything that has a buffer.
    #[staticmethod]
    #[pyo3(signature = (data, /, *, cancel = None))]
    fn from_bytes(py: Python<'_>, data: Octets, cancel: Option<CancelToken>) -> PyResult<Self> {
        computed(py, cancel, move |token| {
            chart::Package::from_bytes(data.0, &LoadOptions::default().with_cancel(token)).map(Self::from)
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

    /// What Helm calls it: NAME-VERSION.tgz.
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

    /// The provenance file, if there is one.
    #[getter]
    fn provenance<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        self.package.provenance().map(|bytes| PyBytes::new(py, bytes))
    }

    /// The chart inside.
    fn chart(&self, py: Python<'_>) -> PyResult<Chart> {
        let package = self.package.clone();
        computed(py, None, move |_| package.chart()).map(Chart)
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
        let package = self.package.clone();
        computed(py, None, move |token| package.with_cancel(token).write_to_dir(dest))
    }

    /// Unpacks the chart into a new directory below `dest`, called like the chart; its path.
    #[pyo3(signature = (dest, /))]
    fn unpack(&self, py: Python<'_>, dest: PathBuf) -> PyResult<PathBuf> {
        let package = self.package.clone();
        computed(py, None, move |token| Ok(package.with_cancel(token).unpack(dest)?.path))
    }

    /// The package with a provenance file, signed as `helm package --sign` does.
    ///
    /// `key` is a fingerprint, a user id, or a part of one; it may be left out where the ring has one secret key. `passphrase` is the text, a
    /// function that is told which key it is for, or the path of a file whose first line it is. `time` is now, where it is not given.
    #[pyo3(signature = (keyring, /, *, key = None, passphrase: "str | os.PathLike[str] | collections.abc.Callable[[str], str] | None" = None, time = None))]
    fn sign_provenance(
        &self,
        py: Python<'_>,
        keyring: &Keyring,
        key: Option<&str>,
        passphrase: Option<Unlocking>,
        time: Option<Moment>,
    ) -> PyResult<Self> {
        let time = time.map_or_else(SystemTime::now, |Moment(time)| {
            SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(time.unix())
        });
        keyring.sign(py, &self.package, key, passphrase, time).map(Self::from)
    }

    /// Who signed the provenance file, where the policy, one of `Policy.pgp`, is satisfied.
    #[pyo3(signature = (policy, /))]
    fn verify_provenance(&self, py: Python<'_>, policy: PolicyHandle) -> PyResult<PgpEvidence> {
        let checked = detached(py, || {
            let oci_chart_core::trust::Policy::Pgp(policy) = &*policy.0 else {
                return Err(Error::new(ErrorKind::InvalidInput, "the policy is not about provenance files")
                    .with_reason(Reason::FieldInvalid)
                    .with_hint("make one with Policy.pgp"));
            };
            let verifier = oci_chart_core::trust::pgp::PgpVerifier::from_policy(policy)?;
            verifier.verify_package(&self.package, SystemTime::now())
        })?;
        Ok(PgpEvidence::of(&checked))
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
