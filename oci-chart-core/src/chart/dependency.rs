//! The parts of a chart's metadata that are lists: maintainers, dependencies, and what a dependency exports.

mod import;

pub use import::{ImportSpec, ImportValue};

use crate::json;

/// A person or team behind a chart. Any field may be empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Maintainer {
    /// A name of a person or organisation.
    pub name: String,
    /// An address for mail.
    pub email: String,
    /// A page about them.
    pub url: String,
}

impl Maintainer {
    /// A maintainer with nothing but a name.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    pub(super) fn write_json(&self, out: &mut String) {
        let mut object = Object::new(out);
        object.text("name", &self.name);
        object.text("email", &self.email);
        object.text("url", &self.url);
        object.end();
    }
}

/// A chart that a chart needs, as Chart.yaml asks for it or as Chart.lock has settled it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dependency {
    /// The name in the dependency's own Chart.yaml.
    pub name: String,
    /// A version range; one version in a lock.
    pub version: String,
    /// Where it comes from: `oci://...`, `https://...`, `file://...`, `@alias`, or empty for a chart that lies in `charts/`.
    pub repository: String,
    /// Paths of values that switch it on or off, separated by commas.
    pub condition: String,
    /// Groups by which it can be switched on or off.
    pub tags: Vec<String>,
    /// Helm writes this while it works; in files it has no meaning.
    pub enabled: bool,
    /// Values of the dependency that the parent takes over.
    pub import_values: Vec<ImportValue>,
    /// Another name for this use of the chart.
    pub alias: String,
}

impl Dependency {
    /// A dependency without conditions.
    pub fn new(name: impl Into<String>, version: impl Into<String>, repository: impl Into<String>) -> Self {
        Self { name: name.into(), version: version.into(), repository: repository.into(), ..Self::default() }
    }

    /// The name under which the parent's values reach it.
    pub fn alias_or_name(&self) -> &str {
        if self.alias.is_empty() { &self.name } else { &self.alias }
    }

    /// Go's `encoding/json` of Helm's struct: `name` and `repository` always, the rest where it is not empty.
    pub(super) fn write_json(&self, out: &mut String) {
        let mut object = Object::new(out);
        object.always("name", &self.name);
        object.text("version", &self.version);
        object.always("repository", &self.repository);
        object.text("condition", &self.condition);
        object.list("tags", &self.tags, |out, tag| json::string(out, tag));
        object.flag("enabled", self.enabled);
        object.list("import-values", &self.import_values, |out, value| out.push_str(value.as_json()));
        object.text("alias", &self.alias);
        object.end();
    }
}

/// Writes a JSON object field by field, leaving empty ones out.
pub(super) struct Object<'a> {
    out: &'a mut String,
    first: bool,
}

impl<'a> Object<'a> {
    pub(super) fn new(out: &'a mut String) -> Self {
        out.push('{');
        Self { out, first: true }
    }

    pub(super) fn key(&mut self, key: &str) -> &mut String {
        if !std::mem::replace(&mut self.first, false) {
            self.out.push(',');
        }
        json::string(self.out, key);
        self.out.push(':');
        self.out
    }

    pub(super) fn always(&mut self, key: &str, text: &str) {
        json::string(self.key(key), text);
    }

    pub(super) fn text(&mut self, key: &str, text: &str) {
        if !text.is_empty() {
            self.always(key, text);
        }
    }

    pub(super) fn flag(&mut self, key: &str, value: bool) {
        if value {
            self.key(key).push_str("true");
        }
    }

    pub(super) fn list<T>(&mut self, key: &str, items: &[T], write: impl FnMut(&mut String, &T)) {
        if !items.is_empty() {
            list(self.key(key), items, write);
        }
    }

    pub(super) fn end(self) {
        self.out.push('}');
    }
}

/// Writes a JSON list.
pub(super) fn list<'a, T: 'a>(
    out: &mut String,
    items: impl IntoIterator<Item = &'a T>,
    mut write: impl FnMut(&mut String, &T),
) {
    out.push('[');
    for (n, item) in items.into_iter().enumerate() {
        if n > 0 {
            out.push(',');
        }
        write(out, item);
    }
    out.push(']');
}
