//! `.helmignore` against the golden answers of Helm's own rules.

use std::collections::BTreeSet;

use oci_chart_core::chart::IgnoreRules;
use serde_json::Value;

use crate::support::{corpus, say};

#[test]
fn every_row() {
    let Some(rows) = corpus::vectors("ignore_vectors", "ignore") else { return };
    let (paths, rows) = rows.split_first().unwrap();
    let paths = texts(&paths["paths"]);
    for row in rows {
        let text = row["rules"].as_str().unwrap();
        let rules = IgnoreRules::parse(text.as_bytes());
        assert_eq!(rules.is_err(), row.get("error").is_some(), "{text:?}: {rules:?}");
        let Ok(rules) = rules else { continue };
        // Without the column, the built-in rule was not asked.
        let builtin = row.get("builtin").is_some();
        let ignored: BTreeSet<&str> = paths
            .iter()
            .filter(|path| {
                let is_directory = path.ends_with('/');
                let path = path.strip_suffix('/').unwrap_or(path);
                rules.decide(path, is_directory).is_some_and(|rule| builtin || !rule.is_built_in())
            })
            .copied()
            .collect();
        assert_eq!(ignored, texts(&row["ignored"]).into_iter().collect(), "{text:?}");
    }
    say(&format!("ignore_vectors: {} sets of rules over {} paths", rows.len(), paths.len()));
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}
