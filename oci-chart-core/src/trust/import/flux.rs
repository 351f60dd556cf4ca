use serde_json::{Map, Value};

use super::{
    super::{Identity, KeyPolicy, KeylessPolicy, Policy, Tlog, TrustRoot, TrustedKey},
    Secrets, identity, invalid, only, pattern, read, said, unsupported,
};
use crate::{
    error::{Error, Result},
    kube::Secret,
};

impl Policy {
    /// What an object of Flux demands: `spec.verify` of an `OCIRepository` or a `HelmChart`, or `spec.chart.spec.verify` of a `HelmRelease`, YAML or JSON;
    /// with the manifests of the Secrets that it names (source-controller, `api/v1/ociverification_types.go`).
    ///
    /// - With `secretRef`, one signature by any of the keys `*.pub`; no log is asked, as Flux asks none.
    /// - Without, one of `matchOIDCIdentity`, under the root of `trustedRootSecretRef` or the [embedded](TrustRoot::embedded) one. Flux takes regular
    ///   expressions that need fit a part only; here they have to be bound by `^` and `$`, and to say no more than a [`Pattern`](crate::trust::Pattern) can.
    ///   The issuer has to be one text.
    ///
    /// What comes out takes nothing that Flux would not take, but for one thing: where an expression wants a run of one letter or more (`+`), the
    /// run may be empty. It is stricter: statements of other kinds, which Flux takes for signatures, do not count.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput), naming the field, for an object that demands nothing or has an unknown demand, a Secret that is not among `secrets`
    /// or lacks its key, a key or root that is none, an expression that is no pattern, and where anybody's certificate would do;
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) for `provider: notation`; [`ErrorKind::LimitExceeded`](crate::ErrorKind::LimitExceeded) above 2 MiB.
    pub fn from_flux(object: &[u8], secrets: &[&[u8]]) -> Result<Self> {
        let secrets = Secrets::read(secrets)?;
        let object = read(object)?;
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
    secrets: Secrets,
}

impl Import<'_> {
    fn policy(&self) -> Result<Policy> {
        only(
            self.verify,
            "verify.",
            &["provider", "secretRef", "matchOIDCIdentity", "trustedRootSecretRef"],
        )?;
        match said(self.verify, "provider").map(Value::as_str) {
            // What the API server writes where nothing is said.
            None | Some(Some("" | "cosign")) => {}
            Some(Some("notation")) => {
                return Err(unsupported("verify.provider", "signatures of notation are not verified"));
            }
            Some(_) => return Err(wrong("provider", "there is no such provider")),
        }
        let policy = match self.named("secretRef")? {
            Some(name) => Policy::Keys(keys(self.secrets.get("verify.secretRef", name)?)?),
            None => Policy::Keyless(self.keyless()?),
        };
        policy.validate()?;
        Ok(policy)
    }

    fn keyless(&self) -> Result<KeylessPolicy> {
        let root = match self.named("trustedRootSecretRef")? {
            Some(name) => self.secrets.root("verify.trustedRootSecretRef", name)?,
            None => TrustRoot::embedded(),
        };
        let list = said(self.verify, "matchOIDCIdentity");
        let list = list.map_or(Some(&[][..]), |list| list.as_array().map(Vec::as_slice));
        let list = list.ok_or_else(|| wrong("matchOIDCIdentity", "the identities are no list"))?;
        if list.is_empty() {
            return Err(wrong("matchOIDCIdentity", "anybody who has a certificate would do").with_hint(
                "name the issuer and the subject that sign; Flux takes a signature of anybody at all here",
            ));
        }
        Ok(KeylessPolicy::new(list.iter().map(matcher).collect::<Result<Vec<_>>>()?, root))
    }

    /// The name of the Secret that a field names, where it names one.
    fn named(&self, field: &str) -> Result<Option<&str>> {
        let Some(named) = said(self.verify, field) else { return Ok(None) };
        let name = named.get("name").and_then(Value::as_str);
        name.map(Some).ok_or_else(|| wrong(field, "the field names no Secret"))
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

fn matcher(matcher: &Value) -> Result<Identity> {
    let part = |field: &str| {
        let expression = matcher.get(field).and_then(Value::as_str);
        let expression = expression.ok_or_else(|| wrong("matchOIDCIdentity", "an identity lacks a part"))?;
        pattern("verify.matchOIDCIdentity", expression)
    };
    identity("verify.matchOIDCIdentity", &part("issuer")?, part("subject")?)
}

fn wrong(field: &str, message: &'static str) -> Error {
    invalid(format!("verify.{field}"), message)
}
