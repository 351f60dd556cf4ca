use std::collections::BTreeMap;

use super::{
    super::{
        Pattern,
        flaw::{Flaw, shown},
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
    pub(crate) fn check_type(self, statement: &Statement<'_>) -> Result<(), Flaw> {
        let found = &*statement.predicate_type;
        match self {
            Self::Signature if found == COSIGN_SIGN => Ok(()),
            Self::Attestation(wanted, _) if found == wanted.as_str() => Ok(()),
            Self::Signature => {
                let message = format!("an attestation of type {} and no signature", shown(found));
                Err(Flaw::new(Reason::NotASignature, message))
            }
            Self::Attestation(..) => {
                let message = format!("a statement of another type, {}", shown(found));
                Err(Flaw::new(Reason::OtherPredicate, message))
            }
        }
    }

    /// What a statement of the right kind does not say, or says otherwise.
    pub(crate) fn check_fields(self, statement: &Statement<'_>) -> Result<(), Flaw> {
        let Self::Attestation(_, fields) = self else { return Ok(()) };
        for (pointer, pattern) in fields {
            let value = statement.predicate.and_then(|predicate| at(predicate, pointer)).and_then(Json::text);
            match value.as_deref() {
                Some(value) if pattern.matches(value) => {}
                Some(value) => {
                    return Err(Flaw::new(
                        Reason::FieldMismatch,
                        format!("the predicate has {} at {pointer}", shown(value)),
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
fn at<'a>(json: Json<'a>, pointer: &str) -> Option<Json<'a>> {
    if pointer.is_empty() {
        return Some(json);
    }
    pointer.strip_prefix('/')?.split('/').try_fold(json, |json, step| {
        let step = step.replace("~1", "/").replace("~0", "~");
        match json.items() {
            Some(mut items) => items.nth(place(&step)?),
            None => json.get(&step),
        }
    })
}

/// A place in a list: digits alone, and no zero in front.
fn place(step: &str) -> Option<usize> {
    let is_number = step == "0" || !step.starts_with(['0', '+']);
    is_number.then(|| step.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::{super::super::strict_json, *};

    #[test]
    fn pointers_lead_where_the_rfc_says() {
        let json = strict_json::parse(br#"{"a":{"b/c":[{"~":"x"}]},"":"empty"}"#).unwrap();
        assert_eq!(at(json, "/a/b~1c/0/~0").and_then(Json::text), Some("x".into()));
        assert_eq!(at(json, "/").and_then(Json::text), Some("empty".into()));
        assert_eq!(at(json, ""), Some(json));
        for nowhere in ["a", "/b", "/a/b~1c/1", "/a/b~1c/x", "/a/b~1c/00", "/a/b~1c/+0", "/a/b~1c/0/~0/y"] {
            assert_eq!(at(json, nowhere), None, "{nowhere}");
        }
    }
}
