//! The YAML reader and writer against golden answers of `sigs.k8s.io/yaml`.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use oci_chart_core::yaml::{Bounds, Document, emit_json};
use serde_json::Value;

use crate::support::corpus;

#[test]
fn decoding_gives_helms_json_and_text() {
    let Some(rows) = corpus::vectors("yaml_vectors", "yaml-decode") else { return };
    let (mut read, mut refused, mut texts) = (0, 0, 0);
    for row in &rows {
        let bytes = match row["text_b64"].as_str() {
            Some(text) => STANDARD.decode(text).unwrap(),
            None => row["text"].as_str().unwrap().as_bytes().to_vec(),
        };
        let document = Document::parse(&bytes, &Bounds::default());
        let json = document.as_ref().map_err(|error| *error).and_then(Document::to_json);
        assert_eq!(json.as_deref().ok(), row["json"].as_str(), "{row}: {json:?}");
        assert_eq!(json.is_err(), row.get("error").is_some(), "{row}: {json:?}");
        if json.is_ok() {
            read += 1;
        } else {
            refused += 1;
        }
        if let Some(text) = row["as_string"].as_str() {
            let field = document.as_ref().unwrap().root().field("a").and_then(|node| node.helm_string());
            assert_eq!(field.as_deref(), Some(text), "{row}");
            texts += 1;
        }
        if row.get("as_string_error").is_some() {
            let field = document.as_ref().ok().and_then(|d| d.root().field("a")?.helm_string().map(|_| ()));
            assert_eq!(field, None, "{row}");
        }
    }
    assert!(read > 200 && refused > 50 && texts > 100, "{read} read, {refused} refused, {texts} texts");
}

#[test]
fn every_file_of_the_corpus_is_read() {
    let Some(root) = corpus::corpus("yaml_vectors") else { return };
    let mut waiting = vec![root.join("charts")];
    let mut read = 0;
    while let Some(directory) = waiting.pop() {
        for entry in fs_err::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if name != "templates" {
                    waiting.push(path);
                }
            } else if name.ends_with(".yaml") || name == "Chart.lock" {
                let text = fs_err::read(&path).unwrap();
                let document = Document::parse(&text, &Bounds::default());
                let json = document.and_then(|document| document.to_json());
                let json = json.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                assert!(serde_json::from_str::<Value>(&json).is_ok(), "{}", path.display());
                read += 1;
            }
        }
    }
    assert!(read > 150, "only {read} files");
}

#[test]
fn encoding_gives_helms_bytes() {
    let Some(rows) = corpus::vectors("yaml_vectors", "yaml-encode") else { return };
    let (mut written, mut refused) = (0, 0);
    for row in &rows {
        let yaml = emit_json(row["json"].as_str().unwrap());
        assert_eq!(yaml.as_deref().ok(), row["yaml"].as_str(), "{row}: {yaml:?}");
        assert_eq!(yaml.is_err(), row.get("error").is_some(), "{row}: {yaml:?}");
        if yaml.is_ok() {
            written += 1;
        } else {
            refused += 1;
        }
    }
    assert!(written > 300 && refused > 3, "{written} written, {refused} refused");
}
