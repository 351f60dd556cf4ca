//! What an entry of a transparency log says it is about. It must be this signature also where nobody asks the log: an entry of another one was put there to
//! look good.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    flaw::Flaw,
    strict_json::{self, Json},
};
use crate::error::Reason;

/// Refuses an entry whose body (base64 of JSON, as the log canonicalised it) names another signature than this one. A body of a kind that is not known here is
/// left to whoever asks the log.
pub(super) fn check(body: &str, signature: &[u8]) -> Result<(), Flaw> {
    let body = STANDARD.decode(body).map_err(|_| Flaw::malformed("a log entry's body is no base64"))?;
    let body = strict_json::parse(&body)?;
    let at = |path: &[&str]| path.iter().try_fold(&body, |json, key| json.get(key));
    let named: Vec<&str> = match at(&["kind"]).and_then(Json::text) {
        Some("hashedrekord") => {
            [at(&["spec", "signature", "content"]), at(&["spec", "hashedRekordV002", "signature", "content"])]
                .into_iter()
                .flatten()
                .filter_map(Json::text)
                .collect()
        }
        Some("dsse") => [&["spec", "signatures"][..], &["spec", "dsseV002", "signatures"]]
            .into_iter()
            .filter_map(|path| at(path).and_then(Json::items))
            .flatten()
            .filter_map(|entry| entry.get("signature").or_else(|| entry.get("content")).and_then(Json::text))
            .collect(),
        _ => return Ok(()),
    };
    let ours = named.iter().any(|text| STANDARD.decode(text).is_ok_and(|bytes| bytes == signature));
    if ours { Ok(()) } else { Err(foreign()) }
}

/// The same for the annotation that a signature tag's layer carries.
pub(super) fn check_annotation(annotation: &str, signature: &[u8]) -> Result<(), Flaw> {
    let json = strict_json::parse(annotation.as_bytes())?;
    match json.some("Payload").and_then(|payload| payload.some("body")) {
        None => Ok(()),
        Some(body) => {
            check(body.text().ok_or_else(|| Flaw::malformed("a log entry's body is no text"))?, signature)
        }
    }
}

/// The same for an entry of a bundle.
pub(super) fn check_entry(entry: &Json, signature: &[u8]) -> Result<(), Flaw> {
    match entry.some("canonicalizedBody") {
        None => Ok(()),
        Some(body) => {
            check(body.text().ok_or_else(|| Flaw::malformed("a log entry's body is no text"))?, signature)
        }
    }
}

fn foreign() -> Flaw {
    Flaw::new(Reason::OtherLogEntry, "the log entry is of another signature")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(text: &str) -> String {
        STANDARD.encode(text)
    }

    #[test]
    fn an_entry_names_its_signature() {
        let ours = STANDARD.encode("ours");
        let hashed = format!(r#"{{"kind":"hashedrekord","spec":{{"signature":{{"content":"{ours}"}}}}}}"#);
        let dsse = format!(r#"{{"kind":"dsse","spec":{{"signatures":[{{"signature":"{ours}"}}]}}}}"#);
        for text in [&hashed, &dsse] {
            assert_eq!(check(&body(text), b"ours"), Ok(()));
            assert_eq!(check(&body(text), b"theirs").map_err(|flaw| flaw.reason), Err(Reason::OtherLogEntry));
        }
        assert_eq!(check(&body(r#"{"kind":"hashedrekord"}"#), b"ours"), Err(foreign()));
        assert_eq!(check(&body(r#"{"kind":"rekord"}"#), b"ours"), Ok(()));
        assert!(check("*", b"ours").is_err() && check(&body("zzz"), b"ours").is_err());
        assert_eq!(check_annotation("{}", b"ours"), Ok(()));
        let annotation = format!(r#"{{"Payload":{{"body":"{}"}}}}"#, body(&hashed));
        assert_eq!(check_annotation(&annotation, b"ours"), Ok(()));
        assert_eq!(check_annotation(&annotation, b"other"), Err(foreign()));
        assert!(check_annotation("zzz", b"ours").is_err());
    }
}
