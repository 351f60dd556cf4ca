//! JSON as a verifier may read it: one meaning or none.
//!
//! Two readers that differ over a document (which of two equal keys counts, whether `Digest` is `digest`) can be shown two documents. So keys
//! that are equal, or equal to a reader that ignores case as Go's does, are refused, and so is anything behind the document.

use std::{borrow::Cow, collections::BTreeSet, fmt};

use serde::{
    Deserialize,
    de::{Error as _, MapAccess, SeqAccess, Visitor},
};

use super::flaw::Flaw;
use crate::error::Reason;

/// A document, keys in their order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Number(serde_json::Number),
    String(String),
    Array(Vec<Self>),
    Object(Vec<(String, Self)>),
}

/// Reads one document, surrounded by nothing but white space.
pub(crate) fn parse(bytes: &[u8]) -> Result<Json, Flaw> {
    serde_json::from_slice(bytes).map_err(|error| {
        let duplicate = error.to_string().contains(DUPLICATE);
        let reason = if duplicate { Reason::DuplicateKey } else { Reason::MalformedSignature };
        Flaw::new(reason, format!("not plain JSON: {}", error.to_string().escape_debug()))
    })
}

const DUPLICATE: &str = "one key twice";

impl Json {
    /// The value of `key`, if this is an object that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.entries()?.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The value of `key`, where a null is as good as none.
    pub(crate) fn some(&self, key: &str) -> Option<&Self> {
        self.get(key).filter(|value| **value != Self::Null)
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn items(&self) -> Option<&[Self]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    pub(crate) fn entries(&self) -> Option<&[(String, Self)]> {
        match self {
            Self::Object(entries) => Some(entries),
            _ => None,
        }
    }

    pub(crate) fn integer(&self) -> Option<u64> {
        match self {
            Self::Number(number) => number.as_u64(),
            _ => None,
        }
    }

    /// The object's entries, if all of its keys are `known`.
    pub(crate) fn only(&self, what: &str, known: &[&str]) -> Result<(), Flaw> {
        let entries = self.entries().ok_or_else(|| Flaw::malformed(format!("{what} is no object")))?;
        match entries.iter().find(|(key, _)| !known.contains(&key.as_str())) {
            None => Ok(()),
            Some((key, _)) => Err(Flaw::malformed(format!("{what} has an unknown field {key:?}"))),
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Json, E> {
        serde_json::Number::from_f64(value).map(Json::Number).ok_or_else(|| E::custom("not a number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = from.next_element()? {
            items.push(item);
        }
        Ok(Json::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Json, A::Error> {
        let (mut entries, mut keys): (Vec<(String, Json)>, _) = (Vec::new(), BTreeSet::new());
        while let Some((key, value)) = from.next_entry::<String, Json>()? {
            if !keys.insert(folded(&key).into_owned()) {
                return Err(A::Error::custom(format_args!("{DUPLICATE}: {key:?}")));
            }
            entries.push((key, value));
        }
        Ok(Json::Object(entries))
    }
}

/// A key as a reader sees it that ignores case, Unicode's simple folding included (the Kelvin sign is a k).
fn folded(key: &str) -> Cow<'_, str> {
    if key.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        return Cow::Borrowed(key);
    }
    Cow::Owned(key.to_lowercase().to_uppercase().to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_meaning_or_none() {
        for text in [r#"{"a":1,"b":{"a":2}}"#, " [1,{}]\n", r#""x""#, "null", r#"{"a":{"b":[1.5,-2,true]}}"#]
        {
            assert!(parse(text.as_bytes()).is_ok(), "{text}");
        }
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"digest":1,"Digest":2}"#,
            "{\"key\":1,\"\u{212a}ey\":2}",
            "{\"s\":1,\"\u{17f}\":2}",
            r#"[{"x":{"a":1,"a":2}}]"#,
            r#"{"a":1,"\u0061":2}"#,
        ] {
            assert_eq!(
                parse(text.as_bytes()).map_err(|flaw| flaw.reason),
                Err(Reason::DuplicateKey),
                "{text}"
            );
        }
        let deep = "[".repeat(100_000);
        for text in ["", "{", "{} {}", "{}x", "{'a':1}", "[1,]", "NaN", "\u{feff}{}", &deep] {
            let reason = parse(text.as_bytes()).map_err(|flaw| flaw.reason);
            assert_eq!(reason, Err(Reason::MalformedSignature), "{:.20}", text);
        }
    }

    #[test]
    fn unknown_fields_are_named() {
        let json = parse(br#"{"a":1,"x\n":2}"#).unwrap();
        assert!(json.only("it", &["a", "x\n"]).is_ok());
        assert_eq!(json.only("it", &["a"]).unwrap_err().message, r#"it has an unknown field "x\n""#);
        assert_eq!((json.get("a").and_then(Json::integer), json.get("b")), (Some(1), None));
    }
}
