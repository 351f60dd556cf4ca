//! Charts: what they say about themselves, how they are read, and what is in them.

mod archive;
mod assemble;
mod deflate;
mod dependency;
mod epoch;
mod file;
mod gzip;
mod ignore;
mod lock;
mod metadata;
mod options;
mod package;
mod path;
mod place;
mod provenance;
mod sanitize;
mod show;
mod tar;
mod unpack;
mod validate;
mod values;
mod walk;

use std::{io::Read, path::Path, time::SystemTime};

pub use archive::{ArchiveError, ArchiveFiles, ArchiveFlaw, ArchiveSummary, read_archive, summarize_archive};
pub use dependency::{Dependency, ImportSpec, ImportValue, Maintainer};
pub use epoch::{ParseTimestampError, Timestamp};
pub use file::ChartFile;
pub use ignore::{IgnoreProblem, IgnoreRule, IgnoreRules, ParseIgnoreError};
pub use lock::{Lock, lock_digest, lock_digest_helm2};
pub use metadata::{FieldTypeError, Metadata};
pub use options::LoadOptions;
pub use package::{EntryTimes, Package, PackageOptions, PackagePreview, PreviewEntry};
pub use path::{ChartPath, ParsePathError};
pub use provenance::{FileMatch, MetadataMatch, Provenance, ProvenanceError};
pub use unpack::{Unpacked, unpack, unpack_verified};
pub use validate::Invalid;
pub use walk::{SkipReason, Skipped};

#[cfg(feature = "sign")]
pub(crate) use provenance::compare_chart;
#[cfg(feature = "pgp")]
pub(crate) use provenance::{armor, excerpt};

use self::assemble::Assembly;
use crate::error::{Error, ErrorKind, Reason, Result};

/// A chart as Helm 4.2 loads it: metadata and lock are read, files are sorted into their places, charts inside are charts.
///
/// Nothing here changes the directory or archive that the chart came from. The files of a directory are opened when somebody reads or
/// packages them; only the documents that make a chart (Chart.yaml, locks, requirements, values) are read while loading.
///
/// # Examples
///
/// ```
/// use oci_chart_core::chart::{Chart, LoadOptions};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let directory = tempfile::tempdir()?;
/// std::fs::write(directory.path().join("Chart.yaml"), "apiVersion: v2\nname: web\nversion: 1.2.3\n")?;
/// std::fs::write(directory.path().join("README.md"), "# Web\n")?;
///
/// let chart = Chart::from_dir(directory.path(), &LoadOptions::default())?;
/// assert_eq!((chart.name(), chart.metadata().version.as_str()), ("web", "1.2.3"));
/// assert_eq!(chart.readme().unwrap().path().as_str(), "README.md");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Chart {
    metadata: Metadata,
    lock: Option<Lock>,
    values: Option<ChartFile>,
    schema: Option<ChartFile>,
    templates: Vec<ChartFile>,
    files: Vec<ChartFile>,
    dependencies: Vec<Self>,
    modified: Option<SystemTime>,
    skipped: Vec<Skipped>,
    flaw: Option<ArchiveFlaw>,
}

impl Chart {
    /// Loads the directory that has the Chart.yaml.
    ///
    /// Symbolic links that lead out of it are errors, unlike in Helm, unless
    /// [`LoadOptions::follow_outside_symlinks`] is set.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidChart`] for what Helm refuses, with `file`, `line`, `column` and `field` as far as they are known;
    /// [`ErrorKind::InvalidArchive`] for a packed subchart that cannot be read; [`ErrorKind::LimitExceeded`],
    /// [`ErrorKind::Cancelled`], [`ErrorKind::NotFound`], [`ErrorKind::Io`].
    pub fn from_dir(path: impl AsRef<Path>, options: &LoadOptions) -> Result<Self> {
        let path = path.as_ref();
        let load = || {
            let tree = walk::walk(path, options)?;
            let chart = Assembly::new(options).root(tree.files)?;
            Ok(Self { skipped: tree.skipped, ..chart })
        };
        load().map_err(|error: Error| error.with_operation("load").with_context("chart", path.display()))
    }

    /// Loads a package (`.tgz`) from a reader. Its files are held in memory, within [`LoadOptions::limits`].
    ///
    /// # Errors
    ///
    /// As [`from_dir`](Self::from_dir), and [`ErrorKind::InvalidArchive`] for what is no package.
    pub fn from_archive(archive: impl Read, options: &LoadOptions) -> Result<Self> {
        let load = || {
            Assembly::new(options).root(archive::read(archive, options, options.limits.total_bytes)?.files)
        };
        load().map_err(|error: Error| error.with_operation("load"))
    }

