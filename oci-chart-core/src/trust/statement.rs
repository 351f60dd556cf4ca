//! In-toto statements: which digest something is said of, and what kind of thing is said.

use std::{borrow::Cow, collections::BTreeMap};

use super::{
    flaw::{Flaw, shown},
    strict_json::{self, Json},
    words::Words,
};
use crate::{digest::Digest, error::Reason, limits::Limits};

/// The predicate type of cosign's signatures. Everything else is an attestation, and no signature.
pub(crate) const COSIGN_SIGN: &str = "https://sigstore.dev/cosign/sign/v1";

pub(crate) const TYPES: [&str; 2] = ["https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"];

/// The most digests that one subject may have.
const MOST_DIGESTS: usize = 32;

/// A statement.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Statement<'a> {
    pub(crate) subjects: Vec<Subject<'a>>,
    pub(crate) predicate_type: Cow<'a, str>,
    /// What is said, where anything is.
    pub(crate) predicate: Option<Json<'a>>,
}

/// What a statement is about.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Subject<'a> {
    /// Algorithms and hexadecimal digits, as they stand there.
    digests: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// Its name, which cosign's attestations make the repository, and annotations.
    pub(crate) words: Words<'a>,
}

impl<'a> Statement<'a> {
    /// Reads a statement of version 1 or 0.1: known fields only, none twice.
    pub(crate) fn parse(payload: &'a [u8], limits: &Limits) -> Result<Self, Flaw> {
        let [kind, subjects, predicate_type, predicate] = strict_json::parse(payload)?
            .fields("the statement", ["_type", "subject", "predicateType", "predicate"])?;
        match kind.and_then(Json::text).as_deref() {
            Some(kind) if TYPES.contains(&kind) => {}
            kind => {
                let kind = shown(kind.unwrap_or_default());
                return Err(Flaw::malformed(format!("not an in-toto statement: {kind}")));
            }
        }
        let predicate_type = predicate_type.and_then(Json::text);
        let predicate_type =
            predicate_type.ok_or_else(|| Flaw::malformed("the statement names no predicate type"))?;
        let most = limits.subjects as usize;
        let subjects = subjects.and_then(Json::items).into_iter().flatten().take(most + 1);
        let subjects = subjects.map(Subject::read).collect::<Result<Vec<_>, _>>()?;
        if subjects.len() > most {
            let message = format!("the statement has more subjects than `subjects` allows: {most}");
            return Err(Flaw::new(Reason::TooManyParts, message));
        }
        Ok(Self { subjects, predicate_type, predicate })
    }

    /// The subject that is `digest`.
    pub(crate) fn about(&self, digest: &Digest) -> Result<&Subject<'a>, Flaw> {
        let found = self.subjects.iter().find(|subject| subject.is(digest));
        found.ok_or_else(|| Flaw::new(Reason::OtherSubject, "the statement is about something else"))
    }
}

impl<'a> Subject<'a> {
    fn read(json: Json<'a>) -> Result<Self, Flaw> {
        let [name, digest, annotations, ..] = json.fields(
            "the statement's subject",
            ["name", "digest", "annotations", "uri", "content", "downloadLocation", "mediaType"],
        )?;
        let text = |json: Json<'a>, what| json.text().ok_or_else(|| Flaw::malformed(what));
        let digests = digest.and_then(Json::entries).into_iter().flatten().take(MOST_DIGESTS + 1);
        let digests = digests
            .map(|(algorithm, value)| Ok((algorithm, text(value, "a digest is no text")?)))
            .collect::<Result<Vec<_>, Flaw>>()?;
        if digests.len() > MOST_DIGESTS {
            return Err(Flaw::new(Reason::TooManyParts, "a subject has too many digests"));
        }
        let identity = name.map(|name| text(name, "a subject's name is no text")).transpose()?;
        Ok(Self { digests, words: Words { identity, annotations } })
    }

    /// Whether this is what has `digest`. Compared as digests, so upper-case digits are none.
    fn is(&self, digest: &Digest) -> bool {
        self.digests
            .iter()
            .any(|(algorithm, hex)| algorithm == digest.algorithm().name() && **hex == digest.hex())
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
