//! Policies out of what others are told to verify: the same signatures asked for before a chart is published, in a pipeline, or where no cluster is.
//!
//! A demand that is not known here, or that a [`Policy`](super::Policy) cannot make, is refused by name: one that is passed over would be one that is dropped.

mod cluster_image_policy;
mod expression;
mod flux;

use std::borrow::Cow;

use serde_json::{Map, Value};

use self::expression::ExpressionError;
use super::{Identity, Pattern, TrustRoot};
use crate::{
    error::{Error, ErrorKind, Reason, Result},
    kube::{MOST_BYTES, Secret},
    yaml,
};

/// The key under which a Secret holds a trusted root.
const TRUSTED_ROOT: &str = "trusted_root.json";

/// Reads an object, YAML or JSON.
fn read(object: &[u8]) -> Result<Value> {
    yaml::from_foreign(object, MOST_BYTES)
}

/// The Secrets that an object may name.
struct Secrets(Vec<Secret>);

impl Secrets {
    fn read(manifests: &[&[u8]]) -> Result<Self> {
        manifests.iter().map(|manifest| Secret::from_manifest(manifest)).collect::<Result<_>>().map(Self)
    }

    /// The one of this name, which `field` has.
    fn get(&self, field: &str, name: &str) -> Result<&Secret> {
        self.0.iter().find(|secret| secret.name.as_deref() == Some(name)).ok_or_else(|| {
            invalid(field, "the Secret that is named is not there")
                .with_context("secret", format!("{name:?}"))
        })
    }

    /// The trusted root in the one of this name.
    fn root(&self, field: &str, name: &str) -> Result<TrustRoot> {
        let root = self.get(field, name)?.data.get(TRUSTED_ROOT).and_then(|root| str::from_utf8(root).ok());
        TrustRoot::from_json(
            root.ok_or_else(|| invalid(field, "the Secret has no text `trusted_root.json`"))?,
        )
    }
}

/// What an object says of `field`; nothing where it is null, as everywhere in Kubernetes.
fn said<'a>(object: &'a Map<String, Value>, field: &str) -> Option<&'a Value> {
    object.get(field).filter(|value| !value.is_null())
}

/// Refuses fields that are not known; `place` is that of the object, with a dot at its end.
fn only(object: &Map<String, Value>, place: &str, known: &[&str]) -> Result<()> {
    match object.keys().find(|key| !known.contains(&key.as_str())) {
        Some(unknown) => {
            Err(invalid(format!("{place}{unknown}"), "the object demands something that is not known here"))
        }
        None => Ok(()),
    }
}

/// An identity whose issuer and subject come as patterns; the issuer has to be one text.
fn identity(field: &str, issuer: &Pattern, subject: Pattern) -> Result<Identity> {
    let issuer = issuer
        .as_exact()
        .ok_or_else(|| invalid(field, "the issuer has to be one text, for it vouches for all the rest"))?;
    Identity::matching(issuer, subject)
}

/// A regular expression as a pattern.
fn pattern(field: &str, expression: &str) -> Result<Pattern> {
    expression::pattern(expression).map_err(|why| {
        let message = match why {
            ExpressionError::Open => "the expression has to fit a part of the text only".to_owned(),
            ExpressionError::Part(part) => format!("the expression has a part that no pattern has: {part:?}"),
            ExpressionError::Pattern(error) => error.to_string(),
        };
        invalid(field, message)
            .with_context("expression", format!("{expression:?}"))
            .with_hint("write it with `^` and `$`, all of the scheme and host, `[^/]+` for one segment, and `.*` behind a `/` or `@` only")
    })
}

fn invalid(field: impl Into<String>, message: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidInput, message)
        .with_reason(Reason::FieldInvalid)
        .with_context("field", field.into())
}

fn unsupported(field: impl Into<String>, message: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Unsupported, message)
        .with_reason(Reason::OperationUnsupported)
        .with_context("field", field.into())
}
