//! A signature tag's layer made by an identity, as the bundle v0.1 that says the same. Cosign 1 and 2 spread over annotations what a bundle
//! holds together (cosign, `specs/SIGNATURE_SPEC.md`); nothing is added and nothing decided here.

use std::{borrow::Cow, collections::BTreeMap};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::super::{
    flaw::Flaw,
    strict_json::{self, Json},
};
use crate::{digest::Digest, error::Reason};

const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
const CHAIN: &str = "dev.sigstore.cosign/chain";
const BUNDLE: &str = "dev.sigstore.cosign/bundle";
const TIMESTAMP: &str = "dev.sigstore.cosign/rfc3161timestamp";

const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle+json;version=0.1";

/// The bundle of a signature tag's layer, whose blob is `payload`. With a `hint`, one without a certificate: a key has signed.
pub(super) fn signature(
    payload: &[u8],
    annotations: &BTreeMap<String, String>,
    hint: Option<&str>,
) -> Result<String, Flaw> {
    let signature = annotations
        .get(SIGNATURE)
        .filter(|text| !text.is_empty())
        .ok_or_else(|| Flaw::malformed("the layer carries no signature"))?;
    let signature: String = signature.chars().filter(|letter| !matches!(letter, '\r' | '\n')).collect();
    let digest = STANDARD.encode(Digest::of(payload).as_bytes());
    let bundle = json!({
        "mediaType": MEDIA_TYPE,
        "verificationMaterial": material(annotations, hint)?,
        "messageSignature": {
            "messageDigest": {"algorithm": "SHA2_256", "digest": digest},
            "signature": signature,
        },
    });
    Ok(bundle.to_string())
}

/// The bundle of an attestation tag's layer, whose blob is the DSSE envelope.
pub(super) fn attestation(
    envelope: Json<'_>,
    annotations: &BTreeMap<String, String>,
    hint: Option<&str>,
) -> Result<String, Flaw> {
    let (material, envelope) = (material(annotations, hint)?, envelope.raw());
    Ok(format!(
        r#"{{"mediaType":"{MEDIA_TYPE}","verificationMaterial":{material},"dsseEnvelope":{envelope}}}"#
    ))
}

fn material(annotations: &BTreeMap<String, String>, hint: Option<&str>) -> Result<Value, Flaw> {
    let mut material = match (hint, certificates(annotations)?) {
        (None, certificates) if certificates.is_empty() => {
            return Err(Flaw::new(
                Reason::ForeignMaterial,
                "signed by a key, where a certificate is asked for",
            ));
        }
        (None, certificates) => json!({"x509CertificateChain": {"certificates": certificates}}),
        (Some(hint), certificates) if certificates.is_empty() => json!({"publicKey": {"hint": hint}}),
        (Some(_), _) => {
            return Err(Flaw::new(
                Reason::ForeignMaterial,
                "comes with a certificate, where a key is asked for",
            ));
        }
    };
    let entry = annotations.get(BUNDLE).map(|text| log_entry(text)).transpose()?;
    material["tlogEntries"] = entry.into_iter().collect();
    if let Some(text) = annotations.get(TIMESTAMP) {
        let json = strict_json::parse(text.as_bytes())?;
        let token = string(json, "SignedRFC3161Timestamp")?;
        material["timestampVerificationData"] = json!({"rfc3161Timestamps": [{"signedTimestamp": token}]});
    }
    Ok(material)
}

/// The leaf, and those above it. A root among them is worth nothing: what ends the chain is found in the trusted root alone.
fn certificates(annotations: &BTreeMap<String, String>) -> Result<Vec<Value>, Flaw> {
    let pem = |key: &str| annotations.get(key).map(String::as_str).unwrap_or_default();
    let mut all = blocks(pem(CERTIFICATE))?;
    if all.len() > 1 {
        return Err(Flaw::malformed("the certificate annotation has more than one certificate"));
    }
    if !all.is_empty() {
        all.extend(blocks(pem(CHAIN))?);
    }
    Ok(all.into_iter().map(|der| json!({"rawBytes": der})).collect())
}

/// The contents of PEM blocks as base64 without line breaks.
fn blocks(text: &str) -> Result<Vec<String>, Flaw> {
    let mut blocks = Vec::new();
    for part in text.split("-----BEGIN CERTIFICATE-----").skip(1) {
        let (body, _) = part
            .split_once("-----END CERTIFICATE-----")
            .ok_or_else(|| Flaw::malformed("a certificate has no end"))?;
        let body: String = body.chars().filter(|letter| !letter.is_ascii_whitespace()).collect();
        if STANDARD.decode(&body).is_err() {
            return Err(Flaw::malformed("a certificate is not base64"));
        }
        blocks.push(body);
    }
    Ok(blocks)
}

/// Cosign's own form of a log entry, without a proof of inclusion: the log's promise alone.
fn log_entry(text: &str) -> Result<Value, Flaw> {
    let json = strict_json::parse(text.as_bytes())?;
    let promise = string(json, "SignedEntryTimestamp")?;
    let payload = json.get("Payload").ok_or_else(|| Flaw::malformed("the log entry has no payload"))?;
    let body = string(payload, "body")?;
    let number = |key: &str| {
        payload
            .get(key)
            .and_then(Json::integer)
            .ok_or_else(|| Flaw::malformed(format!("the log entry has no `{key}`")))
    };
    let log = string(payload, "logID")?;
    let log = unhex(&log).ok_or_else(|| Flaw::malformed("the log's id is not hexadecimal"))?;
    let decoded =
        STANDARD.decode(&*body).map_err(|_| Flaw::malformed("the log entry's body is not base64"))?;
    let inner = strict_json::parse(&decoded)?;
    let (kind, version) = (string(inner, "kind")?, string(inner, "apiVersion")?);
    if kind == "rekord" {
        return Err(Flaw::new(
            Reason::OperationUnsupported,
            "log entries of the kind `rekord` are not supported",
        ));
    }
    Ok(json!({
        "logIndex": number("logIndex")?.to_string(),
        "logId": {"keyId": STANDARD.encode(log)},
        "kindVersion": {"kind": kind, "version": version},
        "integratedTime": number("integratedTime")?.to_string(),
        "inclusionPromise": {"signedEntryTimestamp": promise},
        "canonicalizedBody": body,
    }))
}

fn string<'a>(json: Json<'a>, key: &str) -> Result<Cow<'a, str>, Flaw> {
    json.get(key).and_then(Json::text).ok_or_else(|| Flaw::malformed(format!("`{key}` is missing")))
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    digits
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => u8::try_from(digit(high)? * 16 + digit(low)?).ok(),
            _ => None,
        })
        .collect()
}
