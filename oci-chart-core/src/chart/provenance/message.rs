//! The text that is signed: Chart.yaml, a line of three dots, digests of files.

use super::error::ProvenanceError;
use crate::{
    chart::Metadata,
    digest::Digest,
    error::Result,
    json,
    yaml::{self, Bounds, Document, Kind, Node},
};

const SEPARATOR: &str = "\n...\n";

/// Files that one text may list. Helm writes one.
const MOST_FILES: usize = 1_000;

/// What a signed text says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    /// The part with the metadata, for whoever wants to know the rest of it.
    pub(super) metadata: String,
    pub(super) name: Option<String>,
    pub(super) version: Option<String>,
    /// Names and sums, sorted by name.
    pub(super) files: Vec<(String, String)>,
}

impl Message {
    pub(super) fn parse(text: &str) -> Result<Self, ProvenanceError> {
        let parts: Vec<&str> = text.split(SEPARATOR).take(3).collect();
        let &[metadata, sums] = parts.as_slice() else {
            return Err(ProvenanceError::Parts(parts.len()));
        };
        let chart = document("metadata", metadata)?;
        let (name, version) = match &chart {
            None => (None, None),
            Some(document) => (field(document, "name")?, field(document, "version")?),
        };
        let files = files(document("files", sums)?)?;
        Ok(Self { metadata: metadata.to_owned(), name, version, files })
    }
}

pub(super) fn build(metadata: &Metadata, file: &str, digest: &Digest) -> Result<String> {
    let mut sums = String::from("{\"files\":{");
    json::string(&mut sums, file);
    sums.push(':');
    json::string(&mut sums, &digest.to_string());
    sums.push_str("}}");
    Ok(metadata.to_yaml()? + SEPARATOR + &yaml::emit_json(&sums)?)
}

/// The one document of a part; none where there is nothing.
fn document(part: &'static str, text: &str) -> Result<Option<Document>, ProvenanceError> {
    let wrong = |what: String| ProvenanceError::Document { part, what };
    let mut documents =
        Document::parse_all(text.as_bytes(), &Bounds::default()).map_err(|error| wrong(error.to_string()))?;
    if documents.len() > 1 {
        return Err(wrong(format!("{} YAML documents where one is expected", documents.len())));
    }
    let document = documents.pop().filter(|document| !document.root().is_null());
    match document {
        Some(document) if document.root().kind() != Kind::Mapping => Err(wrong("no mapping".to_owned())),
        // Readers differ on which of two counts.
        Some(document) if document.has_repeated_keys() => Err(wrong("a key is there twice".to_owned())),
        document => Ok(document),
    }
}

/// A field of the metadata as Helm reads it.
fn field(document: &Document, name: &'static str) -> Result<Option<String>, ProvenanceError> {
    let wrong = |what: &str| ProvenanceError::Document { part: "metadata", what: format!("{name} {what}") };
    let mut found = document.root().fields(name);
    let Some(node) = found.next() else { return Ok(None) };
    if found.next().is_some() {
        return Err(wrong("is there in two spellings"));
    }
    let text = node.helm_string().ok_or_else(|| wrong("is no text"))?;
    Ok(Some(text.into_owned()).filter(|text| !text.is_empty()))
}

fn files(document: Option<Document>) -> Result<Vec<(String, String)>, ProvenanceError> {
    let wrong = |what: &str| ProvenanceError::Document { part: "files", what: what.to_owned() };
    let document = document.ok_or_else(|| wrong("there is nothing in it"))?;
    let mut found = document.root().fields("files");
    let list: Node<'_> = found.next().ok_or_else(|| wrong("there is no list of files"))?;
    if found.next().is_some() {
        return Err(wrong("the list of files is there in two spellings"));
    }
    if list.kind() != Kind::Mapping || list.entries().len() > MOST_FILES {
        return Err(wrong("the list of files is no mapping, or too long"));
    }
    list.entries()
        .map(|(name, sum)| match sum.helm_string() {
            Some(sum) => Ok((name.to_owned(), sum.into_owned())),
            None => Err(wrong("a file's digest is no text")),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<(Option<String>, Option<String>, usize), ProvenanceError> {
        Message::parse(text).map(|message| (message.name, message.version, message.files.len()))
    }

    #[test]
    fn a_message_says_which_chart_and_which_files() {
        let some = |text: &str| Some(text.to_owned());
        for (text, want) in [
            ("name: a\nversion: 1.2.3\n\n...\nfiles:\n  a.tgz: sha256:00\n", (some("a"), some("1.2.3"), 1)),
            (
                "Name: a\nversion: 1.10\n...\n---\nFILES: {a: b, c: 1}\nimages: {}",
                (some("a"), some("1.1"), 2),
            ),
            ("\n...\nfiles: {}\n", (None, None, 0)),
            ("name:\n...\nfiles: {}\n", (None, None, 0)),
        ] {
            assert_eq!(parse(text), Ok(want), "{text:?}");
        }
    }

    #[test]
    fn two_readers_never_see_two_things() {
        for text in [
            "name: a\nfiles: {}\n",
            "name: a\n...\nfiles: {}\n...\nmore: 1\n",
            "name: a\n--- # c\nname: b\n...\nfiles: {}\n",
            "name: a\nname: b\n...\nfiles: {}\n",
            "name: a\nNAME: b\n...\nfiles: {}\n",
            "name: [a]\n...\nfiles: {}\n",
            "a\n...\nfiles: {}\n",
            "name: a\n...\n",
            "name: a\n...\nfile: {}\n",
            "name: a\n...\nfiles: []\n",
            "name: a\n...\nfiles: {a: b, a: c}\n",
            "name: a\n...\nfiles: {a: b}\nFiles: {a: c}\n",
            "name: a\n...\nfiles: {a: [b]}\n",
            "name: {\n...\nfiles: {}\n",
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn what_is_built_is_helm_s_and_can_be_read() {
        let mut metadata = Metadata::new("web", "1.2.3");
        metadata.keywords = vec!["a".to_owned()];
        let digest = Digest::of(b"{}");
        let text = build(&metadata, "web-1.2.3.tgz", &digest).unwrap();
        let want = format!(
            "apiVersion: v2\nkeywords:\n- a\nname: web\nversion: 1.2.3\n\n...\nfiles:\n  web-1.2.3.tgz: {digest}\n"
        );
        assert_eq!(text, want);
        let read = Message::parse(&text).unwrap();
        assert_eq!(read.files, [("web-1.2.3.tgz".to_owned(), digest.to_string())]);
    }
}
