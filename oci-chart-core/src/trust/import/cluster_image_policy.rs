use serde_json::{Map, Value};

use super::{
    super::{
        Format, Identity, KeyAlgorithm, KeyPolicy, KeylessPolicy, Pattern, Policy, PublicKey, Tlog,
        TrustRoot, TrustedKey,
    },
    Secrets, identity, invalid, only, pattern, read, said, unsupported,
};
use crate::error::{Error, Result};

/// Whom the root in the library speaks for.
const FULCIO: &str = "https://fulcio.sigstore.dev";
const REKOR: &str = "https://rekor.sigstore.dev";

impl Policy {
    /// What a `ClusterImagePolicy` of Sigstore's policy-controller demands (`policy.sigstore.dev`, v1alpha1 and v1beta1; the controller's
    /// v0.13.1), YAML or JSON; with the manifests of the Secrets that it names.
    ///
    /// One of its authorities is enough.
    /// - `key`, as `data` or in a Secret with one value, named by `secretRef`: one signature by it. With `ctlog` it has to be in the log.
    /// - `keyless`: one of `identities`. Regular expressions have to be bound by `^` and `$`, and to say no more than a
    ///   [`Pattern`](crate::trust::Pattern) can; the issuer has to be one text.
    /// - `static` with the action `fail` is an authority that never is enough.
    /// - `signatureFormat` says which form counts; without it, as there, that of the [signature tag](Format::SignatureTag) only.
    ///
    /// A `trustRootRef` is looked for among `secrets`, as a Secret of that name with the key `trusted_root.json`; without it, the root is the
    /// [embedded](TrustRoot::embedded) one. To which charts the policy applies (`images`, `match`) and where signatures lie (`source`) is for the caller to say,
    /// and `mode: warn` makes the policy no milder.
    ///
    /// What comes out takes nothing that the controller would not take, but for two things: where an expression wants a run of one letter or more (`+`), the run may
    /// be empty, and keys may sign bundles. It is stricter where the log is asked for: the entry has to come with the signature, for no log is asked.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput), naming the field, for an object of another kind or without authorities, an unknown demand, a
    /// Secret that is not among `secrets`, a key or root that is none, an expression that is no pattern, `static` with the action `pass`, and where
    /// anybody's certificate would do; [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) for what no [`Policy`] can ask: `attestations` (see
    /// [`AttestationPolicy`](crate::trust::AttestationPolicy)), CUE and Rego, keys in a KMS, certificates of one's own without a trusted root, timestamps in place of a log, and
    /// a prefix of tags; [`ErrorKind::LimitExceeded`](crate::ErrorKind::LimitExceeded) above 2 MiB.
    pub fn from_cluster_image_policy(object: &[u8], secrets: &[&[u8]]) -> Result<Self> {
        let (object, secrets) = (read(object)?, Secrets::read(secrets)?);
        if object.get("kind").and_then(Value::as_str) != Some("ClusterImagePolicy") {
            return Err(invalid("kind", "the object is no ClusterImagePolicy"));
        }
        let spec = object.get("spec").and_then(Value::as_object);
        let spec = spec.ok_or_else(|| invalid("spec", "the policy says nothing"))?;
        only(spec, "spec.", &["images", "match", "mode", "authorities", "policy"])?;
        if !matches!(said(spec, "mode").map(Value::as_str), None | Some(Some("" | "enforce" | "warn"))) {
            return Err(invalid("spec.mode", "there is no such mode"));
        }
        if said(spec, "policy").is_some() {
            return Err(unsupported("spec.policy", "policies in CUE and Rego are not evaluated"));
        }
        let authorities = said(spec, "authorities").and_then(Value::as_array).map(Vec::as_slice);
        let parts = authorities.unwrap_or_default().iter().enumerate().map(|(number, authority)| {
            let place = format!("spec.authorities[{number}]");
            let object = authority.as_object();
            let object = object.ok_or_else(|| invalid(&*place, "the authority is no object"))?;
            Authority { place, object, secrets: &secrets }.policy()
        });
        let mut parts: Vec<Self> = parts.filter_map(Result::transpose).collect::<Result<_>>()?;
        let policy = match parts.pop() {
            Some(only) if parts.is_empty() => only,
            Some(last) => {
                parts.push(last);
                Self::Any(parts)
            }
            None => return Err(invalid("spec.authorities", "there is nobody whose signature would do")),
        };
        policy.validate()?;
        Ok(policy)
    }
}

/// One of `authorities`.
struct Authority<'a> {
    place: String,
    object: &'a Map<String, Value>,
    secrets: &'a Secrets,
}

