//! Metadata out of JSON: the configuration blob of an artifact.

use std::{borrow::Cow, fmt};

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::{Kind, Source};
use crate::{
    error::{Error, ErrorKind, Reason, Result},
    json,
    yaml::Position,
};

/// A JSON value that keeps the order of its entries.
#[derive(Debug, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Number(f64),
    String(String),
    List(Vec<Self>),
    Map(Vec<(String, Self)>),
}

/// Reads JSON text; serde_json stops at 128 levels.
pub(super) fn parse(text: &[u8]) -> Result<Value> {
    serde_json::from_slice(text).map_err(|error| {
        Error::new(ErrorKind::InvalidChart, "the configuration is not JSON")
            .with_reason(Reason::FieldType)
            .with_context("line", error.line())
            .with_context("column", error.column())
            .with_source(error)
    })
}

impl<'a> Source<'a> for &'a Value {
    fn kind(self) -> Kind {
        match self {
            Value::Null => Kind::Null,
            Value::Bool(_) => Kind::Bool,
            Value::Number(_) => Kind::Number,
            Value::String(_) => Kind::String,
            Value::List(_) => Kind::List,
            Value::Map(_) => Kind::Map,
        }
    }

    fn position(self) -> Option<Position> {
        None
    }

    fn entries(self) -> Vec<(Cow<'a, str>, Self)> {
        let Value::Map(entries) = self else { return Vec::new() };
        entries.iter().map(|(key, value)| (Cow::Borrowed(key.as_str()), value)).collect()
    }

    fn items(self) -> Vec<Self> {
        let Value::List(items) = self else { return Vec::new() };
        items.iter().collect()
    }

    fn as_bool(self) -> Option<bool> {
        if let Value::Bool(value) = self { Some(*value) } else { None }
    }

    fn text(self) -> Option<Cow<'a, str>> {
        if let Value::String(text) = self { Some(Cow::Borrowed(text)) } else { None }
    }

    fn json(self) -> Option<String> {
        let mut out = String::new();
        self.write(&mut out);
        Some(out)
    }
}

impl Value {
    /// As deep as the reader lets a text be.
    fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Number(value) => {
                if !json::float64(out, *value) {
                    out.push_str("null");
                }
            }
            Self::String(text) => json::string(out, text),
            Self::List(items) => {
                for (n, item) in items.iter().enumerate() {
                    out.push(if n == 0 { '[' } else { ',' });
                    item.write(out);
                }
                out.push_str(if items.is_empty() { "[]" } else { "]" });
            }
            Self::Map(entries) => {
                let sorted: std::collections::BTreeMap<_, _> =
                    entries.iter().map(|(key, value)| (key, value)).collect();
                for (n, (key, value)) in sorted.iter().enumerate() {
                    out.push(if n == 0 { '{' } else { ',' });
                    json::string(out, key);
                    out.push(':');
                    value.write(out);
                }
                out.push_str(if entries.is_empty() { "{}" } else { "}" });
            }
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Builder)
    }
}

struct Builder;

impl<'de> Visitor<'de> for Builder {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    #[allow(clippy::cast_precision_loss, reason = "Go reads every number into a float64 here")]
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value as f64))
    }

    #[allow(clippy::cast_precision_loss, reason = "Go reads every number into a float64 here")]
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Number(value))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Value::Map(entries))
    }
}
