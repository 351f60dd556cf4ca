//! Answers of Helm's packages on record, for where there is no Go.

use std::path::PathBuf;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use oci_chart_core::yaml::{Bounds, Document, emit_json};
use serde_json::{Value, json};

use super::{TEST, emitted, question, repeat, texts};
use crate::support::{oracle::Oracle, rng::Rng, say};

/// One row a line: `t` (a text; `b`: as base64) and the JSON `j` it reads as, or `v` (a JSON value) and the YAML `y` it is written as. Without
/// `j` or `y` it is refused.
const FILE: &str = "testkit/fixtures/yaml-answers.jsonl";

/// How often an answer has to come out the same to be recorded; some are a matter of chance in Go.
const TIMES: usize = 8;

#[test]
fn answers_on_record() {
    let text = fs_err::read_to_string(path()).unwrap();
    let (mut read, mut written, mut refused) = (0, 0, 0);
    for line in text.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let (ours, helm) = match row["v"].as_str() {
            Some(value) => (emit_json(value).ok(), &row["y"]),
            None => (decode(&row), &row["j"]),
        };
        assert_eq!(ours.as_deref(), helm.as_str(), "{row}");
        match (&ours, row.get("v")) {
            (None, _) => refused += 1,
            (Some(_), None) => read += 1,
            (Some(_), Some(_)) => written += 1,
        }
    }
    assert!(
        read > 1_500 && written > 700 && refused > 1_000,
        "{read} read, {written} written, {refused} refused"
    );
}

/// Writes the record anew when `BLESS` is set.
#[test]
fn record() {
    if std::env::var_os("BLESS").is_none() {
        return;
    }
    let Some(oracle) = Oracle::find(TEST) else { return };
    let mut rng = Rng::new(42);
    let mut texts: Vec<Vec<u8>> = repeat(1_200, || texts::scalar(&mut rng));
    texts.extend(repeat(700, || texts::mapping(&mut rng)));
    texts.extend(repeat(1_200, || texts::string(&mut rng)));
    texts.extend(repeat(1_200, || texts::tokens(&mut rng)));
    texts.extend(repeat(150, || texts::behind_the_end(&mut rng)));
    let values: Vec<String> = (0..1_000).map(|_| emitted::json_text(&mut rng)).collect();
    let mut questions: Vec<Value> = texts.iter().map(|text| question("yaml", text)).collect();
    questions.extend(values.iter().map(|value| json!({"do": "yaml_emit", "json": value})));
    let rounds: Vec<Vec<Value>> = (0..TIMES).map(|_| oracle.ask_many(questions.iter().cloned())).collect();
    let mut out = String::new();
    for (index, question) in questions.iter().enumerate() {
        let answer = &rounds[0][index];
        if rounds.iter().any(|round| &round[index] != answer) {
            continue;
        }
        let columns =
            [("text", "t"), ("text_b64", "b"), ("json", "v")].map(|(from, to)| (question.get(from), to));
        let answers = [("json", "j"), ("yaml", "y")].map(|(from, to)| (answer.get(from), to));
        let row: serde_json::Map<String, Value> = columns
            .into_iter()
            .chain(answers)
            .filter_map(|(value, column)| Some((column.to_owned(), value?.clone())))
            .collect();
        out.push_str(&Value::Object(row).to_string());
        out.push('\n');
    }
    fs_err::write(path(), out).unwrap();
    say(&format!("{TEST}: {FILE} written"));
}

fn decode(row: &Value) -> Option<String> {
    let text = match row["b"].as_str() {
        Some(text) => STANDARD.decode(text).unwrap(),
        None => row["t"].as_str().unwrap().as_bytes().to_vec(),
    };
    Document::parse(&text, &Bounds::default()).and_then(|document| document.to_json()).ok()
}

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(FILE)
}