    /// Loads a directory or a package, whichever lies at `path`.
    ///
    /// # Errors
    ///
    /// As [`from_dir`](Self::from_dir) and [`from_archive`](Self::from_archive).
    pub fn from_path(path: impl AsRef<Path>, options: &LoadOptions) -> Result<Self> {
        let path = path.as_ref();
        let wrap = |error: Error| error.with_operation("load").with_context("chart", path.display());
        if fs_err::metadata(path).map_err(|error| wrap(error.into()))?.is_dir() {
            return Self::from_dir(path, options);
        }
        let file = fs_err::File::open(path).map_err(|error| wrap(error.into()))?;
        Self::from_archive(file, options).map_err(wrap)
    }

    /// What Chart.yaml says, with what an old requirements.yaml adds.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The chart's own name; neither its directory nor its archive need be called so.
    pub fn name(&self) -> &str {
        &self.metadata.name
    }

    /// Chart.lock or requirements.lock.
    pub fn lock(&self) -> Option<&Lock> {
        self.lock.as_ref()
    }

    /// values.yaml, which Helm can read.
    pub fn values(&self) -> Option<&ChartFile> {
        self.values.as_ref()
    }

    /// values.schema.json, unread.
    pub fn schema(&self) -> Option<&ChartFile> {
        self.schema.as_ref()
    }

    /// Everything below `templates/`, in load order.
    pub fn templates(&self) -> &[ChartFile] {
        &self.templates
    }

    /// Everything else, in load order: readme, licence, `crds/`, provenance files of packed subcharts, and in `v1` charts
    /// requirements.yaml and requirements.lock.
    pub fn files(&self) -> &[ChartFile] {
        &self.files
    }

    /// The charts below `charts/`, sorted by their own names.
    pub fn dependencies(&self) -> &[Self] {
        &self.dependencies
    }

    /// When Chart.yaml was last modified, where that is known.
    pub fn modified(&self) -> Option<SystemTime> {
        self.modified
    }

    /// What lies in the directory and is not part of the chart, and why; nothing for an archive.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// What is wrong behind the last file of the archive that the chart came from, which Helm does not look at: a checksum that does
    /// not fit, or bytes that belong to nothing.
    pub fn archive_flaw(&self) -> Option<&ArchiveFlaw> {
        self.flaw.as_ref()
    }

    /// The dependencies that Chart.yaml asks for and `charts/` does not have, by name; one that is asked for twice under two
    /// aliases is here twice, as in Helm. Versions do not count.
    pub fn missing_dependencies(&self) -> Vec<&str> {
        let present = |name: &str| self.dependencies.iter().any(|chart| chart.name() == name);
        let wanted = self.metadata.dependencies.iter().map(|dependency| dependency.name.as_str());
        wanted.filter(|name| !present(name)).collect()
    }

    /// Fails as `helm package` and `helm install` do when dependencies are missing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidChart`], [`Reason::DependenciesMissing`].
    pub fn check_dependencies(&self) -> Result<()> {
        let missing = self.missing_dependencies();
        if missing.is_empty() {
            return Ok(());
        }
        let missing = missing.join(", ");
        let message = format!("found in Chart.yaml, but missing in charts/ directory: {missing}");
        Err(Error::new(ErrorKind::InvalidChart, message)
            .with_reason(Reason::DependenciesMissing)
            .with_context("dependencies", missing)
            .with_hint("`helm dependency build` fetches them"))
    }

    /// Fails for a chart that Helm cannot package, or whose package nobody could load.
    pub(crate) fn check_packageable(&self) -> Result<()> {
        if self.metadata.api_version == Metadata::API_V3 {
            return Err(Error::new(ErrorKind::InvalidChart, "invalid chart apiVersion")
                .with_reason(Reason::FieldInvalid)
                .with_context("field", "apiVersion")
                .with_hint("v3 is an experiment that Helm cannot package yet: write `apiVersion: v2`"));
        }
        self.check_dependencies()?;
        let mut open = vec![self];
        while let Some(chart) = open.pop() {
            open.extend(&chart.dependencies);
            // They are sorted by name.
            let twins = chart.dependencies.windows(2).find_map(|pair| match pair {
                [one, other] if one.name() == other.name() => Some(other),
                _ => None,
            });
            if let Some(twin) = twins {
                let name = twin.name();
                let message =
                    format!("two charts called {name} are in the charts/ directory of {}", chart.name());
                return Err(Error::new(ErrorKind::InvalidChart, message)
                    .with_reason(Reason::DuplicatePath)
                    .with_context("dependency", name)
                    .with_hint("keep one: a package has one directory for each name, and Helm would mix the two in it"));
            }
        }
        Ok(())
    }
}
