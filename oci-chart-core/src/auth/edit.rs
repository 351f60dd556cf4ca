//! Changes in a file of logins that leave everything else in it as it was, byte for byte.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::json;

/// Sets the login for `key`, and removes those for which `drop_key` holds, in the text of a docker configuration. `None` where nothing
/// changes. Fails on a text that is no JSON object.
pub(super) fn change_logins(
    text: &str,
    drop_key: impl Fn(&str) -> bool,
    set: Option<(&str, &str)>,
) -> Result<Option<Zeroizing<String>>, serde_json::Error> {
    let text = if text.trim().is_empty() { "{}" } else { text };
    let mut file: Object = serde_json::from_str(text)?;
    let auths = file.get("auths").map_or("{}", RawValue::get);
    let mut auths: Object = serde_json::from_str(if auths == "null" { "{}" } else { auths })?;
    let before = auths.0.len();
    auths.0.retain(|(key, _)| !drop_key(key) || set.is_some_and(|(own, _)| own == key));
    if set.is_none() && auths.0.len() == before {
        return Ok(None);
    }
    if let Some((key, entry)) = set {
        auths.set(key, RawValue::from_string(entry.to_owned())?);
    }
    let auths = auths.print("\t", "");
    file.set("auths", RawValue::from_string(auths.as_str().to_owned())?);
    let mut text = file.print("", "");
    text.push('\n');
    Ok(Some(text))
}

/// An object in its own order, whose values are left as they are written.
struct Object(Vec<(String, Box<RawValue>)>);

impl Object {
    fn get(&self, name: &str) -> Option<&RawValue> {
        self.0.iter().rev().find(|(key, _)| key == name).map(|(_, value)| &**value)
    }

    fn set(&mut self, name: &str, value: Box<RawValue>) {
        match self.0.iter_mut().rev().find(|(key, _)| key == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }

    /// With tabs, as docker writes.
    fn print(&self, indent: &str, end: &str) -> Zeroizing<String> {
        let mut out = Zeroizing::new(String::from("{"));
        for (n, (key, value)) in self.0.iter().enumerate() {
            out.push_str(if n == 0 { "\n\t" } else { ",\n\t" });
            out.push_str(indent);
            json::string(&mut out, key);
            out.push_str(": ");
            out.push_str(value.get());
        }
        if !self.0.is_empty() {
            out.push('\n');
            out.push_str(indent);
        }
        out.push('}');
        out.push_str(end);
        out
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut members: Vec<(String, Box<RawValue>)> = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Object(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> String {
        change_logins(text, |_| false, Some(("h", r#"{"auth": "dTpw"}"#))).unwrap().unwrap().to_string()
    }

    #[test]
    fn a_login_goes_in_and_out_and_the_rest_stays() {
        let text = "{\n  \"HttpHeaders\": {\"b\": 1.50, \"a\": [ ]},\n\t\"auths\": {\"z\": {\"auth\":\"eDp5\", \"own\":  true}},\n  \"psFormat\": \"x\\u0041\"}";
        let with = set(text);
        assert_eq!(
            with,
            "{\n\t\"HttpHeaders\": {\"b\": 1.50, \"a\": [ ]},\n\t\"auths\": {\n\t\t\"z\": {\"auth\":\"eDp5\", \"own\":  true},\n\t\t\"h\": {\"auth\": \"dTpw\"}\n\t},\n\t\"psFormat\": \"x\\u0041\"\n}\n"
        );
        assert_eq!(set(&with), with, "twice is once");
        let without = change_logins(&with, |key| key == "h", None).unwrap().unwrap();
        assert!(!without.contains("\"h\"") && without.contains("\"z\": {\"auth\":\"eDp5\", \"own\":  true}"));
        assert!(change_logins(&without, |key| key == "h", None).unwrap().is_none());
    }

    #[test]
    fn files_begin_with_nothing() {
        let whole = "{\n\t\"auths\": {\n\t\t\"h\": {\"auth\": \"dTpw\"}\n\t}\n}\n";
        for text in ["", " \n", "{}", r#"{"auths":{}}"#, r#"{"auths":null}"#, r#"{"auths":{"h":{}}}"#] {
            assert_eq!(set(text), whole, "{text}");
        }
        let gone = change_logins(whole, |_| true, None).unwrap().unwrap();
        assert_eq!(gone.as_str(), "{\n\t\"auths\": {}\n}\n");
    }

    #[test]
    fn what_is_no_object_is_left_alone() {
        for text in ["[]", "x", r#"{"auths":[]}"#, "{} x", r#"{"a":}"#] {
            assert!(change_logins(text, |_| true, Some(("h", "{}"))).is_err(), "{text}");
        }
    }

    #[test]
    fn older_spellings_give_way() {
        let text = r#"{"auths":{"https://h/v1/":{},"h":{},"o":{}}}"#;
        let text = change_logins(text, |key| key != "o", Some(("h", "{\"a\":1}"))).unwrap().unwrap();
        assert_eq!(text.as_str(), "{\n\t\"auths\": {\n\t\t\"h\": {\"a\":1},\n\t\t\"o\": {}\n\t}\n}\n");
    }
}
