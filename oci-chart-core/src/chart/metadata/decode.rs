//! One value after the other into metadata, as Go's JSON decoder does it for Helm.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use super::{
    super::{
        dependency::{Dependency, ImportValue, Maintainer},
        place::at,
        sanitize::quote,
    },
    Draft, Kind, Source, names,
};
use crate::{
    error::{Error, ErrorKind, Reason},
    yaml::Position,
};

/// A field has a value of a type that it cannot take. `Display` is the message of Helm's decoder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldTypeError {
    found: &'static str,
    wanted: &'static str,
    owner: &'static str,
    owner_path: String,
    field: String,
    place: Option<Position>,
}

impl FieldTypeError {
    /// The field, as in `dependencies[2].tags`; empty where the whole document has the wrong type.
    pub fn field(&self) -> &str {
        &self.field
    }

    /// Where it stands.
    pub fn place(&self) -> Option<Position> {
        self.place
    }
}

impl fmt::Display for FieldTypeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot unmarshal {} into Go ", self.found)?;
        if self.owner_path.is_empty() {
            write!(f, "value of type {}", self.wanted)
        } else {
            write!(f, "struct field {}.{} of type {}", self.owner, self.owner_path, self.wanted)
        }
    }
}

impl std::error::Error for FieldTypeError {}

/// Why a document cannot be taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::chart) enum Mismatch {
    Type(FieldTypeError),
    /// An infinity or NaN at a place where it cannot become text.
    NotJson {
        field: String,
        place: Option<Position>,
    },
    /// A time that is none.
    Time {
        field: String,
        text: String,
        place: Option<Position>,
    },
}

impl Mismatch {
    /// `source` is not what `wanted`, a Go type, can be read from.
    pub(in crate::chart) fn new<'a>(source: impl Source<'a>, wanted: &'static str) -> Self {
        Self::Type(FieldTypeError {
            found: source.kind().word(),
            wanted,
            owner: "",
            owner_path: String::new(),
            field: String::new(),
            place: source.position(),
        })
    }

    fn not_json<'a>(source: impl Source<'a>) -> Self {
        Self::NotJson { field: String::new(), place: source.position() }
    }

    /// In entry `index` of a list.
    fn item(mut self, index: usize) -> Self {
        let field = self.field();
        *field =
            format!("[{index}]{}{field}", if field.is_empty() || field.starts_with('[') { "" } else { "." });
        self
    }

    /// In field `name` of the Go struct `owner`.
    pub(in crate::chart) fn inside(mut self, owner: &'static str, name: &str) -> Self {
        let field = self.field();
        let dot = if field.is_empty() || field.starts_with('[') { "" } else { "." };
        *field = format!("{name}{dot}{field}");
        if let Self::Type(error) = &mut self {
            if error.owner_path.is_empty() {
                error.owner = owner;
                name.clone_into(&mut error.owner_path);
            } else {
                error.owner_path = format!("{name}.{}", error.owner_path);
            }
        }
        self
    }

    /// The error of the file that the value is in.
    pub(in crate::chart) fn into_error(self, file: &str) -> Error {
        let error = |reason, message: String, field: &str, place| {
            let mut error = Error::new(ErrorKind::InvalidChart, format!("cannot load {file}: {message}"))
                .with_reason(reason)
                .with_context("file", file);
            if !field.is_empty() {
                error = error.with_context("field", field);
            }
            at(error, place)
        };
        match self {
            Self::Type(cause) => error(Reason::FieldType, cause.to_string(), &cause.field, cause.place)
                .with_hint(match cause.wanted {
                    "bool" => "write true or false, without quotes",
                    "string" => "write one text; quotes do no harm",
                    wanted if wanted.starts_with("[]") => "write a list: one `- ` line for each item",
                    _ => "write `key: value` lines",
                })
                .with_source(cause),
            Self::NotJson { field, place } => {
                error(Reason::FieldType, "unsupported value: an infinity or NaN".to_owned(), &field, place)
                    .with_hint("put it in quotes if it is meant as text")
            }
            Self::Time { field, text, place } => {
                let message = format!("parsing time {} as RFC 3339", quote(&text));
                error(Reason::FieldInvalid, message, &field, place)
                    .with_hint("`helm dependency update` writes it anew")
            }
        }
    }

    fn field(&mut self) -> &mut String {
        match self {
            Self::Type(error) => &mut error.field,
            Self::NotJson { field, .. } | Self::Time { field, .. } => field,
        }
    }
}

