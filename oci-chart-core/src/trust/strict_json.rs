//! JSON as a verifier may read it: one meaning or none.
//!
//! Two readers that differ over a document (which of two equal keys counts, whether `Digest` is `digest`) can be shown two documents. So keys
//! that are equal, or equal to a reader that ignores case as Go's does, are refused, and so is anything behind the document.
//!
//! A document is checked once and never copied: a value is the piece of text that it stands in, and is looked into as it is asked. What a stranger
//! wrote takes no more memory than its own bytes and [`ROOM`], whatever it nests or repeats.

mod check;
mod walk;

use std::borrow::Cow;

use self::walk::{Entries, Items};
use super::flaw::{Flaw, shown};

#[cfg(test)]
use check::ROOM;
pub(crate) use check::parse;
#[cfg(feature = "keyless")]
pub(crate) use walk::tree_bytes;

/// Longest text with escapes that is read, in bytes; such a text has to be copied.
const LONGEST_ESCAPED: usize = 1 << 20;

/// A value of a document that [`parse`] has checked: the text of the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Json<'a>(&'a str);

impl<'a> Json<'a> {
    /// The value as it stands in the document.
    pub(crate) fn raw(self) -> &'a str {
        self.0
    }

    /// The value of `key`, if this is an object that has it.
    pub(crate) fn get(self, key: &str) -> Option<Self> {
        self.entries()?.find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    /// The value that these keys lead to.
    pub(crate) fn at(self, path: &[&str]) -> Option<Self> {
        path.iter().try_fold(self, |json, key| json.get(key))
    }

    /// The values of `known`, where a null is as good as none; every other field is refused.
    pub(crate) fn fields<const N: usize>(
        self,
        what: &str,
        known: [&str; N],
    ) -> Result<[Option<Self>; N], Flaw> {
        let entries = self.entries().ok_or_else(|| Flaw::malformed(format!("{what} is no object")))?;
        let mut values = [None; N];
        for (key, value) in entries {
            let place = known.iter().position(|name| *name == key).and_then(|place| values.get_mut(place));
            match place {
                Some(place) => *place = Some(value).filter(|value| !value.is_null()),
                None => {
                    return Err(Flaw::malformed(format!("{what} has an unknown field {}", shown(&key))));
                }
            }
        }
        Ok(values)
    }

    pub(crate) fn is_null(self) -> bool {
        self.0 == "null"
    }

    pub(crate) fn text(self) -> Option<Cow<'a, str>> {
        let inner = self.0.strip_prefix('"')?.strip_suffix('"')?;
        if !inner.contains('\\') {
            return Some(Cow::Borrowed(inner));
        }
        (inner.len() <= LONGEST_ESCAPED).then(|| Cow::Owned(walk::unescaped(inner)))
    }

    pub(crate) fn integer(self) -> Option<u64> {
        self.0.parse().ok()
    }

    pub(crate) fn items(self) -> Option<Items<'a>> {
        Items::of(self.0)
    }

    pub(crate) fn entries(self) -> Option<Entries<'a>> {
        Entries::of(self.0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::error::Reason;

    fn reason(text: &str) -> Option<Reason> {
        parse(text.as_bytes()).err().map(|flaw| flaw.reason)
    }

    #[test]
    fn one_meaning_or_none() {
        for text in [
            r#"{"a":1,"b":{"a":2}}"#,
            " [1,{}]\n",
            r#""x""#,
            "null",
            r#"{"a":{"b":[1.5,-2,true]}}"#,
            r#"[{"a":1},{"a":2}]"#,
        ] {
            assert_eq!(reason(text), None, "{text}");
        }
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"digest":1,"Digest":2}"#,
            "{\"key\":1,\"\u{212a}ey\":2}",
            "{\"s\":1,\"\u{17f}\":2}",
            r#"[{"x":{"a":1,"b":2,"a":2}}]"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"a":{"b":1,"c":[{"b":1,"B":2}]}}"#,
        ] {
            assert_eq!(reason(text), Some(Reason::DuplicateKey), "{text}");
        }
        let deep = "[".repeat(100_000);
        for text in ["", "{", "{} {}", "{}x", "{'a':1}", "[1,]", "NaN", "\u{feff}{}", &deep] {
            assert_eq!(reason(text), Some(Reason::MalformedSignature), "{text:.20}");
        }
        assert_eq!(parse(b"\"\xff\"").unwrap_err().reason, Reason::MalformedSignature);
    }

    #[test]
    fn what_a_stranger_repeats_takes_no_room() {
        let keys: String = (0..200_000).map(|n| format!("\"{n}\":0,")).collect();
        assert_eq!(reason(&format!("{{{keys}\"x\":0}}")), Some(Reason::TooManyParts));
        let objects = "{\"key\":0},".repeat(200_000);
        assert_eq!(reason(&format!("[{objects}0]")), None);
        let long = format!("{{\"{}\":0}}", "k".repeat(ROOM));
        assert_eq!(reason(&long), Some(Reason::TooManyParts));
        let escaped = format!("\"\\u0041{}\"", "A".repeat(LONGEST_ESCAPED));
        assert_eq!(parse(escaped.as_bytes()).unwrap().text(), None);
        let plain = format!("\"{}\"", "A".repeat(LONGEST_ESCAPED + 1));
        assert!(matches!(parse(plain.as_bytes()).unwrap().text(), Some(Cow::Borrowed(_))));
    }

    #[test]
    fn unknown_fields_are_named() {
        let json = parse(br#"{"a":1,"x\n":2,"n":null}"#).unwrap();
        let [a, x, n] = json.fields("it", ["a", "x\n", "n"]).unwrap();
        assert_eq!((a.and_then(Json::integer), x.and_then(Json::integer), n), (Some(1), Some(2), None));
        assert_eq!(json.fields("it", ["a", "n"]).unwrap_err().message, r#"it has an unknown field "x\n""#);
        assert_eq!((json.get("a").and_then(Json::integer), json.get("b")), (Some(1), None));
        assert!(json.get("n").unwrap().is_null());
    }

    /// The same value by another reader's account.
    fn converted(json: Json<'_>) -> Value {
        if let Some(items) = json.items() {
            return items.map(converted).collect::<Vec<_>>().into();
        }
        if let Some(entries) = json.entries() {
            return entries
                .map(|(key, value)| (key.into_owned(), converted(value)))
                .collect::<serde_json::Map<_, _>>()
                .into();
        }
        match json.text() {
            Some(text) => text.into_owned().into(),
            None => serde_json::from_str(json.raw()).unwrap(),
        }
    }

    #[test]
    fn it_is_read_as_others_read_it() {
        let seeds = [
            r#" { "a" : [ 1 , -2.5e+3 , 0.1E-2 , true , false , null , "" ] , "b" : { "c" : "x\ny\u00e9\ud83d\ude00\\\"/" } , "é" : [ [ ] , { } ] } "#,
            r#"[{"k":"\b\f\n\r\t\/\\\""},"\u0000",[[[1]]],-0,10]"#,
            r#"{"critical":{"image":{"docker-manifest-digest":"sha256:00"},"type":"t"},"optional":null}"#,
        ];
        let letters = br#"{}[]",:\u0d8n9-+.eE tf "#;
        let mut state = 1_u64;
        let mut next = |most: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % most
        };
        let (mut taken, mut refused) = (0, 0);
        for seed in seeds {
            for _ in 0..20_000 {
                let mut bytes = seed.as_bytes().to_vec();
                for _ in 0..next(4) {
                    let at = next(bytes.len());
                    match next(3) {
                        0 => bytes[at] = letters[next(letters.len())],
                        1 => drop(bytes.remove(at)),
                        _ => bytes.insert(at, letters[next(letters.len())]),
                    }
                }
                let theirs = serde_json::from_slice::<Value>(&bytes);
                match (parse(&bytes), theirs) {
                    (Ok(ours), Ok(theirs)) => {
                        assert_eq!(converted(ours), theirs, "{}", String::from_utf8_lossy(&bytes));
                        taken += 1;
                    }
                    (Err(flaw), theirs) if flaw.reason == Reason::DuplicateKey || theirs.is_err() => {
                        refused += 1;
                    }
                    // Numbers that do not fit are nobody's here.
                    (Ok(_), Err(error)) if error.to_string().contains("number out of range") => {}
                    (ours, theirs) => panic!("{}: {ours:?} {theirs:?}", String::from_utf8_lossy(&bytes)),
                }
            }
        }
        assert!(taken > 5_000 && refused > 5_000, "{taken} {refused}");
    }
}
