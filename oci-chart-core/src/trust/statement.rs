//! In-toto statements: which digest something is said of, and what kind of thing is said.

use std::collections::BTreeMap;

use super::{
    flaw::Flaw,
    strict_json::{self, Json},
};
use crate::{digest::Digest, error::Reason};

/// The predicate type of cosign's signatures. Everything else is an attestation, and no signature.
pub(crate) const COSIGN_SIGN: &str = "https://sigstore.dev/cosign/sign/v1";

pub(crate) const TYPES: [&str; 2] = ["https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"];

/// The most digests that one subject may have.
const MOST_DIGESTS: usize = 32;

/// A statement.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Statement {
    pub(crate) subjects: Vec<Subject>,
    pub(crate) predicate_type: String,
    /// What is said, where anything is.
    pub(crate) predicate: Json,
}

/// What a statement is about.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Subject {
    pub(crate) name: Option<String>,
    /// Algorithms and hexadecimal digits, as they stand there.
    pub(crate) digests: Vec<(String, String)>,
    pub(crate) annotations: Vec<(String, Json)>,
}

impl Statement {
    /// Reads a statement of version 1 or 0.1: known fields only, none twice.
    pub(crate) fn parse(payload: &[u8], most_subjects: usize) -> Result<Self, Flaw> {
        let json = strict_json::parse(payload)?;
        json.only("the statement", &["_type", "subject", "predicateType", "predicate"])?;
        match json.get("_type").and_then(Json::text) {
            Some(kind) if TYPES.contains(&kind) => {}
            kind => return Err(Flaw::malformed(format!("not an in-toto statement: {kind:?}"))),
        }
        let predicate_type = json.get("predicateType").and_then(Json::text);
        let predicate_type = predicate_type
            .ok_or_else(|| Flaw::malformed("the statement names no predicate type"))?
            .to_owned();
        let subjects = json.get("subject").and_then(Json::items).unwrap_or_default();
        if subjects.len() > most_subjects {
            return Err(Flaw::new(
                Reason::TooManyParts,
                format!(
                    "the statement has {} subjects where `subjects` allows {most_subjects}",
                    subjects.len()
                ),
            ));
        }
        let subjects = subjects.iter().map(Subject::read).collect::<Result<_, _>>()?;
        Ok(Self { subjects, predicate_type, predicate: json.get("predicate").cloned().unwrap_or(Json::Null) })
    }

    /// The subject that is `digest`.
    pub(crate) fn about(&self, digest: &Digest) -> Result<&Subject, Flaw> {
        let found = self.subjects.iter().find(|subject| subject.is(digest));
        found.ok_or_else(|| Flaw::new(Reason::OtherSubject, "the statement is about something else"))
    }
}

impl Subject {
    fn read(json: &Json) -> Result<Self, Flaw> {
        json.only(
            "the statement's subject",
            &["name", "uri", "digest", "content", "downloadLocation", "mediaType", "annotations"],
        )?;
        let name = json.some("name").map(|name| name.text().map(str::to_owned));
        let name = name
            .map(|name| name.ok_or_else(|| Flaw::malformed("a subject's name is no text")))
            .transpose()?;
        let entries = |key| json.some(key).and_then(Json::entries).unwrap_or_default();
        let digests = entries("digest");
        if digests.len() > MOST_DIGESTS {
            return Err(Flaw::new(Reason::TooManyParts, "a subject has too many digests"));
        }
        let digests = digests.iter().map(|(algorithm, value)| {
            let value = value.text().ok_or_else(|| Flaw::malformed("a digest is no text"))?;
            Ok((algorithm.clone(), value.to_owned()))
        });
        Ok(Self {
            name,
            digests: digests.collect::<Result<_, Flaw>>()?,
            annotations: entries("annotations").to_vec(),
        })
    }

    /// Whether this is what has `digest`. Compared as digests, so upper-case digits are none.
    fn is(&self, digest: &Digest) -> bool {
        self.digests.iter().any(|(algorithm, hex)| format!("{algorithm}:{hex}").parse() == Ok(*digest))
    }
}

/// The statement of a signature, as cosign 3 writes it.
pub(crate) fn write_signature(digest: &Digest, annotations: &BTreeMap<String, String>) -> String {
    let annotations = serde_json::to_string(annotations).unwrap_or_else(|_| "{}".to_owned());
    let [kind, _] = TYPES;
    format!(
        r#"{{"_type":"{kind}","subject":[{{"digest":{{"{}":"{}"}},"annotations":{annotations}}}],"predicateType":"{COSIGN_SIGN}","predicate":{{}}}}"#,
        digest.algorithm().name(),
        digest.hex()
    )
}
