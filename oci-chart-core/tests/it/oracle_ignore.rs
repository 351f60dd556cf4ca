//! Ignore rules against Helm's own, over generated rules and trees.

use std::collections::BTreeSet;

use oci_chart_core::chart::IgnoreRules;
use serde_json::{Value, json};

use crate::support::{oracle::Oracle, rng::Rng, say};

const TEST: &str = "oracle_ignore";
const TREES: usize = 400;
const RULES_PER_TREE: usize = 10;

/// Names of files and directories; those of a tree are also what its rules are made of.
const NAMES: &[&str] = &[
    "a",
    "b",
    "ab",
    "a.txt",
    "b.txt",
    "a.md",
    "docs",
    "templates",
    "charts",
    ".git",
    ".hidden",
    "_x",
    "x y",
    "#x",
    "!x",
    "[a]",
    "a[",
    "*",
    "ä",
    "日本",
    "a\\b",
    "Chart.yaml",
    "A.TXT",
    "-",
    "]",
    "^",
    "a-c",
    "{a,b}",
    "..x",
    "~",
];

/// Pieces of patterns beside the names.
const PIECES: &[&str] = &[
    "*", "?", "[a-c]", "[^a]", "[!a]", "[]a]", "[a-]", "[", "]", "\\", "\\*", "\\[", ".", "-", "/", "*.txt",
    "*/", ".?*", "**", "!", "#", " ", "\t", "^", "x", "[ä-ü]", "[日]", "\u{85}", "\u{a0}", "\r",
];

#[test]
fn generated_rules_over_generated_trees() {
    let Some(oracle) = Oracle::find(TEST) else { return };
    let mut rng = Rng::new(5);
    let cases: Vec<(String, Vec<String>)> = (0..TREES)
        .flat_map(|_| {
            let paths = tree(&mut rng);
            (0..RULES_PER_TREE).map(|_| (rules(&mut rng), paths.clone())).collect::<Vec<_>>()
        })
        .collect();
    let answers = oracle.ask_many(
        cases
            .iter()
            .map(|(rules, paths)| json!({"do": "ignore", "rules": rules, "paths": paths, "builtin": true})),
    );
    let (mut refused, mut verdicts, mut ignored) = (0, 0, 0);
    for ((text, paths), answer) in cases.iter().zip(&answers) {
        let rules = IgnoreRules::parse(text.as_bytes());
        assert_eq!(rules.is_err(), answer.get("error").is_some(), "{text:?}: {rules:?}, Helm: {answer}");
        let Ok(rules) = rules else {
            refused += 1;
            continue;
        };
        let helm: BTreeSet<&str> =
            answer["ignored"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        for path in paths {
            let directory = path.ends_with('/');
            let ours = rules.decide(path.strip_suffix('/').unwrap_or(path), directory);
            assert_eq!(ours.is_some(), helm.contains(path.as_str()), "{text:?} on {path:?}: {ours:?}");
            verdicts += 1;
            ignored += usize::from(ours.is_some());
        }
    }
    assert!(refused > 100 && ignored > 1_000 && verdicts - ignored > 1_000);
    say(&format!(
        "{TEST}: {} rule files ({refused} refused) over {TREES} trees, {verdicts} verdicts ({ignored} ignored), all equal",
        cases.len()
    ));
}

/// Paths of some files and directories, the latter with a final `/`, three levels deep at most.
fn tree(rng: &mut Rng) -> Vec<String> {
    let mut paths = Vec::new();
    let mut directories = vec![String::new()];
    for _ in 0..24 {
        let mut path = directories[rng.below(directories.len())].clone();
        path.push_str(rng.pick(NAMES));
        if rng.chance(30) && path.matches('/').count() < 2 {
            path.push('/');
            directories.push(path.clone());
        }
        paths.push(path);
    }
    paths
}

/// A few lines.
fn rules(rng: &mut Rng) -> String {
    let mut text = String::new();
    for _ in 0..=rng.below(3) {
        let mut line = String::new();
        if rng.chance(25) {
            line.push_str(rng.pick(&["!", "/", " ", "#", "!/", "\u{feff}"]));
        }
        for _ in 0..=rng.below(4) {
            let from = if rng.chance(50) { NAMES } else { PIECES };
            line.push_str(rng.pick(from));
            if rng.chance(15) {
                line.push('/');
            }
        }
        text.push_str(&line);
        text.push('\n');
    }
    text
}
