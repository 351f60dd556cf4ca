//! What Helm demands of a chart's metadata, in Helm's order and words.

use std::{collections::HashSet, fmt};

use super::{
    dependency::{Dependency, Maintainer},
    metadata::Metadata,
    sanitize::{quote, sanitize_in_place},
};
use crate::{
    error::{Error, ErrorKind, Reason},
    name::ChartVersion,
};

/// The first rule of Helm 4.2.4 that metadata breaks. `Display` is Helm's message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Invalid {
    /// `apiVersion`, `name` or `version` is missing or empty.
    Missing(&'static str),
    /// The name is `.` or `..`.
    NameNotAllowed(String),
    /// The name has a slash.
    NameIsPath(String),
    /// The name is `/` or has a backslash. Helm lets these pass, and then its own loader cannot read the package.
    NameUnusable(String),
    /// The version is no version, not even in the loose dialect.
    Version(String),
    /// The type is neither `application` nor `library`.
    Type,
    /// An entry of `maintainers` is null.
    MaintainerNull(usize),
    /// An entry of `dependencies` is null.
    DependencyNull(usize),
    /// An alias has characters beyond letters, digits, `_` and `-`.
    Alias {
        /// Which dependency it is, from 0.
        index: usize,
        /// Its name.
        name: String,
    },
    /// Two dependencies have the same alias, or name where there is no alias.
    Duplicate {
        /// Which dependency repeats it, from 0.
        index: usize,
        /// The alias or name.
        key: String,
    },
}

impl Invalid {
    /// The field, as in `dependencies[2].alias`.
    pub fn field(&self) -> String {
        match self {
            Self::Missing(field) => (*field).to_owned(),
            Self::NameNotAllowed(_) | Self::NameIsPath(_) | Self::NameUnusable(_) => "name".to_owned(),
            Self::Version(_) => "version".to_owned(),
            Self::Type => "type".to_owned(),
            Self::MaintainerNull(index) => format!("maintainers[{index}]"),
            Self::DependencyNull(index) | Self::Duplicate { index, .. } => format!("dependencies[{index}]"),
            Self::Alias { index, .. } => format!("dependencies[{index}].alias"),
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Missing("apiVersion") => "write `apiVersion: v2`",
            Self::Missing("version") => "write a version such as `version: 1.0.0`",
            Self::Missing(_) => "give it a value",
            Self::NameNotAllowed(_) | Self::NameIsPath(_) | Self::NameUnusable(_) => {
                "a name is one word, such as `web-server`"
            }
            Self::Version(_) => "write three numbers, such as 1.2.3 or 1.2.3-rc.1",
            Self::Type => "leave it out, or write `application` or `library`",
            Self::MaintainerNull(_) | Self::DependencyNull(_) => "remove the empty list item",
            Self::Alias { .. } => "use letters, digits, `_` and `-`",
            Self::Duplicate { .. } => "give one of them an `alias`",
        }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("validation: ")?;
        match self {
            Self::Missing(field) => write!(f, "chart.metadata.{field} is required"),
            Self::NameNotAllowed(name) => write!(f, "chart.metadata.name {} is not allowed", quote(name)),
            Self::NameIsPath(name) | Self::NameUnusable(name) => {
                write!(f, "chart.metadata.name {} is invalid", quote(name))
            }
            Self::Version(version) => write!(f, "chart.metadata.version {} is invalid", quote(version)),
            Self::Type => f.write_str("chart.metadata.type must be application or library"),
            Self::MaintainerNull(_) => f.write_str("maintainers must not contain empty or null nodes"),
            Self::DependencyNull(_) => f.write_str("dependencies must not contain empty or null nodes"),
            Self::Alias { name, .. } => {
                write!(f, "dependency {} has disallowed characters in the alias", quote(name))
            }
            Self::Duplicate { key, .. } => {
                write!(f, "more than one dependency with name or alias {}", quote(key))
            }
        }
    }
}

impl std::error::Error for Invalid {}

impl From<Invalid> for Error {
    fn from(invalid: Invalid) -> Self {
        let reason = match invalid {
            Invalid::Missing(_) => Reason::FieldMissing,
            Invalid::NameUnusable(_) => Reason::NameUnusable,
            _ => Reason::FieldInvalid,
        };
        Self::new(ErrorKind::InvalidChart, invalid.to_string())
            .with_reason(reason)
            .with_context("field", invalid.field())
            .with_hint(invalid.hint())
            .with_source(invalid)
    }
}

/// Sanitises and judges everything but the lists of maintainers and dependencies.
pub(super) fn scalars(metadata: &mut Metadata) -> Result<(), Invalid> {
    for text in [
        &mut metadata.name,
        &mut metadata.description,
        &mut metadata.home,
        &mut metadata.icon,
        &mut metadata.condition,
        &mut metadata.tags,
        &mut metadata.app_version,
        &mut metadata.kube_version,
    ] {
        sanitize_in_place(text);
    }
    metadata.sources.iter_mut().chain(&mut metadata.keywords).for_each(sanitize_in_place);

    if metadata.api_version.is_empty() {
        return Err(Invalid::Missing("apiVersion"));
    }
    name(&metadata.name)?;
    if metadata.version.is_empty() {
        return Err(Invalid::Missing("version"));
    }
    if ChartVersion::parse(&metadata.version).is_err() {
        return Err(Invalid::Version(metadata.version.clone()));
    }
    match metadata.chart_type.as_str() {
        "" | "application" | "library" => Ok(()),
        _ => Err(Invalid::Type),
    }
}

/// Sanitises one maintainer.
pub(super) fn maintainer(maintainer: &mut Maintainer) {
    for text in [&mut maintainer.name, &mut maintainer.email, &mut maintainer.url] {
        sanitize_in_place(text);
    }
}

/// Sanitises and judges dependencies one by one.
#[derive(Default)]
pub(super) struct DependencyRules {
    seen: HashSet<String>,
}

impl DependencyRules {
    pub(super) fn check(&mut self, index: usize, dependency: &mut Dependency) -> Result<(), Invalid> {
        for text in [
            &mut dependency.name,
            &mut dependency.version,
            &mut dependency.repository,
            &mut dependency.condition,
        ] {
            sanitize_in_place(text);
        }
        dependency.tags.iter_mut().for_each(sanitize_in_place);
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if !dependency.alias.bytes().all(allowed) {
            return Err(Invalid::Alias { index, name: dependency.name.clone() });
        }
        let key = dependency.alias_or_name().to_owned();
        match self.seen.replace(key) {
            None => Ok(()),
            Some(key) => Err(Invalid::Duplicate { index, key }),
        }
    }
}

/// The one rule that is not Helm's, and therefore the last.
pub(super) fn usable(name: &str) -> Result<(), Invalid> {
    if name == "/" || name.contains('\\') { Err(Invalid::NameUnusable(name.to_owned())) } else { Ok(()) }
}

fn name(name: &str) -> Result<(), Invalid> {
    match name {
        "" => Err(Invalid::Missing("name")),
        "." | ".." => Err(Invalid::NameNotAllowed(name.to_owned())),
        _ if name.contains('/') && name != "/" => Err(Invalid::NameIsPath(name.to_owned())),
        _ => Ok(()),
    }
}
