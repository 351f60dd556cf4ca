//! YAML against Helm's own packages, over real files and generated texts.

mod emitted;
mod recorded;
mod texts;

use std::{collections::BTreeMap, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use oci_chart_core::yaml::{Bounds, Document, emit_json};
use serde_json::{Map, Value, json};

use crate::support::{
    corpus,
    oracle::{Oracle, accepted},
    rng::Rng,
    say,
};

const TEST: &str = "oracle_yaml";
/// How often a question is put again where Go's answer may be a matter of chance.
const REPEATS: usize = 40;

#[test]
fn decoding() {
    let Some(oracle) = Oracle::find(TEST) else { return };
    let Some(root) = corpus::corpus(TEST) else { return };
    let real = real_texts(&root);
    let small: Vec<&[u8]> = real.iter().filter(|text| is_small(text)).map(Vec::as_slice).collect();
    let mut rng = Rng::new(20_261_121);
    let mut total = 0;
    let classes: [(&str, Vec<Vec<u8>>); 8] = [
        ("real", real.clone()),
        ("scalar", repeat(30_000, || texts::scalar(&mut rng))),
        ("mapping", repeat(15_000, || texts::mapping(&mut rng))),
        ("string", repeat(15_000, || texts::string(&mut rng))),
        ("tokens", repeat(30_000, || texts::tokens(&mut rng))),
        ("mutation", repeat(20_000, || texts::mutation(&mut rng, &small))),
        ("encoding", repeat(3_000, || texts::encoding(&mut rng, &small))),
        ("behind the end", repeat(3_000, || texts::behind_the_end(&mut rng))),
    ];
    for (class, cases) in &classes {
        let tally = compare(&oracle, class, cases);
        total += cases.len();
        say(&format!("{TEST}: {class}: {tally}"));
    }
    assert!(total >= 100_000, "{total} cases");
    say(&format!("{TEST}: {total} texts decoded, all as Helm does"));
}

#[test]
fn text_fields() {
    let Some(oracle) = Oracle::find(TEST) else { return };
    let mut rng = Rng::new(7);
    let cases = repeat(6_000, || texts::scalar(&mut rng));
    let answers = oracle.ask_many(cases.iter().map(|text| question("yaml_string", text)));
    let mut accepted_by_both = 0;
    for (text, answer) in cases.iter().zip(&answers) {
        let Ok(document) = Document::parse(text, &Bounds::default()) else {
            assert!(!accepted(answer), "{}: Helm says {answer}", shown(text));
            continue;
        };
        let Some(want) = answer["string"].as_str() else { continue };
        let ours = document.root().fields("a").filter(|node| !node.is_null()).last();
        let ours = ours.and_then(|node| node.helm_string()).unwrap_or_default();
        assert_eq!(ours, want, "{}", shown(text));
        accepted_by_both += 1;
    }
    assert!(accepted_by_both > 2_000);
    say(&format!("{TEST}: {accepted_by_both} text fields, all as Helm fills them"));
}

#[test]
fn values_files() {
    let Some(oracle) = Oracle::find(TEST) else { return };
    let mut rng = Rng::new(11);
    let cases = repeat(3_000, || texts::values(&mut rng));
    let answers = oracle.ask_many(cases.iter().map(|text| question("values", text)));
    let (mut read, mut refused) = (0, 0);
    for (text, answer) in cases.iter().zip(&answers) {
        let ours = merged(text);
        assert_eq!(ours.is_some(), accepted(answer), "{}: {ours:?}, Helm: {answer}", shown(text));
        let Some(ours) = ours else {
            refused += 1;
            continue;
        };
        let want: Value = serde_json::from_str(answer["json"].as_str().unwrap()).unwrap();
        assert_eq!(floats(ours), floats(want), "{}", shown(text));
        read += 1;
    }
    assert!(read > 500 && refused > 500, "{read} read, {refused} refused");
    say(&format!("{TEST}: {read} values files of several documents, {refused} refused, all as Helm does"));
}

#[test]
fn encoding() {
    let Some(oracle) = Oracle::find(TEST) else { return };
    let mut rng = Rng::new(13);
    let cases: Vec<String> = (0..12_000).map(|_| emitted::json_text(&mut rng)).collect();
    let answers = oracle.ask_many(cases.iter().map(|text| json!({"do": "yaml_emit", "json": text})));
    let (mut written, mut refused, mut by_chance) = (0, 0, 0);
    for (text, answer) in cases.iter().zip(&answers) {
        let ours = emit_json(text);
        let helm = answer["yaml"].as_str();
        if let (Ok(ours), Some(helm)) = (&ours, helm)
            && ours != helm
            && same_lines(ours, helm)
            && order_is_chance(&oracle, text)
        {
            by_chance += 1;
            continue;
        }
        assert_eq!(ours.as_deref().ok(), helm, "{text}: {ours:?}, Helm: {answer}");
        if helm.is_some() {
            written += 1;
        } else {
            refused += 1;
        }
    }
    assert!(written > 8_000 && refused > 50, "{written} written, {refused} refused");
    say(&format!(
        "{TEST}: {written} values written byte for byte as Helm does, {refused} refused by both, \
         {by_chance} whose order is a matter of chance in Go"
    ));
}

fn same_lines(a: &str, b: &str) -> bool {
    let sorted = |text: &str| {
        // Whichever key comes first stands behind the signs of its list or long key.
        let lines = text.split(['\n', '\u{2028}', '\u{2029}']);
        let mut lines: Vec<&str> = lines.map(|line| line.trim_start_matches([' ', '-', '?', ':'])).collect();
        lines.sort_unstable();
        lines.join("\n")
    };
    sorted(a) == sorted(b)
}

/// Whether Go writes the keys in another order from time to time: its comparison runs in circles (`a01` < `a100` < `a1b` < `a01`).
fn order_is_chance(oracle: &Oracle, text: &str) -> bool {
    let answers = oracle.ask_many((0..REPEATS).map(|_| json!({"do": "yaml_emit", "json": text})));
    answers.iter().any(|answer| answer["yaml"] != answers[0]["yaml"])
}

fn compare(oracle: &Oracle, class: &str, cases: &[Vec<u8>]) -> String {
    let answers = oracle.ask_many(cases.iter().map(|text| question("yaml", text)));
    let (mut read, mut refused, mut by_chance) = (0, 0, 0);
    let mut wrong = Vec::new();
    for (text, answer) in cases.iter().zip(&answers) {
        let ours = Document::parse(text, &Bounds::default()).and_then(|document| document.to_json());
        let helm = answer["json"].as_str();
        if ours.as_deref().ok() != helm {
            if depends_on_chance(oracle, text, ours.as_deref().ok()) {
                by_chance += 1;
                continue;
            }
            wrong.push(format!("{}\n  ours {ours:?}\n  Helm {answer}", shown(text)));
        } else if helm.is_some() {
            read += 1;
        } else {
            refused += 1;
        }
    }
    let shown = wrong.iter().take(20).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{class}: {} of {} disagree, such as\n{shown}", wrong.len(), cases.len());
    format!("{read} read, {refused} refused, {by_chance} where Go's answer is a matter of chance")
}

/// Whether Go's answer changes from time to time and is ours at times, as where two keys print alike.
fn depends_on_chance(oracle: &Oracle, text: &[u8], ours: Option<&str>) -> bool {
    let answers = oracle.ask_many((0..REPEATS).map(|_| question("yaml", text)));
    let differs = answers.iter().any(|answer| answer["json"] != answers[0]["json"]);
    differs && answers.iter().any(|answer| answer["json"].as_str() == ours)
}

fn question(what: &str, text: &[u8]) -> Value {
    match str::from_utf8(text) {
        Ok(text) => json!({"do": what, "text": text}),
        Err(_) => json!({"do": what, "text_b64": STANDARD.encode(text)}),
    }
}

fn repeat(count: usize, mut make: impl FnMut() -> Vec<u8>) -> Vec<Vec<u8>> {
    (0..count).map(|_| make()).collect()
}

fn shown(text: &[u8]) -> String {
    let short = text.get(..1_500).unwrap_or(text);
    format!("{:?}", String::from_utf8_lossy(short))
}

/// Every YAML file of the corpus, except templates, and its documents one by one.
fn real_texts(root: &Path) -> Vec<Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![root.join("charts"), root.join("helm")];
    while let Some(directory) = waiting.pop() {
        for entry in fs_err::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                waiting.push(path);
            } else if name.ends_with(".yaml") || name.ends_with(".yml") || name.ends_with(".lock") {
                found.insert(path.clone(), fs_err::read(&path).unwrap());
            }
        }
    }
    assert!(found.len() > 150, "only {} files", found.len());
    found.into_values().collect()
}

/// Whether the text is worth mutating: short, and valid as it is.
fn is_small(text: &[u8]) -> bool {
    text.len() < 4_000 && Document::parse(text, &Bounds::default()).is_ok()
}

/// A values file as Helm 4 loads it: all documents, merged.
fn merged(text: &[u8]) -> Option<Value> {
    let mut values = Map::new();
    for document in Document::parse_all(text, &Bounds::default()).ok()? {
        let json = document.to_json().ok()?;
        match serde_json::from_str(&json).unwrap() {
            Value::Object(map) => merge(&mut values, map),
            Value::Null => {}
            _ => return None,
        }
    }
    Some(Value::Object(values))
}

fn merge(into: &mut Map<String, Value>, from: Map<String, Value>) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Object(old)), Value::Object(new)) => merge(old, new),
            (_, value) => drop(into.insert(key, value)),
        }
    }
}

/// The value with every number as a double.
fn floats(value: Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(items) => items.into_iter().map(floats).collect(),
        Value::Object(map) => map.into_iter().map(|(key, value)| (key, floats(value))).collect(),
        other => other,
    }
}
