//! Sigstore bundles (v0.3): one JSON document that holds a signature and all that is needed to check it.

use super::{
    dsse::{Envelope, IN_TOTO, base64},
    flaw::{Flaw, shown},
    strict_json::{self, Json},
};
use crate::{error::Reason, limits::Limits};

/// The media types of version 0.3, in both spellings.
const TYPES: [&str; 2] =
    ["application/vnd.dev.sigstore.bundle.v0.3+json", "application/vnd.dev.sigstore.bundle+json;version=0.3"];

/// What a bundle says. Nothing in here is proven; the envelope's signature is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bundle<'a> {
    pub(crate) material: Material,
    pub(crate) envelope: Envelope,
    /// Entries of transparency logs, as they stand there.
    pub(crate) log_entries: Vec<Json<'a>>,
}

/// What is to be used to check the signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Material {
    /// A key that the verifier has.
    Key,
    /// A certificate in the bundle itself.
    Certificate,
}

impl<'a> Bundle<'a> {
    /// Reads a bundle as strictly as cosign does: known fields only, none twice, and an envelope inside.
    pub(crate) fn parse(bytes: &'a [u8], limits: &Limits) -> Result<Self, Flaw> {
        let [kind, material, message, envelope] = strict_json::parse(bytes)?.fields(
            "the bundle",
            ["mediaType", "verificationMaterial", "messageSignature", "dsseEnvelope"],
        )?;
        match kind.and_then(Json::text).as_deref() {
            Some(kind) if TYPES.contains(&kind) => {}
            Some(kind) => {
                return Err(Flaw::malformed(format!("not a bundle of version 0.3: {}", shown(kind))));
            }
            None => return Err(Flaw::malformed("the bundle names no media type")),
        }
        let material = material.ok_or_else(|| Flaw::malformed("the bundle has no verification material"))?;
        let (material, log_entries) = read_material(material, limits)?;
        match (envelope, message) {
            (Some(envelope), None) => Ok(Self { material, envelope: Envelope::read(envelope)?, log_entries }),
            (None, Some(_)) => Err(Flaw::new(
                Reason::NotASignature,
                "the bundle signs bytes and not a statement about a manifest",
            )),
            _ => Err(Flaw::malformed("the bundle has not exactly one content")),
        }
    }
}

/// The bundle of one envelope with one signature of a key, as cosign 3 writes it.
pub(crate) fn write(hint: &str, payload: &str, signature: &[u8]) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let (payload, signature) = (STANDARD.encode(payload), STANDARD.encode(signature));
    let [kind, _] = TYPES;
    format!(
        r#"{{"mediaType":"{kind}","verificationMaterial":{{"publicKey":{{"hint":"{hint}"}}}},"dsseEnvelope":{{"payload":"{payload}","payloadType":"{IN_TOTO}","signatures":[{{"sig":"{signature}"}}]}}}}"#
    )
}

/// What signed, and the log entries; both lists within their bounds.
fn read_material<'a>(json: Json<'a>, limits: &Limits) -> Result<(Material, Vec<Json<'a>>), Flaw> {
    let [key, chain, certificate, entries, stamps] = json.fields(
        "the verification material",
        ["publicKey", "x509CertificateChain", "certificate", "tlogEntries", "timestampVerificationData"],
    )?;
    let kind = match (key, certificate, chain) {
        (Some(key), None, None) => {
            key.fields("the public key's description", ["hint"])?;
            Material::Key
        }
        (None, Some(certificate), None) => {
            let [bytes] = certificate.fields("the certificate", ["rawBytes"])?;
            base64(&bytes.and_then(Json::text).unwrap_or_default(), "the certificate")?;
            Material::Certificate
        }
        (None, None, Some(_)) => {
            return Err(Flaw::malformed("bundles of version 0.3 have one certificate and no chain"));
        }
        _ => return Err(Flaw::malformed("the bundle names not exactly one key or certificate")),
    };
    let stamps = match stamps {
        Some(data) => data.fields("the time stamps' place", ["rfc3161Timestamps"])?[0],
        None => None,
    };
    list(stamps, limits.timestamps, "timestamps")?;
    Ok((kind, list(entries, limits.log_entries, "log_entries")?))
}

/// The values of a list of at most so many.
fn list<'a>(json: Option<Json<'a>>, most: u32, limit: &str) -> Result<Vec<Json<'a>>, Flaw> {
    let Some(json) = json else { return Ok(Vec::new()) };
    let items = json.items().ok_or_else(|| Flaw::malformed("what is to be a list in the bundle is none"))?;
    let items: Vec<_> = items.take(most as usize + 1).collect();
    if items.len() > most as usize {
        let message = format!("the bundle has more entries than `{limit}` allows: {most}");
        return Err(Flaw::new(Reason::TooManyParts, message));
    }
    Ok(items)
}
