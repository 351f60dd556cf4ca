//! Metadata as Helm writes it.

use super::{
    super::dependency::{Dependency, Maintainer, Object},
    Metadata,
};
use crate::{
    error::{Error, ErrorKind, Reason, Result},
    json, yaml,
};

/// Go's `encoding/json` of Helm's struct.
pub(super) fn json(metadata: &Metadata, with_dependencies: bool) -> String {
    let mut out = String::with_capacity(512);
    let mut object = Object::new(&mut out);
    let texts = |out: &mut String, text: &String| json::string(out, text);
    object.text("name", &metadata.name);
    object.text("home", &metadata.home);
    object.list("sources", &metadata.sources, texts);
    object.text("version", &metadata.version);
    object.text("description", &metadata.description);
    object.list("keywords", &metadata.keywords, texts);
    object.list("maintainers", &metadata.maintainers, |out, maintainer| {
        Maintainer::write_json(maintainer, out);
    });
    object.text("icon", &metadata.icon);
    object.text("apiVersion", &metadata.api_version);
    object.text("condition", &metadata.condition);
    object.text("tags", &metadata.tags);
    object.text("appVersion", &metadata.app_version);
    object.flag("deprecated", metadata.deprecated);
    if !metadata.annotations.is_empty() {
        let mut map = Object::new(object.key("annotations"));
        for (key, value) in &metadata.annotations {
            map.always(key, value);
        }
        map.end();
    }
    object.text("kubeVersion", &metadata.kube_version);
    if with_dependencies {
        object.list("dependencies", &metadata.dependencies, |out, dependency| {
            Dependency::write_json(dependency, out);
        });
    }
    object.text("type", &metadata.chart_type);
    object.end();
    out
}

pub(super) fn yaml(metadata: &Metadata, with_dependencies: bool) -> Result<String> {
    yaml::emit_json(&json(metadata, with_dependencies)).map_err(|cause| {
        let error = Error::new(
            ErrorKind::InvalidChart,
            "cannot write Chart.yaml: control characters are not allowed",
        )
        .with_reason(Reason::FieldInvalid)
        .with_hint("remove the invisible character (DEL, U+0080 to U+009F, U+FFFE, U+FFFF) from this text")
        .with_source(cause);
        match culprit(metadata) {
            Some(key) => error.with_context("field", format_args!("annotations[{key:?}]")),
            None => error,
        }
    })
}

/// The annotation that cannot be written; every other text is sanitised.
fn culprit(metadata: &Metadata) -> Option<&str> {
    metadata.annotations.iter().find_map(|(key, value)| {
        let mut out = String::new();
        let mut object = Object::new(&mut out);
        object.always(key, value);
        object.end();
        yaml::emit_json(&out).is_err().then_some(key.as_str())
    })
}