type Done = Result<(), Mismatch>;

impl Draft {
    /// Takes over every field of `root`. Null takes nothing over.
    pub(super) fn apply_source<'a>(&mut self, root: impl Source<'a>) -> Done {
        const OWNER: &str = "Metadata";
        match root.kind() {
            Kind::Null => return Ok(()),
            Kind::Map => {}
            _ => return Err(Mismatch::new(root, "v2.Metadata")),
        }
        let Self { metadata, maintainers: people, dependencies: needs } = self;
        for (key, value) in root.entries() {
            let Some(field) = FIELDS.iter().find(|field| names(&field.to_ascii_lowercase(), &key)) else {
                unknown(&mut metadata.extra, key, value)?;
                continue;
            };
            match *field {
                "name" => text(&mut metadata.name, value),
                "home" => text(&mut metadata.home, value),
                "sources" => texts(&mut metadata.sources, value),
                "version" => text(&mut metadata.version, value),
                "description" => text(&mut metadata.description, value),
                "keywords" => texts(&mut metadata.keywords, value),
                "maintainers" => list(people, value, "[]*v2.Maintainer", maintainer),
                "icon" => text(&mut metadata.icon, value),
                "apiVersion" => text(&mut metadata.api_version, value),
                "condition" => text(&mut metadata.condition, value),
                "tags" => text(&mut metadata.tags, value),
                "appVersion" => text(&mut metadata.app_version, value),
                "deprecated" => flag(&mut metadata.deprecated, value),
                "annotations" => annotations(&mut metadata.annotations, value),
                "kubeVersion" => text(&mut metadata.kube_version, value),
                "dependencies" => dependencies(needs, value),
                _ => text(&mut metadata.chart_type, value),
            }
            .map_err(|fault| fault.inside(OWNER, field))?;
        }
        Ok(())
    }
}

const FIELDS: [&str; 17] = [
    "name",
    "home",
    "sources",
    "version",
    "description",
    "keywords",
    "maintainers",
    "icon",
    "apiVersion",
    "condition",
    "tags",
    "appVersion",
    "deprecated",
    "annotations",
    "kubeVersion",
    "dependencies",
    "type",
];

/// A text field. Null leaves it as it is.
pub(in crate::chart) fn text<'a>(target: &mut String, value: impl Source<'a>) -> Done {
    if value.kind() == Kind::Null {
        return Ok(());
    }
    let text = value.text().ok_or_else(|| Mismatch::new(value, "string"))?;
    *target = text.into_owned();
    Ok(())
}

/// The list of dependencies of Chart.yaml, requirements.yaml or a lock.
pub(in crate::chart) fn dependencies<'a>(
    target: &mut Vec<Option<Dependency>>,
    value: impl Source<'a>,
) -> Done {
    list(target, value, "[]*v2.Dependency", dependency)
}

fn flag<'a>(target: &mut bool, value: impl Source<'a>) -> Done {
    if value.kind() == Kind::Null {
        return Ok(());
    }
    *target = value.as_bool().ok_or_else(|| Mismatch::new(value, "bool"))?;
    Ok(())
}

/// A list is cut or filled up to the new length and then decoded into entry by entry; null empties it.
fn list<'a, S: Source<'a>, T: Default>(
    target: &mut Vec<T>,
    value: S,
    go_type: &'static str,
    mut decode: impl FnMut(&mut T, S) -> Done,
) -> Done {
    match value.kind() {
        Kind::Null => target.clear(),
        Kind::List => {
            let items = value.items();
            target.resize_with(items.len(), T::default);
            for (index, (slot, item)) in target.iter_mut().zip(items).enumerate() {
                decode(slot, item).map_err(|fault| fault.item(index))?;
            }
        }
        _ => return Err(Mismatch::new(value, go_type)),
    }
    Ok(())
}

