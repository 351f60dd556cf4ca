use std::collections::BTreeMap;

use super::{
    super::{
        Pattern,
        flaw::Flaw,
        statement::{COSIGN_SIGN, Statement},
        strict_json::Json,
    },
    PredicateType,
};
use crate::error::Reason;

/// What a statement must say to count, whoever signed it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Demand<'a> {
    /// That it is a signature, and nothing else.
    Signature,
    /// This, and these values in it.
    Attestation(&'a PredicateType, &'a BTreeMap<String, Pattern>),
}

impl Demand<'_> {
    /// Whether it is for a signature.
    pub(crate) fn is_signature(self) -> bool {
        matches!(self, Self::Signature)
    }

    /// Refuses statements of another kind.
    pub(crate) fn check_type(self, statement: &Statement) -> Result<(), Flaw> {
        let found = statement.predicate_type.as_str();
        match self {
            Self::Signature if found == COSIGN_SIGN => Ok(()),
            Self::Attestation(wanted, _) if found == wanted.as_str() => Ok(()),
            Self::Signature => {
                let message = format!("an attestation of type {found:?} and no signature");
                Err(Flaw::new(Reason::NotASignature, message))
            }
            Self::Attestation(..) => {
                Err(Flaw::new(Reason::OtherPredicate, format!("a statement of another type, {found:?}")))
            }
        }
    }

    /// What a statement of the right kind does not say, or says otherwise.
    pub(crate) fn check_fields(self, statement: &Statement) -> Result<(), Flaw> {
        let Self::Attestation(_, fields) = self else { return Ok(()) };
        for (pointer, pattern) in fields {
            match at(&statement.predicate, pointer).and_then(Json::text) {
                Some(value) if pattern.matches(value) => {}
                Some(value) => {
                    return Err(Flaw::new(
                        Reason::FieldMismatch,
                        format!("the predicate has {value:?} at {pointer}"),
                    ));
                }
                None => {
                    return Err(Flaw::new(
                        Reason::FieldMismatch,
                        format!("the predicate has no text at {pointer}"),
                    ));
                }
            }
        }
        Ok(())
    }
}

/// The value that a JSON pointer (RFC 6901) names.
fn at<'a>(json: &'a Json, pointer: &str) -> Option<&'a Json> {
    if pointer.is_empty() {
        return Some(json);
    }
    pointer.strip_prefix('/')?.split('/').try_fold(json, |json, step| {
        let step = step.replace("~1", "/").replace("~0", "~");
        match json {
            Json::Array(items) => items.get(step.parse::<usize>().ok()?),
            other => other.get(&step),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{super::super::strict_json, *};

    #[test]
    fn pointers_lead_where_the_rfc_says() {
        let json = strict_json::parse(br#"{"a":{"b/c":[{"~":"x"}]},"":"empty"}"#).unwrap();
        assert_eq!(at(&json, "/a/b~1c/0/~0").and_then(Json::text), Some("x"));
        assert_eq!(at(&json, "/").and_then(Json::text), Some("empty"));
        assert_eq!(at(&json, ""), Some(&json));
        for nowhere in ["a", "/b", "/a/b~1c/1", "/a/b~1c/x", "/a/b~1c/0/~0/y"] {
            assert_eq!(at(&json, nowhere), None, "{nowhere}");
        }
    }
}
