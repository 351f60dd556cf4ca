use std::collections::BTreeMap;

use crate::chart::Metadata;

const TITLE: &str = "org.opencontainers.image.title";
const VERSION: &str = "org.opencontainers.image.version";

/// The annotations of a chart's manifest as Helm 4.2 makes them (`pkg/registry/chart.go`): some from the metadata, then those of `Chart.yaml`, which win,
/// except over title and version. `created` is text, so that any caller's form is kept.
pub(crate) fn annotations(metadata: &Metadata, created: Option<&str>) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut add = |key: &str, value: &str| {
        if !value.trim().is_empty() {
            all.insert(key.to_owned(), value.to_owned());
        }
    };
    add("org.opencontainers.image.description", &metadata.description);
    add(TITLE, &metadata.name);
    add(VERSION, &metadata.version);
    add("org.opencontainers.image.url", &metadata.home);
    // Only the first source, and nothing where that is blank.
    add("org.opencontainers.image.source", metadata.sources.first().map_or("", String::as_str));
    add("org.opencontainers.image.created", created.unwrap_or_default());
    add("org.opencontainers.image.authors", &authors(metadata));
    for (key, value) in &metadata.annotations {
        if key != TITLE && key != VERSION {
            all.insert(key.clone(), value.clone());
        }
    }
    all
}

/// `Name (email)` for each maintainer. An empty maintainer keeps its separator, as in Helm.
fn authors(metadata: &Metadata) -> String {
    let mut text = String::new();
    for (n, maintainer) in metadata.maintainers.iter().enumerate() {
        if n > 0 {
            text.push_str(", ");
        }
        text.push_str(&maintainer.name);
        if !maintainer.email.is_empty() {
            text.push_str(" (");
            text.push_str(&maintainer.email);
            text.push(')');
        }
    }
    text
}
