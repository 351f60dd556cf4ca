//! `!!binary` scalars.

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

pub(super) struct Binary {
    pub(super) text: String,
    /// Whether the bytes were no UTF-8: Go's JSON has U+FFFD for each byte that is not.
    pub(super) broken: bool,
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
    let mut out = String::with_capacity(bytes.len());
    let mut broken = false;
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        for _ in chunk.invalid() {
            out.push(char::REPLACEMENT_CHARACTER);
            broken = true;
        }
    }
    Some(Binary { text: out, broken })
}