fn texts<'a>(target: &mut Vec<String>, value: impl Source<'a>) -> Done {
    list(target, value, "[]string", text)
}

/// An entry that is a map goes into the struct that is there already; null removes it.
fn entry<'a, S: Source<'a>, T: Default>(
    target: &mut Option<T>,
    value: S,
    go_type: &'static str,
    mut decode: impl FnMut(&mut T, Cow<'a, str>, S) -> Done,
) -> Done {
    match value.kind() {
        Kind::Null => *target = None,
        Kind::Map => {
            let target = target.get_or_insert_default();
            for (key, value) in value.entries() {
                decode(target, key, value)?;
            }
        }
        _ => return Err(Mismatch::new(value, go_type)),
    }
    Ok(())
}

fn maintainer<'a, S: Source<'a>>(target: &mut Option<Maintainer>, value: S) -> Done {
    entry(target, value, "v2.Maintainer", |person, key, value: S| {
        let (field, slot) = match () {
            () if names("name", &key) => ("name", &mut person.name),
            () if names("email", &key) => ("email", &mut person.email),
            () if names("url", &key) => ("url", &mut person.url),
            () => return known_to_json(value, &key),
        };
        text(slot, value).map_err(|fault| fault.inside("Maintainer", field))
    })
}

fn dependency<'a, S: Source<'a>>(target: &mut Option<Dependency>, value: S) -> Done {
    const FIELDS: [&str; 8] =
        ["name", "version", "repository", "condition", "tags", "enabled", "import-values", "alias"];
    entry(target, value, "v2.Dependency", |dependency, key, value: S| {
        let Some(field) = FIELDS.iter().find(|field| names(field, &key)) else {
            return known_to_json(value, &key);
        };
        match *field {
            "name" => text(&mut dependency.name, value),
            "version" => text(&mut dependency.version, value),
            "repository" => text(&mut dependency.repository, value),
            "condition" => text(&mut dependency.condition, value),
            "tags" => texts(&mut dependency.tags, value),
            "enabled" => flag(&mut dependency.enabled, value),
            "import-values" => imports(&mut dependency.import_values, value),
            _ => text(&mut dependency.alias, value),
        }
        .map_err(|fault| fault.inside("Dependency", field))
    })
}

fn imports<'a>(target: &mut Vec<ImportValue>, value: impl Source<'a>) -> Done {
    match value.kind() {
        Kind::Null => target.clear(),
        Kind::List => {
            let json = |value: &_| Source::json(*value).ok_or_else(|| Mismatch::not_json(*value));
            let items = value.items();
            *target =
                items.iter().map(|item| json(item).map(ImportValue::from_json)).collect::<Result<_, _>>()?;
        }
        _ => return Err(Mismatch::new(value, "[]interface {}")),
    }
    Ok(())
}

/// Null empties the map; a null value is an empty text, even over one that was there.
fn annotations<'a>(target: &mut BTreeMap<String, String>, value: impl Source<'a>) -> Done {
    match value.kind() {
        Kind::Null => target.clear(),
        Kind::Map => {
            for (key, value) in value.entries() {
                let mut annotation = String::new();
                text(&mut annotation, value)?;
                target.insert(key.into_owned(), annotation);
            }
        }
        _ => return Err(Mismatch::new(value, "map[string]string")),
    }
    Ok(())
}

/// A field that Helm does not know is kept; of the files that have it, the last one wins.
fn unknown<'a>(extra: &mut Vec<(String, String)>, key: Cow<'a, str>, value: impl Source<'a>) -> Done {
    let json = value.json().ok_or_else(|| Mismatch::not_json(value).inside("Metadata", &key))?;
    match extra.binary_search_by(|(known, _)| known.as_str().cmp(&key)) {
        Ok(at) => {
            if let Some(entry) = extra.get_mut(at) {
                entry.1 = json;
            }
        }
        Err(at) => extra.insert(at, (key.into_owned(), json)),
    }
    Ok(())
}

/// A value that nobody asks for must still be one that JSON can hold.
fn known_to_json<'a>(value: impl Source<'a>, key: &str) -> Done {
    match value.json() {
        Some(_) => Ok(()),
        None => Err(Mismatch::not_json(value).inside("", key)),
    }
}
