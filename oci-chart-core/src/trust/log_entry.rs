//! What an entry of a transparency log says it is about. It must be this signature also where nobody asks the log: an entry of another one was put there to
//! look good.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    flaw::Flaw,
    strict_json::{self, Json},
};
use crate::error::Reason;

/// Refuses an entry whose body (base64 of JSON, as the log canonicalised it) names another signature than this one. A body of a kind that is not known here, and one
/// that names none, are left to whoever asks the log.
pub(super) fn check(body: Json<'_>, signature: &[u8]) -> Result<(), Flaw> {
    let body = body.text().ok_or_else(|| Flaw::malformed("a log entry's body is no text"))?;
    let body = STANDARD.decode(&*body).map_err(|_| Flaw::malformed("a log entry's body is no base64"))?;
    let body = strict_json::parse(&body)?;
    let list = |path: &[&str], name: &str| {
        let entries = body.at(path).and_then(Json::items).into_iter().flatten();
        entries.filter_map(|entry| entry.get(name)).collect::<Vec<_>>()
    };
    let named: Vec<Json<'_>> = match body.get("kind").and_then(Json::text).as_deref() {
        Some("hashedrekord") => [&["spec"][..], &["spec", "hashedRekordV002"]]
            .into_iter()
            .filter_map(|place| body.at(place)?.at(&["signature", "content"]))
            .collect(),
        Some("dsse") => {
            [list(&["spec", "signatures"], "signature"), list(&["spec", "dsseV002", "signatures"], "content")]
                .concat()
        }
        Some("intoto") => match list(&["spec", "content", "envelope", "signatures"], "sig") {
            // Version 0.0.1 keeps hashes alone.
            none if none.is_empty() => return Ok(()),
            named => named,
        },
        _ => return Ok(()),
    };
    let ours = |bytes: Vec<u8>| {
        // In-toto entries encode what is encoded already.
        bytes == signature || STANDARD.decode(&bytes).is_ok_and(|inner| inner == signature)
    };
    let decoded = named.iter().filter_map(|text| STANDARD.decode(&*text.text()?).ok());
    if decoded.into_iter().any(ours) { Ok(()) } else { Err(foreign()) }
}

/// The same for the annotation that a signature tag's layer carries.
pub(super) fn check_annotation(annotation: &str, signature: &[u8]) -> Result<(), Flaw> {
    let json = strict_json::parse(annotation.as_bytes())?;
    match json.at(&["Payload", "body"]).filter(|body| !body.is_null()) {
        None => Ok(()),
        Some(body) => check(body, signature),
    }
}

/// The same for an entry of a bundle.
pub(super) fn check_entry(entry: Json<'_>, signature: &[u8]) -> Result<(), Flaw> {
    match entry.get("canonicalizedBody").filter(|body| !body.is_null()) {
        None => Ok(()),
        Some(body) => check(body, signature),
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

    fn reason(body: &str, signature: &[u8]) -> Option<Reason> {
        let text = format!("{body:?}");
        check(strict_json::parse(text.as_bytes()).unwrap(), signature).err().map(|flaw| flaw.reason)
    }

    #[test]
    fn an_entry_names_its_signature() {
        let ours = STANDARD.encode("ours");
        let hashed = format!(r#"{{"kind":"hashedrekord","spec":{{"signature":{{"content":"{ours}"}}}}}}"#);
        let second = hashed.replace(r#"{"signature":{"#, r#"{"hashedRekordV002":{"signature":{"#) + "}";
        let dsse = format!(r#"{{"kind":"dsse","spec":{{"signatures":[{{"signature":"{ours}"}}]}}}}"#);
        let dsse_2 =
            format!(r#"{{"kind":"dsse","spec":{{"dsseV002":{{"signatures":[{{"content":"{ours}"}}]}}}}}}"#);
        let intoto = format!(
            r#"{{"kind":"intoto","spec":{{"content":{{"envelope":{{"signatures":[{{"sig":"{}"}}]}}}}}}}}"#,
            STANDARD.encode(&ours)
        );
        for text in [&hashed, &second, &dsse, &dsse_2, &intoto] {
            assert_eq!(reason(&body(text), b"ours"), None, "{text}");
            assert_eq!(reason(&body(text), b"theirs"), Some(Reason::OtherLogEntry), "{text}");
        }
        assert_eq!(reason(&body(r#"{"kind":"hashedrekord"}"#), b"ours"), Some(Reason::OtherLogEntry));
        for unknown in [r#"{"kind":"rekord"}"#, r#"{"kind":"intoto","spec":{}}"#] {
            assert_eq!(reason(&body(unknown), b"ours"), None);
        }
        assert!(reason("*", b"ours").is_some() && reason(&body("zzz"), b"ours").is_some());
        assert_eq!(check_annotation("{}", b"ours"), Ok(()));
        let annotation = format!(r#"{{"Payload":{{"body":"{}"}}}}"#, body(&hashed));
        assert_eq!(check_annotation(&annotation, b"ours"), Ok(()));
        assert_eq!(check_annotation(&annotation, b"other"), Err(foreign()));
        assert!(check_annotation("zzz", b"ours").is_err());
    }
}