impl Authority<'_> {
    /// What it asks; nothing where it never is enough.
    fn policy(&self) -> Result<Option<Policy>> {
        only(
            self.object,
            &format!("{}.", self.place),
            &[
                "name",
                "key",
                "keyless",
                "static",
                "source",
                "ctlog",
                "attestations",
                "rfc3161timestamp",
                "signatureFormat",
            ],
        )?;
        if said(self.object, "attestations")
            .is_some_and(|list| list.as_array().is_none_or(|list| !list.is_empty()))
        {
            return Err(unsupported(
                self.field("attestations"),
                "a policy for signatures cannot ask for attestations",
            )
            .with_hint("take it out and check attestations of a chart with a policy of their own"));
        }
        if said(self.object, "rfc3161timestamp").is_some() {
            return Err(unsupported(
                self.field("rfc3161timestamp"),
                "a timestamp does not stand in for the log",
            ));
        }
        self.check_source()?;
        let ways = [self.part("key")?, self.part("keyless")?, self.part("static")?];
        match ways {
            [Some(key), None, None] => Ok(Some(Policy::Keys(self.keys(key)?))),
            [None, Some(keyless), None] => Ok(Some(Policy::Keyless(self.keyless(keyless)?))),
            [None, None, Some(fixed)] => match fixed.get("action").and_then(Value::as_str) {
                Some("fail") => Ok(None),
                Some("pass") => Err(invalid(self.field("static"), "charts without any signature would do")),
                _ => Err(invalid(self.field("static.action"), "there is no such action")),
            },
            _ => Err(invalid(&*self.place, "an authority has one of `key`, `keyless` and `static`")),
        }
    }

    fn keys(&self, key: &Map<String, Value>) -> Result<KeyPolicy> {
        only(key, &self.field("key."), &["data", "secretRef", "kms", "hashAlgorithm"])?;
        if said(key, "kms").is_some() {
            return Err(unsupported(self.field("key.kms"), "keys are not fetched from a KMS")
                .with_hint("write the public key itself into `data`"));
        }
        let hash = text(key, &self.field("key."), "hashAlgorithm")?.unwrap_or("sha256");
        let (field, pem) = match (said(key, "data"), said(key, "secretRef")) {
            (Some(data), None) => (self.field("key.data"), data.as_str().unwrap_or_default().to_owned()),
            (None, Some(named)) => {
                let field = self.field("key.secretRef");
                let name = named.get("name").and_then(Value::as_str);
                let name = name.ok_or_else(|| invalid(&*field, "the field names no Secret"))?;
                let values = &self.secrets.get(&field, name)?.data;
                let mut values = values.values();
                let (Some(only), None) = (values.next(), values.next()) else {
                    return Err(invalid(field, "the Secret has to have one value, the key"));
                };
                (field, String::from_utf8_lossy(only).into_owned())
            }
            _ => return Err(invalid(self.field("key"), "a key is `data` or in the Secret of `secretRef`")),
        };
        let key: PublicKey = pem.parse().map_err(|error: Error| error.with_context("field", field))?;
        if !hashes(&key).contains(&hash) {
            return Err(unsupported(
                self.field("key.hashAlgorithm"),
                "keys of this kind do not sign this hash",
            )
            .with_context("key", key.algorithm().as_str()));
        }
        let key = TrustedKey::new(key);
        let key = match text(self.object, &self.field(""), "name")? {
            Some(name) => key.with_name(name),
            None => key,
        };
        Ok(KeyPolicy::new([key], self.log()?).with_formats([self.format()?]))
    }

    /// What is asked of the log where a key signs.
    fn log(&self) -> Result<Tlog> {
        let Some(log) = self.part("ctlog")? else { return Ok(Tlog::IgnoreExplicitly) };
        match self.place_and_root("ctlog", log, &["url", "trustRootRef"])? {
            // As in the controller, where a log without a name is none.
            (None, None) => Ok(Tlog::IgnoreExplicitly),
            (url, root) => Ok(Tlog::Require(self.root("ctlog", url, REKOR, root)?)),
        }
    }

    fn keyless(&self, keyless: &Map<String, Value>) -> Result<KeylessPolicy> {
        const KNOWN: [&str; 5] = ["url", "identities", "ca-cert", "trustRootRef", "insecureIgnoreSCT"];
        let (url, named) = self.place_and_root("keyless", keyless, &KNOWN)?;
        if said(keyless, "ca-cert").is_some() {
            return Err(unsupported(self.field("keyless.ca-cert"), "a certificate alone is no trusted root")
                .with_hint("name a trusted root in `trustRootRef`"));
        }
        if said(keyless, "insecureIgnoreSCT").is_some_and(|ignore| *ignore != Value::Bool(false)) {
            return Err(unsupported(
                self.field("keyless.insecureIgnoreSCT"),
                "certificates that no log has seen do not count",
            ));
        }
        let root = self.root("keyless", url, FULCIO, named)?;
        if let Some(log) = self.part("ctlog")? {
            let (url, of_log) = self.place_and_root("ctlog", log, &["url", "trustRootRef"])?;
            if of_log != named {
                return Err(unsupported(
                    self.field("ctlog.trustRootRef"),
                    "certificates and log have to be of one trusted root",
                ));
            }
            self.root("ctlog", url, REKOR, named)?;
        }
        let identities = said(keyless, "identities").and_then(Value::as_array).map(Vec::as_slice);
        let identities = identities.unwrap_or_default();
        if identities.is_empty() {
            return Err(invalid(self.field("keyless.identities"), "anybody who has a certificate would do")
                .with_hint("name the issuer and the subject that sign"));
        }
        let identities =
            identities.iter().enumerate().map(|(number, identity)| self.identity(number, identity));
        let policy = KeylessPolicy::new(identities.collect::<Result<Vec<_>>>()?, root);
        Ok(policy.with_formats([self.format()?]))
    }

    fn identity(&self, number: usize, matcher: &Value) -> Result<Identity> {
        let field = self.field(&format!("keyless.identities[{number}]"));
        let matcher = matcher.as_object().ok_or_else(|| invalid(&*field, "the identity is no object"))?;
        only(matcher, &format!("{field}."), &["issuer", "issuerRegExp", "subject", "subjectRegExp"])?;
        let part = |exact: &str, expression: &str| {
            let place = format!("{field}.");
            match (text(matcher, &place, exact)?, text(matcher, &place, expression)?) {
                (Some(text), None) => {
                    Pattern::exact(text).map_err(|error| invalid(&*field, error.to_string()))
                }
                (None, Some(text)) => pattern(&field, text),
                _ => Err(invalid(&*field, format!("an identity has one of `{exact}` and `{expression}`"))),
            }
        };
        identity(&field, &part("issuer", "issuerRegExp")?, part("subject", "subjectRegExp")?)
    }

    /// What a part says of where it is and whom to believe; it has none but the fields that are `known`.
    fn place_and_root<'a>(
        &self,
        part: &str,
        object: &'a Map<String, Value>,
        known: &[&str],
    ) -> Result<(Option<&'a str>, Option<&'a str>)> {
        let place = self.field(&format!("{part}."));
        only(object, &place, known)?;
        Ok((text(object, &place, "url")?, text(object, &place, "trustRootRef")?))
    }

    /// The root that `part` names, or the one in the library, which speaks for `public` alone.
    fn root(&self, part: &str, url: Option<&str>, public: &str, named: Option<&str>) -> Result<TrustRoot> {
        match named {
            Some(name) => self.secrets.root(&self.field(&format!("{part}.trustRootRef")), name),
            None if url.is_none_or(|url| url.trim_end_matches('/') == public) => Ok(TrustRoot::embedded()),
            None => Err(invalid(
                self.field(&format!("{part}.url")),
                "an instance of one's own needs its trusted root",
            )
            .with_hint("name it in `trustRootRef`, and give a Secret of that name with `trusted_root.json`")),
        }
    }

    /// Where signatures lie is the caller's to say; what they are called is not.
    fn check_source(&self) -> Result<()> {
        let Some(sources) = said(self.object, "source") else { return Ok(()) };
        let field = self.field("source");
        let sources = sources.as_array().filter(|sources| sources.len() <= 1);
        let sources = sources.ok_or_else(|| invalid(&*field, "an authority has one source"))?;
        for source in sources {
            let source = source.as_object().ok_or_else(|| invalid(&*field, "the source is no object"))?;
            let place = format!("{field}[0].");
            only(source, &place, &["oci", "signaturePullSecrets", "tagPrefix"])?;
            if text(source, &place, "tagPrefix")?.is_some() {
                return Err(unsupported(
                    format!("{place}tagPrefix"),
                    "tags of signatures have no prefix here",
                ));
            }
        }
        Ok(())
    }

    fn format(&self) -> Result<Format> {
        match said(self.object, "signatureFormat").map(Value::as_str) {
            None | Some(Some("" | "legacy")) => Ok(Format::SignatureTag),
            Some(Some("bundle")) => Ok(Format::Bundle),
            Some(_) => Err(invalid(self.field("signatureFormat"), "there is no such form of signatures")),
        }
    }

    /// An object in this one.
    fn part(&self, name: &str) -> Result<Option<&Map<String, Value>>> {
        let part = said(self.object, name).map(Value::as_object);
        part.map(|part| part.ok_or_else(|| invalid(self.field(name), "the field is no object"))).transpose()
    }

    fn field(&self, name: &str) -> String {
        format!("{}.{name}", self.place)
    }
}

/// What keys of this kind sign that this library checks.
fn hashes(key: &PublicKey) -> &'static [&'static str] {
    match key.algorithm() {
        KeyAlgorithm::EcdsaP384 => &["sha256", "sha384"],
        KeyAlgorithm::EcdsaP521 => &["sha256", "sha512"],
        // The signature of Ed25519 has a hash of its own, whatever is said.
        KeyAlgorithm::Ed25519 => &["sha256", "sha384", "sha512"],
        KeyAlgorithm::EcdsaP256 | KeyAlgorithm::Rsa => &["sha256"],
    }
}

/// A text that says something: an empty one is as none. `place` is that of the object, with a dot at its end.
fn text<'a>(object: &'a Map<String, Value>, place: &str, field: &str) -> Result<Option<&'a str>> {
    let Some(value) = said(object, field) else { return Ok(None) };
    let text = value.as_str().ok_or_else(|| invalid(format!("{place}{field}"), "the field is no text"))?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}
