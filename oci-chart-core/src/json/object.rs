use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};

/// What is written as an object, and as nothing else. A struct for which reading is derived takes the list of its fields as well:
/// `["a","b"]` would be an answer of a registry.
#[derive(Debug)]
pub(crate) struct Object<T>(pub(crate) T);

/// Reads a document that is an object. Those inside it are [`Object`]s of their own.
pub(crate) fn object<'a, T: Deserialize<'a>>(text: &'a [u8]) -> serde_json::Result<T> {
    serde_json::from_slice(text).map(|Object(value)| value)
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(members)).map(Object)
            }
        }

        from.deserialize_map(Members(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Outer<'a> {
        name: &'a str,
        inner: Option<Vec<Object<Inner>>>,
    }

    #[derive(Debug, Deserialize)]
    struct Inner {
        size: u64,
    }

    impl PartialEq for Object<Inner> {
        fn eq(&self, other: &Self) -> bool {
            self.0.size == other.0.size
        }
    }

    #[test]
    fn an_object_is_read_and_a_list_is_not() {
        let read = |text: &'static str| object::<Outer<'_>>(text.as_bytes()).ok();
        let inner = |sizes: &[u64]| Some(sizes.iter().map(|size| Object(Inner { size: *size })).collect());
        for (text, expected) in [
            (r#"{"name":"a"}"#, Some(Outer { name: "a", inner: None })),
            (r#" {"inner":null,"name":"a","else":[1]} "#, Some(Outer { name: "a", inner: None })),
            (
                r#"{"name":"a","inner":[{"size":1},{"size":2}]}"#,
                Some(Outer { name: "a", inner: inner(&[1, 2]) }),
            ),
            (r#"["a",null]"#, None),
            (r#"{"name":"a","inner":[[1]]}"#, None),
            (r#"{"inner":[]}"#, None),
            (r#"{"name":"a"} x"#, None),
            ("null", None),
            ("\"a\"", None),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
        assert!(serde_json::from_str::<Outer<'_>>(r#"["a",null]"#).is_ok(), "what serde takes by itself");
    }
}
