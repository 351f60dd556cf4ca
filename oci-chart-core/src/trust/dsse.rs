//! Dead Simple Signing Envelopes (DSSE 1.0): what exactly is signed.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    flaw::{Flaw, shown},
    strict_json::Json,
};

/// The payload type of in-toto statements.
pub(crate) const IN_TOTO: &str = "application/vnd.in-toto+json";

/// An in-toto statement and one signature over it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Envelope {
    /// Type and payload, encoded as they are signed. The payload is what they end with.
    signed: Vec<u8>,
    payload: usize,
    signature: Vec<u8>,
    has_key_id: bool,
}

impl Envelope {
    /// Reads an envelope: known fields only, an in-toto statement, one signature.
    pub(crate) fn read(json: Json<'_>) -> Result<Self, Flaw> {
        let [payload, payload_type, signatures] =
            json.fields("the envelope", ["payload", "payloadType", "signatures"])?;
        let (Some(payload), Some(payload_type)) =
            (payload.and_then(Json::text), payload_type.and_then(Json::text))
        else {
            return Err(Flaw::malformed("the envelope has no payload or no type of it"));
        };
        if payload_type != IN_TOTO {
            return Err(Flaw::malformed(format!(
                "the payload is no in-toto statement: {}",
                shown(&payload_type)
            )));
        }
        let mut signatures = signatures.and_then(Json::items).into_iter().flatten();
        let (Some(signature), None) = (signatures.next(), signatures.next()) else {
            return Err(Flaw::malformed("the envelope has not exactly one signature"));
        };
        let [signature, key_id] = signature.fields("the envelope's signature", ["sig", "keyid"])?;
        let signature = signature
            .and_then(Json::text)
            .ok_or_else(|| Flaw::malformed("the envelope's signature cannot be read"))?;
        let (signed, payload) = signed_bytes(&payload)?;
        Ok(Self {
            signed,
            payload,
            signature: base64(&signature, "the envelope's signature")?,
            has_key_id: key_id.is_some_and(|id| id.raw() != "\"\""),
        })
    }

    /// The signature, where it names no key: what cosign takes.
    pub(crate) fn signature(&self) -> Result<&[u8], Flaw> {
        if self.has_key_id {
            return Err(Flaw::malformed("the signature names a key id, which nobody vouches for"));
        }
        Ok(&self.signature)
    }

    /// The statement.
    pub(crate) fn payload(&self) -> &[u8] {
        self.signed.get(self.payload..).unwrap_or_default()
    }

    /// What the signature is over.
    pub(crate) fn signed_bytes(&self) -> &[u8] {
        &self.signed
    }

    /// A part of the statement, in the memory that the statement had.
    pub(crate) fn into_part(mut self, start: usize, length: usize) -> Vec<u8> {
        let start = (self.payload + start).min(self.signed.len());
        self.signed.drain(..start);
        self.signed.truncate(length);
        self.signed
    }
}

/// The pre-authentication encoding: no two pairs of type and payload have the same.
pub(crate) fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = prefix(payload_type, payload.len());
    bytes.extend_from_slice(payload);
    bytes
}

/// The encoding of an in-toto payload that comes in base64, and where in it the payload begins. A payload of 24 MiB is there once.
fn signed_bytes(payload: &str) -> Result<(Vec<u8>, usize), Flaw> {
    let padding = payload.bytes().rev().take_while(|byte| *byte == b'=').count();
    let length = (payload.len() / 4 * 3).saturating_sub(padding);
    let mut bytes = prefix(IN_TOTO, length);
    let start = bytes.len();
    bytes.resize(start + length, 0);
    match STANDARD.decode_slice(payload, bytes.get_mut(start..).unwrap_or_default()) {
        Ok(decoded) if decoded == length => Ok((bytes, start)),
        _ => Err(Flaw::malformed("the envelope's payload is no base64")),
    }
}

fn prefix(payload_type: &str, length: usize) -> Vec<u8> {
    let prefix = format!("DSSEv1 {} {payload_type} {length} ", payload_type.len());
    let mut bytes = Vec::with_capacity(prefix.len() + length);
    bytes.extend_from_slice(prefix.as_bytes());
    bytes
}

/// Standard base64 with its padding, and nothing else.
pub(crate) fn base64(text: &str, what: &str) -> Result<Vec<u8>, Flaw> {
    STANDARD.decode(text).map_err(|_| Flaw::malformed(format!("{what} is no base64")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::strict_json;

    #[test]
    fn the_encoding_is_the_specification_s() {
        // DSSE protocol, "Test vectors".
        let bytes = pae("http://example.com/HelloWorld", b"hello world");
        assert_eq!(bytes, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    }

    #[test]
    fn a_payload_of_any_length_is_encoded_as_it_is() {
        for length in 0..50 {
            let payload = vec![b'x'; length];
            let text = STANDARD.encode(&payload);
            let json = format!(
                r#"{{"payload":"{text}","payloadType":"{IN_TOTO}","signatures":[{{"sig":"AAAA"}}]}}"#
            );
            let envelope = Envelope::read(strict_json::parse(json.as_bytes()).unwrap()).unwrap();
            assert_eq!(envelope.payload(), payload);
            assert_eq!(envelope.signed_bytes(), pae(IN_TOTO, &payload));
            assert_eq!(envelope.signature(), Ok(&[0, 0, 0][..]));
            assert_eq!(envelope.into_part(0, length), payload);
        }
        for text in [
            "A", "AA", "AAA", "AA=", "====", "A===", "AAAA=", "AAAAAA", "AA==AA==", "A\\nAAA", "AB==", "****",
        ] {
            let json = format!(
                r#"{{"payload":"{text}","payloadType":"{IN_TOTO}","signatures":[{{"sig":"AAAA"}}]}}"#
            );
            assert!(Envelope::read(strict_json::parse(json.as_bytes()).unwrap()).is_err(), "{text}");
        }
    }
}
