//! Chart.yaml: what a chart says about itself.

mod decode;
mod json_source;
mod source;
mod write;
mod yaml_source;

use std::collections::BTreeMap;

pub use decode::FieldTypeError;
pub(super) use {
    decode::{Mismatch, dependencies, text},
    source::{Kind, Source, names},
    yaml_source::parse,
};

use super::{
    dependency::{Dependency, Maintainer},
    place::{at, unreadable},
    sanitize::quote,
    validate::{self, Invalid},
};
use crate::{
    error::{Error, ErrorKind, Reason, Result},
    limits::Limits,
    name::{ChartVersion, ParseVersionError},
    yaml,
};

/// The metadata of a chart, API versions v1 and v2, as Helm 4.2 reads it. Empty means absent.
///
/// [`from_yaml`](Self::from_yaml) and [`from_json`](Self::from_json) give metadata that has passed [`validate`](Self::validate);
/// who changes fields afterwards validates again. Nothing here writes to the place the metadata came from.
///
/// # Examples
///
/// ```
/// use oci_chart_core::chart::Metadata;
///
/// # fn main() -> Result<(), oci_chart_core::Error> {
/// let metadata = Metadata::from_yaml(b"apiVersion: v2\nname: web\nversion: 1.2.3\nappVersion: 1.10\n")?;
/// assert_eq!(metadata.name, "web");
/// assert_eq!(metadata.app_version, "1.1"); // a number without quotes, as Helm reads it
/// assert_eq!(metadata.to_json(), r#"{"name":"web","version":"1.2.3","apiVersion":"v2","appVersion":"1.1"}"#);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metadata {
    /// The chart's name.
    pub name: String,
    /// A page about the project.
    pub home: String,
    /// Where the source code is.
    pub sources: Vec<String>,
    /// The chart's version, in Helm's loose dialect: see [`version`](Self::version).
    pub version: String,
    /// One sentence about the chart.
    pub description: String,
    /// Words to search for.
    pub keywords: Vec<String>,
    /// Who looks after the chart.
    pub maintainers: Vec<Maintainer>,
    /// The address of an image.
    pub icon: String,
    /// `v1`, `v2`, or whatever else a chart says; a chart that says nothing is a `v1`.
    pub api_version: String,
    /// Paths of values that switch the chart on or off, separated by commas.
    pub condition: String,
    /// Groups by which the chart can be switched on or off, separated by commas.
    pub tags: String,
    /// The version of the application inside; any text.
    pub app_version: String,
    /// Whether the chart should not be used any more.
    pub deprecated: bool,
    /// What other programs want to know, uninterpreted and never sanitised.
    pub annotations: BTreeMap<String, String>,
    /// The versions of Kubernetes that the chart is for, as a range.
    pub kube_version: String,
    /// The charts that it needs.
    pub dependencies: Vec<Dependency>,
    /// `application` (the same as nothing) or `library`.
    pub chart_type: String,
    /// The fields of Chart.yaml that Helm does not know, as (key, JSON text), sorted by key. They are in no package.
    pub extra: Vec<(String, String)>,
}

impl Metadata {
    /// The API version whose dependencies are in requirements.yaml.
    pub const API_V1: &'static str = "v1";
    /// The API version of today.
    pub const API_V2: &'static str = "v2";
    /// An experiment of Helm 4, which loads such charts with rules of their own and cannot package them. Here they are read as v2.
    pub const API_V3: &'static str = "v3";

    /// Metadata with the three fields that every chart has.
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        Self {
            api_version: Self::API_V2.to_owned(),
            name: name.into(),
            version: version.into(),
            ..Self::default()
        }
    }

    /// Reads the text of a Chart.yaml: YAML 1.1, first document, coerced and sanitised as Helm does it, then validated.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidChart`] with the reasons [`Reason::YamlSyntax`], [`Reason::FieldType`], [`Reason::FieldMissing`] and
    /// [`Reason::FieldInvalid`], the context `file`, `field`, `line` and `column` as far as they are known, and Helm's words in
    /// the message. [`ErrorKind::LimitExceeded`] for a text above [`Limits::yaml_bytes`].
    pub fn from_yaml(text: &[u8]) -> Result<Self> {
        let document = parse(FILE, text, &Limits::default())?;
        let mut draft = Draft::default();
        draft.apply(FILE, &document)?;
        draft.default_api_version();
        draft.finish().map_err(|invalid| broken_rule(invalid, &[(FILE, document)]))
    }

    /// Reads a configuration blob.
    ///
    /// # Errors
    ///
    /// As [`from_yaml`](Self::from_yaml), without line and column.
    pub fn from_json(blob: &[u8]) -> Result<Self> {
        let value = json_source::parse(blob)?;
        let mut draft = Draft::default();
        draft.apply_source(&value).map_err(|fault| fault.into_error("the configuration"))?;
        draft.default_api_version();
        draft.finish().map_err(Error::from)
    }

    /// Sanitises every text that Helm sanitises (blanks become plain, invisible characters go) and applies Helm's rules.
    ///
    /// # Errors
    ///
    /// The first rule that is broken, in Helm's order.
    pub fn validate(&mut self) -> Result<(), Invalid> {
        validate::scalars(self)?;
        self.maintainers.iter_mut().for_each(validate::maintainer);
        let mut rules = validate::DependencyRules::default();
        for (index, dependency) in self.dependencies.iter_mut().enumerate() {
            rules.check(index, dependency)?;
        }
        validate::usable(&self.name)
    }

    /// The version, parsed in Helm's loose dialect.
    ///
    /// # Errors
    ///
    /// Only after the field was changed without [`validate`](Self::validate).
    pub fn version(&self) -> Result<ChartVersion, ParseVersionError> {
        ChartVersion::parse(&self.version)
    }

    /// Whether it is a library chart, which cannot be installed.
    pub fn is_library(&self) -> bool {
        self.chart_type == "library"
    }

    /// The configuration blob: JSON in Helm's field order, empty fields left out, escaped as Go does it.
    pub fn to_json(&self) -> String {
        write::json(self, true)
    }

    /// Chart.yaml as `helm show chart` and a provenance file have it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidChart`] for a text that Helm's YAML writer refuses: DEL, U+0080 to U+009F but U+0085, U+FFFE and U+FFFF, which
    /// can still be in annotations.
    pub fn to_yaml(&self) -> Result<String> {
        write::yaml(self, true)
    }

    /// Chart.yaml as it is in a package: without the dependencies where the API version is v1, which has them in requirements.yaml.
    ///
    /// # Errors
    ///
    /// As [`to_yaml`](Self::to_yaml).
    pub fn to_packaged_yaml(&self) -> Result<String> {
        write::yaml(self, self.api_version != Self::API_V1)
    }
}

