//! What Flux is told to verify, as a [`Policy`]: the same signatures asked for before a chart is published, in a pipeline, or where no cluster is.

mod expression;

use serde_json::{Map, Value};

use self::expression::ExpressionError;
use super::{Identity, KeyPolicy, KeylessPolicy, Policy, Tlog, TrustRoot, TrustedKey};
use crate::{
    error::{Error, ErrorKind, Reason, Result},
    kube::{MOST_BYTES, Secret},
    yaml,
};

/// The key under which a Secret holds a trusted root.
const TRUSTED_ROOT: &str = "trusted_root.json";

impl Policy {
    /// What an object of Flux demands: `spec.verify` of an `OCIRepository` or a `HelmChart`, or `spec.chart.spec.verify` of a `HelmRelease`, YAML or JSON;
    /// with the manifests of the Secrets that it names (source-controller, `api/v1/ociverification_types.go`).
    ///
    /// - With `secretRef`, one signature by any of the keys `*.pub`; no log is asked, as Flux asks none.
    /// - Without, one of `matchOIDCIdentity`, under the root of `trustedRootSecretRef` or the [embedded](TrustRoot::embedded) one. Flux takes regular
    ///   expressions that need fit a part only; here they have to be bound by `^` and `$`, and to say no more than a [`Pattern`](super::Pattern) can.
    ///   The issuer has to be one text.
    ///
    /// What comes out takes nothing that Flux would not take, but for one thing: where an expression wants a run of one letter or more (`+`), the
    /// run may be empty. It is stricter: statements of other kinds, which Flux takes for signatures, do not count.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`], naming the field, for an object that demands nothing or has an unknown demand, a Secret that is not among `secrets`
    /// or lacks its key, a key or root that is none, an expression that is no pattern, and where anybody's certificate would do;
    /// [`ErrorKind::Unsupported`] for `provider: notation`; [`ErrorKind::LimitExceeded`] above 2 MiB.
    pub fn from_flux(object: &[u8], secrets: &[&[u8]]) -> Result<Self> {
        let secrets = secrets.iter().map(|secret| Secret::from_manifest(secret)).collect::<Result<_>>()?;
        let object: Value = yaml::from_foreign(object, MOST_BYTES)?;
        let at = |path: &[&str]| path.iter().try_fold(&object, |value, key| value.get(key));
        let verify = at(&["spec", "verify"]).or_else(|| at(&["spec", "chart", "spec", "verify"]));
        let verify = verify
            .and_then(Value::as_object)
            .ok_or_else(|| invalid("verify", "the object does not say what is to be verified"))?;
        Import { verify, secrets }.policy()
    }
}

/// One `verify` block, and the Secrets it may name.
struct Import<'a> {
    verify: &'a Map<String, Value>,
    secrets: Vec<Secret>,
}

