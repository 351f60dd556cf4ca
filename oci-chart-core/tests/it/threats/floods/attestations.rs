use oci_chart_core::trust::SigningKey;
#[cfg(feature = "keyless")]
use serde_json::Value;

use super::{
    super::{Forge, forge::filled},
    Flood,
};

/// Largest attestation that is read, in bytes.
const LARGEST: usize = 32 << 20;

/// Of checks of attestations, which may be large.
pub(super) const OF_ATTESTATIONS: &[Flood] = &[
    (
        "an attestation of 32 MiB",
        |forge| forge.bundle(&large_attestation(forge, &forge.key)),
        "verified",
        None,
        5,
    ),
    (
        "an attestation of 32 MiB by a stranger",
        |forge| forge.bundle(&large_attestation(forge, &SigningKey::generate().unwrap())),
        "signature-invalid",
        None,
        5,
    ),
    (
        "two attestations of 20 MiB",
        |forge| {
            let texts = [20 << 20, (20 << 20) + 1].map(|length| " ".repeat(length));
            forge.listed(texts.map(|text| forge.referrer(&text, "")).to_vec());
        },
        "could-not-check",
        Some("verify_bytes"),
        7,
    ),
    (
        "one byte more than an attestation may have",
        |forge| {
            let entry = forge.oversized_bundle((LARGEST + 1) as u64);
            forge.listed(vec![entry]);
        },
        "could-not-check",
        Some("attestation_bytes"),
        4,
    ),
    (
        "ten million empty lists",
        |forge| forge.bundle(&filled(LARGEST, r#"{"mediaType":["#, "[],", "0]}")),
        "signature-invalid",
        None,
        5,
    ),
    (
        "a million keys",
        |forge| {
            let keys: String = (0..1_000_000).map(|n| format!("\"{n}\":0,")).collect();
            forge.bundle(&format!("{{{keys}\"x\":0}}"));
        },
        "signature-invalid",
        None,
        5,
    ),
    (
        "one key of 32 MiB",
        |forge| forge.bundle(&filled(LARGEST, "{\"", "A\\u0041", "\":0}")),
        "signature-invalid",
        None,
        5,
    ),
    (
        "a payload of nothing but escapes",
        |forge| {
            forge.bundle(&filled(LARGEST,
                r#"{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":{}},"dsseEnvelope":{"payload":""#,
                "\\u0041",
                r#"","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"AAAA"}]}}"#,
            ));
        },
        "signature-invalid",
        None,
        5,
    ),
    (
        "a million signatures",
        |forge| {
            forge.bundle(&filled(LARGEST,
                r#"{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":{}},"dsseEnvelope":{"payload":"","payloadType":"application/vnd.in-toto+json","signatures":["#,
                r#"{"sig":"AAAA"},"#,
                r#"{"sig":"AAAA"}]}}"#,
            ));
        },
        "signature-invalid",
        None,
        5,
    ),
];

/// Of checks of attestations by identities.
#[cfg(feature = "keyless")]
pub(super) const OF_IDENTITIES: &[Flood] = &[
    (
        "an attestation of 32 MiB with somebody's certificate",
        |forge| certified(forge, "0,", LARGEST / 4 * 3 - 8192),
        "could-not-check",
        Some("keyless_memory"),
        5,
    ),
    (
        "as many values as are checked with somebody's certificate",
        |forge| certified(forge, "0,", 1_950_000),
        "signature-invalid",
        None,
        5,
    ),
    (
        "as many objects as are checked with somebody's certificate",
        |forge| certified(forge, "{\"\":0},", 500_000),
        "signature-invalid",
        None,
        5,
    ),
    (
        "as long a text as is checked with somebody's certificate",
        |forge| certified(forge, "\"\",", 10_400_000),
        "signature-invalid",
        None,
        5,
    ),
];

/// A bundle whose certificate is good, and whose statement is of somebody else.
#[cfg(feature = "keyless")]
fn certified(forge: &Forge, middle: &str, length: usize) {
    let fixture = crate::keyless::chart::fixture("bundles/attestation.json");
    let mut bundle: Value = serde_json::from_slice(&fixture).unwrap();
    let large = forge.signed(&large_statement(forge, middle, length));
    let large: Value = serde_json::from_str(&large).unwrap();
    bundle["dsseEnvelope"] = large["dsseEnvelope"].clone();
    forge.bundle(&bundle.to_string());
}

/// A signed statement of the largest size, most of it a list of zeros.
fn large_attestation(forge: &Forge, key: &SigningKey) -> String {
    forge.signed_by(key, &large_statement(forge, "0,", LARGEST / 4 * 3 - 8192))
}

/// A statement of about this length, most of it a list of these.
fn large_statement(forge: &Forge, middle: &str, length: usize) -> String {
    let statement = forge.statement().replace("sigstore.dev/cosign/sign/v1", "slsa.dev/provenance/v1");
    let list = match middle {
        "\"\"," => format!("\"{}\"", "x".repeat(length)),
        middle => format!("{}0", middle.repeat(length / middle.len())),
    };
    statement.replace("\"predicate\":{}", &format!("\"predicate\":{{\"a\":[{list}]}}"))
}