/// The name of the file that metadata is read from.
pub(super) const FILE: &str = "Chart.yaml";

/// Metadata on its way in: several files can add to it, and lists may still have null entries.
#[derive(Debug, Default)]
pub(super) struct Draft {
    metadata: Metadata,
    maintainers: Vec<Option<Maintainer>>,
    dependencies: Vec<Option<Dependency>>,
}

impl Draft {
    /// Takes over the fields that `document` has, as Go decodes into a struct that is in use already: texts are replaced,
    /// annotations merged, list entries merged one by one.
    pub(super) fn apply(&mut self, file: &str, document: &yaml::Document) -> Result<()> {
        self.apply_source(document.root()).map_err(|fault| fault.into_error(file))
    }

    /// Charts of Helm 2 had no API version.
    pub(super) fn default_api_version(&mut self) {
        if self.metadata.api_version.is_empty() {
            Metadata::API_V1.clone_into(&mut self.metadata.api_version);
        }
    }

    pub(super) fn api_version(&self) -> &str {
        &self.metadata.api_version
    }

    /// Sanitises and validates.
    pub(super) fn finish(self) -> Result<Metadata, Invalid> {
        let Self { mut metadata, maintainers, dependencies } = self;
        validate::scalars(&mut metadata)?;
        for (index, maintainer) in maintainers.into_iter().enumerate() {
            let mut maintainer = maintainer.ok_or(Invalid::MaintainerNull(index))?;
            validate::maintainer(&mut maintainer);
            metadata.maintainers.push(maintainer);
        }
        let mut rules = validate::DependencyRules::default();
        for (index, dependency) in dependencies.into_iter().enumerate() {
            let mut dependency = dependency.ok_or(Invalid::DependencyNull(index))?;
            rules.check(index, &mut dependency)?;
            metadata.dependencies.push(dependency);
        }
        validate::usable(&metadata.name)?;
        Ok(metadata)
    }
}

/// The error of a broken rule, with the place in the last of `documents` that has the field.
pub(super) fn broken_rule(invalid: Invalid, documents: &[(&str, yaml::Document)]) -> Error {
    let field = invalid.field();
    let found = documents.iter().rev().find_map(|(file, document)| {
        yaml_source::locate(document.root(), &field).map(|place| (*file, Some(place)))
    });
    let (file, place) = found.unwrap_or((FILE, None));
    at(Error::from(invalid).with_context("file", file), place)
}

/// What Helm 4 looks at before it loads a chart to package or install it: the whole document must have a form in JSON, also
/// where an infinity would become text later, and the API version must be one that it knows. That one is read as text already.
pub(super) fn check_api_version(document: &yaml::Document) -> Result<()> {
    if document.has_special_floats() {
        for (_, value) in document.root().entries().filter(|(key, _)| !names("apiversion", key)) {
            value.to_json().map_err(|error| unreadable(FILE, error))?;
        }
    }
    let mut version = String::new();
    let mut place = None;
    for node in document.root().fields("apiVersion") {
        place = Some(node.position());
        text(&mut version, node).map_err(|fault| fault.inside("chartBase", "apiVersion").into_error(FILE))?;
    }
    match version.as_str() {
        "" | Metadata::API_V1 | Metadata::API_V2 | Metadata::API_V3 => Ok(()),
        _ => {
            let error = Error::new(ErrorKind::InvalidChart, "unsupported chart version")
                .with_reason(Reason::FieldInvalid)
                .with_context("file", FILE)
                .with_context("field", "apiVersion")
                .with_context("value", quote(&version))
                .with_hint("write `apiVersion: v2`");
            Err(at(error, place))
        }
    }
}
