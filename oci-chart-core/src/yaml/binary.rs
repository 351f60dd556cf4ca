//! `!!binary` scalars.

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use crate::json;

pub(super) struct Binary {
    pub(super) text: String,
    /// The JSON text, if the bytes were no UTF-8. Go escapes the replacement character where it stands for such a byte, and
    /// only there.
    pub(super) broken_json: Option<String>,
}

/// Go's standard encoding: padded, blind to line breaks and to leftover bits.
const GO_STANDARD: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

pub(super) fn decode(text: &str) -> Option<Binary> {
    let text: Vec<u8> = text.bytes().filter(|b| !matches!(b, b'\r' | b'\n')).collect();
    let bytes = GO_STANDARD.decode(text).ok()?;
    let (mut text, mut json) = (String::with_capacity(bytes.len()), String::from("\""));
    let mut broken = false;
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        json::escape_into(&mut json, chunk.valid());
        for _ in chunk.invalid() {
            text.push(char::REPLACEMENT_CHARACTER);
            json.push_str("\\ufffd");
            broken = true;
        }
    }
    json.push('"');
    Some(Binary { text, broken_json: broken.then_some(json) })
}
