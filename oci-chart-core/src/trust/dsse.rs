//! Dead Simple Signing Envelopes (DSSE 1.0): what exactly is signed.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{flaw::Flaw, strict_json::Json};

/// The payload type of in-toto statements.
pub(crate) const IN_TOTO: &str = "application/vnd.in-toto+json";

/// A payload, its type, and signatures over both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Envelope {
    pub(crate) payload_type: String,
    pub(crate) payload: Vec<u8>,
    pub(crate) signatures: Vec<Signature>,
}

/// One signature. The key id says nothing that is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signature {
    pub(crate) key_id: String,
    pub(crate) bytes: Vec<u8>,
}

impl Envelope {
    /// Reads an envelope, unknown fields refused.
    pub(crate) fn read(json: &Json) -> Result<Self, Flaw> {
        json.only("the envelope", &["payload", "payloadType", "signatures"])?;
        let text = |key| json.get(key).and_then(Json::text);
        let (Some(payload), Some(payload_type)) = (text("payload"), text("payloadType")) else {
            return Err(Flaw::malformed("the envelope has no payload or no type of it"));
        };
        let signatures = json.get("signatures").and_then(Json::items).unwrap_or_default();
        let signatures = signatures.iter().map(Signature::read).collect::<Result<_, _>>()?;
        let payload = base64(payload, "the envelope's payload")?;
        Ok(Self { payload_type: payload_type.to_owned(), payload, signatures })
    }

    /// The envelope's one statement and signature, where it holds an in-toto statement, signed once and without a key id: what cosign takes.
    pub(crate) fn single_statement(&self) -> Result<&Signature, Flaw> {
        if self.payload_type != IN_TOTO {
            return Err(Flaw::malformed(format!(
                "the payload is no in-toto statement: {:?}",
                self.payload_type
            )));
        }
        match &*self.signatures {
            [signature] if signature.key_id.is_empty() => Ok(signature),
            [_] => Err(Flaw::malformed("the signature names a key id, which nobody vouches for")),
            _ => Err(Flaw::malformed("the envelope has not exactly one signature")),
        }
    }

    /// What the signatures are over.
    pub(crate) fn signed_bytes(&self) -> Vec<u8> {
        pae(&self.payload_type, &self.payload)
    }
}

impl Signature {
    fn read(json: &Json) -> Result<Self, Flaw> {
        json.only("the envelope's signature", &["sig", "keyid"])?;
        let text = |key| json.some(key).map(|value| value.text().ok_or(()));
        match (text("sig"), text("keyid").unwrap_or(Ok(""))) {
            (Some(Ok(signature)), Ok(key_id)) => {
                Ok(Self { key_id: key_id.to_owned(), bytes: base64(signature, "the envelope's signature")? })
            }
            _ => Err(Flaw::malformed("the envelope's signature cannot be read")),
        }
    }
}

/// The pre-authentication encoding: no two pairs of type and payload have the same.
pub(crate) fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

/// Standard base64 with its padding, and nothing else.
pub(crate) fn base64(text: &str, what: &str) -> Result<Vec<u8>, Flaw> {
    STANDARD.decode(text).map_err(|_| Flaw::malformed(format!("{what} is no base64")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_is_the_specification_s() {
        // DSSE protocol, "Test vectors".
        let bytes = pae("http://example.com/HelloWorld", b"hello world");
        assert_eq!(bytes, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    }
}
