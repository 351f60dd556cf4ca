//! No bytes make the YAML reader panic; what it reads is the same after a trip through the writer.

use oci_chart_core::yaml::{Bounds, Document, emit_json};

pub(crate) fn check(bytes: &[u8]) {
    let bounds = Bounds::default();
    let _ = Document::parse_all(bytes, &bounds);
    let Ok(document) = Document::parse(bytes, &bounds) else { return };
    let Ok(json) = document.to_json() else { return };
    // Some characters can be read and not written (DEL and its kin), as in Helm.
    let Ok(text) = emit_json(&json) else { return };
    if !survives_in_helm(&json) {
        return;
    }
    let again = Document::parse(text.as_bytes(), &bounds).and_then(|document| document.to_json());
    // Go escapes what stands for broken UTF-8, and not the same character where the text has it.
    let plain = |json: &str| json.replace("\\ufffd", "\u{fffd}");
    assert_eq!(again.as_deref().map(plain), Ok(plain(&json)), "{text}");
}

/// Helm's own writer loses some values, and ours loses them with it: a key `<<` merges when it is read back, the three line
/// breaks that are not LF are folded or kept by other rules than they are written, and -0 becomes a whole number.
fn survives_in_helm(json: &str) -> bool {
    !["\"\\u003c\\u003c\":", "\\u2028", "\\u2029", "\u{85}", "-0"].iter().any(|lost| json.contains(lost))
}
