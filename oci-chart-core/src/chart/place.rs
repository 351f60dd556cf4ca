//! Errors of documents: what is wrong, in which file, at which line and column.

use crate::{
    error::{Error, ErrorKind, Reason},
    yaml::{Fault, ParseError, Position},
};

/// Adds a place to an error.
pub(super) fn at(error: Error, place: Option<Position>) -> Error {
    match place {
        None => error,
        Some(place) => error.with_context("line", place.line).with_context("column", place.column),
    }
}

/// The error of a text in `file` that is not YAML, or not what Helm makes of YAML.
pub(super) fn unreadable(file: &str, cause: ParseError) -> Error {
    if matches!(cause.fault(), Fault::TooLarge { .. } | Fault::ExpandsTooFar { .. }) {
        return Error::from(cause).with_context("file", file).with_context("limit", "yaml_bytes");
    }
    let what = match cause.fault() {
        Fault::Encoding(what) | Fault::Syntax(what) | Fault::Value(what) | Fault::NotJson(what) => what,
        _ => "not YAML",
    };
    let place = cause.position();
    let message = format!("cannot load {file}: yaml: line {}: {what}", place.line);
    let error = Error::new(ErrorKind::InvalidChart, message)
        .with_reason(Reason::YamlSyntax)
        .with_context("file", file);
    let general = Error::from(cause);
    let error = match general.hint() {
        Some(hint) => error.with_hint(hint.to_owned()),
        None => error,
    };
    at(error, Some(place)).with_source(cause)
}
