//! Small documents that are this library's own; the others come out of the core as they are.

use oci_chart_core::{Error, oci::Descriptor};
use serde::Serialize;
use serde_json::{Map, Value};

/// An object of texts, in their order.
pub(crate) fn object<'a>(members: impl Iterator<Item = (&'static str, &'a str)>) -> String {
    let mut text = String::from("{");
    for (n, (key, value)) in members.enumerate() {
        if n > 0 {
            text.push(',');
        }
        text.push_str(&Value::from(key).to_string());
        text.push(':');
        text.push_str(&Value::from(value).to_string());
    }
    text.push('}');
    text
}

/// Everything about an error.
pub(crate) fn error(error: &Error) -> String {
    let mut all = Map::new();
    all.insert("kind".into(), error.kind().name().into());
    all.insert("code".into(), error.kind().code().into());
    all.insert("message".into(), error.message().into());
    if let Some(reason) = error.reason() {
        all.insert("reason".into(), reason.as_str().into());
    }
    if let Some(operation) = error.operation() {
        all.insert("operation".into(), operation.into());
    }
    all.insert(
        "context".into(),
        error.context().map(|(key, value)| (key.to_owned(), Value::from(value))).collect(),
    );
    if let Some(hint) = error.hint() {
        all.insert("hint".into(), hint.into());
    }
    all.insert("retryable".into(), error.is_retryable().into());
    if let Some(wait) = error.retry_after() {
        all.insert("retryAfterMs".into(), u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).into());
    }
    let mut causes = Vec::new();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        causes.push(Value::from(cause.to_string()));
        next = cause.source();
    }
    if !causes.is_empty() {
        all.insert("causes".into(), causes.into());
    }
    Value::from(all).to_string()
}

/// A descriptor as the OCI image specification writes it.
pub(crate) fn descriptor(descriptor: &Descriptor) -> String {
    text(descriptor)
}

/// A document of the core's.
pub(crate) fn text(document: &impl Serialize) -> String {
    // Strings, numbers, lists and maps with text for keys: nothing that JSON could not hold.
    serde_json::to_string(document).unwrap_or_default()
}