impl Import<'_> {
    fn policy(&self) -> Result<Policy> {
        const KNOWN: [&str; 4] = ["provider", "secretRef", "matchOIDCIdentity", "trustedRootSecretRef"];
        // A demand that is passed over would be one that is dropped.
        if let Some(unknown) = self.verify.keys().find(|key| !KNOWN.contains(&key.as_str())) {
            return Err(wrong(unknown, "the object demands something that is not known here"));
        }
        match self.verify.get("provider").filter(|provider| !provider.is_null()).map(Value::as_str) {
            // What the API server writes where nothing is said.
            None | Some(Some("" | "cosign")) => {}
            Some(Some("notation")) => {
                return Err(Error::new(ErrorKind::Unsupported, "signatures of notation are not verified")
                    .with_reason(Reason::OperationUnsupported)
                    .with_context("field", "verify.provider"));
            }
            Some(_) => return Err(wrong("provider", "there is no such provider")),
        }
        let policy = match self.secret("secretRef")? {
            Some(secret) => Policy::Keys(keys(secret)?),
            None => Policy::Keyless(self.keyless()?),
        };
        policy.validate()?;
        Ok(policy)
    }

    fn keyless(&self) -> Result<KeylessPolicy> {
        let root = match self.secret("trustedRootSecretRef")? {
            Some(secret) => {
                let root = secret.data.get(TRUSTED_ROOT).and_then(|root| str::from_utf8(root).ok());
                TrustRoot::from_json(root.ok_or_else(|| {
                    wrong("trustedRootSecretRef", "the Secret has no text `trusted_root.json`")
                })?)?
            }
            None => TrustRoot::embedded(),
        };
        let list = self.verify.get("matchOIDCIdentity").filter(|list| !list.is_null());
        let list = list.map_or(Some(&[][..]), |list| list.as_array().map(Vec::as_slice));
        let list = list.ok_or_else(|| wrong("matchOIDCIdentity", "the identities are no list"))?;
        if list.is_empty() {
            return Err(wrong("matchOIDCIdentity", "anybody who has a certificate would do").with_hint(
                "name the issuer and the subject that sign; Flux takes a signature of anybody at all here",
            ));
        }
        Ok(KeylessPolicy::new(list.iter().map(identity).collect::<Result<Vec<_>>>()?, root))
    }

    /// The Secret that a field names, where it names one.
    fn secret(&self, field: &str) -> Result<Option<&Secret>> {
        let Some(named) = self.verify.get(field).filter(|named| !named.is_null()) else { return Ok(None) };
        let name = named.get("name").and_then(Value::as_str);
        let name = name.ok_or_else(|| wrong(field, "the field names no Secret"))?;
        let found = self.secrets.iter().find(|secret| secret.name.as_deref() == Some(name));
        found.map(Some).ok_or_else(|| {
            wrong(field, "the Secret that is named is not there").with_context("secret", format!("{name:?}"))
        })
    }
}

/// Any of the keys of a Secret.
fn keys(secret: &Secret) -> Result<KeyPolicy> {
    let mut keys = Vec::new();
    for (file, key) in secret.data.iter().filter(|(file, _)| file.ends_with(".pub")) {
        let key = str::from_utf8(key).unwrap_or_default().parse();
        let key = key.map_err(|error: Error| error.with_context("key", format!("{file:?}")))?;
        keys.push(TrustedKey::new(key).with_name(file));
    }
    if keys.is_empty() {
        return Err(wrong("secretRef", "the Secret has no key whose name ends with `.pub`"));
    }
    Ok(KeyPolicy::new(keys, Tlog::IgnoreExplicitly))
}

fn identity(matcher: &Value) -> Result<Identity> {
    let pattern = |field: &str| {
        let expression = matcher.get(field).and_then(Value::as_str);
        let expression = expression.ok_or_else(|| wrong("matchOIDCIdentity", "an identity lacks a part"))?;
        expression::pattern(expression).map_err(|why| {
            let message = match why {
                ExpressionError::Open => "the expression has to fit a part of the text only".to_owned(),
                ExpressionError::Part(part) => format!("the expression has a part that no pattern has: {part:?}"),
                ExpressionError::Pattern(error) => error.to_string(),
            };
            wrong("matchOIDCIdentity", message)
                .with_context("expression", format!("{expression:?}"))
                .with_hint("write it with `^` and `$`, all of the scheme and host, `[^/]+` for one segment, and `.*` behind a `/` or `@` only")
        })
    };
    let issuer = pattern("issuer")?;
    let issuer = issuer.as_exact().ok_or_else(|| {
        wrong("matchOIDCIdentity", "the issuer has to be one text, for it vouches for all the rest")
    })?;
    Identity::matching(issuer, pattern("subject")?)
}

fn wrong(field: &str, message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    invalid(format!("verify.{field}"), message)
}

fn invalid(field: impl Into<String>, message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidInput, message)
        .with_reason(Reason::FieldInvalid)
        .with_context("field", field.into())
}
