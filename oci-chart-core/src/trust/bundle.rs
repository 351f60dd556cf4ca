//! Sigstore bundles (v0.3): one JSON document that holds a signature and all that is needed to check it.

use super::{
    dsse::{Envelope, base64},
    flaw::Flaw,
    strict_json::{self, Json},
};
use crate::error::Reason;

/// The media types of version 0.3, in both spellings.
const TYPES: [&str; 2] =
    ["application/vnd.dev.sigstore.bundle.v0.3+json", "application/vnd.dev.sigstore.bundle+json;version=0.3"];

/// What a bundle says. Nothing in here is proven; the envelope's signature is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bundle {
    pub(crate) material: Material,
    pub(crate) envelope: Envelope,
    /// Entries of transparency logs, as they stand there.
    pub(crate) log_entries: Vec<Json>,
    /// How many time stamps it carries.
    pub(crate) timestamps: usize,
}

/// What is to be used to check the signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Material {
    /// A key that the verifier has.
    Key,
    /// A certificate in the bundle itself.
    Certificate,
}

impl Bundle {
    /// Reads a bundle as strictly as cosign does: known fields only, none twice, and an envelope inside.
    pub(crate) fn parse(bytes: &[u8], log_entries: usize, timestamps: usize) -> Result<Self, Flaw> {
        let json = strict_json::parse(bytes)?;
        json.only("the bundle", &["mediaType", "verificationMaterial", "messageSignature", "dsseEnvelope"])?;
        match json.get("mediaType").and_then(Json::text) {
            Some(kind) if TYPES.contains(&kind) => {}
            Some(kind) => return Err(Flaw::malformed(format!("not a bundle of version 0.3: {kind:?}"))),
            None => return Err(Flaw::malformed("the bundle names no media type")),
        }
        let material = json.some("verificationMaterial");
        let material = material.ok_or_else(|| Flaw::malformed("the bundle has no verification material"))?;
        let (kind, log_entries, timestamps) = read_material(material, log_entries, timestamps)?;
        match (json.some("dsseEnvelope"), json.some("messageSignature")) {
            (Some(envelope), None) => {
                Ok(Self { material: kind, envelope: Envelope::read(envelope)?, log_entries, timestamps })
            }
            (None, Some(_)) => Err(Flaw::new(
                Reason::NotASignature,
                "the bundle signs bytes and not a statement about a manifest",
            )),
            _ => Err(Flaw::malformed("the bundle has not exactly one content")),
        }
    }

    /// The bundle of one envelope with one signature of a key, as cosign 3 writes it.
    pub(crate) fn write(hint: &str, payload_type: &str, payload: &[u8], signature: &[u8]) -> String {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let (payload, signature) = (STANDARD.encode(payload), STANDARD.encode(signature));
        let [kind, _] = TYPES;
        format!(
            r#"{{"mediaType":"{kind}","verificationMaterial":{{"publicKey":{{"hint":"{hint}"}}}},"dsseEnvelope":{{"payload":"{payload}","payloadType":"{payload_type}","signatures":[{{"sig":"{signature}"}}]}}}}"#
        )
    }
}

fn read_material(
    json: &Json,
    most_entries: usize,
    most_timestamps: usize,
) -> Result<(Material, Vec<Json>, usize), Flaw> {
    json.only(
        "the verification material",
        &["publicKey", "x509CertificateChain", "certificate", "tlogEntries", "timestampVerificationData"],
    )?;
    let kind = match (json.some("publicKey"), json.some("certificate"), json.some("x509CertificateChain")) {
        (Some(key), None, None) => {
            key.only("the public key's description", &["hint"])?;
            Material::Key
        }
        (None, Some(certificate), None) => {
            certificate.only("the certificate", &["rawBytes"])?;
            let bytes = certificate.get("rawBytes").and_then(Json::text).unwrap_or_default();
            base64(bytes, "the certificate")?;
            Material::Certificate
        }
        (None, None, Some(_)) => {
            return Err(Flaw::malformed("bundles of version 0.3 have one certificate and no chain"));
        }
        _ => return Err(Flaw::malformed("the bundle names not exactly one key or certificate")),
    };
    let list = |json: Option<&Json>, what: &'static str| match json {
        None => Ok(Vec::new()),
        Some(list) => {
            list.items().map(<[Json]>::to_vec).ok_or_else(|| Flaw::malformed(format!("{what} are no list")))
        }
    };
    let entries = list(json.some("tlogEntries"), "the log entries")?;
    let stamps = match json.some("timestampVerificationData") {
        None => Vec::new(),
        Some(data) => {
            data.only("the time stamps' place", &["rfc3161Timestamps"])?;
            list(data.some("rfc3161Timestamps"), "the time stamps")?
        }
    };
    for (count, most, limit) in
        [(entries.len(), most_entries, "log_entries"), (stamps.len(), most_timestamps, "timestamps")]
    {
        if count > most {
            return Err(Flaw::new(
                Reason::TooManyParts,
                format!("the bundle has {count} entries where `{limit}` allows {most}"),
            ));
        }
    }
    Ok((kind, entries, stamps.len()))
}
