//! Simple signing payloads: what a layer behind a `.sig` tag says of a manifest.

use std::collections::BTreeMap;

use super::{
    flaw::{Flaw, shown},
    strict_json::{self, Json},
    words::Words,
};
use crate::{digest::Digest, error::Reason, json};

/// What cosign calls its payloads.
const KIND: &str = "cosign container image signature";

/// What is signed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Payload<'a> {
    /// The manifest.
    pub(crate) digest: Digest,
    /// What else was signed.
    pub(crate) words: Words<'a>,
}

impl<'a> Payload<'a> {
    /// Reads a payload. Unknown fields are fine, as in cosign; a kind other than cosign's, keys that are there twice or in other letters, and
    /// digests in capitals are not.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Flaw> {
        let json = strict_json::parse(bytes)?;
        let text = |path: &[&str]| json.at(path).and_then(Json::text);
        match text(&["critical", "type"]).as_deref() {
            Some(KIND) => {}
            kind => {
                let kind = shown(kind.unwrap_or_default());
                let message = format!("the payload is no signature of cosign: {kind}");
                return Err(Flaw::new(Reason::NotASignature, message));
            }
        }
        let digest = text(&["critical", "image", "docker-manifest-digest"])
            .ok_or_else(|| Flaw::malformed("the payload names no digest"))?
            .parse()
            .map_err(|error| Flaw::malformed(format!("the payload's digest is none: {error}")))?;
        let annotations = json.get("optional").filter(|optional| !optional.is_null());
        if annotations.is_some_and(|optional| optional.entries().is_none()) {
            return Err(Flaw::malformed("the payload's optional part is no object"));
        }
        let identity = text(&["critical", "identity", "docker-reference"]);
        Ok(Self { digest, words: Words { identity, annotations } })
    }
}

/// A payload as cosign writes it: Go's field order and escapes, and a null where nothing was added.
pub(crate) fn write(identity: &str, digest: &Digest, optional: &BTreeMap<String, String>) -> String {
    let mut text = String::from(r#"{"critical":{"identity":{"docker-reference":"#);
    json::string(&mut text, identity);
    text.push_str(&format!(
        r#"}},"image":{{"docker-manifest-digest":"{digest}"}},"type":"{KIND}"}},"optional":"#
    ));
    if optional.is_empty() {
        text.push_str("null}");
        return text;
    }
    for (n, (key, value)) in optional.iter().enumerate() {
        text.push(if n == 0 { '{' } else { ',' });
        json::string(&mut text, key);
        text.push(':');
        json::string(&mut text, value);
    }
    text.push_str("}}");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:f92bc8c17fcbb97a117a4fabe58784c6dd623d3cfaf40e5da92929ef209cd192";

    #[test]
    fn what_is_written_is_cosign_s_and_is_read() {
        let digest = DIGEST.parse().unwrap();
        let plain = write("127.0.0.1:5701/x", &digest, &BTreeMap::new());
        assert_eq!(
            plain,
            r#"{"critical":{"identity":{"docker-reference":"127.0.0.1:5701/x"},"image":{"docker-manifest-digest":"sha256:f92bc8c17fcbb97a117a4fabe58784c6dd623d3cfaf40e5da92929ef209cd192"},"type":"cosign container image signature"},"optional":null}"#
        );
        let more =
            [("note", "<a&b>"), ("env", "prod")].map(|(key, value)| (key.to_owned(), value.to_owned()));
        let text = write("h/r", &digest, &more.into());
        assert!(text.ends_with(r#""optional":{"env":"prod","note":"\u003ca\u0026b\u003e"}}"#), "{text}");
        let payload = Payload::parse(text.as_bytes()).unwrap();
        assert_eq!(payload.digest, digest);
        let asked = [("note".to_owned(), "<a&b>".to_owned())].into();
        assert_eq!(payload.words.check(Some("h/r"), &asked), Ok(()));
        assert!(payload.words.check(Some("h/other"), &asked).is_err());
    }
}
